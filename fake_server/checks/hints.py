"""The hints that findings of the schema give: what to send instead, so that pasting it does not make matters worse."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from .. import schemas
from .found import MOST_CHARACTERS, Path, shown
from .members import data_of, flat, misspelling
from .times import looks_like_seconds

EXAMPLES: Final[dict[str, Any]] = {
    # By member, or by the title of its object and the member, where it says what to add.
    "Promotion action action": "view",
    "System notification type": "gdpr_change",
    "action": "purchase",
    "class_name": "ValueError",
    "application_transition_type": "application_initialized",
    "consented": True,
    "custom_event_type": "other",
    "environment": "development",
    "event_name": "Signed up",
    "event_type": "custom_event",
    "identity_type": "customer_id",
    "is_opted_out": True,
    "label": "Opened the cart",
    "message": "The cart is empty",
    "new": {"identity_type": "customer_id", "identity": "c-1042"},
    "plan_id": "shop",
    "product_impression_list": "Search results",
    "products": [{"id": "sku-771", "price": 89.9, "quantity": 1}],
    "profile_event_type": "signup",
    "push_message_type": "received",
    "register": True,
    "registration_token": "the token of the device",
    "response_code": 200,
    "screen_name": "Home",
    "session_duration_ms": 60_000,
    "session_uuid": "43fdca48-ce03-5907-8627-ecd96b6ce945",
    "url": "https://example.com/",
    "user_attribute_name": "plan",
}

_TELLING: Final = {
    "Crash report": ["class_name", "message"],
    "Session start": ["session_uuid"],
}
"""By the title of an event's data: members of which nothing requires one, though without them it says nothing."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_SECONDS: Final = re.compile(r"[0-9]{9,10}[.][0-9]+")


def example(member: str, document: schemas.Schema) -> Any:
    """A value for a member that is missing, or None."""
    return EXAMPLES.get(f"{document.get('title')} {member}", EXAMPLES.get(member))


def missing(member: str, holder: Any, document: schemas.Schema) -> str | None:
    """What to do about a missing member of an object."""
    instead = misspelling(holder, member, document.get("properties", {}))
    if instead is not None:
        return f"Did you mean {member} instead of {shown(instead)}?"
    outside = flat(holder, member)
    if outside:
        *first, last = outside[:8]
        return f"Put {', '.join(first) + ' and ' if first else ''}{last} into data."
    value = _data(holder) if member == "data" else example(member, document)
    return None if value is None else f'Add "{member}": {_json(value)}.'


def _data(event: Any) -> dict[str, Any]:
    """The least data of an event."""
    document = data_of(event.get("event_type"))
    needed = document.get("required") or document["x-findings"].get("recommended_missing", {}).get("required", [])
    return {member: example(member, document) for member in [*needed, *_TELLING.get(document["title"], ())]}


def mistyped(value: Any, kinds: list[str], path: Path, nodes: tuple[schemas.Schema, ...]) -> str | None:
    """What to send instead of a value of another type than one of these."""
    node = nodes[-1]
    if value is None:
        return _instead_of_null(path, nodes)
    if "array" in kinds and isinstance(value, (dict, str)):
        return _listed(value, node.get("items", {}))
    if "string" in kinds and _is_number(value) and not {"enum", "pattern"} & node.keys():
        return f'Send "{shown(value)}".' if len(shown(value)) < MOST_CHARACTERS else "Send it as text."
    if "boolean" in kinds and str(value).lower() in ("true", "false"):
        return f"Send {str(value).lower()} without quotation marks."
    if "boolean" in kinds and value in (0, 1):
        return f"Send {'true' if value else 'false'}."
    if {"integer", "number"} & set(kinds):
        return _number(value, nodes)
    return _object(value, path) if "object" in kinds else None


def _object(value: Any, path: Path) -> str | None:
    if path == ("user_identities",) and isinstance(value, list):
        return 'Send an object, {"customer_id": "…"}: a list is how mParticle writes them in batches that it sends out.'
    if path[-2:-1] in (("gdpr",), ("ccpa",)) and isinstance(value, bool) and path[-1] != "consented":
        return f'Send {{"consented": {_json(value)}}}.'
    if path[-2:-1] == ("gdpr",):
        return 'Put the decision below its purpose: "gdpr": {"marketing": {"consented": true}}.'
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _instead_of_null(path: Path, nodes: tuple[schemas.Schema, ...]) -> str:
    member = str(path[-1]) if path else ""
    if not any(member in node.get("required", ()) for node in nodes):
        return "Leave it out where there is none."
    holder = next((node for node in reversed(nodes[:-1]) if member in node.get("properties", {}) and "title" in node), {})
    value = _data({"event_type": _event_type(nodes)}) if member == "data" else example(member, holder)
    return "Give it a value." if value is None else f'Send "{member}": {_json(value)}.'


