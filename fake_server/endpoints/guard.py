"""Who may ask the inspect API: this machine, or whoever has the token; never a page of another origin."""

import hmac
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

from mparticle_sdk.api_client import is_here

from ..checks.rules import RuleError
from ..configurations import ConfigError
from ..exchange import Answer, Reply, Submission
from ..faults import FaultError
from ..query import FilterError
from ..recording import StoreError
from ..redaction import redact_url
from ..workspaces import WorkspaceError
from .answers import error_answer

Pairs = list[tuple[str, str]]


def pairs(submission: Submission) -> Pairs:
    """The parameters of a question. Raises FilterError."""
    try:
        return parse_qsl(submission.query, keep_blank_values=True, max_num_fields=100)
    except ValueError as error:
        raise FilterError(f"The query string cannot be read: {error}.") from error


def guarded(
    handler: Callable[[Submission], Reply], token: str | None, *, any_host: bool = False, bare: bool = False
) -> Callable[[Submission], Reply]:
    """A handler of the inspect API that answers only those who may ask, and tells what is wrong with a question.

    One that is `bare` takes no parameters, and does not look for any: whoever sends some expects what they do not do.
    """

    def answer(submission: Submission) -> Reply:
        try:
            refusal = None if any_host else _refusal(submission, token)
            if refusal is None and bare:
                _refuse_parameters(submission)
            return handler(submission) if refusal is None else refusal
        except (ConfigError, FaultError, FilterError, RuleError, WorkspaceError) as error:
            return error_answer(400, str(error))
        except StoreError as error:
            return error_answer(503, str(error))

    return answer


def _refuse_parameters(submission: Submission) -> None:
    """Raises FilterError for a question with a parameter, beside the token."""
    for name, _ in pairs(submission) if submission.query else ():
        if name != "token":
            raise FilterError(f"Unknown parameter {name[:80]!r}. {submission.method} takes none here, beside token.")


def _refusal(submission: Submission, token: str | None) -> Answer | None:
    host = (submission.header(b"host") or b"").decode("latin-1")
    origin = submission.header(b"origin")
    if origin is not None and _netloc(origin) != host.lower():
        return error_answer(403, f"A page of {_shown(origin)} may not read what was recorded here.")
    if submission.header(b"sec-fetch-site") in (b"cross-site", b"same-site"):
        return error_answer(403, "A page of another origin may not read what was recorded here.")
    if token is not None:
        given = dict(pairs(submission)).get("token", "").encode()
        authorization = submission.header(b"authorization") or b""
        if authorization[:7].lower() == b"bearer ":
            given = authorization[7:].strip()
        if not hmac.compare_digest(given, token.encode()):
            return error_answer(
                401,
                ("That is not the token of this server" if given else "The inspect API of this server wants a token")
                + ", which was given or printed at its start: 'Authorization: Bearer TOKEN' or ?token=TOKEN.",
                headers=[(b"www-authenticate", b"Bearer")],
            )
    elif host and not _is_of_this_machine(host):
        shown = _shown(host.rpartition("@")[2].encode("latin-1"))
        return error_answer(403, f"The Host {shown} is not this machine's; ask http://127.0.0.1 or http://localhost instead.")
    return None


def _netloc(origin: bytes) -> str | None:
    try:
        return urlsplit(origin.decode("latin-1").lower()).netloc or None
    except ValueError:
        return None


def _shown(value: bytes) -> str:
    return repr(redact_url(value.decode("latin-1"))[:80])


def _is_of_this_machine(host: str) -> bool:
    """By the rule of the SDK and `send`: whoever got here by such an address may ask by it."""
    try:
        return is_here(f"//{host}")
    except ValueError:
        return False
