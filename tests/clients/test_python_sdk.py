"""The official Python SDK, unmodified: what it does that others do not (`protocol/events-api.md §8, §10`)."""

import json

import pytest

from tests.clients.harness import Step, exact


def test_the_sdk_models_user_attribute_changes(python_steps: dict[str, Step]) -> None:
    (batch,) = python_steps["every event type"].batches

    types = [event["event_type"] for event in batch["batch"]["events"]]

    assert "user_attribute_change" in types


def test_a_crash_report_arrives_as_a_commerce_event(python_steps: dict[str, Step]) -> None:
    (item,) = python_steps["every event type"].batches

    (crash,) = [event for event in item["batch"]["events"] if "stack_trace" in event["data"]]

    assert crash["event_type"] == "commerce_event"
    assert crash["data"]["class_name"] == "java.lang.IllegalStateException"


def test_integers_of_64_bits_arrive_exactly(python_steps: dict[str, Step]) -> None:
    (item,) = python_steps["every event type"].batches

    ids = [event["data"]["event_id"] for event in item["batch"]["events"]]

    assert ids[:3] == [6_004_677_780_660_780_001, 6_004_677_780_660_780_002, 6_004_677_780_660_780_003]


def test_a_decimal_arrives_as_the_string_that_the_sdk_makes_of_it(python_steps: dict[str, Step]) -> None:
    (item,) = python_steps["every event type"].batches

    assert item["batch"]["user_attributes"]["balance"] == "12.50"


def test_a_none_among_the_user_attributes_is_kept(python_steps: dict[str, Step]) -> None:
    (item,) = python_steps["every event type"].batches

    assert item["batch"]["user_attributes"]["nothing"] is None


def test_an_empty_consent_state_arrives_as_two_empty_maps(python_steps: dict[str, Step]) -> None:
    (item,) = python_steps["profile update"].batches

    assert item["batch"]["consent_state"] == {"ccpa": {}, "gdpr": {}}


def test_the_sdks_constructors_of_lifecycle_events_arrive(python_steps: dict[str, Step]) -> None:
    (item,) = python_steps["every choice"].batches

    transitions = [event["data"] for event in item["batch"]["events"] if event["event_type"] == "application_state_transition"]

    assert any(data.get("is_first_run") is True for data in transitions)
    assert any(data.get("is_upgrade") is True for data in transitions)


def test_an_upload_with_a_callback_succeeds(python_steps: dict[str, Step]) -> None:
    step = python_steps["callback"]

    assert (step.status, step.error) == (202, None)
    assert [exact(item["batch"]) for item in step.batches] == [exact(batch) for batch in step.sent_batches]


def test_a_callback_is_told_of_a_wrong_secret(python_steps: dict[str, Step]) -> None:
    step = python_steps["wrong secret, callback"]

    assert step.status == 403
    assert json.loads(step.error or "")["errors"][0]["code"] == "FORBIDDEN"


@pytest.mark.parametrize("name", ["empty batch", "empty bulk"])
def test_an_empty_batch_or_list_leaves_the_sdk_as_no_body_and_gets_400(python_steps: dict[str, Step], name: str) -> None:
    step = python_steps[name]

    assert step.status == 400
    assert (step.request["body"], step.request["body_bytes"]) == ("", 0)
    assert step.codes == ["json_broken"]
    assert "sends an empty body for Batch() and []" in (step.error or "")


def test_events_given_to_the_constructor_get_400_and_the_way_out(python_steps: dict[str, Step]) -> None:
    step = python_steps["without event type"]

    assert step.sent["events"] == [{"event_name": "ping", "custom_event_type": "other"}]
    assert "use batch.events = […]" in (step.error or "")


def test_credentials_that_were_never_set_are_sent_as_a_colon_and_get_401(python_steps: dict[str, Step]) -> None:
    step = python_steps["no credentials"]

    assert step.status == 401
    assert "holds no key before a colon" in (step.error or "")
