"""The running server against its own OpenAPI document: no operation answers anything that the document does not say."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mparticle_fake_server import FakeServer
from mparticle_fake_server.endpoints.openapi import document
from tests.hosts import BASIC, batch, event

Case = schemathesis.Case[Any]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    allow_header_conformance,
]

CONFIG = schemathesis.Config.from_dict(
    {
        "generation": {"deterministic": "FUZZ_EXAMPLES" not in os.environ},
        # Examples of sound and of broken questions; what follows from one answer to the next question is tested elsewhere.
        "phases": {"coverage": {"enabled": True}, "stateful": {"enabled": False}},
    }
)

schema = schemathesis.openapi.from_dict(json.loads(json.dumps(document())), config=CONFIG)
# The stream never ends; test_bodies.py reads the beginning of one. What is below /s2s has the handlers of what is not.
answering = schema.exclude(path="/_fake/stream").exclude(path_regex="^/s2s/")


@schemathesis.serializer("application/x-ndjson")
def _lines(_: schemathesis.SerializationContext, value: Any) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode() + b"\n"


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        yield opened


@pytest.fixture
def url(session: requests.Session) -> Iterator[str]:
    """A server that has received some batches, among them a refused one and a duplicate."""
    with FakeServer() as server:
        twice = batch(source_request_id="r1", mpid=2**70, events=[event("Play", items=[1, {"a": "b"}])])
        for sent in (batch(), twice, twice, batch(events=[{}])):
            session.post(f"{server.url}/v2/events", json=sent, headers={"Authorization": BASIC}, timeout=10)
        yield server.url


@answering.parametrize()
@settings(max_examples=int(os.environ.get("FUZZ_EXAMPLES", "10")), suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_the_document_says(case: Case, url: str, session: requests.Session) -> None:
    _bring_near(case)
    # Without credentials every upload gets 401.
    headers = {"Authorization": BASIC} if case.path.startswith("/v2/") else None

    case.call_and_validate(base_url=url, session=session, headers=headers, checks=CHECKS, timeout=10)


def _bring_near(case: Case) -> None:
    """Ids that are ids become some that may exist, seconds that are seconds become few; what is wrong stays."""
    if case.path == "/_fake/wait":
        try:
            seconds = float(case.query.get("timeout", 1))
        except (TypeError, ValueError):
            seconds = -1.0
        if 0 <= seconds <= 3600:
            case.query["timeout"] = 0.01
    elif case.path.endswith("/{id}"):
        parts = str(case.path_parameters["id"]).split(".")
        if all(part.isascii() and part.isdigit() for part in parts):
            case.path_parameters["id"] = ".".join([str(int(parts[0]) % 4 + 1), *("0" for _ in parts[1:])])


ANSWERED = [
    ("/_fake/health", {}),
    ("/_fake/openapi.json", {}),
    ("/_fake/stats", {}),
    ("/_fake/workspaces", {}),
    ("/_fake/batches", {}),
    ("/_fake/batches", {"verdict": "accepted,dropped", "data.items.1.a": "b", "limit": 1}),
    ("/_fake/events", {"identity": "customer_id:c1", "event_type": "custom_event", "after": "1"}),
    ("/_fake/requests", {"status": 202, "severity": "error"}),
    ("/_fake/wait", {"count": 2}),
    ("/_fake/wait", {"of": "batches", "event_name": "Play", "timeout": 0}),
]


@pytest.mark.parametrize(("path", "query"), ANSWERED)
def test_answers_with_content_are_as_the_document_says(
    path: str, query: dict[str, Any], url: str, session: requests.Session
) -> None:
    case = schema[path]["GET"].Case(query=query)

    answer = case.call_and_validate(base_url=url, session=session, checks=CHECKS, timeout=10)

    assert answer.status_code == 200
    assert answer.json().get("items", "none are told") != []


def test_a_wait_in_vain_is_as_the_document_says(url: str, session: requests.Session) -> None:
    case = schema["/_fake/wait"]["GET"].Case(query={"event_name": "Pay", "timeout": 0})

    answer = case.call_and_validate(base_url=url, session=session, checks=CHECKS, timeout=10)

    assert answer.status_code == 408
    assert answer.json()["nearest"] != []


@pytest.mark.parametrize(("path", "id"), [("/_fake/batches/{id}", "2.0"), ("/_fake/requests/{id}", "4")])
def test_records_are_as_the_document_says(path: str, id: str, url: str, session: requests.Session) -> None:
    case = schema[path]["GET"].Case(path_parameters={"id": id})

    answer = case.call_and_validate(base_url=url, session=session, checks=CHECKS, timeout=10)

    assert answer.json()["id"] == id
