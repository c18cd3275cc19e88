"""`/_fake/workspaces`: inputs, mode, rules and configurations, to be read and changed while the server runs."""

from typing import Any, Final

import msgspec

from ..configurations import check_config
from ..exchange import Answer, Endpoint, Submission
from ..intake import Intake
from ..query import FilterError
from ..workspaces import MODES, Mode, Workspace
from .answers import error_answer, json_answer, too_large_answer
from .guard import guarded
from .refusals import Refused, misfit, reading


class _InputBody(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    secret: str | None = None


class WorkspaceBody(msgspec.Struct, forbid_unknown_fields=True):
    """How a workspace is made or changed: what is left out stays as it is, and inputs are added."""

    name: str | None = None
    mode: Mode | None = None
    inputs: list[_InputBody] = []
    ignore: list[str] | None = None
    error: list[str] | None = None
    config: dict[str, Any] | None = None
    native_config: dict[str, Any] | None = None


_EXPECTED: Final = {
    "name": "a text",
    "mode": f"one of {', '.join(MODES)}",
    "inputs": "an array of objects, each with a key and maybe a secret, both texts",
    "ignore": "an array of codes of findings",
    "error": "an array of codes of findings",
    "config": "an object",
    "native_config": "an object",
}
"""The members of a WorkspaceBody in words."""

_SHOWN: Final = ("name", "mode", "ignore", "error")
"""Those that a message may quote: the others may hold secrets."""


def endpoints(intake: Intake, token: str | None = None) -> list[Endpoint]:
    """The table; guarded as the rest of the inspect API."""
    api = _Api(intake)
    return [
        Endpoint("GET", "/_fake/workspaces", guarded(api.list, token, bare=True)),
        Endpoint("POST", "/_fake/workspaces", guarded(api.make, token, bare=True)),
        Endpoint("PUT", "/_fake/workspaces/<name>", guarded(api.change, token, bare=True)),
        Endpoint("DELETE", "/_fake/workspaces/<name>", guarded(api.remove, token, bare=True)),
        Endpoint("DELETE", "/_fake/workspaces/<name>/inputs/<key>", guarded(api.remove_input, token, bare=True)),
    ]


class _Api:
    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        self.recorder = intake.recorder

    def list(self, _: Submission) -> Answer:
        return json_answer(200, {"items": [_item(workspace) for workspace in self.intake.workspaces]})

    def make(self, submission: Submission) -> Answer:
        if submission.oversize:
            return too_large_answer(submission.oversize, self.intake.max_body)
        body = _body(submission)
        if body.name is None:
            raise FilterError("The body has no name; a workspace needs one.")
        _refuse_empty_parts(body.name)
        if self.intake.workspaces.get(body.name) is not None:
            raise FilterError(f"The workspace {body.name[:80]!r} exists; change it with PUT /_fake/workspaces/{{name}}.")
        return json_answer(201, _item(self._put(body.name, body)))

    def change(self, submission: Submission) -> Answer:
        if submission.oversize:
            return too_large_answer(submission.oversize, self.intake.max_body)
        name = submission.arguments["name"]
        _refuse_empty_parts(name)
        if name.endswith("/inputs") and self.intake.workspaces.get(name) is None:
            # An input is removed below this path, so that somebody may expect to add one there.
            owner = name.removesuffix("/inputs")[:80]
            raise FilterError(
                f"There is no workspace {name[:80]!r}. If an input of {owner!r} was meant, name it in the body of "
                f'PUT /_fake/workspaces/{{name}}: {{"inputs": [{{"key": …, "secret": …}}]}}; POST /_fake/workspaces makes '
                "a workspace of this name."
            )
        body = _body(submission)
        if body.name not in (None, name):
            raise FilterError(f"The body names the workspace {str(body.name)[:80]!r}, the path {name[:80]!r}.")
        return json_answer(200, _item(self._put(name, body)))

    def _put(self, name: str, body: WorkspaceBody) -> Workspace:
        inputs = {given.key: given.secret for given in body.inputs}
        check_config(body.config or {}, "config")
        check_config(body.native_config or {}, "native_config")
        workspace = self.intake.workspaces.put(name, body.mode, inputs, ignore=body.ignore, error=body.error)
        if body.config is not None:
            workspace.config = body.config
        if body.native_config is not None:
            workspace.native_config = body.native_config
        return workspace

    def remove(self, submission: Submission) -> Answer:
        return self._remove(submission.arguments["name"])

    def _remove(self, name: str) -> Answer:
        with self.recorder.lock:
            if not self.intake.workspaces.remove(name):
                return error_answer(404, f"There is no workspace {name[:80]!r}.")
            return json_answer(200, {"forgotten": self.recorder.forget(name)})

    def remove_input(self, submission: Submission) -> Answer:
        name, key = submission.arguments["name"], submission.arguments["key"]
        workspace = self.intake.workspaces.release(name, key)
        if workspace is None:
            whole = f"{name}/inputs/{key}"
            if self.intake.workspaces.get(whole) is not None:
                # Decoded, the slashes of a name look like those of the path.
                return self._remove(whole)
            return error_answer(404, f"There is no workspace {name[:80]!r} with an input of the key {key[:80]!r}.")
        return json_answer(200, _item(workspace))


def _refuse_empty_parts(name: str) -> None:
    """Raises FilterError for a name with a slash at an end or two in a row, which is a path that was put together wrongly."""
    parts = name.split("/")
    # An empty name has a message of its own.
    if not name or all(parts):
        return
    meant = "/".join(filter(None, parts))
    advice = f" Did you mean {meant[:80]!r}?" if meant else ""
    raise FilterError(
        f"The workspace name {name[:80]!r} has an empty part: a slash at its beginning or end, or two in a row.{advice}"
    )


def _body(submission: Submission) -> WorkspaceBody:
    try:
        return msgspec.json.decode(submission.body, type=WorkspaceBody)
    except Refused as error:
        value, wrong = reading(submission.body, secret=True)
        if wrong is None:
            wrong = f"The body is not what this endpoint takes. {misfit(value, WorkspaceBody, _EXPECTED, _SHOWN) or f'{error}.'}"
        expected = (
            f'{{"name": …, "mode": "{"|".join(MODES)}", "inputs": [{{"key": …, "secret": …}}], "ignore": […], "error": […], '
            '"config": {…}, "native_config": {…}}'
        )
        raise FilterError(f"{wrong} Expected {expected}.") from error


def _item(workspace: Workspace) -> dict[str, Any]:
    # Secrets stay here: whoever made the input knows them.
    rules = workspace.rules
    inputs = [{"key": key, "any_secret": secret is None} for key, secret in workspace.inputs.items()]
    return {
        "name": workspace.name,
        "mode": workspace.mode,
        "inputs": inputs,
        "ignore": sorted(rules.ignore),
        "error": sorted(rules.error),
        "config": workspace.config,
        "native_config": workspace.native_config,
    }
