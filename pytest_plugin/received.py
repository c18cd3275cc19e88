"""What was received, to be read by tests: lists of events, batches and requests, and their elements. `inbox.py` makes them.

A list is a snapshot: what arrives later is in the next one. Filters give lists again. Nothing that is read is consumed.
"""

import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Self, SupportsIndex, TypeVar, overload

from mparticle_fake_server.items import event_names
from mparticle_fake_server.words import did_you_mean, plain, printable

from . import doubts, matching
from .errors import MParticleError, MParticleWarning, NoMemberError, UsageError, about_the_test
from .matching import Condition, Moment, Question

if TYPE_CHECKING:
    import mparticle_sdk
    from mparticle_fake_server.checks.finding import Finding
    from mparticle_fake_server.items import BatchItem, RequestItem

__tracebackhide__ = about_the_test

MOST_SHOWN: Final = 20
"""Elements that the repr of a list shows, a line each."""

LINE: Final = 110
"""Characters of such a line."""


@lru_cache(maxsize=1000)
def _meant(kind: type, name: str) -> str:
    """Which attribute was meant, as a sentence. Kept: who asks each element with hasattr shows it to nobody."""
    return did_you_mean(name, [known for known in dir(kind) if not known.startswith("_")])


class _Element(Mapping[str, Any]):
    """Reads like a dictionary of its members, which is also what it is compared with."""

    __slots__ = ()

    _members: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        try:
            return self._members[name]
        except KeyError:
            raise NoMemberError(self._no_member(name)) from None

    if not TYPE_CHECKING:  # to which every attribute would then be one

        def __getattr__(self, name: str) -> Any:
            __tracebackhide__ = True
            try:
                # Once more, for a property whose own code raised this.
                return object.__getattribute__(self, name)
            except AttributeError as error:
                if hasattr(type(self), name) or name.startswith("_"):
                    raise
                hint = f" What was sent is read as [{name!r}]." if name in self._members else _meant(type(self), name)
                raise AttributeError(f"{error}.{hint}") from None

    def get(self, name: str, default: Any = None) -> Any:
        """The member of this name, or `default`."""
        return self._members.get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __bool__(self) -> bool:
        return True  # an event without data is an event all the same

    __hash__ = None  # type: ignore[assignment]  # like a dictionary

    def _no_member(self, name: str) -> str:
        near = did_you_mean(name, self._members)
        return f"{self!r} has no {name!r}.{near} It has: {printable(', '.join(self._members)) or 'nothing'}."


class Event(_Element):
    """One event. `event["event_name"]` reads its data; it compares with a dictionary of its data.

    A dictionary with `event_type` is compared with the whole event, as it stands in the batch.
    """

    __slots__ = ("_members", "_names", "_whole", "batch", "index")

    def __init__(self, batch: "Batch", index: int, whole: dict[str, Any]) -> None:
        self.batch = batch
        """The batch that it came in."""
        self.index = index
        """Its place among the events of the batch, from 0."""
        self._whole = whole
        data = whole.get("data")
        self._members: dict[str, Any] = data if isinstance(data, dict) else {}
        self._names: tuple[str, ...] | None = None

    @property
    def id(self) -> str:
        """The fake's id of the event: its batch's id, a dot, its index."""
        return f"{self.batch.id}.{self.index}"

    @property
    def type(self) -> str:
        """The event type, such as `custom_event`."""
        event_type = self._whole.get("event_type")
        return event_type if isinstance(event_type, str) else ""

    @property
    def name(self) -> str:
        """The first of `names`, or nothing if it has none."""
        return self.names[0] if self.names else ""

    @property
    def names(self) -> tuple[str, ...]:
        """What it may be called: event_name, screen_name of a screen view, its product or promotion action."""
        if self._names is None:
            names = event_names(self._whole)
            # Seldom more than one, and asked of every event there is.
            self._names = tuple(names) if len(names) < 2 else tuple(dict.fromkeys(names))
        return self._names

    @property
    def data(self) -> dict[str, Any]:
        """The members of its data; empty if it has none."""
        return self._members

    @property
    def custom_attributes(self) -> dict[str, Any]:
        """Its custom attributes; empty if it has none."""
        attributes = self._members.get("custom_attributes")
        return attributes if isinstance(attributes, dict) else {}

    @property
    def user_identities(self) -> dict[str, Any]:
        """The identities of the user, by type."""
        return self.batch.user_identities

    @property
    def mpid(self) -> Any:
        """mParticle's id of the user: a number, or text from the web SDK; None if the batch has none."""
        return self.batch.mpid

    @property
    def time_ms(self) -> int:
        """`timestamp` in ms since 1970."""
        stamp = self._members.get("timestamp_unixtime_ms")
        usable = isinstance(stamp, int) and not isinstance(stamp, bool) and 0 <= stamp < 2**47
        return int(stamp) if usable else self.batch.time_ms  # type: ignore[arg-type]

    @property
    def timestamp(self) -> datetime:
        """When it happened (UTC); without a usable timestamp of its own, when it was received, as mParticle has it."""
        return _moment(self.time_ms)

    @property
    def received_at(self) -> datetime:
        """When it was received (UTC)."""
        return self.batch.received_at

    @property
    def findings(self) -> "list[Finding]":
        """What was found in this event; `batch.findings` has what was found in the whole batch."""
        place = f"/events/{self.index}"
        return [finding for finding in self.batch.findings if finding.pointer == place or finding.pointer.startswith(f"{place}/")]

    @property
    def verdict(self) -> str:
        """What became of its batch: accepted, altered, dropped, rejected."""
        return self.batch.verdict

    @property
    def model(self) -> "mparticle_sdk.AnyEvent":
        """The SDK's object of its type, for example an AppEvent. Raises MParticleError if it has no data."""
        from mparticle_sdk import EventBase

        made = EventBase.from_dict(self._whole).data
        if made is None or isinstance(made, str | int | float | list):
            raise MParticleError(f"{self!r} has no data that the SDK could read: {made!r:.80}.")
        return made

    def as_dict(self) -> dict[str, Any]:
        """The whole event as it stands in the batch: `event_type` and `data`."""
        return dict(self._whole)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Event):
            return self._whole == other._whole
        if isinstance(other, Mapping):
            return bool((self._whole if "event_type" in other else self._members) == other)
        return NotImplemented

    __hash__ = None  # like a dictionary

    def __repr__(self) -> str:
        return f"<{plain(self.line, LINE - 2)}>"

    @property
    def kind(self) -> str:
        """Its type and name, as in `custom_event "Hello World"`."""
        event_type = self.type or "(no type)"
        return f'{event_type} "{self.name}"' if self.names else event_type

    @property
    def line(self) -> str:
        """What it is, whose, and what it is about, for one line of a report."""
        from .telling import about_event

        return about_event(self)


