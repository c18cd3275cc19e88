"""What matches: turns the positional argument and the keywords of a question into conditions on what was received.

`inbox.py` and the filters of `received.py` ask; `report.py` reads the conditions to say which of them does not hold.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, get_args

import msgspec

from mparticle_fake_server.words import did_you_mean, printable
from mparticle_sdk.batch import Batch as BatchModel
from mparticle_sdk.batch import EventTypeName
from mparticle_sdk.codec import Model
from mparticle_sdk.commerce import Product, ProductAction, PromotionAction
from mparticle_sdk.events import CLASSES, EventData
from mparticle_sdk.identity import IdentityTypeName

from .errors import ConditionError, UsageError, about_the_test
from .settings import MOST_SECONDS
from .wording import safe_repr

if TYPE_CHECKING:
    from .received import Batch, Event, Request

__tracebackhide__ = about_the_test

EVENT_TYPES: Final[tuple[str, ...]] = get_args(EventTypeName)
IDENTITY_TYPES: Final[tuple[str, ...]] = get_args(IdentityTypeName)
CONTROLS: Final = ("count", "times", "timeout", "within")
"""Keywords that say how often and how long, in every question."""

_WAITING: Final = frozenset(("timeout", "within"))

REQUEST_MEMBERS: Final = ("status", "method", "path", "query", "key", "source", "remote")
BATCH_FACTS: Final = ("verdict", "status", "key", "source")
"""What is known of a batch besides its own members."""

SPELLINGS: Final = {"customerid": "customer_id"}
"""The name of an identity in the official Python SDK, and the documented one."""


class Condition(NamedTuple):
    """One thing that must hold: what is read, and what is expected there."""

    field: str
    expected: Any
    read: Callable[[Any], Any]
    test: Callable[[Any], bool]
    weight: float = 1.0
    """What it counts when the closest event is looked for."""
    is_attribute: bool = False
    """Whether the keyword names nothing documented, so that only a custom attribute can be meant."""
    role: Literal["value", "name", "type", "span", "predicate"] = "value"
    """What it is about: the value of a field, the name or the type of an event, a span of time; or `expected` is a callable that
    is asked about the whole element. `field` does not tell: a custom attribute or a callable may have any name."""

    def holds(self, element: Any) -> bool:
        """Whether an event, a batch or a request meets it. Raises ConditionError."""
        got = self.read(element)
        try:
            return self.test(got)
        except Exception as error:
            raise ConditionError(
                f"The condition on {printable(self.field)} could not be tried on {safe_repr(got):.200}, which {element!r} has: "
                f"{type(error).__name__}: {printable(str(error))}"
            ) from error


class Question:
    """All conditions of one question. `what` tells the kind of thing that is asked for: event, batch, request."""

    __slots__ = ("conditions", "what")

    def __init__(self, conditions: Iterable[Condition] = (), what: str = "event") -> None:
        self.conditions = tuple(conditions)
        self.what = what

    def matches(self, element: Any) -> bool:
        """Whether all conditions hold."""
        # Written out: this is asked of every event there is.
        for condition in self.conditions:  # noqa: SIM110
            if not condition.holds(element):
                return False
        return True

    def and_(self, other: "Question") -> "Question":
        """Both questions at once."""
        return Question(self.conditions + other.conditions, self.what)


def ask(
    what: "str | re.Pattern[str] | None", keywords: Mapping[str, Any], method: str, controls: tuple[str, ...] = ()
) -> Question:
    """The question of an assertion on events. `controls` are those of CONTROLS that `method` takes. Raises UsageError."""
    if "what" in keywords:
        raise UsageError(
            f"{method} got what={keywords['what']!r:.80}; the type or the name of an event is the first argument, "
            "without a keyword. A custom attribute of this name is asked for by attributes={'what': …}."
        )
    conditions = [] if what is None else [positional(what, method)]
    for name, expected in keywords.items():
        if name in CONTROLS:
            takes = f"{method} takes {_listed(controls)}" if controls else f"{method} takes none of {_listed(CONTROLS)}"
            if name in _WAITING and not _WAITING & {*controls}:
                takes += ", and does not wait: wait_for takes count and timeout, assert_not_received takes within"
            raise UsageError(
                f"{method} got {name}={expected!r}; {takes}. A custom attribute of this name is asked for by "
                f"attributes={{{name!r}: …}}."
            )
        conditions.append(keyword(name, expected))
    types = [condition.expected for condition in conditions if condition.field == "event_type"]
    if len(types) > 1 and not same(types[1], types[0]):
        raise UsageError(f"{method} asks for events of type {types[0]} and {types[1]} at once; no event has two types.")
    return Question(conditions)


def positional(what: Any, method: str) -> Condition:
    """An event type if it is a documented one, else a name. Raises UsageError."""
    if isinstance(what, str) and what in EVENT_TYPES:
        return of_type(what)
    if isinstance(what, str) or (isinstance(what, re.Pattern) and isinstance(what.pattern, str)):
        return named(what)
    raise UsageError(
        f"{method} got {what!r:.80} ({type(what).__name__}); expected the name or the type of an event as text, or a pattern "
        'such as re.compile("^cart"). Everything else is asked for by keywords, for example total_amount=21.49.'
    )


def of_type(event_type: Any) -> Condition:
    """The documented type. Raises UsageError."""
    if event_type not in EVENT_TYPES:
        raise UsageError(
            f"{event_type!r:.80} is no event type of mParticle.{did_you_mean(event_type, EVENT_TYPES)} "
            f"Types: {', '.join(EVENT_TYPES)}."
        )
    return Condition("event_type", event_type, lambda event: event.type, lambda got: bool(got == event_type), 3.0, role="type")


def named(name: Any) -> Condition:
    """Any of the names that an event has. Raises UsageError."""
    if not isinstance(name, str | re.Pattern):
        raise UsageError(
            f"{name!r:.80} ({type(name).__name__}) is no name; expected text, or a pattern such as re.compile('^cart')."
        )
    return _name("name", name)


def _name(field: str, expected: Any) -> Condition:
    test = tester(expected)
    return Condition(
        field,
        expected,
        lambda event: event.names if len(event.names) != 1 else event.names[0],
        lambda got: any(map(test, got)) if isinstance(got, tuple) else test(got),
        3.0,
        role="name",
    )


def keyword(name: str, expected: Any) -> Condition:
    """What a keyword means, in the order of the contract. Raises UsageError."""
    if name in IDENTITY_TYPES or name in SPELLINGS or name == "mpid":
        return identity(name, expected)
    if name == "event_type":
        if isinstance(expected, str):
            return of_type(expected)
        return Condition(name, expected, lambda event: event.type, tester(expected), 3.0, role="type")
    if name == "event_name":
        return _name(name, expected)
    if name == "attributes":
        if not isinstance(expected, Mapping):
            raise UsageError(
                f"attributes is {expected!r:.80}; expected custom attributes by name, such as attributes={{'plan': 'gold'}}."
            )
        return Condition("custom_attributes", expected, lambda event: event.custom_attributes, tester(expected))
    return Condition(name, expected, _reader(name), tester(expected), is_attribute=name not in members())


def identity(name: str, expected: Any) -> Condition:
    """An identity of the user, or the mpid. Raises UsageError."""
    if name == "mpid":
        test = tester(expected)
        # The web SDK sends its digits as text.
        return Condition(name, expected, lambda element: element.mpid, lambda got: test(got) or _same_digits(expected, got))
    documented = SPELLINGS.get(name, name)
    if documented not in IDENTITY_TYPES:
        valid = (*IDENTITY_TYPES, "mpid")
        raise UsageError(f"{name!r} is no identity.{did_you_mean(name, valid)} Valid: {', '.join(valid)}.")
    if isinstance(expected, int | float | Decimal):
        raise UsageError(f"{name} is {expected!r}, but identities are text; write {name}='{expected}'.")
    return Condition(documented, expected, lambda element: element.user_identities.get(documented), tester(expected))


def _same_digits(expected: Any, got: Any) -> bool:
    return (
        isinstance(expected, int | str) and isinstance(got, int | str) and not isinstance(got, bool) and str(expected) == str(got)
    )


def _reader(name: str) -> "Callable[[Event], Any]":
    """The first that is there: the member of the data, of its product or promotion action, the custom attribute.

    No custom attribute stands for a member that is documented for the type of the event.
    """
    owners = frozenset(event_type for event_type in CLASSES if name in _members_of(event_type))

    def read(event: "Event") -> Any:
        data = event.data
        found = data.get(name)
        if found is not None:
            return found
        holders = ("product_action", "promotion_action", "custom_attributes")
        for holder in holders[:2] if event.type in owners else holders:
            members = data.get(holder)
            if isinstance(members, dict):
                found = members.get(name)
                if found is not None:
                    return found
        return None

    return read


# -- batches and requests --------------------------------------------------------------------------------------------------


def ask_batches(keywords: Mapping[str, Any]) -> Question:
    """The question of a filter on batches. Raises UsageError."""
    return Question((_on_batch(name, expected) for name, expected in keywords.items()), "batch")


def _on_batch(name: str, expected: Any) -> Condition:
    if name in IDENTITY_TYPES or name in SPELLINGS or name == "mpid":
        return identity(name, expected)
    if name in BATCH_FACTS:
        return Condition(name, expected, lambda batch: getattr(batch, name), tester(expected))
    if name not in batch_members():
        valid = (*BATCH_FACTS, "mpid", *IDENTITY_TYPES, *batch_members())
        raise UsageError(f"A batch has no {name!r}.{did_you_mean(name, valid)} Valid: {', '.join(dict.fromkeys(valid))}.")

    def read(batch: "Batch") -> Any:
        return batch.get(name)

    return Condition(name, expected, read, tester(expected))


def ask_requests(keywords: Mapping[str, Any]) -> Question:
    """The question of a filter on requests. Raises UsageError."""
    for name in keywords:
        if name not in REQUEST_MEMBERS:
            raise UsageError(
                f"A request has no {name!r}.{did_you_mean(name, REQUEST_MEMBERS)} Valid: {', '.join(REQUEST_MEMBERS)}."
            )

    def reader(name: str) -> "Callable[[Request], Any]":
        return lambda request: getattr(request, name)

    conditions = (Condition(name, expected, reader(name), tester(expected)) for name, expected in keywords.items())
    return Question(conditions, "request")


def satisfies(predicate: Callable[[Any], Any]) -> Condition:
    """A callable of the test's own, asked about the whole event, batch or request."""
    name = getattr(predicate, "__name__", type(predicate).__name__)
    return Condition(name, predicate, lambda element: element, lambda got: bool(predicate(got)), role="predicate")


