"""What is told of the body of a request that is no batch, or no array of batches."""

from typing import Any

import pytest

from mparticle_fake_server.checks.request import wrong_body


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ({"batches": []}, "The body is the array itself: send […] to /v2/bulkevents, without an object around it."),
        ({"batches": {}}, "Send one batch to /v2/events, or wrap it in an array."),
        ({"environment": "development"}, "Send one batch to /v2/events, or wrap it in an array."),
        ("[]", None),
    ],
)
def test_a_body_that_is_no_array_of_batches_gets_a_hint_that_mends_it(value: Any, hint: str | None) -> None:
    finding = wrong_body(value, bulk=True)

    assert (finding.code, finding.hint) == ("wrong_top_level", hint)


@pytest.mark.parametrize(("value", "hint"), [([], "Send an array of batches to /v2/bulkevents."), ("{}", None)])
def test_a_body_that_is_no_batch_gets_a_hint_that_mends_it(value: Any, hint: str | None) -> None:
    finding = wrong_body(value, bulk=False)

    assert (finding.code, finding.hint) == ("wrong_top_level", hint)
