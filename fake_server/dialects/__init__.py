"""How each client family writes a batch, and the way from there to the canonical batch: a module a dialect.

A dialect module has `translate(batch) -> list[Finding]`, which turns the freshly decoded batch into the canonical one in place.
The canonical batch is a function of the bytes and the dialect alone; it is computed whenever a record is read.
"""

from collections.abc import Callable
from typing import Any, Final

from ..checks.finding import Finding
from . import java, standard

Json = Any

_TRANSLATE: Final[dict[str, Callable[[dict[str, Json]], list[Finding]]]] = {
    "standard": standard.translate,
    "java": java.translate,
}


def detect(batch: Json) -> str:
    """The dialect of an Events API batch, told by its content."""
    return "java" if java.wrote(batch) else "standard"


def translate(batch: dict[str, Json], dialect: str) -> list[Finding]:
    """Make `batch` canonical in place; returns notes on the quirks met."""
    return _TRANSLATE[dialect](batch)
