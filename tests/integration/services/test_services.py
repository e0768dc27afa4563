"""The suite's own servers start, answer, and come back after a restart."""

from __future__ import annotations

import psycopg
import pytest
import redis

from tests.services import MariadbServer, PostgresServer, RabbitServer, RedisServer

pytestmark = pytest.mark.services


def test_postgres_answers_and_survives_an_immediate_restart(postgres_server: PostgresServer) -> None:
    url = postgres_server.create_database("services_check")
    with psycopg.connect(url) as connection:
        connection.execute("create table t (a int)")
    postgres_server.restart()
    with psycopg.connect(url) as connection:
        assert connection.execute("select count(*) from t").fetchone() == (0,)


def test_mariadb_answers_and_survives_a_kill(mariadb_server: MariadbServer) -> None:
    name = mariadb_server.create_database("services_check")
    with mariadb_server.connect(name) as connection, connection.cursor() as cursor:
        cursor.execute("create table t (a int)")
    mariadb_server.restart()
    with mariadb_server.connect(name) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from t")
        assert cursor.fetchone() == (0,)


def test_redis_answers(redis_server: RedisServer) -> None:
    client = redis.Redis.from_url(redis_server.url)
    assert client.ping()
    client.close()


def test_rabbitmq_answers(rabbitmq_server: RabbitServer) -> None:
    from kombu import Connection

    with Connection(rabbitmq_server.url) as connection:
        connection.ensure_connection(max_retries=3, timeout=10)
        queue = connection.SimpleQueue("check")
        queue.put({"ring": 1})
        assert queue.get(timeout=10).payload == {"ring": 1}
        queue.close()
