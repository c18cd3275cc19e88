"""What the next requests of a workspace meet: a status that nobody earned, or a delay. A test asks for it, the intake injects it.

A list of faults is written as JSON, the same here, over HTTP and in pytest: objects with the members of `MEMBERS`. Faults of
another kind (of sockets, throttling, schedules) will be told from these by a member that has a default.
"""

import threading
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

import msgspec

from .checks.finding import Finding, make
from .words import did_you_mean

Written = list[dict[str, Any]]
"""Faults in their JSON form."""

MOST_FAULTS: Final = 1000
MOST_DELAY: Final = 60

MEMBERS: Final = {
    "status": "a whole number from 400 to 599",
    "retry_after": "whole seconds from 0 to 86400",
    "times": "a whole number from 1 to 1000000, or null for every request",
    "body": "text",
    "delay": f"seconds from 0 to {MOST_DELAY}",
}
"""What each member of a fault takes."""


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a request of an authenticated input meets instead of its answer, or before it.

    `status` is answered whatever was sent; without one, the request is treated as always. `retry_after` (seconds) is sent as
    Retry-After. `times` is how many requests meet the fault; null: each, until it is removed. `body` is sent as it stands; by
    default mParticle's error body. `delay` is how many seconds pass before the answer, not before the record.
    """

    status: Annotated[int, msgspec.Meta(ge=400, le=599)] | None = None
    retry_after: Annotated[int, msgspec.Meta(ge=0, le=86_400)] | None = None
    times: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = 1
    body: str | None = None
    delay: Annotated[float, msgspec.Meta(ge=0, le=MOST_DELAY)] = 0.0

    def finding(self, workspace: str) -> Finding:
        """What is recorded with a request that met this fault."""
        which = f"A fault that was set for the workspace {workspace!r}"
        if self.status is None:
            return make("delay_injected", f"{which} held the answer back for {self.delay:g} s.")
        how = f"{self.status}"
        if self.retry_after is not None:
            how += f", Retry-After {self.retry_after} s"
        if self.delay:
            how += f", after {self.delay:g} s"
        return make(
            "fault_injected",
            f"{which} answered this request with {how}.",
            hint="The request itself may be sound; its other findings tell. GET /_fake/faults lists what is left.",
        )


_TYPES: Final = {field.name: field.type for field in msgspec.structs.fields(Fault)}


class FaultError(ValueError):
    """A fault with an unknown member or an impossible value; the message names the valid ones."""


class Faults:
    """The faults of one workspace, met in their order, one a request. Every method may be called from any thread."""

    __slots__ = ("_lock", "waiting")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.waiting: tuple[Fault, ...] = ()
        """What is left, first the one that is met next: for whoever only wants to know whether there is any."""

    def put(self, faults: Iterable[Mapping[str, Any]]) -> None:
        """Let these faults take the place of those there are. Raises FaultError: then nothing has changed."""
        parsed = parse(faults)
        with self._lock:
            self.waiting = parsed

    def list(self) -> Written:
        """What is left; `times` is how often each will still be met."""
        return [msgspec.structs.asdict(fault) for fault in self.waiting]

    def clear(self) -> Written:
        """Remove all; returns what was left."""
        with self._lock:
            left = self.list()
            self.waiting = ()
        return left

    def take(self) -> Fault | None:
        """The fault that this request meets, if there is one; it counts as met."""
        with self._lock:
            if not self.waiting:
                return None
            fault, *others = self.waiting
            if fault.times is not None:
                left = [] if fault.times == 1 else [msgspec.structs.replace(fault, times=fault.times - 1)]
                self.waiting = (*left, *others)
        return fault


def parse(faults: Iterable[Mapping[str, Any]]) -> tuple[Fault, ...]:
    """Faults as somebody wrote them. Raises FaultError."""
    if isinstance(faults, (str, bytes, Mapping)) or not isinstance(faults, Iterable):
        raise FaultError(f"The faults are {_shown(faults)}; expected a list of objects with {_valid()}.")
    parsed = tuple(_parse(fault, f"faults[{index}]") for index, fault in enumerate(faults))
    if len(parsed) > MOST_FAULTS:
        raise FaultError(f"There are {len(parsed)} faults; expected at most {MOST_FAULTS}. One with `times` meets many requests.")
    return parsed


def _parse(fault: Any, place: str) -> Fault:
    if not isinstance(fault, Mapping):
        raise FaultError(f"{place} is {_shown(fault)}; expected an object with {_valid()}.")
    for name, value in fault.items():
        if name not in MEMBERS:
            raise FaultError(f"{place} has an unknown member {_shown(name)}.{did_you_mean(name, MEMBERS)} Valid: {_valid()}.")
        if not _fits(value, _TYPES[name]):
            raise FaultError(f"{place}.{name} is {_shown(value)}; expected {MEMBERS[name]}.")
    made = msgspec.convert(dict(fault), Fault)
    if made.status is None:
        for name in ("retry_after", "body"):
            if fault.get(name) is not None:
                raise FaultError(f"{place} has {name} but no status; expected a status, {MEMBERS['status']}, beside it.")
        if not made.delay:
            raise FaultError(f"{place} has neither status nor delay, so that it would do nothing; expected at least one of them.")
    return made


def _fits(value: Any, type: Any) -> bool:
    try:
        converted = msgspec.convert(value, type)
        if isinstance(converted, str):
            converted.encode()
    except (msgspec.ValidationError, UnicodeEncodeError):
        return False
    return True


def _shown(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= 40 else f"{text[:40]}…"


def _valid() -> str:
    return ", ".join(MEMBERS)
