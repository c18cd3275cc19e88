"""`/_fake/profiles`: who is listed, filters, pages, single profiles, and who may ask."""

import json
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from mparticle_fake_server.idsync import Idsync
from mparticle_fake_server.recording import Recorder
from tests.hosts import Fake, OpenFake, batch

OTHER = "Basic b3RoZXI6cw=="
"""The key `other`."""


def identify(fake: Fake, **identities: str) -> str:
    body = {"environment": "development", "known_identities": identities}
    mpid: str = fake.request("POST", "/v1/identify", json.dumps(body).encode(), {"x-mp-key": "key"}).json["mpid"]
    return mpid


def fill(fake: Fake) -> list[str]:
    """Three profiles of one workspace; returns their mpids."""
    return [identify(fake, customerid=f"c{number}", email=f"c{number}@x.test", ios_idfv="shared") for number in range(3)]


def people(fake: Fake, **filters: str) -> list[str]:
    return [item["identities"]["customer_id"] for item in fake.items("profiles?" + urlencode(filters))]


def refusal(fake: Fake, path: str) -> tuple[int, str]:
    reply = fake.request("GET", f"/_fake/{path}")
    return reply.status, reply.messages[0]


def test_an_empty_page_tells_that_nothing_is_known_of_its_workspace(fake: Fake) -> None:
    fill(fake)

    assert fake.ask("profiles?workspace=defualt") == {
        "items": [],
        "next": None,
        "hint": "No workspace 'defualt' is known. Did you mean default? There are: default.",
    }


@pytest.mark.parametrize("question", ["profiles", "profiles?workspace=default"])
def test_an_empty_page_of_a_known_workspace_is_just_empty(fake: Fake, question: str) -> None:
    assert fake.ask(question) == {"items": [], "next": None}


def test_a_profile_shows_everything_that_is_known_of_somebody(fake: Fake) -> None:
    mpid = identify(fake, customerid="c1", device_application_stamp="d1")
    before = fake.items("profiles")[0]
    fake.upload(
        batch(
            mp_deviceid="e5e4b36b-4fbb-44e8-8486-aeda90aa8ac3",
            device_info={"platform": "web", "screen_width": 800},
            user_attributes={"plan": "pro", "sizes": ["S", "M"], "vip": None, "gone": 1},
            consent_state={"gdpr": {"ads": {"consented": True}}},
        )
    )
    fake.upload(batch(deleted_user_attributes=["gone"]))

    (profile,) = fake.items("profiles")

    times = {name: profile.pop(name) for name in ("first_seen_ms", "last_seen_ms")}
    (device,) = profile.pop("devices")
    assert profile == {
        "id": "1",
        "mpid": mpid,
        "workspace": "default",
        "is_logged_in": True,
        "identities": {"customer_id": "c1"},
        "device_ids": {"mp_deviceid": ["d1", "e5e4b36b-4fbb-44e8-8486-aeda90aa8ac3"]},
        "user_attributes": {"plan": "pro", "sizes": ["S", "M"], "vip": None},
        "consent_state": {"gdpr": {"ads": {"consented": True}}},
        "batches": 2,
    }
    assert (device["mp_deviceid"], device["device_info"]["platform"]) == ("e5e4b36b-4fbb-44e8-8486-aeda90aa8ac3", "web")
    assert before["first_seen_ms"] == times["first_seen_ms"] <= device["first_seen_ms"] <= times["last_seen_ms"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["c0", "c1", "c2"]),
        ({"identity": "customer_id:c1"}, ["c1"]),
        ({"identity": "customerid:c1"}, ["c1"]),
        ({"identity": "email:c2@x.test"}, ["c2"]),
        ({"identity": "ios_idfv:shared"}, ["c0", "c1", "c2"]),
        ({"identity": "other:c1"}, []),
        ({"identity": "other:with:colons"}, []),
        ({"workspace": "default"}, ["c0", "c1", "c2"]),
        ({"workspace": "nowhere"}, []),
        ({"after": "1"}, ["c1", "c2"]),
        ({"after": "1", "limit": "1"}, ["c1"]),
        ({"mpid": "1"}, []),
    ],
)
def test_filters_select_profiles(fake: Fake, filters: dict[str, str], expected: list[str]) -> None:
    fill(fake)

    assert people(fake, **filters) == expected


