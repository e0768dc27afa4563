"""The parent's side of one child process: start it, give it a work, listen, stop it, bury it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from node_catalog.sdk.text import text
from runtime.engine.errors import CancelledError, ChildDiedError, ChildError, ChildStartError, error_from
from runtime.engine.pipe import (
    PIPE_BYTES,
    Began,
    Do,
    Done,
    Down,
    Failed,
    PipeClosedError,
    Ready,
    Said,
    Share,
    Stop,
    Up,
    encode,
    up_reader,
)
from runtime.engine.work import Outcome, PackedWork, Report, Work

TICK_MS = 50
"""How often a waiting parent looks at the stop button."""
GRACE_SECONDS = 0.7
"""What a child gets to stop by itself before it is killed: together with a tick well under a second."""
START_SECONDS = 120.0


def start_child(settings: bytes, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """A new process in which a child loads, with pipes to it."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "runtime.engine.child", settings.decode()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=dict(environment),
        close_fds=True,
        start_new_session=True,
    )


class ChildProcess:
    """One child. Used by one thread at a time."""

    def __init__(self, settings: bytes, environment: Mapping[str, str]) -> None:
        self._process = start_child(settings, environment)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in = self._process.stdin.fileno()
        self._out = self._process.stdout.fileno()
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)
        self._messages = up_reader()
        self._number = 0
        self._has_begun = False
        self._first_memory = 0
        self.works = 0
        self.memory_bytes = 0
        self.is_ready = False
        self.is_broken = False

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def growth_bytes(self) -> int:
        """Resident memory beyond what it had when it was ready."""
        return max(0, self.memory_bytes - self._first_memory)

    @property
    def is_alive(self) -> bool:
        return not self.is_broken and self._process.poll() is None

    def perform(
        self,
        work: Work,
        tell: Callable[[Report], None],
        cancel: threading.Event,
        wait: Callable[[], Mapping[str, int] | None] | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> Outcome:
        """Do one work and wait for its outcome; ``tell`` is called in this thread, ``wait`` whenever a tick has passed:
        what that gives is how many works read each node (None: no news). ``meanwhile`` is called once, when the child
        has its work: the time until it answers is free.

        Raises what the work raised, CancelledError once ``cancel`` is set (within a second, by force if need be),
        ChildStartError when the child dies before it has begun (nothing was done), ChildDiedError when it dies
        afterwards. Only a child that has answered is used again.
        """
        self._has_begun = False
        with self._killed_on_error():
            self._await_ready(cancel)
            self._number += 1
            self._send(Do(self._number, work), cancel)
            # A packed work is not announced: it is over before that would be of use.
            self._has_begun = isinstance(work, PackedWork)
            if meanwhile is not None:
                meanwhile()
            answer = self._await_answer(tell, cancel, wait or (lambda: None))
        return self._outcome(answer)

    @property
    def answers(self) -> int:
        """The pipe that can be read once it has answered."""
        return self._out

    def begin(self, work: PackedWork) -> bool:
        """Give it a work without waiting for anything; then call ``answered`` until the answer is there, or ``finish``.

        False: it cannot take this one so (it is not ready yet, or the work is large), and has not been given it.
        """
        data = encode(Do(self._number + 1, work))
        try:
            if not self.is_ready:
                self._greet(self._read())
            if not self.is_ready or len(data) > PIPE_BYTES // 2:
                return False
            written = os.write(self._in, data)
        except (OSError, PipeClosedError, ChildStartError):
            self.strike()
            return False
        if written < len(data):
            self.strike()  # what waits is in nobody's way, so its pipe was empty: it is broken
            return False
        self._number += 1
        self._has_begun = True
        return True

    def answered(self) -> Outcome | None:
        """The outcome of what was begun, when it has come. Never waits.

        Raises what the work raised, and PipeClosedError when no answer will come: ``finish`` says why.
        """
        answer = self._answer_in(self._read(), lambda report: None)
        return self._outcome(answer) if answer is not None else None

    def finish(self, cancel: threading.Event) -> Outcome:
        """Wait for the outcome of what was begun, as ``perform`` does."""
        with self._killed_on_error():
            answer = self._await_answer(lambda report: None, cancel, lambda: None)
        return self._outcome(answer)

    def strike(self) -> None:
        """Send SIGKILL to it and to everything it started; from any thread, its own thread tidies up."""
        self.is_broken = True
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def kill(self) -> None:
        """End it now and wait until it is gone."""
        self.strike()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _await_ready(self, cancel: threading.Event) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready:
            if cancel.is_set():
                raise CancelledError()
            if time.monotonic() > deadline:
                raise _no_start(f"not ready within {START_SECONDS:g} s")
            try:
                messages = self._receive()
            except ChildDiedError as error:
                raise _no_start(f"{error}") from error
            self._greet(messages)

    def _greet(self, messages: Sequence[Up]) -> None:
        """What it says before its first work: that it is ready, or why it cannot be."""
        for message in messages:
            if isinstance(message, Failed):
                raise _no_start(str(message.problem.get("detail", "")), message.problem.get("message"))
            if isinstance(message, Ready):
                self.is_ready = True
                self.memory_bytes = self._first_memory = message.memory_bytes

    def _await_answer(
        self,
        tell: Callable[[Report], None],
        cancel: threading.Event,
        wait: Callable[[], Mapping[str, int] | None],
    ) -> Done | Failed:
        kill_at: float | None = None
        while True:
            if cancel.is_set() and kill_at is None:
                kill_at = time.monotonic() + GRACE_SECONDS
                with contextlib.suppress(ChildError):
                    self._send(Stop(self._number), None)
            if kill_at is not None and time.monotonic() > kill_at:
                raise CancelledError()
            messages = self._receive()
            if not messages and (readers := wait()):
                self._send(Share(dict(readers)), cancel)
            if (answer := self._answer_in(messages, tell)) is not None:
                return answer

    def _answer_in(self, messages: Sequence[Up], tell: Callable[[Report], None]) -> Done | Failed | None:
        for message in messages:
            if isinstance(message, Began) and message.id == self._number:
                self._has_begun = True
            elif isinstance(message, Said) and message.id == self._number:
                tell(message.report)
            elif isinstance(message, Done | Failed) and message.id == self._number:
                return message
        return None

    def _outcome(self, answer: Done | Failed) -> Outcome:
        """Raises what the work raised."""
        self.works += 1
        self.memory_bytes = answer.memory_bytes
        if isinstance(answer, Failed):
            raise error_from(answer.problem)
        return answer.outcome

    @contextlib.contextmanager
    def _killed_on_error(self) -> Iterator[None]:
        """Only a child that has answered is used again."""
        try:
            yield
        except ChildDiedError as error:
            self.kill()
            if not self._has_begun:
                raise _no_start(f"died while it waited: {error}") from error
            raise
        except BaseException:
            self.kill()
            raise

    def _receive(self) -> list[Up]:
        """What arrives within a tick. Raises ChildDiedError when the pipe has closed."""
        poll = select.poll()
        poll.register(self._out, select.POLLIN)
        if not poll.poll(TICK_MS):
            return []
        try:
            return self._read()
        except (OSError, PipeClosedError):
            raise self._died() from None

    def _read(self) -> list[Up]:
        """What has arrived. Raises PipeClosedError when nothing will any more."""
        try:
            data = os.read(self._out, PIPE_BYTES)
        except BlockingIOError:
            return []
        if not data:
            raise PipeClosedError("end of the pipe")
        try:
            return self._messages.feed(data)
        except PipeClosedError:
            self.strike()
            raise

    def _send(self, message: Down, cancel: threading.Event | None) -> None:
        """Write a message without ever waiting for a child that does not read."""
        view = memoryview(encode(message))
        poll = select.poll()
        poll.register(self._in, select.POLLOUT)
        give_up = time.monotonic() + GRACE_SECONDS
        while view:
            if cancel is not None and cancel.is_set():
                raise CancelledError()
            if cancel is None and time.monotonic() > give_up:
                return
            if not poll.poll(TICK_MS):
                continue
            try:
                view = view[os.write(self._in, view) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise self._died() from error

    def _died(self) -> ChildDiedError:
        """The child's end in words; a child that closed its pipe and lives on is ended here."""
        try:
            code = self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            self.kill()
            return ChildDiedError(signal.SIGKILL)
        return ChildDiedError(-code, 0) if code < 0 else ChildDiedError(0, code)


def settings_bytes(settings: msgspec.Struct) -> bytes:
    """A child's settings as its one argument."""
    return msgspec.json.encode(settings)


def _no_start(detail: str, message: dict[str, str] | None = None) -> ChildStartError:
    words = text(
        "The process that runs stages does not start. It is tried again; if it stays so, an operator has to look at "
        "the worker's log.",
        "执行阶段的进程无法启动。系统会重试；若一直如此，请运维人员查看工作进程的日志。",
    )
    return ChildStartError("engine.child_start", message or words, "", detail[:1000])
