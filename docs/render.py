"""Writes the pages of this folder that are made from data: `python docs/render.py [PAGE…]`, all of them without a name.

`tests/` holds that what is written here is what the files say.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from mparticle_fake_server.checks.explanations import EFFECTS, MENDING, source
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
    for needed in findings.get("recommended_missing", {}).get("dependentRequired", {}).get(member, ()):
        yield f"*with `{needed}`*"
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

What the fake tells about a request or a batch, code by code; `mparticle-fake explain CODE` prints a section of it, also where
this page is not installed. It is made from the table `CODES` in `fake_server/checks/finding.py`; `python docs/render.py findings`
writes it again.

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

The server and `validate` look for the same in every body, a member named twice included; credentials, paths and signatures are
those of requests alone. A batch gets at most 50 findings of a code, and of its faulty members some 10 000 values are explained.

What is not looked at, and why:

* **Rates**: batches a second, events of a user a day or a month. Production means averages that no test comes near;
  [`PUT /_fake/faults`](../README.md#asking) answers 429 whenever a test wants it.
* **What is set up in a workspace**: whether a partner identity is registered, a consent purpose defined, a data plan published.
  The fake does not know it.
* **What mParticle sets itself**, such as `batch_id`, `source_info` and `event_id`: its own samples and SDKs send these.
* **Limits that no document states**: of the attributes of products, of partner identities, of most texts.
* **Rules that mParticle's own sample breaks**: `is_first_run` and `is_upgrade` beside another transition than
  `application_initialized`, for example.
* **An end of a session without an id**: no document asks for one there; of a start mParticle's schema does.
* **Which of two counts** where a batch sets an attribute and deletes it: no document says.
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
        lines += ["", f"To mend it: {MENDING[name]}", "", f"Source: {source(code.source)}."]
    return "\n".join(lines) + "\n"


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
