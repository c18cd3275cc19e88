"""The identity types: what the Identity API, the Events API and the native SDKs call each (`identity.md §4`)."""

from typing import Final

import msgspec


class IdentityType(msgspec.Struct, frozen=True):
    """`wire` is the Identity API's name, `name` the Events API's, which profiles use; `number` what the native SDKs write.

    A `device` may be shared and replaced: a profile has many values of such a type, and one of any other.
    """

    wire: str
    name: str
    number: int | None = None
    device: bool = False


TYPES: Final = (
    IdentityType("customerid", "customer_id", 1),
    IdentityType("email", "email", 7),
    IdentityType("other", "other", 0),
    *(IdentityType(f"other{number}", f"other_id_{number}", 8 + number) for number in range(2, 11)),
    IdentityType("mobile_number", "mobile_number", 19),
    IdentityType("phone_number_2", "phone_number_2", 20),
    IdentityType("phone_number_3", "phone_number_3", 21),
    IdentityType("facebook", "facebook", 2),
    IdentityType("facebookcustomaudienceid", "facebook_custom_audience_id", 9),
    IdentityType("twitter", "twitter", 3),
    IdentityType("google", "google", 4),
    IdentityType("microsoft", "microsoft", 5),
    IdentityType("yahoo", "yahoo", 6),
    IdentityType("alias", "alias", 8),
    IdentityType("device_application_stamp", "mp_deviceid", 25, device=True),
    IdentityType("ios_idfa", "ios_advertising_id", 22, device=True),
    IdentityType("ios_idfv", "ios_idfv", 23, device=True),
    IdentityType("push_token", "push_token", 24, device=True),
    IdentityType("android_uuid", "android_uuid", device=True),
    IdentityType("android_aaid", "android_advertising_id", device=True),
    IdentityType("amp_id", "amp_id", device=True),
    IdentityType("roku_aid", "roku_advertising_id", device=True),
    IdentityType("roku_publisher_id", "roku_publisher_id", device=True),
    IdentityType("fire_aid", "fire_advertising_id", device=True),
    # mParticle's priority list has these two; how the Identity API spells them is not documented.
    IdentityType("microsoft_publisher_id", "microsoft_publisher_id", device=True),
    IdentityType("microsoft_aid", "microsoft_advertising_id", device=True),
)

BY_WIRE: Final = {kind.wire: kind for kind in TYPES}
BY_NAME: Final = {kind.name: kind for kind in TYPES}
DEVICE: Final = frozenset(kind.name for kind in TYPES if kind.device)

Identities = dict[str, str]
"""Values by the Events API's names: what a request or a batch says of somebody."""
