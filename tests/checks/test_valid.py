"""No valid batch has an error: 10 000 that Hypothesis makes of mParticle's documents, and all that real clients sent."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mparticle_fake_server import dialects
from mparticle_fake_server.checks import check
from mparticle_fake_server.checks.finding import Finding
from mparticle_fake_server.checks.history import History
from tests.checks.corpus import NOW_MS
from tests.checks.valid_batches import DATA, batches

BATCHES: Final = 10_000
EACH: Final = -(-BATCHES // len(DATA))

bounded = settings(derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def errors(batch: dict[str, Any], now_ms: int) -> list[Finding]:
    dialects.translate(batch, dialects.detect([batch]))
    return [finding for finding in check(batch, now_ms, History()) if finding.severity == "error"]


@pytest.mark.parametrize("event_type", DATA)
@settings(bounded, max_examples=20)
@given(data=st.data())
def test_a_valid_batch_has_no_error(event_type: str, data: st.DataObject) -> None:
    batch = data.draw(batches(event_type))

    assert errors(batch, NOW_MS) == []


@pytest.mark.slow
@pytest.mark.parametrize("event_type", DATA)
@settings(bounded, max_examples=EACH)
@given(data=st.data())
def test_none_of_10_000_valid_batches_has_an_error(event_type: str, data: st.DataObject) -> None:
    batch = data.draw(batches(event_type))

    assert errors(batch, NOW_MS) == []


@pytest.mark.parametrize("client", ["python", "node"])
def test_no_captured_batch_that_was_accepted_has_an_error(client: str, shared: Path) -> None:
    found = {}

    for path in sorted((shared / "captures" / client).glob("*.json")):
        capture = json.loads(path.read_bytes())
        sent = capture["body"] if isinstance(capture["body"], list) else [capture["body"]]
        if capture["stub_status"] < 300:
            found[path.stem] = [finding for batch in sent for finding in errors(batch, latest(batch))]

    assert found
    assert {name: findings for name, findings in found.items() if findings} == {}


def latest(batch: dict[str, Any]) -> int:
    """The last timestamp of its events: it was sent at that time."""
    times = [event.get("data", {}).get("timestamp_unixtime_ms") for event in batch.get("events") or ()]
    return max((time for time in times if isinstance(time, int)), default=NOW_MS)