def test_an_mpid_selects_one_profile(fake: Fake) -> None:
    mpids = fill(fake)

    assert people(fake, mpid=mpids[1]) == ["c1"]
    assert people(fake, mpid=mpids[1], after="2") == []


def test_pages_have_every_profile_once(fake: Fake) -> None:
    fill(fake)
    found, after = [], "0"

    while after:
        page: dict[str, Any] = fake.ask(f"profiles?limit=2&after={after}")
        found += [item["identities"]["customer_id"] for item in page["items"]]
        after = page["next"]

    assert found == ["c0", "c1", "c2"]


def test_a_full_last_page_has_none_after_it(fake: Fake) -> None:
    fill(fake)

    assert fake.ask("profiles?limit=3")["next"] is None


def test_the_profiles_of_all_workspaces_come_in_the_order_in_which_they_were_made(open_fake: OpenFake) -> None:
    with open_fake(credentials=[("key", None, "mine"), ("other", None, "theirs")]) as fake:
        for number in range(4):
            fake.upload(batch(user_identities={"customer_id": f"c{number}"}), **({"Authorization": OTHER} if number % 2 else {}))

        assert people(fake) == ["c0", "c1", "c2", "c3"]
        assert people(fake, workspace="theirs") == ["c1", "c3"]


def test_who_uploads_without_a_break_does_not_keep_a_list_waiting(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    approach = Idsync.approach
    looks = 0

    def approach_while_somebody_uploads(idsync: Idsync, recorder: Recorder, *how: Any) -> Any:
        nonlocal looks
        looks += 1
        assert looks < 10
        resolved = approach(idsync, recorder, *how)
        known = next(recorder.requests())
        recorder.record([msgspec.structs.replace(known)])
        return resolved

    identify(fake, customerid="a")
    fake.upload(batch(user_identities={"customer_id": "b"}))
    with monkeypatch.context() as patched:
        patched.setattr(Idsync, "approach", approach_while_somebody_uploads)
        found = people(fake)

    assert found == ["a", "b"]


def test_one_profile_is_found_by_its_mpid(fake: Fake) -> None:
    fake.upload(batch(mpid=-77))

    assert fake.ask("profiles/-77")["identities"] == {"customer_id": "c1"}


def test_an_mpid_of_two_workspaces_needs_the_name_of_one(open_fake: OpenFake) -> None:
    with open_fake(credentials=[("key", None, "mine"), ("other", None, "theirs")]) as fake:
        fake.upload(batch(mpid=5))
        fake.upload(batch(mpid=5, user_identities={"email": "e@x.test"}), Authorization=OTHER)

        status, message = refusal(fake, "profiles/5")
        theirs = fake.ask("profiles/5?workspace=theirs")

    assert (status, message) == (
        400,
        "The workspaces 'mine', 'theirs' have a profile 5 each; name one with ?workspace=NAME.",
    )
    assert theirs["identities"] == {"email": "e@x.test"}


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("profiles/5", 404, "There is no profile 5."),
        ("profiles/abc", 400, "The mpid is 'abc'"),
        ("profiles/9223372036854775808", 400, "signed 64-bit integer"),
        ("profiles?mpid=x", 400, "The mpid is 'x'"),
        ("profiles?identity=customer_id", 400, "expected TYPE:VALUE"),
        ("profiles?identity=custmer_id:c1", 400, "Did you mean customer_id?"),
        ("profiles?limit=0", 400, "limit is 0"),
        ("profiles?limit=1001", 400, "from 1 to 1000"),
        ("profiles?limit=many", 400, "limit is 'many'"),
        ("profiles?after=1.0", 400, "after is '1.0'"),
        ("profiles?wokspace=x", 400, "Did you mean workspace?"),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(fake: Fake, path: str, status: int, said: str) -> None:
    got, message = refusal(fake, path)

    assert got == status
    assert said in message


@pytest.mark.parametrize("path", ["profiles", "profiles/5"])
def test_a_page_of_another_origin_may_not_ask(fake: Fake, path: str) -> None:
    reply = fake.request("GET", f"/_fake/{path}", headers={"Origin": "https://evil.example"})

    assert reply.status == 403
    assert "access-control-allow-origin" not in reply.headers


def test_a_server_with_a_token_wants_it(open_fake: OpenFake) -> None:
    with open_fake(token="t0ken") as fake:
        assert fake.request("GET", "/_fake/profiles").status == 401
        assert fake.ask("profiles?token=t0ken") == {"items": [], "next": None}
