"""The answers that more than one family of endpoints gives: JSON, and mParticle's error body."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

import msgspec

from ..checks.finding import Finding
from ..exchange import Answer
from ..faults import Fault
from ..intake import Outcome
from ..redaction import Headers, redact_message

CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    408: "REQUEST_TIMEOUT",
    413: "PAYLOAD_TOO_LARGE",
    422: "UNPROCESSABLE_ENTITY",
    429: "TOO_MANY_REQUESTS",
    431: "REQUEST_HEADER_FIELDS_TOO_LARGE",
    500: "INTERNAL_SERVER_ERROR",
    503: "SERVICE_UNAVAILABLE",
}
"""The `code` of an error body by status; mParticle publishes BAD_REQUEST alone (`events-api.md §4`)."""

MISSING_EVENT_TYPE: Final = 'Required event field "event_type" is missing or empty.'
"""The one message that mParticle publishes (`events-api.md §4`); clients may look for it."""

CHALLENGE: Final[Headers] = [(b"www-authenticate", b'Basic realm="mParticle"')]
"""What goes with a 401 to an upload."""

_HEADERS: Final[dict[int, Headers]] = {
    # What mParticle sends with a status (`events-api.md §4`), whatever brought it about.
    401: CHALLENGE,
    429: [(b"x-mp-rate-limit-exceeded", b"workspace")],
}


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
    code = CODES.get(status) or _code(status)
    return json_answer(status, {"errors": [{"code": code, "message": redact_message(message)} for message in messages]}, headers)


def too_large_answer(size: int, most: int) -> Answer:
    """413 to a body of more than `most` bytes, of which `size` were announced or seen."""
    return error_answer(413, f"The body has {size} bytes or more; the server takes {most}.")


def _code(status: int) -> str:
    """The code of a status that only a fault answers with."""
    try:
        return HTTPStatus(status).name
    except ValueError:
        return "UNKNOWN"


def faulty_answer(outcome: Outcome, fault: Fault, otherwise: Callable[[], Answer]) -> Answer:
    """The answer to a request that met a fault: what the fault says, or `otherwise` where it only has a delay."""
    if fault.status is None:
        return msgspec.structs.replace(otherwise(), delay=fault.delay)
    headers: Headers = list(_HEADERS.get(fault.status, ()))
    if fault.retry_after is not None:
        headers.append((b"retry-after", str(fault.retry_after).encode()))
    if fault.body is None:
        answer = error_answer(
            fault.status, *(tell(finding) for finding in outcome.findings if finding.code == "fault_injected"), headers=headers
        )
    else:
        body = fault.body.encode()
        kind = b"application/json" if _is_json(body) else b"text/plain; charset=utf-8"
        answer = Answer(fault.status, [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *headers], body)
    answer.delay = fault.delay
    return answer


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def tell(finding: Finding) -> str:
    """A finding in one line: where, what, the hint, and what explains it."""
    place = f"batch {finding.index}: " if finding.index is not None else ""
    return f"{place}{finding.message}" + (f" {finding.hint}" if finding.hint else "") + f" (docs/findings.md#{finding.code})"


def messages(outcome: Outcome) -> list[str]:
    """What an error body says of a refused upload: its errors, or whatever else was found."""
    errors = [finding for finding in outcome.findings if finding.severity == "error"] or outcome.findings
    return [
        f"{MISSING_EVENT_TYPE} {tell(finding)}" if finding.code == "event_type_missing" else tell(finding)
        for finding in errors[:20]
    ]
