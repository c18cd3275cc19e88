"""Batches spoilt at random, by a seed: what the tests of the two engines and of the checks try."""

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mparticle_fake_server import dialects

CLIENTS = Path(__file__).parents[1] / "data" / "clients"

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 1.0, 1.5, -0.0, 1e300, 2**63 - 1, -(2**63), 2**64 - 1),
    *("", "x", "null", "undefined", "true", "0", "12", "-7", "1.10", "1e5", " 12", "+1", "1_000", "0x1F", "NaN"),
    *("12\n", "\n", "1.10\n\n", "12\r", "USD\n", "192.0.2.1\n", "84E1B361-A282-4ADF-8A6D-1D31E6DD5A9E\n", "\u2028", "\x85"),
    *("\u0663", "\uff11\uff12", "\uff35\uff33\uff24", "usd", "US", "ß", "é"),
    *("a@b.example", "a@b", "a b@c.example", "@", "a@b@c.example"),
    *("84E1B361-A282-4ADF-8A6D-1D31E6DD5A9E", "00000000-0000-0000-0000-000000000000"),
    *(
        "192.0.2.1",
        "192.0.2.256",
        "::1",
        "2001:db8::1",
        "2001:db8::1::",
        "::ffff:192.0.2.1",
        "1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7:8:9",
    ),
    *("😀" * 256, "😀" * 257, "x" * 101, "x" * 513, "x" * 4097),
    *([], [None], ["x", 1, True], [[]], [{}], ["x"] * 1001),
    *({}, {"data": {}}, {"a": {}}, {"a": "x" * 4097}, {"$age": "old"}, {"x" * 257: 1}, {"a": ["y" * 513]}),
    {str(number): number for number in range(101)},
)
"""Values of each JSON type, and those on which engines, languages and alphabets differ."""

NAMES = (
    "customAttributes",
    "event_Type",
    "EventName",
    "timestamp",
    "id",
    "data",
    "action",
    "$Age",
    "$age",
    "event_name",
    "ü",
    "",
)


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


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything inside a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        yield (*path, step)
        yield from places(item, (*path, step))


def mutated(seed: Any, chance: random.Random) -> Any:
    """A copy of a batch with one to three faults."""
    batch = copy.deepcopy(seed)
    for _ in range(chance.choice((1, 1, 2, 3))):
        found = list(places(batch))
        if not found:
            return batch
        *above, last = chance.choice(found)
        holder = batch
        for step in above:
            holder = holder[step]
        match chance.randrange(8):
            case 0:
                del holder[last]
            case 1 if isinstance(holder, dict):
                holder[chance.choice(NAMES)] = holder.pop(last)
            case 2 if isinstance(holder, dict):
                holder[chance.choice(NAMES)] = copy.deepcopy(chance.choice(ODD))
            case 3 if isinstance(holder[last], (int, float)):
                holder[last] = str(holder[last]) + chance.choice(("", "\n", " "))
            case 3 if isinstance(holder[last], str):
                holder[last] += chance.choice(("\n", "x", "\u0660"))
            case _:
                holder[last] = copy.deepcopy(chance.choice(ODD))
    return batch
