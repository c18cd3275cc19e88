"""What findings of the schema say: what was got, what was expected, and a hint to paste."""

from collections.abc import Callable
from typing import Final

from mparticle_sdk.values import meant as meant_value

from .. import schemas
from .fault import Fault
from .found import got, shown
from .hints import beyond, malformed, missing, mistyped, unquoted
from .members import belongs, meant, same, similar, synonym
from .places import already, is_action, listed, owner_of, owners_of, under_another_name, where_it_belongs

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

_OUTBOUND: Final = {"message_id", "message_type", "system_notifications", "unique_id"}
_OUTBOUND_HINT: Final = "mParticle adds it to batches that it sends out: leave it out where you send one of those again."

Words = tuple[str, str | None]
"""What is said after the place, and the hint."""


TURNS_INTO: Final = {
    "unknown_member": "misplaced_member",
    "number_as_string": "out_of_range",
    "mpid_as_string": "out_of_range",
}
"""The other code that a finding may get, by the first one."""


def code_of(fault: Fault) -> str:
    """The code that the finding gets in the end: an unknown member may be one of another object, a text a number too large."""
    if fault.code in ("number_as_string", "mpid_as_string"):
        return fault.code if beyond(fault.value, fault.nodes) is None else TURNS_INTO[fault.code]
    if fault.code == "unknown_member" and (same(str(fault.name), fault.members) is None or is_action(fault)) and owners_of(fault):
        return "misplaced_member"
    return fault.code


def say(fault: Fault) -> Words:
    """What is said after the place of a fault, and the hint."""
    return (_SAID.get(fault.code) or _BY_KEYWORD.get(fault.keyword, _other))(fault)


# -- by code -------------------------------------------------------------------------------------------------------------------


def _misplaced(fault: Fault) -> Words:
    owners = owners_of(fault)
    said = f"is not a member of {_article(fault.document)}, but of {listed(owners[:4])}; here mParticle ignores it."
    return said, where_it_belongs(fault, owners)


def _unknown_member(fault: Fault) -> Words:
    assert fault.name is not None
    hint = _meant(fault)
    if fault.name in _OUTBOUND and hint is None:
        return f"is not a member of {_article(fault.document)}; mParticle ignores it.", _OUTBOUND_HINT
    if hint is None and "custom_attributes" in fault.members:
        hint = "Put what is your own into custom_attributes."
    elif hint is None and fault.document["title"] == "Consent" and isinstance(fault.value.get(fault.name), dict):
        hint = f'Put the purpose below its regulation: "gdpr": {{"{shown(fault.name)}": {{…}}}}.'
    elif hint is None and len(fault.members) == 1 and fault.members.keys().isdisjoint(fault.value):
        hint = f"Did you mean {next(iter(fault.members))} instead of {shown(fault.name)}?"
    return f"is not a member of {_article(fault.document)}; mParticle ignores it.", hint


def _meant(fault: Fault) -> str | None:
    """Which member somebody meant who wrote an unknown one: of the same object, or of another."""
    name = str(fault.name)
    close = same(name, fault.members)
    if close is None:
        other = synonym(name)
        owners = belongs(other, fault.document["title"]) if other else []
        if owners:
            return f"Did you mean {other}? It is a member of {owner_of(owners[0])}."
        # A member that is there under its own name is not the one that was misspelt.
        close = similar(name, [member for member in fault.members if member not in fault.value])
    if close is None:
        return None
    return already(fault, close, "", fault.value) or f"Did you mean {close} instead of {shown(name)}?"


def _article(document: schemas.Schema) -> str:
    """The title of a document inside a sentence."""
    title: str = document["title"]
    if title.endswith("s") or title in _UNCOUNTED:
        return title.lower() if title != "CCPA" else title
    title = title if title[1].isupper() else title.lower()
    return f"{'an' if title[0] in 'aeio' else 'a'} {title}"


_UNCOUNTED: Final = {"Attribution", "Batching", "CCPA", "Consent", "Context", "Event data", "Media"}


def _missing(fault: Fault) -> Words:
    said = f"has no {fault.name}"
    if fault.document and fault.code == "recommended_missing":
        said += f"; expected one, since {_article(fault.document)} says little without it"
    elif fault.document:
        said += f", which {_article(fault.document)} needs"
    return f"{said}.", under_another_name(fault) or missing(str(fault.name), fault.value, fault.document)


def _environment(_: Fault) -> Words:
    return "does not say its environment; mParticle takes it for production.", 'Add "environment": "development" while you test.'


def _number_as_string(fault: Fault) -> Words:
    if fault.value == "":
        return "is empty text; expected a number or null.", "Leave it out, or send null."
    return f"is the text {shown(fault.value)!r}; expected a number.", unquoted(fault.value, fault.nodes)


def _nested(fault: Fault) -> Words:
    hint = "Give each of its members an attribute of its own, or send it as JSON text."
    if isinstance(fault.value, list):
        hint = "Join the entries into one text, or give each an attribute of its own."
    return f"is {got(fault.value)}; expected text, a number or a boolean.", hint


def _name_too_long(fault: Fault) -> Words:
    if "x-names" not in fault.node:
        return _too_long(fault)  # a name that is a value, as in a user attribute change
    return f"has a name of {len(fault.value)} characters; expected at most {fault.node['x-names']['maxLength']}.", None


def _name_blank(fault: Fault) -> Words:
    return f"is {got(fault.value)}; expected a name that says what happened.", None


def _placeholder(fault: Fault) -> Words:
    return (
        f"is {got(fault.value)}, a placeholder; expected an identity of one user: all users sent with it become one.",
        "Leave the identity out where there is none.",
    )


