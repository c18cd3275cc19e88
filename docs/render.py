"""Writes the pages of this folder that are made from data: `python docs/render.py [PAGE…]`, all of them without a name.

`tests/` holds that what is written here is what the files say.
"""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from mparticle_fake_server.checks.finding import CODES
from mparticle_fake_server.schemas import Schema, load

ORDER: Final = (
    # The documents as somebody reads them who builds a batch.
    "batch", "event", "event_data", "custom_event", "screen_view", "commerce_event", "product_action", "product",
    "promotion_action", "promotion", "product_impression", "shopping_cart", "session_start", "session_end",
    "application_state_transition", "first_run", "uninstall", "push_registration", "push_message", "crash_report",
    "breadcrumb", "network_performance", "opt_out", "profile", "user_attribute_change", "user_identity_change",
    "user_identity", "media_info", "event_system_notification_info", "user_identities", "user_attributes", "consent_state",
    "gdpr_consent", "ccpa", "ccpa_consent", "device_info", "device_current_state", "location", "application_info", "context",
    "data_plan", "batching", "source_info", "attribution_info", "values",
)  # fmt: skip

INTRODUCTION: Final = """\
# The batch

What mParticle's Events API takes, object by object. This page is made from the JSON Schema documents in `fake_server/schemas/`,
which `mparticle-fake schema` prints and the checks use; `python docs/render.py batch` writes it again.

* **required**: without it the object means nothing ([required_missing](findings.md#required_missing)).
* *recommended*: mParticle's schema requires it, its reference does not ([recommended_missing](findings.md#recommended_missing)).
* Members that are not required may be null, which is the same as absent.
* mParticle ignores members that are not listed ([unknown_member](findings.md#unknown_member)).
* Numbers may be written as text ([number_as_string](findings.md#number_as_string)).
"""


def batch() -> str:
    """The page on the batch, from the schemas."""
    documents = {name.removesuffix(".json"): document for name, document in load().items()}
    unlisted = documents.keys() - set(ORDER)
    if unlisted:
        raise SystemExit(f"docs/render.py: give {', '.join(sorted(unlisted))} a place in ORDER")
    sections = [_section(name, documents) for name in ORDER]
    return "\n".join([INTRODUCTION, *sections])


def _section(name: str, documents: dict[str, Schema]) -> str:
    document = documents[name]
    lines = [f"## {document['title']}", "", document["description"], ""]
    if name == "values":
        kinds = (f"| {kind['title']} | {kind['description']} |" for kind in document["$defs"].values())
        return "\n".join([*lines, "| Kind | Meaning |", "|---|---|", *kinds, ""])
    members = document["properties"]
    own = {member: node for member, node in members.items() if not node.get("$ref", "").startswith("event_data.json#")}
    rows = [_row(member, node, document, documents) for member, node in own.items()]
    if rows:
        lines += ["| Member | Type | Values and limits | Meaning |", "|---|---|---|---|", *rows, ""]
    if len(own) < len(members):
        lines += [f"{'Besides these, it' if rows else 'It'} has the members of [every event](#event-data).", ""]
    if name == "event":
        links = ", ".join(_data_of(branch, documents) for branch in document["allOf"])
        lines += [f"The data of each type: {links}.", ""]
    return "\n".join(lines)


def _data_of(branch: Schema, documents: dict[str, Schema]) -> str:
    event_type = branch["if"]["properties"]["event_type"]["const"]
    document = documents[branch["then"]["properties"]["data"]["$ref"].removesuffix(".json")]
    return f"[{event_type}](#{_anchor(document['title'])})"


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _lower(title: str) -> str:
    """The title inside a sentence; abbreviations keep their capitals."""
    return title if title[1:2].isupper() else title[0].lower() + title[1:]


