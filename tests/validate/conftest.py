"""Runs `mparticle-fake validate` in this process, and makes the batches that it is given."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mparticle_fake_server.cli import main

NOW_MS = 1_700_000_000_000
Validate = Callable[..., Result]


def batch(number: int = 0, **members: Any) -> dict[str, Any]:
    """A batch in which there is nothing to find."""
    data = {"event_name": "Play", "custom_event_type": "media", "timestamp_unixtime_ms": NOW_MS - 1000}
    return {
        "environment": "development",
        "user_identities": {"customer_id": f"customer-{number}"},
        "events": [{"event_type": "custom_event", "data": data}],
        **members,
    }


def wrong(number: int = 0, **members: Any) -> dict[str, Any]:
    """A batch with exactly one finding, the error event_type_missing at /events/0."""
    return batch(number, events=[{"data": {}}], **members)


def exported(value: Any, **members: Any) -> dict[str, Any]:
    """A line as `mparticle-fake export` writes it."""
    line = {"id": "1.0", "received_at_ms": NOW_MS, "key": "k", "source": "events_api", "verdict": "accepted", "findings": []}
    return {**line, **members, "batch": value}


def line(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def ndjson(*values: Any) -> str:
    return "".join(f"{line(value)}\n" for value in values)


@pytest.fixture
def validate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Validate:
    """Runs the command on text or bytes as `input.ndjson`, or on the files that are named."""
    monkeypatch.chdir(tmp_path)

    def validate(content: str | bytes | None, *arguments: str, input: bytes | None = None, now: int | None = NOW_MS) -> Result:
        files = []
        if content is not None:
            Path("input.ndjson").write_bytes(content.encode() if isinstance(content, str) else content)
            files = ["input.ndjson"]
        return CliRunner().invoke(main, ["validate", *([f"--now={now}"] if now else []), *files, *arguments], input=input)

    return validate


def findings(result: Result) -> list[dict[str, Any]]:
    """What `--format json` shows."""
    found: list[dict[str, Any]] = json.loads(result.stdout)["findings"]
    return found


def told(result: Result) -> list[tuple[str, int, str]]:
    """File, line and code of each finding that `--format json` shows."""
    return [(finding["file"], finding["line"], finding["code"]) for finding in findings(result)]
