"""Profiles are a function of what was recorded: whoever reads it again, at once or after a restart, gets the same."""

import json
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mparticle_fake_server.endpoints import identity
from mparticle_fake_server.exchange import Answer, Submission, Waiting
from mparticle_fake_server.hosting import open_intake, tables
from mparticle_fake_server.idsync import Idsync
from mparticle_fake_server.idsync.profile import Profile
from mparticle_fake_server.idsync.replay import AT_ONCE, BYTES_AT_ONCE
from mparticle_fake_server.intake import canonical_batches
from mparticle_fake_server.recording import Recorder, RequestRecord
from tests.hosts import Fake, batch, flask_host
from tests.idsync.people import recorded_fake

IDENTITIES = st.dictionaries(
    st.sampled_from(["customerid", "email", "device_application_stamp", "push_token"]), st.sampled_from("abc"), min_size=1
)
NAMES = {"customerid": "customer_id", "email": "email", "device_application_stamp": "mp_deviceid"}


def ask(fake: Fake, action: str, known: dict[str, str]) -> dict[str, Any]:
    body = {"environment": "development", "known_identities": known}
    answer: dict[str, Any] = fake.request("POST", f"/v1/{action}", json.dumps(body).encode(), {"x-mp-key": "key"}).json
    return answer


def modify(fake: Fake, mpid: str, wire: str, value: str | None) -> None:
    changes = [{"old_value": None, "new_value": value, "identity_type": wire}]
    body = {"environment": "development", "identity_changes": changes}
    fake.request("POST", f"/v1/{mpid}/modify", json.dumps(body).encode(), {"x-mp-key": "key"})


def upload(fake: Fake, known: dict[str, str], **members: Any) -> None:
    user = {NAMES[wire]: value for wire, value in known.items() if wire in ("customerid", "email")}
    fake.upload(batch(user_identities=user or None, mp_deviceid=known.get("device_application_stamp"), **members))


@pytest.fixture
def fake() -> Iterator[Fake]:
    with flask_host() as opened:
        yield opened


# -- what a batch does -----------------------------------------------------------------------------------------------------


def test_a_batch_belongs_to_whom_its_identities_tell(fake: Fake) -> None:
    mpid = ask(fake, "identify", {"customerid": "a"})["mpid"]

    upload(fake, {"customerid": "a"}, user_attributes={"plan": "pro"})

    assert fake.ask(f"profiles/{mpid}")["user_attributes"] == {"plan": "pro"}


def test_a_batch_of_a_server_makes_the_profile_that_a_client_is_then_told(fake: Fake) -> None:
    upload(fake, {"customerid": "a"})

    mpid = ask(fake, "identify", {"customerid": "a"})["mpid"]

    assert [profile["mpid"] for profile in fake.items("profiles")] == [mpid]


def test_batches_and_identity_requests_count_in_the_order_in_which_they_came(fake: Fake) -> None:
    anonymous = ask(fake, "identify", {"device_application_stamp": "d"})["mpid"]
    upload(fake, {"customerid": "a", "device_application_stamp": "d"})
    logged_out = ask(fake, "identify", {"device_application_stamp": "d"})["mpid"]

    known, other = fake.items("profiles")

    assert (known["mpid"], known["identities"]) == (anonymous, {"customer_id": "a"})
    assert (other["mpid"], other["identities"]) == (logged_out, {})


@pytest.mark.parametrize("as_text", [False, True])
def test_a_batch_with_an_mpid_belongs_to_that_profile_whatever_its_identities_say(fake: Fake, as_text: bool) -> None:
    mpid = ask(fake, "identify", {"device_application_stamp": "d"})["mpid"]
    upload(fake, {"customerid": "a"})

    fake.upload(batch(mpid=mpid if as_text else int(mpid), user_identities={"customer_id": "a", "email": "e"}))

    mine, other = fake.items("profiles")
    assert (mine["mpid"], mine["batches"], mine["identities"]) == (mpid, 1, {"email": "e"})
    assert other["identities"] == {"customer_id": "a"}


def test_an_mpid_that_nobody_has_makes_a_profile_as_a_client_may_have_kept_it(fake: Fake) -> None:
    fake.upload(batch(mpid=-77, user_identities={"customer_id": "a"}))

    assert ask(fake, "identify", {"customerid": "a"})["mpid"] == "-77"


@pytest.mark.parametrize("mpid", [0, "0", 2**63, str(-(2**63) - 1), "abc", True, [], 1.5, "9" * 5000])
def test_a_batch_whose_mpid_is_none_is_told_by_its_identities(fake: Fake, mpid: Any) -> None:
    fake.upload(batch(mpid=mpid, user_identities={"customer_id": "a"}))

    (profile,) = fake.items("profiles")
    assert profile["identities"] == {"customer_id": "a"}


