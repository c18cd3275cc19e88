"""What the SDKs of web, Android and Apple ask for without a batch: who asks, what is wrong, and what is answered.

The tables of `web_sdk.py` and `native_sdk.py` call it.
"""

import re
import uuid
from collections.abc import Callable
from typing import Any, Final, get_args
from urllib.parse import parse_qsl

from mparticle_sdk.batch import EnvironmentName

from ..checks.finding import Finding, make
from ..checks.found import got
from ..checks.times import looks_like_seconds
from ..decoding import Decoded
from ..exchange import Answer, Submission
from ..intake import Intake
from ..recording import StoreError
from ..verdicts import is_refused
from ..workspaces import Input
from .answers import CODES, error_answer, faulty_answer, json_answer, tell

UNKNOWN_ALIAS_KEY: Final = 401
"""What an alias request with a wrong key gets (`identity.md §8`)."""

MPID: Final = re.compile(r"-?[0-9]{1,19}", re.ASCII)


def sender_of(intake: Intake, submission: Submission, source: str, status: int) -> Input | Answer:
    """The input of the API key in the path, or the answer where it is unknown, with this status. Raises StoreError."""
    key = submission.arguments["key"]
    sender = intake.workspaces.of_key(key)
    return refused(intake, submission, source, status, sender) if isinstance(sender, Finding) else sender


def refused(intake: Intake, submission: Submission, source: str, status: int, finding: Finding) -> Answer:
    """Record a request that is not let in, and say so. Raises StoreError."""
    intake.refuse(submission, status, finding, source, submission.arguments["key"])
    return error_answer(status, tell(finding))


def answered(
    intake: Intake,
    submission: Submission,
    sender: Input,
    source: str,
    findings: list[Finding],
    good: Callable[[], Answer],
    bad: Callable[[list[Finding]], Answer] | None = None,
) -> Answer:
    """Record a request without batches, and answer it: `bad`, if there is one, where a finding refuses it; or with a fault."""
    workspace = sender.workspace
    answer = bad(findings) if bad is not None and is_refused(findings, workspace.mode, workspace.rules) else good()
    outcome = intake.note(submission, sender, source, answer.status, findings)
    return answer if outcome.fault is None else faulty_answer(outcome, outcome.fault, lambda: answer)


def kept(handler: Callable[[Submission], Answer]) -> Callable[[Submission], Answer]:
    """A handler that answers 503 where the store fails."""

    def answer(submission: Submission) -> Answer:
        try:
            return handler(submission)
        except StoreError as error:
            return error_answer(503, str(error))

    return answer


# -- aliases -----------------------------------------------------------------------------------------------------------------


def alias(
    intake: Intake, submission: Submission, sender: Input, source: str, decoded: Decoded, findings: list[Finding]
) -> Answer:
    """Take an alias request, which mParticle works off a day later: it is checked and recorded (`identity.md §8`)."""
    wrong = [*decoded.findings]
    if decoded.readable:
        wrong += [
            make("alias_wrong", message, raw_pointer=pointer) for pointer, message in _wrong_alias(decoded.value, source == "web")
        ]
    return answered(intake, submission, sender, source, [*findings, *wrong], _taken, _alias_error)


def _taken() -> Answer:
    # Android reads a JSON object from every answer.
    return json_answer(202, {})


def _alias_error(findings: list[Finding]) -> Answer:
    errors = [finding for finding in findings if finding.severity == "error"] or findings
    status = 413 if any(finding.code == "body_too_large" for finding in errors) else 400
    return json_answer(status, {"message": " ".join(tell(finding) for finding in errors[:20]), "code": CODES[status]})


def _wrong_alias(value: Any, timed: bool) -> list[tuple[str, str]]:
    """Where an alias request is wrong, and how; a `timed` one needs its range of time."""
    if not isinstance(value, dict):
        return [("", f"The body is {got(value)}; expected an object with data, which has source_mpid and destination_mpid.")]
    wrong = []
    for name, words in (("request_type", ("alias",)), ("environment", get_args(EnvironmentName))):
        if value.get(name) not in words:
            sent = got(value[name]) if name in value else "absent"
            wrong.append((f"/{name}", f"{name} is {sent}; expected {' or '.join(words)}."))
    data = value.get("data")
    if not isinstance(data, dict):
        return [*wrong, ("/data", f"data is {got(data)}; expected an object with source_mpid and destination_mpid.")]
    mpids = []
    for name in ("source_mpid", "destination_mpid"):
        mpid = data.get(name)
        if isinstance(mpid, bool) or not isinstance(mpid, (int, str)) or not is_mpid(str(mpid)):
            wrong.append((f"/data/{name}", f"{name} is {got(mpid)}; expected the mpid of a profile, a 64-bit integer."))
        else:
            mpids.append(int(mpid))
    if len(mpids) == 2 and mpids[0] == mpids[1]:
        wrong.append(("/data/destination_mpid", f"source_mpid and destination_mpid are both {mpids[0]}; expected two profiles."))
    return wrong + _wrong_times(data, timed)


def _wrong_times(data: dict[str, Any], timed: bool) -> list[tuple[str, str]]:
    """The same of the range of time."""
    wrong = []
    times = []
    for name in ("start_unixtime_ms", "end_unixtime_ms"):
        time = data.get(name)
        if isinstance(time, int) and not isinstance(time, bool):
            times.append(time)
            if looks_like_seconds(time):
                wrong.append((f"/data/{name}", f"{name} is {time}, which looks like seconds; expected milliseconds since 1970."))
        elif time is not None or timed:
            wrong.append((f"/data/{name}", f"{name} is {got(time)}; expected milliseconds since 1970."))
    if len(times) == 2 and times[0] > times[1]:
        wrong.append(
            ("/data/end_unixtime_ms", f"end_unixtime_ms is {times[1]}, before start_unixtime_ms, {times[0]}; expected it after.")
        )
    return wrong


# -- audiences -----------------------------------------------------------------------------------------------------------------


def audience(intake: Intake, submission: Submission, sender: Input, source: str, findings: list[Finding]) -> Answer:
    """The audiences of a user: none, as this server calculates none (`client-sdks.md §2.4`, `§3.4`, `§4.4`)."""
    mpid = dict(parse_qsl(submission.query, keep_blank_values=True)).get("mpid")
    if mpid is None or not is_mpid(mpid):
        shown = "absent" if mpid is None else repr(mpid[:40])
        findings = [*findings, make("audience_wrong", f"The parameter mpid is {shown}; expected the 64-bit integer of a user.")]

    def memberships() -> Answer:
        return json_answer(200, {"dt": "cam", "id": str(uuid.uuid4()), "ct": intake.now_ms(), "audience_memberships": []})

    return answered(intake, submission, sender, source, findings, memberships, lambda wrong: error_answer(400, *map(tell, wrong)))


def is_mpid(text: str) -> bool:
    """Whether a text is a signed 64-bit integer."""
    return MPID.fullmatch(text) is not None and -(2**63) <= int(text) < 2**63
