"""The OpenAPI document of all that is served, for `/_fake/openapi.json`: one entry for every row of the endpoint tables.

Filters, schemas of answers, enumerations and limits are read from the code that applies them, so that they cannot drift.
"""

from collections.abc import Iterable
from functools import cache
from inspect import cleandoc
from typing import Any, Final

import msgspec

from mparticle_sdk import limits

from .. import query
from ..checks.finding import CODES as FINDING_CODES
from ..checks.finding import SEVERITIES, Finding
from ..dialects.java import ENUMS
from ..dialects.standard import IDENTITY_TYPES
from ..faults import MOST_FAULTS, Fault
from ..version import __version__
from .answers import CODES as ERROR_CODES
from .events_api import FORMS

Json = dict[str, Any]

NDJSON: Final = "application/x-ndjson"
_REF: Final = "#/components/schemas/"


@cache
def document() -> Json:
    """An OpenAPI 3.1 document. It is made once; do not change it."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Fake mParticle",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "summary": "mParticle's Events API for tests, and below /_fake what it received.",
            "description": (
                "The Events API answers as mParticle documents it. What production would not tell (dropped duplicates, lost "
                "parts) is recorded as findings, which the inspect API shows."
            ),
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": "Events API", "description": "mParticle's own endpoints: uploads of batches."},
            {"name": "Records", "description": "What was received, and what was found out about it."},
            {"name": "Workspaces", "description": "Inputs (key and secret) and how they are answered."},
            {"name": "Server", "description": "The fake itself."},
        ],
        "paths": {**_uploads(), **_records(), **_workspaces(), **_faults(), **_server()},
        "components": {
            "schemas": _schemas(),
            "responses": _responses(),
            "securitySchemes": {
                "input": {"type": "http", "scheme": "basic", "description": "Key and secret of an mParticle input."},
                "token": {"type": "http", "scheme": "bearer", "description": "The token that the server printed at start."},
                "tokenInQuery": {"type": "apiKey", "in": "query", "name": "token", "description": "The same token."},
            },
        },
    }


# -- mParticle's endpoints ---------------------------------------------------------------------------------------------------

_UPLOADS: Final = {
    # Path -> operationId and summary.
    "/v2/events": ("uploadEvents", "Upload one batch"),
    "/v2/bulkevents": ("uploadBulkEvents", f"Upload up to {limits.BATCHES_PER_REQUEST} batches"),
    "/v2/bulkevents/historical": ("uploadHistoricalEvents", "Upload batches with events that are at least 72 hours old"),
}


def _uploads() -> Json:
    return {f"{prefix}{path}": {"post": _upload(path, prefix)} for path in FORMS for prefix in ("", "/s2s")}


def _upload(path: str, prefix: str) -> Json:
    name, summary = _UPLOADS[path]
    schema: Json = {"$ref": f"{_REF}Batch"}
    if FORMS[path].bulk:
        schema = {"type": "array", "items": schema, "maxItems": limits.BATCHES_PER_REQUEST}
    accepted = {
        "description": "The batches were received. That says nothing about their content: see their findings.",
        "headers": {
            "X-mp-rate-limit-percentage-used": {
                "description": f"How much of the {limits.BATCHES_PER_SECOND} batches a second is used.",
                "schema": {"type": "integer", "minimum": 0, "maximum": 100},
            }
        },
    }
    return {
        "tags": ["Events API"],
        "operationId": name + ("OfPartner" if prefix else ""),
        "summary": summary + (", on the path that partner feeds use" if prefix else ""),
        "security": [{"input": []}],
        "parameters": [
            _parameter(
                "Content-Encoding",
                "header",
                {"type": "string", "enum": ["identity", "gzip", "deflate"]},
                "How the body is compressed.",
            )
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {"202": accepted, **_errors(400, 401, 403, 413, 503)},
    }


# -- records ---------------------------------------------------------------------------------------------------------------


def _records() -> Json:
    return {
        "/_fake/batches": {
            "get": _listing("batches", "BatchItem", "List batches, oldest first"),
            "delete": _inspect(
                "Records",
                "forgetBatches",
                "Forget what was recorded",
                200,
                {"$ref": f"{_REF}Forgotten"},
                parameters=[_parameter("workspace", "query", {"type": "string"}, "Only of this workspace; else of all.")],
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
            "get": _inspect(
                "Records",
                "getStats",
                "Count what is kept",
                200,
                {"$ref": f"{_REF}Stats"},
                parameters=_filters("requests"),
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
            "items": {"type": "array", "items": {"$ref": _REF + item}, "maxItems": MOST_ITEMS},
            "next": {"type": ["string", "null"], "description": "To be sent as `after` for what follows; null on the last page."},
        },
        "required": ["items", "next"],
    }
    limit = {"type": "integer", "minimum": 1, "maximum": MOST_ITEMS, "default": 100}
    operation = _inspect(
        "Records",
        f"list{kind.capitalize()}",
        summary,
        200,
        page,
        parameters=[*_filters(kind), _AFTER, _parameter("limit", "query", limit, "How many items a page has at most.")],
        errors=(400,),
    )
    operation["description"] = f"With `Accept: {NDJSON}` all items come as a stream, one a line; `limit` has no maximum then."
    lines = {"type": "string", "description": f"A JSON document a line, each a {item}."}
    operation["responses"]["200"]["content"][NDJSON] = {"schema": lines}
    return operation


def _one(noun: str, item: str, pattern: str, example: str) -> Json:
    id = _parameter("id", "path", {"type": "string", "pattern": pattern, "examples": [example]}, "The id, as it is listed.")
    return _inspect(
        "Records", f"get{noun.capitalize()}", f"Show one {noun}", 200, {"$ref": _REF + item}, parameters=[id], errors=(400, 404)
    )


def _wait() -> Json:
    from .inspect import MOST_SECONDS

    waited = {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": {"anyOf": [{"$ref": f"{_REF}EventItem"}, {"$ref": f"{_REF}BatchItem"}]}},
            "count": {"type": "integer", "minimum": 0},
            "wanted": {"type": "integer", "minimum": 1},
        },
        "required": ["items", "count", "wanted"],
    }
    missed = {
        "allOf": [{"$ref": f"{_REF}Error"}, waited],
        "properties": {"nearest": {"type": "array", "items": {"$ref": f"{_REF}NearMiss"}}},
        "required": ["nearest"],
    }
    operation = _inspect(
        "Records",
        "wait",
        "Wait until enough items match",
        200,
        waited,
        parameters=[
            _parameter(
                "of",
                "query",
                {"type": "string", "enum": ["events", "batches"], "default": "events"},
                "What is counted and returned.",
            ),
            _parameter(
                "count", "query", {"type": "integer", "minimum": 1, "maximum": 100_000, "default": 1}, "How many must match."
            ),
            _parameter(
                "timeout",
                "query",
                {"type": "number", "minimum": 0, "maximum": MOST_SECONDS, "default": 10},
                "Seconds until it is given up.",
            ),
            _AFTER,
            *_filters("events"),
        ],
        errors=(400,),
    )
    operation["responses"]["408"] = _json_response("Too few matched in time; `nearest` shows what came closest.", missed)
    operation["responses"].update(_errors(503))
    return operation


def _stream() -> Json:
    operation = _inspect(
        "Records",
        "stream",
        "Follow batches as server-sent events",
        200,
        {},
        parameters=[
            *_filters("batches"),
            _AFTER,
            _parameter("Last-Event-ID", "header", _CURSOR, "Where to go on; counts for more than `after`. Without either: now."),
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
    operation = _inspect(
        "Records",
        "importBatches",
        "Import batches as exported",
        200,
        {
            "type": "object",
            "properties": {"imported": {"type": "integer", "minimum": 0}},
            "required": ["imported"],
        },
        errors=(400,),
    )
    operation["description"] = f"The body is what GET /_fake/batches gives with `Accept: {NDJSON}`: a JSON document a line."
    operation["requestBody"] = {"required": True, "content": {NDJSON: {"schema": {"$ref": f"{_REF}Imported"}}}}
    return operation


# -- workspaces and the server ---------------------------------------------------------------------------------------------


def _workspaces() -> Json:
    named = {"allOf": [{"$ref": f"{_REF}WorkspaceBody"}], "properties": {"name": _WORKSPACE_NAME}, "required": ["name"]}
    name = _parameter("name", "path", _WORKSPACE_NAME, "The name of the workspace.")
    item = {"$ref": f"{_REF}Workspace"}
    items = {"type": "object", "properties": {"items": {"type": "array", "items": item}}, "required": ["items"]}
    return {
        "/_fake/workspaces": {
            "get": _inspect("Workspaces", "listWorkspaces", "List workspaces", 200, items),
            "post": {
                **_inspect("Workspaces", "makeWorkspace", "Make a workspace", 201, item, errors=(400,)),
                "requestBody": {"required": True, "content": {"application/json": {"schema": named}}},
            },
        },
        "/_fake/workspaces/{name}": {
            "put": {
                **_inspect(
                    "Workspaces",
                    "changeWorkspace",
                    "Change a workspace's mode and add inputs, or make it",
                    200,
                    item,
                    parameters=[name],
                    errors=(400,),
                ),
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": f"{_REF}WorkspaceBody"}}},
                },
            },
            "delete": _inspect(
                "Workspaces",
                "removeWorkspace",
                "Remove a workspace and forget what it recorded",
                200,
                {"$ref": f"{_REF}Forgotten"},
                parameters=[name],
                errors=(404,),
            ),
        },
        "/_fake/workspaces/{name}/inputs/{key}": {
            "delete": _inspect(
                "Workspaces",
                "removeInput",
                "Take an input away from a workspace, which keeps what it recorded",
                200,
                item,
                parameters=[name, _parameter("key", "path", {"type": "string", "minLength": 1}, "The API key of the input.")],
                errors=(404,),
            ),
        },
    }


def _faults() -> Json:
    faults = {"$ref": f"{_REF}Faults"}
    of = _parameter("workspace", "query", {"type": "string", "default": "default"}, "The workspace whose requests meet them.")
    put = _inspect(
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
            "get": _inspect(
                "Workspaces", "listFaults", "List what the next requests meet", 200, faults, parameters=[of], errors=(400, 404)
            ),
            "put": put,
            "delete": _inspect(
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
        "properties": {"status": {"const": "ready"}, "version": {"type": "string"}},
        "required": ["status", "version"],
    }
    return {
        "/_fake/health": {
            "get": {
                "tags": ["Server"],
                "operationId": "getHealth",
                "summary": "Tell whether uploads are answered",
                "security": [],
                "responses": {"200": _json_response("They are.", health)},
            }
        },
        "/_fake/openapi.json": {
            "get": _inspect("Server", "getOpenApi", "This document", 200, {"type": "object", "required": ["openapi"]})
        },
    }


# -- parts -----------------------------------------------------------------------------------------------------------------

_CURSOR: Final = {"type": "string", "pattern": r"^[0-9]{1,18}(\.[0-9]{1,18}){0,2}$", "examples": ["17.0"]}
_WORKSPACE_NAME: Final = {"type": "string", "minLength": 1, "maxLength": 200}

_FILTERS: Final[dict[str, tuple[Json, str]]] = {
    "workspace": ({"type": "string"}, "The name of the workspace."),
    "key": ({"type": "string"}, "The API key of the input."),
    "source": ({"type": "string"}, "The family of endpoints, for example events_api."),
    "status": ({"type": "integer", "minimum": 100, "maximum": 599}, "The HTTP status of the answer."),
    "method": ({"type": "string"}, "The HTTP method."),
    "path": ({"type": "string"}, "The path of the request."),
    "verdict": (
        {"type": "array", "items": {"enum": ["accepted", "altered", "dropped", "rejected"]}, "minItems": 1},
        "One verdict, or several with commas.",
    ),
    "severity": (
        {"type": "array", "items": {"enum": [*SEVERITIES]}, "minItems": 1},
        "The severity of the worst finding; several with commas.",
    ),
    "code": ({"type": "string", "examples": sorted(FINDING_CODES)}, "The code of a finding."),
    "identity": (
        {"type": "string", "pattern": f"^({'|'.join((*IDENTITY_TYPES, 'mpid'))}):", "examples": ["customer_id:c1"]},
        "TYPE:VALUE of a user identity.",
    ),
    "event_type": ({"type": "string", "examples": ["custom_event"]}, "The type of the event."),
    "event_name": ({"type": "string"}, "The event's or the screen's name, or the product or promotion action."),
}


def _filters(kind: query.Kind) -> list[Json]:
    """The filters of `query.FIELDS`; those on the members of an event's data have names of their own."""
    filters = [_parameter(name, "query", *_FILTERS[name]) for name in query.FIELDS[kind]]
    for parameter in filters:
        if parameter["schema"]["type"] == "array":
            parameter |= {"style": "form", "explode": False}
    if kind == "requests":
        return filters
    members = {"type": "object", "propertyNames": {"pattern": r"^data\..+"}, "additionalProperties": {"type": "string"}}
    data = _parameter(
        "data", "query", members, "`data.PATH=value`: a member of the event's data, by its names and indexes with dots between."
    )
    return [*filters, data | {"style": "form", "explode": True}]


