"""Forms of abbreviated JSON: what they stand for, what is left over, and the way back. `native_keys.py` puts them together.

A form says of one kind of value how it is written canonically (`read`), which of it has no canonical member (`rest`), what is
known to nobody (`remarks`), and where a place in the canonical value was in what was sent (`back`). A value of another type than
the form is for stays as it is: the checks tell of it. So does everything without a form of its own.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final, NamedTuple, Protocol

from ..checks.found import Path, got

Json = Any

Odd = list[object]
"""Gets an entry wherever there is something to remark: without one nobody looks for it a second time."""

_NUMBER: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_MOST_DIGITS: Final = 40

MOST_PLANS: Final = 1_000
"""Orders of the keys of one form that are remembered. Clients send one or two; somebody might send all there are."""


class Remark(NamedTuple):
    """What nobody knows: its place in what was sent, the canonical object that it was sent with, and what is said of it."""

    sent: Path
    place: Path
    said: str


class Form(Protocol):
    """How one kind of value is abbreviated."""

    def read(self, value: Json, odd: Odd) -> Json:
        """The canonical value; `value` itself stays as it is."""

    def rest(self, value: Json) -> dict[str, Json]:
        """What the canonical value has no place for, by the keys and positions that it was sent with."""

    def remarks(self, value: Json, sent: Path, place: Path) -> Iterator[Remark]:
        """What is known to nobody, in a value that was sent at one path and stands at another."""

    def back(self, value: Json, steps: list[str]) -> list[str]:
        """The steps in what was sent that lead where `steps` lead in the canonical value, or as far as there is a way."""


class _Plan(NamedTuple):
    """What becomes of the objects that have the same keys in the same order: clients send few such shapes, over and over."""

    names: tuple[str | None, ...]
    """The canonical name of each key; None also for a key that is unknown, or has the name of one before it."""
    leaves_out: bool
    """Whether any is None."""
    numbers: tuple[str, ...]
    readers: tuple[tuple[str, Callable[[Json, Odd], Json]], ...]
    besides: bool
    """Whether there is any of what follows."""
    also: tuple[tuple[str, str], ...]
    constants: tuple[tuple[str, Json], ...]
    odd: bool


class Keys:
    """An object with known keys: `names` has the canonical name of each, or None where the Events API has no member for it.

    The others are by canonical name. `numbers` may come as text; `values` have other values, all of one type; `inside` are
    objects and lists with forms of their own; `also` take the value of a further key, where they have none of their own;
    `constants` are not sent at all. A `lenient` form knows every key, and has no member for those that are not in `names`.
    """

    def __init__(
        self,
        names: Mapping[str, str | None],
        *,
        numbers: tuple[str, ...] = (),
        values: Mapping[str, Mapping[Json, Json]] | None = None,
        inside: Mapping[str, Form] | None = None,
        also: Mapping[str, str] | None = None,
        constants: Mapping[str, Json] | None = None,
        lenient: bool = False,
    ) -> None:
        self._names = dict(names)
        self._numbers = numbers
        self._inside = dict(inside or {})
        self._readers = {name: _Values(wanted).read for name, wanted in (values or {}).items()}
        self._readers |= {name: form.read for name, form in self._inside.items()}
        self._also = dict(also or {})
        self._constants = dict(constants or {})
        self._lenient = lenient
        self._plans: dict[tuple[str, ...], _Plan] = {}

    def read(self, value: Json, odd: Odd) -> Json:
        """The object with canonical names."""
        if type(value) is not dict:
            return value
        plan = self._plans.get(tuple(value)) or self._plan(value)
        names, leaves_out, numbers, readers, besides, also, constants, is_odd = plan
        made: dict[Any, Json] = dict(zip(names, value.values()))  # noqa: B905  # one for each; the check would cost a third more
        if leaves_out:
            del made[None]
        for name in numbers:
            if type(made[name]) is str:
                made[name] = number(made[name])
        for name, read in readers:
            made[name] = read(made[name], odd)
        if besides:
            for name, key in also:
                made[name] = value[key]
            made.update(constants)
            if is_odd:
                odd.append(value)
        return made

    def rest(self, value: Json) -> dict[str, Json]:
        """The members without a canonical name, and what is left of the others."""
        left: dict[str, Json] = {}
        for key, member, name in self._named(value):
            if name is None:
                left[key] = member
            elif name in self._inside:
                inner = self._inside[name].rest(member)
                if inner:
                    left[key] = inner
        return left

    def remarks(self, value: Json, sent: Path, place: Path) -> Iterator[Remark]:
        """The keys that are unknown here, and what is to be said inside."""
        for key, member, name in self._named(value):
            if name is not None and name in self._inside:
                yield from self._inside[name].remarks(member, (*sent, key), (*place, name))
            elif key not in self._names and not self._lenient:
                said = f"is a key that mParticle's native SDKs are not known to send here; {got(member)} is kept as it came."
                yield Remark((*sent, key), place, said)

    def back(self, value: Json, steps: list[str]) -> list[str]:
        """The key that has the name, and so on inside."""
        if not steps or type(value) is not dict:
            return []
        for key, member, name in self._named(value):
            if name == steps[0]:
                form = self._inside.get(steps[0])
                return [key, *(steps[1:] if form is None else form.back(member, steps[1:]))]
        return [self._also[steps[0]]] if self._also.get(steps[0]) in value else []

    def _named(self, value: Json) -> Iterator[tuple[str, Json, str | None]]:
        """The members of what may be no object, and their canonical names."""
        if type(value) is dict:
            yield from zip(value, value.values(), self._plan(value).names, strict=True)

    def _plan(self, value: dict[str, Json]) -> _Plan:
        """The plan for the keys of an object."""
        shape = tuple(value)
        if shape in self._plans:
            return self._plans[shape]
        taken: set[str] = set()
        names: list[str | None] = []
        for key in shape:
            name = self._names.get(key)
            names.append(None if name in taken else name)
            if name is not None:
                taken.add(name)
        known = all(key in self._names for key in shape)
        also = tuple((name, key) for name, key in self._also.items() if name not in taken and key in value)
        constants = tuple((name, constant) for name, constant in self._constants.items() if name not in taken)
        is_odd = not known and not self._lenient
        plan = _Plan(
            tuple(names),
            None in names,
            tuple(name for name in self._numbers if name in taken),
            tuple((name, read) for name, read in self._readers.items() if name in taken),
            bool(also or constants or is_odd),
            also,
            constants,
            is_odd,
        )
        if known:  # others are rare, and could be as long and as many as somebody likes
            if len(self._plans) >= MOST_PLANS:
                self._plans.clear()
            self._plans[shape] = plan
        return plan


class _Values:
    """Other words for documented values: `wanted` has those of one type."""

    def __init__(self, wanted: Mapping[Json, Json]) -> None:
        self._wanted = dict(wanted)
        # By the exact type: in Python, 1 and true are the same key.
        self._type = type(next(iter(wanted)))

    def read(self, value: Json, odd: Odd) -> Json:
        """The documented value, or what has none."""
        return self._wanted.get(value, value) if type(value) is self._type else value


class Digits:
    """A whole number where the canonical value is its digits as text."""

    def read(self, value: Json, odd: Odd) -> Json:
        """The digits."""
        return str(value) if type(value) is int and -(2**63) <= value < 2**64 else value

    def rest(self, value: Json) -> dict[str, Json]:
        """Nothing."""
        return {}

    def remarks(self, value: Json, sent: Path, place: Path) -> Iterator[Remark]:
        """None: this is how it is always sent."""
        return iter(())

    def back(self, value: Json, steps: list[str]) -> list[str]:
        """There is nothing inside."""
        return []


class Items:
    """A list of values of one form."""

    def __init__(self, form: Form) -> None:
        self._form = form

    def read(self, value: Json, odd: Odd) -> Json:
        """Each of them."""
        read = self._form.read
        return [read(item, odd) for item in value] if type(value) is list else value

    def rest(self, value: Json) -> dict[str, Json]:
        """What is left of each, by its position."""
        return {str(index): left for index, item in items(value) if (left := self._form.rest(item))}

    def remarks(self, value: Json, sent: Path, place: Path) -> Iterator[Remark]:
        """Those on each."""
        for index, item in items(value):
            yield from self._form.remarks(item, (*sent, index), (*place, index))

    def back(self, value: Json, steps: list[str]) -> list[str]:
        """The same position."""
        at = position(value, steps)
        return [] if at is None else [steps[0], *self._form.back(value[at], steps[1:])]


class Named:
    """An object whose names are the app's own, with values of one form."""

    def __init__(self, form: Form) -> None:
        self._form = form

    def read(self, value: Json, odd: Odd) -> Json:
        """Each of them."""
        read = self._form.read
        return {name: read(member, odd) for name, member in value.items()} if type(value) is dict else value

    def rest(self, value: Json) -> dict[str, Json]:
        """What is left of each."""
        return {name: left for name, member in members(value) if (left := self._form.rest(member))}

    def remarks(self, value: Json, sent: Path, place: Path) -> Iterator[Remark]:
        """Those on each."""
        for name, member in members(value):
            yield from self._form.remarks(member, (*sent, name), (*place, name))

    def back(self, value: Json, steps: list[str]) -> list[str]:
        """The same name."""
        if not steps or type(value) is not dict or steps[0] not in value:
            return []
        return [steps[0], *self._form.back(value[steps[0]], steps[1:])]


