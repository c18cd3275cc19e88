"""What may have been meant by names that fit nothing: the doubts of reports, and of assertions that hold because of one.

`report.py` tells of them where an assertion fails, `inbox.py`, `received.py` and `journeys.py` warn of them where one holds.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final, get_args

import msgspec

from mparticle_fake_server.words import did_you_mean, printable
from mparticle_sdk.codec import Model
from mparticle_sdk.commerce import ProductAction, ProductActionName, PromotionAction, PromotionActionName
from mparticle_sdk.events import CLASSES, EventData

from .matching import (
    CONTROLS,
    EVENT_TYPES,
    IDENTITY_TYPES,
    SPELLINGS,
    Condition,
    Question,
    batch_members,
    members,
    names_of,
    product_members,
)

if TYPE_CHECKING:
    from .received import Event


def doubtful(question: Question, events: "Iterable[Event]") -> Iterable[tuple[str, str]]:
    """Keywords that were taken for custom attributes which no event has, and what may have been meant by them. For reports."""
    conditions = [condition for condition in question.conditions if condition.is_attribute or _is_all_data(condition)]
    if not conditions:
        return
    listed = list(events)
    for condition in conditions:
        if not any(condition.read(event) is not None for event in listed) and (meant := _meant(condition.field)):
            yield condition.field, meant


def mistaken(question: Question, events: "Callable[[], Iterable[Event]]", *, came: bool) -> Iterable[str]:
    """Because of which mistyped names an assertion may hold, in words: that something `came`, or that nothing did.

    The `events` are asked for only where there is a doubt: with a fake in another process that is a request.

    What an event does not have is met by None, and by nothing else. So None makes the first kind hold where a name is mistyped,
    any other value the second. A name that some event has is right, and so is one that mParticle documents.
    """
    conditions = [
        condition for condition in question.conditions if condition.role == "value" and _may_lack(condition.expected, came)
    ]
    if not conditions:
        return
    listed = list(events())
    for condition in conditions:
        got = [found for event in listed if (found := condition.read(event)) is not None]
        if condition.is_attribute or _is_all_data(condition):
            meant = None if got else _meant(condition.field) or _meant_of(condition.field, listed)
            if meant and (condition.expected is None) is came:
                name = condition.field
                yield (
                    f"the keyword {name!r} was taken for a custom attribute; {meant} "
                    f"If it is a custom attribute, say attributes={{{name!r}: …}}."
                )
        else:
            yield from _unknown_members(condition.expected, got, _models_at(condition.field), condition.field, came)


def _may_lack(expected: Any, came: bool) -> bool:
    """Whether there is a value, at any depth, that holds or fails because of what is missing; most questions have none."""
    if isinstance(expected, Mapping | list | tuple):
        within = expected.values() if isinstance(expected, Mapping) else expected
        return not came or any(_may_lack(value, came) for value in within)
    return (expected is None) is came


def _unknown_members(expected: Any, got: list[Any], models: "frozenset[type[Model]]", place: str, came: bool) -> Iterable[str]:
    """The same for what is expected within a documented object, or a list of these; `got` is what was received there."""
    if not models:
        return
    if isinstance(expected, list | tuple):
        items = [item for value in got if isinstance(value, list) for item in value]
        for one in expected:
            yield from _unknown_members(one, items, models, place, came)
    elif isinstance(expected, Mapping):
        known = names_of(*models)
        for name, value in expected.items():
            there = [found for each in got if isinstance(each, Mapping) and (found := each.get(name)) is not None]
            if there or name in known:
                yield from _unknown_members(value, there, _models_at(str(name), models), f"{place}.{name}", came)
            elif (value is None) is came:
                yield f"no {place} has {name!r}.{did_you_mean(str(name), known)}"


def _is_all_data(condition: Condition) -> bool:
    """Whether somebody asks for an event's data as a whole; `data` is text where it is documented, in network_performance."""
    return condition.field == "data" and isinstance(condition.expected, Mapping)


@cache
def _models_at(name: str, models: frozenset[type[Model]] = frozenset()) -> frozenset[type[Model]]:
    """The documented objects that a member of some objects is, or has a list of; by default, of an event's data."""
    holders: Iterable[type[Model]] = models or (*CLASSES.values(), EventData, ProductAction, PromotionAction)
    types = [field.type for model in holders for field in msgspec.structs.fields(model) if field.encode_name == name]
    return frozenset(part for part in _parts_of(types) if isinstance(part, type) and issubclass(part, Model))


def _parts_of(types: Iterable[Any]) -> Iterable[Any]:
    """Types, and those that they are made of."""
    for each in types:
        yield each
        yield from _parts_of(get_args(each))


# -- what was meant --------------------------------------------------------------------------------------------------------


_WORDS: Final = {
    "name": "event_name",
    "event": "event_name",
    "type": "event_type",
    "user_id": "customer_id",
    "userid": "customer_id",
    "amount": "total_amount",
    "total": "total_amount",
    "revenue": "total_amount",
}
"""What people write who have not looked a keyword up."""


_DOCUMENTED_NAMES: Final[tuple[str, ...]] = (*EVENT_TYPES, *get_args(ProductActionName), *get_args(PromotionActionName))


def name_meant(condition: Condition, events: "Iterable[Event]") -> str | None:
    """The documented type or action that a name resembles, where no event is called either: one that is, is the closest."""
    name = condition.expected
    if condition.role != "name" or not isinstance(name, str) or name in _DOCUMENTED_NAMES:
        return None
    near = difflib.get_close_matches(name[:100], _DOCUMENTED_NAMES, 1, 0.8)
    return near[0] if near and not any({name, near[0]} & set(event.names) for event in events) else None


def _meant(name: str) -> str | None:
    if name == "data":
        return "what an event's data has is asked for by keywords of its own, such as total_amount=…"
    if name in batch_members():
        return f"of a batch: .batches.where({name}=…)"
    if name in product_members():
        return f"of a product: products=[{{{name!r}: …}}]"
    near = meant_instead(name)
    if near is not None:
        return f"did you mean {near}?"
    of_batch = difflib.get_close_matches(name, batch_members(), 1, 0.8)
    return f"did you mean .batches.where({of_batch[0]}=…)?" if of_batch else None


_LONG_ENOUGH: Final = 5
"""Characters: shorter names that are nearly the same often are different ones."""


def _meant_of(name: str, events: "Iterable[Event]") -> str | None:
    """The custom attribute, of those that came, from which a name differs in a letter too many or too few."""
    came = {attribute for event in events for attribute in event.custom_attributes}
    if len(name) < _LONG_ENOUGH:
        return None
    # Those that are numbered differ in that: item_1, item_2.
    alike = [other for other in came if _without_digits(other) != _without_digits(name)]
    near = difflib.get_close_matches(name[:100], sorted(alike), 1, 0.9)
    return f"did you mean {printable(near[0])}, which came?" if near else None


def _without_digits(name: str) -> str:
    return re.sub(r"\d+", "", name)


def meant_instead(name: str) -> str | None:
    """The known keyword that is close to an unknown one."""
    lower = name.lower()
    if lower in _WORDS:
        return _WORDS[lower]
    if lower in SPELLINGS:
        return SPELLINGS[lower]
    known = ["attributes", "mpid", *IDENTITY_TYPES, "event_type", "event_name", *sorted(members())]
    # Short words resemble each other: a `counter` is no mistyped `count`.
    near = difflib.get_close_matches(name, CONTROLS, 1, 0.85) or difflib.get_close_matches(name, known, 1, 0.75)
    return near[0] if near else None
