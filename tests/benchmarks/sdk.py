"""The SDK: building, writing and reading a batch of ten events, and what `import mparticle_sdk` costs."""

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import field, fields, is_dataclass, make_dataclass, replace
from functools import cache
from statistics import median
from subprocess import run
from time import perf_counter
from types import NoneType, UnionType
from typing import Any, NamedTuple, Union, cast, get_args, get_origin, get_type_hints

import mparticle

import mparticle_sdk
from mparticle_sdk import Model, codec
from mparticle_sdk.events import CLASSES
from tests.benchmarks.row import Row, at_least

ROUNDS = 7
STARTS = 15
LOOP_SECONDS = 0.15

NOW = 1_700_000_000_000


def sdk() -> Iterator[Row]:
    """A batch as a shop's backend sends it; our number and the peer's one soon after the other."""
    text = _write(mparticle_sdk)
    assert json.loads(text)["events"] == json.loads(_write_official())["events"]
    assert mparticle_sdk.Batch.from_json(text).to_json().encode() == text
    for read in (_from_hints, _from_plans):
        assert len(read(text).events) == 10
        assert read(text).events[7].data.product_action.products[2].price == 19.99

    rates: dict[str, list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        rates["write"].append(_rate(lambda: _write(mparticle_sdk)))
        rates["write, official"].append(_rate(_write_official))
        rates["write, checked"].append(_rate(_write_checked))
        rates["read"].append(_rate(lambda: mparticle_sdk.Batch.from_json(text)))
        rates["read, hints"].append(_rate(lambda: _from_hints(text)))
        rates["read, plans"].append(_rate(lambda: _from_plans(text)))
    yield at_least(20, "build and write 10 events, vs the official SDK", rates["write"], rates["write, official"], "batches/s")
    yield at_least(
        2, "the same, validated too, vs the official SDK", rates["write, checked"], rates["write, official"], "batches/s"
    )
    yield at_least(10, "read them, vs json and dataclasses by their hints", rates["read"], rates["read, hints"], "batches/s")
    # For information: the best that we could write by hand for the same, unknown members kept. Nobody was promised a ratio.
    tuned = at_least(0, "the same, vs json and dataclasses by tuned plans", rates["read"], rates["read, plans"], "batches/s")
    yield replace(tuned, promised="none")

    starts: dict[str, list[float]] = defaultdict(list)
    for _ in range(STARTS):
        for module in ("mparticle_sdk", "requests", "sys"):
            starts[module].append(_start(module))
    bare = median(starts["sys"])
    ours, peer = (median(starts[module]) - bare for module in ("mparticle_sdk", "requests"))
    yield Row(
        "import mparticle_sdk, vs import requests",
        f"{ours:.0f} ms",
        f"{peer:.0f} ms",
        f"{ours / peer:.2f}",
        "< 1.2",
        ours / peer < 1.2,
    )


def _rate(work: Callable[[], object]) -> float:
    count, start = 0, perf_counter()
    while (elapsed := perf_counter() - start) < LOOP_SECONDS:
        for _ in range(5):
            work()
        count += 5
    return count / elapsed


def _start(module: str) -> float:
    """Milliseconds of a Python that imports a module and ends."""
    start = perf_counter()
    run([sys.executable, "-c", f"import {module}"], check=True)
    return (perf_counter() - start) * 1000


# ---- what is measured ----


def _build(names: Any) -> Any:
    """A batch by the names that both SDKs have."""
    batch = names.Batch()
    batch.environment = "development"
    batch.user_identities = names.UserIdentities(customerid="c-4711", email="ann@example.com")
    batch.device_info = names.DeviceInformation(
        platform="iOS",
        os_version="17.1",
        device_model="iPhone14,5",
        screen_height=2532,
        screen_width=1170,
        locale_language="en",
        locale_country="US",
        timezone_offset=-5,
        is_tablet=False,
        ios_advertising_id="07d2ebaa-e956-407e-a1e6-f05f871bf4e2",
    )
    batch.application_info = names.ApplicationInformation("Shop", "3.2.1", package="com.example.shop")
    batch.user_attributes = {"Account type": "trial", "likes": ["tea", "books"]}
    batch.context = names.BatchContext(names.DataPlanContext("shop", 2))
    batch.events = [
        names.SessionStartEvent(NOW, session_id=12345678),
        *[_event(names, number) for number in range(5)],
        names.ScreenViewEvent(NOW, session_id=12345678, screen_name="Cart"),
        _purchase(names),
        names.ScreenViewEvent(NOW, session_id=12345678, screen_name="Thanks"),
        names.SessionEndEvent(NOW, session_id=12345678, session_duration_ms=5000),
    ]
    return batch


def _event(names: Any, number: int) -> Any:
    event = names.AppEvent("Played", "navigation", timestamp_unixtime_ms=NOW + number, session_id=12345678)
    event.custom_attributes = {"title": "Song", "position": number}
    event.location = names.GeoLocation(40.7, -74.0)
    return event


def _purchase(names: Any) -> Any:
    action = names.ProductAction("purchase", transaction_id="t-1", total_amount=62.97, tax_amount=3.0)
    action.products = [
        names.Product(f"sku-{number}", "Example", category="Books", price=19.99, quantity=1, total_product_amount=19.99)
        for number in range(3)
    ]
    return names.CommerceEvent(action, timestamp_unixtime_ms=NOW, session_id=12345678, currency_code="USD")


def _write(names: Any) -> bytes:
    return codec.encode(_build(names))


def _write_checked() -> bytes:
    batch = _build(mparticle_sdk)
    batch.validate()
    return codec.encode(batch)


def _write_official() -> bytes:
    return json.dumps(mparticle.ApiClient.sanitize_for_serialization(_build(mparticle))).encode()


# ---- reading, as most programs do: json, then each field of a dataclass by its type hint ----


@cache
def _dataclass(model: Hashable) -> type[Any]:
    """A dataclass with the members of a model under their names in JSON, and hints for those that hold dataclasses."""
    members: dict[str, tuple[str, Any, Any]] = {}
    for name, member in codec._plan(cast("type[Model]", model)).members.items():
        if name == member.wire:
            hint: Any = _dataclass(member.model) if member.model else Any
            hint = list[hint] if member.shape is list else dict[str, hint] if member.shape is dict else hint
            members[name] = name, hint | None, field(default=None)
    return make_dataclass("Plain", members.values())


_hints = cache(get_type_hints)


def _from_hints(text: bytes) -> Any:
    return _from_dict(_dataclass(mparticle_sdk.Batch), json.loads(text))


def _from_dict(made: Any, members: dict[str, Any]) -> Any:
    hints = _hints(made)
    known = {each.name: _value(hints[each.name], members[each.name]) for each in fields(made) if each.name in members}
    if "event_type" in known:
        known["data"] = _from_dict(_dataclass(CLASSES[known["event_type"]]), members["data"])
    return made(**known)


def _value(hint: Any, value: Any) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        if value is None:
            return None
        return _value(next(argument for argument in arguments if argument is not NoneType), value)
    if origin is list:
        return [_value(arguments[0], item) for item in value]
    if origin is dict:
        return {name: _value(arguments[1], item) for name, item in value.items()}
    return _from_dict(hint, value) if is_dataclass(hint) else value


# ---- reading, tuned: what hints say is worked out once for each class, and unknown members are kept ----


class _Plan(NamedTuple):
    """How a dataclass is made of a JSON object: for each name the attribute, what holds dataclasses, and their plan."""

    made: Callable[..., Any]
    members: dict[str, tuple[str, Any, "_Plan | None"]]


@cache
def _plan(model: Hashable) -> _Plan:
    """A dataclass with the members of a model, and its plan."""
    members: dict[str, tuple[str, Any, _Plan | None]] = {}
    for name, member in codec._plan(cast("type[Model]", model)).members.items():
        members[name] = (member.name, member.shape, _plan(member.model) if member.model else None)
    attributes = sorted({attribute for attribute, _, _ in members.values()})
    fields = [(name, Any, field(default=None)) for name in attributes]
    return _Plan(make_dataclass("Made", [*fields, ("unknown", dict, field(default_factory=dict))]), members)


def _from_plans(text: bytes) -> Any:
    """A batch of dataclasses that have what our models have, unknown members too."""
    return _made(_plan(mparticle_sdk.Batch), json.loads(text))


def _made(plan: _Plan, members: dict[str, Any]) -> Any:
    known: dict[str, Any] = {}
    unknown: dict[str, Any] = {}
    for name, value in members.items():
        member = plan.members.get(name)
        if member is None:
            unknown[name] = value
            continue
        attribute, shape, below = member
        if below is not None:
            if shape is list:
                value = [_made(below, item) for item in value]  # noqa: PLW2901
            elif shape is dict:
                value = {key: _made(below, item) for key, item in value.items()}  # noqa: PLW2901
            else:
                value = _made(below, value)  # noqa: PLW2901
        known[attribute] = value
    if "event_type" in known:
        known["data"] = _made(_plan(CLASSES[known["event_type"]]), known["data"])
    return plan.made(**known, unknown=unknown)
