"""What a workspace has seen, and what only that can tell: too many event names, attributes of changing kind, lost sessions."""

import re
import threading
from collections import Counter
from typing import Any, Final

from mparticle_sdk import limits

from .finding import Finding
from .found import Found, Path, shown
from .sessions import session_ends, session_ids, tell_difference

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


class News:
    """What batches have that their workspace has not learnt: names by event type, kinds of attributes, ids of started sessions.

    Names come in their order, and with whether they are within the limit. The kind of a deleted attribute is None.
    """

    __slots__ = ("is_list", "names", "sessions")

    def __init__(self) -> None:
        self.names: dict[tuple[str, str], bool] = {}
        self.is_list: dict[str, bool | None] = {}
        self.sessions: set[str] = set()

    def add(self, later: "News") -> None:
        """Take over what a later batch has."""
        self.names |= later.names
        self.is_list |= later.is_list
        self.sessions |= later.sessions


_NO_NEWS: Final = News()


class History:
    """The memory of one workspace, bounded whatever a client sends.

    A batch is judged when it is read, and learnt when it was taken: what mParticle refuses or drops has not arrived. Both may be
    called from many threads at once. What is known is looked up without a lock: sets and dictionaries are read whole in CPython.
    What is new is added under the lock, after another look.

    A `resumed` history stands for a workspace that has older records: sessions may have started in them, so no end is judged.
    """

    def __init__(self, *, resumed: bool = False) -> None:
        self._lock = threading.Lock()
        self._names: dict[str, set[str]] = {kind: set() for kind in _NAMED_BY}
        self._excess: set[int] = set()
        self._forms: Counter[str] = Counter()
        self._is_list: dict[str, bool] = {}
        self._sessions: set[str] = set()
        self._resumed = resumed

    def check(self, batch: dict[str, Any]) -> list[Finding]:
        """Judge a canonical batch that is taken in any case, and learn it."""
        findings, news = self.judge(batch)
        if news is not None:
            self.learn(news)
        return findings

    def judge(self, batch: dict[str, Any], before: News | None = None) -> tuple[list[Finding], News | None]:
        """What in a canonical batch does not go with what came before, and what is new in it: None if nothing is.

        `before` is what the batches before it in the same request have.
        """
        look: _Look | None = None
        attributes = batch.get("user_attributes")
        if batch.get("deleted_user_attributes") or (before is not None and before.is_list):
            look = _Look(self, before)
            look.see_all_attributes(batch)
        elif attributes and type(attributes) is dict:
            is_list = self._is_list
            for name, value in attributes.items():
                # Null is no kind, and an object is another check's concern.
                if is_list.get(name) is not (type(value) is list) and value is not None and type(value) is not dict:
                    look = look or _Look(self, before)
                    look.see_attribute(name, type(value) is list)
        events: Any = batch.get("events")
        for index, event in enumerate(events) if type(events) is list else ():
            data: Any = event.get("data") if type(event) is dict else None
            kind = event.get("event_type") if type(data) is dict else None
            if type(kind) is not str:
                continue
            member = _NAMED_BY.get(kind)
            if member is not None:
                name = data.get(member)
                if type(name) is str and name not in self._names[kind]:
                    look = look or _Look(self, before)
                    look.see_name(kind, name, ("events", index, "data", member))
            elif kind in ("session_start", "session_end"):
                number, uuid = session_ids(data)
                if (number is None or number in self._sessions) and (uuid is None or uuid in self._sessions):
                    continue
                look = look or _Look(self, before)
                look.see_session(kind, index, data)
        return ([], None) if look is None else look.result(events)

    def learn(self, news: News) -> None:
        """Add what is new in a batch that was taken."""
        with self._lock:
            for kind, key in news.names:
                if key in self._names[kind]:
                    continue
                if self.count_names() < limits.EVENT_NAMES_PER_WORKSPACE:
                    self._names[kind].add(key)
                elif len(self._excess) < MOST_EXCESS:
                    self._excess.add(hash((kind, key)))
            for name, is_list in news.is_list.items():
                if is_list is None:
                    self._is_list.pop(name, None)
                elif name in self._is_list or len(self._is_list) < MOST_ATTRIBUTES:
                    self._is_list[name] = is_list
            for id in news.sessions:
                if len(self._sessions) < MOST_SESSIONS:
                    self._sessions.add(id)

    # -- for those who look ------------------------------------------------------------------------------------------------

    def count_names(self) -> int:
        """How many names are within the limit."""
        return sum(map(len, self._names.values()))

    def has_name(self, kind: str, key: str) -> bool:
        """Whether a name, cut as mParticle cuts it, is one of those."""
        return key in self._names[kind]

    def excess(self, kind: str, key: str) -> tuple[int, bool]:
        """How many names are beyond the limit, and whether this is one of them."""
        return len(self._excess), hash((kind, key)) in self._excess

    def is_list(self, key: str) -> bool | None:
        """Whether an attribute was a list before, or None if it is unknown."""
        return self._is_list.get(key)

    def may_have_started(self, id: str | None) -> bool:
        """Whether a session has started here, as far as is known."""
        return id in self._sessions or self._resumed or len(self._sessions) >= MOST_SESSIONS

    def forms(self, pending: list[str]) -> Counter[str]:
        """How many names there are of each form, `pending` ones among them while there is room."""
        if self._forms:
            return self._forms
        with self._lock:
            known = [name for names in self._names.values() for name in names]
            if len(known) >= limits.EVENT_NAMES_PER_WORKSPACE:
                # From now on they stay the same.
                self._forms.update(map(_form, known))
                return self._forms
        return Counter(map(_form, known + pending))


