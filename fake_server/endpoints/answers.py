"""The answers that more than one family of endpoints gives: JSON, and mParticle's error body."""

from typing import Any

import msgspec

from ..checks.finding import Finding
from ..intake import Answer
from ..redaction import Headers

CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    408: "REQUEST_TIMEOUT",
    413: "PAYLOAD_TOO_LARGE",
    431: "REQUEST_HEADER_FIELDS_TOO_LARGE",
    500: "INTERNAL_SERVER_ERROR",
    503: "SERVICE_UNAVAILABLE",
}
"""The `code` of an error body by status; mParticle publishes BAD_REQUEST alone (`events-api.md §4`)."""


def json_answer(status: int, value: Any, headers: Headers | None = None) -> Answer:
    """A JSON document."""
    body = msgspec.json.encode(value)
    return Answer(
        status,
        [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *(headers or [])],
        body,
    )


def error_answer(status: int, *messages: str, headers: Headers | None = None) -> Answer:
    """mParticle's error body: `{"errors": [{"code": …, "message": …}]}`."""
    return json_answer(status, {"errors": [{"code": CODES[status], "message": message} for message in messages]}, headers)


def tell(finding: Finding) -> str:
    """A finding in one line: where, what, and the hint."""
    place = f"batch {finding.index}: " if finding.index is not None else ""
    return f"{place}{finding.message}" + (f" {finding.hint}" if finding.hint else "")
