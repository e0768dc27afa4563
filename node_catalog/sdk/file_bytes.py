"""The bytes of data files: opening (also compressed), a first sample, and words for what goes wrong."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from node_catalog.sdk.errors import DataError, SourceError
from node_catalog.sdk.text import Text, text

SAMPLE_BYTES = 256 * 1024


def open_bytes(path: Path) -> Any:
    """A readable Arrow stream of the file's (decompressed) bytes."""
    import pyarrow as pa

    return pa.input_stream(str(path), compression="gzip" if path.suffix == ".gz" else None, buffer_size=1 << 20)


def sample_of(path: Path) -> tuple[bytes, bool]:
    """The first bytes of the file, and whether that is all of it."""
    with words_for_system(path), open_bytes(path) as stream:
        data = bytes(stream.read(SAMPLE_BYTES + 1))
    return data[:SAMPLE_BYTES], len(data) <= SAMPLE_BYTES


def is_empty(path: Path) -> bool:
    """Whether the file holds nothing but blanks in its first part."""
    with words_for_system(path), open_bytes(path) as stream:
        return not bytes(stream.read(65536)).strip(b" \t\r\n\xef\xbb\xbf")


def empty_file(path: Path) -> SourceError:
    """The error for a file without content."""
    message = text(
        f"The file “{path.name}” is empty. Put a file with rows in its place.",
        f"文件“{path.name}”是空的，请换成有内容的文件。",
    )
    return SourceError("file.empty", message, path.name)


@contextmanager
def words_for_system(path: Path) -> Iterator[None]:
    """Turn what the operating system or a decompressor says about ``path`` into our errors."""
    try:
        yield
    except (OSError, EOFError) as error:
        raise of_system(path, error) from error


def of_system(path: Path, error: BaseException) -> DataError | SourceError:
    """Our error for what the operating system or a decompressor said about ``path``."""
    said = str(error)
    if isinstance(error, FileNotFoundError):
        message = text(f"The file “{path.name}” is not there any more.", f"文件“{path.name}”已不存在。")
        return SourceError("file.missing", message, path.name)
    if isinstance(error, PermissionError):
        message = text(f"The studio may not read “{path.name}”.", f"平台没有读取“{path.name}”的权限。")
        return SourceError("file.forbidden", message, path.name)
    words: Text = text(
        f"“{path.name}” breaks off or is damaged: it may not have been copied completely. Copy it again.",
        f"“{path.name}”不完整或已损坏，可能没有复制完。请重新复制该文件。",
    )
    return DataError("file.truncated", words, path.name, said[:400])


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
