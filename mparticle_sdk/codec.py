"""A model and its JSON, both ways. Every model is a `Model`; the client writes what it sends with `encode`.

Reading loses nothing: members that the SDK does not know are kept in `unknown`, values of another type stay as they are, and
`validate` tells. There is a fast way, where JSON fits the annotations, and a slow one for everything else.
"""

import json
from functools import cache
from types import UnionType
from typing import Annotated, Any, Final, NamedTuple, Self, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import NODEFAULT

from .errors import Problem, ValidationError
from .values import problems

__all__ = ["Model", "Problem", "encode", "problems"]

_MARKER: Final = "⟨unknown⟩"

# A length that nothing has: JSON with a member of the marker's name is read the slow way, where it is as unknown as any other.
_Unknown = Annotated[dict[str, Any], msgspec.Meta(min_length=1, max_length=0)]


class _Nothing(dict[str, Any]):
    """No unknown members: one dictionary for all models that have none, whose own is made when somebody asks for it."""

    def __reduce__(self) -> str:
        return "_NOTHING"  # copied and pickled by name


_NOTHING: Final = _Nothing()


class Model(
    msgspec.Struct,
    omit_defaults=True,
    forbid_unknown_fields=True,
    repr_omit_defaults=True,
    gc=False,
    kw_only=True,
    rename={"unknown": _MARKER},
):
    """What all models have. A member that is None, or an empty map of consents or list of events, is not written."""

    unknown: _Unknown = _NOTHING
    """Members that the SDK does not know, by their names in JSON: kept on reading, written beside the others, which win."""

    @classmethod
    def from_json(cls, text: bytes | str) -> Self:
        """Read a model.

        64-bit integers are exact. Raises ValueError for what is not JSON, or not an object.
        """
        try:
            model: Self = decoder(cls).decode(text)
        except (msgspec.DecodeError, RecursionError):
            return cls.from_dict(_value(text))
        model.when_read()
        return model

    @classmethod
    def from_dict(cls, members: dict[str, Any]) -> Self:
        """The model of a dictionary with the names that JSON has; those of the attributes are read too."""
        if not isinstance(members, dict):
            raise ValueError(f"A {cls.__name__} is a JSON object, not {type(members).__name__}.")  # noqa: TRY004  # of the JSON
        return cls.build(members)

    @classmethod
    def build(cls, members: dict[str, Any]) -> Self:
        """`from_dict`, without a look at what it gets."""
        plan = _plan(cls)
        known: dict[str, Any] = dict(plan.absent)
        unknown: dict[str, Any] = {}
        for name, value in members.items():
            member = plan.members.get(name)
            if member is None or (name != member.wire and members.get(member.wire) is not None):
                unknown[name] = value
            elif value is not None:
                known[member.name] = value if member.model is None else _built(member.model, member.shape, value)
        return cls(**known, unknown=unknown) if unknown else cls(**known)

    def when_read(self) -> None:
        """Called when this was read the fast way."""

    def writes_too_much(self) -> bool:
        """Whether the fast way writes a null or an empty list here: msgspec omits what equals its default, and nothing else."""
        return False

    def to_json(self) -> str:
        """The JSON that goes to mParticle. It is not checked: see `validate` for what JSON does not have."""
        return encode(self).decode()

    def to_dict(self) -> dict[str, Any]:
        """All attributes by name, None where there is nothing, and the unknown members; models in them as dictionaries too."""
        known = {name: _as_dict(getattr(self, name)) for name in self.__struct_fields__ if name != "unknown"}
        return {**unknown_of(self), **known}

    def to_str(self) -> str:
        """`to_dict`, set out for reading."""
        from pprint import pformat  # which imports dataclasses and inspect

        return pformat(self.to_dict())

    def validate(self) -> None:
        """Raise ValidationError if a type or an enumerated value is wrong; it names all of them, with their paths.

        Reported are also NaN, bytes, datetime and other values that JSON does not have, and text with lone surrogates.
        """
        if found := problems(self):
            raise ValidationError(found)


unknown_of: Final = Model.__dict__["unknown"].__get__
"""The unknown members of a model, to be looked at alone."""

_set_unknown: Final = Model.__dict__["unknown"].__set__


def _own_unknown(model: Model) -> dict[str, Any]:
    unknown: dict[str, Any] = unknown_of(model)
    if unknown is _NOTHING:
        unknown = {}
        _set_unknown(model, unknown)
    return unknown


# In place of the slot's own access: a dictionary for every model is a tenth of the time that building takes.
Model.unknown = property(_own_unknown, _set_unknown)  # type: ignore[assignment]


# ---- writing ----


