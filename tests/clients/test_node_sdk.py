"""The official Node SDK, unmodified: what it does that others do not (`protocol/events-api.md §8, §10`), and how it is pinned."""

import json
import re
from pathlib import Path

import pytest

from tests.clients.harness import HERE, Step, exact


def test_a_crash_report_arrives_as_one(node_steps: dict[str, Step]) -> None:
    (item,) = node_steps["every event type"].batches

    (crash,) = [event for event in item["batch"]["events"] if "stack_trace" in event["data"]]

    assert crash["event_type"] == "crash_report"


def test_the_mpid_arrives_as_the_double_that_javascript_has(node_steps: dict[str, Step]) -> None:
    (item,) = node_steps["every event type"].batches

    assert exact(item["batch"]["mpid"]) == "600868121729048600"


def test_a_null_is_kept_and_an_undefined_left_out(node_steps: dict[str, Step]) -> None:
    (item,) = node_steps["every event type"].batches

    (promotion,) = [event["data"] for event in item["batch"]["events"] if "promotion_action" in event["data"]]

    assert item["batch"]["user_attributes"]["nothing"] is None
    assert "product_action" not in promotion


def test_credentials_that_were_never_set_leave_an_empty_header_and_get_401(node_steps: dict[str, Step]) -> None:
    step = node_steps["no credentials"]

    assert step.status == 401
    assert "sends an empty header" in (step.error or "")


def test_an_empty_batch_is_an_object_without_members_and_is_taken(node_steps: dict[str, Step]) -> None:
    step = node_steps["empty batch"]

    assert (step.status, step.request["body"]) == (202, "{}")
    assert [item["batch"] for item in step.batches] == [{}]


def test_an_empty_bulk_is_a_request_with_no_batches(node_steps: dict[str, Step]) -> None:
    step = node_steps["empty bulk"]

    assert (step.status, step.request["body"]) == (202, "[]")
    assert step.batches == []


def test_events_that_were_set_and_not_added_get_400(node_steps: dict[str, Step]) -> None:
    step = node_steps["without event type"]

    assert step.status == 400
    assert "events[0].event_type is missing" in (step.error or "")


# -- the package -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder() -> Path:
    return HERE / "node"


def test_the_version_of_the_sdk_is_pinned(folder: Path) -> None:
    wanted = json.loads((folder / "package.json").read_bytes())["dependencies"]["mparticle"]

    locked = json.loads((folder / "package-lock.json").read_bytes())["packages"]["node_modules/mparticle"]["version"]

    assert re.fullmatch(r"\d+\.\d+\.\d+", wanted)
    assert locked == wanted


def test_the_lock_file_names_no_place_to_download_from(folder: Path) -> None:
    packages = json.loads((folder / "package-lock.json").read_bytes())["packages"]

    assert not [name for name, package in packages.items() if "resolved" in package]
    assert all("integrity" in package for name, package in packages.items() if name)
