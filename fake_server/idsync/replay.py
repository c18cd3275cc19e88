"""Idsync: the profiles of all workspaces, made from what was recorded, one request after another.

Uploads do not wait for it: whoever identifies, or reads profiles, first brings them up to date with the recorder. What they are
is so a function of the recorded requests in the order of their ids, and of the seed; a server that goes on with a kept store
makes them anew. The order of locks is this one's, then the recorder's.
"""

import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from ..decoding import decode
from ..recording import Recorder, RequestRecord
from ..redaction import header_lines
from .identity_request import ACTIONS, Action, IdentityRequest, parse_mpid, read
from .identity_types import BY_NAME, DEVICE, Identities
from .profile import Json, Profile
from .profiles import Profiles
from .strategy import DEFAULT, Strategy

SOURCE: Final = "identity"
"""The `source` that identity requests are recorded with."""

ReadBatches = Callable[[RequestRecord], list[dict[str, Json]]]
"""The canonical batches of a record: `intake.canonical_batches`, from above."""

AT_ONCE: Final = 200
"""Batches after which `approach` ends; a request without any counts as one."""

BYTES_AT_ONCE: Final = 250_000
"""Bytes of bodies after which it ends too."""

_NO_LIMIT: Final = 2**40
"""What was recorded was within the limit when it came."""

_NOT_ALLOWED: Final = "00000000-0000-0000-0000-000000000000"
"""What iOS and Android have instead of an advertising id where the user does not allow one: a crowd of devices shares it."""

_DEVICE_TYPES: Final = DEVICE - {"mp_deviceid"}
_USER_TYPES: Final = BY_NAME.keys() - DEVICE


class Resolved(msgspec.Struct):
    """What an identity request led to: the profile, and which of the request's identities it had before."""

    profile: Profile
    matched: Identities
    is_logged_in: bool


class Idsync:
    """The profiles of every workspace of a server.

    `seed` goes into the mpids, `strategy` is how each workspace tells people apart. As many profiles of a workspace are kept as
    the recorder keeps batches; those that were not seen for the longest time are the first to go.
    """

    def __init__(self, seed: int = 0, strategy: Strategy = DEFAULT) -> None:
        self.seed = seed
        self.strategy = strategy
        self.lock = threading.RLock()
        """Held by whoever reads profiles or identifies."""
        self._profiles: dict[str, Profiles] = {}
        self._position = 0
        self._made = 0
        self._forgotten = 0
        self._reading: Iterator[RequestRecord] | None = None
        self._read = 0

    def of(self, workspace: str) -> Profiles:
        """The profiles of a workspace, whether somebody has named it or not."""
        profiles = self._profiles.get(workspace)
        if profiles is None:
            profiles = self._profiles[workspace] = Profiles(workspace, self.seed, self.strategy)
        return profiles

    def all(self) -> list[Profiles]:
        """The profiles, workspace by workspace."""
        return list(self._profiles.values())

    def forget(self, workspace: str | None = None) -> None:
        """Forget the profiles of one workspace, or all, as the recorder forgets the requests."""
        # Without the lock: who forgets need not wait for whoever reads a backlog, and may hold the recorder's.
        self._forgotten += 1
        if workspace is None:
            self._profiles = {}
        else:
            self._profiles.pop(workspace, None)

    def behind(self, recorder: Recorder) -> int:
        """How many requests were recorded since the last time, at most; some may be forgotten."""
        return recorder.last_id() - self._position

    def has_read(self, request: int) -> bool:
        """Whether the request of this id has been taken in, with all before it."""
        return self._position >= request

    def catch_up(self, recorder: Recorder, read_batches: ReadBatches) -> Resolved | None:
        """Take in all that was recorded since the last time; returns what the newest request led to, if that was to identify.

        Call it with the lock. Raises StoreError.
        """
        resolved = None
        while self.behind(recorder):
            resolved = self.approach(recorder, read_batches)
        return resolved

    def approach(self, recorder: Recorder, read_batches: ReadBatches) -> Resolved | None:
        """The same for a bounded number of requests, which takes some 10 ms."""
        resolved = None
        newest = recorder.last_id()
        forgotten = self._forgotten
        # A recorder reads more at once than is taken in here: go on with that, unless some of it was forgotten since.
        reading = self._reading if self._read == forgotten else None
        reading = reading or recorder.requests(self._position)
        self._reading = None
        count = size = 0
        for record in reading:
            if self._forgotten != forgotten:
                # This one may be among them.
                return resolved
            # First, so that a record that cannot be read is in nobody's way for ever.
            self._position = record.id
            resolved = self._take(record, read_batches, recorder.keep)
            count += record.weight
            size += len(record.body)
            if count >= AT_ONCE or size >= BYTES_AT_ONCE:
                self._reading, self._read = reading, forgotten
                return resolved
        # What was the newest may be forgotten.
        self._position = max(self._position, newest)
        return resolved

    def _take(self, record: RequestRecord, read_batches: ReadBatches, keep: int) -> Resolved | None:
        if record.workspace is None or record.status >= 400:
            return None
        profiles = self.of(record.workspace)
        if record.batches:
            self._take_batches(profiles, record, read_batches(record), keep)
            return None
        return self._take_request(profiles, record, keep) if record.source == SOURCE else None

    # -- batches -----------------------------------------------------------------------------------------------------------

    def _take_batches(self, profiles: Profiles, record: RequestRecord, batches: list[dict[str, Json]], keep: int) -> None:
        for about, batch in zip(record.batches, batches, strict=True):
            # What production does not process tells nobody anything.
            if about.verdict in ("accepted", "altered"):
                profile = self._of_batch(profiles, batch, record)
                if profile is not None:
                    profile.fold(batch, record.received_at_ms, record.id)
                    profiles.trim(keep)

    def _of_batch(self, profiles: Profiles, batch: dict[str, Json], record: RequestRecord) -> Profile | None:
        """Whose batch it is: who has the mpid, or whom the identities tell; None if it names nobody."""
        known = identities_of(batch)
        mpid = mpid_of(batch)
        if mpid is not None:
            profile = profiles.get(mpid)
        elif known:
            profile = profiles.find(known)
        else:
            return None
        return self._welcome(profiles, profile, known, record.id, mpid)

    def _welcome(
        self, profiles: Profiles, profile: Profile | None, known: Identities, request: int, mpid: int | None = None
    ) -> Profile:
        """The profile, made if there is none, with all identities that it may have."""
        if profile is None:
            self._made += 1
            profile = profiles.make(self._made, request, known, mpid)
        profiles.add(profile, known)
        return profile

    # -- identity requests -------------------------------------------------------------------------------------------------

    def _take_request(self, profiles: Profiles, record: RequestRecord, keep: int) -> Resolved | None:
        action, mpid = action_of(record.path)
        if action is None or record.method != "POST":
            return None
        request, _ = read(_value(record), action)
        if action == "modify":
            profile = profiles.get(mpid) if mpid is not None else None
            if profile is None:
                return None
            matched: Identities = {}
            profiles.modify(profile, request.changes)
        else:
            profile = profiles.find(request.known)
            matched = matched_by(profile, request)
            if action != "search":
                profile = self._welcome(profiles, profile, request.known, record.id)
            elif profile is None:
                return None
        if action != "search":
            profile.see(record.received_at_ms, record.id)
            profiles.trim(keep)
        return Resolved(profile, matched, self.strategy.is_logged_in(profile))


