"""Which findings a workspace has: by its rules, and by what it remembers of earlier batches."""

import functools
import json
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mparticle_fake_server.workspaces import Workspaces
from mparticle_sdk import limits
from tests.endpoints.found import BULK, END, NESTED, START, codes, codes_of_requests, findings, of_size, verdict, written
from tests.hosts import Fake, OpenFake, Reply, batch, event


def change(fake: Fake, **rules: Any) -> Reply:
    """Change the workspace `default`."""
    return fake.request("PUT", "/_fake/workspaces/default", json.dumps(rules).encode())


# -- rules of the server ---------------------------------------------------------------------------------------------------


def test_an_ignored_code_is_not_recorded(open_fake: OpenFake) -> None:
    with open_fake(ignore=["identity_missing", "environment_missing"]) as fake:
        fake.upload({"user_attributes": {"address": {}}})

        assert codes(fake) == ["attribute_nested"]


def test_strict_mode_takes_what_is_ignored(open_fake: OpenFake) -> None:
    with open_fake(mode="strict", ignore=["attribute_nested", "request_too_large", "batch_too_large"]) as fake:
        reply = fake.upload(NESTED)

        assert (reply.status, findings(fake)) == (202, [])
        assert fake.upload(written(of_size(limits.REQUEST_SIZE + 1))).status == 202
        assert codes_of_requests(fake) == [[], []]


def test_what_mparticle_does_with_a_batch_is_the_same_if_the_finding_is_ignored(open_fake: OpenFake) -> None:
    with open_fake(ignore=["attribute_nested"]) as fake:
        fake.upload(NESTED)

        assert (verdict(fake), findings(fake)) == ("altered", [])


@pytest.mark.parametrize(("mode", "status"), [("faithful", 202), ("strict", 400), ("lenient", 202)])
def test_a_warning_can_be_made_an_error(open_fake: OpenFake, mode: Any, status: int) -> None:
    with open_fake(mode=mode, error=["identity_placeholder"]) as fake:
        reply = fake.upload(batch(user_identities={"customer_id": "null"}))

        assert reply.status == status
        assert [finding["severity"] for finding in findings(fake)] == ["error"]
        assert len(fake.items("batches?severity=error")) == 1


def test_an_ignored_duplicate_is_dropped_without_a_word(open_fake: OpenFake) -> None:
    with open_fake(ignore=["duplicate_batch"]) as fake:
        for _ in range(2):
            fake.upload(batch(source_request_id="r1"))
        fake.upload([batch(source_request_id="r1"), batch(source_request_id="r2")], BULK)

        verdicts = ["accepted", "dropped", "dropped", "accepted"]
        assert [(item["verdict"], item["findings"]) for item in fake.items("batches")] == [(one, []) for one in verdicts]


def test_a_dropped_batch_may_be_sent_again_where_its_finding_is_ignored(open_fake: OpenFake) -> None:
    with open_fake(ignore=["historical_without_events"]) as fake:
        fake.upload([batch(source_request_id="r1", events=[])], "/v2/bulkevents/historical")
        fake.upload(batch(source_request_id="r1"))

        assert [item["verdict"] for item in fake.items("batches")] == ["dropped", "accepted"]


def test_a_duplicate_that_is_an_error_is_refused_in_strict_mode(open_fake: OpenFake) -> None:
    with open_fake(mode="strict", error=["duplicate_batch"]) as fake:
        statuses = [fake.upload(batch(source_request_id="r1")).status for _ in range(2)]

        assert statuses == [202, 400]


# -- rules of a workspace --------------------------------------------------------------------------------------------------


def workspace(fake: Fake, name: str = "default") -> dict[str, Any]:
    (found,) = [item for item in fake.items("workspaces") if item["name"] == name]
    return found


def rules(fake: Fake, name: str = "default") -> tuple[list[str], list[str]]:
    found = workspace(fake, name)
    return found["ignore"], found["error"]


def test_a_workspace_is_made_with_rules_and_shows_them(fake: Fake) -> None:
    made = {"name": "shop", "ignore": ["identity_missing", "environment_missing"], "error": ["identity_placeholder"]}

    reply = fake.request("POST", "/_fake/workspaces", json.dumps(made).encode())

    assert reply.status == 201
    assert rules(fake, "shop") == (["environment_missing", "identity_missing"], ["identity_placeholder"])
    assert reply.json == workspace(fake, "shop")


def test_the_rules_of_a_workspace_count_from_their_change_on(fake: Fake) -> None:
    fake.upload(NESTED)

    reply = change(fake, ignore=["attribute_nested"])
    fake.upload(NESTED)

    assert (reply.status, rules(fake)) == (200, (["attribute_nested"], []))
    assert [len(item["findings"]) for item in fake.items("batches")] == [1, 0]


def test_a_change_of_the_mode_leaves_the_rules(fake: Fake) -> None:
    change(fake, ignore=["identity_missing"], error=["unknown_member"])

    change(fake, mode="strict")
    change(fake, error=[])

    assert rules(fake) == (["identity_missing"], [])


