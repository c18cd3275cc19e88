"""What the fake found in the batches it recorded, and batches in which something is found; for the tests of findings."""

import json
from typing import Any

from tests.hosts import Fake, batch, event

BULK = "/v2/bulkevents"
NESTED = batch(user_attributes={"address": {"city": "Bern"}})
"""A batch with one error that production answers with 202: attribute_nested."""

SESSION = "43fdca48-ce03-4907-8627-ecd96b6ce945"
START = {"event_type": "session_start", "data": {"session_uuid": SESSION}}
END = {"event_type": "session_end", "data": {"session_uuid": SESSION, "session_duration_ms": 60_000}}


def findings(fake: Fake) -> list[dict[str, Any]]:
    """The findings on the batch that came last."""
    found: list[dict[str, Any]] = fake.items("batches?limit=1000")[-1]["findings"]
    return found


def codes(fake: Fake) -> list[str]:
    return [finding["code"] for finding in findings(fake)]


def verdict(fake: Fake) -> str:
    last: str = fake.items("batches?limit=1000")[-1]["verdict"]
    return last


def codes_of_requests(fake: Fake) -> list[list[str]]:
    """The codes of the findings on each request as a whole."""
    return [[finding["code"] for finding in request["findings"]] for request in fake.items("requests")]


def of_size(size: int) -> dict[str, Any]:
    """A flawless batch of so many bytes of JSON without blanks."""
    notes = [{"note": ""} for _ in range(-(-size // 4000))]
    made = batch(events=[event("Play", custom_attributes=note) for note in notes])
    each, more = divmod(size - len(written(made)), len(notes))
    for note in notes:
        note["note"] = "x" * each
    notes[0]["note"] += "x" * more
    return made


def written(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
