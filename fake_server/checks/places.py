"""Where a member belongs that stands in the wrong place, or how it is called there. For the wording of findings."""

from collections.abc import Iterable
from typing import Any, Final

from .. import schemas
from .fault import Fault
from .members import belongs, data_of, inside, is_event_data

_NAMES: Final = {"event_name": "screen_name", "screen_name": "event_name"}
"""What an event's name is called in events of another type."""


def listed(names: Iterable[str], conjunction: str = "or") -> str:
    """Names with commas and a conjunction."""
    *first, last = names
    return f"{', '.join(first)} {conjunction} {last}" if first else last


def owners_of(fault: Fault) -> list[str]:
    """The documents around that of a fault that have a member of its name."""
    return belongs(str(fault.name), fault.document["title"])


def where_it_belongs(fault: Fault, owners: list[str]) -> str:
    """How to mend a member that stands in another object than one of its `owners`."""
    title, name = fault.document["title"], str(fault.name)
    other = _NAMES.get(name, name)
    of_event = is_event_data(str(fault.event_type))
    if other in fault.members:
        return already(fault, other, "", fault.value) or f"Call it {other}."
    into = list(dict.fromkeys(member for owner in owners for member in inside(owner, title)))
    if is_action(fault):
        return _action(fault, into)
    if title == "Event" and of_event:
        own = data_of(fault.event_type)["properties"]
        called = name if name in own else other
        if called in own:
            there = already(fault, called, "data.", fault.root.get("data"))
            return there or (f"Move {name} into data." if called == name else f"Put {name} into data, as {called}.")
    elif of_event and (fault.event_type in owners or "event_data" in owners):
        there = already(fault, name, "data.", fault.root.get("data"))
        return there or f"Move {name} out of {_holder(fault)}, into the data of the event."
    elif into == ["events"]:
        return f'Move {name} into an event of the batch: "events": [{{"event_type": "…", "data": {{…}}}}].'
    elif into:
        return _already_in(fault, name, fault.value, into) or f"Move {name} into {listed(into)}."
    elif title == "Batch":
        return f"Move {name} into the data of an event."
    to = listed(map(owner_of, owners[:4]))
    if "batch" in owners and fault.event_type is None:
        there = already(fault, name, "", fault.root)
    else:
        there = _already_in(fault, name, _around(fault), owners)
    return there or f"Move {name} out of {_holder(fault)}, into {to}."


def _around(fault: Fault) -> dict[str, Any]:
    """The objects that hold the place, by their member; outside events those of the batch too."""
    around = dict(fault.root) if fault.event_type is None else {}
    holder = fault.root
    for step in fault.path[:-1]:
        holder = holder[step]
        around[str(step)] = holder
    return around


def _holder(fault: Fault) -> str:
    """What the object that has the member is called in a sentence."""
    holder = next((step for step in reversed(fault.path[:-1]) if isinstance(step, str)), "data")
    return "the event" if holder == "data" else holder


def already(fault: Fault, name: str, place: str, holder: Any) -> str | None:
    """That the member is already there under its right name; None of lists and objects too, which may be added to one another."""
    if isinstance(fault.value.get(fault.name), (dict, list)) or not isinstance(holder, dict) or holder.get(name) is None:
        return None
    return f"Leave it out: {place}{name} is there already."


def _already_in(fault: Fault, name: str, around: Any, holders: Iterable[str]) -> str | None:
    """That one of these members of the object around them has it already."""
    return next(filter(None, (already(fault, name, f"{holder}.", around.get(holder)) for holder in holders)), None)


def is_action(fault: Fault) -> bool:
    """Whether a commerce event has, as text, what is the action of its product_action or promotion_action."""
    return fault.name == "action" and fault.document["title"] == "Commerce event" and isinstance(fault.value["action"], str)


def _action(fault: Fault, kinds: list[str]) -> str:
    """Where the action of a commerce event belongs: one of these members."""
    action = fault.value["action"]
    known = [kind for kind in kinds if action in schemas.load()[f"{kind}.json"]["properties"]["action"]["enum"]]
    present = [kind for kind in kinds if fault.value.get(kind) is not None]
    if present or not known:
        return _already_in(fault, "action", fault.value, present) or f"Move action into {listed(present or kinds)}."
    return f'Send "{known[0]}": {{"action": "{action}"}} instead.'


def owner_of(document: str) -> str:
    """What the objects of a document are called in a sentence."""
    if is_event_data(document):
        return f"the data of an event of type {document}"
    return {"batch": "the batch", "event_data": "the data of the event"}.get(document, document)


def under_another_name(fault: Fault) -> str | None:
    """What to do about a member that data lack, if it stands beside them, or is called there as in events of another type."""
    name = str(fault.name)
    other = _NAMES.get(name)
    if fault.event_type is None or fault.path != ("data",):
        return None
    if isinstance(fault.value.get(other), str):
        return f"Call {other} {name}."
    beside = [called for called in (name, other) if isinstance(fault.root.get(called), str)]
    return f"Put {beside[0]} into data{'' if beside[0] == name else f', as {name}'}." if beside else None
