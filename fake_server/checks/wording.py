"""What findings of the schema say: what was got, what was expected, and a hint to paste."""

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from mparticle_sdk.values import meant as meant_value

from .found import Path, shown
from .members import belongs, meant, misspelt, same, similar

MOST_LISTED: Final = 24
"""Values of an enumeration that a message lists."""

MOST_COMPARED: Final = 60
"""Characters of a value that are held against the documented ones."""

_TYPES: Final = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "an array",
}

Words = tuple[str, str | None]
"""What is said after the place, and the hint."""


class Fault(NamedTuple):
    """An error of the schema as a finding: its code and place, the keyword and its node, and the value that was got there.

    `document` is the schema of the object around it, `described` says what is expected; `name` is the member that is missing,
    unknown or not allowed. `basic` is false for what `x-findings` say of a valid value.
    """

    code: str
    path: Path
    keyword: str
    node: dict[str, Any]
    document: dict[str, Any]
    described: str
    value: Any
    name: str | None
    basic: bool


def say(fault: Fault) -> tuple[str, str, str | None]:
    """The code that the finding gets in the end, what is said after its place, and the hint."""
    if fault.code == "unknown_member":
        return _unknown_member(fault)
    words = _SAID.get(fault.code) or _BY_KEYWORD.get(fault.keyword, _other)
    return fault.code, *words(fault)


