"""Batches spoilt at random, by a seed: what the tests of the two engines and of the checks try."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mparticle_fake_server import dialects
from mparticle_fixtures.mutations import changed

CLIENTS = Path(__file__).parents[1] / "data" / "clients"


def seeds() -> list[Any]:
    """Small batches: what the official SDKs sent in each step, an event at a time."""
    found: dict[str, Any] = {}
    for client in ("python", "node"):
        for line in (CLIENTS / f"{client}.jsonl").read_text(encoding="utf-8").splitlines():
            request = json.loads(line)
            if request["status"] != 202:
                continue
            body = json.loads(request["body"])
            for batch in body if isinstance(body, list) else [body]:
                dialects.translate(batch, "standard")
                for part in _parts(batch):
                    found.setdefault(json.dumps(part, sort_keys=True), part)
    return [found[key] for key in sorted(found)]


def _parts(batch: dict[str, Any]) -> Iterator[Any]:
    events = batch.pop("events", None) or []
    yield batch
    for event in events:
        yield {"environment": "development", "events": [event]}


def mutated(seed: Any, chance: random.Random) -> Any:
    """A copy of a batch with one to three faults."""
    batch = seed
    for _ in range(chance.choice((1, 1, 2, 3))):
        batch = changed(batch, chance).batch
    return batch
