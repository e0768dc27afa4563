"""Processes forked from one that has loaded everything: there in milliseconds, where a new Python takes a second.

Kill tests need thousands of processes. The product itself starts its children anew: libraries start threads while they
are loaded, and those do not survive a fork; for a process that is to be killed that does not matter.
"""

from __future__ import annotations

import json
import os
import queue
import select
import signal
import socket
import subprocess
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import IO, Any

from runtime.engine.limits import die_with_parent

LARGEST = 1 << 16
"""Bytes of a request."""
PATIENCE = 120.0


class Forked:
    """A process that another one has forked for us; has what we use of ``subprocess.Popen``."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdin: IO[Any] | None = None
        self.stdout: IO[Any] | None = None
        self._ended = threading.Event()

    def end(self, code: int) -> None:
        """It has ended, so with a negative signal or its exit code."""
        self.returncode = code
        self._ended.set()

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if not self._ended.wait(timeout):
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        assert self.returncode is not None
        return self.returncode


class Template:
    """Our end of the link to a process that forks (``serve``), which ends when this end is closed."""

    def __init__(self, link: socket.socket, process: subprocess.Popen[bytes] | None = None) -> None:
        self._link = link
        self._process = process
        self._asking = threading.Lock()
        self._born: queue.SimpleQueue[Forked] = queue.SimpleQueue()
        self._living: dict[int, Forked] = {}
        threading.Thread(target=self._listen, name="template", daemon=True).start()

    def fork(self, request: dict[str, Any], error: int | None = None, is_text: bool = False) -> Forked:
        """A process that does ``request``, with pipes from and to us; its standard error goes to ``error``."""
        (their_in, our_out), (our_in, their_out) = os.pipe(), os.pipe()
        handles = [their_in, their_out, *([error] if error is not None else [])]
        with self._asking:
            socket.send_fds(self._link, [json.dumps(request).encode()], handles)
            process = self._born.get(timeout=PATIENCE)
        os.close(their_in)
        os.close(their_out)
        if is_text:
            process.stdin, process.stdout = os.fdopen(our_out, "w"), os.fdopen(our_in)
        else:
            process.stdin, process.stdout = os.fdopen(our_out, "wb", 0), os.fdopen(our_in, "rb", 0)
        return process

    def _listen(self) -> None:
        while True:
            try:
                said = self._link.recv(LARGEST)
            except OSError:
                said = b""
            if not said:
                for one in self._living.values():
                    one.end(-signal.SIGKILL)
                self._link.close()
                return
            what, pid, code = json.loads(said)
            if what == "born":
                self._living[pid] = one = Forked(pid)
                self._born.put(one)
            else:
                self._living.pop(pid).end(code)


def new_link() -> tuple[socket.socket, socket.socket]:
    """Both ends of a link: ours and the template's."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def serve(link: socket.socket, run: Callable[[dict[str, Any]], None]) -> None:
    """Fork for each request, and tell who was born and who has ended, until the other end is closed."""
    deaths, bell = os.pipe()
    os.set_blocking(bell, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(bell, warn_on_full_buffer=False)
    while True:
        ready = select.select([link.fileno(), deaths], [], [])[0]
        if deaths in ready:
            os.read(deaths, 4096)
            _tell_deaths(link)
        if link.fileno() in ready:
            data, handles, _, _ = socket.recv_fds(link, LARGEST, 3)
            if not data:
                os._exit(0)
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                for handle in (deaths, bell):
                    os.close(handle)
                link.close()
                be(partial(run, json.loads(data)), handles)
            # In both processes: whoever hears of the birth may kill the group at once.
            with suppress(ProcessLookupError, PermissionError):
                os.setpgid(pid, pid)
            for handle in handles:
                os.close(handle)
            link.send(json.dumps(("born", pid, 0)).encode())


def be(program: Callable[[], None], handles: Sequence[int] = ()) -> None:
    """What a newly forked process does from now on; never comes back."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        die_with_parent(os.getppid())
        os.setpgid(0, 0)
        for standard, handle in enumerate(handles):
            os.dup2(handle, standard)
            os.close(handle)
        program()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def _tell_deaths(link: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        link.send(json.dumps(("ended", pid, os.waitstatus_to_exitcode(status))).encode())
