"""One profile: what is known of a person, and how a batch adds to it. `profiles.py` makes them, `/_fake/profiles` shows them."""

from collections.abc import Iterator
from heapq import nsmallest
from typing import Any, Final

import msgspec

from .identity_types import DEVICE, Identities

Json = Any

MOST_DEVICES: Final = 100
"""Values of one device type, and devices, that a profile keeps; the oldest give way."""

MOST_ATTRIBUTES: Final = 1_000
"""Attributes that a profile keeps, deleted ones too, and purposes of a regulation; those set the longest time ago give way."""

MOST_REGULATIONS: Final = 10
"""Regulations of which it keeps consent: mParticle knows two."""

_DEVICE_IDS: Final = sorted(DEVICE - {"mp_deviceid"})


class Stamped(msgspec.Struct, frozen=True, gc=False):
    """A value and when it was set, in ms since 1970; a `deleted` one says since when there is none."""

    time: int
    value: Json = None
    deleted: bool = False


class Device(msgspec.Struct, omit_defaults=True, gc=False):
    """A device as its batches describe it; times in ms since 1970. `platform` and the like are in `device_info`."""

    first_seen_ms: int
    last_seen_ms: int
    mp_deviceid: str | None = None
    device_info: dict[str, Json] = {}


class Profile(msgspec.Struct, eq=False, gc=False):
    """A person. `number` counts the profiles of a server as they are made; `last_request` is the id of the last request of it.

    Times in ms since 1970: those of the batches, or when an identity request came.
    """

    mpid: int
    number: int
    identities: Identities = {}
    device_ids: dict[str, list[str]] = {}
    attributes: dict[str, Stamped] = {}
    consent: dict[str, dict[str, Stamped]] = {}
    devices: dict[str, Device] = {}
    first_seen_ms: int = 0
    last_seen_ms: int = 0
    batches: int = 0
    last_request: int = 0

    def has(self, name: str, value: str) -> bool:
        """Whether this identity is one of the profile's."""
        return self.identities.get(name) == value or value in self.device_ids.get(name, ())

    def pairs(self) -> Iterator[tuple[str, str]]:
        """All identities, those of devices too."""
        yield from self.identities.items()
        for name, values in self.device_ids.items():
            for value in values:
                yield name, value

    def add_device_id(self, name: str, value: str) -> None:
        """Remember an id of one more device."""
        values = self.device_ids.setdefault(name, [])
        if value not in values:
            values.append(value)
            del values[:-MOST_DEVICES]

    def remove_device_id(self, name: str, value: str) -> None:
        """Forget an id of a device."""
        values = self.device_ids.get(name, [])
        if value in values:
            values.remove(value)
            if not values:
                del self.device_ids[name]

    def see(self, time: int, request: int) -> None:
        """Note that somebody was here."""
        self.first_seen_ms = min(self.first_seen_ms or time, time)
        self.last_seen_ms = max(self.last_seen_ms, time)
        self.last_request = request

    # -- what a batch says -------------------------------------------------------------------------------------------------

    def fold(self, batch: dict[str, Json], received_at_ms: int, request: int) -> None:
        """Take over what a canonical batch says of the person; of two that differ, the one of the later time counts."""
        time = time_of(batch, received_at_ms)
        self.see(time, request)
        self.batches += 1
        attributes = batch.get("user_attributes")
        if isinstance(attributes, dict):
            for name, value in attributes.items():
                _set(self.attributes, name, Stamped(time, value))
        for name in _deleted(batch, attributes if isinstance(attributes, dict) else {}):
            _set(self.attributes, name, Stamped(time, deleted=True))
        _trim(self.attributes)
        consent = batch.get("consent_state")
        if isinstance(consent, dict):
            for regulation, purposes in consent.items():
                known = regulation in self.consent or len(self.consent) < MOST_REGULATIONS
                if known and isinstance(purposes, dict) and purposes:
                    states = self.consent.setdefault(regulation, {})
                    for purpose, state in purposes.items():
                        _set(states, purpose, Stamped(time, state))
                    _trim(states)
        self._fold_device(batch, time)

    def _fold_device(self, batch: dict[str, Json], time: int) -> None:
        info = batch.get("device_info")
        info = info if isinstance(info, dict) else {}
        stamp = batch.get("mp_deviceid")
        stamp = stamp if isinstance(stamp, str) and stamp else None
        if stamp is None and not info:
            return
        key = stamp or next((f"{name}:{info[name]}" for name in _DEVICE_IDS if isinstance(info.get(name), str)), "")
        device = self.devices.get(key)
        if device is None:
            self.devices[key] = Device(time, time, stamp, info)
            if len(self.devices) > MOST_DEVICES:
                del self.devices[min(self.devices, key=lambda other: self.devices[other].last_seen_ms)]
            return
        device.first_seen_ms = min(device.first_seen_ms, time)
        if time >= device.last_seen_ms:
            device.last_seen_ms = time
            device.device_info = info or device.device_info


def _set(holder: dict[str, Stamped], name: str, new: Stamped) -> None:
    old = holder.get(name)
    if old is None or new.time >= old.time:
        holder[name] = new


def _trim(holder: dict[str, Stamped]) -> None:
    if len(holder) > MOST_ATTRIBUTES:
        for name in nsmallest(len(holder) - MOST_ATTRIBUTES, holder, key=lambda name: holder[name].time):
            del holder[name]


def _deleted(batch: dict[str, Json], attributes: dict[str, Json]) -> Iterator[str]:
    """The names of the attributes that a batch deletes: in a list, or as the web SDK does, in events that say so."""
    names = batch.get("deleted_user_attributes")
    if isinstance(names, list):
        yield from (name for name in names if isinstance(name, str))
    events = batch.get("events")
    for event in events if isinstance(events, list) else ():
        if isinstance(event, dict) and event.get("event_type") == "user_attribute_change":
            data = event.get("data")
            if isinstance(data, dict) and data.get("deleted") is True:
                name = data.get("user_attribute_name")
                # It may have been set again before the batch was sent.
                if isinstance(name, str) and name not in attributes:
                    yield name


def time_of(batch: dict[str, Json], received_at_ms: int) -> int:
    """The time of a batch in ms since 1970: what it says, unless that is not in ms, or lies after its receipt."""
    time = batch.get("timestamp_unixtime_ms")
    if isinstance(time, (int, float)) and not isinstance(time, bool) and 10**11 <= time <= received_at_ms:
        return int(time)
    return received_at_ms
