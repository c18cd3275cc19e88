"""`/_fake/profiles`: who the profiles are, with their identities, attributes, consent and devices, as folded from the batches."""

import re
from collections.abc import Iterator
from heapq import merge
from itertools import islice
from typing import Any, Final

import msgspec

from ..exchange import Answer, Endpoint, Submission
from ..idsync.identity_request import parse_mpid
from ..idsync.identity_types import BY_NAME, BY_WIRE, Identities
from ..idsync.profile import Device, Profile, Stamped
from ..idsync.profiles import Profiles
from ..intake import Intake, canonical_batches
from ..query import FilterError
from ..words import did_you_mean
from .answers import error_answer, json_answer
from .guard import guarded, pairs
from .inspect_question import unknown_workspace

Json = Any

MOST_ITEMS: Final = 1000
PARAMETERS: Final = ("workspace", "mpid", "identity", "limit", "after")

_WHOLE: Final = re.compile(r"[0-9]{1,18}", re.ASCII)


class ProfileItem(msgspec.Struct):
    """A profile as the inspect API shows it. `id` is its place in the list, for `after`; times in ms since 1970.

    `identities` and `device_ids` have the Events API's names, as filters do. Of each attribute and each consent the latest
    statement counts, by the time of its batch.
    """

    id: str
    mpid: str
    workspace: str
    is_logged_in: bool
    identities: Identities
    device_ids: dict[str, list[str]]
    user_attributes: dict[str, Json]
    consent_state: dict[str, dict[str, Json]]
    devices: list[Device]
    first_seen_ms: int
    last_seen_ms: int
    batches: int


def endpoints(intake: Intake, token: str | None = None) -> list[Endpoint]:
    """The table; guarded as the rest of the inspect API."""
    api = _Api(intake)
    return [
        Endpoint("GET", "/_fake/profiles", guarded(api.list, token)),
        Endpoint("GET", "/_fake/profiles/<mpid>", guarded(api.one, token)),
    ]


class _Api:
    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        self.idsync = intake.workspaces.idsync

    def list(self, submission: Submission) -> Answer:
        """A page of profiles in the order in which they were made. Raises FilterError, StoreError."""
        asked = _asked(submission, PARAMETERS)
        limit = _whole(asked.get("limit", "100"), "limit")
        if not 0 < limit <= MOST_ITEMS:
            raise FilterError(f"limit is {limit}; expected a whole number from 1 to {MOST_ITEMS}.")
        after = _whole(asked.get("after", "0"), "after")
        identity = _identity(asked["identity"]) if "identity" in asked else None
        mpid = _mpid(asked["mpid"]) if "mpid" in asked else None
        items = list(islice(self._found(asked.get("workspace"), after, mpid, identity), limit + 1))
        more = items[limit - 1].id if len(items) > limit else None
        page = {"items": items[:limit], "next": more}
        if not items and "workspace" in asked:
            hint = unknown_workspace(self.intake, [asked["workspace"]])
            page |= {} if hint is None else {"hint": hint}
        return json_answer(200, page)

    def one(self, submission: Submission) -> Answer:
        """One profile. Raises FilterError, StoreError."""
        mpid = _mpid(submission.arguments["mpid"])
        asked = _asked(submission, ("workspace",))
        items = list(self._found(asked.get("workspace"), 0, mpid, None))
        if len(items) > 1:
            places = ", ".join(repr(item.workspace[:80]) for item in items[:10])
            raise FilterError(f"The workspaces {places} have a profile {mpid} each; name one with ?workspace=NAME.")
        if not items:
            return error_answer(404, f"There is no profile {mpid}. GET /_fake/profiles lists those there are.")
        return json_answer(200, items[0])

    def _found(
        self, workspace: str | None, after: int, mpid: int | None, identity: tuple[str, str] | None
    ) -> Iterator[ProfileItem]:
        """The profiles that were asked for, brought up to date. Raises StoreError."""
        # What comes from now on is for who asks later: there may be no end to it.
        newest = self.intake.recorder.last_id()
        while not self.idsync.has_read(newest):
            # A part at a time, and below a profile at a time: nobody who identifies meanwhile waits for all of it.
            with self.idsync.lock:
                self.idsync.approach(self.intake.recorder, canonical_batches)
        chosen = [profiles for profiles in self.idsync.all() if workspace in (None, profiles.workspace)]
        if mpid is not None:
            known = ((profiles, profiles.get(mpid)) for profiles in chosen)
            found = iter([(one.number, one, profiles) for profiles, one in known if one is not None and one.number > after])
        else:
            found = merge(
                *([(one.number, one, profiles) for one in profiles.after(after)] for profiles in chosen),
                key=lambda place: place[0],
            )
        for _, profile, profiles in found:
            if identity is None or profile.has(*identity):
                with self.idsync.lock:
                    item = _item(profile, profiles)
                yield item


def _item(profile: Profile, profiles: Profiles) -> ProfileItem:
    # A copy, as it is written out when the profile may change again.
    return ProfileItem(
        str(profile.number),
        str(profile.mpid),
        profiles.workspace,
        profiles.strategy.is_logged_in(profile),
        profile.identities.copy(),
        {name: values.copy() for name, values in profile.device_ids.items()},
        _values(profile.attributes),
        {regulation: _values(purposes) for regulation, purposes in profile.consent.items()},
        [msgspec.structs.replace(device) for device in profile.devices.values()],
        profile.first_seen_ms,
        profile.last_seen_ms,
        profile.batches,
    )


def _values(stamped: dict[str, Stamped]) -> dict[str, Json]:
    return {name: value.value for name, value in stamped.items() if not value.deleted}


# -- reading the question --------------------------------------------------------------------------------------------------


def _asked(submission: Submission, names: tuple[str, ...]) -> dict[str, str]:
    asked = dict(pairs(submission))
    asked.pop("token", None)
    for name in asked:
        if name not in names:
            raise FilterError(f"Unknown parameter {name[:80]!r}.{did_you_mean(name, names)} Valid: {', '.join(names)}.")
    return asked


def _whole(text: str, name: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise FilterError(f"{name} is {text[:40]!r}; expected a whole number.")
    return int(text)


def _mpid(text: str) -> int:
    mpid = parse_mpid(text)
    if mpid is None:
        raise FilterError(f"The mpid is {text[:40]!r}; expected the digits of a signed 64-bit integer.")
    return mpid


def _identity(text: str) -> tuple[str, str]:
    """Type and value of an identity; the type by the Events API's or the Identity API's name."""
    name, colon, value = text.partition(":")
    kind = BY_NAME.get(name) or BY_WIRE.get(name)
    if not colon or kind is None:
        raise FilterError(
            f"identity is {text[:80]!r}; expected TYPE:VALUE, such as customer_id:c1.{did_you_mean(name, BY_NAME)} "
            f"Types: {', '.join(BY_NAME)}."
        )
    return kind.name, value
