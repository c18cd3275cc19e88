"""Uploads in a HAR export, as browsers save the requests of a page (HTTP Archive 1.2). Called by `chunks.py`."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from ..checks.finding import Finding, make
from .places import locate

UPLOAD: Final = re.compile(
    # The Events API and partner feeds; the web SDK, also behind a domain of one's own.
    r"(?:/s2s)?(?P<api>/v2/(?:events|bulkevents|bulkevents/historical))/?|(?:/.*)?(?P<web>/v3/JS/(?P<key>[^/]+)/events)/?"
)
"""The path of a URL to which batches are sent."""


class Upload(NamedTuple):
    """A request with batches: the path without what a proxy put before it, the body, and where that begins in the export."""

    path: str
    body: bytes
    at: int
    finding: Finding | None = None


class _PostData(msgspec.Struct):
    text: str | None = None


class _Request(msgspec.Struct):
    url: str
    method: str = "POST"
    postData: _PostData | None = None  # noqa: N815  # as in the file


class _Entry(msgspec.Struct):
    request: _Request


class _Log(msgspec.Struct):
    entries: list[msgspec.Raw]


class _Har(msgspec.Struct):
    log: _Log


_har = msgspec.json.Decoder(_Har).decode
_entry = msgspec.json.Decoder(_Entry).decode


def uploads(text: bytes) -> Iterator[Upload | None] | None:
    """The requests of an export, None for each that is no upload; or None if the text is no such export."""
    try:
        entries = _har(text).log.entries
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return _uploads(text, entries)


def _uploads(text: bytes, entries: list[msgspec.Raw]) -> Iterator[Upload | None]:
    at = 0
    for raw in entries:
        entry = bytes(raw)
        start = text.find(entry, at)
        at = start + len(entry)
        yield _upload(entry, start)


def _upload(entry: bytes, start: int) -> Upload | None:
    try:
        request = _entry(entry).request
        path = UPLOAD.fullmatch(urlsplit(request.url).path)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError):
        return None
    if path is None or request.method != "POST":
        return None
    endpoint = path["api"] or path["web"]
    if request.postData is None or request.postData.text is None:
        finding = make(
            "body_incomplete",
            f"The export has no body of this request to {endpoint[:80]}.",
            hint="Export again with content; browsers leave out bodies of beacons and large ones.",
        )
        return Upload(endpoint, b"", start, finding)
    return Upload(
        endpoint, request.postData.text.encode("utf-8", "surrogatepass"), start + locate(entry, "/request/postData/text").start
    )
