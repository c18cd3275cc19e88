"""Sizes of batches and requests against mParticle's limits; lengths and counts inside a batch are the schema's concern."""

from typing import Final

from mparticle_sdk import limits

from .finding import Finding, make

_UPLOAD_OF_A_PHONE: Final = 200 * limits.KB
"""Android's SDK divides what is more (`client-sdks.md §3.4`), so mParticle takes it."""


def check_size(size_of_batch: int, dialect: str = "standard") -> Finding | None:
    """A finding if one batch has more bytes of JSON than mParticle takes in this dialect (`events-api.md §5`)."""
    most = _UPLOAD_OF_A_PHONE if dialect == "native" else limits.BATCH_SIZE
    if size_of_batch <= most:
        return None
    parts = -(-size_of_batch // most)
    return make(
        "batch_too_large",
        f"The batch has {size_of_batch} bytes; expected at most {most} ({most // limits.KB} KB).",
        raw_pointer="",
        hint=f"Divide its events among {parts} or more batches; each carries the same user_identities, mpid and device_info.",
    )


def check_request(size: int, batches: int = 1) -> Finding | None:
    """A finding if a request, decompressed, has more bytes than mParticle takes, however many `batches` it carries."""
    if size <= limits.REQUEST_SIZE:
        return None
    requests = -(-size // limits.REQUEST_SIZE)
    if batches < 2:
        hint = f"Divide the events of its batch among {-(-size // limits.BATCH_SIZE)} or more batches, and send them apart."
    else:
        each = max(1, batches // requests)
        hint = f"Send {requests} or more requests: of {each} batch{'es' if each > 1 else ''} each, or of as many as fit by size."
    return make(
        "request_too_large",
        f"The request has {size} bytes in {batches} batch{'' if batches == 1 else 'es'}; "
        f"expected at most {limits.REQUEST_SIZE} ({limits.REQUEST_SIZE // limits.KB} KB).",
        hint=hint,
    )
