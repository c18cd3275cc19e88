"""Cuts an input into chunks of whole batches: NDJSON by its line ends, a document by its items. Called by `run.py`.

Whatever it is, no more of it is held than some MB, or than its longest line, item or entry of a HAR export takes.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from .. import dialects
from ..checks.finding import Finding, make
from ..checks.found import got
from ..decoding import decode
from ..json_text import scan
from . import har
from .documents import BrokenError, Document
from .places import Ruler
from .sources import BLOCK, Source, SourceError

MOST_OF_A_LINE: Final = 32 << 20
"""Bytes of a line of NDJSON: a bulk request of 100 batches at their limit has 13 MB."""

_HEAD: Final = 65_536
_LOOKED_AT: Final = 5
"""Lines that are looked at to tell one form from the other."""

_parse = msgspec.json.Decoder().decode
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_NOT_WHITE = re.compile(rb"[^ \t\r\n]")
_LINE_END = re.compile(rb"\n")
_EXPECTED: Final = "expected NDJSON, a batch, an array of batches or a HAR export"

_OTHER_FILES: Final = (
    ({"parameters", "complete", "shards"}, "is the index of a directory of shards, and no batch; name the directory instead"),
    (
        {"parameters", "people", "batches", "funnel"},
        "is a manifest of `generate`, and no batch; `verify --manifest` holds it against what a fake received",
    ),
)
"""Members of a document that is no batch, and what it is."""


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
        yield from _document(source, head)


# -- which form ------------------------------------------------------------------------------------------------------------


def _head(source: Source) -> bytearray:
    """The beginning: more than one line, or everything, or more than a line of NDJSON may have."""
    head = bytearray(source.read())
    # What was looked at is not looked at again: it may be long.
    at, wanted = 0, [_NOT_WHITE, _LINE_END, _NOT_WHITE]
    while len(head) <= MOST_OF_A_LINE + BLOCK:
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
        if zero < 4 and beginning.strip(b"\0")[:1] in b"{[":
            raise SourceError(f"is not text (is it UTF-16 without a byte order mark?): {where}")
        raise SourceError(f"is not text: {where}; expected JSON, or JSON compressed with gzip")
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
        # A line that is too long for NDJSON is a document, or a batch that nobody sends.
        return len(head) > MOST_OF_A_LINE and head[start.start()] != 0x5B and not har.LOG.match(head)
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


def _goes_on(text: bytes) -> bool:
    """Whether a text is the beginning of JSON, or all of it."""
    try:
        return all(lexeme.kind != "fault" or lexeme.start >= len(text) for lexeme in scan(text))
    except (msgspec.DecodeError, UnicodeDecodeError):
        # The name of a member is not text.
        return False


def _is_container(line: bytes) -> bool:
    try:
        return isinstance(_parse(line), (dict, list))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
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


def _document(source: Source, head: bytearray) -> Iterator[Chunk]:
    first = _NOT_WHITE.search(head)
    is_array = first is not None and first[0] == b"["
    is_har = har.LOG.match(head)
    document = Document(source, bytes(head))
    head.clear()
    if is_array:
        yield from _items(document)
    elif is_har:
        yield from _requests(document)
    else:
        try:
            yield _batch(document)
        except BrokenError as broken:
            yield _broken(broken)


def _batch(document: Document) -> Chunk:
    document.peek()
    document.keep()
    place = document.place()
    document.value([])
    batch = document.kept
    document.end()
    _refuse_other_files(batch)
    return Chunk(place.line, batch, [Piece(*place, 0, len(batch))])


def _refuse_other_files(text: bytes) -> None:
    """Raise SourceError for what `generate` writes beside batches: whoever names all files of a directory names these too."""
    if b'"parameters"' not in text:
        return
    try:
        members = frozenset(_members(text))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    for others, what in _OTHER_FILES:
        if others <= members:
            raise SourceError(what)


def _broken(broken: BrokenError, first: int | None = None) -> Chunk:
    """What is to be told of the place where a document breaks off; `first` is the index of the item that does."""
    piece = Piece(*broken.place, 0, len(broken.text))
    return Chunk(broken.place.line, broken.text, [piece], broken.finding, first=first)


def _items(document: Document) -> Iterator[Chunk]:
    dialect = "standard"
    pieces: list[Piece] = []
    count = 0
    broken = None
    items = document.items([])
    while True:
        try:
            item = next(items, None)
            if item is None:
                document.end()
        except BrokenError as error:
            item, broken = None, error
        if item is not None:
            place, start, value = item
            pieces.append(Piece(*place, start, document.length))
            count += 1
            # That of all, as of a request: one is enough to tell.
            dialect = dialects.detect(value) if dialect == "standard" and type(value) is dict else dialect
        if pieces and (item is None or document.length > BLOCK):
            text = document.kept[: pieces[-1].end]
            yield Chunk(pieces[0].line, text, pieces, first=count - len(pieces), dialect=dialect)
            pieces = []
            document.release()
        if item is None:
            break
    if broken is not None:
        yield _broken(broken, count)


def _requests(document: Document) -> Iterator[Chunk]:
    skipped = 0
    try:
        for name in document.members():
            if name != "log":
                document.value([name])
                continue
            for member in document.members():
                if member != "entries" or document.peek() != b"[":
                    document.value([name, member])
                    continue
                for place, _, _ in document.items([name, member]):
                    entry = document.kept
                    upload = har.upload(entry)
                    document.release()
                    if upload is None:
                        skipped += 1
                        continue
                    ruler = Ruler(entry, *place).to(upload.at)
                    piece = Piece(ruler.line, ruler.column, 0, len(upload.body))
                    yield Chunk(ruler.line, upload.body, [piece], upload.finding, sent=upload.sent)
        document.end()
    except BrokenError as broken:
        yield _broken(broken)
    if skipped:
        yield Chunk(1, b"", [], skipped=skipped)
