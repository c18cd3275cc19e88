"""No valid batch has a finding: 10 000 that are made of mParticle's documents; and none that real clients sent has an error."""

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
from mparticle_fixtures.strategies import DATA, PRESENT_MS, batches

BATCHES: Final = 10_000
EACH: Final = -(-BATCHES // len(DATA))

bounded = settings(suppress_health_check=list(HealthCheck))


def found(batch: dict[str, Any], now_ms: int) -> list[Finding]:
    quirks = dialects.translate(batch, dialects.detect([batch]))
    return quirks + check(batch, now_ms, History())


@pytest.mark.parametrize("event_type", DATA)
@settings(bounded, max_examples=20)
@given(data=st.data())
def test_nothing_is_found_in_a_valid_batch(event_type: str, data: st.DataObject) -> None:
    batch = data.draw(batches(event_type))

    assert found(batch, PRESENT_MS) == []


@pytest.mark.slow
@pytest.mark.parametrize("event_type", DATA)
@settings(bounded, max_examples=EACH)
@given(data=st.data())
def test_nothing_is_found_in_any_of_10_000_valid_batches(event_type: str, data: st.DataObject) -> None:
    batch = data.draw(batches(event_type))

    assert found(batch, PRESENT_MS) == []


@pytest.mark.parametrize("client", ["python", "node"])
def test_no_captured_batch_that_was_accepted_has_an_error(client: str, shared: Path) -> None:
    errors = {}

    for path in sorted((shared / "captures" / client).glob("*.json")):
        capture = json.loads(path.read_bytes())
        sent = capture["body"] if isinstance(capture["body"], list) else [capture["body"]]
        if capture["stub_status"] < 300:
            findings = [finding for batch in sent for finding in found(batch, latest(batch))]
            errors[path.stem] = [finding for finding in findings if finding.severity == "error"]

    assert errors
    assert {name: findings for name, findings in errors.items() if findings} == {}


def latest(batch: dict[str, Any]) -> int:
    """The last timestamp of its events: it was sent at that time."""
    times = [event.get("data", {}).get("timestamp_unixtime_ms") for event in batch.get("events") or ()]
    return max((time for time in times if isinstance(time, int)), default=PRESENT_MS)
