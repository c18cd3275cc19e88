"""Tiny batches, each with one value in one member, for the comparison with mParticle's own schema."""

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

from mparticle_fake_server import schemas

EVENTS: dict[str, dict[str, Any]] = {
    # The least data of each type that both schemas take.
    "custom_event": {"event_name": "a", "custom_event_type": "other"},
    "commerce_event": {},
    "session_start": {"session_id": 1},
    "session_end": {"session_duration_ms": 1},
    "screen_view": {"screen_name": "a"},
    "crash_report": {"message": "boom"},
    "opt_out": {"is_opted_out": True},
    "first_run": {},
    "uninstall": {},
    "push_registration": {"register": True, "registration_token": "t"},
    "application_state_transition": {"application_transition_type": "application_exit"},
    "push_message": {"push_message_type": "sent", "push_message_token": "t", "push_notification_payload": "{}"},
    "network_performance": {"url": "/", "response_code": 200},
    "breadcrumb": {"label": "a"},
    "profile": {"profile_event_type": "login", "previous_mpid": 1, "current_mpid": 2},
    "user_attribute_change": {"user_attribute_name": "a", "new": "b", "old": None},
    "user_identity_change": {"new": {"identity_type": "email", "identity": "a", "timestamp_unixtime_ms": 1}, "old": None},
}

OBJECTS: dict[str, tuple[str | None, tuple[Any, ...], dict[str, Any]]] = {
    # File -> event type that holds the object or None, its place in the data or in the batch, its least content.
    "user_identities": (None, ("user_identities",), {}),
    "user_attributes": (None, ("user_attributes",), {}),
    "device_info": (None, ("device_info",), {}),
    "application_info": (None, ("application_info",), {}),
    "context": (None, ("context",), {}),
    "data_plan": (None, ("context", "data_plan"), {"plan_id": "a"}),
    "batching": (None, ("context", "batching"), {}),
    "source_info": (None, ("source_info",), {"channel": "native"}),
    "attribution_info": (None, ("attribution_info",), {"service_provider": "a", "publisher": "b", "campaign": "c"}),
    "consent_state": (None, ("consent_state",), {"gdpr": None}),
    "gdpr_consent": (None, ("consent_state", "gdpr", "purpose"), {"consented": True}),
    "ccpa": (None, ("consent_state", "ccpa"), {}),
    "ccpa_consent": (None, ("consent_state", "ccpa", "data_sale_opt_out"), {"consented": True}),
    "event_data": ("first_run", (), {}),
    "location": ("first_run", ("location",), {"latitude": 1, "longitude": 1}),
    "device_current_state": ("first_run", ("device_current_state",), {}),
    "event_system_notification_info": ("first_run", ("event_system_notification_info",), {"type": "gdpr_change"}),
    "media_info": ("custom_event", ("media_info",), {}),
    "product_action": ("commerce_event", ("product_action",), {"action": "purchase"}),
    "product": ("commerce_event", ("product_action", "products", 0), {}),
    "promotion_action": ("commerce_event", ("promotion_action",), {"action": "view"}),
    "promotion": ("commerce_event", ("promotion_action", "promotions", 0), {}),
    "product_impression": ("commerce_event", ("product_impressions", 0), {"product_impression_list": "a", "products": []}),
    "shopping_cart": ("commerce_event", ("shopping_cart",), {"products": []}),
    "user_identity": ("user_identity_change", ("new",), EVENTS["user_identity_change"]["new"]),
}

PLAIN: dict[str, Any] = {
    "null": None, "boolean": True, "integer": 1, "number": 1.5, "text": "x", "digits": "100", "empty": "",
    "list": [], "object": {}, "texts": ["x"], "numbers": [1], "lists": [["x"]],
    "uuid": "84e1b361-a282-4adf-8a6d-1d31e6dd5a9e", "address": "192.0.2.1",
    "nested": {"a": {"b": "c"}}, "flat": {"a": "x"}, "mixed": {"a": 1}, "minus": -1, "huge": 1000000,
}  # fmt: skip


class Probe(NamedTuple):
    """A batch that has one value in one place."""

    file: str
    member: str
    kind: str
    batch: dict[str, Any]


def batch_of(file: str) -> tuple[dict[str, Any], Any]:
    """The least batch with an object of a file, and that object in it."""
    batch: dict[str, Any] = {"environment": "development"}
    if file == "batch":
        return batch, batch
    event_type, place, content = (file, (), EVENTS[file]) if file in EVENTS else OBJECTS[file]
    holder: Any = batch
    if event_type is not None:
        holder = copy.deepcopy(EVENTS[event_type])
        batch["events"] = [{"event_type": event_type, "data": holder}]
    if not place:
        return batch, holder
    made: Any = copy.deepcopy(content)
    value = made
    for step in reversed(place[1:]):
        value = [value] if step == 0 else {step: value}
    holder[place[0]] = value
    if file in ("product", "promotion"):
        holder[place[0]]["action"] = "click"
    return batch, made


def probes() -> Iterator[Probe]:
    """Every member of every document with a value of each kind, with each of its enumerated values, and absent."""
    for name, document in schemas.load().items():
        file = name.removesuffix(".json")
        for member, node in document.get("properties", {}).items():
            if file == "event" or node.get("$ref", "").startswith("event_data.json"):
                continue
            values = [value for value in (*node.get("enum", ()), *node.get("then", {}).get("enum", ())) if value]
            for kind, value in {**PLAIN, **{f"={value}": value for value in values}}.items():
                batch, holder = batch_of(file)
                holder[member] = copy.deepcopy(value)
                yield Probe(file, member, kind, batch)
            batch, holder = batch_of(file)
            if holder.pop(member, None) is not None:
                yield Probe(file, member, "absent", batch)
        if "properties" in document and file != "event":
            batch, holder = batch_of(file)
            holder["unheard_of"] = 1
            yield Probe(file, "(unknown)", "integer", batch)
    yield from _events()


def _events() -> Iterator[Probe]:
    for event_type in schemas.load()["event.json"]["properties"]["event_type"]["enum"]:
        whole = {"event_type": event_type, "data": EVENTS.get(event_type, {})}
        for kind, event in {
            "whole": whole,
            "without data": {"event_type": event_type},
            "data null": {**whole, "data": None},
            "data a list": {**whole, "data": []},
            "more members": {**whole, "unheard_of": 1},
        }.items():
            yield Probe("event", event_type, kind, {"environment": "development", "events": [event]})
    trace = {"label": "a"}
    for kind, item in {"bare breadcrumb": trace, "breadcrumb": {"event_type": "breadcrumb", "data": trace}}.items():
        batch, holder = batch_of("crash_report")
        holder["breadcrumbs"] = [item]
        yield Probe("crash_report", "breadcrumbs", kind, batch)
