"""Uploads in a HAR export, as browsers save the requests of a page (HTTP Archive 1.2). Called by `chunks.py`."""

import re
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from ..checks.finding import Finding, make
from ..workspaces import parse_basic
from .places import Wanted, locate

UPLOAD: Final = re.compile(
    # The Events API and partner feeds; the web SDK, also behind a domain of one's own.
    r"(?:/s2s)?(?P<api>/v2/(?:events|bulkevents|bulkevents/historical))/?|(?:/.*)?(?P<web>/v3/JS/(?P<key>[^/]+)/events)/?"
)
"""The path of a URL to which batches are sent."""


class Sent(NamedTuple):
    """How batches were sent: the path without what a proxy put before it, the key if it is told, when (ms since 1970) if told."""

    endpoint: str
    key: str = ""
    at_ms: int | None = None


class Upload(NamedTuple):
    """A request with batches: the body, and where that begins in its entry."""

    sent: Sent
    body: bytes
    at: int
    finding: Finding | None = None


class _PostData(msgspec.Struct):
    text: str | None = None


class _Request(msgspec.Struct):
    url: str
    method: str = "POST"
    postData: _PostData | None = None  # noqa: N815  # as in the file
    headers: Any = None


class _Entry(msgspec.Struct):
    request: _Request
    startedDateTime: Any = None  # noqa: N815  # as in the file


_entry = msgspec.json.Decoder(_Entry).decode


LOG: Final = re.compile(rb'\s*\{\s*"log"\s*:\s*\{')
"""How an export begins."""


def upload(entry: bytes) -> Upload | None:
    """The upload in an entry of an export, None if it is no upload."""
    try:
        decoded = _entry(entry)
        request = decoded.request
        path = UPLOAD.fullmatch(urlsplit(request.url).path)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError):
        return None
    if path is None or request.method != "POST":
        return None
    endpoint = path["api"] or path["web"]
    sent = Sent(endpoint, path["key"] or _key(request.headers), _milliseconds(decoded.startedDateTime))
    if request.postData is None or request.postData.text is None:
        finding = make(
            "body_incomplete",
            f"The export has no body of this request to {endpoint[:80]}.",
            hint="Export again with content; browsers leave out bodies of beacons and large ones.",
        )
        return Upload(sent, b"", 0, finding)
    [place] = locate(entry, [Wanted("/request/postData/text")])
    return Upload(sent, request.postData.text.encode("utf-8", "surrogatepass"), place.start)


def _key(headers: Any) -> str:
    """The API key of the request's Basic Authorization, empty if there is none: many exports leave it out."""
    for header in headers if isinstance(headers, list) else ():
        if isinstance(header, dict) and str(header.get("name")).lower() == "authorization":
            credentials = parse_basic(str(header.get("value")).encode("utf-8", "replace"))
            return credentials[0] if isinstance(credentials, tuple) else ""
    return ""


def _milliseconds(moment: Any) -> int | None:
    """Milliseconds since 1970 of a time in ISO 8601, None if it is none."""
    if not isinstance(moment, str):
        return None
    try:
        read = datetime.fromisoformat(moment)
        return round((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