class _Received:
    """What a batch and the request it came in have in common."""

    __slots__ = ("_item",)
    _item: "BatchItem | RequestItem"

    @property
    def id(self) -> str:
        """The fake's id of it."""
        return self._item.id

    @property
    def status(self) -> int:
        """The HTTP status that the request got."""
        return self._item.status

    @property
    def key(self) -> str | None:
        """The API key it was sent with, if it could be told."""
        return self._item.key

    @property
    def source(self) -> str:
        """The family of endpoints that took it."""
        return self._item.source

    @property
    def time_ms(self) -> int:
        """`received_at` in ms since 1970."""
        return self._item.received_at_ms

    @property
    def received_at(self) -> datetime:
        """When it was received (UTC)."""
        return _moment(self.time_ms)


class Batch(_Element, _Received):
    """One batch in the documented form, whoever sent it. Reads like a dictionary of its members, and compares with one."""

    __slots__ = ("_events", "_members")
    _item: "BatchItem"

    def __init__(self, item: "BatchItem") -> None:
        self._item = item
        self._members: dict[str, Any] = item.batch
        self._events: list[Event] | None = None

    @property
    def request_id(self) -> str:
        """The fake's id of the request that it came in."""
        return self._item.request_id

    @property
    def place(self) -> tuple[int, ...]:
        """Its id in a form that has an order: that of receipt."""
        return tuple(int(part) for part in self.id.split("."))

    @property
    def event_list(self) -> list[Event]:
        """Its events, those that are objects."""
        if self._events is None:
            events = self._members.get("events")
            listed = events if isinstance(events, list) else []
            self._events = [Event(self, index, event) for index, event in enumerate(listed) if isinstance(event, dict)]
        return self._events

    @property
    def events(self) -> "Events":
        """Its events."""
        return Events(self.event_list)

    @property
    def verdict(self) -> str:
        """What became of it: accepted, altered, dropped, rejected."""
        return self._item.verdict

    @property
    def findings(self) -> "list[Finding]":
        """What was found in it."""
        return self._item.findings

    @property
    def user_identities(self) -> dict[str, Any]:
        """The identities of the user, by type; empty if it has none."""
        identities = self._members.get("user_identities")
        return identities if isinstance(identities, dict) else {}

    @property
    def user_attributes(self) -> dict[str, Any]:
        """The user's attributes; empty if it has none."""
        attributes = self._members.get("user_attributes")
        return attributes if isinstance(attributes, dict) else {}

    @property
    def mpid(self) -> Any:
        """mParticle's id of the user: a number, or text from the web SDK; None if it has none."""
        return self._members.get("mpid")

    @property
    def model(self) -> "mparticle_sdk.Batch":
        """The SDK's Batch."""
        from mparticle_sdk import Batch as Model

        return Model.from_dict(self._members)

    def as_dict(self) -> dict[str, Any]:
        """The whole batch."""
        return dict(self._members)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Batch):
            return self._members == other._members
        if isinstance(other, Mapping):
            return bool(self._members == other)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # like a dictionary

    def __repr__(self) -> str:
        from .telling import about_batch

        return f"<{plain(about_batch(self), LINE - 2)}>"


