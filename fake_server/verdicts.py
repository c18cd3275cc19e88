"""What becomes of a request and its batches: by what was found in them, and by the mode of their workspace."""

from collections.abc import Sequence

from .checks.finding import CODES, Finding
from .checks.rules import Rules
from .recording import RequestRecord, Verdict
from .workspaces import Mode


def is_lost(findings: Sequence[Finding]) -> bool:
    """Whether mParticle would not process the batch that these are on."""
    return bool(findings) and any(CODES[finding.code].effect in ("refuse", "drop") for finding in findings)


def is_refused(findings: Sequence[Finding], mode: Mode, rules: Rules) -> bool:
    """Whether findings on a request as a whole refuse it, in a workspace of this mode with these rules."""
    if not findings or mode == "lenient":
        return False
    return any(CODES[finding.code].effect == "refuse" for finding in findings) or _is_too_strict(findings, mode, rules)


def _is_too_strict(findings: Sequence[Finding], mode: Mode, rules: Rules) -> bool:
    """Whether strict mode refuses what has these findings: by the severities that the workspace gives them."""
    return mode == "strict" and any(finding.severity == "error" for finding in rules.apply(findings))


def judge_batches(record: RequestRecord, mode: Mode, rules: Rules) -> bool:
    """Give each batch its verdict as if it were alone; returns whether they refuse the request."""
    refused = 0
    # What is inside an item that is no batch alters none.
    altered = any(CODES[finding.code].effect == "alter" and not finding.raw_pointer for finding in record.findings)
    for batch in record.batches:
        if not batch.findings:
            batch.verdict = "altered" if altered else "accepted"
            continue
        batch.verdict, refusable = _verdict(batch.findings)
        if altered and batch.verdict == "accepted":
            batch.verdict = "altered"
        refused += refusable or _is_too_strict(batch.findings, mode, rules)
    # In a bulk request production answers 202 as soon as one batch is fine (`events-api.md §2`): the others are dropped.
    return refused > 0 and (mode == "strict" or (mode == "faithful" and refused == len(record.batches)))


def _verdict(findings: Sequence[Finding]) -> tuple[Verdict, bool]:
    """The verdict behind a 202, and whether production would refuse the batch if it came alone."""
    effects = {CODES[finding.code].effect for finding in findings}
    if "refuse" in effects:
        return "dropped", True
    if "drop" in effects:
        return "dropped", False
    return ("altered" if "alter" in effects else "accepted"), False