class _Look:
    """A look at one batch in which something may be new."""

    def __init__(self, history: History, before: News | None) -> None:
        self._history = history
        self._before = before or _NO_NEWS
        self._news = News()
        self._found = Found()
        self._fresh = 0
        """Names that `before` has not."""
        self._lost: set[int] = set()
        self._forms: Counter[str] | None = None

    def result(self, events: Any) -> tuple[list[Finding], News | None]:
        """What was found, and what is new."""
        if self._lost:
            _tell_lost_sessions(events, self._lost, self._found)
        news = self._news
        return self._found, news if news.names or news.is_list or news.sessions else None

    def see_all_attributes(self, batch: dict[str, Any]) -> None:
        """Forget the kind of what is deleted. Whether what is set beside comes before or after that, nobody knows."""
        deleted = {_attribute_key(name) for name in _list(batch.get("deleted_user_attributes")) if type(name) is str}
        for key in deleted:
            if self._kind_of(key) is not None:
                self._news.is_list[key] = None
        attributes = batch.get("user_attributes")
        for name, value in attributes.items() if type(attributes) is dict else ():
            if value is not None and type(value) is not dict and _attribute_key(name) not in deleted:
                self.see_attribute(name, type(value) is list)

    def see_attribute(self, name: str, is_list: bool) -> None:
        key = _attribute_key(name)
        before = self._kind_of(key)
        if is_list is not before or is_list is not self._history.is_list(key):
            # A change is told once: from then on the new kind is the known one.
            self._news.is_list[key] = is_list
        if before in (None, is_list) or not self._found.room("attribute_kind_changed"):
            return
        now, then = ("a list", "a single value") if is_list else ("a single value", "a list")
        self._found.add(
            "attribute_kind_changed",
            ("user_attributes", name),
            f"is {now}; expected {then}, as in earlier batches of this workspace.",
            f"Keep to {then}, or give {now} another name.",
        )

    def _kind_of(self, key: str) -> bool | None:
        for news in (self._news, self._before):
            if key in news.is_list:
                return news.is_list[key]
        return self._history.is_list(key)

    def see_name(self, kind: str, name: str, path: Path) -> None:
        """Names that mParticle cuts to the same text are one."""
        key = name[: limits.EVENT_NAME_LENGTH]
        history, names, before = self._history, self._news.names, self._before.names
        if not key or history.has_name(kind, key):
            return
        known = history.count_names()
        within = names.get((kind, key), before.get((kind, key)))
        if within is None:
            within = known + len(before) + self._fresh < limits.EVENT_NAMES_PER_WORKSPACE
        excess, counted = history.excess(kind, key)
        if not counted and (kind, key) not in names:
            names[kind, key] = within
            self._fresh += (kind, key) not in before
        if within:
            return
        if not self._found.room("too_many_event_names"):
            return
        most = limits.EVENT_NAMES_PER_WORKSPACE + MOST_EXCESS
        count = min(most, known + excess + len(before) + self._fresh)
        self._found.add(
            "too_many_event_names",
            path,
            f"is {shown(key)!r}, one more than the {limits.EVENT_NAMES_PER_WORKSPACE} event and screen names of a workspace: "
            f"this one has {count}{' or more' if count == most else ''}, and mParticle drops events with further ones.",
            self._advice(_form(key)),
        )

    def _advice(self, form: str) -> str:
        if self._forms is None:
            self._forms = self._history.forms([name for _, name in {**self._before.names, **self._news.names}])
        if self._forms[form] < _FEW:
            form = self._forms.most_common(1)[0][0]
        if self._forms[form] < _FEW:
            return "Use few names, and put what varies into custom attributes."
        return f"{self._forms[form]} names differ only in an id, as {shown(form)!r}: put the id into a custom attribute."

    def see_session(self, kind: str, index: int, data: dict[str, Any]) -> None:
        ids = [id for id in session_ids(data) if id is not None]
        if kind == "session_start":
            self._news.sessions.update(id for id in ids if not self._history.may_have_started(id))
        # An end without any id is not judged.
        elif ids and not any(map(self._may_have_started, ids)):
            self._lost.add(index)

    def _may_have_started(self, id: str) -> bool:
        return id in self._news.sessions or id in self._before.sessions or self._history.may_have_started(id)


def _list(value: Any) -> list[Any]:
    return value if type(value) is list else []


def _attribute_key(name: str) -> str:
    return name[: limits.USER_ATTRIBUTE_NAME_LENGTH]


def _form(name: str) -> str:
    """A name with its ids left out: `Order 1` and `Order 2` have one form."""
    return _ID_IN_NAME.sub("…", name)


def _tell_lost_sessions(events: list[Any], lost: set[int], found: Found) -> None:
    """Tell of ends whose session has not started: they end another than the one that is open, or one that nobody has started."""
    for end in session_ends(events, lost):
        if end.position not in lost:
            continue
        data = events[end.position]["data"]
        if end.start is None and found.room("session_end_without_start"):
            member = "session_uuid" if session_ids(data)[1] is not None else "session_id"
            found.add(
                "session_end_without_start",
                ("events", end.position),
                f"ends the session {shown(data[member])}, which has not started in this workspace.",
                f'Send before it {{"event_type": "session_start", "data": {{"{member}": …}}}} with the same value.',
            )
        elif end.differs is not None:
            tell_difference(end, events, found)