def _row(member: str, node: Schema, document: Schema, documents: dict[str, Schema]) -> str:
    node = _resolved(node, documents)
    cells = (f"`{member}`", _type(node, documents), "; ".join(_limits(member, node, document)), node["description"])
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _resolved(node: Schema, documents: dict[str, Schema]) -> Schema:
    """The node itself, or the member of another document that stands for it, as in ccpa_consent."""
    name, _, place = node.get("$ref", "").partition(".json#/properties/")
    return documents[name]["properties"][place] if place else node


def _type(node: Schema, documents: dict[str, Schema]) -> str:
    reference = node.get("$ref", "")
    if reference:
        name, _, place = reference.partition(".json")
        kind = documents[name]["$defs"][place.removeprefix("#/$defs/")] if name == "values" else documents[name]
        return f"[{_lower(kind['title'])}](#{_anchor(documents[name]['title'] if name == 'values' else kind['title'])})"
    types = node.get("type", [])
    named = [kind for kind in ([types] if isinstance(types, str) else types) if kind != "null"]
    if named == ["array"]:
        return f"list of {_type(node['items'], documents)}"
    if named == ["object"] and "additionalProperties" in node:
        return f"map of {_type(node['additionalProperties'], documents)}"
    return " or ".join({"string": "text", "integer": "whole number"}.get(kind, kind) for kind in named)


def _limits(member: str, node: Schema, document: Schema) -> Iterator[str]:
    if member in document.get("required", ()):
        yield "**required**"
    findings = document.get("x-findings", {})
    if member in findings.get("recommended_missing", {}).get("required", ()):
        yield "*recommended*"
    if member in findings.get("environment_missing", {}).get("required", ()):
        yield _code("environment_missing")
    values = node.get("enum") or node.get("then", {}).get("enum", ())
    if values:
        yield ", ".join(f"`{value}`" if value else "empty text" for value in values if value is not None)
    if "minimum" in node:
        yield f"from {node['minimum']}" + (f" to {node['maximum']}" if "maximum" in node else "")
    yield from (_code(code) for code in node.get("x-findings", {}) if code != "unknown_member")


def _code(code: str) -> str:
    return f"[{code}](findings.md#{code})"


# -- findings ------------------------------------------------------------------------------------------------------------------

FINDINGS_INTRODUCTION: Final = """\
# Findings

What the fake tells about a request or a batch, code by code. This page is made from the table `CODES` in
`fake_server/checks/finding.py`; `python docs/render.py findings` writes it again.

A finding has a code, a severity, a place (a JSON pointer into the batch, and one into the body where that differs), a message
that says what came and what was expected, and often a hint to paste.

* **error**: the documented contract is broken. In mode `strict` the request is refused.
* **warning**: mParticle accepts it, and then drops, cuts or ignores something, or shows what nobody meant.
* **note**: worth knowing, such as a quirk of a client that the fake straightened out.

*mParticle* below says what production does: it *refuses* the request with a 4xx, *drops* the batch after a 202, *alters* it (what
is concerned is lost or changed), or does *nothing* about it. That decides the verdict and the status; to ignore a code silences
it and changes neither, and to make it an error lets mode `strict` refuse it.

Some findings hold a batch against what came before: event names, kinds of attributes, sessions. That is the memory of the
workspace, not of a user or an input: mParticle counts event names by workspace, rules and partners know an attribute by its name
alone, whoever has it, and a session may start with one input and end with another. What mParticle refuses or drops is not
remembered. A server that goes on with a kept store remembers nothing of it: it tells of no end of a session, since that may have
started there, until everything is forgotten (`DELETE /_fake/batches`).
"""

FIRST_OF_A_GROUP: Final = {
    "path_unknown": "The request",
    "content_encoding_unknown": "Reading the body",
    "wrong_top_level": "The shape of a request",
    "event_type_missing": "Whether mParticle processes the batch",
    "required_missing": "Members and values",
    "event_name_too_long": "Limits",
    "commerce_without_action": "What a batch means",
    "customerid_spelling": "Quirks of clients",
    "signature_missing": "Requests of the web and native SDKs",
    "identity_member_missing": "Identity requests",
}
"""The heading that stands before a code."""

