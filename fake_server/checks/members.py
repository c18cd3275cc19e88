"""The names of members: what somebody meant who wrote another, and where a member belongs that stands in the wrong place."""

import difflib
from collections.abc import Collection, Iterable, Iterator
from functools import cache, lru_cache
from itertools import islice
from typing import Any, Final

from .. import schemas

SYNONYMS: Final = {
    # What people write, plain -> the members that they mean; beside it, similar spellings are found by difflib.
    "action": ("product_action", "promotion_action"),
    "amount": ("total_amount",),
    "attributes": ("custom_attributes", "user_attributes"),
    "attrs": ("custom_attributes", "user_attributes"),
    "batchcontext": ("context",),
    "carrier": ("network_carrier",),
    "consent": ("consent_state",),
    "currency": ("currency_code",),
    "customattrs": ("custom_attributes",),
    "customerid": ("customer_id",),
    "device": ("device_info",),
    "deviceid": ("mp_deviceid",),
    "duration": ("session_duration_ms", "time_elapsed"),
    "env": ("environment",),
    "event": ("event_name", "events"),
    "flags": ("custom_flags",),
    "gaid": ("android_advertising_id",),
    "id": ("customer_id",),
    "identities": ("user_identities",),
    "idempotencykey": ("source_request_id",),
    "idfa": ("ios_advertising_id",),
    "idfv": ("ios_idfv",),
    "impressions": ("product_impressions",),
    "lat": ("latitude",),
    "lng": ("longitude",),
    "lon": ("longitude",),
    "manufacturer": ("device_manufacturer",),
    "messageid": ("source_message_id", "source_request_id"),
    "method": ("http_verb",),
    "model": ("device_model",),
    "name": ("event_name", "screen_name", "application_name", "user_attribute_name"),
    "orderid": ("transaction_id",),
    **{f"other{number}": (f"other_id_{number}",) for number in range(2, 11)},
    "os": ("platform",),
    "params": ("custom_attributes",),
    "payload": ("data", "push_notification_payload"),
    "phone": ("mobile_number",),
    "phone2": ("phone_number_2",),
    "phone3": ("phone_number_3",),
    "properties": ("custom_attributes",),
    "props": ("custom_attributes",),
    "requestid": ("source_request_id",),
    "revenue": ("total_amount",),
    "screen": ("screen_name",),
    "sessionduration": ("session_duration_ms",),
    "sessionid": ("session_id",),
    "shipping": ("shipping_amount",),
    "sku": ("id",),
    "status": ("response_code",),
    "statuscode": ("response_code",),
    "tax": ("tax_amount",),
    "time": ("timestamp_unixtime_ms",),
    "timestamp": ("timestamp_unixtime_ms",),
    "timestampms": ("timestamp_unixtime_ms",),
    "token": ("registration_token", "push_message_token"),
    "total": ("total_amount", "total_product_amount"),
    "traits": ("user_attributes",),
    "transactionid": ("transaction_id",),
    "type": ("event_type", "custom_event_type"),
    "unitprice": ("price",),
    "user": ("user_identities",),
    "userattrs": ("user_attributes",),
    "userid": ("customer_id", "user_identities"),
    "useragent": ("http_header_user_agent",),
    "version": ("application_version",),
}

MOST_NAMES: Final = 100
"""Names of one object that are held against those that are missing."""

_MOST_CHARACTERS: Final = 60
"""A longer name is none that somebody misspelt."""


@lru_cache(10_000)
def plain(name: str) -> str:
    """A name without what spellings differ in: `customAttributes` and `custom_attributes` are the same."""
    return "".join(character for character in name[:_MOST_CHARACTERS].lower() if character.isalnum())


def meant(name: str, known: Collection[str]) -> str | None:
    """Which of the known names somebody most likely meant."""
    return same(name, known) or similar(name, known)


def same(name: str, known: Collection[str]) -> str | None:
    """The known name that is the same but for its spelling, or that has this synonym."""
    if len(name) > _MOST_CHARACTERS:
        return None
    written = plain(name)
    synonyms = SYNONYMS.get(written, ())
    return next((other for other in known if plain(other) == written), None) or next(
        (synonym for synonym in synonyms if synonym in known), None
    )