def _parameter(name: str, place: str, schema: Json, description: str) -> Json:
    return {"name": name, "in": place, "required": place == "path", "description": description, "schema": schema}


_AFTER: Final = _parameter("after", "query", _CURSOR, "Only what came after the item with this id.")


def _inspect(
    tag: str,
    name: str,
    summary: str,
    status: int,
    schema: Json,
    *,
    parameters: Iterable[Json] = (),
    errors: Iterable[int] = (),
) -> Json:
    """An operation of the inspect API: guarded, and over a store that may fail."""
    return {
        "tags": [tag],
        "operationId": name,
        "summary": summary,
        "security": [{}, {"token": []}, {"tokenInQuery": []}],
        "parameters": list(parameters),
        "responses": {str(status): _json_response("As asked for.", schema), **_errors(*errors, 401, 403, 503)},
    }


def _json_response(description: str, schema: Json) -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


_MEANINGS: Final = {
    400: "The request cannot be understood, or breaks the contract; the messages say where.",
    401: "Credentials are missing or unreadable.",
    403: "Credentials are wrong, or a page of another origin asks.",
    404: "There is none.",
    413: "The body is larger than the server takes.",
    503: "The store failed, or the server is stopped; nothing was kept.",
}


def _errors(*statuses: int) -> Json:
    return {str(status): {"$ref": f"#/components/responses/{ERROR_CODES[status]}"} for status in sorted(statuses)}


