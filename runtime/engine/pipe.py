"""Messages between a worker and its children: a length, then msgpack, over a pair of pipes."""

from __future__ import annotations

import os
import struct
from typing import Any, Generic, TypeVar

import msgspec

from runtime.engine.work import Outcome, PackedWork, Report, StageWork, Work

LARGEST = 256 * 1024 * 1024
"""Bytes of the largest message; a child that sends more is broken."""
_HEAD = struct.Struct("!I")


class ChildSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a child is told when it starts (nothing secret: arguments are visible to others)."""

    parent: int
    memory_mb: int
    packages: tuple[str, ...] = ("node_catalog.types",)
    failpoints: str = ""


class Do(msgspec.Struct, frozen=True, tag="do"):
    """Parent → child: do this work."""

    id: int
    work: Work


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """Parent → child: stop the work with this id."""

    id: int


class Share(msgspec.Struct, frozen=True, tag="share"):
    """Parent → child: so many works read each of these nodes now (``runtime.engine.pacing``)."""

    readers: dict[str, int]


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """Child → parent: loaded and waiting. ``memory_bytes`` is resident memory."""

    memory_bytes: int


class Began(msgspec.Struct, frozen=True, tag="began"):
    """Child → parent: the work with this id is being done. Before that a dead child has done nothing."""

    id: int


class Said(msgspec.Struct, frozen=True, tag="said"):
    """Child → parent: something on the way."""

    id: int
    report: Report


class Done(msgspec.Struct, frozen=True, tag="done"):
    """Child → parent: the work's outcome."""

    id: int
    outcome: Outcome
    memory_bytes: int


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """Child → parent: the work's error (runtime.engine.errors.problem_of); id 0: the child cannot start."""

    id: int
    problem: dict[str, Any]
    memory_bytes: int = 0


Down = Do | Stop | Share
Up = Ready | Began | Said | Done | Failed

Message = TypeVar("Message")
PIPE_BYTES = 1 << 16
"""As much as a pipe holds."""

_encoder = msgspec.msgpack.Encoder()
_down = msgspec.msgpack.Decoder(Down)
_up = msgspec.msgpack.Decoder(Up)
_stage_work = msgspec.msgpack.Decoder(StageWork)


def pack(work: StageWork) -> PackedWork:
    """The work as it travels. Its settings are unsealed in there: keep it in memory alone."""
    return PackedWork(work=_encoder.encode(work))


def unpack(packed: PackedWork) -> StageWork:
    """The work itself, with the values of this time."""
    work = _stage_work.decode(packed.work)
    return msgspec.structs.replace(work, values=packed.values) if packed.values else work


class PipeClosedError(Exception):
    """The other end is gone, or sent what is no message."""


def encode(message: Down | Up) -> bytes:
    """A message with its length in front."""
    body = _encoder.encode(message)
    if len(body) > LARGEST:
        raise ValueError(f"a message of {len(body)} bytes is too large")
    return _HEAD.pack(len(body)) + body


def write_all(handle: int, data: bytes) -> None:
    """Write everything; blocks."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


class Reader(Generic[Message]):
    """Puts together messages from whatever bytes have arrived, without ever blocking."""

    def __init__(self, decoder: msgspec.msgpack.Decoder[Message]) -> None:
        self._decoder = decoder
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """All messages that are complete now. Raises PipeClosedError for what is no message."""
        self._buffer += data
        found: list[Message] = []
        while len(self._buffer) >= _HEAD.size:
            (length,) = _HEAD.unpack_from(self._buffer)
            if length > LARGEST:
                raise PipeClosedError(f"a message of {length} bytes")
            if len(self._buffer) < _HEAD.size + length:
                break
            body = bytes(self._buffer[_HEAD.size : _HEAD.size + length])
            del self._buffer[: _HEAD.size + length]
            try:
                found.append(self._decoder.decode(body))
            except msgspec.MsgspecError as error:
                raise PipeClosedError(str(error)) from error
        return found


def up_reader() -> Reader[Up]:
    """For the parent's side."""
    return Reader(_up)


def down_reader() -> Reader[Down]:
    """For the child's side."""
    return Reader(_down)
