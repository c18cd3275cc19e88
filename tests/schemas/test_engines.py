"""jsonschema-rs, which decides, and jsonschema, which other tools use, find the same faults in the same places."""

import random
from functools import cache
from typing import Any

import jsonschema_rs
import pytest
from jsonschema import Draft202012Validator

from mparticle_fake_server import schemas
from tests.schemas.mutations import mutated, seeds

PARTS = 10
TRIES = 600
"""Mutations in each part; 6000 in all."""


@cache
def engines(whole: str) -> tuple[Any, Any]:
    schema = {"bundle": schemas.bundle, "folded": schemas.folded}[whole]()
    return jsonschema_rs.validator_for(schema), Draft202012Validator(schema)


def found_by_rust(validator: Any, batch: Any) -> set[tuple[Any, ...]]:
    return {(*error.instance_path, error.schema_path[-1]) for error in validator.iter_errors(batch)}


def found_by_python(validator: Any, batch: Any) -> set[tuple[Any, ...]]:
    return {(*error.absolute_path, error.validator) for error in validator.iter_errors(batch)}


def without_newline_anchors(found: set[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    """Python's `$` lets a final newline pass, which `not` or `maxLength` then refuses; Rust's refuses it too."""
    return {error for error in found if error[-1] != "pattern" or not {(*error[:-1], "not"), (*error[:-1], "maxLength")} & found}


@pytest.mark.parametrize("whole", ["bundle", "folded"])
@pytest.mark.parametrize("part", range(PARTS))
def test_both_engines_find_the_same_faults(whole: str, part: int) -> None:
    rust, python = engines(whole)
    chance = random.Random(part)
    originals = seeds()
    different = []

    flawed = 0
    for _ in range(TRIES):
        batch = mutated(chance.choice(originals), chance)
        by_rust = found_by_rust(rust, batch)
        by_python = found_by_python(python, batch)
        flawed += bool(by_rust)
        if without_newline_anchors(by_rust) != without_newline_anchors(by_python) or bool(by_rust) == rust.is_valid(batch):
            different.append((batch, by_rust ^ by_python))

    assert different == []
    assert TRIES > flawed > TRIES / 4
