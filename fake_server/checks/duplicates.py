"""Members that one object names twice: parsers keep the last without a word. For `decoding.py`, which suspects a text."""

import json
from collections.abc import Iterator
from typing import Any, Final

from .finding import Finding, make
from .found import MOST_OF_A_CODE, Path, got, place, pointer

_MOST_VALUES: Final = 3
"""Values of one name that a message shows."""


def find_duplicates(text: bytes) -> list[Finding]:
    """A finding for each name that stands more than once in an object of a JSON text, at the value that counts: the last.

    Slow, and linear in the text. What is inside a value that does not count is not looked into.
    """
    doubled: dict[int, dict[str, list[Any]]] = {}
    keep: list[Any] = []  # so that no other object gets the identity of one in `doubled`

    def read(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) < len(pairs):
            doubled[id(members)] = _repeated(pairs)
            keep.append(members)
        return members

    value = json.loads(text.decode(), object_pairs_hook=read)
    if not doubled:
        return []
    findings: list[Finding] = []
    count = 0
    for count, (path, values) in enumerate(_places(value, doubled, ()), 1):
        if count <= MOST_OF_A_CODE:
            findings.append(_finding(path, values))
    if count > MOST_OF_A_CODE:
        findings.append(make("duplicate_member", f"{count - MOST_OF_A_CODE} more members are named more than once."))
    return findings


def _repeated(pairs: list[tuple[str, Any]]) -> dict[str, list[Any]]:
    values: dict[str, list[Any]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: each for name, each in values.items() if len(each) > 1}


def _places(node: Any, doubled: dict[int, dict[str, list[Any]]], path: Path) -> Iterator[tuple[Path, list[Any]]]:
    for name, values in doubled.get(id(node), {}).items() if type(node) is dict else ():
        yield (*path, name), values
    for step, child in node.items() if type(node) is dict else enumerate(node):
        if type(child) is dict or type(child) is list:
            yield from _places(child, doubled, (*path, step))


def _finding(path: Path, values: list[Any]) -> Finding:
    where = pointer(path)
    shown = [got(value) for value in values]
    if len(shown) > _MOST_VALUES:
        shown[_MOST_VALUES - 2 : -1] = ["…"]
    alike = all(value == values[-1] and type(value) is type(values[-1]) for value in values)
    said = f"each time {shown[-1]}" if alike else f"{', then '.join(shown)}"
    count = "twice" if len(values) == 2 else f"{len(values)} times"
    return make(
        "duplicate_member",
        f"{place(path)} is in its object {count}: {said}; expected it once, for readers keep one of them, mostly the last.",
        pointer=where,
        raw_pointer=where,
        hint="Write it once." if alike else "Write it once, with the value that is meant.",
    )
