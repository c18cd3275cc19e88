"""The signature of the native SDKs' requests: `x-mp-signature`, an HMAC over method, `Date`, path and body.

Called by the endpoints of the native SDKs and of identity, and by tests that sign requests. (`client-sdks.md §3.2`, `§4.2`,
`identity.md §2`)
"""

import hashlib
import hmac
import re
from typing import Final

from .checks.finding import Finding, make
from .exchange import Submission
from .redaction import redact_query
from .workspaces import Input

HEADER: Final = b"x-mp-signature"

MOST_SHOWN: Final = 120
"""Characters of the body in a finding, and of Date."""

MOST_OF_A_TARGET: Final = 500
"""Characters of the path with its query there."""

_PREFIX: Final = re.compile(r"/(?:nativeevents|identity|config|webevents|tags)(?=/)")
"""What a CNAME puts before a path; the SDKs sign without it (`client-sdks.md §3.1`)."""

_PLAN: Final = re.compile(r"&?\bplan_(?:id|version)=[^&]*")


def sign(secret: str, method: str, date: str, target: str, body: bytes = b"") -> str:
    """The signature of a request: `target` is mParticle's own path with its query, `body` is uncompressed."""
    return _digest(secret, _head(method, date, target), body)


def verify(submission: Submission, sender: Input, body: bytes) -> Finding | None:
    """What is wrong with the signature of a request, or a note that this input has no secret to check it with.

    `body` is uncompressed. Codes: `signature_missing`, `signature_wrong`, and `signature_unchecked`, which is no reason to
    refuse.
    """
    signature, date = submission.header(HEADER), submission.header(b"date")
    if sender.secret is None:
        told = "was not checked" if signature is not None else "is missing, which does not matter"
        return make(
            "signature_unchecked",
            f"The signature {told}: the API key {sender.key[:80]!r} has no secret here, so that every one will do.",
            hint="To have it checked, name the secret: mparticle-fake serve --credential KEY:SECRET.",
        )
    if not signature or not date:
        missing = " and no ".join(name for name, value in (("x-mp-signature", signature), ("Date", date)) if not value)
        return make(
            "signature_missing",
            f"The request has no {missing} header.",
            hint="The native SDKs send both: x-mp-signature is the HMAC-SHA256, as hex digits, of method, Date, path and body.",
        )
    written = date.decode("latin-1")
    targets = _targets(submission)
    given = signature.strip().lower()
    for target in targets:
        expected = _digest(sender.secret, _head(submission.method, written, target), body)
        if hmac.compare_digest(given, expected.encode()):
            return None
    return make(
        "signature_wrong",
        f"x-mp-signature is not that of this request with the secret of the API key {sender.key[:80]!r}. "
        f"What was signed here: {_shown(submission.method, written, targets[0], body)}.",
        hint="Compare it with what the client signs: the text of Date as it is sent, the path as mParticle has it (without the "
        "prefix of a CNAME), the body before it is compressed. If they are the same, the secrets differ.",
    )


def _shown(method: str, date: str, target: str, body: bytes) -> str:
    """What is signed, to be read: not all of it where somebody made it long, and nothing that is redacted in the record."""
    text = body[: MOST_SHOWN * 4].decode("utf-8", "replace")
    head = f"{method}\n{_cut(date, MOST_SHOWN)}\n{_cut(redact_query(target), MOST_OF_A_TARGET)}"
    size = f", {len(body)} bytes in all" if body else ""
    return f"{(head + _cut(text, MOST_SHOWN)).encode('utf-8', 'replace').decode()!r}{size}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


def _targets(submission: Submission) -> list[str]:
    """The paths with queries that a client may have signed, mParticle's own first."""
    path = _PREFIX.sub("", submission.path, count=1) if _PREFIX.match(submission.path) else submission.path
    query = submission.query
    # The Apple SDK signs a configuration's query without the data plan that it sends.
    without_plan = _PLAN.sub("", query).lstrip("&")
    found = [_target(path, query)]
    # Its audience is signed with the path that it was sent to.
    for other in (_target(path, without_plan), _target(submission.path, query)):
        if other not in found:
            found.append(other)
    return found


def _target(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path


def _head(method: str, date: str, target: str) -> bytes:
    return f"{method}\n{date}\n{target}".encode("utf-8", "surrogateescape")


def _digest(secret: str, head: bytes, body: bytes) -> str:
    return hmac.new(secret.encode(), head + body, hashlib.sha256).hexdigest()
