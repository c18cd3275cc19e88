"""The Events API: `/v2/events`, `/v2/bulkevents`, `/v2/bulkevents/historical`, each also below `/s2s` (`events-api.md §2`)."""

from typing import Final

from ..checks.finding import Finding
from ..exchange import Answer, Endpoint, Submission
from ..intake import Form, Intake, Outcome, Reading
from .answers import CHALLENGE, error_answer, messages
from .uploads import UploadEndpoint

FORMS: Final = {
    "/v2/events": Form("events_api"),
    "/v2/bulkevents": Form("events_api", bulk=True),
    "/v2/bulkevents/historical": Form("events_api", bulk=True, historical=True),
}

# Made once: most uploads get one of these.
_ACCEPTED: Final = [
    Answer(202, [(b"content-length", b"0"), (b"x-mp-rate-limit-percentage-used", str(percentage).encode())])
    for percentage in range(101)
]


def endpoints(intake: Intake) -> list[Endpoint]:
    """The table."""
    return [
        Endpoint("POST", prefix + path, upload.handle, direct=True, upload=upload)
        for path, form in FORMS.items()
        for upload in [_EventsUpload(intake, form)]
        for prefix in ("", "/s2s")
    ]


class _EventsUpload(UploadEndpoint):
    def __init__(self, intake: Intake, form: Form) -> None:
        super().__init__(intake)
        self.form = form

    def read(self, submission: Submission) -> Reading | Answer:
        sender = self.intake.workspaces.authenticate(submission.header(b"authorization"))
        if not isinstance(sender, Finding):
            return self.intake.read(submission, sender, self.form)
        status = 401 if sender.code == "credentials_missing" else 403
        return self.answer(self.intake.refuse(submission, status, sender, self.form.source))

    def answer_by_itself(self, outcome: Outcome) -> Answer:
        if outcome.status != 202:
            headers = CHALLENGE if outcome.status == 401 else None
            return error_answer(outcome.status, *messages(outcome), headers=headers)
        assert outcome.input is not None
        percentage = outcome.input.workspace.percentage_used(self.intake.now_ms(), outcome.batches)
        return _ACCEPTED[percentage]
