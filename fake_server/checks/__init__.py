"""Checks of one canonical batch: findings, never exceptions. The seam where schema, limits and semantics come in."""

from typing import Any

from .batch import check_events
from .finding import Finding


def check(batch: dict[str, Any]) -> list[Finding]:
    """Everything that is found in one canonical batch, wherever it was sent."""
    return check_events(batch)
