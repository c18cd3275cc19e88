"""What the OpenAPI document is put together from: parameters, filters, answers. For `openapi.py` and its neighbours."""

from collections.abc import Iterable
from typing import Any, Final

from .. import query
from ..checks.finding import CODES as FINDING_CODES
from ..checks.finding import SEVERITIES
from ..dialects.standard import IDENTITY_TYPES
from .answers import CODES as ERROR_CODES

Json = dict[str, Any]

REF: Final = "#/components/schemas/"


CURSOR: Final = {"type": "string", "pattern": r"^[0-9]{1,18}(\.[0-9]{1,18}){0,2}$", "examples": ["17.0"]}
MPID: Final = {"type": "string", "pattern": "^-?[0-9]{1,18}$", "examples": ["5000000000000000001"]}
WORKSPACE_NAME: Final = {"type": "string", "minLength": 1, "maxLength": 200}
NEW_WORKSPACE_NAME: Final = WORKSPACE_NAME | {"pattern": "^[^/]+(/[^/]+)*$"}

HINT: Final = {
    "type": "string",
    "description": "There is no such workspace, and which was meant; or `after` is of another store, and this begins anew.",
}

_FILTERS: Final[dict[str, tuple[Json, str]]] = {
    "workspace": ({"type": "string"}, "The name of the workspace."),
    "key": ({"type": "string"}, "The API key of the input."),
    "source": ({"enum": [*query.SOURCES]}, "The family of endpoints."),
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


def filters(kind: query.Kind) -> list[Json]:
    """The filters of `query.FIELDS`; those on the members of an event's data have names of their own."""
    found = [parameter(name, "query", *_FILTERS[name]) for name in query.FIELDS[kind]]
    for filter in found:
        if filter["schema"].get("type") == "array":
            filter |= {"style": "form", "explode": False}
    if kind == "requests":
        return found
    members = {"type": "object", "propertyNames": {"pattern": r"^data\..+"}, "additionalProperties": {"type": "string"}}
    data = parameter(
        "data", "query", members, "`data.PATH=value`: a member of the event's data, by its names and indexes with dots between."
    )
    return [*found, data | {"style": "form", "explode": True}]


def parameter(name: str, place: str, schema: Json, description: str) -> Json:
    """A parameter; one in the path is required."""
    return {"name": name, "in": place, "required": place == "path", "description": description, "schema": schema}


AFTER: Final = parameter(
    "after",
    "query",
    CURSOR,
    "Only what came after the item with this id. Ids count within one store: after a restart with `--store memory` they begin "
    "anew, which another `instance` of /_fake/health tells. One beyond the newest stands for the beginning, and `hint` says so.",
)


def inspecting(
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
        "responses": {str(status): json_response("As asked for.", schema), **refusals(*errors, 401, 403, 503)},
    }


def json_response(description: str, schema: Json) -> Json:
    """An answer that is a JSON document."""
    return {"description": description, "content": {"application/json": {"schema": schema}}}


MEANINGS: Final = {
    400: "The request cannot be understood, or breaks the contract; the messages say where.",
    401: "Credentials are missing or unreadable.",
    403: "Credentials are wrong, or a page of another origin asks.",
    404: "There is none.",
    413: "The body is larger than the server takes.",
    503: "The store failed, or the server is stopped; nothing was kept.",
}


def refusals(*statuses: int) -> Json:
    """The answers with mParticle's error body."""
    return {str(status): {"$ref": f"#/components/responses/{ERROR_CODES[status]}"} for status in sorted(statuses)}
