"""How each client family writes a batch, and the way from there to the canonical batch: a module a dialect.

A dialect module has `translate(batch) -> list[Finding]`, which turns the freshly decoded batch into the canonical one in place.
The canonical batch is a function of the bytes and the dialect alone; it is computed whenever a record is read. Endpoints that
one family of clients alone knows name its dialect, `web` or `native`; those of the Events API ask `detect`.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from ..checks.finding import Finding
from . import java, native, standard, web

Json = Any

_TRANSLATE: Final[dict[str, Callable[[dict[str, Json]], list[Finding]]]] = {
    "standard": standard.translate,
    "java": java.translate,
    "web": web.translate,
    "native": native.translate,
}


def detect(batches: Json) -> str:
    """The dialect of a request to the Events API, told by the content of its batch or, in bulk, of all its batches.

    One batch is enough: `translate` for Java leaves alone what another client wrote (a relay may mix them), or hands it to that
    for the web SDK, which is right for all others too.
    """
    dialect = "standard"
    for batch in batches if isinstance(batches, list) else (batches,):
        if java.wrote(batch):
            return "java"
        if web.wrote(batch):
            dialect = "web"
    return dialect


def as_sent(finding: Finding, quirks: list[Finding]) -> Finding:
    """A finding on the canonical batch with the place of its value in what was sent, given what `translate` returned."""
    if finding.raw_pointer is not None and isinstance(quirks, native.Sent):
        return msgspec.structs.replace(finding, raw_pointer=quirks.place(finding.raw_pointer))
    for quirk in quirks:
        if quirk.raw_pointer is not None and finding.raw_pointer == quirk.pointer:
            return msgspec.structs.replace(finding, raw_pointer=quirk.raw_pointer)
    return finding


def told(quirks: list[Finding], findings: list[Finding]) -> list[Finding]:
    """All findings on a batch: what `translate` returned, and what was found in the canonical batch, with its places as sent."""
    return [*quirks, *(as_sent(finding, quirks) for finding in findings)]


def translate(batch: dict[str, Json], dialect: str, *, whole: bool = False) -> list[Finding]:
    """Make `batch` canonical in place; returns notes on the quirks met.

    `whole`: for who reads it, with what the Events API has no member for, which the checks need not know. That is `native` of a
    batch and of its events, by the keys of the SDK that sent it.
    """
    quirks = _TRANSLATE[dialect](batch)
    if whole and isinstance(quirks, native.Sent):
        quirks.complete(batch)
    return quirks


def strip(batch: dict[str, Json], dialect: str) -> None:
    """Take out of a canonical batch, in place, what `translate` adds to the `whole`: an exported one has it too."""
    if dialect == "native":
        native.strip(batch)
