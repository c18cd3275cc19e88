"""Profiles: what identify adds, what modify changes, mpids, and how many are kept."""

import random
import time

from mparticle_fake_server.idsync.identity_types import DEVICE
from mparticle_fake_server.idsync.profile import MOST_DEVICES
from mparticle_fake_server.idsync.profiles import Change
from tests.idsync.people import People


def test_identify_does_not_change_an_identity() -> None:
    people = People()
    profile = people.identify(customer_id="A", email="old")

    people.identify(customer_id="A", email="new")

    assert profile.identities["email"] == "old"


def test_identify_does_not_take_anothers_unique_identity() -> None:
    people = People()
    ada = people.identify(customer_id="A")
    # Two who are looked up by mpid, as a batch with one is.
    other = people.profiles.make(9, 9, {})

    people.profiles.add(other, {"customer_id": "A", "email": "e"})

    assert other.identities == {"email": "e"}
    assert people.search(customer_id="A") is ada


def test_modify_adds_an_identity_by_which_the_profile_is_found() -> None:
    people = People()
    profile = people.identify(mp_deviceid="d")

    people.modify(profile, customer_id="A")

    assert people.search(customer_id="A") is profile


def test_modify_changes_an_identity_and_the_old_one_finds_nobody() -> None:
    people = People()
    profile = people.identify(email="old")

    people.modify(profile, email="new")

    assert (people.search(email="old"), people.search(email="new")) == (None, profile)


def test_modify_removes_an_identity() -> None:
    people = People()
    profile = people.identify(email="e", other="o")

    people.modify(profile, email=None)

    assert profile.identities == {"other": "o"}
    assert people.search(email="e") is None


def test_modify_takes_a_unique_identity_from_whoever_has_it() -> None:
    people = People()
    ada = people.identify(customer_id="A", email="a")
    bob = people.identify(customer_id="B")

    people.modify(bob, customer_id="A")

    assert ada.identities == {"email": "a"}
    assert people.search(customer_id="A") is bob
    assert people.search(customer_id="B") is None


def test_who_lost_the_login_id_is_found_by_the_rest_again() -> None:
    people = People()
    ada = people.identify(customer_id="A", email="a")
    people.modify(people.identify(customer_id="B"), customer_id="A")

    assert people.search(email="a") is ada


def test_modify_leaves_an_identity_to_others_that_is_not_unique() -> None:
    people = People()
    ada = people.identify(customer_id="A", email="shared")
    bob = people.identify(customer_id="B")

    people.modify(bob, email="shared")

    assert (ada.identities["email"], bob.identities["email"]) == ("shared", "shared")


def test_modify_changes_one_of_several_devices() -> None:
    people = People()
    profile = people.identify(customer_id="A", push_token="old")
    people.identify(customer_id="A", push_token="other")

    people.profiles.modify(profile, [Change("push_token", "old", "new"), Change("mp_deviceid", "never", None)])

    assert profile.device_ids == {"push_token": ["other", "new"]}


def test_the_last_device_id_of_a_type_leaves_nothing_behind() -> None:
    people = People()
    profile = people.identify(customer_id="A", push_token="p")

    people.profiles.modify(profile, [Change("push_token", "p", None)])

    assert profile.device_ids == {}


def test_a_profile_keeps_a_bounded_number_of_devices_the_newest() -> None:
    people = People()

    for number in range(MOST_DEVICES + 5):
        profile = people.identify(customer_id="A", mp_deviceid=f"d{number}")

    assert profile.device_ids["mp_deviceid"][:: MOST_DEVICES - 1] == ["d5", f"d{MOST_DEVICES + 4}"]


# -- mpids -----------------------------------------------------------------------------------------------------------------


def test_the_same_person_gets_the_same_mpid_whoever_came_before() -> None:
    people, others = People(), People()
    others.identify(customer_id="B")

    assert people.identify(customer_id="A").mpid == others.identify(customer_id="A").mpid


def test_an_mpid_does_not_change_between_versions() -> None:
    # Suites may have it in their snapshots.
    assert People().identify(customer_id="A").mpid == 8293464200475008097


def test_another_seed_gives_other_mpids_and_another_workspace_does_not() -> None:
    mpids = [people.identify(customer_id="A").mpid for people in (People(), People(seed=1), People(workspace="another"))]

    assert mpids[0] == mpids[2] != mpids[1]


