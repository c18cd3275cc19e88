"""Requests for the Recorders to keep."""

from mparticle_fake_server.recording import BatchRecord, RequestRecord, Verdict


def sent(
    *source_request_ids: str | None,
    workspace: str | None = "default",
    key: str | None = "key",
    verdict: Verdict = "accepted",
    path: str = "/v2/events",
    body: bytes = b'{"environment":"development"}',
) -> RequestRecord:
    """A request with a batch for each of `source_request_ids`; None is a batch that has none."""
    return RequestRecord(
        received_at_ms=1_700_000_000_000,
        workspace=workspace,
        key=key,
        source="events_api",
        dialect="standard",
        method="POST",
        path=path,
        query="",
        remote="127.0.0.1",
        headers=b"content-type: application/json",
        status=202,
        body=body,
        batches=tuple(BatchRecord(verdict, (), source_request_id) for source_request_id in source_request_ids),
    )


def upload() -> RequestRecord:
    """A request with one batch that has no source_request_id."""
    return sent(None)
