"""Where in a JSON text a pointer leads: lines, columns, and the text around. Called for findings that are shown, and no others.

The text was read before, so it is JSON; of one that is not, places are found as far as they can be.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from ..terminal import plain

MOST_BYTES: Final = 4_000_000
"""Of a text that is looked through; in a larger one, everything is at its beginning."""

NAMED: Final = frozenset({"attribute_name_too_long", "misplaced_member", "unknown_member"})
"""Codes whose fault is the name of the member, not its value."""

BEFORE: Final = 50
AFTER: Final = 60
"""Characters that are shown before the offending text, and from it on."""

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{},:]|[^\s\[\]{},:"]++', re.DOTALL)
_name = msgspec.json.Decoder(str).decode


class Span(NamedTuple):
    """Bytes of a text, from `start` to before `end`."""

    start: int
    end: int


class Excerpt(NamedTuple):
    """One line of a text, cut, without control characters: what is before the offending text, that text, and what follows."""

    before: str
    offending: str
    after: str


def locate(text: bytes, pointer: str, *, name: bool = False) -> Span:
    """The value that a JSON pointer leads to, as far as it leads, or the name of that member."""
    if len(text) > MOST_BYTES:
        return Span(0, 0)
    value = _first(text, 0)
    named = None
    for step in pointer.split("/")[1:]:
        found = _child(text, value.start, step.replace("~1", "/").replace("~0", "~"))
        # The one member that a dialect renames.
        if found is None and step == "customer_id":
            found = _child(text, value.start, "customerid")
        if found is None:
            break
        named, value = found
    if name and named is not None:
        return named
    return Span(value.start, _end(text, value.start))


def _first(text: bytes, start: int) -> Span:
    token = _TOKEN.search(text, start)
    return Span(*token.span()) if token else Span(len(text), len(text))


def _child(text: bytes, start: int, step: str) -> tuple[Span | None, Span] | None:
    """Name and value of the member, or the item, `step` of the container that begins at `start`."""
    kind = text[start : start + 1]
    if kind == b"[":
        return _item(text, start, step)
    return _member(text, start, step) if kind == b"{" else None


def _item(text: bytes, start: int, step: str) -> tuple[None, Span] | None:
    depth, index = 0, 0
    for token in _TOKEN.finditer(text, start):
        first = text[token.start()]
        if depth == 1:
            if first == 0x2C:
                index += 1
                continue
            if str(index) == step and first != 0x5D:
                return None, Span(*token.span())
        depth = _deeper(depth, first)
        if not depth:
            break
    return None


def _member(text: bytes, start: int, step: str) -> tuple[Span, Span] | None:
    found = None
    depth, name, is_value = 0, None, False
    for token in _TOKEN.finditer(text, start):
        first = text[token.start()]
        if depth == 1:
            if is_value and name is not None:
                # Of two members of one name the last counts.
                if _is_named(text[name.start : name.end], step):
                    found = name, Span(*token.span())
                is_value, name = False, None
            elif first == 0x22:
                name = Span(*token.span())
            else:
                is_value = first == 0x3A
        depth = _deeper(depth, first)
        if not depth:
            break
    return found


def _is_named(name: bytes, step: str) -> bool:
    if b"\\" not in name:
        return name[1:-1] == step.encode("utf-8", "surrogatepass")
    try:
        return _name(name) == step
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def _end(text: bytes, start: int) -> int:
    depth = 0
    for token in _TOKEN.finditer(text, start):
        depth = _deeper(depth, text[token.start()])
        if not depth:
            return token.end()
    return len(text)


def _deeper(depth: int, first: int) -> int:
    return depth + (1 if first in b"[{" else -1 if first in b"]}" else 0)


def line_and_column(text: bytes, at: int) -> tuple[int, int]:
    """Line and column of a byte, both from 1; the column counts characters."""
    before = text.rfind(b"\n", 0, at) + 1
    return text.count(b"\n", 0, before) + 1, len(text[before:at].decode("utf-8", "replace")) + 1


def excerpt(text: bytes, span: Span) -> Excerpt:
    """What is around a span in the line in which it begins."""
    line_start = text.rfind(b"\n", 0, span.start) + 1
    line_end = text.find(b"\n", span.start)
    line_end = len(text) if line_end < 0 else line_end
    end = min(span.end, line_end)
    before, cut_before = _last(
        text[max(line_start, span.start - 4 * BEFORE) : span.start].decode("utf-8", "replace").lstrip(), BEFORE
    )
    offending, cut = _leading(text[span.start : min(end, span.start + 4 * AFTER)].decode("utf-8", "replace").rstrip(), AFTER)
    after = ""
    if not cut:
        after, cut = _leading(
            text[end : min(line_end, end + 4 * AFTER)].decode("utf-8", "replace").rstrip(), max(AFTER - len(offending), 10)
        )
        after += "…" if cut else ""
    else:
        offending += "…"
    hidden = cut_before or span.start - 4 * BEFORE > line_start
    return Excerpt(("…" if hidden else "") + _shown(before), _shown(offending), _shown(after))


def _last(text: str, most: int) -> tuple[str, bool]:
    return (text[-most:], True) if len(text) > most else (text, False)


def _leading(text: str, most: int) -> tuple[str, bool]:
    return (text[:most], True) if len(text) > most else (text, False)


_shown: Final[Callable[[str], str]] = lambda text: plain(text, 10_000)  # noqa: E731
