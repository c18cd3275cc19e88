"""What the Android and Apple SDKs ask for besides identities: their configuration, events, aliases and audiences.

Each path is served as mParticle has it, and below the prefix that it gets with `customBaseURL`. Every answer has a JSON object,
which Android needs, and a status that both take for what it means. (`client-sdks.md §3`, `§4`, `§7`)
"""

import hashlib
from typing import Final

import msgspec

from .. import configurations
from ..checks.finding import Finding, make
from ..exchange import Answer, Endpoint, Submission
from ..intake import Form, Intake, Outcome, Reading
from ..signatures import HEADER, verify
from ..workspaces import Input
from . import cors
from .answers import error_answer, json_answer, messages
from .client_calls import UNKNOWN_ALIAS_KEY, alias, answered, audience, kept, refused, sender_of
from .uploads import UploadEndpoint

SOURCES: Final = ("android", "ios", "native")
"""What is recorded with these requests: the platform, or `native` where it cannot be told."""

FORMS: Final = {source: Form(source, dialect="native") for source in SOURCES}
"""Both SDKs delete an upload that gets 400 (`client-sdks.md §3.4`, `§4.4`)."""

UNKNOWN_KEY: Final = 403
_WRONG: Final = {"signature_missing": 401, "signature_wrong": 403}
"""A signature that is missing or wrong gets what credentials get that are (`events-api.md §4`)."""

_NO_KEYS: Final = {
    "v2": "The base path of a server SDK ends in /v2, which is there twice.",
    "events": "The base path of a server SDK ends in /v2; it adds /events itself.",
}
"""What stands in the place of the key where a server SDK has another address than it should, and what to do then."""

# Made once: it is the answer to every accepted upload.
_ACCEPTED: Final = Answer(202, [(b"content-type", b"application/json"), (b"content-length", b"2")], b"{}")


def endpoints(intake: Intake) -> list[Endpoint]:
    """The table."""
    upload = _Events(intake)
    calls = _Calls(intake)
    prefixes = ("", "/nativeevents")
    return [
        *(Endpoint("GET", f"{prefix}/v4/<key>/config", kept(calls.config)) for prefix in ("", "/config")),
        *(Endpoint("POST", f"{prefix}/v2/<key>/events", upload.handle, direct=True, upload=upload) for prefix in prefixes),
        *(Endpoint("POST", f"{prefix}/v1/identity/<key>/alias", kept(calls.alias)) for prefix in prefixes),
        # The web SDK asks here as well.
        *cors.shared(
            intake, [Endpoint("GET", f"{prefix}/v1/<key>/audience", kept(calls.audience)) for prefix in prefixes], "web"
        ),
    ]


def source_of(submission: Submission) -> str:
    """Which SDK sent a request, told by the headers that only one of them sets (`client-sdks.md §3.3`, `§4.3`)."""
    agent = (submission.header(b"user-agent") or b"").lower()
    if submission.header(b"secondsfromgmt") is not None or b"apple sdk" in agent or b"iphone" in agent or b"darwin" in agent:
        return "ios"
    if b"android" in agent or b"dalvik" in agent:
        return "android"
    return "native"


class _Events(UploadEndpoint):
    """Uploads of batches with abbreviated keys, one each, mostly compressed."""

    def read(self, submission: Submission) -> Reading | Answer:
        source = source_of(submission)
        key = submission.arguments["key"]
        if key in _NO_KEYS:
            message = f"POST {submission.path[:200]} is no mParticle endpoint: {key!r} is no API key."
            return refused(self.intake, submission, "unknown", 404, make("path_unknown", message, hint=_NO_KEYS[key]))
        sender = sender_of(self.intake, submission, source, UNKNOWN_KEY)
        if isinstance(sender, Answer):
            return sender
        decoded, signed = self.intake.decode_signed(submission)
        finding = None
        # What cannot be unpacked cannot be verified either, and is refused for that.
        if signed is not None:
            finding = verify(submission, sender, signed)
            if finding is not None and finding.code in _WRONG:
                return refused(self.intake, submission, source, _WRONG[finding.code], finding)
        reading = self.intake.read(submission, sender, FORMS[source], decoded)
        if finding is not None:
            reading.record.findings = (*reading.record.findings, finding)
        return reading

    def answer_by_itself(self, outcome: Outcome) -> Answer:
        return _ACCEPTED if outcome.status == 202 else error_answer(outcome.status, *messages(outcome))


class _Calls:
    def __init__(self, intake: Intake) -> None:
        self.intake = intake

    def config(self, submission: Submission) -> Answer:
        """The workspace's configuration with an ETag, or 304 where the SDK has it; its body says gzip and is empty."""
        source = source_of(submission)
        sender = sender_of(self.intake, submission, source, UNKNOWN_KEY)
        if isinstance(sender, Answer):
            return sender
        notes = self._verify(submission, sender, source, b"", _WRONG)
        if isinstance(notes, Answer):
            return notes
        return answered(self.intake, submission, sender, source, notes, lambda: _config(submission, sender, source))

    def alias(self, submission: Submission) -> Answer:
        source = source_of(submission)
        sender = sender_of(self.intake, submission, source, UNKNOWN_ALIAS_KEY)
        if isinstance(sender, Answer):
            return sender
        decoded, signed = self.intake.decode_signed(submission)
        notes: list[Finding] | Answer = []
        if signed is not None:
            notes = self._verify(submission, sender, source, signed, dict.fromkeys(_WRONG, UNKNOWN_ALIAS_KEY))
        if isinstance(notes, Answer):
            return notes
        return alias(self.intake, submission, sender, source, decoded, notes)

    def audience(self, submission: Submission) -> Answer:
        """The audiences of a user. The web SDK asks with the key alone, the native ones sign."""
        signed = submission.header(HEADER) is not None
        source = source_of(submission) if signed else "web"
        sender = sender_of(self.intake, submission, source, UNKNOWN_KEY)
        if isinstance(sender, Answer):
            return sender
        notes = self._verify(submission, sender, source, b"", _WRONG) if signed else []
        if isinstance(notes, Answer):
            return notes
        return audience(self.intake, submission, sender, source, notes)

    def _verify(
        self, submission: Submission, sender: Input, source: str, body: bytes, statuses: dict[str, int]
    ) -> list[Finding] | Answer:
        """The notes on a request's signature, or the answer if it is wrong. Raises StoreError."""
        finding = verify(submission, sender, body)
        if finding is None:
            return []
        if finding.code in statuses:
            return refused(self.intake, submission, source, statuses[finding.code], finding)
        return [finding]


def _config(submission: Submission, sender: Input, source: str) -> Answer:
    workspace = sender.workspace
    config = configurations.native(workspace.name, workspace.native_config, android=source == "android")
    tag = b'"' + hashlib.sha256(msgspec.json.encode(config)).hexdigest()[:16].encode() + b'"'
    known = {name.strip().removeprefix(b"W/") for name in (submission.header(b"if-none-match") or b"").split(b",")}
    if known & {tag, b"*"}:
        return Answer(304, [(b"etag", tag)])
    return json_answer(200, config, [(b"etag", tag)])
