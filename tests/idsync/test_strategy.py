"""The default strategy: who is found by which identities, step by step as mParticle documents it."""

import pytest

from mparticle_fake_server.idsync.strategy import DEFAULT, DEFAULT_PRIORITY, Strategy
from tests.idsync.people import People

EXAMPLE = Strategy("conversion", ("customer_id", "email", "ios_idfv"), ("customer_id", "email"))
"""The priority list of the worked example in mParticle's guide."""


def test_the_worked_example_gives_the_documented_profiles() -> None:
    people = People(EXAMPLE)

    first = people.identify(ios_idfv="9")
    logged_in = people.login(customer_id="A", email="e", ios_idfv="9")
    logged_out = people.logout(ios_idfv="9")
    on_another_device = people.login(customer_id="A")
    roku = people.identify(roku_advertising_id="8")
    at_the_roku = people.login(customer_id="A", roku_advertising_id="8")

    assert logged_in is first
    assert first.identities == {"customer_id": "A", "email": "e"}
    assert logged_out is not first
    assert on_another_device is first
    assert roku not in (first, logged_out)
    assert at_the_roku is first
    assert first.device_ids == {"ios_idfv": ["9"], "roku_advertising_id": ["8"]}


def test_a_new_login_id_is_added_to_the_anonymous_profile_of_the_device() -> None:
    people = People()
    anonymous = people.identify(mp_deviceid="d")

    assert people.login(mp_deviceid="d", customer_id="A") is anonymous


def test_a_known_login_id_is_found_on_a_new_device_which_its_profile_gains() -> None:
    people = People()
    known = people.login(customer_id="A", mp_deviceid="d1")

    assert people.login(customer_id="A", mp_deviceid="d2") is known
    assert known.device_ids == {"mp_deviceid": ["d1", "d2"]}


def test_a_logout_gives_another_mpid() -> None:
    people = People()
    known = people.login(customer_id="A", mp_deviceid="d")

    assert people.logout(mp_deviceid="d").mpid != known.mpid


def test_the_next_person_on_the_device_takes_the_anonymous_profile_and_not_the_one_of_the_last() -> None:
    people = People()
    ada = people.login(customer_id="A", mp_deviceid="d")
    anonymous = people.logout(mp_deviceid="d")

    bob = people.login(customer_id="B", mp_deviceid="d")

    assert bob is anonymous
    assert ada.identities == {"customer_id": "A"}


def test_a_profile_with_a_login_id_is_not_returned_to_who_knows_its_email_alone() -> None:
    people = People()
    people.login(customer_id="A", email="a@example.com")

    assert people.search(email="a@example.com") is None


def test_a_profile_without_a_login_id_is_returned_to_who_knows_its_email() -> None:
    people = People()
    profile = people.identify(email="a@example.com")

    assert people.search(email="a@example.com", customer_id="new") is profile


@pytest.mark.parametrize("stronger", DEFAULT_PRIORITY[:-1])
def test_an_identity_counts_for_more_than_any_that_follows_it_in_the_list(stronger: str) -> None:
    people = People()
    by_the_stronger = people.identify(**{stronger: "x"})
    weaker = dict.fromkeys(DEFAULT_PRIORITY[DEFAULT_PRIORITY.index(stronger) + 1 :], "y")
    others = [people.profiles.make(2 + number, number, {}) for number in range(len(weaker))]
    for profile, (name, value) in zip(others, weaker.items(), strict=True):
        people.profiles.add(profile, {name: value})

    assert people.search(**weaker, **{stronger: "x"}) is by_the_stronger


def test_the_next_type_breaks_the_tie_of_several() -> None:
    people = People()
    first = people.profiles.make(1, 1, {})
    second = people.profiles.make(2, 2, {"other": "o2"})
    people.profiles.add(first, {"email": "shared", "other": "o1"})
    people.profiles.add(second, {"email": "shared", "other": "o2"})

    found = [people.search(email="shared", other="o1"), people.search(email="shared", other="o2")]

    assert found == [first, second]


def test_a_type_that_none_of_several_has_leaves_the_tie_for_the_one_after_it() -> None:
    people = People()
    first = people.profiles.make(1, 1, {})
    second = people.profiles.make(2, 2, {"x": ""})
    people.profiles.add(first, {"email": "shared", "mp_deviceid": "d1"})
    people.profiles.add(second, {"email": "shared", "mp_deviceid": "d2"})

    assert people.search(email="shared", other="nobody", mp_deviceid="d1") is first


def test_of_several_that_nothing_tells_apart_the_one_seen_last_is_returned() -> None:
    people = People()
    first = people.profiles.make(1, 1, {})
    second = people.profiles.make(2, 2, {"x": ""})
    people.profiles.add(first, {"email": "shared"})
    people.profiles.add(second, {"email": "shared"})
    second.see(1, 1)
    first.see(2, 2)

    assert people.search(email="shared") is first


def test_a_type_outside_the_list_finds_nobody() -> None:
    people = People()
    first = people.identify(other_id_2="x")

    assert people.identify(other_id_2="x") is not first


def test_a_profile_with_an_immutable_id_is_only_returned_to_who_knows_it() -> None:
    people = People(Strategy("custom", ("email", "other"), (), (), ("other",)))
    profile = people.identify(email="a", other="o")

    found = [people.search(email="a"), people.search(email="a", other="o")]

    assert found == [None, profile]


def test_without_login_ids_identifiers_just_accumulate() -> None:
    people = People(Strategy("best match", DEFAULT_PRIORITY, (), ()))
    profile = people.identify(customer_id="A", mp_deviceid="d")

    assert people.identify(mp_deviceid="d", email="e") is profile
    assert people.search(email="e") is profile


def test_a_known_person_is_found_by_another_type_first_in_the_list_too() -> None:
    people = People(Strategy("custom", ("email", "customer_id")))
    profile = people.identify(customer_id="A", email="e")

    found = [people.search(email="e"), people.search(email="e", customer_id="A")]

    assert found == [None, profile]


def test_the_default_strategy_knows_people_by_their_customer_id() -> None:
    assert (DEFAULT.login_ids, DEFAULT.unique_ids, DEFAULT.immutable_ids) == (("customer_id",), ("customer_id",), ())
