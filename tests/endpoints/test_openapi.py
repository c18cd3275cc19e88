"""The OpenAPI document: it is one, it has every endpoint and nothing else, and it says what the code does."""

import copy
import json
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import msgspec
import pytest
import schemathesis

from mparticle_fake_server import items, query
from mparticle_fake_server.checks.finding import CODES, Finding
from mparticle_fake_server.endpoints import events_api, native_sdk, web_sdk
from mparticle_fake_server.endpoints.inspect_import import Imported
from mparticle_fake_server.endpoints.openapi import document
from mparticle_fake_server.endpoints.profiles import ProfileItem
from mparticle_fake_server.hosting import open_intake, tables
from mparticle_fake_server.idsync import replay
from mparticle_fake_server.waiting import NearMiss
from tests.hosts import Fake

DOCUMENT: dict[str, Any] = json.loads(json.dumps(document()))
OPERATIONS = {
    (method.upper(), path): operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}


def parts(node: Any) -> Iterator[dict[str, Any]]:
    """Every object of a document."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from parts(child)


def parameter(method: str, path: str, name: str) -> dict[str, Any]:
    (found,) = (parameter for parameter in OPERATIONS[method, path]["parameters"] if parameter["name"] == name)
    schema: dict[str, Any] = found["schema"]
    return schema


# -- a document ------------------------------------------------------------------------------------------------------------


def test_the_document_is_valid() -> None:
    schemathesis.openapi.from_dict(DOCUMENT).validate()


@pytest.mark.parametrize("place", [("info", "title"), ("paths", "/_fake/stats", "get", "responses"), ("components", "schemas")])
def test_the_validation_finds_faults(place: tuple[str, ...]) -> None:
    broken = copy.deepcopy(DOCUMENT)
    holder = broken
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = 1

    with pytest.raises(ValueError, match="1 is not of type"):
        schemathesis.openapi.from_dict(broken).validate()


def test_all_references_lead_somewhere_and_all_components_are_used() -> None:
    references = {part["$ref"] for part in parts(DOCUMENT) if "$ref" in part}

    components = {f"#/components/{kind}/{name}" for kind in ("schemas", "responses") for name in DOCUMENT["components"][kind]}
    assert references == components


def test_operations_have_names_of_their_own_and_a_summary() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]

    assert len(set(names)) == len(names)
    assert all(operation["summary"] for operation in OPERATIONS.values())


def test_it_tells_the_version_of_the_distribution() -> None:
    assert DOCUMENT["info"]["version"] == version("mparticle-testkit")


def test_it_is_served(fake: Fake) -> None:
    assert fake.ask("openapi.json") == DOCUMENT


# -- the same as the code --------------------------------------------------------------------------------------------------


def test_every_endpoint_is_in_it_and_nothing_else() -> None:
    rows = tables(open_intake())

    served = {(row.method, row.path.replace("<", "{").replace(">", "}")) for row in rows}
    assert set(OPERATIONS) == served


def test_the_codes_of_findings_are_explained_to_those_who_have_no_docs() -> None:
    told = DOCUMENT["components"]["schemas"]["Finding"]["properties"]["code"]["description"].splitlines()

    assert told == [f"* `{code}`: {about.explanation}" for code, about in CODES.items()]


def test_variable_parts_of_paths_are_parameters() -> None:
    for (_, path), operation in OPERATIONS.items():
        named = [parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "path"]
        assert [f"{{{name}}}" for name in named] == [part for part in path.split("/") if part.startswith("{")]


@pytest.mark.parametrize(
    ("path", "kind", "others"),
    [
        ("/_fake/batches", "batches", {"after", "limit", "data"}),
        ("/_fake/events", "events", {"after", "limit", "data"}),
        ("/_fake/requests", "requests", {"after", "limit"}),
        ("/_fake/wait", "events", {"after", "count", "timeout", "of", "data"}),
        ("/_fake/stream", "batches", {"after", "Last-Event-ID", "data"}),
        ("/_fake/stats", "requests", set()),
    ],
)
def test_filters_are_those_of_the_query(path: str, kind: query.Kind, others: set[str]) -> None:
    names = {parameter["name"] for parameter in OPERATIONS["GET", path]["parameters"]}

    assert names == {*query.FIELDS[kind], *others}


@pytest.mark.parametrize(
    "type_", [items.BatchItem, items.EventItem, items.RequestItem, items.BatchSummary, NearMiss, ProfileItem, Finding]
)
def test_items_have_the_members_of_their_structs(type_: type[msgspec.Struct]) -> None:
    schema = DOCUMENT["components"]["schemas"][type_.__name__]

    assert list(schema["properties"]) == [field.encode_name for field in msgspec.structs.fields(type_)]


@pytest.mark.parametrize(("path", "name"), [("/_fake/batches", "limit"), ("/_fake/wait", "count"), ("/_fake/wait", "timeout")])
def test_maxima_are_those_that_are_enforced(fake: Fake, path: str, name: str) -> None:
    schema = parameter("GET", path, name)
    quick = "" if name == "timeout" else "&timeout=0" if path.endswith("wait") else ""

    above = fake.request("GET", f"{path}?{name}={schema['maximum'] + 1}{quick}")
    below = fake.request("GET", f"{path}?{name}={schema['minimum'] - 1}{quick}")
    within = fake.request("GET", f"{path}?{name}={schema['minimum' if name == 'timeout' else 'maximum']}{quick}")

    assert (above.status, below.status) == (400, 400)
    assert within.status in (200, 408)


@pytest.mark.parametrize("name", ["verdict", "severity"])
def test_choices_are_those_that_are_taken(fake: Fake, name: str) -> None:
    choices = parameter("GET", "/_fake/batches", name)["items"]["enum"]

    reply = fake.request("GET", f"/_fake/batches?{name}=none")
    fake.ask(f"batches?{name}={','.join(choices)}")

    assert f"expected one of {', '.join(choices)}." in reply.messages[0]


def test_the_sources_are_those_that_endpoints_record() -> None:
    recorded = {form.source for form in events_api.FORMS.values()} | {web_sdk.SOURCE, *native_sdk.SOURCES, replay.SOURCE}

    assert set(query.SOURCES) == recorded | {Imported({}, 0).source, "unknown"}


def test_what_an_unguarded_server_answers_needs_no_token() -> None:
    for (_, path), operation in OPERATIONS.items():
        if path in ("/_fake", "/_fake/health"):
            assert operation["security"] == []
        elif path.startswith("/_fake"):
            assert operation["security"] == [{}, {"token": []}, {"tokenInQuery": []}]
        else:
            assert {"token", "tokenInQuery"}.isdisjoint(name for choice in operation["security"] for name in choice)


def test_what_pages_ask_for_needs_no_more_than_a_key() -> None:
    shared = [row for row in tables(open_intake()) if row.cors]

    for row in shared:
        security = OPERATIONS[row.method, row.path.replace("<", "{").replace(">", "}")]["security"]
        assert {} in security or {"key": []} in security