def _email(fault: Fault) -> Words:
    return f"is {got(fault.value)}; expected an e-mail address, such as ada@example.com.", malformed(fault.value, fault.node)


def _email_as_id(fault: Fault) -> Words:
    return (
        f"looks like an e-mail address ({got(fault.value)}); expected an id that never changes.",
        "Send the address as user_identities.email, and an id of your own as customer_id.",
    )


def _attribution(fault: Fault) -> Words:
    attributes = fault.value.get("custom_attributes")
    known = attributes if isinstance(attributes, dict) else {}
    lacking = [name for name in ("publisher", "campaign") if name not in known]
    more = "".join(f', "{name}": "…"' for name in lacking)[2:]
    return (
        f"tells of an install, but has no attribute {listed(lacking)}; expected publisher and campaign.",
        f"Add {more} to custom_attributes, or call it otherwise where it is no install.",
    )


def _crash_empty(_: Fault) -> Words:
    return (
        "has no class_name, message, stack_trace or pl_crash_report_file_base64; expected at least one of them.",
        'Add what the error says: "class_name": "ValueError", "message": "…", "stack_trace": "…".',
    )


def _session_without_id(_: Fault) -> Words:
    return (
        "has no session_uuid and no session_id; expected one of them, and the same in the end of the session.",
        'Make a UUID when the session begins, and give each of its events that "session_uuid".',
    )


def _reserved(fault: Fault) -> Words:
    if fault.name is not None:
        known = schemas.load()["user_attributes.json"]["properties"]
        close = meant(fault.name, known)
        hint = f"Did you mean {close} instead of {shown(fault.name)}?" if close else "Choose a name that does not begin with $."
        return f"is not an attribute that mParticle reserves; expected {listed(known)}.", hint
    if isinstance(fault.value, list):
        return "is a list; expected a single value.", None
    return f"is {got(fault.value)}; expected a number of years.", None


# -- by keyword ----------------------------------------------------------------------------------------------------------------


def _type(fault: Fault) -> Words:
    types = fault.node.get("type", [])
    names = [types] if isinstance(types, str) else types
    # A node that takes digits as text does so with a finding: what is expected is the number.
    numbers = {"integer", "number"} & set(names)
    kinds = [name for name in names if name != "null" and not (numbers and name == "string")]
    if not kinds:
        return _other(fault)
    if "enum" in fault.node and fault.value is not None:
        return _enum(fault)
    hint = mistyped(fault.value, kinds, fault.path, fault.nodes)
    return f"is {got(fault.value)}; expected {listed(_TYPES[kind] for kind in kinds)}.", hint


def _enum(fault: Fault) -> Words:
    values = [value for value in fault.node.get("enum", [fault.node.get("const")]) if isinstance(value, str)]
    close = meant_value(fault.value[:MOST_COMPARED], tuple(values)) if isinstance(fault.value, str) else None
    shown_values = values[:MOST_LISTED] + ([f"{len(values) - MOST_LISTED} more"] if len(values) > MOST_LISTED else [])
    hint = f"Did you mean {close}?" if close else None
    if fault.code == "event_type_unknown" and fault.value == "media":
        hint = 'Send "event_type": "custom_event", and in its data "custom_event_type": "media".'
    return f"is {got(fault.value)}; expected {listed(shown_values)}.", hint


def _too_long(fault: Fault) -> Words:
    return f"has {len(fault.value)} characters; expected at most {fault.node['maxLength']}.", None


def _too_many(fault: Fault) -> Words:
    kind, limit = ("entries", "maxItems") if isinstance(fault.value, list) else ("members", "maxProperties")
    return f"has {len(fault.value)} {kind}; expected at most {fault.node[limit]}.", None


def _range(fault: Fault) -> Words:
    as_text = beyond(fault.value, fault.nodes) if isinstance(fault.value, str) else None
    keyword, limit = as_text or (fault.keyword, fault.node[fault.keyword])
    hint = "Send hours, not minutes or seconds." if fault.path[-1:] == ("timezone_offset",) else None
    return f"is {got(fault.value)}; expected at {'least' if keyword == 'minimum' else 'most'} {limit}.", hint


def _other(fault: Fault) -> Words:
    if fault.code == "wrong_type":
        moment = any(node.get("title") == "Moment" for node in fault.nodes)
        return f"is {got(fault.value)}; expected {'milliseconds since 1970' if moment else 'a number'}.", mistyped(
            fault.value, ["number"], fault.path, fault.nodes
        )
    expected = fault.expected
    return f"is {got(fault.value)}; expected {expected[:1].lower()}{expected[1:]}.", malformed(fault.value, fault.node)


_SAID: Final[dict[str, Callable[[Fault], Words]]] = {
    "required_missing": _missing,
    "recommended_missing": _missing,
    "environment_missing": _environment,
    "unknown_member": _unknown_member,
    "misplaced_member": _misplaced,
    "malformed_value": _other,
    "out_of_range": _range,
    "number_as_string": _number_as_string,
    "mpid_as_string": _number_as_string,
    "attribute_nested": _nested,
    "attribute_name_too_long": _name_too_long,
    "user_attribute_name_too_long": _name_too_long,
    "name_blank": _name_blank,
    "identity_placeholder": _placeholder,
    "email_malformed": _email,
    "customer_id_is_email": _email_as_id,
    "reserved_attribute_misused": _reserved,
    "attribution_incomplete": _attribution,
    "crash_report_empty": _crash_empty,
    "session_without_id": _session_without_id,
}

_BY_KEYWORD: Final[dict[str, Callable[[Fault], Words]]] = {
    "type": _type,
    "enum": _enum,
    "const": _enum,
    "maxLength": _too_long,
    "maxItems": _too_many,
    "maxProperties": _too_many,
}
