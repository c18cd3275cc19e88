"""Folding batches into a profile: attributes in time order, deletions, consent, devices, first and last seen."""

from typing import Any

import pytest

from mparticle_fake_server.idsync.profile import MOST_ATTRIBUTES, MOST_DEVICES, MOST_REGULATIONS, Profile

NOW = 1_795_000_000_000


def folded(*batches: dict[str, Any]) -> Profile:
    """A profile after these batches, which came a second apart."""
    profile = Profile(1, 1)
    for number, batch in enumerate(batches):
        profile.fold(batch, NOW + 1000 * number, number + 1)
    return profile


def at(seconds: int, **members: Any) -> dict[str, Any]:
    """A batch that says when it was made, in seconds before NOW."""
    return {"timestamp_unixtime_ms": NOW - 1000 * seconds} | members


def attributes(profile: Profile) -> dict[str, Any]:
    return {name: stamped.value for name, stamped in profile.attributes.items() if not stamped.deleted}


def removed(name: str) -> dict[str, Any]:
    return {"event_type": "user_attribute_change", "data": {"user_attribute_name": name, "new": None, "deleted": True}}


def test_attributes_of_all_batches_are_gathered() -> None:
    profile = folded({"user_attributes": {"plan": "pro"}}, {"user_attributes": {"city": "Bern"}})

    assert attributes(profile) == {"plan": "pro", "city": "Bern"}


def test_the_batch_of_the_later_time_counts_whichever_came_first() -> None:
    profile = folded(at(10, user_attributes={"plan": "new"}), at(20, user_attributes={"plan": "old"}))

    assert attributes(profile) == {"plan": "new"}


def test_of_two_batches_of_one_time_the_later_one_counts() -> None:
    profile = folded(at(10, user_attributes={"plan": "first"}), at(10, user_attributes={"plan": "second"}))

    assert attributes(profile) == {"plan": "second"}


@pytest.mark.parametrize("time", [NOW + 10**9, 1_795_000_000, "1795000000000", True, None, 10**400])
def test_a_batch_whose_time_cannot_be_is_taken_for_one_of_its_receipt(time: Any) -> None:
    profile = folded(at(1, user_attributes={"plan": "old"}), {"timestamp_unixtime_ms": time, "user_attributes": {"plan": "new"}})

    assert attributes(profile) == {"plan": "new"}
    assert profile.last_seen_ms == NOW + 1000


def test_a_list_takes_the_place_of_a_list() -> None:
    profile = folded({"user_attributes": {"sizes": ["S", "M"]}}, {"user_attributes": {"sizes": ["L"]}})

    assert attributes(profile) == {"sizes": ["L"]}


def test_null_is_an_attribute_without_a_value() -> None:
    profile = folded({"user_attributes": {"vip": None}})

    assert attributes(profile) == {"vip": None}


def test_a_deleted_attribute_is_gone() -> None:
    profile = folded({"user_attributes": {"plan": "pro", "city": "Bern"}}, {"deleted_user_attributes": ["plan", "never"]})

    assert attributes(profile) == {"city": "Bern"}


def test_an_older_batch_that_comes_late_does_not_bring_back_what_was_deleted() -> None:
    profile = folded(at(10, deleted_user_attributes=["plan"]), at(20, user_attributes={"plan": "pro"}))

    assert attributes(profile) == {}


def test_a_deleted_attribute_can_be_set_again() -> None:
    profile = folded(at(20, deleted_user_attributes=["plan"]), at(10, user_attributes={"plan": "pro"}))

    assert attributes(profile) == {"plan": "pro"}


def test_the_web_sdk_deletes_an_attribute_by_an_event() -> None:
    profile = folded(
        {"user_attributes": {"plan": "pro", "city": "Bern"}}, {"user_attributes": {"city": "Bern"}, "events": [removed("plan")]}
    )

    assert attributes(profile) == {"city": "Bern"}


