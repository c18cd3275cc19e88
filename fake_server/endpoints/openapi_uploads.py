"""mParticle's own endpoints in the OpenAPI document: the Events API, and what the client SDKs call."""

from collections.abc import Iterable
from typing import Final

from mparticle_sdk import limits

from .events_api import FORMS
from .openapi_parts import MEANINGS, MPID, REF, Json, json_response, parameter, refusals
from .web_sdk import STRICT_REFUSAL

TAGS: Final = (
    {"name": "Events API", "description": "For servers: uploads of batches."},
    {"name": "Web SDK", "description": "What the web SDK calls; a page of any origin may. Each path has a twin below a CNAME."},
    {"name": "Native SDKs", "description": "What the Android and Apple SDKs call. Each path has a twin below a custom base URL."},
)

SECURITY_SCHEMES: Final = {
    "input": {"type": "http", "scheme": "basic", "description": "Key and secret of an mParticle input."},
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "x-mp-signature",
        "description": "HMAC-SHA256 of method, Date, path and body, with the secret of the key in the path.",
    },
}

_UPLOADS: Final = {
    # Path -> operationId and summary.
    "/v2/events": ("uploadEvents", "Upload one batch"),
    "/v2/bulkevents": ("uploadBulkEvents", f"Upload up to {limits.BATCHES_PER_REQUEST} batches"),
    "/v2/bulkevents/historical": ("uploadHistoricalEvents", "Upload batches with events that are at least 72 hours old"),
}

_COMPRESSED: Final = parameter(
    "Content-Encoding", "header", {"type": "string", "enum": ["identity", "gzip", "deflate"]}, "How the body is compressed."
)


def uploads() -> Json:
    """The paths of the Events API."""
    return {f"{prefix}{path}": {"post": _upload(path, prefix)} for path in FORMS for prefix in ("", "/s2s")}


def _upload(path: str, prefix: str) -> Json:
    name, summary = _UPLOADS[path]
    schema: Json = {"$ref": f"{REF}Batch"}
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
        "parameters": [_COMPRESSED],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {"202": accepted, **refusals(400, 401, 403, 413, 503)},
    }


# -- what client SDKs call ---------------------------------------------------------------------------------------------------

_KEY: Final = parameter(
    "key", "path", {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,200}$", "examples": ["my-key"]}, "The API key of the input."
)
_MPID: Final = {**parameter("mpid", "query", MPID, "The user."), "required": True}
_ALIASED: Final = {
    "202": json_response("It was received.", {"type": "object"}),
    "400": json_response("The request names no two profiles, or a range of time that ends first.", {"$ref": f"{REF}AliasError"}),
    "413": json_response(MEANINGS[413], {"$ref": f"{REF}AliasError"}),
}
_TAKEN: Final = {"description": "It was recorded; nobody looks into it."}
_PUBLIC: Final[list[Json]] = [{}]
_SIGNED: Final[list[Json]] = [{"signature": []}]
_NATIVE: Final = "Native SDKs"
_WEB: Final = "Web SDK"