def test_halves_of_the_rules_that_are_changed_at_once_are_both_kept() -> None:
    workspaces = Workspaces()

    def toggle(half: str, code: str) -> None:
        change_half: Any = functools.partial(workspaces.put, "default")
        for _ in range(500):
            change_half(**{half: []})
            change_half(**{half: [code]})
            assert getattr(workspaces.put("default").rules, half) == {code}

    switching = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(toggle, *half) for half in (("ignore", "personal_data"), ("error", "unknown_member"))]
    sys.setswitchinterval(switching)

    assert [future.result() for future in futures] == [None, None]


def test_a_new_workspace_has_the_rules_of_the_server(open_fake: OpenFake) -> None:
    with open_fake(ignore=["identity_missing"], error=["unknown_member"], credentials=[("k", None, "shop")]) as fake:
        fake.request("POST", "/_fake/workspaces", b'{"name": "another", "error": []}')

        assert rules(fake) == (["identity_missing"], ["unknown_member"])
        assert rules(fake, "shop") == (["identity_missing"], ["unknown_member"])
        assert rules(fake, "another") == (["identity_missing"], [])


def test_the_rules_of_one_workspace_are_not_those_of_another(open_fake: OpenFake) -> None:
    with open_fake(credentials=[("key", None, "shop")]) as fake:
        change(fake, ignore=["attribute_nested"])
        fake.upload(NESTED)

        assert codes(fake) == ["attribute_nested"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"ignore": ["environment_mising"]}, "did you mean environment_missing?"),
        ({"error": ["Unknown-Member"]}, "did you mean unknown_member?"),
        ({"ignore": ["zzz"]}, "docs/findings.md lists them"),
        ({"ignore": ["event_type_missing"]}, "event_type_missing cannot be ignored"),
        ({"ignore": ["json_broken"]}, "json_broken cannot be ignored"),
        ({"ignore": ["unknown_member"], "error": ["unknown_member"]}, "both ignored and an error"),
        ({"ignore": "unknown_member"}, "ignore is the text 'unknown_member'; expected an array of codes of findings."),
        ({"error": [5]}, "error[0] does not fit; expected error to be an array of codes of findings."),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", "workspaces"), ("PUT", "workspaces/default")])
def test_wrong_rules_get_400_and_change_nothing(fake: Fake, method: str, path: str, wrong: Any, told: str) -> None:
    body = wrong | ({"name": "shop"} if method == "POST" else {"mode": "strict"})

    reply = fake.request(method, f"/_fake/{path}", json.dumps(body).encode())

    assert reply.status == 400
    assert told in reply.messages[0]
    assert [(item["name"], item["mode"], item["ignore"], item["error"]) for item in fake.items("workspaces")] == [
        ("default", "faithful", [], [])
    ]


# -- what a workspace remembers --------------------------------------------------------------------------------------------

ANOTHER = {"Authorization": "Basic YW5vdGhlcjpz"}
"""Credentials of the key `another`."""


def with_two_workspaces(open_fake: OpenFake) -> Any:
    return open_fake(credentials=[("key", None, "shop"), ("another", None, "branch")])


def send_names(fake: Fake, names: Iterable[str]) -> None:
    fake.upload(batch(events=[event(name) for name in names]))


def send_1000_names(fake: Fake) -> None:
    for block in range(10):
        send_names(fake, [f"Name {block}-{number}" for number in range(100)])


def test_the_1001st_event_name_of_a_workspace_is_told(fake: Fake) -> None:
    send_1000_names(fake)
    assert findings(fake) == []

    send_names(fake, ["Name 0-0", "One more"])

    (finding,) = findings(fake)
    assert (finding["code"], finding["pointer"]) == ("too_many_event_names", "/events/1/data/event_name")


def test_an_attribute_that_was_a_list_before_is_told(fake: Fake) -> None:
    fake.upload(batch(user_attributes={"sizes": ["M"], "plan": "gold"}))
    fake.upload(batch(user_attributes={"sizes": "M", "plan": "silver"}))

    (finding,) = findings(fake)
    assert (finding["code"], finding["pointer"]) == ("attribute_kind_changed", "/user_attributes/sizes")


def test_the_batches_of_a_bulk_request_are_remembered_in_their_order(fake: Fake) -> None:
    fake.upload([batch(user_attributes={"sizes": ["M"]}), batch(user_attributes={"sizes": "M"}), batch(events=[END])], BULK)

    found = [[finding["code"] for finding in item["findings"]] for item in fake.items("batches")]
    assert found == [[], ["attribute_kind_changed"], ["session_end_without_start"]]


LIST = batch(user_attributes={"sizes": ["M"]}, events=[START])
SINGLE = batch(user_attributes={"sizes": "M"}, events=[END])


def fail_next(fake: Fake) -> None:
    assert fake.request("PUT", "/_fake/faults", b'{"items": [{"status": 503}]}').status == 200


@pytest.mark.parametrize(
    "refused",
    [LIST | {"events": [START, {"data": {}}]}, LIST | {"source_request_id": "r1"}],
    ids=["refused", "duplicate"],
)
@pytest.mark.parametrize("bulk", [False, True])
def test_a_batch_that_is_not_taken_is_not_remembered(fake: Fake, refused: Any, bulk: bool) -> None:
    fake.upload(batch(source_request_id="r1"))

    fake.upload([batch(), refused] if bulk else refused, BULK if bulk else "/v2/events")
    fake.upload(SINGLE)

    assert codes(fake) == ["session_end_without_start"]