EFFECTS: Final = {"refuse": "refuses the request", "drop": "drops the batch", "alter": "alters it", "none": "nothing"}

_HTTP: Final = "mParticle's documentation: Events API, HTTP"
_JSON: Final = "mParticle's documentation: Events API, JSON Reference"
_LIMITS: Final = "mParticle's documentation: Default Service Limits"
_IDSYNC: Final = "mParticle's documentation: IDSync, HTTP API"
_SCHEMA: Final = f"{_JSON}; mParticle's published JSON Schema and SDKs, where they say more"
_CLIENTS: Final = "the code of mParticle's web, Android and Apple SDKs, and what they send"
_SDKS: Final = "the code of mParticle's official SDKs, and what they send"

SOURCES: Final = {
    # The notes that CODES names are ours; this is what they rest on.
    "--max-body": "the server's option --max-body",
    "HTTP": "RFC 9112",
    "PUT /_fake/faults": "whoever called PUT /_fake/faults, or `fail_next`, `fail_always` or `delay` in pytest",
    "batch-schema.md §0": _SDKS,
    "batch-schema.md §2.1": f"{_JSON}; {_IDSYNC}",
    "batch-schema.md": _SCHEMA,
    "events-api.md §5": f"{_LIMITS}; Events API, HTTP",
    "events-api.md §10": _SDKS,
    "events-api.md": _HTTP,
    "identity.md": _IDSYNC,
    "client-sdks.md": _CLIENTS,
    "mparticle-fake serve --credential": "the server's option --credential",
}
"""By the longest beginning of a source; a source without an entry is understood by everybody."""