def test_an_attribute_that_was_deleted_and_set_again_in_one_batch_is_there() -> None:
    profile = folded({"user_attributes": {"plan": "pro"}, "events": [removed("plan")]})

    assert attributes(profile) == {"plan": "pro"}


def test_consent_is_kept_by_regulation_and_purpose_each_with_the_latest_state() -> None:
    yes, no = {"consented": True}, {"consented": False}
    profile = folded(
        at(10, consent_state={"gdpr": {"ads": yes, "maps": yes}}),
        at(20, consent_state={"gdpr": {"ads": no}, "ccpa": {"data_sale_opt_out": yes}}),
        at(5, consent_state={"gdpr": {"maps": no}, "ccpa": {}}),
    )

    assert {name: {purpose: state.value for purpose, state in states.items()} for name, states in profile.consent.items()} == {
        "gdpr": {"ads": yes, "maps": no},
        "ccpa": {"data_sale_opt_out": yes},
    }


def test_a_bounded_number_of_attributes_is_kept_those_set_last() -> None:
    names = [f"a{number}" for number in range(MOST_ATTRIBUTES)]

    profile = folded(
        at(9, user_attributes={"old": 1}), at(8, user_attributes=dict.fromkeys(names, 1)), at(7, user_attributes={"new": 1})
    )

    assert list(attributes(profile)) == [*names[1:], "new"]


def test_a_bounded_number_of_purposes_and_regulations_is_kept() -> None:
    purposes = {f"p{number}": {"consented": True} for number in range(MOST_ATTRIBUTES + 5)}

    profile = folded({"consent_state": {f"r{number}": purposes for number in range(MOST_REGULATIONS + 5)}})

    assert [len(states) for states in profile.consent.values()] == [MOST_ATTRIBUTES] * MOST_REGULATIONS


def test_a_device_is_told_by_its_mp_deviceid_and_keeps_what_it_said_last() -> None:
    profile = folded(
        at(20, mp_deviceid="d1", device_info={"platform": "web", "screen_width": 1}),
        at(10, mp_deviceid="d2", device_info={"platform": "iOS"}),
        at(5, mp_deviceid="d1", device_info={"platform": "web", "screen_width": 2}),
        at(30, mp_deviceid="d1", device_info={"platform": "old"}),
        at(1, mp_deviceid="d1"),
    )

    first, second = profile.devices.values()
    assert (first.mp_deviceid, first.device_info) == ("d1", {"platform": "web", "screen_width": 2})
    assert (first.first_seen_ms, first.last_seen_ms) == (NOW - 30_000, NOW - 1000)
    assert second.mp_deviceid == "d2"


def test_a_device_without_an_mp_deviceid_is_told_by_another_id() -> None:
    phones = [{"device_info": {"ios_idfv": idfv, "platform": "iOS"}} for idfv in ("a", "b", "a")]

    assert len(folded(*phones).devices) == 2


def test_a_bounded_number_of_devices_is_kept_those_seen_last() -> None:
    profile = folded(*({"mp_deviceid": f"d{number}"} for number in range(MOST_DEVICES + 3)))

    assert list(profile.devices)[:: MOST_DEVICES - 1] == ["d3", f"d{MOST_DEVICES + 2}"]


def test_first_and_last_seen_are_the_earliest_and_the_latest_time_of_a_batch() -> None:
    profile = folded(at(50), at(90), at(70))

    assert (profile.first_seen_ms, profile.last_seen_ms, profile.batches) == (NOW - 90_000, NOW - 50_000, 3)


@pytest.mark.parametrize("wrong", [None, 5, "text", [], [1], {"a": 1}, True])
def test_members_of_a_wrong_type_are_passed_over(wrong: Any) -> None:
    members = ("deleted_user_attributes", "consent_state", "device_info", "mp_deviceid", "events", "timestamp_unixtime_ms")

    profile = folded(dict.fromkeys(members, wrong), {"events": [wrong, {"event_type": "user_attribute_change", "data": wrong}]})

    assert (profile.batches, profile.attributes) == (2, {})
