"""Every difference between our schema and the one that mParticle publishes, with its reason: `data/schemas/differences.json`.

A row has the batch that shows it best, and `where` it was found by the probes: members, each with the kinds of values.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from mparticle_fake_server import schemas
from tests.schemas.probes import EVENTS, OBJECTS, batch_of, probes

ROWS = json.loads((Path(__file__).parents[1] / "data" / "schemas" / "differences.json").read_text(encoding="utf-8"))

OURS = jsonschema_rs.validator_for(schemas.bundle())


@pytest.fixture(scope="module")
def theirs(shared: Path) -> Any:
    text = (shared / "schema" / "mparticle.inbound.eventsapi.schema.json").read_text(encoding="utf-8")
    return jsonschema_rs.validator_for(json.loads(text), validate_formats=True)


def word(valid: bool) -> str:
    return "valid" if valid else "invalid"


def told() -> Iterator[tuple[str, str, str]]:
    for row in ROWS:
        for place in row["where"]:
            yield from ((member, kind, row["ours"]) for member in place["members"] for kind in place["kinds"])


@pytest.mark.parametrize("row", ROWS, ids=[row["reason"][:60] for row in ROWS])
def test_the_batch_of_a_row_shows_the_difference(theirs: Any, row: dict[str, Any]) -> None:
    batch = row["batch"]

    assert word(OURS.is_valid(batch)) == row["ours"]
    assert word(theirs.is_valid(batch)) == row["theirs"]
    assert row["ours"] != row["theirs"]


def test_the_table_has_each_difference_once() -> None:
    places = list(told())

    assert len(set(places)) == len(places)


def test_the_table_holds_every_difference_that_probes_find_and_no_other(theirs: Any) -> None:
    tried = list(probes())

    found = {
        (f"{probe.file}.{probe.member}", probe.kind, word(OURS.is_valid(probe.batch)))
        for probe in tried
        if OURS.is_valid(probe.batch) != theirs.is_valid(probe.batch)
    }

    assert len(tried) > 6000
    assert found == set(told())


@pytest.mark.parametrize("file", ["batch", *EVENTS, *OBJECTS])
def test_probes_begin_with_a_valid_batch(file: str) -> None:
    batch, _ = batch_of(file)

    assert OURS.is_valid(batch)


def test_probes_reach_every_object() -> None:
    objects = {name.removesuffix(".json") for name, document in schemas.load().items() if "properties" in document}

    assert objects == {"batch", "event", *EVENTS, *OBJECTS}


def test_ours_has_every_member_that_theirs_has(shared: Path) -> None:
    text = (shared / "schema" / "mparticle.inbound.eventsapi.schema.json").read_text(encoding="utf-8")
    schema = json.loads(text)
    del schema["definitions"]["ApiResponse"]  # an answer, not a part of a batch
    published = {name for names in member_names(schema) for name in names}

    known = {name for names in member_names(schemas.bundle()) for name in names}

    assert published
    assert published - known == set()


def member_names(schema: Any) -> Iterator[set[str]]:
    if isinstance(schema, dict):
        yield set(schema.get("properties", {}))
        for child in schema.values():
            yield from member_names(child)
    elif isinstance(schema, list):
        for child in schema:
            yield from member_names(child)
