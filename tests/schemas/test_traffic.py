"""What mParticle itself publishes and what its SDKs really send is valid."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from mparticle_fake_server import dialects, schemas

DATA = Path(__file__).parents[1]

VALID = jsonschema_rs.validator_for(schemas.bundle())
FLAWLESS = jsonschema_rs.validator_for(schemas.folded())

EXPLAINED = {
    # Where the SDKs' recorded traffic is no valid batch: the program that made it left something out on purpose.
    "python bulk, one without event type": {"event_type"},
    "node bulk, one without event type": {"event_type"},
}


def canonical(body: Any) -> Iterator[Any]:
    dialect = dialects.detect(body)
    for batch in body if isinstance(body, list) else [body]:
        dialects.translate(batch, dialect)
        yield batch


def errors(validator: Any, batch: Any) -> list[str]:
    return [f"{'/'.join(map(str, error.instance_path))}: {error.message}" for error in validator.iter_errors(batch)]


def recorded() -> Iterator[Any]:
    for client in ("python", "node"):
        for line in (DATA / "data" / "clients" / f"{client}.jsonl").read_text(encoding="utf-8").splitlines():
            request = json.loads(line)
            if 200 <= request["status"] < 300:
                yield pytest.param(request["body"], f"{client} {request['step']}", id=f"{client} {request['step']}")


def test_the_sample_of_mparticle_is_valid_and_gets_no_finding(shared: Path) -> None:
    batch = json.loads((shared / "schema" / "mparticle.inbound.eventsapi.sample.json").read_text(encoding="utf-8"))

    assert errors(VALID, batch) == []
    assert errors(FLAWLESS, batch) == []


@pytest.mark.parametrize("client", ["python", "node"])
def test_what_a_captured_sdk_sent_is_valid(shared: Path, client: str) -> None:
    requests = [json.loads(file.read_text(encoding="utf-8")) for file in sorted((shared / "captures" / client).glob("*.json"))]
    batches = [batch for request in requests if 200 <= request["stub_status"] < 300 for batch in canonical(request["body"])]

    assert len(batches) >= 8
    assert [errors(VALID, batch) for batch in batches if not VALID.is_valid(batch)] == []


@pytest.mark.parametrize(("body", "step"), list(recorded()))
def test_what_an_sdk_sends_to_the_fake_is_valid(body: str, step: str) -> None:
    found = [error for batch in canonical(json.loads(body)) for error in errors(VALID, batch)]

    missing = {name for name in EXPLAINED.get(step, ()) if any(f'"{name}" is a required property' in error for error in found)}
    others = [error for error in found if not any(f'"{name}" is a required property' in error for name in missing)]

    assert missing == EXPLAINED.get(step, set())
    assert others == []


def test_the_all_null_form_of_java_is_valid() -> None:
    body = json.loads((DATA / "dialects" / "java_batch.json").read_text(encoding="utf-8"))

    (batch,) = canonical(body)

    assert errors(VALID, batch) == []
    assert errors(FLAWLESS, batch) == []
