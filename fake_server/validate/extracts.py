"""What a workspace's `History` needs of a batch, cut out by the workers: small, so that one process can follow the whole input.

`History.check` finds the same in the extracts, in their order, as in the batches. A test holds that for thousands of batches.
"""

from typing import Any

import msgspec

from mparticle_sdk import limits

from ..checks.history import MOST_SESSIONS, History

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
        attributes = batch.get("user_attributes")
        if attributes and type(attributes) is dict:
            kinds = self._attributes(attributes)
            if kinds:
                extract["user_attributes"] = kinds
        events = batch.get("events")
        if events and type(events) is list:
            needed = self._events(events)
            if needed:
                extract["events"] = needed
        return extract or None

    def _attributes(self, attributes: dict[str, Any]) -> dict[str, Any]:
        kinds: dict[str, Any] = {}
        known = self._is_list
        for name, value in attributes.items():
            is_list = type(value) is list
            # Cut as the history cuts them, so that two names that it takes for one are one here.
            key = name if len(name) <= limits.USER_ATTRIBUTE_NAME_LENGTH else name[: limits.USER_ATTRIBUTE_NAME_LENGTH]
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
