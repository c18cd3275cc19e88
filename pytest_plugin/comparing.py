"""Values side by side: in which fields what was received differs from what was expected. `report.py` shows it."""

import inspect
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, NamedTuple

from mparticle_fake_server.words import plain, printable

from . import matching
from .wording import safe_repr

WIDEST: Final = 44
"""Characters of a value in a table."""

ABSENT: Final = "absent"


class Row(NamedTuple):
    """One field that differs."""

    field: str
    expected: str
    received: str


def differences(expected: Any, got: Any, field: str, *, whole: bool = False) -> Iterable[Row]:
    """The fields in which a value is not what is expected; with `whole` what is not expected differs as well."""
    if isinstance(expected, Mapping) and isinstance(got, Mapping):
        for name, value in expected.items():
            place = f"{field}.{name}" if field else str(name)
            if name not in got and not (value is None and not whole):
                near = get_close_matches(str(name), [str(other) for other in got if other not in expected], 1, 0.7)
                yield Row(place, shown(value), f"{ABSENT}; there is {near[0]!r}" if near else ABSENT)
            else:
                yield from differences(value, got.get(name), place, whole=whole)
        if whole:
            for name in got:
                if name not in expected:
                    yield Row(f"{field}.{name}" if field else str(name), ABSENT, shown(got[name]))
    elif isinstance(expected, list | tuple) and isinstance(got, list | tuple):
        for index, (one, other) in enumerate(zip(expected, got, strict=False)):
            yield from differences(one, other, f"{field}[{index}]", whole=whole)
        for index in range(len(got), len(expected)):
            yield Row(f"{field}[{index}]", shown(expected[index]), ABSENT)
        for index in range(len(expected), len(got)):
            yield Row(f"{field}[{index}]", ABSENT, shown(got[index]))
    elif not _equal(expected, got, whole=whole):
        yield Row(field, *_pair(expected, got))


def _equal(expected: Any, got: Any, *, whole: bool) -> bool:
    try:
        return bool(expected == got) if whole else matching.same(expected, got)
    except Exception:  # noqa: BLE001  # of a test's own callable, which has been told before
        return False


def _pair(expected: Any, got: Any) -> tuple[str, str]:
    if isinstance(expected, str) and isinstance(got, str) and max(len(expected), len(got)) > WIDEST - 2:
        return _apart(expected, got)
    text = ABSENT if got is None else shown(got)
    plain = isinstance(expected, str | int | float | list | dict)
    if got is not None and plain and _kind(expected) != _kind(got):
        text += f" ({type(got).__name__})"
    return shown(expected), text


def _kind(value: Any) -> str:
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def _apart(expected: str, got: str) -> tuple[str, str]:
    """Two long texts from a little before the place where they part."""
    same = next((index for index, pair in enumerate(zip(expected, got, strict=False)) if pair[0] != pair[1]), None)
    start = min(len(expected), len(got)) if same is None else same
    start = max(0, start - 12)
    return shown(expected, start), shown(got, start)


def shown(value: Any, start: int = 0) -> str:
    """A value as a test would write it, cut to a column."""
    if isinstance(value, str):
        text = safe_repr(value[start : start + WIDEST * 2])
        text = f"'…{text[1:]}" if start else text
        return text if len(text) <= WIDEST and start + WIDEST * 2 >= len(value) else f"{text[: WIDEST - 1].rstrip(chr(39))}…"
    if isinstance(value, re.Pattern):
        return plain(f"like {value.pattern!r}", WIDEST)
    if isinstance(value, type):
        return f"any {value.__name__}"
    if inspect.isroutine(value):
        return plain(_callable(value), WIDEST)
    return plain(safe_repr(value).replace("\n", " "), WIDEST)


def _callable(value: Any) -> str:
    name = getattr(value, "__name__", "callable")
    code = getattr(value, "__code__", None)
    if name == "<lambda>" and code is not None:
        return f"lambda ({Path(code.co_filename).name}:{code.co_firstlineno})"
    return f"{name}(…)"


def columns(rows: list[Row], titles: tuple[str, str] = ("expected", "received"), indent: int = 4, most: int = 12) -> list[str]:
    """Rows side by side below their titles, at most `most` of them."""
    more = len(rows) - most
    rows = [Row(*map(printable, row)) for row in rows[:most]]
    table = [Row("", *titles), *rows]
    first, second = (max(len(row[column]) for row in table) for column in (0, 1))
    lines = [f"{'':{indent}}{row.field:{first}}  {row.expected:{second}}  {row.received}".rstrip() for row in table]
    return lines + ([f"{'':{indent}}… and {more} more fields"] if more > 0 else [])