def test_a_batch_that_names_nobody_makes_no_profile(fake: Fake) -> None:
    fake.upload(batch(user_identities=None))

    assert fake.items("profiles") == []


@pytest.mark.parametrize("member", ["ios_advertising_id", "ios_idfv", "android_advertising_id", "fire_advertising_id"])
def test_an_advertising_id_that_the_user_does_not_allow_makes_nobody_of_two_devices_one(fake: Fake, member: str) -> None:
    info = {"platform": "iOS", member: "00000000-0000-0000-0000-000000000000"}
    stamps = ["5734d8dd-653d-4732-bc54-f167ba83cf81", "e5e4b36b-4fbb-44e8-8486-aeda90aa8ac3"]

    for stamp in stamps:
        upload(fake, {"device_application_stamp": stamp}, device_info=info)
    upload(fake, {}, device_info=info)

    assert [profile["device_ids"] for profile in fake.items("profiles")] == [{"mp_deviceid": [stamp]} for stamp in stamps]


def test_a_batch_that_production_would_drop_changes_nothing(fake: Fake) -> None:
    upload(fake, {"customerid": "a"}, source_request_id="r", user_attributes={"plan": "pro"})
    upload(fake, {"customerid": "a"}, source_request_id="r", user_attributes={"plan": "free"})
    fake.upload(batch(events=[{}], user_identities={"customer_id": "b"}))

    (profile,) = fake.items("profiles")
    assert (profile["user_attributes"], profile["batches"]) == ({"plan": "pro"}, 1)


def test_the_batches_of_a_bulk_request_count_in_their_order(fake: Fake) -> None:
    batches = [batch(user_identities={"customer_id": name}, user_attributes={"plan": plan}) for name, plan in ("ax", "by", "az")]

    fake.upload(batches, "/v2/bulkevents")

    assert [profile["user_attributes"]["plan"] for profile in fake.items("profiles")] == ["z", "y"]


def test_numbers_in_identities_are_read_as_their_digits(fake: Fake) -> None:
    fake.upload(batch(user_identities={"customer_id": 42, "email": True, "other": 10**50}))

    (profile,) = fake.items("profiles")
    assert profile["identities"] == {"customer_id": "42"}


def test_a_search_makes_no_profile_and_changes_none(fake: Fake) -> None:
    ask(fake, "identify", {"customerid": "a"})
    before = fake.items("profiles")

    ask(fake, "search", {"customerid": "a", "email": "e"})
    ask(fake, "search", {"customerid": "b"})

    assert fake.items("profiles") == before


# -- the same again --------------------------------------------------------------------------------------------------------


def test_a_server_that_goes_on_with_a_kept_store_has_the_same_profiles(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'kept.db'}"
    with flask_host(store=store) as fake:
        mpid = ask(fake, "identify", {"device_application_stamp": "d"})["mpid"]
        upload(fake, {"customerid": "a", "device_application_stamp": "d"}, user_attributes={"plan": "pro"})
        ask(fake, "logout", {"device_application_stamp": "d"})
        modify(fake, mpid, "email", "e")
        upload(fake, {"customerid": "b"})
        before = fake.items("profiles")

    with flask_host(store=store) as fake:
        known_again = ask(fake, "search", {"customerid": "a"})["mpid"]
        after = fake.items("profiles")

    assert len(before) == 3
    assert (known_again, after) == (mpid, before)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["identify", "login", "logout", "search"]), IDENTITIES),
        st.tuples(st.just("upload"), IDENTITIES),
        st.tuples(st.just("modify"), st.tuples(st.sampled_from(sorted(NAMES)), st.sampled_from(["a", "b", None]))),
        st.tuples(st.just("look"), st.none()),
    ),
    max_size=15,
)


@pytest.fixture(scope="module")
def recorded() -> Iterator[tuple[Fake, Recorder]]:
    with recorded_fake() as opened:
        yield opened


@settings(max_examples=200)
@given(STEPS)
def test_whenever_somebody_looks_the_profiles_are_what_the_records_give(
    recorded: tuple[Fake, Recorder], steps: list[tuple[str, Any]]
) -> None:
    fake, recorder = recorded
    fake.request("DELETE", "/_fake/batches")
    mpid = "1"

    for number, (step, what) in enumerate(steps):
        if step == "upload":
            upload(fake, what, user_attributes={f"a{number % 3}": number})
        elif step == "modify":
            modify(fake, mpid, *what)
        elif step == "look":
            fake.items("profiles")
        else:
            mpid = ask(fake, step, what).get("mpid", mpid)
    shown = fake.items("profiles?limit=1000")

    anew = Idsync()
    anew.catch_up(recorder, canonical_batches)
    again = [(str(profile.mpid), profile.identities, profile.batches) for profile in anew.of("default").after(0)]
    assert [(item["mpid"], item["identities"], item["batches"]) for item in shown] == again


