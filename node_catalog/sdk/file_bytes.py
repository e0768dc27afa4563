"""The bytes of data files: opening (also compressed), a first sample, and words for what goes wrong."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from node_catalog.sdk.errors import DataError, SourceError
from node_catalog.sdk.text import Text, text

SAMPLE_BYTES = 256 * 1024


class DataFile(Protocol):
    """A file wherever it lies: in a folder of this machine or as an object of a store."""

    @property
    def name(self) -> str:
        """The last part of its path, for messages and endings."""

    @property
    def size(self) -> int:
        """Bytes as stored (compressed ones as they are)."""

    def open(self) -> Any:
        """A readable binary stream from the first byte; the caller closes it."""


@dataclass(frozen=True)
class LocalFile:
    """A file in a folder."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    def open(self) -> Any:
        """An Arrow stream of the file's bytes."""
        import pyarrow as pa

        return pa.OSFile(str(self.path))


@contextmanager
def open_bytes(file: DataFile) -> Iterator[Any]:
    """A readable Arrow stream of the file's (decompressed) bytes."""
    import pyarrow as pa

    with file.open() as raw:
        compression = "gzip" if file.name.lower().endswith(".gz") else None
        with pa.input_stream(raw, compression=compression, buffer_size=1 << 20) as stream:
            yield stream


def sample_of(file: DataFile, size: int = SAMPLE_BYTES) -> tuple[bytes, bool]:
    """The first ``size`` bytes of the file, and whether that is all of it."""
    with words_for_system(file), open_bytes(file) as stream:
        data = bytes(stream.read(size + 1))
    return data[:size], len(data) <= size


def is_empty(file: DataFile) -> bool:
    """Whether the file holds nothing but blanks in its first part."""
    with words_for_system(file), open_bytes(file) as stream:
        return not bytes(stream.read(65536)).strip(b" \t\r\n\xef\xbb\xbf")


def empty_file(file: DataFile) -> SourceError:
    """The error for a file without content."""
    message = text(
        f"The file “{file.name}” is empty. Put a file with rows in its place.",
        f"文件“{file.name}”是空的，请换成有内容的文件。",
    )
    return SourceError("file.empty", message, file.name)


@contextmanager
def words_for_system(file: DataFile) -> Iterator[None]:
    """Turn what the operating system or a decompressor says about ``file`` into our errors."""
    try:
        yield
    except (OSError, EOFError) as error:
        raise of_system(file, error) from error


def of_system(file: DataFile, error: BaseException) -> DataError | SourceError:
    """Our error for what the operating system or a decompressor said about ``file``."""
    said = str(error)
    if isinstance(error, FileNotFoundError):
        message = text(f"The file “{file.name}” is not there any more.", f"文件“{file.name}”已不存在。")
        return SourceError("file.missing", message, file.name)
    if isinstance(error, PermissionError):
        message = text(f"The studio may not read “{file.name}”.", f"平台没有读取“{file.name}”的权限。")
        return SourceError("file.forbidden", message, file.name)
    words: Text = text(
        f"“{file.name}” breaks off or is damaged: it may not have been copied completely. Copy it again.",
        f"“{file.name}”不完整或已损坏，可能没有复制完。请重新复制该文件。",
    )
    return DataError("file.truncated", words, file.name, said[:400])


class WithoutTail(io.RawIOBase):
    """A byte stream without its last ``rows`` lines (a newline at the very end counts as part of the last line)."""

    def __init__(self, stream: Any, rows: int) -> None:
        self._stream, self._rows = stream, rows
        self._held = b""
        self._ready = b""
        self._ended = False

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill ``buffer`` with bytes that are certainly not in the tail."""
        while not self._ready and not self._ended:
            chunk = bytes(self._stream.read(1 << 20))
            self._ended = not chunk
            self._held += chunk
            self._release()
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _release(self) -> None:
        end = len(self._held.rstrip(b"\r\n")) if self._ended else len(self._held)
        for _ in range(self._rows if self._ended else self._rows + 1):
            end = self._held.rfind(b"\n", 0, end)
            if end < 0:
                return
        self._ready, self._held = self._held[: end + 1], self._held[end + 1 :]


class PlainStream(io.RawIOBase):
    """An Arrow stream as Python's raw stream, so that lines can be counted."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read at most ``len(buffer)`` bytes."""
        chunk = bytes(self._stream.read(len(buffer)))
        buffer[: len(chunk)] = chunk
        return len(chunk)
