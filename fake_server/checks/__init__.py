"""Checks of one canonical batch: findings, never exceptions."""

from typing import Any

from .finding import Finding
from .history import History
from .schema import checker
from .semantics import check_semantics

# Compiled here, and what explains by a first use, so that neither holds up the first upload.
_schema = checker()
_schema.explain({"events": [{"event_type": "first_run", "data": {"unknown": 1}}]})


def check(batch: dict[str, Any], now_ms: int, history: History | None = None, *, historical: bool = False) -> list[Finding]:
    """Everything that is found in one canonical batch that was received at `now_ms`, in ms since 1970.

    `history` is what came before, which learns this batch: for who has no verdict to wait for. A `historical` batch may be of
    any age.
    """
    findings = [] if _schema.is_valid(batch) else _schema.explain(batch)
    findings += check_semantics(batch, now_ms, historical=historical)
    if history is not None:
        findings += history.check(batch)
    return findings
