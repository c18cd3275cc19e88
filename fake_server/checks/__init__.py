"""Checks of one canonical batch: findings, never exceptions."""

from typing import Any

from .finding import Finding
from .history import History
from .schema import checker
from .semantics import check_semantics


def check(batch: dict[str, Any], now_ms: int, history: History | None = None, *, historical: bool = False) -> list[Finding]:
    """Everything that is found in one canonical batch that was received at `now_ms`, in ms since 1970.

    `history` is what came before, which learns this batch: for who has no verdict to wait for. A `historical` batch may be of
    any age.
    """
    schema = checker()
    findings = check_semantics(batch, now_ms, historical=historical)
    if not schema.is_valid(batch):
        findings = schema.explain(batch) + findings
    if history is not None:
        findings += history.check(batch)
    return findings