MENDING: Final = {
    "path_unknown": "Send to /v2/events or /v2/bulkevents; check that the host in the SDK's configuration ends with /v2.",
    "method_not_allowed": "Upload with POST.",
    "credentials_missing": "Configure key and secret in the SDK; by hand, send `Authorization: Basic` and base64 of KEY:SECRET.",
    "credentials_wrong": "Take key and secret of the same input; `GET /_fake/workspaces` lists the keys that the fake knows.",
    "body_too_large": "Split the request: mParticle takes 256 KB.",
    "http_broken": "Let an HTTP client write the request.",
    "server_error": "Report it, with the request.",
    "body_incomplete": "Give the client a longer timeout, and let Content-Length be the number of bytes.",
    "fault_injected": "Nothing needs mending: see that the client does what it should, such as to send again after Retry-After.",
    "delay_injected": "Nothing needs mending: see that the client waits, or gives up in time and sends again.",
    "content_encoding_unknown": "Compress with gzip, or not at all.",
    "compression_broken": "Compress the whole body once, or leave Content-Encoding out.",
    "charset_unknown": "Send UTF-8; `Content-Type: application/json` needs no charset.",
    "encoding_broken": "Encode the body as UTF-8.",
    "json_broken": "Let a JSON library write the body. An empty body is what the Python SDK sends for an empty batch.",
    "json_too_deep": "Look for an object that holds itself, and flatten attributes.",
    "number_out_of_range": "Send an id as text; check the computation of an amount.",
    "integer_beyond_64_bits": "Send an id of this size as text.",
    "lone_surrogate": "Cut text between characters, not between UTF-16 units: in JavaScript `[...text].slice(0, n).join('')`.",
    "wrong_top_level": "Send one batch to /v2/events, or an array of batches to /v2/bulkevents.",
    "too_many_batches": "Split the request; the SDK's `bulk_upload_events` does.",
    "event_type_missing": 'Wrap the data: `{"event_type": "custom_event", "data": {…}}`.',
    "duplicate_batch": "Give each batch a `source_request_id` of its own; keep it only when you send the same batch again.",
    "historical_without_events": "Send updates of profiles to /v2/events.",
    "historical_without_timestamp": "Give every event its `timestamp_unixtime_ms`.",
    "historical_too_recent": "Send what is less than 72 hours old to /v2/events or /v2/bulkevents.",
    "required_missing": "Add the member; the message says which, and whether another looks like a misspelling of it.",
    "wrong_type": 'Send the documented JSON type: 5 is not "5", true is not "true", one item is not a list of one.',
    "unknown_value": "Take one of the values that the message lists. Case counts.",
    "malformed_value": "Bring the text into the form that the message describes.",
    "out_of_range": "Check the unit: hours and not minutes, degrees and not radians, latitude before longitude.",
    "event_type_unknown": "Take a documented type; what has none is a `custom_event` with an `event_name`.",
    "attribute_nested": "Flatten it (`address_city`), or send it as JSON text. Lists are for user attributes only.",
    "unknown_member": "Correct the name; data of your own belongs in `custom_attributes` or `user_attributes`.",
    "misplaced_member": "Move the member to where the message says that it belongs.",
    "recommended_missing": "Add the member.",
    "environment_missing": 'Say `"environment": "development"` in tests and `"production"` otherwise.',
    "number_as_string": "Send a JSON number. In Python convert `Decimal` to `float`; this SDK does.",
    "mpid_as_string": "Send an integer, where the language can hold 64 bits; JavaScript cannot, so there text is right.",
    "event_name_too_long": "Shorten the name; what varies belongs in attributes.",
    "name_blank": "Give it a name that says what happened; look for a variable that is empty.",
    "too_many_attributes": "Send fewer attributes, or several events.",
    "attribute_name_too_long": "Shorten the name; what varies belongs in the value.",
    "attribute_value_too_long": "Shorten the value, or store it elsewhere and send a reference.",
    "too_many_user_attributes": "Spread the attributes over several batches, or send only those that changed.",
    "user_attribute_name_too_long": "Shorten the name; what varies belongs in the value.",
    "user_attribute_value_too_long": "Shorten the value, or store it elsewhere and send a reference.",
    "user_attribute_list_too_long": "Keep the latest 1000 entries, or send events instead.",
    "user_attribute_entry_too_long": "Shorten the entry.",
    "action_identifier_too_long": "Shorten it to 100 characters.",
    "too_many_consent_purposes": "Group purposes: a regulation has at most 100.",
    "batch_too_large": "Spread the events over several batches.",
    "request_too_large": "Send fewer batches in a request; the SDK's `bulk_upload_events` splits by size.",
    "too_many_event_names": "Put ids, dates and numbers into attributes and not into names.",
    "commerce_without_action": "Set one of `product_action`, `promotion_action` and `product_impressions`.",
    "commerce_with_several_actions": "Send an event for each.",
    "crash_report_as_commerce": "Use an SDK that labels it `crash_report`, as this one does.",
    "session_end_without_start": "Send a `session_start` with the same `session_uuid` first.",
    "session_id_differs": "Give all events of a session one `session_uuid`.",
    "session_duration_contradicts": "Compute the duration in milliseconds, end minus start.",
    "timestamp_not_milliseconds": "Multiply seconds by 1000: in Python `int(time.time() * 1000)`.",
    "timestamp_in_future": "Set the clock, and send UTC: a local time taken for UTC is hours off.",
    "timestamp_too_old": "Send it to /v2/bulkevents/historical; look for a time that is not set, or a clock that was.",
    "identity_missing": "Set `user_identities`, `mpid` or a device id.",
    "identity_placeholder": "Leave an identity out if there is none; look for text made of null or undefined.",
    "email_malformed": "Send one address, or leave it out.",
    "customer_id_is_email": "Send the address as `email`, and an id that never changes as `customer_id`.",
    "reserved_attribute_misused": "Take a reserved name exactly as listed, or a name without $.",
    "attribute_kind_changed": "Use another name for the list, or delete the attribute first, with `deleted_user_attributes`.",
    "product_total_contradicts": "Let the total be price times quantity, or leave it out.",
    "personal_data": "Send a user's address as identity, a card number never. The address of your support may stay.",
    "customerid_spelling": "Nothing needs mending where an SDK writes it; by hand, write `customer_id`.",
    "upper_case_enum": "Nothing needs mending where the Java SDK writes it; by hand, write the documented value.",
    "promotion_action_number": "Nothing needs mending where the web SDK writes it; by hand, write `view` or `click`.",
    "native_key_unknown": "Nothing is lost. By hand, use the native SDKs' keys, or send the documented form to /v2/events.",
    "signature_missing": "Let the SDK sign; by hand, send Date and x-mp-signature.",
    "signature_wrong": "Compare the string in the finding with what the client signs; if they are the same, the secrets differ.",
    "signature_unchecked": "Name the secret: `serve --credential KEY:SECRET`.",
    "alias_wrong": "Name two profiles, and a range that ends after it begins.",
    "audience_wrong": "Send `?mpid=` of the user.",
    "identity_member_missing": "Send `environment` and at least one identity; a change has all three members.",
    "identity_member_wrong": "Send identities as text, and `production` or `development`.",
    "identity_type_unknown": "Use the Identity API's names: `customerid`, `other2`, `device_application_stamp`.",
    "mpid_out_of_range": "Keep mpids as text.",
    "profile_not_found": "Identify first, or search by a login ID.",
    "profile_unknown": "Identify again; a memory store forgets everybody at a restart.",
    "identity_kept": "Call modify to change an identity.",
    "identity_change_mismatch": "Take the old value from the profile as it is now.",
    "identity_matches_nobody": "Send an identity of the priority list too.",
    "identity_member_ignored": "Leave it out, or write it as documented.",
    "identity_value_absent": "Leave out what is not known.",
    "previous_mpid_as_number": "Nothing needs mending where the Android SDK writes it.",
}
"""How to mend what a code tells."""


