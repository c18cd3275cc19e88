"""`GET /_fake`, and BROWSED for browsers: a page that says what this server is, and shows nothing that was recorded."""

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

BROWSED: Final = {"/": "", "/_fake/": "../"}
"""Where browsers find it too, and what leads from there to the root."""

_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Fake mParticle</title></head>
<body>
<h1>This is a fake mParticle</h1>
<p>mparticle-testkit {version}. It takes what SDKs send to mParticle, and tells what it received at the addresses below.</p>
<p>Where the server wants a token, add <code>?token=TOKEN</code> to each of them, as the links do not carry it along; it was given
or printed at the start. Elsewhere none is needed.</p>
<ul>
{rows}
</ul>
<p>SDKs send to their own paths, such as <code>POST /v2/events</code>. README.md has the filters and the rest,
docs/findings.md explains what is found, docs/clients how each SDK is configured.</p>
</body>
</html>
"""


def endpoints() -> list[Endpoint]:
    """The table; open to everybody, as the page is the same for all. `app.py` serves BROWSED, which are no endpoints."""
    return [Endpoint("GET", "/_fake", lambda _: page())]


@cache
def page(root: str = "") -> Answer:
    """The page; `root` leads from its address to that of the server, as a relative one that is empty or ends in a slash."""
    body = _PAGE.format(version=escape(__version__), rows="\n".join(_row(path, root) for path in SHOWN)).encode()
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"content-security-policy", b"default-src 'none'"),
    ]
    return Answer(200, headers, body)


def _row(path: str, root: str) -> str:
    summary = document()["paths"][path]["get"]["summary"]
    address = path.replace("{client}", "web")
    # Relative: it leads to the same place from every address, also behind a proxy that adds a prefix to them.
    return f'<li><a href="{root}{address[1:]}">{address}</a>: {escape(summary, quote=False)}</li>'
