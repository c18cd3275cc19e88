"""Finding the row of a request without a framework: by its whole path, or by a path with an API key in it."""

import pytest

from mparticle_fake_server.exchange import Answer, Endpoint
from mparticle_fake_server.routing import MOST_REMEMBERED, Directory, Place


def row(path: str) -> Endpoint:
    return Endpoint("POST", path, lambda _: Answer(202, []))


EVENTS, WEB, NATIVE = row("/v2/events"), row("/v3/JS/<key>/events"), row("/v2/<key>/events")


@pytest.fixture
def directory() -> Directory:
    return Directory([EVENTS, WEB, NATIVE])


def test_a_path_without_variable_parts_is_found(directory: Directory) -> None:
    assert directory[b"/v2/events"] == Place(EVENTS, "/v2/events", {})


@pytest.mark.parametrize("key", ["us1-0a1b", "JS", "events", "A_b.c~d"])
def test_a_path_with_a_key_in_it_is_found_with_the_key(directory: Directory, key: str) -> None:
    target = f"/v2/{key}/events"

    assert directory[target.encode()] == Place(NATIVE, target, {"key": key})
    assert directory[f"/v3/JS/{key}/events".encode()] == Place(WEB, f"/v3/JS/{key}/events", {"key": key})


@pytest.mark.parametrize(
    "target",
    [
        "/v2/event",
        "/v2//events",
        "/v2/a/b/events",
        "/v2/key/events/",
        "/V2/key/events",
        "/v3/js/key/events",
        "/v2/k%41y/events",
        "/v2/key/events?a=b",
        "//v2/key/events",
        "/v2/kéy/events",
        "/v2/" + "k" * 201 + "/events",
        "/v2/key/events\n",
        "",
    ],
)
def test_another_target_is_left_to_whoever_knows_more(directory: Directory, target: str) -> None:
    assert directory[target.encode()] is None


def test_what_was_found_once_is_the_same_again(directory: Directory) -> None:
    assert directory[b"/v2/key/events"] is directory[b"/v2/key/events"]


def test_no_more_is_remembered_than_there_is_room_for(directory: Directory) -> None:
    found = [directory[f"/v2/key-{number}/events".encode()] for number in range(MOST_REMEMBERED + 500)]

    assert all(place is not None for place in found)
    assert len(directory) == MOST_REMEMBERED
    assert directory[b"/v2/events"] == Place(EVENTS, "/v2/events", {})


def test_what_is_not_found_is_not_remembered(directory: Directory) -> None:
    for number in range(10):
        assert directory[f"/nothing/{number}".encode()] is None

    assert len(directory) == 1
