"""Identity strategies: which of the profiles a request means (`identity.md §10`). `profiles.py` asks, and keeps the index."""

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from .identity_types import Identities
from .profile import Profile

DEFAULT_PRIORITY: Final = (
    "customer_id", "mobile_number", "email", "other", "facebook", "google", "twitter", "microsoft", "yahoo",
    "ios_advertising_id", "ios_idfv", "android_advertising_id", "android_uuid", "roku_advertising_id", "roku_publisher_id",
    "microsoft_publisher_id", "microsoft_advertising_id", "mp_deviceid",
)  # fmt: skip
"""mParticle's own list, by the names of the Events API. A type that is not in it finds nobody."""


class Index(Protocol):
    """Where a strategy looks."""

    def holders(self, name: str, value: str, known: Identities) -> Sequence[Profile]:
        """The profiles with this identity that have no login ID, or one that is among the `known`."""


class Strategy(msgspec.Struct, frozen=True):
    """How a workspace tells people apart; as it stands, the default strategy, and with other lists a profile conversion.

    Types by the names of the Events API. A profile with login IDs is only returned to who knows one of them, likewise for
    immutable IDs; a unique ID belongs to one profile. A strategy that makes a profile where this one finds an anonymous one
    (profile link, isolation) has a `choose` of its own.
    """

    name: str = "default"
    priority: tuple[str, ...] = DEFAULT_PRIORITY
    login_ids: tuple[str, ...] = ("customer_id",)
    unique_ids: tuple[str, ...] = ("customer_id",)
    immutable_ids: tuple[str, ...] = ()

    def choose(self, known: Identities, index: Index) -> Profile | None:
        """The profile that somebody with the `known` identities is, or None if there is none yet.

        Of several that the whole list does not tell apart, the one that was seen last: mParticle documents no rule for that.
        """
        found: Sequence[Profile] = ()
        for name in self.priority:
            value = known.get(name)
            if value is None:
                continue
            if not found:
                found = index.holders(name, value, known)
                if found and self.immutable_ids:
                    found = [profile for profile in found if self._may_return(profile, known)]
            else:
                found = [profile for profile in found if profile.has(name, value)] or found
            if len(found) == 1:
                break
        return max(found, key=lambda profile: profile.last_request, default=None)

    def is_logged_in(self, profile: Profile) -> bool:
        """Whether a profile has a login ID."""
        return any(name in profile.identities or name in profile.device_ids for name in self.login_ids)

    def _may_return(self, profile: Profile, known: Identities) -> bool:
        held = [name for name in self.immutable_ids if name in profile.identities]
        return not held or any(profile.identities[name] == known.get(name) for name in held)


DEFAULT: Final = Strategy()
