"""Calls that come again: the short way gives the long way's answer, and what is taken away counts at once."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction

from flows.models import App, CallCount, Flow, PublishedFlow
from flows.publishing import publish_flow
from node_catalog.models import Column, Dataset, Grant, Node, OutgoingOpening
from runtime.api.call_views import CallView
from runtime.calling import plans, tally
from runtime.calling.again import AGAIN
from runtime.calling.executor import EXECUTOR
from security import clock
from security.access import principal_for
from security.facts import Facts, Quiet, Standing
from security.manage_tokens import create_token
from security.models import AuditRecord, RoleAssignment, Token, User
from studio.http import ThreadedHandler
from tests.app.runtime.factory import make_organisation, make_user
from tests.integration.runtime import city
from tests.integration.runtime.city import wait_for
from tests.integration.runtime.conftest import City


@dataclass
class Caller:
    """Calls over the server's own entry; ``thorough`` counts the calls that went through Django's whole chain."""

    handler: ThreadedHandler
    thorough: int = 0
    address: str = ""
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def __call__(self, body: dict[str, Any] | None = None, **headers: str) -> Answer:
        given = {"host": "testserver", "content-type": "application/json", "authorization": f"Bearer {self.token}"}
        content = json.dumps(body or {}).encode()
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        pairs = [(name.encode(), value.encode()) for name, value in {**given, **more}.items()]
        pairs.append((b"content-length", str(len(content)).encode()))
        scope = {
            "type": "http", "method": "POST", "path": self.address, "raw_path": self.address.encode(),
            "query_string": b"", "headers": pairs, "scheme": "http", "root_path": "", "http_version": "1.1",
            "client": ("127.0.0.1", 1), "server": ("testserver", 80),
        }  # fmt: skip
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": content}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        before = self.thorough
        asyncio.run(self.handler(scope, receive, send))
        tally.TALLY.write()
        answered = b"".join(message.get("body", b"") for message in sent)
        found = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], found, answered, self.thorough == before)

    def aim(self, flow: Flow, person: User) -> None:
        """Call this flow, with a token of ``person``."""
        self.address = f"/api/call/{flow.app_id}/{flow.key}"
        self.token = create_token(principal_for(person), "program", 1)[1]

    def until_short(self, **headers: str) -> Answer:
        """The answer once it goes the short way."""
        for _ in range(3):
            answer = self(**headers)
            assert answer.status == 200, answer.content
        assert answer.is_short
        return answer


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes
    is_short: bool

    @property
    def json(self) -> Any:
        return json.loads(self.content)


@pytest.fixture
def caller(monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    monkeypatch.setattr(tally.TALLY, "every", None)
    AGAIN.forget()
    found = Caller(ThreadedHandler(threads=1))
    dispatch = CallView.dispatch

    def counted(*args: Any, **more: Any) -> Any:
        found.thorough += 1
        return dispatch(*args, **more)

    monkeypatch.setattr(CallView, "dispatch", counted)
    yield found
    found.handler._threads.submit(connections.close_all).result()
    found.handler.close()
    AGAIN.forget()
    EXECUTOR.close()


INPUTS = {
    "type": "object",
    "properties": {
        "n": {"type": "integer"}, "t": {"type": "string"}, "d": {"type": "string", "format": "date"},
        "unused": {"type": "number", "default": 1},
    },
    "required": ["n"],
}  # fmt: skip


def published(
    small_city: City, caller: Caller, person: User, query: str = "", inputs: dict[str, Any] | None = None
) -> Flow:
    """A flow over the first readings, called by ``person``."""
    steps: dict[str, Any] = {
        "read": city.read_step(small_city.readings),
        "some": {"type": "filter", "settings": {"where": "id < 3"}},
        "more": {"type": "sql", "settings": {"query": query or "select *, pm25 / 2 as half from in1 order by id"}},
        "out": {"type": "output", "settings": {"name": "rows"}},
    }
    wires = [("read.out", "some.in"), ("some.out", "more.in1"), ("more.out", "out.in")]
    flow = city.make_flow(small_city.staff, steps, wires, inputs=inputs)
    publish_flow(flow, principal_for(small_city.staff), "everyone")
    caller.aim(flow, person)
    return flow


def change_source(statement: str) -> None:
    with closing(sqlite3.connect(city.home("source.sqlite3"))) as connection:
        connection.execute(statement)
        connection.commit()


def test_the_short_way_answers_as_the_long_one(small_city: City, caller: Caller) -> None:
    flow = published(small_city, caller, small_city.staff)
    first, second, third = caller(), caller(), caller(x_request_id="number-of-mine")
    assert [answer.is_short for answer in (first, second, third)] == [False, False, True]
    own = {"x-request-id", "content-security-policy", "content-length"}
    assert third.headers["x-request-id"] == "number-of-mine"
    assert third.headers.keys() == first.headers.keys()
    assert all(third.headers[name] == first.headers[name] for name in first.headers.keys() - own)
    assert int(third.headers["content-length"]) == len(third.content)
    rows = [{key: value for key, value in answer.json.items() if key != "seconds"} for answer in (first, second, third)]
    assert rows[0] == rows[1] == rows[2] and rows[0]["count"] == 3
    for accept in ("text/csv", "application/vnd.apache.arrow.stream"):
        forms = {caller(accept=accept).content for _ in range(4)}
        assert len(forms) == 1 and caller(accept=accept).is_short

    change_source("insert into readings values (-1, 'new', 1.5, 'x')")
    answer = caller()
    assert answer.is_short and [row["id"] for row in answer.json["rows"]] == [-1, 0, 1, 2], "read anew each time"
    calls = sum(row.calls for row in CallCount.objects.filter(flow=flow))
    assert calls == 14 == AuditRecord.objects.filter(action="flow.call", object_id=str(flow.pk)).count()


def test_a_flow_without_any_source_goes_the_short_way(small_city: City, caller: Caller) -> None:
    row = {"columns": [{"name": "n", "type": "integer"}], "rows": [[":n"]]}
    steps: dict[str, Any] = {
        "row": {"type": "table", "settings": row},
        "more": {"type": "derive", "settings": {"columns": [{"name": "next", "expression": "n + 1"}]}},
        "out": {"type": "output", "settings": {"name": "rows"}},
    }
    inputs = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    flow = city.make_flow(small_city.staff, steps, [("row.out", "more.in"), ("more.out", "out.in")], inputs)
    publish_flow(flow, principal_for(small_city.staff), "owner")
    caller.aim(flow, small_city.staff)
    answers = [caller({"n": n}) for n in (1, 1, 1, 2, 2, 2)]
    assert [answer.is_short for answer in answers] == [False, False, True, True, True, True]
    assert [answer.json["rows"] for answer in answers] == [[{"n": 1, "next": 2}]] * 3 + [[{"n": 2, "next": 3}]] * 3
    assert caller({"n": "one"}).status == 400


def made_plans(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Filled with the open inputs of each plan that is made."""
    made: list[Any] = []
    make = plans._make

    def counted(*args: Any) -> Any:
        made.append(set(args[-1]))
        return make(*args)

    monkeypatch.setattr(plans, "_make", counted)
    return made