class Joined:
    """An object with lists of texts where the canonical one has a text: the only one, or all of them with commas between."""

    def read(self, value: Json, odd: Odd) -> Json:
        """A text for each list of texts; what else there is stays."""
        if type(value) is not dict:
            return value
        return {name: ",".join(texts) if _are_texts(texts) else texts for name, texts in value.items()}

    def rest(self, value: Json) -> dict[str, Json]:
        """The lists of several texts: their commas do not tell where each ends."""
        return {name: texts for name, texts in members(value) if _are_texts(texts) and len(texts) > 1}

    def remarks(self, value: Json, sent: Path, place: Path) -> Iterator[Remark]:
        """None: this is how they are always sent."""
        return iter(())

    def back(self, value: Json, steps: list[str]) -> list[str]:
        """The same name."""
        return steps[:1] if steps and type(value) is dict and steps[0] in value else []


class Identities:
    """A list of identities, each with a number for its type, where the canonical object has a text by the name of the type.

    Of several of a type the last counts.
    """

    def __init__(self, types: Mapping[int, str], form: Form, keys: Collection[str], number: str, identity: str) -> None:
        self._types = types
        self._form = form
        self._known = frozenset(keys)
        self._number = number
        self._identity = identity

    def read(self, value: Json, odd: Odd) -> Json:
        """The object."""
        if type(value) is not list:
            return value
        made = {}
        for item in value:
            name = self._type_of(item)
            if name is not None:
                made[name] = item.get(self._identity)
            if name is None or not item.keys() <= self._known:
                odd.append(item)
        return made

    def rest(self, value: Json) -> dict[str, Json]:
        """What else was said of each; the whole of what has no type, or is not the last of its type."""
        last = {self._type_of(item): index for index, item in items(value)}
        left: dict[str, Json] = {}
        for index, item in items(value):
            name = self._type_of(item)
            if name is None or last[name] != index:
                left[str(index)] = item
            elif beside := {key: member for key, member in item.items() if key not in (self._number, self._identity)}:
                left[str(index)] = beside
        return left

    def remarks(self, value: Json, sent: Path, place: Path) -> Iterator[Remark]:
        """What has no known type, and the unknown keys of the others."""
        for index, item in items(value):
            if self._type_of(item) is not None:
                yield from self._form.remarks(item, (*sent, index), place)
                continue
            type_of = item.get(self._number) if type(item) is dict else None
            said = "is no identity" if type(item) is not dict else f"has no type of identity: {self._number} is {got(type_of)}"
            yield Remark((*sent, index), place, f"{said}; it is kept as it came.")

    def back(self, value: Json, steps: list[str]) -> list[str]:
        """The last of the type."""
        for index, item in reversed(list(items(value))):
            if steps and self._type_of(item) == steps[0]:
                return [str(index), *([self._identity] if self._identity in item else [])]
        return []

    def _type_of(self, item: Json) -> str | None:
        number = item.get(self._number) if type(item) is dict else None
        return self._types.get(number) if type(number) is int else None