def test_mpids_are_signed_integers_of_64_bits() -> None:
    people = People()

    mpids = [people.identify(customer_id=f"c{number}").mpid for number in range(200)]

    assert all(-(2**63) <= mpid < 2**63 for mpid in mpids)
    assert {mpid < 0 for mpid in mpids} == {True, False}


def test_two_profiles_of_the_same_identities_have_two_mpids() -> None:
    people = People()

    mpids = {people.identify(push_token="p").mpid for _ in range(50)}

    assert len(mpids) == 50


def test_profiles_of_one_request_have_mpids_of_their_own() -> None:
    people = People()

    mpids = {people.profiles.make(number, 1, {"push_token": "p"}).mpid for number in range(100)}

    assert len(mpids) == 100


# -- how many are kept -----------------------------------------------------------------------------------------------------


def test_those_not_seen_for_the_longest_time_are_forgotten_first() -> None:
    people = People()
    for name in "ABCD":
        people.identify(customer_id=name)
    people.identify(customer_id="A")

    people.profiles.trim(2)

    assert [profile.identities["customer_id"] for profile in people.profiles.after(0)] == ["A", "D"]
    assert people.search(customer_id="B") is None


def test_a_few_more_than_are_to_be_kept_stay_so_that_not_each_new_one_costs_a_search() -> None:
    people = People()
    for number in range(202):
        people.identify(customer_id=f"c{number}")

    people.profiles.trim(200)

    assert len(people.profiles) == 202


def test_profiles_are_listed_after_a_number() -> None:
    people = People()
    for name in "ABC":
        people.identify(customer_id=name)

    assert [profile.number for profile in people.profiles.after(1)] == [2, 3]


# -- the index -------------------------------------------------------------------------------------------------------------


def test_the_index_finds_what_a_look_at_every_profile_finds() -> None:
    people = People()
    choose = random.Random(7)

    def known() -> dict[str, str]:
        types = choose.sample(["customer_id", "email", "other", "mp_deviceid", "ios_idfv"], choose.randint(1, 4))
        return {name: choose.choice("abcde") for name in types}

    for _ in range(500):
        profile = people.identify(**known())
        people.modify(profile, **{name: choose.choice([value, None]) for name, value in known().items() if name[:2] != "mp"})
        asked = known()
        for name, value in asked.items():
            expected = {
                other.mpid
                for other in people.profiles.after(0)
                if other.has(name, value) and (other.identities.get("customer_id") in (None, asked.get("customer_id")))
            }
            assert {other.mpid for other in people.profiles.holders(name, value, asked)} == expected


def test_an_identity_that_all_known_people_share_does_not_slow_down_finding_one() -> None:
    people = People()
    for number in range(5000):
        people.identify(customer_id=f"c{number}", ios_advertising_id="0")

    holders = people.profiles.holders("ios_advertising_id", "0", {"ios_advertising_id": "0", "customer_id": "c7"})

    assert [profile.identities["customer_id"] for profile in holders] == ["c7"]


def test_a_crowd_that_shares_an_identity_does_not_slow_down_who_joins_it() -> None:
    def seconds(most: int) -> float:
        people = People()
        began = time.process_time()
        for number in range(1, most + 1):
            # By mpid, as batches of clients that have kept theirs.
            people.profiles.add(people.profiles.make(number, number, {}, number), {"mp_deviceid": "shared"})
        return time.process_time() - began

    # Copying the crowd for each who joins makes it 60 times as long, or more.
    assert min(seconds(16_000) for _ in range(3)) < 30 * min(seconds(2_000) for _ in range(3))


def test_a_long_list_of_changes_costs_as_much_for_a_profile_with_many_identities() -> None:
    def seconds(identities: int) -> float:
        people = People()
        profile = people.identify(mp_deviceid="d")
        for number in range(identities):
            people.profiles.add(profile, dict.fromkeys(sorted(DEVICE), f"v{number}"))
        changes = [Change("other", None, f"x{number}") for number in range(1_000)]
        began = time.process_time()
        people.profiles.modify(profile, changes)
        return time.process_time() - began

    # It is 400 times as long where each change looks at all identities.
    assert min(seconds(MOST_DEVICES) for _ in range(3)) < 50 * min(seconds(1) for _ in range(3))