def test_other_values_need_no_other_plan(small_city: City, caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    query = "select id + :n as id, station || :t as t, cast(:d as text) as d from in1 order by id"
    made = made_plans(monkeypatch)
    published(small_city, caller, small_city.staff, query, INPUTS)
    days = {"d": "2026-01-31", "t": "-"}
    for number in range(6):
        answer = caller({"n": number, **days})
        assert answer.status == 200, answer.content
        assert answer.is_short == (number > 1)
        assert [row["id"] for row in answer.json["rows"]] == [number, number + 1, number + 2]
    for words in ("", "it's", "';--", "中文", "\\", "$v0"):
        answer = caller({"n": -5, "t": words, "d": "0001-01-01"})
        assert answer.is_short and answer.json["rows"][0] == {"id": -5, "t": f"s0{words}", "d": "0001-01-01"}
    assert made == [{"n", "t", "d", "unused"}], "one plan for all of them"

    wrong = [{"n": "1", **days}, {"n": 2**63, **days}, {"n": 1, "t": "x", "d": "today"}, {"n": 1, "more": 1}, {}]
    answers = [caller(body) for body in wrong]
    assert [answer.status for answer in answers] == [400, 422, 400, 400, 400]
    assert not any(answer.is_short for answer in answers)
    assert caller({"n": 1, "t": "\0", "d": "2026-01-31"}).status == 422, "refused, as in a plan"
    assert caller({"n": 1, **days}).json["rows"][0]["id"] == 1


def test_a_value_that_decides_something_has_a_plan_of_its_own(
    small_city: City, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = made_plans(monkeypatch)
    published(small_city, caller, small_city.staff, "select id, :t as t from in1 order by id limit :n", INPUTS)
    body = {"t": "x", "d": "2026-01-31"}
    for number in (1, 2, 1, 2, 1, 2):
        assert caller({"n": number, **body}).json["count"] == number
    assert caller({"n": 1, **body}).is_short and not caller({"n": 0, **body}).is_short
    assert caller({"n": 1, **body, "t": "y"}).json["rows"] == [{"id": 0, "t": "y"}]
    assert made == [{"n", "t", "d", "unused"}, *[{"t", "d", "unused"}] * 3]


def test_what_is_taken_away_counts_for_the_next_call(small_city: City, caller: Caller) -> None:
    """Whoever writes it: every change here passes models by, as a statement in the database would."""
    stranger = make_user("stranger", make_organisation("tax"), "business")
    Dataset.objects.update(share=Dataset.Share.UNCONDITIONAL)
    published(small_city, caller, stranger)
    now = clock.now()
    changes: list[tuple[Any, dict[str, Any], dict[str, Any], int]] = [
        (Token.objects.filter(user=stranger), {"revoked_at": now}, {"revoked_at": None}, 401),
        (Token.objects.filter(user=stranger), {"expires_at": now}, {"expires_at": now + timedelta(days=1)}, 401),
        (User.objects.filter(pk=stranger.pk), {"is_active": False}, {"is_active": True}, 401),
        (User.objects.filter(pk=stranger.pk), {"must_change_password": True}, {"must_change_password": False}, 403),
        (RoleAssignment.objects.filter(user=stranger), {"role": "auditor"}, {"role": "business"}, 422),
        (PublishedFlow.objects.all(), {"audience": "owner"}, {"audience": "everyone"}, 404),
        (App.objects.all(), {"deleted_at": now}, {"deleted_at": None}, 404),
        (Dataset.objects.all(), {"share": "none"}, {"share": "unconditional"}, 422),
        (Dataset.objects.all(), {"state": "gone"}, {"state": "published"}, 422),
        (Node.objects.all(), {"is_active": False}, {"is_active": True}, 422),
        (Column.objects.filter(name="id"), {"sensitivity": "personal"}, {"sensitivity": ""}, 422),
    ]
    for rows, taken, back, status in changes:
        caller.until_short()
        rows.update(**taken)
        answer = caller()
        assert (answer.status, answer.is_short) == (status, False), (taken, answer.content)
        assert answer.headers["content-type"] == "application/problem+json"
        rows.update(**back)
        assert caller().status == 200, back
    caller.until_short()
    OutgoingOpening.objects.create(network="10.1.0.0/16", reason="a test")
    assert not caller().is_short, "what a work may connect to"
    caller.until_short()
    PublishedFlow.objects.all().delete()
    assert caller().status == 404


def test_a_grant_ends_by_itself(small_city: City, caller: Caller) -> None:
    stranger = make_user("stranger", make_organisation("tax"), "business")
    grant = Grant.objects.create(
        number="G-1", dataset=small_city.readings, organisation=stranger.organisation,
        columns=["id", "station", "pm25", "secret"], valid_from=clock.now(),
    )  # fmt: skip
    published(small_city, caller, stranger)
    caller.until_short()
    Grant.objects.filter(pk=grant.pk).update(valid_until=clock.now() + timedelta(seconds=2))
    wait_for(lambda: caller().status != 200, 60, "the term is over")
    Grant.objects.filter(pk=grant.pk).update(valid_until=None)
    caller.until_short()
    Grant.objects.filter(pk=grant.pk).update(state="revoked")
    assert caller().status != 200


def test_limits_hold_for_calls_that_come_again(small_city: City, caller: Caller, settings: Any) -> None:
    settings.OPTIONS = {**settings.OPTIONS, "CALL_ROWS": 10, "CALL_MEMORY_MB": 64, "CALL_SECONDS": 60.0}
    many = "select id, station from in1 order by id"
    pairs = "select lpad(cast(a.id * 100000 + b.id as varchar), 500, 'x') as t from in1 a join in1 b on a.id > b.id"
    large = f"select count(distinct t) as n from ({pairs}) as p"
    for query, code in ((many, "call.too_much"), (large, "engine.out_of_memory")):
        flow = published(small_city, caller, small_city.staff, query)
        before = caller.until_short(accept_language="en").json["rows"]
        change_source("insert into readings select -id, station, pm25, 'x' from readings where id between 1 and 3000")
        for _ in range(2):
            answer = caller(accept_language="en")
            assert (answer.status, answer.json["code"]) == (422, code), answer.content[:500]
        change_source("delete from readings where id < 0")
        assert caller.until_short().json["rows"] == before, "the process lives"

    options = settings.OPTIONS
    settings.OPTIONS = {**options, "CALL_SECONDS": 0.0}
    assert (caller().status, caller().json["code"]) == (504, "call.too_slow")
    settings.OPTIONS = {**options, "CALLS_A_MINUTE": 1}
    assert {caller().status for _ in range(3)} >= {429}
    settings.OPTIONS = options
    caller.aim(flow, small_city.staff)  # with a token that has not called too often
    assert caller.until_short().status == 200
    errors = sum(row.errors for row in CallCount.objects.filter(flow=flow))
    assert errors == 4, "each failed call is counted once"


def test_whatever_is_not_certain_goes_the_long_way(
    small_city: City, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(small_city, caller, small_city.staff)
    caller.until_short()
    others: list[Callable[[], Answer]] = [
        lambda: caller(cookie="sessionid=x"),
        lambda: caller(accept="*/*"),
        lambda: caller(authorization="Bearer cgs_other"),
        lambda: caller({"a": 1}),
        lambda: caller(content_type="text/plain"),
    ]
    answers = [ask() for ask in others]
    assert not any(answer.is_short for answer in answers if answer.status == 200)
    assert [answer.status for answer in answers] == [200, 200, 401, 400, 415]

    def away(_: Facts) -> Any:
        raise OperationalError("server closed the connection unexpectedly")

    caller.until_short()
    with monkeypatch.context() as broken:
        broken.setattr(Facts, "read", away)
        answer = caller()
    assert (answer.status, answer.is_short) == (200, False)


def test_facts_are_those_of_the_moment(small_city: City) -> None:
    """Whoever writes, and when: over this connection, over another one, in a transaction that is taken back."""
    name = small_city.staff.username
    facts = Facts("select name from security_user where username = %s", (name,))

    def rename(to: str) -> None:
        User.objects.filter(username=name).update(name=to)

    def elsewhere() -> None:
        rename("three")
        connections.close_all()

    rename("one")
    assert facts.read() == facts.read() == {("one",)}
    rename("two")
    assert facts.read() == {("two",)}
    beside = Thread(target=elsewhere)
    beside.start()
    beside.join()
    assert facts.read() == {("three",)}
    with transaction.atomic():
        rename("four")
        assert facts.read() == {("four",)}
        transaction.set_rollback(True)
    assert facts.read() == {("three",)}
    if connection.vendor == "sqlite":
        assert facts.read() is facts.read(), "nothing was written: nothing is asked"


def test_a_loop_knows_what_holds_until_something_is_written(small_city: City) -> None:
    name, beside = small_city.staff.username, Quiet()
    facts = Facts("select name from security_user where username = %s", (name,))
    standing = Standing(facts, facts.read(), clock.now() + timedelta(minutes=1))
    assert not beside.holds(standing, beside.state()), "nobody has looked yet"
    assert beside.look(standing)
    state = beside.state()
    beside.held(standing, state)
    if connection.vendor == "sqlite":
        assert beside.holds(standing, beside.state())
        over = Standing(facts, standing.rows, clock.now())
        beside.held(over, state)
        assert not beside.holds(over, beside.state())
    else:
        assert state is None
    User.objects.filter(username=name).update(name="another")
    assert not beside.holds(standing, beside.state()) and not beside.look(standing)
    beside.close()
    assert beside.state() is None