def clients() -> Json:
    """The paths that the web and native SDKs call."""
    config = json_response("The configuration of the workspace.", {"type": "object"})
    etag = {"ETag": {"description": "To be sent as If-None-Match.", "schema": {"type": "string"}}}
    dropped = json_response("In strict mode: the batch has faults, and the SDK drops it.", {"$ref": f"{REF}Error"})
    audiences = json_response("The audiences of the user: none.", {"type": "object", "required": ["audience_memberships"]})
    alias = {"required": True, "content": {"application/json": {"schema": {"$ref": f"{REF}Alias"}}}}
    plain = {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}}
    return {
        **twins(("", "/tags"), "/JS/v2/{key}/config", _web("get", "getWebConfig", "Get the configuration", {"200": config})),
        **twins(
            ("", "/webevents"),
            "/v3/JS/{key}/events",
            _web(
                "post",
                "uploadWebEvents",
                "Upload one batch",
                {
                    "202": {"description": "The batch was received, whatever is in it: see its findings."},
                    str(STRICT_REFUSAL): dropped,
                    **refusals(413),
                },
                requestBody={"required": True, "content": {"text/plain": {"schema": {"$ref": f"{REF}Batch"}}}},
            ),
        ),
        **twins(
            ("", "/webevents"),
            "/v1/JS/{key}/Forwarding",
            _web("post", "forwardOne", "Tell what a kit was given", {"202": _TAKEN}, requestBody=plain),
        ),
        **twins(
            ("", "/webevents"),
            "/v2/JS/{key}/Forwarding",
            _web("post", "forwardMany", "Tell what kits were given", {"202": _TAKEN}, requestBody=plain),
        ),
        **twins(
            ("", "/webevents"),
            "/v1/identity/{key}/Alias",
            _web(
                "post",
                "aliasOnWeb",
                "Move what an anonymous user did to a known one",
                {**_ALIASED, **refusals(401)},
                requestBody=alias,
            ),
        ),
        **twins(
            ("", "/nativeevents"),
            "/v1/{key}/audience",
            _web(
                "get",
                "getAudiences",
                "Get the audiences of a user",
                {"200": audiences, **refusals(400, 401)},
                [_MPID],
                security=[{}, *_SIGNED],
            ),
        ),
        **twins(
            ("", "/config"),
            "/v4/{key}/config",
            _native(
                "get",
                "getNativeConfig",
                "Get the configuration",
                {"200": {**config, "headers": etag}, "304": {"description": "It is the one that the SDK has.", "headers": etag}},
            ),
        ),
        **twins(
            ("", "/nativeevents"),
            "/v2/{key}/events",
            _native(
                "post",
                "uploadNativeEvents",
                "Upload one batch with abbreviated keys",
                {"202": json_response("The batch was received: see its findings.", {"type": "object"}), **refusals(400, 413)},
                [_COMPRESSED],
                requestBody={"required": True, "content": {"application/json": {"schema": {"$ref": f"{REF}NativeBatch"}}}},
            ),
        ),
        **twins(
            ("", "/nativeevents"),
            "/v1/identity/{key}/alias",
            _native(
                "post",
                "aliasOnDevice",
                "Move what an anonymous user did to a known one",
                _ALIASED,
                [_COMPRESSED],
                requestBody=alias,
            ),
        ),
    }


def _web(
    method: str,
    name: str,
    summary: str,
    answers: Json,
    parameters: Iterable[Json] = (),
    *,
    security: list[Json] = _PUBLIC,
    **more: Json,
) -> Json:
    """An operation that pages call, and the question that a browser may ask before."""
    operation = _operation(_WEB, name, summary, {**answers, **refusals(403, 404, 503)}, parameters, security, more)
    return {method: operation, "options": preflight(_WEB, name, [_KEY])}


def preflight(tag: str, name: str, parameters: list[Json]) -> Json:
    """What a browser asks before a page may call the operation of this name."""
    return {
        "tags": [tag],
        "operationId": f"{name}Preflight",
        "summary": "Tell a browser what a page may do here",
        "security": _PUBLIC,
        "parameters": parameters,
        "responses": {"204": {"description": "Any page may use these methods and headers."}, **refusals(404, 503)},
    }


def _native(method: str, name: str, summary: str, answers: Json, parameters: Iterable[Json] = (), **more: Json) -> Json:
    """An operation that an app calls, signed."""
    answers = {**answers, **refusals(401, 403, 404, 503)}
    return {method: _operation(_NATIVE, name, summary, answers, parameters, [{}, *_SIGNED], more)}


def _operation(
    tag: str, name: str, summary: str, answers: Json, parameters: Iterable[Json], security: list[Json], more: Json
) -> Json:
    return {
        "tags": [tag],
        "operationId": name,
        "summary": summary,
        "security": security,
        "parameters": [_KEY, *parameters],
        "responses": answers,
        **more,
    }


def twins(prefixes: tuple[str, str], path: str, operations: Json) -> Json:
    """The operations at a path and, with names of their own, below the prefix."""
    plain, prefix = prefixes
    below = {
        method: {**operation, "operationId": f"{operation['operationId']}Below{prefix[1:].capitalize()}"}
        for method, operation in operations.items()
    }
    return {plain + path: operations, prefix + path: below}
