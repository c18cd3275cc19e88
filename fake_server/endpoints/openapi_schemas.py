"""The schemas and errors that the OpenAPI document refers to; those of what is listed are made from the structs themselves."""

from inspect import cleandoc
from typing import Final

import msgspec

from ..checks.finding import CODES, Finding
from ..dialects.java import ENUMS
from ..dialects.standard import IDENTITY_TYPES
from ..faults import MOST_FAULTS, Fault
from ..items import BatchItem, EventItem, RequestItem
from ..waiting import NearMiss
from .answers import CODES as ERROR_CODES
from .openapi_parts import HINT, MEANINGS, REF, Json, json_response


def responses() -> Json:
    """The error answers, by the code of their body."""
    return {ERROR_CODES[status]: json_response(meaning, {"$ref": f"{REF}Error"}) for status, meaning in MEANINGS.items()}


def schemas() -> Json:
    """All schemas by name."""
    from .inspect_import import Imported
    from .inspect_workspaces import WorkspaceBody
    from .profiles import ProfileItem

    items = [BatchItem, EventItem, RequestItem, NearMiss, ProfileItem]
    types = [*items, Finding, Fault, Imported, WorkspaceBody]
    _, components = msgspec.json.schema_components(types, ref_template=REF + "{name}")
    for schema in components.values():
        if "description" in schema:
            schema["description"] = cleandoc(schema["description"])
    # Some are private to the module that reads them; here they have a name.
    named = msgspec.json.encode({name.lstrip("_"): schema for name, schema in components.items()})
    made = msgspec.json.decode(named.replace(f"{REF}_".encode(), REF.encode()))
    # For those who have no docs/findings.md: it is not installed. No enum: an import takes findings of other versions.
    made["Finding"]["properties"]["code"]["description"] = "\n".join(f"* `{code}`: {CODES[code].explanation}" for code in CODES)
    return {**made, **_WRITTEN}


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
            "events": {"type": "array", "items": {"$ref": f"{REF}Event"}},
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
    "NativeBatch": {
        "type": "object",
        "description": "A batch as the native SDKs write it: abbreviated keys, messages instead of events.",
        "properties": {"dt": {"const": "h"}, "id": {"type": "string"}, "msgs": {"type": "array", "items": {"type": "object"}}},
        "examples": [{"dt": "h", "id": "b1", "dbg": True, "msgs": [{"dt": "e", "id": "m1", "n": "Play", "et": "Other"}]}],
    },
    "Alias": {
        "type": "object",
        "properties": {
            "request_id": {"type": "string"},
            "request_type": {"const": "alias"},
            "environment": {"enum": [*ENUMS["environment"]]},
            "api_key": {"type": "string"},
            "data": {
                "type": "object",
                "properties": {
                    "source_mpid": {"type": ["string", "integer"]},
                    "destination_mpid": {"type": ["string", "integer"]},
                    "start_unixtime_ms": {"type": "integer"},
                    "end_unixtime_ms": {"type": "integer"},
                    "device_application_stamp": {"type": "string"},
                },
                "required": ["source_mpid", "destination_mpid"],
            },
        },
        "required": ["request_type", "environment", "data"],
    },
    "AliasError": {
        "type": "object",
        "description": "The error body of an alias request.",
        "properties": {"message": {"type": "string"}, "code": {"type": "string"}},
        "required": ["message", "code"],
    },
    "Faults": {
        "type": "object",
        "properties": {"items": {"type": "array", "items": {"$ref": f"{REF}Fault"}, "maxItems": MOST_FAULTS}},
        "required": ["items"],
        "additionalProperties": False,
        "examples": [{"items": [{"status": 429, "retry_after": 1, "times": 1}]}],
    },
    "Forgotten": {
        "type": "object",
        "properties": {
            "forgotten": {"type": "integer", "minimum": 0, "description": "How many batches."},
            "hint": HINT,
        },
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
            "hint": HINT,
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
            "config": {"type": "object", "description": "What the web SDK is told, over the defaults."},
            "native_config": {"type": "object", "description": "What the native SDKs are told, over the defaults."},
            "inputs": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"key": {"type": "string"}, "any_secret": {"type": "boolean"}},
                    "required": ["key", "any_secret"],
                },
            },
        },
        "required": ["name", "mode", "inputs", "ignore", "error", "config", "native_config"],
    },
}