def findings() -> str:
    """The page on the findings, from their table."""
    unlike = CODES.keys() ^ MENDING.keys()
    if unlike:
        raise SystemExit(f"docs/render.py: MENDING and CODES differ in {', '.join(sorted(unlike))}")
    lines = [FINDINGS_INTRODUCTION, "| Finding | Severity | mParticle |", "|---|---|---|"]
    lines += [f"| [{name}](#{name}) | {code.severity} | {EFFECTS[code.effect]} |" for name, code in CODES.items()]
    for name, code in CODES.items():
        if name in FIRST_OF_A_GROUP:
            lines += ["", f"## {FIRST_OF_A_GROUP[name]}"]
        # Most examples are JSON, others tell what a client does.
        example = ["```json", code.example, "```"] if code.example.startswith("{") else [f"For example: {code.example}."]
        lines += [
            "",
            f"### {name}",
            "",
            f"**{code.severity}** · mParticle: {EFFECTS[code.effect]}",
            "",
            code.explanation,
            "",
            *example,
        ]
        lines += ["", f"To mend it: {MENDING[name]}", "", f"Source: {_source(code.source)}."]
    return "\n".join(lines) + "\n"


def _source(sources: str) -> str:
    """What the sources of a code rest on, each once."""
    known = sorted(SOURCES, key=len, reverse=True)
    parts = re.sub(r", §", " and §", sources).split(", ")
    named = [next((SOURCES[beginning] for beginning in known if _begins(part, beginning)), part) for part in parts]
    return "; ".join(dict.fromkeys(named))


def _begins(source: str, beginning: str) -> bool:
    return source == beginning or (beginning.endswith(".md") and source.startswith(beginning))


PAGES: Final[dict[str, Callable[[], str]]] = {"batch": batch, "findings": findings}
"""The pages, each `docs/NAME.md`, and what makes them."""


def main(names: list[str]) -> None:
    """Write the pages of these names."""
    for name in names or PAGES:
        if name not in PAGES:
            raise SystemExit(f"docs/render.py: no page {name!r}; there are {', '.join(PAGES)}")
        (Path(__file__).parent / f"{name}.md").write_text(PAGES[name](), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