class Request(_Received):
    """One request, also one that is no upload or that could not be read."""

    __slots__ = ()
    _item: "RequestItem"

    def __init__(self, item: "RequestItem") -> None:
        self._item = item

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self._item.method

    @property
    def path(self) -> str:
        """The path, without the query."""
        return self._item.path

    @property
    def query(self) -> str:
        """The query string, without the question mark."""
        return self._item.query

    @property
    def remote(self) -> str:
        """The address it came from."""
        return self._item.remote

    @property
    def headers(self) -> dict[str, str]:
        """The headers by lower-case name, credentials redacted; of several with one name the last."""
        return {name.lower(): value for name, value in self._item.headers}

    @property
    def findings(self) -> "list[Finding]":
        """What was found in the request as a whole, and in its batches."""
        return [*self._item.findings, *(finding for batch in self._item.batches for finding in batch.findings)]

    @property
    def own_findings(self) -> "list[Finding]":
        """What was found in the request as a whole."""
        return self._item.findings

    @property
    def batch_ids(self) -> list[str]:
        """The fake's ids of the batches that could be read from it."""
        return [batch.id for batch in self._item.batches]

    @property
    def verdicts(self) -> list[str]:
        """What became of these batches."""
        return [batch.verdict for batch in self._item.batches]

    def __eq__(self, other: object) -> bool:
        return self._item == other._item if isinstance(other, Request) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        from .telling import about_request

        return f"<{plain(about_request(self), LINE - 2)}>"


# -- lists -----------------------------------------------------------------------------------------------------------------

T = TypeVar("T", bound=Event | Batch | Request)


class Snapshot(Sequence[T], Generic[T]):
    """What was received up to a moment, oldest first; compares with lists, element by element."""

    WHAT: ClassVar[str] = ""

    __slots__ = ("_elements", "_explain", "_origin", "_question")

    def __init__(
        self,
        elements: Iterable[T] = (),
        *,
        origin: "Snapshot[T] | None" = None,
        question: Question | None = None,
        explain: "Callable[[Snapshot[T], str], str] | None" = None,
    ) -> None:
        self._elements: list[T] = elements if isinstance(elements, list) else list(elements)
        self._origin = origin
        self._question = question
        self._explain = explain

    @property
    def origin(self) -> "Snapshot[T]":
        """What the filters were applied to."""
        return self if self._origin is None else self._origin

    @property
    def question(self) -> Question:
        """What the filters asked for."""
        return self._question or Question((), self.WHAT)

    def __len__(self) -> int:
        return len(self._elements)

    def __iter__(self) -> Iterator[T]:
        return iter(self._elements)

    @overload
    def __getitem__(self, index: SupportsIndex) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)(self._elements[index], origin=self._origin, question=self._question, explain=self._explain)
        try:
            return self._elements[index]
        except IndexError:
            __tracebackhide__ = True
            there = f"There is no {index} among {len(self)}:\n{self!r}" if self._elements else self._failure("at least one")
            raise IndexError(there) from None
        except TypeError:
            raise UsageError(
                f"{index!r:.80} is no place in a list of {self.plural()}; expected a number or a slice. "
                "Filters are .named(…) and .where(…)."
            ) from None

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Snapshot):
            return self._elements == other._elements
        if isinstance(other, list | tuple):
            return self._elements == list(other)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # like a list

    def __repr__(self) -> str:
        if not self._elements:
            return f"<no {self.plural()}>"
        lines = [f"  {element!r}" for element in islice(self._elements, MOST_SHOWN)]
        if len(self) > MOST_SHOWN:
            lines.append(f"  … and {len(self) - MOST_SHOWN} more")
        plural = self.WHAT if len(self) == 1 else self.plural()
        return "\n".join([f"<{len(self)} {plural}:", *lines]) + ">"

    def plural(self) -> str:
        """The word for several of these."""
        return "batches" if self.WHAT == "batch" else f"{self.WHAT}s"

    def where(self, predicate: "Callable[[T], Any] | None" = None, /, **keywords: Any) -> Self:
        """Those for which a callable says yes, and of which all keywords hold. Raises UsageError."""
        question = self._ask(keywords)
        if predicate is not None:
            if not callable(predicate):
                raise UsageError(f"where got {predicate!r:.80}; expected a callable that takes one {self.WHAT}, and keywords.")
            question = question.and_(Question([matching.satisfies(predicate)], self.WHAT))
        return self.matching(question)

    def between(self, start: Moment | None, end: Moment | None = None) -> Self:
        """Those of a span of time, both ends included; None leaves an end open. Raises UsageError.

        Moments are datetimes, or ms or seconds since 1970. An event has its own timestamp if it came with one; else, as with
        batches and requests, the time of receipt counts.
        """
        return self.matching(Question([matching.between(start, end)], self.WHAT))

    def one(self) -> T:
        """The only one there is. Raises AssertionError, with a report, if there is none or more than one."""
        if len(self._elements) != 1:
            raise AssertionError(self._failure("exactly one"))
        self._doubt("one()")
        return self._elements[0]

    @property
    def first(self) -> T:
        """The oldest. Raises AssertionError, with a report, if there is none."""
        if not self._elements:
            raise AssertionError(self._failure("at least one"))
        self._doubt("first")
        return self._elements[0]

    @property
    def last(self) -> T:
        """The newest. Raises AssertionError, with a report, if there is none."""
        if not self._elements:
            raise AssertionError(self._failure("at least one"))
        self._doubt("last")
        return self._elements[-1]

    def _failure(self, wanted: str) -> str:
        if self._explain is not None:
            return self._explain(self, wanted)
        return f"expected {wanted} {self.WHAT}, got {len(self)}:\n{self!r}"

    def _doubt(self, method: str) -> None:
        """Warn if something is found, perhaps because of a mistyped name."""

    def _ask(self, keywords: Mapping[str, Any]) -> Question:
        raise NotImplementedError

    def matching(self, question: Question) -> Self:
        """Those that meet all conditions of a question."""
        matches = question.matches
        return type(self)(
            [element for element in self._elements if matches(element)],
            origin=self._origin or self,
            question=self._question.and_(question) if self._question else question,
            explain=self._explain,
        )


