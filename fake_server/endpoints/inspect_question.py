"""How the inspect API reads the parameters of a question that are no filters: `after`, `limit`, `count`, `timeout`."""

import math
from typing import Final

from ..query import Cursor, FilterError
from .guard import Pairs

MOST_SECONDS: Final = 3600


def take(pairs: Pairs, *names: str) -> dict[str, str]:
    """Remove the parameters of these names, and the token, from `pairs`; the last of each counts."""
    taken = {name: value for name, value in pairs if name in names}
    pairs[:] = [(name, value) for name, value in pairs if name not in names and name != "token"]
    return taken


def integer(taken: dict[str, str], name: str, default: int, most: int) -> int:
    """A whole number from 1 to `most`. Raises FilterError."""
    text = taken.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 12 and 0 < int(text) <= most):
        raise FilterError(f"{name} is {text[:40]!r}; expected a whole number from 1 to {most}.")
    return int(text)


def seconds(taken: dict[str, str], name: str, default: float) -> float:
    """Seconds up to MOST_SECONDS. Raises FilterError."""
    try:
        found = float(taken.get(name, default))
    except ValueError:
        found = math.nan
    if not 0 <= found <= MOST_SECONDS:
        raise FilterError(f"{name} is {taken[name][:40]!r}; expected seconds from 0 to {MOST_SECONDS}.")
    return found


def after_of(taken: dict[str, str]) -> Cursor:
    """Where to begin: behind the item that `after` names, or with the first. Raises FilterError."""
    return Cursor.parse(taken["after"]) if "after" in taken else Cursor()
