"""The OpenAPI document of all that is served, for `/_fake/openapi.json`: one entry for every row of the endpoint tables.

Filters, schemas of answers, enumerations and limits are read from the code that applies them, so that they cannot drift.
"""

from functools import cache
from typing import Final

from .. import query
from ..snippets import CLIENTS
from ..version import __version__
from . import openapi_identity
from .openapi_parts import (
    AFTER,
    CURSOR,
    HINT,
    NEW_WORKSPACE_NAME,
    REF,
    WORKSPACE_NAME,
    Json,
    filters,
    inspecting,
    json_response,
    parameter,
    refusals,
)
from .openapi_schemas import responses, schemas
from .openapi_uploads import SECURITY_SCHEMES, TAGS, clients, uploads

NDJSON: Final = "application/x-ndjson"


@cache
def document() -> Json:
    """An OpenAPI 3.1 document. It is made once; do not change it."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Fake mParticle",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "summary": "mParticle's endpoints for servers, pages and apps, and below /_fake what they received.",
            "description": (
                "mParticle's own endpoints answer as it documents them. What production would not tell (dropped duplicates, lost "
                "parts) is recorded as findings, which the inspect API shows."
            ),
        },
        "servers": [{"url": "/"}],
        "tags": [
            *TAGS,
            openapi_identity.TAG,
            {"name": "Records", "description": "What was received, and what was found out about it."},
            {"name": "Workspaces", "description": "Inputs (key and secret) and how they are answered."},
            {"name": "Server", "description": "The fake itself."},
        ],
        "paths": {
            **uploads(),
            **clients(),
            **openapi_identity.identity(),
            **_records(),
            **openapi_identity.profiles(),
            **_workspaces(),
            **_faults(),
            **_server(),
        },
        "components": {
            "schemas": {**schemas(), **openapi_identity.SCHEMAS},
            "responses": responses(),
            "securitySchemes": {
                **SECURITY_SCHEMES,
                **openapi_identity.SECURITY_SCHEMES,
                "token": {"type": "http", "scheme": "bearer", "description": "The token that the server printed at start."},
                "tokenInQuery": {"type": "apiKey", "in": "query", "name": "token", "description": "The same token."},
            },
        },
    }


# -- records ---------------------------------------------------------------------------------------------------------------


def _records() -> Json:
    return {
        "/_fake/batches": {
            "get": _listing("batches", "BatchItem", "List batches, oldest first"),
            "delete": inspecting(
                "Records",
                "forgetBatches",
                "Forget what was recorded",
                200,
                {"$ref": f"{REF}Forgotten"},
                parameters=[parameter("workspace", "query", {"type": "string"}, "Only of this workspace; else of all.")],
                errors=(400,),
            ),
        },
        "/_fake/events": {"get": _listing("events", "EventItem", "List events, oldest first")},
        "/_fake/requests": {"get": _listing("requests", "RequestItem", "List requests, also those that were refused")},
        "/_fake/batches/{id}": {"get": _one("batch", "BatchItem", r"^[0-9]{1,18}\.[0-9]{1,18}$", "17.0")},
        "/_fake/requests/{id}": {"get": _one("request", "RequestItem", "^[0-9]{1,18}$", "17")},
        "/_fake/wait": {"get": _wait()},
        "/_fake/stream": {"get": _stream()},
        "/_fake/stats": {
            "get": inspecting(
                "Records",
                "getStats",
                "Count what is kept",
                200,
                {"$ref": f"{REF}Stats"},
                parameters=filters("requests"),
                errors=(400,),
            )
        },
        "/_fake/import": {"post": _import()},
    }


def _listing(kind: query.Kind, item: str, summary: str) -> Json:
    from .inspect import MOST_ITEMS

    page = {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": {"$ref": REF + item}, "maxItems": MOST_ITEMS},
            "next": {"type": ["string", "null"], "description": "To be sent as `after` for what follows; null on the last page."},
            "hint": HINT,
        },
        "required": ["items", "next"],
    }
    limit = {"type": "integer", "minimum": 1, "maximum": MOST_ITEMS, "default": 100}
    operation = inspecting(
        "Records",
        f"list{kind.capitalize()}",
        summary,
        200,
        page,
        parameters=[*filters(kind), AFTER, parameter("limit", "query", limit, "How many items a page has at most.")],
        errors=(400,),
    )
    operation["description"] = f"With `Accept: {NDJSON}` all items come as a stream, one a line; `limit` has no maximum then."
    lines = {"type": "string", "description": f"A JSON document a line, each a {item}."}
    answer = operation["responses"]["200"]
    answer["content"][NDJSON] = {"schema": lines}
    answer["headers"] = {"X-Fake-Hint": {"description": "Of NDJSON: what a page has as `hint`.", "schema": {"type": "string"}}}
    return operation


def _one(noun: str, item: str, pattern: str, example: str) -> Json:
    id = parameter("id", "path", {"type": "string", "pattern": pattern, "examples": [example]}, "The id, as it is listed.")
    return inspecting(
        "Records", f"get{noun.capitalize()}", f"Show one {noun}", 200, {"$ref": REF + item}, parameters=[id], errors=(400, 404)
    )


def _wait() -> Json:
    from .inspect_question import MOST_SECONDS

    waited = {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": {"anyOf": [{"$ref": f"{REF}EventItem"}, {"$ref": f"{REF}BatchItem"}]}},
            "count": {"type": "integer", "minimum": 0},
            "wanted": {"type": "integer", "minimum": 1},
            "hint": HINT,
        },
        "required": ["items", "count", "wanted"],
    }
    missed = {
        "allOf": [{"$ref": f"{REF}Error"}, waited],
        "properties": {"nearest": {"type": "array", "items": {"$ref": f"{REF}NearMiss"}}},
        "required": ["nearest"],
    }
    operation = inspecting(
        "Records",
        "wait",
        "Wait until enough items match",
        200,
        waited,
        parameters=[
            parameter(
                "of",
                "query",
                {"type": "string", "enum": ["events", "batches"], "default": "events"},
                "What is counted and returned.",
            ),
            parameter(
                "count", "query", {"type": "integer", "minimum": 1, "maximum": 100_000, "default": 1}, "How many must match."
            ),
            parameter(
                "timeout",
                "query",
                {"type": "number", "minimum": 0, "maximum": MOST_SECONDS, "default": 10},
                "Seconds until it is given up.",
            ),
            AFTER,
            *filters("events"),
        ],
        errors=(400,),
    )
    operation["responses"]["408"] = json_response("Too few matched in time; `nearest` shows what came closest.", missed)
    operation["responses"].update(refusals(503))
    return operation


def _stream() -> Json:
    operation = inspecting(
        "Records",
        "stream",
        "Follow batches as server-sent events",
        200,
        {},
        parameters=[
            *filters("batches"),
            AFTER,
            parameter("Last-Event-ID", "header", CURSOR, "Where to go on; counts for more than `after`. Without either: now."),
        ],
        errors=(400,),
    )
    operation["description"] = (
        "It never ends. A message has the id of a batch and a BatchItem as its data; unless a filter asks for batches, an event "
        "`request` has a RequestItem that carried none. An event `forgotten` tells of a gap."
    )
    operation["responses"]["200"]["content"] = {"text/event-stream": {"schema": {"type": "string"}}}
    return operation


def _import() -> Json:
    operation = inspecting(
        "Records",
        "importBatches",
        "Import batches as exported",
        200,
        {
            "type": "object",
            "properties": {"imported": {"type": "integer", "minimum": 0}},
            "required": ["imported"],
        },
        errors=(400, 413),
    )
    operation["description"] = f"The body is what GET /_fake/batches gives with `Accept: {NDJSON}`: a JSON document a line."
    operation["requestBody"] = {"required": True, "content": {NDJSON: {"schema": {"$ref": f"{REF}Imported"}}}}
    return operation


# -- workspaces and the server ---------------------------------------------------------------------------------------------


def _workspaces() -> Json:
    named = {"allOf": [{"$ref": f"{REF}WorkspaceBody"}], "properties": {"name": NEW_WORKSPACE_NAME}, "required": ["name"]}
    name = parameter("name", "path", WORKSPACE_NAME, "The name of the workspace.")
    new = parameter("name", "path", NEW_WORKSPACE_NAME, "The name of the workspace.")
    item = {"$ref": f"{REF}Workspace"}
    items = {"type": "object", "properties": {"items": {"type": "array", "items": item}}, "required": ["items"]}
    return {
        "/_fake/workspaces": {
            "get": inspecting("Workspaces", "listWorkspaces", "List workspaces", 200, items, errors=(400,)),
            "post": {
                **inspecting("Workspaces", "makeWorkspace", "Make a workspace", 201, item, errors=(400, 413)),
                "requestBody": {"required": True, "content": {"application/json": {"schema": named}}},
            },
        },
        "/_fake/workspaces/{name}": {
            "put": {
                **inspecting(
                    "Workspaces",
                    "changeWorkspace",
                    "Change a workspace's mode and add inputs, or make it",
                    200,
                    item,
                    parameters=[new],
                    errors=(400, 413),
                ),
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": f"{REF}WorkspaceBody"}}},
                },
            },
            "delete": inspecting(
                "Workspaces",
                "removeWorkspace",
                "Remove a workspace and forget what it recorded",
                200,
                {"$ref": f"{REF}Forgotten"},
                parameters=[name],
                errors=(400, 404),
            ),
        },
        "/_fake/workspaces/{name}/inputs/{key}": {
            "delete": inspecting(
                "Workspaces",
                "removeInput",
                "Take an input away from a workspace, which keeps what it recorded",
                200,
                item,
                parameters=[name, parameter("key", "path", {"type": "string", "minLength": 1}, "The API key of the input.")],
                errors=(400, 404),
            ),
        },
    }


def _faults() -> Json:
    faults = {"$ref": f"{REF}Faults"}
    of = parameter("workspace", "query", {"type": "string", "default": "default"}, "The workspace whose requests meet them.")
    put = inspecting(
        "Workspaces", "setFaults", "Set what the next requests meet", 200, faults, parameters=[of], errors=(400, 404, 413)
    )
    put["description"] = (
        "They take the place of those there are. A request of an authenticated input meets the first one that is left; where "
        "that has a status, the request is recorded with it and with a finding `fault_injected`, and its batches are `rejected`. "
        "A fault needs a status, a delay, or both; `retry_after` and `body` go with a status."
    )
    put["requestBody"] = {"required": True, "content": {"application/json": {"schema": faults}}}
    return {
        "/_fake/faults": {
            "get": inspecting(
                "Workspaces", "listFaults", "List what the next requests meet", 200, faults, parameters=[of], errors=(400, 404)
            ),
            "put": put,
            "delete": inspecting(
                "Workspaces",
                "removeFaults",
                "Remove all faults, and say which were left",
                200,
                faults,
                parameters=[of],
                errors=(400, 404),
            ),
        }
    }


def _server() -> Json:
    health = {
        "type": "object",
        "properties": {
            "status": {"const": "ready"},
            "version": {"type": "string"},
            "instance": {"type": "string", "description": "Another one after each start: what was asked before may be gone."},
        },
        "required": ["status", "version", "instance"],
    }
    return {
        "/_fake": {
            "get": {
                "tags": ["Server"],
                "operationId": "getStartPage",
                "summary": "Show what this is, as GET / does to a browser",
                "security": [],
                "responses": {
                    "200": {
                        "description": "A page that is always the same.",
                        "content": {"text/html": {"schema": {"type": "string"}}},
                    }
                },
            }
        },
        "/_fake/health": {
            "get": {
                "tags": ["Server"],
                "operationId": "getHealth",
                "summary": "Tell whether uploads are answered",
                "security": [],
                "responses": {"200": json_response("They are.", health)},
            }
        },
        "/_fake/snippet/{client}": {"get": _snippet()},
        "/_fake/openapi.json": {
            "get": inspecting(
                "Server",
                "getOpenApi",
                "Describe what is served",
                200,
                {"type": "object", "required": ["openapi"]},
                errors=(400,),
            )
        },
    }


def _snippet() -> Json:
    client = parameter("client", "path", {"type": "string", "enum": [*CLIENTS]}, "Which SDK.")
    key = parameter("key", "query", {"type": "string"}, "The API key; by default the first that is known here.")
    operation = inspecting(
        "Server", "getSnippet", "Get an SDK's configuration for this server", 200, {}, parameters=[client, key], errors=(400, 404)
    )
    operation["responses"]["200"]["content"] = {"text/plain": {"schema": {"type": "string"}}}
    return operation
