"""Where in a JSON text pointers lead: lines, columns, and the text around. Called for findings that are shown, and no others.

The text was read before, so it is JSON; of one that is not, places are found as far as they can be. A text is walked once, for
all of its findings, and nothing here takes longer because a line is long.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import msgspec

from ..words import plain

MOST_BYTES: Final = 4_000_000
"""Of a text that is looked through; in a larger one, everything is at its beginning."""

NAMED: Final = frozenset({"attribute_name_too_long", "duplicate_member", "misplaced_member", "unknown_member"})
"""Codes whose fault is the name of the member, not its value."""

BEFORE: Final = 50
AFTER: Final = 60
"""Characters that are shown before the offending text, and from it on."""

_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{},:]|[^\s\[\]{},:"]++', re.DOTALL)
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


class Wanted(NamedTuple):
    """What a JSON pointer leads to, or the `name` of that member."""

    pointer: str
    name: bool = False


class _Node:
    """A step that a pointer takes, and where that is in the text."""

    __slots__ = ("children", "end", "named", "number", "start", "under")

    def __init__(self) -> None:
        self.children: dict[bytes, _Node] = {}
        self.start = self.end = 0
        self.named: Span | None = None
        # Of two members with one name the last counts: what was found below the first belongs to another `number`.
        self.number = self.under = -1


def locate(text: bytes, wanted: Sequence[Wanted]) -> list[Span]:
    """Where each value is, as far as its pointer leads, or the name of that member; found in one walk."""
    root = _Node()
    ways = [_way(root, one.pointer) for one in wanted]
    if len(text) <= MOST_BYTES:
        _walk(text, root)
    return [_found(way, name=one.name) for way, one in zip(ways, wanted, strict=True)]


def _way(root: _Node, pointer: str) -> list[_Node]:
    way = [root]
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~").encode("utf-8", "surrogatepass")
        way.append(way[-1].children.setdefault(name, _Node()))
    return way


def _found(way: list[_Node], *, name: bool) -> Span:
    last = way[0]
    for node in way[1:]:
        if node.number < 0 or node.under != last.number:
            break
        last = node
    if name and last.named is not None:
        return last.named
    return Span(last.start, last.end)


class _Frame:
    """A container in which something is wanted, and where in it the walk is: at which item, or after which name."""

    __slots__ = ("index", "is_value", "name", "node")

    def __init__(self, node: _Node, *, is_list: bool) -> None:
        self.node = node
        self.index = 0 if is_list else -1
        self.is_value = is_list
        self.name: Span | None = None


def _walk(text: bytes, root: _Node) -> None:
    frames: list[_Frame] = []
    # How deep the walk is in a container in which nothing is wanted.
    depth, passed, number = 0, None, 0
    for token in _TOKEN.finditer(text):
        first = text[token.start()]
        if depth:
            depth += 1 if first in b"[{" else -1 if first in b"]}" else 0
            if not depth and passed is not None:
                passed.end = token.end()
        elif first in b"]}":
            if frames:
                frames.pop().node.end = token.end()
        elif first in b",:" or (frames and not frames[-1].is_value):
            if frames:
                _step(frames[-1], first, token)
        else:
            node = _wanted(text, frames[-1]) if frames else root
            if node is not None:
                number += 1
                node.number, node.under = number, frames[-1].node.number if frames else 0
                node.named = frames[-1].name if frames else None
                # A container ends with the text unless its bracket comes.
                node.start, node.end = token.start(), len(text) if first in b"[{" else token.end()
            if first in b"[{":
                if node is not None and node.children:
                    frames.append(_Frame(node, is_list=first == 0x5B))
                else:
                    depth, passed = 1, node
                    continue
        if not depth and not frames:
            return


def _step(frame: _Frame, first: int, token: "re.Match[bytes]") -> None:
    """A token of a container that is not a value of it: a name, or what stands between."""
    if first == 0x2C:
        frame.name = None
        frame.is_value = frame.index >= 0
        frame.index += frame.is_value
    elif first == 0x3A:
        frame.is_value = frame.name is not None
    else:
        frame.name = Span(*token.span()) if first == 0x22 else None


def _wanted(text: bytes, frame: _Frame) -> _Node | None:
    """The node of the value that comes next in a container."""
    if frame.name is None:
        return frame.node.children.get(b"%d" % frame.index) if frame.index >= 0 else None
    frame.is_value = False
    name = text[frame.name.start + 1 : frame.name.end - 1]
    if b"\\" in name:
        try:
            name = _name(text[frame.name.start : frame.name.end]).encode()
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
    return frame.node.children.get(name)


# -- lines and columns -----------------------------------------------------------------------------------------------------


class Ruler:
    """Lines and columns of a text, both from 1, for places that are asked for in their order; columns count characters."""

    def __init__(self, text: bytes, line: int = 1, column: int = 1) -> None:
        self._text = text
        self._at = 0
        self.line = line
        self.column = column

    def to(self, at: int) -> "Ruler":
        """Go on to a byte, which is not before the last one."""
        lines = self._text.count(b"\n", self._at, at)
        if lines:
            self.line += lines
            self.column = 1
            self._at = self._text.rindex(b"\n", self._at, at) + 1
        self.column += len(self._text[self._at : at].decode("utf-8", "replace"))
        self._at = at
        return self


def excerpt(text: bytes, span: Span) -> Excerpt:
    """What is around a span in the line in which it begins."""
    # No farther than is shown, for the line may be as long as the text.
    window = max(0, span.start - 4 * BEFORE)
    line_start = text.rfind(b"\n", window, span.start) + 1
    far = min(len(text), span.start + 8 * AFTER)
    line_end = text.find(b"\n", span.start, far)
    line_end = far if line_end < 0 else line_end
    end = min(span.end, line_end)
    before, cut_before = _last(text[max(line_start, window) : span.start].decode("utf-8", "replace").lstrip(), BEFORE)
    offending, cut = _leading(text[span.start : min(end, span.start + 4 * AFTER)].decode("utf-8", "replace").rstrip(), AFTER)
    after = ""
    if not cut:
        after, cut = _leading(
            text[end : min(line_end, end + 4 * AFTER)].decode("utf-8", "replace").rstrip(), max(AFTER - len(offending), 10)
        )
        after += "…" if cut else ""
    else:
        offending += "…"
    hidden = cut_before or (window > 0 and not line_start)
    return Excerpt(("…" if hidden else "") + _shown(before), _shown(offending), _shown(after))


def _last(text: str, most: int) -> tuple[str, bool]:
    return (text[-most:], True) if len(text) > most else (text, False)


def _leading(text: str, most: int) -> tuple[str, bool]:
    return (text[:most], True) if len(text) > most else (text, False)


_shown: Final[Callable[[str], str]] = lambda text: plain(text, 10_000)  # noqa: E731
