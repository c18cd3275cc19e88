"""Hypothesis strategies for models, made of their annotations, and for JSON that looks like them."""

from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

import mparticle_sdk
from mparticle_sdk import EventBase, EventData, Model
from mparticle_sdk.events import CLASSES

MODELS = sorted(
    {
        model
        for model in vars(mparticle_sdk).values()
        if isinstance(model, type)
        and issubclass(model, Model)
        and model not in (Model, mparticle_sdk.Event, mparticle_sdk.ApiResponse)
    },
    key=lambda model: model.__name__,
)
NAMES = sorted({field.encode_name for model in MODELS for field in msgspec.structs.fields(model)})

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
integers = st.integers(-(2**63), 2**63 - 1)
numbers = integers | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | texts
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2), max_leaves=4
)
unknown_members = st.dictionaries(texts.filter(lambda name: name not in (*NAMES, "customerid")), json_values, max_size=2)

KINDS: dict[str, SearchStrategy[Any]] = {
    "ms": integers,
    "big id": integers | integers.map(str),
    "status": integers | st.integers(100, 599).map(str),
    "uuid": st.uuids().map(str),
    "unsigned": st.integers(0, 2**64 - 1),
    "attributes": st.dictionaries(texts, scalars, max_size=2),
    "user attributes": st.dictionaries(texts, scalars | st.lists(scalars, max_size=2), max_size=2),
    "user attribute": texts | numbers | st.lists(texts, max_size=2),
    "flags": st.dictionaries(texts, json_values, max_size=2),
}
PLAIN: dict[Any, SearchStrategy[Any]] = {
    str: texts, int: integers, float: numbers, bool: st.booleans(), NoneType: st.none()
}  # fmt: skip


def models(model: type[Model], unknown: bool = False) -> SearchStrategy[Any]:
    """Models with any of their members."""
    return st.deferred(lambda: _models(model, unknown))


def _models(model: type[Model], unknown: bool) -> SearchStrategy[Any]:
    if model is EventBase:
        return _events(unknown)
    hints = get_type_hints(model, include_extras=True)
    hints.pop("unknown")
    members = {field.name: _values(hints[field.name], unknown) for field in msgspec.structs.fields(model) if field.name in hints}
    strategy = st.fixed_dictionaries({}, optional=members)
    return st.builds(lambda known, more: model(**known, unknown=more), strategy, unknown_members if unknown else st.just({}))


def _events(unknown: bool) -> SearchStrategy[Any]:
    of_a_class = [st.builds(EventBase, models(cls, unknown), st.just(name)) for name, cls in CLASSES.items()]
    of_none = st.builds(EventBase, models(EventData, unknown), st.sampled_from(["pre_attribution", "push_reaction"]))
    return st.one_of(*of_a_class, of_none)


def _values(annotation: Any, unknown: bool) -> SearchStrategy[Any]:
    if annotation in PLAIN:
        return PLAIN[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return KINDS[arguments[1]]
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is list:
        return st.lists(_values(arguments[0], unknown), max_size=2)
    if origin is dict:
        return st.dictionaries(texts, _values(arguments[1], unknown), max_size=2)
    if origin in (Union, UnionType):
        return st.one_of([_values(argument, unknown) for argument in arguments])
    return models(annotation, unknown)


some_json = st.recursive(
    st.booleans() | numbers | texts,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=2)
        | st.dictionaries(st.sampled_from(NAMES) | texts.filter(lambda name: name != "customerid"), inner, min_size=1, max_size=3)
    ),
    max_leaves=6,
)


def objects_like(model: type[Model]) -> SearchStrategy[dict[str, Any]]:
    """JSON objects with names of the model's members and others, and any values but null, [] and {}."""
    own = [field.encode_name for field in msgspec.structs.fields(model)]
    name = st.sampled_from(own) | texts.filter(lambda name: name != "customerid")
    return st.dictionaries(name, some_json, max_size=4)
