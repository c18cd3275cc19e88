"""Members that one object names twice: parsers keep the last without a word. For `decoding.py`, which sees that one was lost."""

import re
from itertools import chain
from typing import Any, Final

import msgspec

from .finding import Finding, make
from .found import MOST_OF_A_CODE, Path, got, place, pointer

MOST_TOKENS: Final = 100_000
"""Names, texts, brackets and commas of a body that are looked at: more than a request of the size that mParticle takes has."""

MOST_COUNTED: Final = 1_000
"""Names that stand more than once; behind them nobody looks for more."""

_MOST_VALUES: Final = 3
"""Values of one name that a message shows."""

_TOKEN: Final = re.compile(rb'("(?:[^"\\]++|\\.)*+")[ \t\n\r]*+(:)?+|[\[\]{},]', re.DOTALL)

_parse: Final = msgspec.json.Decoder().decode

_Span = tuple[int, int]
"""From the byte behind a value's colon to the comma or bracket that follows the value."""


class _Doubled(msgspec.Struct, gc=False):
    """A name that stands more than once in an object, and its values; `whole` unless the object goes on unread."""

    path: Path
    spans: list[_Span]
    whole: bool = True


class _Open:
    """An array or object that has begun: the position or name of the value that is read, and what those before it have."""

    __slots__ = ("below", "doubled", "spans", "start", "step")

    def __init__(self, step: int | str) -> None:
        self.step = step
        self.start = 0
        self.spans: dict[str, _Span] = {}
        # Most have none of these.
        self.doubled: dict[str, list[_Span]] | None = None
        self.below: dict[int | str, list[_Doubled]] | None = None

    def name(self, name: str, start: int) -> None:
        """A member begins. A value before it that has the same name does not count, whatever is in it."""
        if self.below is not None and name in self.spans:
            self.below.pop(name, None)
        self.step, self.start = name, start

    def end_value(self, end: int) -> bool:
        """The value that is read ends; whether it is the second of its name."""
        if type(self.step) is not str or not self.start:
            return False
        span = (self.start, end)
        self.start = 0
        first = self.spans.setdefault(self.step, span)
        if first is span:
            return False
        if self.doubled is None:
            self.doubled = {}
        spans = self.doubled.setdefault(self.step, [first])
        spans.append(span)
        return len(spans) == 2


def find_duplicates(text: bytes) -> list[Finding]:
    """A finding for each name that stands more than once in an object of a JSON text that has such a name, at the value that
    counts: the last.

    Slow, linear in the text, and bounded by MOST_TOKENS: where the first is behind them, a finding tells so without its place.
    What is inside a value that does not count is not looked into.
    """
    doubled, end = _look(text)
    if end is not None:
        # Of an object that goes on unread another value may count, which holds something else.
        value = _parse(text)
        doubled = [each for each in doubled if _is_there(value, each.path)]
    findings = [_finding(text, each) for each in doubled[:MOST_OF_A_CODE]]
    more = len(doubled) - len(findings)
    if more > 0:
        count = f"{more}" if end is None else f"At least {more}"
        findings.append(make("duplicate_member", f"{count} more members are named more than once."))
    elif end is not None and not findings:
        said = f"A member is named more than once in its object, behind the first {end} bytes; expected it once."
        findings.append(make("duplicate_member", said, hint="Write it once; the place of one is told in smaller bodies."))
    return findings


def _look(text: bytes) -> tuple[list[_Doubled], int | None]:
    """What stands more than once, and the byte before which all was looked at, if that is not the end."""
    outer = _Open(0)
    within = [outer]
    count = 0
    for tokens, token in enumerate(_TOKEN.finditer(text)):
        here = within[-1]
        at = token.start()
        match text[at]:
            case 0x22:  # "
                if token[2]:
                    here.name(str(_parse(token[1])), token.end())
            case 0x7B | 0x5B:  # { [
                within.append(_Open(0))
            case 0x2C:  # ,
                count += here.end_value(at)
                if type(here.step) is int:
                    here.step += 1
            case _:
                count += here.end_value(at)
                _close(within, whole=True)
        if tokens == MOST_TOKENS or count == MOST_COUNTED:
            while len(within) > 1:
                _close(within, whole=False)
            return _found(outer), token.end()
    return _found(outer), None


def _found(outer: _Open) -> list[_Doubled]:
    return outer.below[0] if outer.below else []


def _close(within: list[_Open], *, whole: bool) -> None:
    """The innermost array or object ends: what it has belongs to the one around it."""
    inner = within.pop()
    found: list[_Doubled] = []
    if inner.doubled:
        path = tuple(each.step for each in within[1:])
        found += (_Doubled((*path, name), spans, whole) for name, spans in inner.doubled.items())
    if inner.below:
        found += chain.from_iterable(inner.below.values())
    if found:
        around = within[-1]
        around.below = around.below or {}
        around.below[around.step] = found


def _is_there(value: Any, path: Path) -> bool:
    """Whether a path leads to something."""
    try:
        for step in path:
            value = value[step]
    except (KeyError, IndexError, TypeError):
        return False
    return True


def _finding(text: bytes, doubled: _Doubled) -> Finding:
    where = pointer(doubled.path)
    written = [text[start:end].strip() for start, end in doubled.spans]
    alike = len(set(written)) == 1
    count = f"{'twice' if len(written) == 2 else f'{len(written)} times'}{'' if doubled.whole else ' or more'}"
    return make(
        "duplicate_member",
        f"{place(doubled.path)} is in its object {count}: {_said(written, alike)}; "
        "expected it once, for readers keep one of them, mostly the last.",
        pointer=where,
        raw_pointer=where,
        hint="Write it once." if alike else "Write it once, with the value that is meant.",
    )


def _said(written: list[bytes], alike: bool) -> str:
    """The values of a name."""
    last = got(_value(written[-1]))
    if alike:
        return f"each time {last}"
    first = [got(_value(text)) for text in written[:-1]] if len(written) <= _MOST_VALUES else [got(_value(written[0])), "…"]
    return ", then ".join([*first, last])


def _value(text: bytes) -> Any:
    """What a text stands for; of an object or array only that it is one."""
    return {} if text[:1] == b"{" else [] if text[:1] == b"[" else _parse(text)