class Messages:
    """A list of objects whose keys depend on the type that `key` names, where the canonical one has events: a type and data.

    `kinds` has the event type and the form of each type of message; `other` is the form of those that it has not.
    """

    def __init__(self, key: str, kinds: Mapping[str, tuple[str, Form]], other: Form) -> None:
        self._key = key
        self._kinds = dict(kinds)
        self._readers = {kind: (event_type, form.read) for kind, (event_type, form) in kinds.items()}
        self._other = other

    def read(self, value: Json, odd: Odd) -> Json:
        """The events. An unknown type stays, where there is one; so does what is no object."""
        if type(value) is not list:
            return value
        key, readers = self._key, self._readers
        made: list[Json] = []
        for message in value:
            kind = message.get(key) if type(message) is dict else None
            known = readers.get(kind) if type(kind) is str else None
            if known is not None:
                made.append({"event_type": known[0], "data": known[1](message, odd)})
            elif type(message) is dict:
                event = {"event_type": kind} if key in message else {}
                made.append({**event, "data": self._other.read(message, odd)})
            else:
                made.append(message)
        return made

    def rest(self, value: Json) -> dict[str, Json]:
        """What the data of each event has no members for, by its position."""
        found = ((str(index), self._form_of(message).rest(message)) for index, message in items(value))
        beside = ((index, {key: member for key, member in left.items() if key != self._key}) for index, left in found)
        return {index: left for index, left in beside if left}

    def remarks(self, value: Json, sent: Path, place: Path) -> Iterator[Remark]:
        """Those on the members of the data of each event."""
        for index, message in items(value):
            yield from self._form_of(message).remarks(message, (*sent, index), (*place, index, "data"))

    def back(self, value: Json, steps: list[str]) -> list[str]:
        """The same position; the data's members are the message's own."""
        at = position(value, steps)
        if at is None:
            return []
        message, inner = value[at], steps[1:]
        if inner[:1] == ["data"]:
            return [steps[0], *self._form_of(message).back(message, inner[1:])]
        has_type = inner[:1] == ["event_type"] and type(message) is dict and self._key in message
        return [steps[0], *([self._key] if has_type else [])]

    def _form_of(self, message: Json) -> Form:
        kind = message.get(self._key) if type(message) is dict else None
        known = self._kinds.get(kind) if type(kind) is str else None
        return self._other if known is None else known[1]


def members(value: Json) -> Iterator[tuple[str, Json]]:
    """The members of what may be no object."""
    return iter(value.items() if type(value) is dict else ())


def items(value: Json) -> Iterator[tuple[int, Json]]:
    """The items of what may be no list, with their positions."""
    return enumerate(value if type(value) is list else ())


def position(value: Json, steps: list[str]) -> int | None:
    """The position in a list to which the first step leads; None if it leads to none, or the value is no list."""
    first = steps[0] if steps else ""
    if type(value) is not list or not (first.isascii() and first.isdigit()) or len(first) > 9:
        return None
    return int(first) if int(first) < len(value) else None


def _are_texts(value: Json) -> bool:
    return type(value) is list and value != [] and all(type(item) is str for item in value)


def number(text: str) -> Json:
    """The number that a text writes out as JSON would, or with a `+` as the Apple SDK does, or else the text."""
    written = _NUMBER.fullmatch(text) if len(text) <= _MOST_DIGITS else None
    if written is None:
        return text
    if written[1] is None and written[2] is None:
        return int(text)
    value = float(text)
    return text if abs(value) == float("inf") else value
