"""What a server is made of, whoever hosts it: its options, store and endpoint tables, and what both hosts need to serve these.

`app.py` is the host with Flask, `front.py` the one without, for which nobody has to wait until Flask is imported.
"""

import contextlib
import logging
from collections.abc import Callable, Iterable
from typing import Final, TypedDict, TypeVar, Unpack
from urllib.parse import quote_from_bytes

import msgspec

from .checks.finding import make
from .checks.rules import Rules
from .checks.schema import checker
from .endpoints import cors, events_api, faults, identity, inspect, native_sdk, profiles, snippet, web_sdk
from .endpoints.answers import error_answer, tell
from .exchange import Answer, Endpoint, Reply, Submission
from .intake import Intake
from .recording import StoreError, open_recorder
from .redaction import redact_url, without_credentials
from .words import did_you_mean
from .workspaces import Mode, Workspaces, check_mode

Found = TypeVar("Found", Answer, Answer | None)

_log = logging.getLogger("mparticle_fake_server")

# Where a server is made, not where records are only read, and before its first upload.
checker().prepare()

HEARTBEAT_SECONDS: Final = 15.0
"""After this long without anything to tell, a stream sends a comment: the client sees that it lives, the server that it left."""

_ASCII: Final = bytes(range(0x21, 0x7F))
"""What may stand in a query string without being escaped, and escaped characters themselves."""

HEARTBEAT: Final = b": nothing new\n\n"
CONNECTED: Final = b": connected\n\n"


class Options(TypedDict, total=False):
    """What `create_app`, `FakeServer` and `mparticle-fake serve` can be told."""

    mode: Mode
    """How the workspace `default` and new ones answer: `faithful` (default), `strict` or `lenient`."""
    store: str
    """`memory` (default) or `sqlite:///FILE`."""
    keep: int
    """How many batches are kept at least; the oldest beyond are forgotten. Default 100 000."""
    ignore: Iterable[str]
    """Codes of findings that are left out, for example `environment_missing`."""
    error: Iterable[str]
    """Codes of findings that are errors, whatever the table says."""
    credentials: Iterable[tuple[str, str | None, str]]
    """Inputs: API key, secret (None accepts every one), workspace."""
    unknown_keys: bool
    """Whether a key that is not among `credentials` is taken, into the workspace `default` (default), or refused."""
    max_body: int
    """Bytes of a body, also after decompression, above which it gets 413. Default 2 000 000."""
    seed: int
    """Of the mpids that are made: the same users get the same ones, and others with another seed. Default 0."""
    token: str | None
    """What the inspect API wants from whoever asks; none by default."""


_KINDS: Final = {
    "mode": (str, "'faithful', 'strict' or 'lenient'"),
    "store": (str, "'memory' or 'sqlite:///FILE'"),
    "keep": (int, "a number of batches"),
    "max_body": (int, "a number of bytes"),
    "seed": (int, "a number"),
}


def check_options(options: Options, others: Iterable[str] = ()) -> Options:
    """The options with tuples for what may be read only once. `others` are names that the caller takes besides.

    Raises TypeError, ValueError or WorkspaceError for those that no server can have; the message names the option, and no secret.
    """
    unknown = sorted(set(options) - set(Options.__annotations__))
    if unknown:
        valid = [*others, *Options.__annotations__]
        raise TypeError(f"Unknown option {unknown[0]!r:.80}.{did_you_mean(unknown[0], valid, 0.6)} Valid: {', '.join(valid)}.")
    for name, (kind, expected) in _KINDS.items():
        if name in options and not isinstance(options.get(name), kind):
            raise TypeError(f"{name} is {without_credentials(repr(options.get(name)))}; expected {expected}.")
    if options.get("token") == "":
        raise ValueError("token is empty, which would let everybody in; leave it out, or give one.")
    if options.get("max_body", 1) < 1:
        raise ValueError(f"max_body is {options.get('max_body')}; it must be at least 1 byte.")
    checked = options.copy()
    if "credentials" in options:
        checked["credentials"] = tuple(options["credentials"])
        given: Iterable[object] = checked["credentials"]
        for credential in given:
            if not isinstance(credential, (tuple, list)) or len(credential) != 3:
                got = f"{len(credential)} parts" if isinstance(credential, (tuple, list)) else f"a {type(credential).__name__}"
                raise TypeError(f"credentials: one is {got}; expected tuples (key, secret, workspace).")
    check_mode(options.get("mode", "faithful"))
    rules = Rules.parse(options.get("ignore", ()), options.get("error", ()))
    checked["ignore"], checked["error"] = tuple(rules.ignore), tuple(rules.error)
    return checked


def open_intake(**options: Unpack[Options]) -> Intake:
    """An Intake with its workspaces and recorder. Raises StoreError, WorkspaceError, TypeError, ValueError (RuleError is one)."""
    options = check_options(options)
    rules = Rules.parse(options.get("ignore", ()), options.get("error", ()))
    workspaces = Workspaces(
        options.get("mode", "faithful"), rules, unknown_keys=options.get("unknown_keys", True), seed=options.get("seed", 0)
    )
    for key, secret, workspace in options.get("credentials", ()):
        workspaces.put(workspace, inputs={key: secret})
    recorder = open_recorder(options.get("store", "memory"), options.get("keep", 100_000))
    return Intake(workspaces, recorder, max_body=options.get("max_body", 2_000_000))


def tables(intake: Intake, token: str | None = None) -> list[Endpoint]:
    """Every endpoint."""
    rows = [
        *events_api.endpoints(intake),
        *web_sdk.endpoints(intake),
        *native_sdk.endpoints(intake),
        *identity.endpoints(intake),
        *inspect.endpoints(intake, token),
        *faults.endpoints(intake, token),
        *profiles.endpoints(intake, token),
        *snippet.endpoints(intake, token),
    ]
    return [msgspec.structs.replace(row, handler=_guarded(intake, row)) for row in rows]


def _guarded(intake: Intake, row: Endpoint) -> Callable[[Submission], Reply]:
    """A handler whose own failure is an answer too, is logged, and recorded beside the request that caused it."""

    def guarded(submission: Submission) -> Reply:
        try:
            return opened(row.handler(submission))
        except Exception as error:  # noqa: BLE001  # whatever it is, the client gets an answer
            _log.exception("%s %r failed", submission.method, redact_url(submission.path))
            finding = make(
                "server_error",
                f"The fake failed with {type(error).__name__}: {error}. The request is recorded; the log has the traceback.",
                hint="Please report it with the request: GET /_fake/requests?status=500.",
            )
            if not row.path.startswith("/_fake"):
                with contextlib.suppress(Exception):
                    intake.refuse(submission, 500, finding, "unknown")
            return opened(error_answer(500, tell(finding)))

    def opened(reply: Reply) -> Reply:
        return cors.allow(reply) if row.cors and isinstance(reply, Answer) else reply

    return guarded


def query_of(raw: bytes) -> str:
    """A query string as it came, as a signature is over it; what is not ASCII is escaped, so that everybody reads it as UTF-8."""
    return quote_from_bytes(raw, safe=_ASCII)


def polled(poll: Callable[[], Found]) -> Found | Answer:
    """What a step towards an answer says, or that the store failed."""
    try:
        return poll()
    except StoreError as error:
        return error_answer(503, str(error))