def _responses() -> Json:
    return {ERROR_CODES[status]: _json_response(meaning, {"$ref": f"{_REF}Error"}) for status, meaning in _MEANINGS.items()}


def _schemas() -> Json:
    from .inspect import _Imported, _WorkspaceBody

    types = [query.BatchItem, query.EventItem, query.RequestItem, query.NearMiss, Finding, Fault, _Imported, _WorkspaceBody]
    _, components = msgspec.json.schema_components(types, ref_template=_REF + "{name}")
    for schema in components.values():
        if "description" in schema:
            schema["description"] = cleandoc(schema["description"])
    # Some are private to the module that reads them; here they have a name.
    named = msgspec.json.encode({name.lstrip("_"): schema for name, schema in components.items()})
    return {**msgspec.json.decode(named.replace(f"{_REF}_".encode(), _REF.encode())), **_WRITTEN}


_COUNT: Final = {"type": "integer", "minimum": 0}
_COUNTS: Final = {"type": "object", "additionalProperties": _COUNT}
_WRITTEN: Final[Json] = {
    "Error": {
        "type": "object",
        "description": "mParticle's error body.",
        "properties": {
            "errors": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "properties": {"code": {"enum": sorted(ERROR_CODES.values())}, "message": {"type": "string"}},
                    "required": ["code", "message"],
                },
            }
        },
        "required": ["errors"],
    },
    "Batch": {
        "type": "object",
        "description": "A batch of the Events API; it has more members than these.",
        "properties": {
            "environment": {"enum": [*ENUMS["environment"]]},
            "mpid": {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
            "user_identities": {
                "type": "object",
                "properties": {identity: {"type": ["string", "null"]} for identity in IDENTITY_TYPES},
            },
            "source_request_id": {"type": "string", "description": "A second batch with the same one is dropped."},
            "events": {"type": "array", "items": {"$ref": f"{_REF}Event"}},
        },
        "examples": [
            {
                "environment": "development",
                "user_identities": {"customer_id": "c1"},
                "events": [{"event_type": "custom_event", "data": {"event_name": "Play", "custom_event_type": "media"}}],
            }
        ],
    },
    "Event": {
        "type": "object",
        "properties": {"event_type": {"enum": [*ENUMS["events.*.event_type"]]}, "data": {"type": "object"}},
        "required": ["event_type"],
    },
    "Faults": {
        "type": "object",
        "properties": {"items": {"type": "array", "items": {"$ref": f"{_REF}Fault"}, "maxItems": MOST_FAULTS}},
        "required": ["items"],
        "additionalProperties": False,
        "examples": [{"items": [{"status": 429, "retry_after": 1, "times": 1}]}],
    },
    "Forgotten": {
        "type": "object",
        "properties": {"forgotten": {"type": "integer", "minimum": 0, "description": "How many batches."}},
        "required": ["forgotten"],
    },
    "Stats": {
        "type": "object",
        "properties": {
            "requests": _COUNT,
            "batches": _COUNT,
            "events": _COUNT,
            "requests_by_status": _COUNTS,
            "batches_by_verdict": _COUNTS,
            "batches_by_workspace": _COUNTS,
            "events_by_type": _COUNTS,
            "findings_by_code": _COUNTS,
            "keep": {**_COUNT, "description": "How many batches are kept at least."},
            "forgotten": {**_COUNT, "description": "How many were forgotten because of that."},
        },
        "required": ["requests", "batches", "events", "keep", "forgotten"],
        "additionalProperties": False,
    },
    "Workspace": {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "mode": {"enum": ["faithful", "strict", "lenient"]},
            "ignore": {"type": "array", "items": {"type": "string"}, "description": "Codes of findings that are left out."},
            "error": {"type": "array", "items": {"type": "string"}, "description": "Codes of findings that are errors here."},
            "inputs": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"key": {"type": "string"}, "any_secret": {"type": "boolean"}},
                    "required": ["key", "any_secret"],
                },
            },
        },
        "required": ["name", "mode", "inputs", "ignore", "error"],
    },
}
