"""Cuts an input into chunks of whole batches: NDJSON by its line ends, a document by its items. Called by `run.py`.

NDJSON streams: of it no more than a chunk is held. A document (a batch over many lines, an array, a HAR export) is held whole.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from .. import dialects
from ..checks.finding import Finding, make
from ..checks.found import got
from ..decoding import decode
from ..dialects import java
from ..json_text import scan
from . import har
from .places import Ruler
from .sources import BLOCK, Source, SourceError

MOST_OF_A_LINE: Final = 32 << 20
"""Bytes of a line of NDJSON: a bulk request of 100 batches at their limit has 13 MB."""

MOST_OF_A_DOCUMENT: Final = 256 << 20
"""Bytes of a document that is not NDJSON."""

_HEAD: Final = 65_536
_LOOKED_AT: Final = 5
"""Lines that are looked at to tell one form from the other."""

_parse = msgspec.json.Decoder().decode
_raw_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_NOT_WHITE = re.compile(rb"[^ \t\r\n]")
_LINE_END = re.compile(rb"\n")
_BETWEEN_ITEMS = re.compile(rb"[ \t\r\n,]*+")
_EXPECTED: Final = "expected NDJSON, a batch, an array of batches or a HAR export"
_MAY_BE_JAVA = re.compile(
    b'"(?:'
    + b"|".join(value.upper().encode() for path in ("environment", "events.*.event_type") for value in java.ENUMS[path])
    + rb')"|\\u00[45]'
)
"""What the Java SDK writes and hardly anybody else."""


class Piece(NamedTuple):
    """A JSON text in a chunk: where it begins in the file, and which bytes of the chunk it is."""

    line: int
    column: int
    start: int
    end: int


class Chunk(msgspec.Struct):
    """Some of an input. Without `pieces` each line of `text` is one, the first of them line `line` of the file.

    `finding` is on something that cannot be examined, at that line. `skipped` counts requests that are not uploads. `sent` says
    how a browser sent it. Where the pieces are items of an array, `first` is the index of the first, `dialect` that of them all.
    """

    line: int
    text: bytes
    pieces: list[Piece] | None = None
    finding: Finding | None = None
    skipped: int = 0
    sent: har.Sent | None = None
    first: int | None = None
    dialect: str | None = None


def chunks(source: Source) -> Iterator[Chunk]:
    """The chunks of an input. Raises SourceError."""
    head = _head(source)
    if not _NOT_WHITE.search(head):
        return
    _refuse_what_is_not_json(head)
    if _is_ndjson(head):
        yield from _lines(source, head)
    else:
        yield from _document(_whole(source, head))


# -- which form ------------------------------------------------------------------------------------------------------------


def _head(source: Source) -> bytearray:
    """The beginning: more than one line, or everything, or as much as a document may have."""
    head = bytearray(source.read())
    # What was looked at is not looked at again: it may be long.
    at, wanted = 0, [_NOT_WHITE, _LINE_END, _NOT_WHITE]
    while len(head) <= MOST_OF_A_DOCUMENT:
        while wanted and (found := wanted[0].search(head, at)):
            at = found.start()
            wanted.pop(0)
        if not wanted:
            break
        at = len(head)
        more = source.read()
        if not more:
            break
        head += more
    return head


def _refuse_what_is_not_json(head: bytearray) -> None:
    beginning = bytes(head[:_HEAD])
    zero = beginning.find(b"\0")
    if zero >= 0:
        where = f"line {beginning.count(bytes([10]), 0, zero) + 1} has a zero byte"
        hint = "; is it UTF-16 without a byte order mark?" if zero < 4 and beginning.strip(b"\0")[:1] in b"{[" else ""
        raise SourceError(f"is not text: {where}{hint or '; expected JSON, or JSON compressed with gzip'}")
    if not any(line.lstrip()[:1] in (b"{", b"[") for line in _first_lines(beginning)):
        line = Ruler(beginning).to(len(beginning) - len(beginning.lstrip())).line
        first = decode(_first_lines(beginning)[0], None, None, _HEAD)
        if first.readable:
            raise SourceError(f"is JSON, but holds no batch: line {line} is {got(first.value)}; {_EXPECTED}")
        shown = beginning.strip()[:20].decode("utf-8", "replace")
        raise SourceError(f"is not JSON: line {line} begins with {shown!a}; {_EXPECTED}")


def _first_lines(head: bytes) -> list[bytes]:
    lines: list[bytes] = []
    for line in head.split(b"\n", 100):
        if line.strip():
            lines.append(line)
            if len(lines) == _LOOKED_AT:
                break
    return lines


def _is_ndjson(head: bytearray) -> bool:
    """Whether each line is a JSON text of its own; told by the first lines."""
    start = _NOT_WHITE.search(head)
    assert start is not None
    end = head.find(b"\n", start.start())
    if end < 0 or not _NOT_WHITE.search(head, end):
        return False
    if end - start.start() > MOST_OF_A_LINE:
        return True
    if _is_container(bytes(head[start.start() : end])):
        return True
    # Not the first line by itself: a document over several lines, or NDJSON with a fault in the first.
    beginning = bytes(head[: max(_HEAD, end + _HEAD)])
    if _goes_on(beginning):
        return False
    # The last line may be cut here; that it is not JSON then does no harm.
    return any(_is_container(line) for line in _first_lines(beginning)[1:])


def _is_container(line: bytes) -> bool:
    try:
        return isinstance(_parse(line), (dict, list))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def _goes_on(text: bytes) -> bool:
    """Whether a text is the beginning of JSON, or all of it."""
    try:
        return all(lexeme.kind != "fault" or lexeme.start >= len(text) for lexeme in scan(text))
    except (msgspec.DecodeError, UnicodeDecodeError):
        # The name of a member is not text.
        return False


# -- NDJSON ----------------------------------------------------------------------------------------------------------------


def _lines(source: Source, head: bytearray) -> Iterator[Chunk]:
    line = 1
    rest = bytes(head)
    head.clear()
    while True:
        end = rest.rfind(b"\n") + 1
        # The head may be long, and its lines then are.
        if end:
            text, rest = rest[:end], rest[end:]
            yield from _bounded(line, text)
            line += text.count(b"\n")
        if len(rest) > MOST_OF_A_LINE:
            size, rest = _skip_line(source, len(rest))
            yield Chunk(line, b"", [], _too_long(size))
            line += 1
            continue
        more = source.read()
        if not more:
            break
        rest += more
    if rest.strip():
        yield Chunk(line, rest)


def _bounded(line: int, text: bytes) -> Iterator[Chunk]:
    """Chunks of some lines; no line of them is too long."""
    if len(text) <= max(MOST_OF_A_LINE, 2 * BLOCK):
        yield Chunk(line, text)
        return
    for part in text.removesuffix(b"\n").split(b"\n"):
        yield Chunk(line, b"", [], _too_long(len(part))) if len(part) > MOST_OF_A_LINE else Chunk(line, part)
        line += 1


def _skip_line(source: Source, size: int) -> tuple[int, bytes]:
    """The size of a line of which `size` bytes were read, and what was read after it."""
    while more := source.read():
        end = more.find(b"\n")
        if end >= 0:
            return size + end, more[end + 1 :]
        size += len(more)
    return size, b""


def _too_long(size: int) -> Finding:
    return make(
        "body_too_large",
        f"The line has {size} bytes; expected a batch, and {MOST_OF_A_LINE} bytes at most are read.",
        hint="mParticle takes 256 KB a request. Are there line ends between the batches?",
    )


# -- documents -------------------------------------------------------------------------------------------------------------


def _whole(source: Source, head: bytearray) -> bytes:
    while more := source.read():
        head += more
        if len(head) > MOST_OF_A_DOCUMENT:
            break
    if len(head) > MOST_OF_A_DOCUMENT:
        raise SourceError(
            f"begins with a JSON document of more than {MOST_OF_A_DOCUMENT >> 20} MB; give it as NDJSON, a batch a line, "
            "for example with: jq -c '.[]'"
        )
    return bytes(head)


def _document(text: bytes) -> Iterator[Chunk]:
    uploads = har.uploads(text)
    if uploads is not None:
        yield from _requests(text, uploads)
        return
    try:
        items = _raw_items(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        items = None
    if items is None or (not items and not decode(text, None, None, len(text)).readable):
        start = len(text) - len(text.lstrip())
        begin = Ruler(text).to(start)
        yield Chunk(begin.line, text, [Piece(begin.line, begin.column, start, len(text))])
        return
    yield from _items(text, items)


def _items(text: bytes, items: list[msgspec.Raw]) -> Iterator[Chunk]:
    dialect = _dialect(text, items)
    pieces: list[Piece] = []
    ruler = Ruler(text)
    at, first = text.index(b"[") + 1, 0
    for index, raw in enumerate(items):
        between = _BETWEEN_ITEMS.match(text, at)
        assert between is not None
        start = between.end()
        at = start + memoryview(raw).nbytes
        if not pieces:
            first = start
        ruler.to(start)
        pieces.append(Piece(ruler.line, ruler.column, start - first, at - first))
        if at - first > BLOCK or index == len(items) - 1:
            yield Chunk(pieces[0].line, text[first:at], pieces, first=index + 1 - len(pieces), dialect=dialect)
            pieces = []


def _dialect(text: bytes, items: list[msgspec.Raw]) -> str:
    """That of all items, as of a request: one is enough to tell."""
    if not _MAY_BE_JAVA.search(text):
        return "standard"
    batches = (decode(bytes(raw), None, None, MOST_OF_A_DOCUMENT).value for raw in items)
    return next((dialect for dialect in map(dialects.detect, batches) if dialect != "standard"), "standard")


def _requests(text: bytes, uploads: "Iterator[har.Upload | None]") -> Iterator[Chunk]:
    skipped = 0
    ruler = Ruler(text)
    for upload in uploads:
        if upload is None:
            skipped += 1
            continue
        ruler.to(upload.at)
        piece = Piece(ruler.line, ruler.column, 0, len(upload.body))
        yield Chunk(ruler.line, upload.body, [piece], upload.finding, sent=upload.sent)
    if skipped:
        yield Chunk(1, b"", [], skipped=skipped)
