"""The table of identity types: complete, and without two of one name."""

from mparticle_fake_server.dialects.standard import IDENTITY_TYPES
from mparticle_fake_server.idsync.identity_types import BY_NAME, BY_WIRE, DEVICE, TYPES
from mparticle_fake_server.idsync.strategy import DEFAULT_PRIORITY
from mparticle_fake_server.schemas import load


def test_no_name_and_no_number_stands_for_two_types() -> None:
    numbers = [kind.number for kind in TYPES if kind.number is not None]

    assert len(BY_NAME) == len(BY_WIRE) == len(TYPES)
    assert sorted(numbers) == list(range(26))


def test_the_user_identities_are_those_of_a_batch() -> None:
    assert BY_NAME.keys() - DEVICE == set(IDENTITY_TYPES)


def test_each_device_identity_is_a_member_of_a_batch_or_its_device() -> None:
    assert load()["device_info.json"]["properties"].keys() | {"mp_deviceid"} >= DEVICE


def test_each_type_of_the_priority_list_is_in_the_table() -> None:
    assert set(DEFAULT_PRIORITY) <= BY_NAME.keys()


def test_the_apis_spell_some_types_differently() -> None:
    spelled = {kind.wire: kind.name for kind in TYPES if kind.wire != kind.name}

    assert spelled == {
        "customerid": "customer_id",
        **{f"other{number}": f"other_id_{number}" for number in range(2, 11)},
        "facebookcustomaudienceid": "facebook_custom_audience_id",
        "device_application_stamp": "mp_deviceid",
        "ios_idfa": "ios_advertising_id",
        "android_aaid": "android_advertising_id",
        "roku_aid": "roku_advertising_id",
        "fire_aid": "fire_advertising_id",
        "microsoft_aid": "microsoft_advertising_id",
    }