def _event_type(nodes: tuple[schemas.Schema, ...]) -> Any:
    """The event type to which the last node belongs: its document is the node's reference."""
    return str(nodes[-1].get("$ref", "")).rpartition("/")[2]


def _listed(value: Any, items: schemas.Schema) -> str | None:
    if isinstance(value, dict) and items.get("type") != "string":
        return "Put it into a list: […], even where it is the only one."
    if isinstance(value, str) and items.get("type") == "string" and len(value) < MOST_CHARACTERS:
        return f"Send [{_json(value)}]."
    return None


def _is_moment(nodes: tuple[schemas.Schema, ...]) -> bool:
    return any(node.get("title") == "Moment" for node in nodes)


def _number(value: Any, nodes: tuple[schemas.Schema, ...]) -> str | None:
    if isinstance(value, float) and abs(value) < 2**53:
        if _is_moment(nodes) and looks_like_seconds(value):
            # As Python's time.time() tells it.
            return f"Send {round(value * 1000)}."
        return f"Round it to a whole number, such as {int(value)}."
    if not isinstance(value, str) or len(value) > MOST_CHARACTERS:
        return None
    if _is_moment(nodes):
        milliseconds = _milliseconds(value)
        if milliseconds is not None:
            return f"Send {milliseconds}."
    text = value.strip()
    return (
        unquoted(text, nodes)
        if text not in ("", value) and all(_fits(text, node) for node in nodes if "pattern" in node)
        else None
    )


def _milliseconds(value: str) -> int | None:
    """The time that a text in ISO 8601 tells, one without a zone is taken for UTC; or seconds with a fraction since 1970."""
    if _SECONDS.fullmatch(value.strip()):
        return round(float(value) * 1000)
    try:
        time = datetime.fromisoformat(value.strip())
        return ((time if time.tzinfo else time.replace(tzinfo=UTC)) - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError):
        return None


def beyond(text: str, nodes: tuple[schemas.Schema, ...]) -> tuple[str, float] | None:
    """The limit, `minimum` or `maximum`, that a number as text goes beyond; None of empty text, and of one within the limits."""
    if not text:
        return None
    # As a float, the largest mpid is beyond its limit. Python refuses to read thousands of digits as an integer.
    value = int(text) if len(text) < MOST_CHARACTERS and text.removeprefix("-").isdigit() else float(text)
    for node in nodes:
        if value < node.get("minimum", value):
            return "minimum", node["minimum"]
        if value > node.get("maximum", value):
            return "maximum", node["maximum"]
    return None


def unquoted(text: str, nodes: tuple[schemas.Schema, ...]) -> str | None:
    """What to send instead of a number as text: the number as JSON writes it, if the member takes it."""
    if len(text) >= MOST_CHARACTERS:
        return "Send it without quotation marks."
    number = re.sub(r"^(-?)0+(?=[0-9])", r"\1", text)
    if beyond(text, nodes) is not None:
        return None
    value = float(number)
    if _is_moment(nodes) and looks_like_seconds(value):
        return f"Send {int(value) * 1000}: milliseconds, without quotation marks."
    return f"Send {number} without quotation marks."


def malformed(value: Any, node: schemas.Schema) -> str | None:
    """The documented form of a text that is only written otherwise: with blanks around it, in small letters, without dashes."""
    if not isinstance(value, str) or len(value) > 2 * MOST_CHARACTERS:
        return None
    text = value.strip()
    digits = text.replace("-", "")
    dashed = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    written = next((other for other in (text, text.upper(), dashed) if other != value and _fits(other, node)), None)
    return None if written is None else f"Send {_json(written)}."


def _fits(text: str, node: schemas.Schema) -> bool:
    """Whether a text has the form of a node."""
    refused = node.get("not", {}).get("pattern")
    return (
        re.search(node.get("pattern", ""), text) is not None
        and not (refused and re.search(refused, text))
        and len(text) <= node.get("maxLength", len(text))
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