class Events(Snapshot[Event]):
    """Events, oldest first."""

    WHAT = "event"

    __slots__ = ()

    def named(self, name: "str | re.Pattern[str]") -> Self:
        """Those of a name: event_name, screen_name, product or promotion action. Raises UsageError."""
        return self.matching(Question([matching.named(name)]))

    def of_type(self, event_type: str) -> Self:
        """Those of a documented type, such as `screen_view`. Raises UsageError."""
        return self.matching(Question([matching.of_type(event_type)]))

    def by(self, **identities: Any) -> Self:
        """Those of a user, told by identities or `mpid`. Raises UsageError."""
        return self.matching(_by(identities))

    def _doubt(self, method: str) -> None:
        # What an assertion gives has been filtered by it, and not here.
        origin = self._origin
        if origin is not None:
            for reason in doubts.mistaken(self.question, lambda: origin, came=True):
                warnings.warn(f"{method} found something, perhaps because {reason}", MParticleWarning, stacklevel=3)

    def _ask(self, keywords: Mapping[str, Any]) -> Question:
        return matching.ask(None, keywords, "where")


class Batches(Snapshot[Batch]):
    """Batches, oldest first."""

    WHAT = "batch"

    __slots__ = ()

    def named(self, name: "str | re.Pattern[str]") -> Self:
        """Those with an event of a name. Raises UsageError."""
        return self.matching(_any_event(matching.named(name)))

    def of_type(self, event_type: str) -> Self:
        """Those with an event of a documented type. Raises UsageError."""
        return self.matching(_any_event(matching.of_type(event_type)))

    def by(self, **identities: Any) -> Self:
        """Those of a user, told by identities or `mpid`. Raises UsageError."""
        return self.matching(_by(identities))

    @property
    def events(self) -> Events:
        """All events of these batches."""
        return Events([event for batch in self._elements for event in batch.event_list])

    def _ask(self, keywords: Mapping[str, Any]) -> Question:
        return matching.ask_batches(keywords)


class Requests(Snapshot[Request]):
    """Requests, oldest first."""

    WHAT = "request"

    __slots__ = ()

    def _ask(self, keywords: Mapping[str, Any]) -> Question:
        return matching.ask_requests(keywords)


def _by(identities: Mapping[str, Any]) -> Question:
    if not identities:
        raise UsageError("by() got nothing to tell a user by; for example by(customer_id='c1') or by(mpid=42).")
    return Question(matching.identity(name, expected) for name, expected in identities.items())


def _any_event(condition: Condition) -> Question:
    return Question(
        [condition._replace(read=lambda batch: batch.event_list, test=lambda events: any(map(condition.holds, events)))], "batch"
    )


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
