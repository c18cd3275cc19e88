"""What a workspace has seen, and what only that can tell: too many event names, attributes of changing kind, lost sessions."""

import re
import threading
from collections import Counter
from typing import Any, Final

from mparticle_sdk import limits

from .finding import Finding
from .found import Found, Path, shown
from .sessions import session_ends, session_ids

MOST_ATTRIBUTES: Final = 10_000
"""User attributes whose kind is remembered; of further ones nothing is told."""

MOST_SESSIONS: Final = 50_000
"""Ids of sessions that are remembered. After that a start may have been forgotten, and ends without start are told no more."""

MOST_EXCESS: Final = 10_000
"""Names beyond the limit that are counted."""

_ID_IN_NAME: Final = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<![^\W_])[0-9a-f]{12,}(?![^\W_])|[0-9]+", re.IGNORECASE
)

_FEW: Final = 10
"""So many names of one form are no accident: somebody puts an id into them."""


_NAMED_BY: Final = {"custom_event": "event_name", "screen_view": "screen_name"}


class History:
    """The memory of one workspace, bounded whatever a client sends.

    `check` may be called from many threads at once. What is known already is looked up without a lock: sets and dictionaries are
    read whole in CPython, and only grow here. What is new is added under a lock, after another look.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: dict[str, set[str]] = {kind: set() for kind in _NAMED_BY}
        self._excess: set[int] = set()
        self._forms: Counter[str] = Counter()
        self._is_list: dict[str, bool] = {}
        self._sessions: set[str] = set()

    def check(self, batch: dict[str, Any]) -> list[Finding]:
        """Remember what a canonical batch holds, and tell what does not go with what came before."""
        found = Found()
        attributes = batch.get("user_attributes")
        if attributes and type(attributes) is dict:
            self._see_attributes(attributes, found)
        events: Any = batch.get("events")
        lost: list[int] = []
        for index, event in enumerate(events) if type(events) is list else ():
            data: Any = event.get("data") if type(event) is dict else None
            kind = event.get("event_type") if type(data) is dict else None
            if type(kind) is not str:
                continue
            member = _NAMED_BY.get(kind)
            if member is not None:
                name = data.get(member)
                if type(name) is str and name not in self._names[kind]:
                    self._see_name(kind, name, ("events", index, "data", member), found)
            elif kind == "session_start":
                self._see_start(data)
            elif kind == "session_end" and not self._has_seen_start(data):
                lost.append(index)
        if lost:
            _tell_lost_sessions(events, set(lost), found)
        return found

    def _see_attributes(self, attributes: dict[str, Any], found: Found) -> None:
        for name, value in attributes.items():
            # Null is no kind, and an object is another check's concern.
            if self._is_list.get(name) is not (type(value) is list) and value is not None and type(value) is not dict:
                self._see_attribute(name, type(value) is list, found)

    def _see_attribute(self, name: str, is_list: bool, found: Found) -> None:
        key = name[: limits.USER_ATTRIBUTE_NAME_LENGTH]
        with self._lock:
            before = self._is_list.get(key)
            # A change is told once: from then on the new kind is the known one.
            if before is not None or len(self._is_list) < MOST_ATTRIBUTES:
                self._is_list[key] = is_list
        if before is None or before is is_list or not found.room("attribute_kind_changed"):
            return
        now, then = ("a list", "a single value") if is_list else ("a single value", "a list")
        found.add(
            "attribute_kind_changed",
            ("user_attributes", name),
            f"is {now}; expected {then}, as in earlier batches of this workspace.",
            f"Keep to {then}, or give {now} another name.",
        )

    def _see_name(self, kind: str, name: str, path: Path, found: Found) -> None:
        """Add a name; names that mParticle cuts to the same text are one."""
        key = name[: limits.EVENT_NAME_LENGTH]
        names = self._names[kind]
        with self._lock:
            if not key or key in names:
                return
            if sum(map(len, self._names.values())) < limits.EVENT_NAMES_PER_WORKSPACE:
                names.add(key)
                return
            if len(self._excess) < MOST_EXCESS:
                self._excess.add(hash((kind, key)))
            if not self._forms:
                self._forms.update(_form(known) for names in self._names.values() for known in names)
        if not found.room("too_many_event_names"):
            return
        count = limits.EVENT_NAMES_PER_WORKSPACE + len(self._excess)
        more = " or more" if len(self._excess) == MOST_EXCESS else ""
        found.add(
            "too_many_event_names",
            path,
            f"is {shown(key)!r}, one more than the {limits.EVENT_NAMES_PER_WORKSPACE} event and screen names of a workspace: "
            f"this one has {count}{more}, and mParticle drops events with further ones.",
            self._advice(_form(key)),
        )

    def _advice(self, form: str) -> str:
        if self._forms[form] < _FEW:
            form = self._forms.most_common(1)[0][0]
        if self._forms[form] < _FEW:
            return "Use few names, and put what varies into custom attributes."
        return f"{self._forms[form]} names differ only in an id, as {shown(form)!r}: put the id into a custom attribute."

    def _see_start(self, data: dict[str, Any]) -> None:
        for key in session_ids(data):
            if key is not None and key not in self._sessions:
                with self._lock:
                    if len(self._sessions) < MOST_SESSIONS:
                        self._sessions.add(key)

    def _has_seen_start(self, data: dict[str, Any]) -> bool:
        """Whether the session of an end may have started here before."""
        number, uuid = session_ids(data)
        if number is None and uuid is None:
            return True
        return number in self._sessions or uuid in self._sessions or len(self._sessions) >= MOST_SESSIONS


def _form(name: str) -> str:
    """A name with its ids left out: `Order 1` and `Order 2` have one form."""
    return _ID_IN_NAME.sub("…", name)


def _tell_lost_sessions(events: list[Any], lost: set[int], found: Found) -> None:
    for end in session_ends(events):
        # An end that goes with a start of another id is told as that.
        if end.position in lost and end.start is None and found.room("session_end_without_start"):
            data = events[end.position]["data"]
            member = "session_uuid" if session_ids(data)[1] is not None else "session_id"
            found.add(
                "session_end_without_start",
                ("events", end.position),
                f"ends the session {shown(data[member])}, which has not started in this workspace.",
                f'Send before it {{"event_type": "session_start", "data": {{"{member}": …}}}} with the same value.',
            )