def matched_by(profile: Profile | None, request: IdentityRequest) -> Identities:
    """Those of the identities of a request that a profile has."""
    return {name: value for name, value in request.known.items() if profile is not None and profile.has(name, value)}


def action_of(path: str) -> tuple[Action | None, int | None]:
    """What an identity request of this path is to do, and the mpid in a path that names one."""
    *_, before, last = path.split("/")
    for action in ACTIONS:
        if last == action:
            return action, parse_mpid(before) if action == "modify" else None
    return None, None


def mpid_of(batch: dict[str, Json]) -> int | None:
    """The mpid that a batch names, as a number or, like the web SDK, as text; 0 is none."""
    mpid = batch.get("mpid")
    if isinstance(mpid, str):
        mpid = parse_mpid(mpid)
    return mpid if isinstance(mpid, int) and not isinstance(mpid, bool) and mpid and -(2**63) <= mpid < 2**63 else None


def identities_of(batch: dict[str, Json]) -> Identities:
    """Who a canonical batch is about: user identities and the ids of the device, but for those that a user does not allow."""
    known: Identities = {}
    for member, names in (("user_identities", _USER_TYPES), ("device_info", _DEVICE_TYPES)):
        holder = batch.get(member)
        for name, value in holder.items() if isinstance(holder, dict) else ():
            identity = _text(value) if name in names else None
            if identity and not (identity == _NOT_ALLOWED and member == "device_info"):
                known[name] = identity
    stamp = _text(batch.get("mp_deviceid"))
    if stamp:
        known["mp_deviceid"] = stamp
    return known


def _text(value: Json) -> str | None:
    """An identity; who writes a whole number means its digits (`batch-schema.md §0`)."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**40 else None
    return value if isinstance(value, str) else None


def _value(record: RequestRecord) -> Any:
    """The JSON of a record's body; None where it cannot be read."""
    headers = dict(reversed(header_lines(record.headers)))
    decoded = decode(record.body, headers.get(b"content-encoding"), headers.get(b"content-type"), _NO_LIMIT)
    return decoded.value if decoded.readable else None
