"""Batches and the clock of the tests of what a batch means."""

from typing import Any

from mparticle_fake_server.checks.finding import Finding
from mparticle_fake_server.checks.semantics import check_semantics
from tests.hosts import batch

Json = Any

NOW = 1_700_000_000_000
SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
UUID = "76F1ABB9-7A9A-4D4E-AB4D-56C8FF79CAD1"
OTHER = "8FC0CDE4-1E1A-4E5B-9D55-0C60D1B1A0A0"
CARD = "4111111111111111"


def check(*events: Json, historical: bool = False, **members: Json) -> list[Finding]:
    return check_semantics(batch(events=list(events), **members), NOW, historical=historical)


def only(*events: Json, **members: Json) -> Finding:
    """The one finding on a batch."""
    (finding,) = check(*events, **members)
    return finding


def told(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.code, finding.pointer) for finding in findings]


def typed(event_type: str, **data: Json) -> Json:
    return {"event_type": event_type, "data": data}


def session(started: Json, ended: Json) -> list[Json]:
    return [typed("session_start", **started), typed("session_end", **ended)]
