"""Reads a JSON document as it comes, value by value, and holds no more of it than is wanted. For `chunks.py`.

Where values end is found by Python's JSON scanner, which is written in C and tells where it stopped. It gets the bytes as
Latin-1, a character for each, since all that it looks for is ASCII; the values themselves are read later, by others.
"""

import json
import re
from collections.abc import Iterator
from itertools import count
from typing import Any, Final, NamedTuple

import msgspec

from ..checks.finding import Finding, make
from ..json_text import Path, fault_at
from .places import Ruler
from .sources import BLOCK, Source

MOST_OF_A_VALUE: Final = 256 << 20
"""Bytes of a batch over several lines, of an item of an array, of an entry of a HAR export: as much may have to be held."""

_NOT_WHITE: Final = re.compile(rb"[^ \t\r\n]")
_HALVES: Final = "".join(map(chr, range(0xDC80, 0xDD00)))
"""Bytes that are no text, as Python decodes them."""

_TAIL: Final = 12
"""Bytes of the longest of what the scanner takes whole or not at all, but for strings: two escapes, `-Infinity`."""

_COMMA: Final = re.compile(rb"[ \t\r\n]*,[ \t\r\n]*(?=[^ \t\r\n])")
_VALUE: Final = re.compile(rb"[^ \t\r\n,:\]}]")
_MAY_GO_ON: Final = frozenset((b"", b".", b"e", b"e+", b"e-", b"E", b"E+", b"E-"))
"""What the scanner leaves of a number that is cut off."""

_BEGINS_NO_VALUE: Final = (b"", b",", b":", b"]", b"}")

# Lenient: what is wrong inside a value is told by whoever reads it, and keeps nobody from the next. Digits may be any number.
_scan = json.JSONDecoder(strict=False, parse_int=float).raw_decode
_name = msgspec.json.Decoder(str).decode


class Place(NamedTuple):
    """Line and column from 1, the latter in characters."""

    line: int
    column: int


class BrokenError(Exception):
    """From `place` on, where `text` begins, the document cannot be read.

    `finding` says why; without one, the text does when it is read: its first value is broken, cut off, or nested too deep.
    """

    def __init__(self, place: Place, text: bytes, finding: Finding | None = None) -> None:
        super().__init__(finding.message if finding else "broken")
        self.place = place
        self.text = text
        self.finding = finding


