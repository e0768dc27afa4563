"""Calls that come again: the second one is remembered, and from the third on the facts alone are read.

The thorough way (Django's whole chain, the person, the rights, the plan) is the only one that decides. What it has
decided about a request is remembered together with the facts that it was decided from (``runtime.calling.facts``); the
same request goes the short way as long as these are the same, for a minute at most. A request is the same, too, when it
differs in the values of inputs alone and the plan was made without them. Whatever is not certain goes the thorough way
again: other facts, an error, values that do not fit, a database that does not answer.

What is remembered holds the settings of nodes opened, as the process that does the call needs them: in memory alone,
until that minute is over and another call goes the thorough way.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Hashable, Mapping, MutableMapping
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import DatabaseError, InterfaceError

from flows.errors import FlowError
from node_catalog.grants import next_term
from node_catalog.sdk.memory import Memory
from runtime.calling.answers import MADE, body_of, engine_form
from runtime.calling.call_flow import Call, do_call, do_call_soon, prepare_call, published_flow
from runtime.calling.facts import facts_of
from runtime.calling.rate import RATES
from runtime.errors import RunError
from security import clock
from security.access import Principal, principal_for
from security.errors import SecurityError
from security.facts import Quiet, Standing
from security.models import Token

AT_MOST = timedelta(minutes=1)
"""How long facts that stay the same are enough. A token's last use is written down about as often."""
READ_AT_ONCE = 2048
"""Bytes of values that the event loop reads itself."""
ASKED, FAILED = "citygo.call.asked", "citygo.call.failed"
"""In an ASGI scope: what the view was asked for, and why a call failed that went the short way."""


@dataclass(frozen=True)
class Asked:
    """A request as the view has understood it."""

    token: Token
    principal: Principal
    app: Any
    flow: str
    given: Mapping[str, Any]
    form: str


@dataclass(frozen=True, eq=False)
class Decided(Standing):
    """What the thorough way has decided about a request."""

    caller: str
    call: Call
    form: str
    headers: tuple[tuple[bytes, bytes], ...]


class Key(NamedTuple):
    """All of a request that its answer depends on: ``body``, and the rest."""

    frame: Hashable
    body: bytes
    is_json: bool
    """Whether the body is read as a plain JSON object, which holds nothing but values of inputs."""


class Again:
    """The requests that came lately."""

    def __init__(self, most: int = 256) -> None:
        self._seen: Memory[bool] = Memory(most * 4)
        """Frames and whole requests that came; of frames, whether their plan may be one without values."""
        self._standing: Memory[Decided] = Memory(most)
        self._quiet = Quiet()

    async def answer(
        self, key: Key, scope: MutableMapping[str, Any], threads: Executor
    ) -> tuple[Decided, bytes] | None:
        """The answer's body when the request may go the short way; None: the thorough one, which tells errors, too.

        Whatever may have to wait for the database or takes a while is done in one of ``threads``.
        """
        started = time.perf_counter()
        place, found = self._find(key)
        if found is None:
            return None
        loop = asyncio.get_running_loop()
        try:
            if place is key:
                call: Call | None = found.call
            elif len(key.body) <= READ_AT_ONCE:
                call = _rebound(found.call, key)
            else:
                call = await loop.run_in_executor(threads, _rebound, found.call, key)
            if call is None:
                return None
            state = self._quiet.state()
            if not self._quiet.holds(found, state):
                if not await loop.run_in_executor(threads, self._quiet.look, found):
                    self._standing.drop(place)
                    return None
                self._quiet.held(found, state)
            RATES.count(found.caller, settings.OPTIONS["CALLS_A_MINUTE"])
            if call.uses:
                called = await loop.run_in_executor(threads, do_call, call, started)
            else:
                called = await do_call_soon(call, started)
            if found.form in MADE:
                return found, body_of(called, found.form)
            return found, await loop.run_in_executor(threads, body_of, called, found.form)
        except (DatabaseError, InterfaceError):
            self._standing.drop(place)
        except (FlowError, RunError) as error:
            scope[FAILED] = error
        return None

    def learn(self, key: Key, asked: Asked, headers: tuple[tuple[bytes, bytes], ...]) -> None:
        """The thorough way has just answered this request, with these ``headers``."""
        now = clock.now()
        self._standing.prune(lambda one: one.until <= now)
        may_be_open, came = key.is_json and self._seen.find(key.frame), self._seen.find(key)
        if came is None:
            self._seen.keep(key, True)
            if may_be_open is None:
                self._seen.keep(key.frame, True)
            if not may_be_open:
                return
        try:
            found = _looked_up(asked, headers)
        except (FlowError, RunError, SecurityError, DatabaseError):
            return
        if found is None:
            return
        if key.is_json and found.call.plan.is_open:
            self._standing.keep(key.frame, found)
            return
        self._seen.keep(key.frame, False)
        if came:
            self._standing.keep(key, found)

    def forget(self) -> None:
        """Everything goes the thorough way again."""
        self._seen.clear()
        self._standing.clear()
        self._quiet.close()

    def _find(self, key: Key) -> tuple[Hashable, Decided | None]:
        if key.is_json and (found := self._standing.find(key.frame)) is not None:
            return key.frame, found
        return key, self._standing.find(key)


def _rebound(call: Call, key: Key) -> Call | None:
    """The call with the values in the body; None: the thorough way reads them, and says what is wrong."""
    try:
        given = _JSON.decode(key.body.decode())
        return call.rebound(given) if isinstance(given, dict) else None
    except (ValueError, RecursionError, FlowError):
        return None


def _no_constant(name: str) -> None:
    """As the thorough way reads JSON: without NaN and infinities."""
    raise ValueError(name)


_JSON = json.JSONDecoder(parse_constant=_no_constant)


def _looked_up(asked: Asked, headers: tuple[tuple[bytes, bytes], ...]) -> Decided | None:
    """Decide once more, between two looks at the facts: what changes meanwhile is seen by the next call."""
    rough = _call(asked, asked.principal)
    facts = facts_of(asked.token, asked.principal, asked.app, asked.flow, rough.datasets)
    rows, now = facts.read(), clock.now()
    token = Token.objects.select_related("user__organisation").get(pk=asked.token.pk)
    principal = principal_for(token.user)
    call = _call(asked, principal)
    if not call.is_steady or call.datasets != rough.datasets or not _is_valid(token, now):
        return None
    ends = (now + AT_MOST, token.expires_at, next_term(principal, call.datasets, now))
    until = min(end for end in ends if end is not None)
    return Decided(facts, rows, until, str(token.pk), call, asked.form, headers)


def _is_valid(token: Token, now: datetime) -> bool:
    user = token.user
    is_ended = token.revoked_at is not None or (token.expires_at is not None and token.expires_at <= now)
    return user.is_active and not user.must_change_password and not is_ended


def _call(asked: Asked, principal: Principal) -> Call:
    published = published_flow(principal, asked.app, asked.flow)
    return prepare_call(published, asked.flow, principal, asked.given, engine_form(asked.form))


AGAIN = Again()
"""This process's calls that come again."""