def _plain(value: Any) -> Any:
    """For subclasses of text and numbers, which msgspec leaves to us."""
    for base in (str, int, float):
        if isinstance(value, base):
            return base.__str__(value) if base is str else base(value)
    raise TypeError(f"JSON has no {type(value).__name__}: {value!r:.60}")


_ENCODER: Final = msgspec.json.Encoder(decimal_format="number", enc_hook=_plain)

_MARKER_BYTES: Final = _MARKER.encode()


def encode(value: Any) -> bytes:
    """JSON of a model or a list of models. Decimals become numbers; None inside of your own dictionaries and lists stays null."""
    text = _ENCODER.encode(value)
    # The marker is not ASCII, and most batches are; where your own values look like it, the slow way does no harm.
    if (not text.isascii() and _MARKER_BYTES in text) or _writes_too_much(value):
        return _ENCODER.encode(_merged(value))
    return text


def _writes_too_much(value: Any) -> bool:
    if isinstance(value, Model):
        return value.writes_too_much()
    return isinstance(value, list | tuple) and any(isinstance(item, Model) and item.writes_too_much() for item in value)


def _merged(value: Any) -> Any:
    """The value with models as dictionaries of their known and unknown members."""
    if isinstance(value, Model):
        known = {wire: _merged(member) for wire, member in _written(value)}
        return known | {name: member for name, member in dict(unknown_of(value)).items() if name not in known}
    if isinstance(value, dict):
        return {name: _merged(member) for name, member in dict(value).items()}  # a copy: another thread may add to it
    if isinstance(value, list | tuple):
        return [_merged(item) for item in value]
    return value


def _written(model: Model) -> list[tuple[str, Any]]:
    plan = _plan(type(model))
    members = [(wire, getattr(model, name), empty) for name, wire, empty in plan.written]
    return [(wire, member) for wire, member, empty in members if member is not None and not (empty and member in ([], {}))]


def _as_dict(value: Any) -> Any:
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, list | tuple):
        return [_as_dict(item) for item in value]
    if isinstance(value, dict):
        return {name: _as_dict(member) for name, member in value.items()}
    return value


# ---- reading ----

_AnyModel = TypeVar("_AnyModel", bound=Model)


@cache
def decoder(model: type[_AnyModel]) -> msgspec.json.Decoder[_AnyModel]:
    """The fast way to read a class of models; raises msgspec.DecodeError for JSON that does not fit its annotations."""
    return msgspec.json.Decoder(model)


def _value(text: bytes | str) -> Any:
    try:
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError:
            return json.loads(text)  # lone surrogates and NaN, which records may hold; its errors say line and column
    except RecursionError:
        raise ValueError("The JSON nests too deeply to be read.") from None


class _Member(NamedTuple):
    name: str
    wire: str
    shape: Any
    """What holds the models: a list, a dict of names, or None for a single one."""
    model: type[Model] | None


class _Plan(NamedTuple):
    """How a class of models is built and written the slow way."""

    members: dict[str, _Member]
    """By the name in JSON, and by the attribute's where that is another."""
    absent: dict[str, None]
    """Members whose default is for new models only: None where JSON has none."""
    written: list[tuple[str, str, bool]]
    """Attribute, name in JSON, and whether an empty one is left out."""


@cache
def _plan(model: type[Model]) -> _Plan:
    hints = get_type_hints(model)
    members: dict[str, _Member] = {}
    absent: dict[str, None] = {}
    written: list[tuple[str, str, bool]] = []
    for each in msgspec.structs.fields(model):
        if each.name == "unknown":
            continue
        members[each.name] = members[each.encode_name] = _Member(each.name, each.encode_name, *_models_in(hints[each.name]))
        empty = each.default_factory in (list, dict)
        written.append((each.name, each.encode_name, empty))
        if each.default_factory is not NODEFAULT and not empty:
            absent[each.name] = None
    return _Plan(members, absent, written)


def _models_in(annotation: Any, shape: Any = None) -> tuple[Any, type[Model] | None]:
    """The class of models in an annotation of a member, and what holds them."""
    origin = get_origin(annotation)
    if origin in (Union, UnionType, list, dict):
        for argument in get_args(annotation):
            held = _models_in(argument, origin if origin in (list, dict) else shape)
            if held[1] is not None:
                return held
    return shape, annotation if isinstance(annotation, type) and issubclass(annotation, Model) else None


def _built(model: type[Model], shape: Any, value: Any) -> Any:
    """Models instead of objects; whatever is something else stays as it is."""
    if shape is list:
        return [_built(model, None, item) for item in value] if isinstance(value, list) else value
    if not isinstance(value, dict):
        return value
    return {name: _built(model, None, member) for name, member in value.items()} if shape is dict else model.build(value)
