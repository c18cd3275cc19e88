"""The documented form, as the Python, Node, Ruby and Go SDKs write it: only the name of the customer id is made one."""

import copy
from typing import Any

import pytest

from mparticle_fake_server import dialects
from tests.hosts import batch, event

Json = Any


def test_customerid_becomes_customer_id() -> None:
    written = batch(user_identities={"customerid": "c1"})

    dialects.translate(written, "standard")

    assert written == batch(user_identities={"customer_id": "c1"})


def test_the_order_of_the_identities_stays() -> None:
    written = batch(user_identities={"email": "a@example.com", "customerid": "c1", "other": "o1"})

    dialects.translate(written, "standard")

    assert list(written["user_identities"]) == ["email", "customer_id", "other"]


def test_a_note_points_to_the_canonical_and_to_the_written_member() -> None:
    (finding,) = dialects.translate(batch(user_identities={"customerid": "c1"}), "standard")

    assert (finding.code, finding.severity) == ("customerid_spelling", "note")
    assert (finding.pointer, finding.raw_pointer) == ("/user_identities/customer_id", "/user_identities/customerid")


def test_a_null_customer_id_gives_way_to_a_customerid() -> None:
    written = batch(user_identities={"customerid": "c1", "customer_id": None})

    dialects.translate(written, "standard")

    assert written["user_identities"] == {"customer_id": "c1"}


def test_two_customer_ids_both_stay() -> None:
    written = batch(user_identities={"customerid": "c1", "customer_id": "c2"})

    findings = dialects.translate(written, "standard")

    assert written["user_identities"] == {"customerid": "c1", "customer_id": "c2"}
    assert findings == []


@pytest.mark.parametrize("identities", [None, {}, [], ["customerid"], "customerid", 5, {"email": "a@example.com"}])
def test_identities_without_a_customerid_stay_as_they_are(identities: Json) -> None:
    written = batch(user_identities=identities)

    findings = dialects.translate(written, "standard")

    assert (written["user_identities"], findings) == (identities, [])


def test_customerid_elsewhere_stays_as_it_is() -> None:
    written = batch(user_attributes={"customerid": "c1"}, events=[event("customerid", custom_attributes={"customerid": "c1"})])
    before = copy.deepcopy(written)

    dialects.translate(written, "standard")

    assert written == before


@pytest.mark.parametrize(
    "written",
    [
        batch(),
        batch(events=[event("HELLO", custom_event_type="OTHER")], device_info={"platform": "IOS"}),
        {"environment": None, "mpid": 2**63, "unknown member": {"a": [None, 1.0, ""]}, "events": []},
        {},
    ],
)
def test_everything_else_stays_as_it_is(written: dict[str, Json]) -> None:
    before = copy.deepcopy(written)

    findings = dialects.translate(written, "standard")

    assert (written, findings) == (before, [])


@pytest.mark.parametrize("batches", [[], [batch()], [batch(), batch(environment="production")], batch(), [None, 5, "x"]])
def test_the_documented_form_is_told_as_the_standard_dialect(batches: Json) -> None:
    assert dialects.detect(batches) == "standard"