def test_a_batch_that_met_a_fault_is_remembered_once_it_arrives(fake: Fake) -> None:
    fail_next(fake)
    fake.upload(LIST)
    fake.upload(batch(user_attributes={"sizes": "M"}))
    assert codes(fake) == []

    fake.upload(LIST)

    assert codes(fake) == ["attribute_kind_changed"]


def test_what_strict_mode_refuses_is_not_remembered(open_fake: OpenFake) -> None:
    with open_fake(mode="strict") as fake:
        fake.upload(LIST | NESTED | {"user_attributes": {"sizes": ["M"], "a": {}}})
        fake.upload(batch(user_attributes={"sizes": "M"}))

        assert codes(fake) == []


def test_a_refused_batch_is_not_held_against_those_behind_it_in_its_request(fake: Fake) -> None:
    fake.upload([LIST | {"events": [START, {"data": {}}]}, SINGLE], BULK)

    assert codes(fake) == ["session_end_without_start"]


def test_the_end_of_an_earlier_session_does_not_differ_from_the_start_in_its_batch(fake: Fake) -> None:
    another = {"event_type": "session_start", "data": {"session_uuid": "8fc0cde4-1e1a-4e5b-9d55-0c60d1b1a0a0"}}
    fake.upload(batch(events=[START]))
    fake.upload(batch(events=[another, END]))

    assert findings(fake) == []


def test_a_deleted_attribute_may_come_back_as_another_kind(fake: Fake) -> None:
    fake.upload(batch(user_attributes={"sizes": ["M"]}))
    fake.upload(batch(deleted_user_attributes=["sizes"]))
    fake.upload(batch(user_attributes={"sizes": "M"}))

    assert findings(fake) == []


def test_after_a_restart_an_end_may_be_that_of_an_older_session(open_fake: OpenFake, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'kept.db'}"
    with open_fake(store=store) as fake:
        fake.upload(batch(events=[START]))

    with open_fake(store=store) as fake:
        fake.request("POST", "/_fake/workspaces", b'{"name": "shop", "inputs": [{"key": "another"}]}')
        fake.upload(batch(events=[END]))
        fake.upload(batch(events=[END]), **ANOTHER)

        assert [item["findings"] for item in fake.items("batches")] == [[], [], []]


def test_a_kept_store_that_was_emptied_begins_anew(open_fake: OpenFake, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'kept.db'}"
    with open_fake(store=store) as fake:
        fake.upload(batch(events=[START]))

    with open_fake(store=store) as fake:
        fake.request("DELETE", "/_fake/batches")
        fake.upload(batch(events=[END]))

        assert codes(fake) == ["session_end_without_start"]


def test_a_session_may_end_in_a_later_batch_than_it_started(fake: Fake) -> None:
    fake.upload(batch(events=[START]))
    fake.upload(batch(events=[END]))

    assert findings(fake) == []


def test_a_session_that_never_started_is_told(fake: Fake) -> None:
    fake.upload(batch(events=[event("Play"), END]))

    (finding,) = findings(fake)
    assert (finding["code"], finding["pointer"]) == ("session_end_without_start", "/events/1")


def test_a_workspace_knows_nothing_of_another(open_fake: OpenFake) -> None:
    with with_two_workspaces(open_fake) as fake:
        send_1000_names(fake)
        fake.upload(batch(events=[START], user_attributes={"sizes": ["M"]}))

        fake.upload(batch(events=[event("One more"), END], user_attributes={"sizes": "M"}), **ANOTHER)

        assert codes(fake) == ["session_end_without_start"]


def test_inputs_of_one_workspace_share_what_it_remembers(open_fake: OpenFake) -> None:
    with open_fake(credentials=[("key", None, "shop"), ("another", None, "shop")]) as fake:
        fake.upload(batch(events=[START]))
        fake.upload(batch(events=[END]), **ANOTHER)

        assert findings(fake) == []


def test_forgetting_begins_anew(fake: Fake) -> None:
    send_1000_names(fake)
    fake.upload(batch(events=[START], user_attributes={"sizes": ["M"]}))

    fake.request("DELETE", "/_fake/batches")
    fake.upload(batch(events=[event("One more"), END], user_attributes={"sizes": "M"}))

    assert codes(fake) == ["session_end_without_start"]


def test_forgetting_one_workspace_leaves_the_memory_of_others(open_fake: OpenFake) -> None:
    with with_two_workspaces(open_fake) as fake:
        fake.upload(batch(events=[START]))
        fake.upload(batch(events=[START]), **ANOTHER)

        fake.request("DELETE", "/_fake/batches?workspace=branch")
        fake.upload(batch(events=[END]))
        fake.upload(batch(events=[END]), **ANOTHER)

        found = [(item["workspace"], len(item["findings"])) for item in fake.items("batches")]
        assert found == [("shop", 0), ("shop", 0), ("branch", 1)]