Moment = datetime | float
"""A datetime, or a number: ms or seconds since 1970."""

_SECONDS_END: Final = 100_000_000_000
"""Numbers below are seconds: as ms they would lie before 1974."""


def between(start: Moment | None, end: Moment | None) -> Condition:
    """The time from `start` to `end`, both included; None leaves a side open. Raises UsageError."""
    # What was received is stamped in whole ms.
    first = -1 if start is None else int(_milliseconds(start) // 1)
    last = 2**63 if end is None else int(-(-_milliseconds(end) // 1))
    if first > last:
        raise UsageError(f"between got {start!r} and {end!r}; the second moment comes before the first.")
    shown = (start, end)
    return Condition("time", shown, lambda element: element.time_ms, lambda got: first <= got <= last, role="span")


def _milliseconds(moment: Any) -> float:
    if isinstance(moment, datetime):
        return moment.timestamp() * 1000
    if isinstance(moment, int | float) and not isinstance(moment, bool) and 0 <= moment < 2**53:
        return moment * 1000 if moment < _SECONDS_END else moment
    raise UsageError(f"between got {moment!r:.80}; expected a datetime, or ms or seconds since 1970 as a number.")


# -- values ----------------------------------------------------------------------------------------------------------------


def tester(expected: Any) -> Callable[[Any], bool]:
    """Whether a value is what is expected: see `same`."""
    if type(expected) is str:
        return lambda got: type(got) is str and got == expected
    return lambda got: same(expected, got)


def same(expected: Any, got: Any) -> bool:  # noqa: PLR0911  # a table of kinds
    """Whether a JSON value is what is expected.

    None stands for null and for what is absent, which nothing else meets, and no callable is asked about; a dict
    matches as a subset, a list item by item; a pattern is searched for; a class matches its instances; another callable decides
    itself; numbers match by value, and never booleans; all else by `==`.
    """
    if expected is None or got is None:
        return expected is got
    if isinstance(expected, re.Pattern):
        return isinstance(got, str) and expected.search(got) is not None
    if isinstance(expected, Mapping):
        return isinstance(got, Mapping) and all(same(value, got.get(name)) for name, value in expected.items())
    if isinstance(expected, list | tuple):
        return isinstance(got, list | tuple) and len(got) == len(expected) and all(map(same, expected, got))
    if isinstance(expected, type) and type(expected).__eq__ is type.__eq__:
        return _is_a(expected, got)
    if callable(expected) and not isinstance(expected, type):
        return bool(expected(got))
    if isinstance(expected, bool) or (isinstance(got, bool) and isinstance(expected, int | float | Decimal)):
        return expected is got
    if isinstance(expected, Decimal) and isinstance(got, float):
        return expected == Decimal(repr(got))  # what stands in the JSON, not the nearest binary fraction
    return bool(expected == got)


def _is_a(expected: type, got: Any) -> bool:
    if isinstance(got, bool):
        return issubclass(bool, expected) and expected not in (int, float)
    return isinstance(got, (int, float) if expected is float else expected)


# -- names -----------------------------------------------------------------------------------------------------------------


@cache
def members() -> frozenset[str]:
    """The documented members of the data of all events, and of product and promotion actions."""
    return names_of(*CLASSES.values(), EventData, ProductAction, PromotionAction)


@cache
def _members_of(event_type: str) -> frozenset[str]:
    """Those of the data of events of one type."""
    model = CLASSES[event_type]
    return names_of(model, ProductAction, PromotionAction) if event_type == "commerce_event" else names_of(model)


def names_of(*models: type[Model]) -> frozenset[str]:
    """The documented members of objects."""
    return frozenset(field.encode_name for model in models for field in msgspec.structs.fields(model) if field.name != "unknown")


@cache
def batch_members() -> tuple[str, ...]:
    """The documented members of a batch."""
    return tuple(field.encode_name for field in msgspec.structs.fields(BatchModel) if field.name != "unknown")


@cache
def product_members() -> tuple[str, ...]:
    """The documented members of a product."""
    return tuple(field.encode_name for field in msgspec.structs.fields(Product) if field.name != "unknown")


def _listed(words: Iterable[str]) -> str:
    return " and ".join(words)


# -- numbers of a question -------------------------------------------------------------------------------------------------


_NUMBER: Final = re.compile(r"\s*[-+.]?\d")


def check_count(name: str, value: Any, method: str, least: int) -> int:
    """A number of events or requests. Raises UsageError."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        waits_for_none = name == "count" and type(value) is int and value == 0
        hint = " That nothing comes is asserted by assert_not_received(…, within=SECONDS)." if waits_for_none else ""
        raise UsageError(f"{method} got {name}={safe_repr(value):.80}; expected a whole number of at least {least}.{hint}")
    return value


def check_second(name: str, value: Any, method: str) -> None:
    """What stands after the type or name of an event, or is given as `name`: a number. Raises UsageError.

    Text that begins as a number does is meant for `name`: the check of its value tells more.
    """
    if isinstance(value, re.Pattern) or (isinstance(value, str) and not _NUMBER.match(value)):
        raise UsageError(
            f"{method} got {name}={value!r:.80}; expected a number. If it stands without a keyword: {method} takes one event "
            f"type or name so, and a name besides a type by keyword: event_name={value!r:.80}."
        )
    if isinstance(value, Mapping):
        raise UsageError(
            f"{method} got {name}={safe_repr(value):.80}; expected a number. If it stands without a keyword: {method} takes one "
            "event type or name so, and all further conditions are keywords, such as total_amount=21.49."
        )


def check_status(status: Any, method: str) -> None:
    """A status to fail with. Raises UsageError."""
    if isinstance(status, bool) or not isinstance(status, int) or not 400 <= status <= 599:
        raise UsageError(f"{method} got status={status!r}; expected the status of a failure, from 400 to 599.")


def check_answer(retry_after: Any, body: Any, method: str) -> None:
    """How to fail. Raises UsageError."""
    whole = isinstance(retry_after, int) and not isinstance(retry_after, bool) and 0 <= retry_after <= 86_400
    if retry_after is not None and not whole:
        raise UsageError(f"{method} got retry_after={retry_after!r:.80}; expected whole seconds from 0 to 86400.")
    if body is not None and not isinstance(body, str):
        raise UsageError(f"{method} got body={body!r:.80}; expected text.")


def check_seconds(name: str, value: Any, method: str, most: int = MOST_SECONDS) -> float:
    """A span of time in seconds. Raises UsageError."""
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        hint = ""
        if isinstance(value, int | float) and most < value <= most * 1000:
            hint = f" It is in seconds: for {value:g} milliseconds, say {value / 1000:g}."
        raise UsageError(f"{method} got {name}={safe_repr(value):.80}; expected seconds from 0 to {most}.{hint}")
    return float(value)
