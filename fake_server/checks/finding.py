"""The finding: one fact about a request or a batch. The table of all codes; every check makes its findings here."""

from typing import Final, Literal

import msgspec

Severity = Literal["error", "warning", "note"]
Effect = Literal["refuse", "drop", "alter", "none"]

SEVERITIES: Final[tuple[Severity, ...]] = ("note", "warning", "error")
"""From the least to the most severe."""


class Finding(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One fact: what was got, where, what was expected, and how to mend it.

    `pointer` is a JSON pointer into the canonical batch, `raw_pointer` one into the body as sent, where such a place exists.
    `index` is the position of the batch in a bulk request.
    """

    code: str
    severity: Severity
    message: str
    pointer: str = ""
    raw_pointer: str | None = None
    index: int | None = None
    hint: str | None = None


class Code(msgspec.Struct, frozen=True):
    """What a code means.

    `effect` is what mParticle does: `refuse` the request with a 4xx, `drop` the batch after a 202, `alter` it (parts are lost),
    or `none`.
    """

    severity: Severity
    effect: Effect
    explanation: str
    source: str


CODES: Final[dict[str, Code]] = {
    # -- the request -----------------------------------------------------------------------------------------------------
    "path_unknown": Code("error", "refuse", "No mParticle endpoint has this path.", "events-api.md §2"),
    "method_not_allowed": Code("error", "refuse", "The endpoint exists, but not for this HTTP method.", "events-api.md §2"),
    "credentials_missing": Code(
        "error",
        "refuse",
        "The Authorization header is absent or is no readable Basic authentication.",
        "events-api.md §3, §4",
    ),
    "credentials_wrong": Code(
        "error",
        "refuse",
        "The API key is unknown here, or the secret is not the one of this key.",
        "events-api.md §3, §4",
    ),
    "body_too_large": Code(
        "error", "refuse", "The body is larger than the server takes, as sent or after decompression.", "--max-body"
    ),
    "http_broken": Code("error", "refuse", "What was received is not an HTTP request.", "RFC 9112"),
    "server_error": Code(
        "error", "refuse", "This server failed on the request: a fault of the fake, not of the client.", "a bug of this server"
    ),
    "body_incomplete": Code("error", "refuse", "The client closed the connection before it had sent the whole body.", "HTTP"),
    # -- decoding --------------------------------------------------------------------------------------------------------
    "content_encoding_unknown": Code(
        "error", "refuse", "Content-Encoding names a compression other than gzip or deflate.", "events-api.md §6"
    ),
    "compression_broken": Code(
        "error", "refuse", "The body is not the compressed stream that Content-Encoding announces.", "events-api.md §6"
    ),
    "charset_unknown": Code(
        "error",
        "refuse",
        "Content-Type names a charset that is not read here; JSON is UTF-8.",
        "events-api.md §6, RFC 8259 §8.1",
    ),
    "encoding_broken": Code("error", "refuse", "The body has bytes that are not text in its charset.", "RFC 8259 §8.1"),
    "json_broken": Code("error", "refuse", "The body is not JSON.", "events-api.md §4"),
    "json_too_deep": Code(
        "error", "refuse", "Arrays and objects are nested deeper than any batch needs.", "a limit of this server"
    ),
    "number_out_of_range": Code("error", "refuse", "A number is too large for any JSON reader to hold.", "RFC 8259 §6"),
    "integer_beyond_64_bits": Code(
        "error",
        "alter",
        "An integer does not fit into 64 bits, which is what mParticle's integers have.",
        "batch-schema.md §0",
    ),
    "lone_surrogate": Code(
        "warning",
        "alter",
        "A string holds half of a surrogate pair, as when text with an emoji is cut; it becomes U+FFFD.",
        "RFC 8259 §8.2",
    ),
    # -- the shape of a request ------------------------------------------------------------------------------------------
    "wrong_top_level": Code(
        "error", "refuse", "/v2/events takes one JSON object, /v2/bulkevents an array of objects.", "events-api.md §2"
    ),
    "too_many_batches": Code("error", "refuse", "A bulk request carries at most 100 batches.", "events-api.md §5"),
    # -- the batch -------------------------------------------------------------------------------------------------------
    "event_type_missing": Code("error", "refuse", "An event has no event_type; mParticle answers 400.", "events-api.md §4"),
    "duplicate_batch": Code(
        "warning",
        "drop",
        "This input has sent a batch with the same source_request_id before; mParticle answers 202 and drops the second.",
        "events-api.md §5",
    ),
    "historical_without_events": Code(
        "warning", "drop", "The historical endpoint does not process a batch without events.", "events-api.md §7"
    ),
    "historical_without_timestamp": Code(
        "warning",
        "drop",
        "The historical endpoint does not process a batch in which an event lacks timestamp_unixtime_ms.",
        "events-api.md §7",
    ),
    "historical_too_recent": Code(
        "warning",
        "drop",
        "The historical endpoint does not process a batch with an event less than 72 hours old.",
        "events-api.md §7",
    ),
    # -- quirks of clients -----------------------------------------------------------------------------------------------
    "customerid_spelling": Code(
        "note",
        "none",
        "user_identities has customerid, as the Python, Node and Ruby SDKs write it; the documented name is customer_id.",
        "events-api.md §10",
    ),
    "upper_case_enum": Code(
        "note",
        "none",
        "Enumerated values are upper-case constants, as the Java SDK writes them; read as the documented values.",
        "batch-schema.md §0",
    ),
}


def make(
    code: str,
    message: str,
    *,
    pointer: str = "",
    raw_pointer: str | None = None,
    index: int | None = None,
    hint: str | None = None,
) -> Finding:
    """A finding of a code of the table, with the table's severity."""
    return Finding(code, CODES[code].severity, message, pointer, raw_pointer, index, hint)


def worst(findings: list[Finding]) -> Severity | None:
    """The highest severity among `findings`, or None if there are none."""
    return max((finding.severity for finding in findings), key=SEVERITIES.index, default=None)
