"""`/_fake/faults`: what the next requests of a workspace meet, so that a test can ask for what a client must survive."""

import difflib
from typing import Any

import msgspec

from ..exchange import Answer, Endpoint, Submission
from ..faults import Faults
from ..intake import Intake
from ..query import FilterError
from .answers import error_answer, json_answer, too_large_answer
from .guard import guarded, pairs
from .refusals import Refused, reading

EXAMPLE = '{"items": [{"status": 429, "retry_after": 1, "times": 1}]}'


def endpoints(intake: Intake, token: str | None = None) -> list[Endpoint]:
    """The table; guarded as the rest of the inspect API."""
    api = _Api(intake)
    return [
        Endpoint("GET", "/_fake/faults", guarded(api.list, token)),
        Endpoint("PUT", "/_fake/faults", guarded(api.put, token)),
        Endpoint("DELETE", "/_fake/faults", guarded(api.clear, token)),
    ]


class _Api:
    def __init__(self, intake: Intake) -> None:
        self.intake = intake

    def list(self, submission: Submission) -> Answer:
        faults = self._of_workspace(submission)
        return faults if isinstance(faults, Answer) else json_answer(200, {"items": faults.list()})

    def put(self, submission: Submission) -> Answer:
        if submission.oversize:
            return too_large_answer(submission.oversize, self.intake.max_body)
        faults = self._of_workspace(submission)
        if isinstance(faults, Answer):
            return faults
        faults.put(_items(submission.body))
        return json_answer(200, {"items": faults.list()})

    def clear(self, submission: Submission) -> Answer:
        faults = self._of_workspace(submission)
        return faults if isinstance(faults, Answer) else json_answer(200, {"items": faults.clear()})

    def _of_workspace(self, submission: Submission) -> Faults | Answer:
        """The faults that the question is about, or the answer if there is no such workspace. Raises FilterError."""
        name = "default"
        for parameter, value in pairs(submission):
            if parameter == "workspace":
                name = value
            elif parameter != "token":
                raise FilterError(f"Unknown parameter {parameter[:80]!r}. Valid: workspace.")
        workspace = self.intake.workspaces.get(name)
        if workspace is not None:
            return workspace.faults
        near = difflib.get_close_matches(name[:200], [known.name for known in self.intake.workspaces], 1, 0.6)
        hint = f"Did you mean {near[0]!r}?" if near else "GET /_fake/workspaces lists those there are."
        return error_answer(404, f"There is no workspace {name[:80]!r}. {hint}")


def _items(body: bytes) -> Any:
    """The list in the body of a PUT. Raises FilterError."""
    try:
        value = msgspec.json.decode(body)
    except Refused as error:
        raise FilterError(f"{reading(body)[1] or f'The body is not JSON: {error}.'} Expected {EXAMPLE}.") from error
    if not isinstance(value, dict) or list(value) != ["items"] or not isinstance(value["items"], list):
        raise FilterError(f"The body is {ascii(value)[:80]}; expected an object with the one member items, a list: {EXAMPLE}.")
    return value["items"]
