"""The Identity API and the profiles in the OpenAPI document."""

from typing import Final

from ..idsync.identity_types import BY_NAME, BY_WIRE
from .openapi_parts import CURSOR, HINT, MPID, REF, Json, inspecting, json_response, parameter, refusals
from .openapi_uploads import preflight, twins
from .profiles import MOST_ITEMS

TAG: Final = {"name": "Identity API", "description": "Who a user is; for pages of any origin, apps and servers."}

SECURITY_SCHEMES: Final = {
    "key": {"type": "apiKey", "in": "header", "name": "x-mp-key", "description": "The API key alone, as the web SDK sends it."},
}

_SECURITY: Final[list[Json]] = [{"key": []}, {"key": [], "signature": []}, {"input": []}]

_IDENTITIES: Final[Json] = {"type": "object", "properties": {name: {"type": ["string", "null"]} for name in BY_WIRE}}
_BASE: Final[Json] = {
    "client_sdk": {"type": "object"},
    "context": {"type": ["string", "null"]},
    "environment": {"enum": ["production", "development"]},
    "request_id": {"type": "string"},
    "request_timestamp_ms": {"type": "integer"},
}

SCHEMAS: Final[Json] = {
    "IdentityRequest": {
        "type": "object",
        "properties": {**_BASE, "previous_mpid": {"type": ["string", "integer", "null"]}, "known_identities": _IDENTITIES},
        "required": ["environment", "known_identities"],
        "examples": [{"environment": "development", "known_identities": {"customerid": "c1"}}],
    },
    "IdentityChanges": {
        "type": "object",
        "properties": {
            **_BASE,
            "identity_changes": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "identity_type": {"enum": [*BY_WIRE]},
                        "old_value": {"type": ["string", "null"]},
                        "new_value": {"type": ["string", "null"]},
                    },
                    "required": ["identity_type", "old_value", "new_value"],
                },
            },
        },
        "required": ["environment", "identity_changes"],
    },
    "Identified": {
        "type": "object",
        "properties": {
            "mpid": {"type": "string", "description": "The digits of a signed 64-bit integer."},
            "context": {"type": "string"},
            "matched_identities": {"type": "object", "additionalProperties": {"type": "string"}},
            "is_ephemeral": {"type": "boolean"},
            "is_logged_in": {"type": "boolean"},
        },
        "required": ["mpid", "context", "matched_identities", "is_ephemeral", "is_logged_in"],
    },
    "Changed": {
        "type": "object",
        "properties": {
            "change_results": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"identity_type": {"type": "string"}, "modified_mpid": {"type": "string"}},
                    "required": ["identity_type", "modified_mpid"],
                },
            }
        },
        "required": ["change_results"],
    },
    "IdentityError": {
        "type": "object",
        "description": "mParticle's error body, and its twin in capitals, which the web SDK reads.",
        "properties": {"errors": {"$ref": f"{REF}IdentityErrors"}, "Errors": {"$ref": f"{REF}IdentityErrors"}},
        "required": ["errors"],
    },
    "IdentityErrors": {
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
            "required": ["code", "message"],
        },
    },
}

_ACTIONS: Final = {
    "identify": ("identify", "Find a user by identities, or make one"),
    "login": ("login", "Pass to a known user"),
    "logout": ("logout", "Pass to an anonymous user"),
    "search": ("searchUser", "Find a user by identities, and make none"),
    "{mpid}/modify": ("modify", "Change the identities of a user"),
}


def identity() -> Json:
    """The paths of the Identity API."""
    paths: Json = {}
    for action, (name, summary) in _ACTIONS.items():
        paths |= twins(("", "/identity"), f"/v1/{action}", _operations(name, summary, modifies="modify" in action))
    return paths


def _operations(name: str, summary: str, *, modifies: bool) -> Json:
    error = {"$ref": f"{REF}IdentityError"}
    parameters = [parameter("mpid", "path", MPID, "The user.")] if modifies else []
    answers = {
        "200": json_response("The user.", {"$ref": f"{REF}{'Changed' if modifies else 'Identified'}"}),
        "400": json_response("The request cannot be understood, or breaks the contract.", error),
        "401": json_response("Credentials are missing or wrong.", error),
        "404": json_response("There is no such user, or no such path.", error),
        "413": json_response("The body is larger than the server takes.", error),
        **refusals(503),
    }
    if not modifies:
        age = {"description": "Seconds for which a client may keep the answer.", "schema": {"type": "integer"}}
        answers["200"] = {**answers["200"], "headers": {"X-MP-Max-Age": age}}
    body = {"$ref": f"{REF}{'IdentityChanges' if modifies else 'IdentityRequest'}"}
    operation = {
        "tags": [TAG["name"]],
        "operationId": name,
        "summary": summary,
        "security": _SECURITY,
        "parameters": parameters,
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": answers,
    }
    return {"post": operation, "options": preflight(TAG["name"], name, parameters)}


def profiles() -> Json:
    """The paths of the profiles in the inspect API."""
    workspace = parameter("workspace", "query", {"type": "string"}, "Only of this workspace.")
    kinds = "|".join((*BY_NAME, *BY_WIRE))
    page = {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": {"$ref": f"{REF}ProfileItem"}, "maxItems": MOST_ITEMS},
            "next": {"type": ["string", "null"]},
            "hint": HINT,
        },
        "required": ["items", "next"],
    }
    limit = {"type": "integer", "minimum": 1, "maximum": MOST_ITEMS, "default": 100}
    return {
        "/_fake/profiles": {
            "get": inspecting(
                "Records",
                "listProfiles",
                "List users, in the order in which they were first seen",
                200,
                page,
                parameters=[
                    workspace,
                    parameter("mpid", "query", MPID, "Only this user."),
                    parameter(
                        "identity",
                        "query",
                        {"type": "string", "pattern": f"^({kinds}):", "examples": ["customer_id:c1"]},
                        "TYPE:VALUE: only who has this identity.",
                    ),
                    parameter("limit", "query", limit, "How many items a page has at most."),
                    parameter("after", "query", {**CURSOR, "pattern": "^[0-9]{1,18}$"}, "Only what comes after this id."),
                ],
                errors=(400,),
            )
        },
        "/_fake/profiles/{mpid}": {
            "get": inspecting(
                "Records",
                "getProfile",
                "Show one user",
                200,
                {"$ref": f"{REF}ProfileItem"},
                parameters=[parameter("mpid", "path", MPID, "The user."), workspace],
                errors=(400, 404),
            )
        },
    }
