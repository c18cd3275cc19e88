"""The checks: a batch parsed and checked, against naive `jsonschema` over mParticle's own schema; and what they cost uploads."""

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec
from jsonschema import Draft7Validator

from mparticle_fake_server.checks import check
from mparticle_fake_server.checks.history import History
from tests.benchmarks.load import Load, upload
from tests.benchmarks.row import Row, at_least
from tests.benchmarks.subject import serving

ROUNDS = 5
UPLOAD_ROUNDS = 21
"""The two lie close together, and the machine's own speed changes within seconds: many short measurements tell more."""

SECONDS = 0.5
LOOP_SECONDS = 0.2
SHARED = Path(__file__).parents[3] / "shared" / "schema"

NOW = 1_558_388_285_000
"""When mParticle's sample was young."""

SMALL: dict[str, Any] = {
    "environment": "development",
    "user_identities": {"customer_id": "u1"},
    "events": [
        {
            "event_type": "custom_event",
            "data": {
                "event_name": "Play",
                "custom_event_type": "media",
                "timestamp_unixtime_ms": NOW - 1000,
                "custom_attributes": {"song": "Ode to Joy", "seconds": 30, "shuffle": True},
            },
        }
    ],
}


def checks() -> Iterator[Row]:
    """A small batch, mParticle's sample of 19 KB, and a small one with a wrong type and an unknown value."""
    own = SHARED / "mparticle.inbound.eventsapi.schema.json"
    if own.exists():
        yield from _against_naive(Draft7Validator(json.loads(own.read_bytes())))
    else:
        print(f"mParticle's own schema is not at {SHARED}: nothing to compare the checks with.", file=sys.stderr)
    rates: dict[str, list[float]] = defaultdict(list)
    for _ in range(UPLOAD_ROUNDS):
        for subject in ("fake", "unchecked"):
            with serving(subject, "memory") as port:
                rates[subject].append(upload(Load(port, seconds=SECONDS)).rate)
    yield at_least(0.8, "uploads with checks, vs without", rates["fake"], rates["unchecked"], "requests/s")


def _against_naive(naive: Draft7Validator) -> Iterator[Row]:
    sample = json.loads((SHARED / "mparticle.inbound.eventsapi.sample.json").read_bytes())
    wrong = json.loads(json.dumps(SMALL))
    wrong["events"][0]["data"]["custom_event_type"] = "medea"
    wrong["events"][0]["data"]["timestamp_unixtime_ms"] = "yesterday"
    for promised, name, batch in ((400, "small batch", SMALL), (700, "sample of 19 KB", sample), (8, "small wrong batch", wrong)):
        body = json.dumps(batch).encode()
        history = History()

        def ours(body: bytes = body, history: History = history) -> object:
            return check(msgspec.json.decode(body), NOW, history)

        def theirs(body: bytes = body) -> object:
            return list(naive.iter_errors(json.loads(body)))

        assert bool(ours()) == (batch is wrong)
        measured: list[float] = []
        peer: list[float] = []
        for _ in range(ROUNDS):
            measured.append(_rate(ours))
            peer.append(_rate(theirs))
        yield at_least(promised, f"parse and all checks, {name}, vs naive jsonschema", measured, peer, "batches/s")


def _rate(work: Callable[[], object]) -> float:
    work()
    count = 0
    start = perf_counter()
    end = start + LOOP_SECONDS
    while perf_counter() < end:
        for _ in range(5):
            work()
        count += 5
    return count / (perf_counter() - start)
