"""The inputs of `validate` as streams of bytes in UTF-8: files and stdin, gzip, byte order marks. Called by `chunks.py`."""

import codecs
import gzip
import io
import os
import stat
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from ..decoding import MARKS

STDIN: Final = "-"
BLOCK: Final = 1 << 20
"""Bytes that are read at once."""


class SourceError(Exception):
    """An input that cannot be used, or not further; the message says why, to follow its name."""


class Source:
    """One open input. `read_bytes` is how much of the file itself was read, before decompression."""

    def __init__(self, file: IO[bytes], tell: Callable[[], int]) -> None:
        self._file = file
        self._tell = tell

    @property
    def read_bytes(self) -> int:
        """How far the file itself was read, for progress."""
        try:
            return self._tell()
        except (OSError, ValueError):
            return 0

    def read(self) -> bytes:
        """The next block of at most some MB, empty at the end. Raises SourceError."""
        try:
            return self._file.read(BLOCK)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            reason = str(error).removeprefix("Error -3 while decompressing data: ")
            raise SourceError(f"is a broken gzip stream ({reason})") from error
        except UnicodeDecodeError as error:
            raise SourceError(f"is not text in {error.encoding}, which its byte order mark announces ({error.reason})") from error
        except OSError as error:
            raise SourceError(f"cannot be read: {error.strerror or error}") from error


def expanded(paths: list[str]) -> list[str]:
    """The inputs, with the shards of each directory that `generate` wrote; another directory is refused by `reading`."""
    return [file for path in paths for file in _files(path)]


def _files(path: str) -> list[str]:
    try:
        if path == STDIN or not Path(path).is_dir():
            return [path]
        return _shards(path) or [path]
    except (OSError, ValueError, SourceError):
        # Told when it is opened.
        return [path]


def _shards(folder: str) -> list[str]:
    """The files of batches in a directory that `generate` wrote. Raises SourceError."""
    from mparticle_fixtures.traffic.shards import read_index
    from mparticle_fixtures.traffic.writing import WriteError

    try:
        index = read_index(Path(folder))
    except WriteError as error:
        raise SourceError(f"is a directory whose index cannot be used: {str(error).removesuffix('.')}") from error
    if index is None:
        raise SourceError("is a directory, and none that `generate` wrote; name the files in it that hold batches")
    if not index.complete:
        raise SourceError("is not complete: `generate` was stopped. Run the same command again, it continues")
    return [str(Path(folder) / shard.name) for shard in index.shards]


@contextmanager
def reading(path: str) -> Iterator[Source]:
    """Open an input. Raises SourceError."""
    if path == STDIN:
        if sys.stdin is None:
            raise SourceError("is closed")
        # A buffer of its own: stdin may be in the middle of something, and is never closed here.
        raw = io.BufferedReader(_Counted(sys.stdin.buffer), BLOCK)
        yield _source(raw, raw)
        return
    try:
        file = io.BufferedReader(io.FileIO(path), BLOCK)  # closed below
    except IsADirectoryError as error:
        _shards(path)
        raise SourceError("is a directory of shards without any: `generate` wrote no batches") from error
    except (OSError, ValueError) as error:
        raise SourceError(f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
    with file:
        yield _source(file, file.raw)


class _Counted(io.RawIOBase):
    """Reads from a stream that is not to be closed, and knows how much."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # of all buffers, BufferedReader passes this one
        read = getattr(self._file, "read1", self._file.read)
        part: bytes = read(len(buffer))
        buffer[: len(part)] = part
        self._count += len(part)
        return len(part)

    def tell(self) -> int:
        return self._count


def _source(file: "io.BufferedReader[Any]", raw: io.IOBase) -> Source:
    try:
        if file.peek(2)[:2] == b"\x1f\x8b":
            file = io.BufferedReader(gzip.GzipFile(fileobj=file), BLOCK)
        beginning = file.peek(4)[:4]
    except (OSError, EOFError, zlib.error) as error:
        # Told by the first `read`, which meets it again or is at the end.
        if not isinstance(error, (EOFError, gzip.BadGzipFile, zlib.error)):
            raise SourceError(f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
        raise SourceError(f"is a broken gzip stream ({error})") from error
    for mark, charset in MARKS:
        if beginning.startswith(mark):
            file.read(len(mark))
            return Source(file if charset == "utf-8" else _Transcoded(file, charset), raw.tell)
    return Source(file, raw.tell)


class _Transcoded(io.BytesIO):
    """UTF-8 from a stream in another charset."""

    def __init__(self, file: IO[bytes], charset: str) -> None:
        super().__init__()
        self._from = file
        self._decoder = codecs.getincrementaldecoder(charset)()

    def read(self, size: int | None = -1, /) -> bytes:
        while True:
            part = self._from.read(size or -1)
            text = self._decoder.decode(part, not part).encode()
            if text or not part:
                return text


def sizes(paths: list[str]) -> int | None:
    """Bytes of all files together; None if one of them is not an ordinary file."""
    total = 0
    for path in paths:
        try:
            about = os.fstat(sys.stdin.fileno()) if path == STDIN else Path(path).stat()
        except (OSError, ValueError, AttributeError):
            # A missing file is told when it is opened.
            if path == STDIN:
                return None
            continue
        if not stat.S_ISREG(about.st_mode):
            return None
        total += about.st_size
    return total
