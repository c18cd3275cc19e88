"""What can be wrong with a request as a whole: its shape, its count of batches, repeated ids. For intake and `validate`."""

from typing import Any, Final

import msgspec

from mparticle_sdk import limits

from .finding import Finding, make
from .found import got

_UNWRAPPED: Final = "The body is the array itself: send […] to /v2/bulkevents, without an object around it."


def wrong_body(value: Any, *, bulk: bool) -> Finding:
    """The finding on a body that is neither one batch nor, in `bulk`, an array."""
    if bulk:
        hint = None
        if isinstance(value, dict):
            wrapped = isinstance(value.get("batches"), list)
            hint = _UNWRAPPED if wrapped else "Send one batch to /v2/events, or wrap it in an array."
        return make("wrong_top_level", f"The body is {got(value)}; expected an array of batches.", hint=hint)
    return make(
        "wrong_top_level",
        f"The body is {got(value)}; expected one batch, a JSON object.",
        hint="Send an array of batches to /v2/bulkevents." if isinstance(value, list) else None,
    )


def wrong_item(value: Any, index: int) -> Finding:
    """The finding on an item of an array of batches that is no object."""
    return make(
        "wrong_top_level",
        f"Item {index} of the array is {got(value)}; expected a batch, a JSON object.",
        index=index,
        raw_pointer=f"/{index}",
    )


def check_count(batches: int) -> Finding | None:
    """A finding if a bulk request carries more batches than mParticle takes (`events-api.md §5`)."""
    if batches <= limits.BATCHES_PER_REQUEST:
        return None
    return make(
        "too_many_batches",
        f"The request carries {batches} batches; expected at most {limits.BATCHES_PER_REQUEST}.",
        hint=f"Split it into {-(-batches // limits.BATCHES_PER_REQUEST)} requests.",
    )


def repeated(source_request_id: str, first: str) -> Finding:
    """The finding on a batch whose id was sent before, `first` with another."""
    return make(
        "duplicate_batch",
        f"source_request_id {source_request_id[:80]!r} was sent {first}.",
        pointer="/source_request_id",
        raw_pointer="/source_request_id",
        hint="Give every batch its own source_request_id; keep it only when you send the same batch again.",
    )


def unwrapped(batch: dict[str, Any], findings: list[Finding]) -> list[Finding]:
    """The findings on a batch, with a better hint where batches were put into an object of their own."""
    if not findings:
        return findings
    hints = {}
    if isinstance(batch.get("batches"), list):
        hints["/batches"] = _UNWRAPPED
    if isinstance(batch.get("batch"), dict):
        hints["/batch"] = "The body is the batch itself: send what is in batch, without an object around it."
    if not hints:
        return findings
    return [
        msgspec.structs.replace(finding, hint=hints[finding.pointer])
        if finding.code in ("unknown_member", "misplaced_member") and finding.pointer in hints
        else finding
        for finding in findings
    ]