def similar(name: str, known: Collection[str]) -> str | None:
    """The known name that differs by a letter or two."""
    if len(name) > _MOST_CHARACTERS:
        return None
    by_plain = {plain(other): other for other in known}
    near = difflib.get_close_matches(plain(name), by_plain, 1, 0.78)
    return by_plain[near[0]] if near else None


def misspelling(names: Iterable[str], missing: str, known: Collection[str] = ()) -> str | None:
    """Under which of the first names the missing member stands, if it is one that is not known there."""
    first = islice((name for name in names if name not in known), MOST_NAMES)
    return next((name for name in first if name != missing and meant(name, (missing,))), None)


def flat(event: Any, missing: str) -> list[str]:
    """The members that stand in an event, and not in its data, which are missing."""
    if missing != "data" or not isinstance(event, dict):
        return []
    known = _members().get(str(event.get("event_type")), {})
    return [name for name in islice(event, MOST_NAMES) if name in known]


def data_of(event_type: Any) -> schemas.Schema:
    """The document of the data of an event type."""
    return schemas.load().get(f"{event_type}.json", schemas.load()["event_data.json"])


def belongs(name: str, title: str) -> list[str]:
    """The documents around the one of this title that have a member `name`: those above, below and beside it."""
    return [other for other in _around(_by_title()[title]) if name in _members()[other]]


def synonym(name: str) -> str | None:
    """The only member that somebody means who writes this name, whatever object it is a member of."""
    synonyms = SYNONYMS.get(plain(name), ())
    return synonyms[0] if len(synonyms) == 1 else None


def is_event_data(document: str) -> bool:
    """Whether a document is that of the data of one event type."""
    return document in _event_data()


def inside(document: str, title: str) -> list[str]:
    """The members of the document of this title that hold objects of `document`."""
    members = _members()[_by_title()[title]]
    held = [name for name, member in members.items() if document in _references(member)]
    return ["data"] if title == "Event" and document in (*_event_data(), "event_data") else held


@cache
def _documents() -> dict[str, schemas.Schema]:
    """All documents by their names, and the objects inside them that have members of their own."""
    found: dict[str, schemas.Schema] = {}
    for file, schema in schemas.load().items():
        found[file.removesuffix(".json")] = schema
        found |= {name: inner for name, inner in schema.get("$defs", {}).items() if "properties" in inner}
    return found


@cache
def _by_title() -> dict[str, str]:
    return {schema["title"]: name for name, schema in _documents().items()}


@cache
def _members() -> dict[str, dict[str, Any]]:
    return {name: schema.get("properties", {}) for name, schema in _documents().items()}


@cache
def _event_data() -> tuple[str, ...]:
    return tuple(sorted(set(_references(schemas.load()["event.json"]["allOf"])) - {"event_data"}))


@cache
def _around(document: str) -> tuple[str, ...]:
    below = {name: set(_references(members)) for name, members in _members().items()}
    around = [other for other in below if other in below[document] or document in below[other]]
    if document == "batch":
        around += _event_data()
    if document in (*_event_data(), "event_data"):
        around += [*_event_data(), "batch"]
    if document == "event":
        around += _event_data()
    if document in below["batch"] - {"event"}:
        around += sorted(below["batch"] - {"event"})
    # What a product has is held by product_action: the event's data is further up.
    around += [data for data in _event_data() if any(document in below[held] for held in below[data])]
    return tuple(dict.fromkeys(other for other in around if other != document))


def _references(node: Any) -> Iterator[str]:
    """The documents that a schema refers to."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str) and not node["$ref"].startswith(("values.json", "event_data.json#")):
            yield node["$ref"].removeprefix("#/$defs/").partition("#")[0].removesuffix(".json")
        for child in node.values():
            yield from _references(child)
    elif isinstance(node, list):
        for child in node:
            yield from _references(child)