def test_no_upload_comes_between_what_a_request_is_told_and_its_record(
    recorded: tuple[Fake, Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake, recorder = recorded
    uploads = []
    find = identity._find

    def find_while_somebody_uploads(*asked: Any) -> Profile | None:
        upload_of_another = Thread(target=upload, args=(fake, {"customerid": "a"}))
        upload_of_another.start()
        upload_of_another.join(0.2)
        uploads.append(upload_of_another)
        return find(*asked)

    monkeypatch.setattr(identity, "_find", find_while_somebody_uploads)
    ask(fake, "identify", {"customerid": "a"})
    uploads[0].join()

    assert [record.source for record in recorder.requests()][-2:] == ["identity", "events_api"]


# -- forgetting ------------------------------------------------------------------------------------------------------------


def test_what_is_forgotten_leaves_no_profile(fake: Fake) -> None:
    upload(fake, {"customerid": "a"})
    ask(fake, "identify", {"customerid": "b"})

    fake.request("DELETE", "/_fake/batches")

    assert fake.items("profiles") == []
    assert ask(fake, "search", {"customerid": "a"})["errors"][0]["code"] == "NOT_FOUND_ERROR"


@pytest.mark.parametrize("path", ["batches", "batches?workspace=default", "workspaces/default"])
def test_whoever_comes_while_others_are_forgotten_has_a_record_and_a_profile(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    comers: list[Thread] = []

    def somebody_comes(fake: Fake, name: str) -> None:
        comers.append(Thread(target=ask, args=(fake, "identify", {"customerid": name})))
        comers[-1].start()
        comers[-1].join(0.2)

    with recorded_fake() as (fake, recorder):
        forget = recorder.forget

        def forget_while_somebody_comes(workspace: str | None = None) -> int:
            somebody_comes(fake, "a")
            forgotten = forget(workspace)
            somebody_comes(fake, "b")
            return forgotten

        monkeypatch.setattr(recorder, "forget", forget_while_somebody_comes)
        fake.request("DELETE", f"/_fake/{path}")
        for comer in comers:
            comer.join()

        anew = Idsync()
        anew.catch_up(recorder, canonical_batches)
        kept = [profile.identities for profile in anew.of("default").after(0)]
        assert [profile["identities"] for profile in fake.items("profiles")] == kept


def test_a_batch_that_was_forgotten_before_anybody_looked_leaves_no_profile(fake: Fake) -> None:
    upload(fake, {"customerid": "a"})
    fake.request("DELETE", "/_fake/batches?workspace=default")
    upload(fake, {"customerid": "b"})

    (profile,) = fake.items("profiles")
    assert profile["identities"] == {"customer_id": "b"}


def test_forgetting_one_workspace_leaves_the_profiles_of_others() -> None:
    with flask_host(credentials=[("key", None, "mine"), ("other", None, "theirs")]) as fake:
        upload(fake, {"customerid": "a"})
        fake.upload(batch(), Authorization="Basic b3RoZXI6cw==")
        fake.items("profiles")

        fake.request("DELETE", "/_fake/batches?workspace=mine")

        assert [profile["workspace"] for profile in fake.items("profiles")] == ["theirs"]


def test_a_workspace_that_is_made_again_begins_without_profiles() -> None:
    with flask_host(credentials=[("key", None, "mine")]) as fake:
        ask(fake, "identify", {"customerid": "a"})
        fake.request("DELETE", "/_fake/workspaces/mine")
        fake.request("POST", "/_fake/workspaces", b'{"name": "mine", "inputs": [{"key": "key"}]}')

        assert fake.items("profiles") == []
        assert ask(fake, "search", {"customerid": "a"}).get("mpid") is None


@pytest.mark.parametrize("by_upload", [False, True])
def test_as_many_profiles_are_kept_as_batches(by_upload: bool) -> None:
    with flask_host(keep=5) as fake:
        for number in range(20):
            known = {"customerid": f"c{number}"}
            fake.upload(batch(user_identities={"customer_id": f"c{number}"})) if by_upload else ask(fake, "identify", known)
            fake.items("profiles")

        kept = [profile["identities"]["customer_id"] for profile in fake.items("profiles")]

    assert kept == ["c15", "c16", "c17", "c18", "c19"]


# -- records that cannot be read -------------------------------------------------------------------------------------------


def test_a_record_that_cannot_be_read_is_in_nobodys_way_for_ever(recorded: tuple[Fake, Recorder]) -> None:
    fake, recorder = recorded
    upload(fake, {"customerid": "a"})
    damaged = recorder.last_id()
    upload(fake, {"customerid": "b"})
    idsync = Idsync()

    def fail_once(record: RequestRecord) -> list[dict[str, Any]]:
        if record.id == damaged:
            raise ValueError("damaged")
        return canonical_batches(record)

    with pytest.raises(ValueError, match="damaged"):
        idsync.catch_up(recorder, fail_once)
    idsync.catch_up(recorder, fail_once)

    assert [profile.identities for profile in idsync.of("default").after(0)][-1] == {"customer_id": "b"}


def upload_three_parts(fake: Fake) -> None:
    """Forget what there is, and upload what takes three parts to read."""
    fake.request("DELETE", "/_fake/batches")
    for start in range(0, 3 * AT_ONCE, 100):
        many = [batch(user_identities={"customer_id": f"c{number}"}) for number in range(start, start + 100)]
        fake.upload(many, "/v2/bulkevents")


def test_a_backlog_is_read_in_parts_of_a_bounded_size(recorded: tuple[Fake, Recorder]) -> None:
    fake, recorder = recorded
    upload_three_parts(fake)
    idsync = Idsync()
    sizes = []

    while idsync.behind(recorder):
        idsync.approach(recorder, canonical_batches)
        sizes.append(len(idsync.of("default")))

    assert sizes[:3] == [AT_ONCE, 2 * AT_ONCE, 3 * AT_ONCE]


def test_who_uploads_without_a_break_does_not_keep_an_identity_request_waiting() -> None:
    handlers = {(row.method, row.path): row.handler for row in tables(open_intake())}

    def post(path: str, body: Any) -> Any:
        headers = [(b"x-mp-key", b"key"), (b"authorization", b"Basic a2V5OnNlY3JldA==")]
        return handlers["POST", path](Submission("POST", path, "", headers, json.dumps(body).encode()))

    def upload_more_than_is_read_at_once() -> None:
        for _ in range(3):
            post("/v2/bulkevents", [batch(user_identities={"customer_id": "a"})] * 100)

    for _ in range(20):
        upload_more_than_is_read_at_once()
    reply = post("/v1/identify", {"environment": "development", "known_identities": {"customerid": "a"}})
    looks = 0
    while isinstance(reply, Waiting) and looks < 100:
        upload_more_than_is_read_at_once()
        reply = reply.poll() or reply
        looks += 1

    assert isinstance(reply, Answer)
    assert 5 < looks < 30


def test_a_backlog_of_large_bodies_is_read_in_parts_too(recorded: tuple[Fake, Recorder]) -> None:
    fake, recorder = recorded
    fake.request("DELETE", "/_fake/batches")
    for number in range(3):
        upload(fake, {"customerid": f"c{number}"}, user_attributes={"story": "x" * BYTES_AT_ONCE})
    idsync = Idsync()

    idsync.approach(recorder, canonical_batches)

    assert len(idsync.of("default")) == 1


def test_what_is_forgotten_while_a_backlog_is_read_is_not_taken_in(recorded: tuple[Fake, Recorder]) -> None:
    fake, recorder = recorded
    upload_three_parts(fake)
    idsync = Idsync()
    idsync.approach(recorder, canonical_batches)

    recorder.forget()
    idsync.forget()
    idsync.catch_up(recorder, canonical_batches)

    assert len(idsync.of("default")) == 0


def test_a_store_is_read_once_however_many_parts_that_takes(recorded: tuple[Fake, Recorder]) -> None:
    fake, recorder = recorded
    upload_three_parts(fake)
    idsync = Idsync()

    with patch.object(recorder, "requests", wraps=recorder.requests) as requests:
        idsync.catch_up(recorder, canonical_batches)

    assert requests.call_count == 1
    assert len(idsync.of("default")) == 3 * AT_ONCE


def test_nothing_is_left_to_read_when_the_newest_was_forgotten(recorded: tuple[Fake, Recorder]) -> None:
    fake, recorder = recorded
    upload(fake, {"customerid": "a"})
    fake.request("DELETE", "/_fake/batches")
    idsync = Idsync()

    idsync.approach(recorder, canonical_batches)

    assert (idsync.behind(recorder), len(idsync.of("default"))) == (0, 0)


def test_what_the_newest_request_led_to_is_returned(recorded: tuple[Fake, Recorder]) -> None:
    fake, recorder = recorded
    fake.request("DELETE", "/_fake/batches")
    ask(fake, "identify", {"customerid": "a"})
    idsync = Idsync()

    resolved = idsync.catch_up(recorder, canonical_batches)

    assert resolved is not None
    assert isinstance(resolved.profile, Profile)
    assert (resolved.profile.identities, resolved.matched, resolved.is_logged_in) == ({"customer_id": "a"}, {}, True)
