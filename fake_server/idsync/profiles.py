"""The profiles of one workspace, with the index by identity. `replay.py` brings them up to date, one request after another."""

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from heapq import nsmallest

import msgspec

from .identity_types import DEVICE, Identities
from .profile import Json, Profile
from .strategy import DEFAULT, Strategy

_Index = dict[tuple[str, str], dict[int, Profile]]
"""Profiles by identity, and there by mpid: a crowd may share one, and each comes and goes without a look at the others."""


class Change(msgspec.Struct, frozen=True):
    """What a modify request changes about one identity type (the Events API's name); None is no identity."""

    name: str
    old: str | None
    new: str | None


class Profiles:
    """All profiles of a workspace. Which, and with which mpids, follows from the seed and from what was sent, in its order."""

    def __init__(self, workspace: str, seed: int = 0, strategy: Strategy = DEFAULT) -> None:
        self.workspace = workspace
        self.seed = seed
        self.strategy = strategy
        self._profiles: dict[int, Profile] = {}
        # Two indexes. A profile with a login ID is found by what is unique or logs in, as nothing else may return it; so an
        # identity that a hundred thousand of them share costs nothing.
        self._by_id: _Index = {}
        self._anonymous: _Index = {}
        self._indexed = frozenset(strategy.login_ids + strategy.unique_ids)

    def __len__(self) -> int:
        return len(self._profiles)

    def get(self, mpid: int) -> Profile | None:
        """The profile with this mpid."""
        return self._profiles.get(mpid)

    def after(self, number: int) -> Sequence[Profile]:
        """The profiles with a greater number, in their order."""
        profiles = list(self._profiles.values())
        return profiles[bisect_right(profiles, number, key=lambda profile: profile.number) :]

    def find(self, known: Identities) -> Profile | None:
        """The profile of whoever has the `known` identities, or None."""
        return self.strategy.choose(known, self)

    def holders(self, name: str, value: str, known: Identities) -> Sequence[Profile]:
        """The profiles with this identity that have no login ID, or one that is among the `known`."""
        found: dict[int, Profile] = {}
        for login in self.strategy.login_ids:
            if login in known:
                for profile in self._by_id.get((login, known[login]), {}).values():
                    if profile.has(name, value):
                        found[profile.mpid] = profile
        return [*found.values(), *self._anonymous.get((name, value), {}).values()]

    # -- changing them -----------------------------------------------------------------------------------------------------

    def make(self, number: int, request: int, known: Identities, mpid: int | None = None) -> Profile:
        """A new profile without identities.

        Without an `mpid` it gets one that follows from who it is for, the `known` identities; and from the id of the request, if
        there is somebody with these already.
        """
        if mpid is None:
            mpid = self._mpid(known, 0)
            attempt = request
            while mpid in self._profiles or not mpid:
                mpid = self._mpid(known, attempt)
                # The batches of a bulk request have one id.
                attempt += 2**48
        profile = self._profiles[mpid] = Profile(mpid, number)
        return profile

    def add(self, profile: Profile, known: Identities) -> None:
        """Give a profile the identities that it lacks. Of a type that it has it keeps its own, and no other's unique one."""
        new = [pair for pair in known.items() if self._may_add(profile, *pair)]
        if not new:
            return
        self._forget(profile)
        for name, value in new:
            if name in DEVICE:
                profile.add_device_id(name, value)
            else:
                profile.identities[name] = value
        self._index(profile)

    def _may_add(self, profile: Profile, name: str, value: str) -> bool:
        if name in DEVICE:
            return value not in profile.device_ids.get(name, ())
        if name in profile.identities:
            return False
        return name not in self.strategy.unique_ids or (name, value) not in self._by_id

    def modify(self, profile: Profile, changes: Sequence[Change]) -> None:
        """Change identities; a unique one is taken from whoever has it (`identity.md §7`, `§10`)."""
        # Once for all of them: a request may have thousands, and a profile hundreds of identities.
        self._forget(profile)
        for change in changes:
            if change.new is not None and change.name in self.strategy.unique_ids:
                for other in list(self._by_id.get((change.name, change.new), {}).values()):
                    self._forget(other)
                    _replace(other, Change(change.name, change.new, None))
                    self._index(other)
            _replace(profile, change)
        self._index(profile)

    def trim(self, keep: int) -> None:
        """Forget the profiles that were not seen for the longest time, some more than necessary at once, so that `keep` holds."""
        if len(self._profiles) <= keep + keep // 100:
            return
        excess = len(self._profiles) - keep
        for profile in nsmallest(excess, self._profiles.values(), key=lambda profile: profile.last_request):
            self._forget(profile)
            del self._profiles[profile.mpid]

    # -- the indexes -------------------------------------------------------------------------------------------------------

    def _index(self, profile: Profile) -> None:
        for index, pair in self._places(profile):
            index.setdefault(pair, {})[profile.mpid] = profile

    def _forget(self, profile: Profile) -> None:
        for index, pair in self._places(profile):
            holders = index[pair]
            del holders[profile.mpid]
            if not holders:
                del index[pair]

    def _places(self, profile: Profile) -> Iterator[tuple[_Index, tuple[str, str]]]:
        anonymous = not self.strategy.is_logged_in(profile)
        for pair in profile.pairs():
            if pair[0] in self._indexed:
                yield self._by_id, pair
            if anonymous:
                yield self._anonymous, pair

    def _mpid(self, known: Identities, attempt: int) -> int:
        """A signed 64-bit integer by BLAKE2b of the seed, the identities and the attempt, as JSON.

        Not of the workspace: in pytest each test has one of another name, and a user the same mpid in every run.
        """
        text: Json = [self.seed, sorted(known.items()), attempt]
        return int.from_bytes(hashlib.blake2b(msgspec.json.encode(text), digest_size=8).digest(), "big", signed=True)


def _replace(profile: Profile, change: Change) -> None:
    if change.name in DEVICE:
        if change.old is not None:
            profile.remove_device_id(change.name, change.old)
        if change.new is not None:
            profile.add_device_id(change.name, change.new)
    elif change.new is not None:
        profile.identities[change.name] = change.new
    else:
        profile.identities.pop(change.name, None)
