"""What a workspace's `History` needs of a batch, cut out by the workers: small, so that one process can follow the whole input.

A history finds the same in the extracts, in their order, as in the batches. A test holds that for thousands of batches. Only of
an attribute that changes its kind in a duplicate, and keeps it in the same chunk, it hears once, with the duplicate.
"""

from typing import Any, Final

import msgspec

from mparticle_sdk import limits

from ..checks.batch import has_type
from ..checks.finding import Finding
from ..checks.history import MOST_SESSIONS, History

_REFUSED: Final = "refused"
"""The member of an extract that says that mParticle refuses its batch: an event has no event_type."""

_EMPTY: frozenset[str] = frozenset()


class Seen(msgspec.Struct, frozen=True):
    """What a history had when a chunk was handed out: names that it surely knows, and whether sessions still matter to it."""

    events: frozenset[str] = _EMPTY
    screens: frozenset[str] = _EMPTY
    sessions: bool = True


class Extractor:
    """Makes the extracts of one chunk."""

    def __init__(self, seen: Seen) -> None:
        self._names = {"custom_event": ("event_name", seen.events), "screen_view": ("screen_name", seen.screens)}
        self._sessions = seen.sessions
        self._is_list: dict[str, bool] = {}

    def extract(self, batch: dict[str, Any]) -> dict[str, Any] | None:
        """The least that tells a history as much as this canonical batch does, or None if that is nothing."""
        extract: dict[str, Any] = {}
        events = batch.get("events")
        refused = bool(events) and type(events) is list and not all(map(has_type, events))
        attributes = batch.get("user_attributes")
        kinds = self._attributes(attributes, {} if refused else self._is_list) if type(attributes) is dict else {}
        deleted = batch.get("deleted_user_attributes")
        if deleted and type(deleted) is list:
            extract["deleted_user_attributes"] = deleted
            # What is both set and deleted is no more known, and what was left out may be that.
            kinds = self._attributes(attributes, {}) if type(attributes) is dict else {}
            for name in deleted if not refused else ():
                if type(name) is str:
                    self._is_list.pop(_attribute_key(name), None)
        if kinds:
            extract["user_attributes"] = kinds
        if events and type(events) is list:
            needed = self._events(events)
            if needed:
                extract["events"] = needed
        if extract and refused:
            extract[_REFUSED] = True
        return extract or None

    def _attributes(self, attributes: dict[str, Any], known: dict[str, bool]) -> dict[str, Any]:
        kinds: dict[str, Any] = {}
        for name, value in attributes.items():
            is_list = type(value) is list
            # Cut as the history cuts them, so that two names that it takes for one are one here.
            key = _attribute_key(name)
            if known.get(key) is not is_list and value is not None and type(value) is not dict:
                known[key] = is_list
                kinds[name] = [] if is_list else 0
        return kinds

    def _events(self, events: list[Any]) -> list[Any]:
        # None in place of events that do not matter: positions count.
        needed: list[Any] = []
        names, sessions = self._names, self._sessions
        for index, event in enumerate(events):
            data = event.get("data") if type(event) is dict else None
            if type(data) is not dict:
                continue
            kind = event.get("event_type")
            if kind in ("custom_event", "screen_view"):
                member, known = names[kind]
                name = data.get(member)
                if type(name) is not str or name in known:
                    continue
                kept = {member: name}
            elif sessions and kind in ("session_start", "session_end"):
                kept = {name: data[name] for name in ("session_id", "session_uuid", "timestamp_unixtime_ms") if name in data}
            else:
                continue
            needed.extend([None] * (index - len(needed)))
            needed.append({"event_type": kind, "data": kept})
        return needed


def _attribute_key(name: str) -> str:
    return name if len(name) <= limits.USER_ATTRIBUTE_NAME_LENGTH else name[: limits.USER_ATTRIBUTE_NAME_LENGTH]


class Followed(History):
    """A history that says what chunks have to know of it."""

    def __init__(self) -> None:
        super().__init__()
        self._seen = Seen()

    def seen(self) -> Seen:
        """What it has now."""
        events, screens = self._names["custom_event"], self._names["screen_view"]
        sessions = len(self._sessions) < MOST_SESSIONS
        seen = self._seen
        # Names only grow: copied only when they did.
        if (len(events), len(screens), sessions) != (len(seen.events), len(seen.screens), seen.sessions):
            self._seen = seen = Seen(frozenset(events), frozenset(screens), sessions)
        return seen

    def follow(self, extract: dict[str, Any], *, dropped: bool = False) -> list[Finding]:
        """Judge an extract, and learn it unless its batch is refused or `dropped`."""
        if not dropped and _REFUSED not in extract:
            return self.check(extract)
        return self.judge(extract)[0]
