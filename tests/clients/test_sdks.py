"""What holds for every real SDK: the status that it reports, and that the fake recorded what was meant to be sent."""

import json

import pytest

from tests.clients.conftest import Runs
from tests.clients.harness import CLIENTS, NODE, PYTHON, SECRET, Client, exact, recording, without_versions

ACCEPTED = (
    "every event type", "every choice", "small", "partner feed", "profile update", "bulk of 2", "bulk of 100", "after the errors",
)  # fmt: skip
REFUSED = {
    # Step -> status, the finding that tells why, words of the error body that reach the SDK's caller.
    "wrong secret": (403, "credentials_wrong", "both come from the same input"),
    "wrong secret, bulk": (403, "credentials_wrong", "both come from the same input"),
    "unknown key": (403, "credentials_wrong", "is unknown here"),
    "no credentials": (401, "credentials_missing", "Authorization header"),
    "without event type": (400, "event_type_missing", 'Required event field "event_type" is missing or empty.'),
    "bulk of 101": (400, "too_many_batches", "carries 101 batches; expected at most 100"),
}
MODELLED = {
    "session_start", "session_end", "first_run", "application_state_transition", "screen_view", "custom_event", "commerce_event",
    "push_registration", "push_message", "network_performance", "breadcrumb", "profile", "opt_out",
}  # fmt: skip
"""The types that both SDKs have a model for; what one has besides is in that SDK's own tests."""

each_client = pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)


# -- accepted ----------------------------------------------------------------------------------------------------------------


@each_client
@pytest.mark.parametrize("name", ACCEPTED)
def test_an_upload_succeeds(runs: Runs, client: Client, name: str) -> None:
    step = runs(client)[name]

    assert (step.status, step.error) == (202, None)


@each_client
@pytest.mark.parametrize("name", ACCEPTED)
def test_the_fake_records_the_batches_that_the_sdk_meant_to_send(runs: Runs, client: Client, name: str) -> None:
    step = runs(client)[name]

    recorded = [item["batch"] for item in step.batches]

    assert [exact(batch) for batch in recorded] == [exact(batch) for batch in step.sent_batches]


@each_client
@pytest.mark.parametrize("name", ACCEPTED)
def test_the_fake_takes_every_batch_for_one_that_production_would_process(runs: Runs, client: Client, name: str) -> None:
    step = runs(client)[name]

    assert {item["verdict"] for item in step.batches} <= {"accepted", "altered"}
    assert not [finding for item in step.batches for finding in item["findings"] if finding["severity"] == "error"]


@each_client
@pytest.mark.parametrize("name", ACCEPTED)
def test_the_request_is_recorded_on_the_path_that_was_called(runs: Runs, client: Client, name: str) -> None:
    step = runs(client)[name]

    assert (step.request["method"], step.request["path"]) == ("POST", step.path)


@each_client
def test_every_event_type_that_the_sdk_models_arrives(runs: Runs, client: Client) -> None:
    step = runs(client)["every event type"]

    types = {event["event_type"] for event in step.batches[0]["batch"]["events"]}

    assert types >= MODELLED


@each_client
def test_the_customer_id_is_recorded_under_its_documented_name(runs: Runs, client: Client) -> None:
    step = runs(client)["small"]

    assert step.sent["user_identities"] == {"customerid": "c-1"}
    assert step.batches[0]["batch"]["user_identities"] == {"customer_id": "c-1"}
    assert step.codes == ["customerid_spelling"]


@each_client
def test_all_batches_of_a_bulk_request_keep_their_order(runs: Runs, client: Client) -> None:
    step = runs(client)["bulk of 100"]

    ids = [item["batch"]["source_request_id"] for item in step.batches]

    assert ids == [f"bulk-of-100-{number}" for number in range(100)]


@each_client
def test_an_sdk_writes_the_standard_dialect(runs: Runs, client: Client) -> None:
    dialects = {item["dialect"] for step in runs(client).values() for item in step.batches}

    assert dialects == {"standard"}


# -- accepted, and dropped ---------------------------------------------------------------------------------------------------


@each_client
def test_a_batch_sent_again_gets_202_and_is_recorded_as_dropped(runs: Runs, client: Client) -> None:
    step = runs(client)["sent again"]

    assert (step.status, step.error) == (202, None)
    assert [item["verdict"] for item in step.batches] == ["dropped"]
    assert "duplicate_batch" in step.codes


@each_client
def test_duplicates_in_a_bulk_request_are_recorded_as_dropped(runs: Runs, client: Client) -> None:
    step = runs(client)["sent again in bulk"]

    verdicts = [(item["batch"]["source_request_id"], item["verdict"]) for item in step.batches]

    assert step.status == 202
    assert verdicts == [("small", "dropped"), ("twice", "accepted"), ("twice", "dropped")]


@each_client
def test_a_bulk_request_with_one_sound_batch_gets_202_and_drops_the_other(runs: Runs, client: Client) -> None:
    step = runs(client)["bulk, one without event type"]

    verdicts = [(item["batch"]["source_request_id"], item["verdict"]) for item in step.batches]

    assert step.status == 202
    assert verdicts == [("bulk-bad-0", "dropped"), ("bulk-good-1", "accepted")]


# -- refused -----------------------------------------------------------------------------------------------------------------


@each_client
@pytest.mark.parametrize("name", REFUSED)
def test_the_sdk_reports_why_the_fake_refused(runs: Runs, client: Client, name: str) -> None:
    step = runs(client)[name]
    status, _, words = REFUSED[name]

    assert step.status == status
    (error, *_) = json.loads(step.error or "")["errors"]
    assert words in error["message"]


@each_client
@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_request_is_recorded_with_the_reason(runs: Runs, client: Client, name: str) -> None:
    step = runs(client)[name]
    status, code, _ = REFUSED[name]

    assert step.request["status"] == status
    assert code in step.codes
    assert {item["verdict"] for item in step.batches} <= {"rejected"}


@each_client
@pytest.mark.parametrize("name", [*ACCEPTED, *REFUSED])
def test_no_secret_is_shown_with_a_recorded_request(runs: Runs, client: Client, name: str) -> None:
    step = runs(client)[name]

    headers = dict(step.request["headers"])

    assert "redacted" in headers["authorization"] or headers["authorization"] == ""
    assert SECRET not in str(step.request)


@each_client
def test_nothing_is_recorded_of_an_upload_that_did_not_reach_the_fake(runs: Runs, client: Client) -> None:
    step = runs(client)["refused"]

    assert step.status is None
    assert step.error == {PYTHON: "MaxRetryError", NODE: "ECONNREFUSED"}[client]
    assert step.request == {}


# -- recordings --------------------------------------------------------------------------------------------------------------


@each_client
def test_the_sdk_still_sends_what_was_recorded(runs: Runs, client: Client) -> None:
    sent_today = recording(runs(client))

    recorded = client.recording.read_text(encoding="utf-8")

    assert without_versions(sent_today) == without_versions(recorded), "run: python -m tests.clients.record"
