"""What the web SDK asks for besides identities: its configuration, events, forwarding statistics, aliases and audiences.

Each path is served as mParticle has it, and below the prefix that it gets with the SDK's option `domain`. (`client-sdks.md §2`)
"""

from typing import Final

from .. import configurations
from ..checks.finding import Finding
from ..exchange import Answer, Endpoint, Submission
from ..intake import Form, Intake, Outcome, Reading
from ..redaction import Headers
from . import cors
from .answers import error_answer, json_answer, messages
from .client_calls import UNKNOWN_ALIAS_KEY, alias, answered, kept, sender_of
from .uploads import UploadEndpoint

SOURCE: Final = "web"

STRICT_REFUSAL: Final = 422
"""What a refused batch gets in strict mode. The SDK drops what it has on 401 to 499 except 429; on 400 it would try for ever."""

EVENTS: Final = Form(SOURCE, refusal=202, strict_refusal=STRICT_REFUSAL, dialect="web")

UNKNOWN_KEY: Final = 403
"""An unknown key: the SDK goes on without a configuration, and drops its events (`client-sdks.md §2.2`, `§2.3`)."""

# Made once: it is the answer to every accepted upload. Of an empty body that nobody reads Chromium tells that it was aborted.
_ACCEPTED: Final = Answer(202, [(b"content-type", b"application/json"), (b"content-length", b"2"), *cors.HEADERS], b"{}")

_NOT_STORED: Final[Headers] = [(b"cache-control", b"no-store")]
"""A configuration that was changed holds from the next page on."""


def endpoints(intake: Intake) -> list[Endpoint]:
    """The table."""
    upload = _Events(intake)
    calls = _Calls(intake)
    rows = [
        *(Endpoint("GET", f"{prefix}/JS/v2/<key>/config", kept(calls.config)) for prefix in ("", "/tags")),
        *(
            Endpoint("POST", f"{prefix}/v3/JS/<key>/events", upload.handle, direct=True, upload=upload)
            for prefix in ("", "/webevents")
        ),
        *(
            Endpoint("POST", f"{prefix}/{version}/JS/<key>/Forwarding", kept(calls.forwarding))
            for prefix in ("", "/webevents")
            for version in ("v1", "v2")
        ),
        *(Endpoint("POST", f"{prefix}/v1/identity/<key>/Alias", kept(calls.alias)) for prefix in ("", "/webevents")),
    ]
    return cors.shared(intake, rows, SOURCE)


class _Events(UploadEndpoint):
    """Uploads of batches, one each. Whatever is in them, the answer is one with which the SDK goes on."""

    def read(self, submission: Submission) -> Reading | Answer:
        key = submission.arguments["key"]
        sender = self.intake.workspaces.of_key(key)
        if isinstance(sender, Finding):
            return self.answer(self.intake.refuse(submission, UNKNOWN_KEY, sender, SOURCE, key))
        return self.intake.read(submission, sender, EVENTS)

    def answer(self, outcome: Outcome) -> Answer:
        answer = super().answer(outcome)
        return answer if outcome.fault is None else cors.allow(answer)

    def answer_by_itself(self, outcome: Outcome) -> Answer:
        if outcome.status == 202:
            return _ACCEPTED
        return cors.allow(error_answer(outcome.status, *messages(outcome)))


class _Calls:
    def __init__(self, intake: Intake) -> None:
        self.intake = intake

    def config(self, submission: Submission) -> Answer:
        """The workspace's configuration. The query (`env`, `plan_id`, `plan_version`) is recorded, and changes nothing."""
        sender = sender_of(self.intake, submission, SOURCE, UNKNOWN_KEY)
        if isinstance(sender, Answer):
            return sender
        workspace = sender.workspace
        config = configurations.web(workspace.name, workspace.config)
        return answered(self.intake, submission, sender, SOURCE, [], lambda: json_answer(200, config, _NOT_STORED))

    def forwarding(self, submission: Submission) -> Answer:
        """Statistics of kits: recorded, and not looked into."""
        sender = sender_of(self.intake, submission, SOURCE, UNKNOWN_KEY)
        if isinstance(sender, Answer):
            return sender
        findings = self.intake.decode(submission).findings
        return answered(self.intake, submission, sender, SOURCE, findings, lambda: Answer(202, [(b"content-length", b"0")]))

    def alias(self, submission: Submission) -> Answer:
        """An alias request. Its key is in the path alone (`identity.md §8`)."""
        sender = sender_of(self.intake, submission, SOURCE, UNKNOWN_ALIAS_KEY)
        if isinstance(sender, Answer):
            return sender
        return alias(self.intake, submission, sender, SOURCE, self.intake.decode(submission), [])
