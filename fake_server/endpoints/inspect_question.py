"""How the inspect API reads the parameters of a question that are no filters, and what it tells of a workspace in one that is."""

import math
from collections.abc import Iterable
from itertools import islice
from typing import Final

from ..intake import Intake
from ..query import Cursor, Filter, FilterError
from ..recording import Recorder
from ..words import nearest, plain
from .guard import Pairs

MOST_SECONDS: Final = 3600
MOST_LOOKED_AT: Final = 5000
"""The newest requests that are asked for their workspaces, and the names among which one is looked for that was meant."""

MOST_NAMES: Final = 10
LONGEST_NAME: Final = 60
"""Workspaces that a message lists, and the characters that it has of their names."""


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


def of_another_store(recorder: Recorder, after: Cursor) -> str | None:
    """What to tell whoever wants what came after something that was never recorded here; everything is told then."""
    newest = recorder.last_id()
    if after.within(recorder).parts == after.parts:
        return None
    return (
        f"after={'.'.join(map(str, after.parts))} is of another store, such as a memory before a restart: "
        f"the newest request here is {newest}. This begins with the oldest."
    )


def workspaces_of(filter: Filter) -> set[str]:
    """The workspaces that a filter names."""
    return {condition.expected for condition in filter.request if condition.field == "workspace"}


def unknown_workspace(intake: Intake, names: Iterable[str]) -> str | None:
    """What to tell whoever finds nothing because there is no workspace of one of these names; None if there are all of them.

    A workspace may be made after it is asked for, so that this is no error. Raises StoreError.
    """
    asked = set(names)
    known = {workspace.name: None for workspace in intake.workspaces}
    if asked <= known.keys():
        return None
    # Imports, and stores from before a restart, have workspaces without inputs.
    newest = intake.recorder.requests(max(0, intake.recorder.last_id() - MOST_LOOKED_AT))
    known |= {record.workspace: None for record in newest if record.workspace is not None}
    unknown = sorted(asked - known.keys())
    if not unknown:
        return None
    meant = nearest(unknown[0], islice(known, MOST_LOOKED_AT))
    advice = f" Did you mean {plain(meant, LONGEST_NAME)}?" if meant is not None else ""
    listed = ", ".join(plain(name, LONGEST_NAME) for name in islice(known, MOST_NAMES))
    more = f" and {len(known) - MOST_NAMES} more" if len(known) > MOST_NAMES else ""
    return f"No workspace '{plain(unknown[0], LONGEST_NAME)}' is known.{advice} There are: {listed}{more}."
