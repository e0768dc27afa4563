"""A TCP proxy in front of a real server that, after so many bytes of its answers, stands still, resets or hangs up."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

Fault = Literal["stall", "reset", "close"]
_BLOCK = 1 << 14


class UnrulyProxy:
    """Passes everything on until ``after`` bytes have come back on one connection; then does ``fault`` to that one."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.fault: Fault | None = None
        self.after = 0
        self._open: list[socket.socket] = []
        self._ended = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Let go of everything."""
        self._ended.set()
        for one in (self._listener, *self._open):
            with suppress(OSError):
                one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                self._open += [client, server]
                threading.Thread(target=self._pass, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self._pass, args=(server, client, True), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, is_answer: bool) -> None:
        passed = 0
        with suppress(OSError):
            while data := source.recv(_BLOCK):
                passed += len(data)
                if is_answer and self.fault is not None and passed > self.after:
                    self._do(self.fault, target)
                    return
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _do(self, fault: Fault, client: socket.socket) -> None:
        if fault == "stall":
            self._ended.wait()
            return
        if fault == "reset":
            # Closing with a linger of no time sends RST instead of FIN.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with suppress(OSError):
            client.shutdown(socket.SHUT_RD if fault == "reset" else socket.SHUT_RDWR)
        client.close()


@contextmanager
def unruly_proxy(host: str, port: int) -> Iterator[UnrulyProxy]:
    """A proxy for the time of a test; it behaves until told a ``fault``."""
    proxy = UnrulyProxy(host, port)
    try:
        yield proxy
    finally:
        proxy.close()