class Document:
    """A document, and how far it was read. Its methods go on from there; all raise SourceError, and BrokenError where they say.

    What was read is forgotten, except from the last call of `keep` on.
    """

    def __init__(self, source: Source, head: bytes) -> None:
        self._source = source
        self._text = head
        self._latin = head.decode("latin-1")
        self._origin = Place(1, 1)
        self._ruler = Ruler(head)
        self._at = 0
        self._kept: int | None = None
        self._ended = False

    def keep(self) -> None:
        """Hold what comes from here on; what came before is held no longer."""
        self._kept = self._at

    def release(self) -> None:
        """Hold nothing."""
        self._kept = None

    @property
    def kept(self) -> bytes:
        """What is held, up to here."""
        return self._text[self._kept or 0 : self._at]

    @property
    def length(self) -> int:
        """Bytes that are held, up to here."""
        return 0 if self._kept is None else self._at - self._kept

    def place(self) -> Place:
        """Where here is."""
        self._ruler.to(self._at)
        return Place(self._ruler.line, self._ruler.column)

    def peek(self) -> bytes:
        """Go to the next byte that is not white, and return it; empty at the end."""
        while True:
            found = _NOT_WHITE.search(self._text, self._at)
            self._at = found.start() if found else len(self._text)
            if found or not self._read_on():
                return self._text[self._at : self._at + 1]

    def step(self, expected: bytes, words: str, path: Path) -> bytes:
        """Go past one of the `expected` bytes and return it. Raises BrokenError, which says that in `words`."""
        byte = self.peek()
        if byte == b"" or byte not in expected:
            raise self._broken(words, path)
        self._at += 1
        return byte

    def value(self, path: Path) -> Any:
        """Go past a value and return it, with its texts as Latin-1. Raises BrokenError."""
        if _VALUE.match(self._text, self._at) is None and self.peek() in _BEGINS_NO_VALUE:
            raise self._broken("a value", path)
        while len(self._text) - self._at <= MOST_OF_A_VALUE:
            try:
                value, end = _scan(self._latin, self._at)
            except RecursionError as error:
                raise self._torn() from error
            except json.JSONDecodeError as error:
                if not self._is_cut_off(error) or not self._read_on():
                    raise self._torn() from error
            else:
                # A number may go on in what is to come.
                if self._text[end : end + 3] not in _MAY_GO_ON or not self._read_on():
                    self._at = end
                    return value
        too_long = make(
            "body_too_large",
            f"The value has more than {MOST_OF_A_VALUE} bytes; expected a batch.",
            hint="mParticle takes 256 KB a request.",
        )
        raise BrokenError(self.place(), b"", too_long)

    def items(self, path: Path) -> Iterator[tuple[Place, int, Any]]:
        """Go past an array, an item at a time: its place, the length that was held before it, and its value. Raises BrokenError.

        An item is held from its beginning if nothing is held before; `release` forgets it.
        """
        self.step(b"[", "an array", path)
        if self.peek() == b"]":
            self._at += 1
            return
        here: Path = [*path, 0]
        for index in count():
            here[-1] = index
            if self._kept is None:
                self.keep()
            place, start = self.place(), self.length
            yield place, start, self.value(here)
            # Nearly always the next item follows in what was read.
            comma = _COMMA.match(self._text, self._at)
            if comma is not None:
                self._at = comma.end()
                continue
            here[-1] = index + 1
            if self.step(b",]", "a comma or ]", here) == b"]":
                return
            self.peek()

    def members(self) -> Iterator[str]:
        """Go past an object, a member at a time: its name; whoever asks goes past the value. Raises BrokenError."""
        self.step(b"{", "an object", [])
        if self.peek() == b"}":
            self._at += 1
            return
        ending = b","
        while ending == b",":
            if self.peek() != b'"':
                raise self._broken("a member name in double quotes", [None])
            self.keep()
            self.value([None])
            name = self._name()
            self.step(b":", "a colon", [name])
            self.release()
            yield name
            ending = self.step(b",}", "a comma or }", [name])

    def end(self) -> None:
        """Expect that nothing follows. Raises BrokenError."""
        if self.peek():
            raise self._broken("the end of the document", [])

    def _is_cut_off(self, error: json.JSONDecodeError) -> bool:
        """Whether the value is only not yet read to its end; otherwise it is broken."""
        if len(self._text) - error.pos <= _TAIL:
            return True
        # A string has no line end, so that a missing quote does not swallow the rest of the file.
        return error.msg.startswith("Unterminated string") and self._text.find(b"\n", error.pos) < 0

    def _name(self) -> str:
        try:
            return _name(self.kept)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return ""

    def _read_on(self) -> bool:
        """Read at least as much again as has to be held; whether there was anything."""
        if self._ended:
            return False
        start = self._at if self._kept is None else self._kept
        parts = [self._text[start:]]
        size = 0
        while size < max(BLOCK, len(parts[0])):
            block = self._source.read()
            if not block:
                self._ended = True
                break
            parts.append(block)
            size += len(block)
        ruler = Ruler(self._text, *self._origin).to(start)
        self._origin = Place(ruler.line, ruler.column)
        self._at -= start
        self._kept = None if self._kept is None else 0
        self._text = b"".join(parts)
        self._latin = self._text.decode("latin-1")
        self._ruler = Ruler(self._text, *self._origin)
        return size > 0

    def _broken(self, expected: str, path: Path) -> BrokenError:
        """That there is none of what is expected here."""
        finding = fault_at(self._text, self._at, expected, path, self._origin)
        return BrokenError(self.place(), self._text[self._at : self._at + BLOCK], finding)

    def _torn(self) -> BrokenError:
        """That the value which begins here is broken, or cut off."""
        text = self._text[self._at :]
        if not self._ended:
            # It may end in the middle of a character.
            text = text.decode("utf-8", "surrogateescape").rstrip(_HALVES).encode("utf-8", "surrogateescape")
        return BrokenError(self.place(), text)
