"""`GET /_fake`, and `GET /` for browsers: a page that says what this server is, and shows nothing that was recorded."""

from functools import cache
from html import escape
from typing import Final

from ..exchange import Answer, Endpoint
from ..version import __version__
from .openapi import document

SHOWN: Final = (
    "/_fake/health",
    "/_fake/batches",
    "/_fake/events",
    "/_fake/requests",
    "/_fake/stats",
    "/_fake/workspaces",
    "/_fake/profiles",
    "/_fake/faults",
    "/_fake/snippet/{client}",
    "/_fake/openapi.json",
)
"""What it leads to, as the OpenAPI document names it."""

_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Fake mParticle</title></head>
<body>
<h1>This is a fake mParticle</h1>
<p>mparticle-testkit {version}. It takes what SDKs send to mParticle, and tells what it received:</p>
<ul>
{rows}
</ul>
<p>Where the server wants a token, add <code>?token=TOKEN</code> to these addresses; it was given or printed at the start.</p>
<p>SDKs send to their own paths, such as <code>POST /v2/events</code>. README.md has the filters and the rest,
docs/findings.md explains what is found, docs/clients how each SDK is configured.</p>
</body>
</html>
"""


def endpoints() -> list[Endpoint]:
    """The table; open to everybody, as the page is the same for all. `app.py` serves `/`, which is no endpoint, to browsers."""
    return [Endpoint("GET", "/_fake", lambda _: page())]


@cache
def page() -> Answer:
    """The page."""
    body = _PAGE.format(version=escape(__version__), rows="\n".join(map(_row, SHOWN))).encode()
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"content-security-policy", b"default-src 'none'"),
    ]
    return Answer(200, headers, body)


def _row(path: str) -> str:
    summary = document()["paths"][path]["get"]["summary"]
    address = path.replace("{client}", "web")
    # Relative: it leads to the same place from both addresses, also behind a proxy that adds a prefix to them.
    return f'<li><a href="{address[1:]}">{address}</a>: {escape(summary, quote=False)}</li>'
