"""How each client family writes a batch, and the way from there to the canonical batch: a module a dialect.

A dialect module has `translate(batch) -> list[Finding]`, which turns the freshly decoded batch into the canonical one in place.
The canonical batch is a function of the bytes and the dialect alone; it is computed whenever a record is read.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from ..checks.finding import Finding
from . import java, standard

Json = Any

_TRANSLATE: Final[dict[str, Callable[[dict[str, Json]], list[Finding]]]] = {
    "standard": standard.translate,
    "java": java.translate,
}


def detect(batches: Json) -> str:
    """The dialect of a request to the Events API, told by the content of its batch or, in bulk, of all its batches.

    One batch is enough: those that another client wrote (a relay may mix them) are not touched by the dialect's `translate`.
    """
    for batch in batches if isinstance(batches, list) else (batches,):
        if java.wrote(batch):
            return "java"
    return "standard"


def as_sent(finding: Finding, quirks: list[Finding]) -> Finding:
    """A finding on the canonical batch with the place of its value in what was sent, given what `translate` noted."""
    for quirk in quirks:
        if quirk.raw_pointer is not None and finding.raw_pointer == quirk.pointer:
            return msgspec.structs.replace(finding, raw_pointer=quirk.raw_pointer)
    return finding


def translate(batch: dict[str, Json], dialect: str) -> list[Finding]:
    """Make `batch` canonical in place; returns notes on the quirks met."""
    return _TRANSLATE[dialect](batch)
