"""The schema documents themselves: complete, portable between engines, and put together without loss."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import jsonschema_rs
import pytest
from jsonschema import Draft202012Validator

from docs import render
from mparticle_fake_server import schemas
from mparticle_fake_server.checks.finding import CODES
from mparticle_sdk import limits
from mparticle_sdk.batch import EventTypeName

Node = dict[str, Any]

ANNOTATIONS = {"title", "description", "x-findings", "x-code"}
KEYWORDS = {
    "$schema", "$id", "$ref", "$defs", "type", "enum", "const", "required", "dependentRequired", "properties",
    "additionalProperties", "propertyNames", "maxProperties",
    "items", "maxItems", "minLength", "maxLength", "pattern", "minimum", "maximum", "not", "if", "then", "else",
    "allOf",
}  # fmt: skip
"""Nothing in which engines differ: no format, no multipleOf; nor anyOf and oneOf, whose errors say too little."""

CHILDREN = ("additionalProperties", "propertyNames", "items", "not", "if", "then", "else")
MAPS = ("properties", "$defs", "x-findings")


def nodes(schema: Any, path: str, condition: bool = False) -> Iterator[tuple[str, Node, bool]]:
    """Each schema inside a schema with its path, and whether it is part of a condition rather than a demand."""
    if not isinstance(schema, dict):
        return
    yield path, schema, condition
    for keyword in CHILDREN:
        if keyword in schema:
            yield from nodes(schema[keyword], f"{path}/{keyword}", condition or keyword in ("if", "not"))
    for keyword in MAPS:
        for name, child in schema.get(keyword, {}).items():
            yield from nodes(child, f"{path}/{keyword}/{name}", condition or keyword == "x-findings")
    for index, child in enumerate(schema.get("allOf", ())):
        yield from nodes(child, f"{path}/allOf/{index}", condition)


ALL = [found for name, document in schemas.load().items() for found in nodes(document, name)]


def resolved(node: Node, path: str) -> Node:
    """What a node refers to."""
    name, _, place = node["$ref"].partition("#")
    target: Any = schemas.load()[name or path.partition("/")[0]]
    for step in place.split("/")[1:]:
        target = target[step]
    assert isinstance(target, dict)
    return target


@pytest.mark.parametrize("name", schemas.load())
def test_a_document_says_what_it_is(name: str) -> None:
    document = schemas.load()[name]

    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert document["$id"] == f"https://mparticle-testkit.invalid/schemas/{name}"
    assert document["title"]
    assert document["description"].endswith(".")


def test_each_member_has_a_title_and_a_description() -> None:
    members = [
        (f"{path}/{name}", resolved(member, path) if "#/properties/" in member.get("$ref", "") else member)
        for path, node, condition in ALL
        for name, member in node.get("properties", {}).items()
        if not condition and "/then" not in path
    ]

    silent = [path for path, member in members if not member.get("title") or not member.get("description", "").endswith(".")]

    assert len(members) > 600
    assert silent == []


def test_only_keywords_are_used_that_engines_agree_on() -> None:
    used = {keyword for _, node, _ in ALL for keyword in node}

    assert used <= KEYWORDS | ANNOTATIONS


def test_patterns_mean_the_same_in_each_engine() -> None:
    patterns = [(path, node) for path, node, _ in ALL if "pattern" in node]

    unportable = [path for path, node in patterns if re.search(r"\\[^n.tr]|\(\?[^:]|\*[+?]|\+[+?]", node["pattern"])]

    assert len(patterns) > 8
    assert unportable == []


def test_an_end_anchor_cannot_be_fooled_by_a_final_newline() -> None:
    # Python's $ also matches before a newline at the very end, Rust's does not.
    anchored = [
        (path, node) for path, node, condition in ALL if "$" in node.get("pattern", "").replace("[$]", "") and not condition
    ]

    loose = [path for path, node in anchored if node.get("not") != {"pattern": "\\n"} and "maxLength" not in node]

    assert anchored
    assert loose == []


def test_conditions_refer_to_nothing_that_has_findings() -> None:
    # Folded in, a finding below "if" or "not" would decide instead of tell.
    mixed = [path for path, node, condition in ALL if condition and "$ref" in node and "x-findings" in resolved(node, path)]

    assert mixed == []
    assert [path for path, node, condition in ALL if condition and "x-findings" in node] == []


def test_each_code_is_one_of_the_table() -> None:
    codes = {code for _, node, _ in ALL for code in (*node.get("x-findings", ()), *node.get("x-code", {}).values())}

    assert codes <= CODES.keys()


def test_what_must_not_match_says_its_code() -> None:
    # "not" has no code of its own.
    nots = [node for _, node, condition in ALL if "not" in node and not condition]

    assert all("not" in node["x-code"] for node in nots)


def test_an_object_of_fixed_members_tells_the_others() -> None:
    fixed = [
        (path, node)
        for path, node, condition in ALL
        if "properties" in node and "additionalProperties" not in node and not condition and "/then" not in path
    ]

    silent = [path for path, node in fixed if node["x-findings"].get("unknown_member") != {"additionalProperties": False}]

    assert len(fixed) > 40
    assert silent == []


def test_each_event_type_has_its_branch() -> None:
    event = schemas.load()["event.json"]

    branches = [branch["if"]["properties"]["event_type"]["const"] for branch in event["allOf"]]

    assert branches == event["properties"]["event_type"]["enum"] == list(get_args(EventTypeName))


@pytest.mark.parametrize(
    ("code", "keyword", "limit"),
    [
        ("event_name_too_long", "maxLength", limits.EVENT_NAME_LENGTH),
        ("too_many_attributes", "maxProperties", limits.ATTRIBUTES_PER_EVENT),
        ("attribute_name_too_long", "maxLength", limits.ATTRIBUTE_NAME_LENGTH),
        ("attribute_value_too_long", "maxLength", limits.ATTRIBUTE_VALUE_LENGTH),
        ("too_many_user_attributes", "maxProperties", limits.USER_ATTRIBUTES_PER_BATCH),
        ("user_attribute_name_too_long", "maxLength", limits.USER_ATTRIBUTE_NAME_LENGTH),
        ("user_attribute_value_too_long", "maxLength", limits.USER_ATTRIBUTE_VALUE_LENGTH),
        ("user_attribute_list_too_long", "maxItems", limits.USER_ATTRIBUTE_LIST_ENTRIES),
        ("user_attribute_entry_too_long", "maxLength", limits.USER_ATTRIBUTE_ENTRY_LENGTH),
        ("action_identifier_too_long", "maxLength", limits.ACTION_IDENTIFIER_LENGTH),
        ("too_many_consent_purposes", "maxProperties", limits.CONSENT_PURPOSES),
    ],
)
def test_a_limit_is_that_of_the_sdk(code: str, keyword: str, limit: int) -> None:
    entries = [node["x-findings"][code] for _, node, _ in ALL if code in node.get("x-findings", {})]

    stated = {entry.get("propertyNames", entry)[keyword] for entry in entries}

    assert stated == {limit}


@pytest.mark.parametrize("made", [schemas.bundle, schemas.folded], ids=["bundle", "folded"])
def test_the_whole_is_a_schema_that_needs_no_other_document(made: Any) -> None:
    whole = made()

    Draft202012Validator.check_schema(whole)
    jsonschema_rs.validator_for(whole)
    references = {node["$ref"] for _, node, _ in nodes(whole, "") if "$ref" in node}

    assert references
    assert all(reference.startswith("#/$defs/") for reference in references)


def test_the_bundle_judges_as_the_single_documents_do() -> None:
    registry = jsonschema_rs.Registry([(document["$id"], document) for document in schemas.load().values()])
    single = jsonschema_rs.validator_for(schemas.load()["batch.json"], registry=registry)
    batch = {
        "events": [{"event_type": "commerce_event", "data": {"product_action": {"action": "buy", "products": [{"price": []}]}}}]
    }

    errors = [(error.instance_path, error.message) for error in single.iter_errors(batch)]

    bundled = jsonschema_rs.validator_for(schemas.bundle()).iter_errors(batch)
    assert len(errors) == 2
    assert errors == [(error.instance_path, error.message) for error in bundled]


def test_folding_keeps_codes_in_the_order_of_the_documents() -> None:
    document = schemas.load()["user_attributes.json"]

    folded = schemas.folded()["$defs"]["user_attributes"]

    assert [entry["x-code"] for entry in folded["allOf"]] == list(document["x-findings"])
    assert "x-findings" not in folded


def test_folding_makes_unknown_members_the_objects_own_affair() -> None:
    folded = schemas.folded()["$defs"]["attribution_info"]

    assert folded["additionalProperties"] is False
    assert "allOf" not in folded


def test_nothing_is_left_unfolded() -> None:
    left = [path for path, node, _ in nodes(schemas.folded(), "") if "x-findings" in node]

    assert left == []


def test_the_page_on_the_batch_says_what_the_documents_say(checkout: Path) -> None:
    written = (checkout / "docs" / "batch.md").read_text(encoding="utf-8")

    assert written == render.batch(), "run: python docs/render.py batch"


def test_links_inside_the_page_lead_somewhere() -> None:
    page = render.batch()

    anchors = {heading.lower().replace(" ", "-") for heading in re.findall(r"^##? (.*)$", page, re.MULTILINE)}

    assert set(re.findall(r"\]\(#([^)]*)\)", page)) <= anchors