def got(value: Any) -> str:
    """A value for a message."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "an array"
    return f"the text {shown(value)!r}" if isinstance(value, str) else f"the number {shown(value)}"


def listed(names: Iterable[str]) -> str:
    """Names with commas and an or."""
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last


# -- by code -------------------------------------------------------------------------------------------------------------------


def _unknown_member(fault: Fault) -> tuple[str, str, str | None]:
    assert fault.name is not None
    known = fault.document["properties"]
    here = _article(fault.document["title"].lower())
    close = same(fault.name, known)
    owners = belongs(fault.name, fault.document["title"]) if close is None else []
    if owners:
        said = f"is no member of {here}, but of {listed(owners[:4])}; here mParticle ignores it."
        return "misplaced_member", said, f"Move {fault.name} to where it belongs{_instead(fault)}."
    close = close or similar(fault.name, known)
    hint = f"Did you mean {close} instead of {shown(fault.name)}?" if close else None
    if hint is None and "custom_attributes" in known:
        hint = "Put what is your own into custom_attributes."
    return "unknown_member", f"is no member of {here}; mParticle ignores it.", hint


def _instead(fault: Fault) -> str:
    if fault.name == "event_name" and "screen_name" in fault.document["properties"]:
        return ", or call it screen_name"
    return ", or call it event_name" if fault.name == "screen_name" and "event_name" in fault.document["properties"] else ""


def _article(title: str) -> str:
    if title.endswith("s"):
        return title
    return f"{'an' if title[0] in 'aeio' else 'a'} {title}"


def _missing(fault: Fault) -> Words:
    assert fault.name is not None
    instead = next((other for other in fault.value if isinstance(other, str) and misspelt(other, [fault.name])), None)
    if instead is not None and instead not in fault.document.get("properties", {}):
        return f"has no {fault.name}.", f"Did you mean {fault.name} instead of {shown(instead)}?"
    example = _EXAMPLES.get(fault.name)
    here = f", which {_article(fault.document['title'].lower())} needs" if fault.document else ""
    return f"has no {fault.name}{here}.", f'Add "{fault.name}": {example}.' if example else None


_EXAMPLES: Final = {
    "action": '"purchase"',
    "application_transition_type": '"application_initialized"',
    "custom_event_type": '"other"',
    "data": "{…}",
    "environment": '"development"',
    "event_name": '"Signed up"',
    "is_opted_out": "true",
    "push_message_type": '"received"',
    "register": "true",
    "screen_name": '"Home"',
    "session_duration_ms": "the milliseconds that it lasted",
    "url": '"https://…"',
}


def _environment(_: Fault) -> Words:
    return "does not say its environment; mParticle takes it for production.", 'Add "environment": "development" while you test.'


def _number_as_string(fault: Fault) -> Words:
    if fault.value == "":
        return "is empty text; expected a number or null.", "Leave it out, or send null."
    return f"is the text {shown(fault.value)!r}; expected a number.", f"Send {shown(fault.value)} without quotation marks."


def _nested(fault: Fault) -> Words:
    hint = "Give each of its members an attribute of its own, or send it as JSON text."
    if isinstance(fault.value, list):
        hint = "Join the entries into one text, or give each an attribute of its own."
    return f"is {got(fault.value)}; expected text, a number or a boolean.", hint


def _name_too_long(fault: Fault) -> Words:
    limit = _limit(fault.node, "maxLength")
    return f"has a name of {len(fault.value)} characters; expected at most {limit}.", None


def _placeholder(fault: Fault) -> Words:
    return (
        f"is {got(fault.value)}, a placeholder; expected an identity of one user, who else becomes one with all others sent so.",
        "Leave the identity out where there is none.",
    )


def _email(fault: Fault) -> Words:
    return f"is {got(fault.value)}; expected an e-mail address, such as ada@example.com.", None


def _email_as_id(fault: Fault) -> Words:
    return (
        f"looks like an e-mail address ({got(fault.value)}); expected an id that never changes.",
        "Send the address as user_identities.email, and an id of your own as customer_id.",
    )


def _reserved(fault: Fault) -> Words:
    if fault.name is not None:
        known = [
            "$age", "$gender", "$country", "$zip", "$city", "$state", "$address", "$firstname", "$lastname", "$mobile",
        ]  # fmt: skip
        close = meant(fault.name, known)
        hint = f"Did you mean {close} instead of {shown(fault.name)}?" if close else "Choose a name that does not begin with $."
        return f"is no attribute that mParticle reserves; expected {listed(known)}.", hint
    if isinstance(fault.value, list):
        return "is a list; expected a single value.", None
    return f"is {got(fault.value)}; expected a number of years.", None


# -- by keyword ----------------------------------------------------------------------------------------------------------------


def _type(fault: Fault) -> Words:
    types = fault.node.get("type", [])
    names = [types] if isinstance(types, str) else types
    # A node that takes digits as text does so with a finding: what is expected is the number.
    numbers = {"integer", "number"} & set(names)
    expected = [_TYPES[name] for name in names if name != "null" and not (numbers and name == "string")]
    if not expected:
        return _other(fault)
    hint = "Leave it out where there is none." if fault.value is None else None
    return f"is {got(fault.value)}; expected {listed(expected)}.", hint


def _enum(fault: Fault) -> Words:
    values = [value for value in fault.node.get("enum", [fault.node.get("const")]) if isinstance(value, str)]
    close = meant_value(fault.value[:MOST_COMPARED], tuple(values)) if isinstance(fault.value, str) else None
    shown_values = values[:MOST_LISTED] + ([f"{len(values) - MOST_LISTED} more"] if len(values) > MOST_LISTED else [])
    return f"is {got(fault.value)}; expected {listed(shown_values)}.", f"Did you mean {close}?" if close else None


def _too_long(fault: Fault) -> Words:
    return f"has {len(fault.value)} characters; expected at most {_limit(fault.node, 'maxLength')}.", None


def _too_many(fault: Fault) -> Words:
    kind = "entries" if isinstance(fault.value, list) else "members"
    limit = _limit(fault.node, "maxItems" if isinstance(fault.value, list) else "maxProperties")
    return f"has {len(fault.value)} {kind}; expected at most {limit}.", None


def _range(fault: Fault) -> Words:
    if fault.keyword in ("minimum", "exclusiveMinimum"):
        return f"is {got(fault.value)}; expected at least {fault.node[fault.keyword]}.", None
    return f"is {got(fault.value)}; expected at most {fault.node[fault.keyword]}.", None


def _other(fault: Fault) -> Words:
    if fault.code == "wrong_type":
        return f"is {got(fault.value)}; expected a number.", None
    expected = fault.described.partition(". ")[0].rstrip(".")
    return f"is {got(fault.value)}; expected {expected[:1].lower()}{expected[1:]}.", None


def _limit(node: Any, keyword: str) -> Any:
    """The limit in a node, or in what is in it."""
    return node[keyword] if keyword in node else _limit(node["propertyNames"], keyword)


_SAID: Final[dict[str, Callable[[Fault], Words]]] = {
    "required_missing": _missing,
    "recommended_missing": _missing,
    "environment_missing": _environment,
    "number_as_string": _number_as_string,
    "mpid_as_string": _number_as_string,
    "attribute_nested": _nested,
    "attribute_name_too_long": _name_too_long,
    "user_attribute_name_too_long": _name_too_long,
    "identity_placeholder": _placeholder,
    "email_malformed": _email,
    "customer_id_is_email": _email_as_id,
    "reserved_attribute_misused": _reserved,
}

_BY_KEYWORD: Final[dict[str, Callable[[Fault], Words]]] = {
    "type": _type,
    "enum": _enum,
    "const": _enum,
    "maxLength": _too_long,
    "maxItems": _too_many,
    "maxProperties": _too_many,
    "minimum": _range,
    "maximum": _range,
}
