"""Which row of the endpoint tables a request is for, found without a framework: for the front and the protocol."""

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from .exchange import Endpoint

MOST_REMEMBERED: Final = 1000
"""Targets with variable parts that are remembered."""

_VARIABLE: Final = re.compile(r"<([a-z]+)>")


class Place(msgspec.Struct, frozen=True):
    """A row, the path that was asked for, and its variable parts."""

    row: Endpoint
    path: str
    arguments: dict[str, str]


class Directory(dict[bytes, Place | None]):
    """The rows by what a request line names, as bytes: `directory[target]`, where a target has no query and nothing escaped.

    A path with an API key in it is looked for once, and remembered: later it is found as fast as any other.
    """

    def __init__(self, rows: Iterable[Endpoint]) -> None:
        rows = list(rows)
        super().__init__({row.path.encode(): Place(row, row.path, {}) for row in rows if "<" not in row.path})
        self._variable = [(_pattern(row.path), row) for row in rows if "<" in row.path]

    def __missing__(self, target: bytes) -> Place | None:
        for pattern, row in self._variable:
            match = pattern.fullmatch(target)
            if match is not None:
                arguments = {name: value.decode() for name, value in match.groupdict().items()}
                place = Place(row, target.decode(), arguments)
                if len(self) < MOST_REMEMBERED:
                    self[target] = place
                return place
        return None


def _pattern(path: str) -> re.Pattern[bytes]:
    """A path of a table as a pattern; a variable part has only letters that nobody escapes."""
    parts = _VARIABLE.split(path)
    named = [f"(?P<{part}>[A-Za-z0-9_.~-]{{1,200}})" if index % 2 else re.escape(part) for index, part in enumerate(parts)]
    return re.compile("".join(named).encode())
