"""The Identity API: identify, login, logout, search and modify, each also below `/identity` (`identity.md §1`-`§9`)."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from ..checks.finding import Finding, make
from ..checks.found import shown
from ..decoding import Decoded
from ..exchange import Answer, Endpoint, Reply, Submission
from ..idsync.identity_request import Action, IdentityRequest, expected_mpid, parse_mpid, read
from ..idsync.identity_types import BY_NAME, DEVICE, Identities
from ..idsync.profile import Profile
from ..idsync.profiles import Profiles
from ..idsync.replay import SOURCE, Resolved
from ..intake import Intake, canonical_batches
from ..recording import StoreError
from ..redaction import Headers
from ..signatures import HEADER, verify
from ..verdicts import is_refused
from ..workspaces import Input, Workspace
from . import cors
from .answers import CODES, error_answer, faulty_answer, json_answer, tell

MAX_AGE_SECONDS: Final = 86_400
"""How long a client may keep an answer, if its configuration says that it caches them; mParticle's own time is not documented."""

NOT_FOUND: Final = "NOT_FOUND_ERROR"
"""The code of a search without a match, by which the web SDK's source names it (`identity.md §6`)."""

_HEADERS: Final[Headers] = [(b"x-mp-max-age", str(MAX_AGE_SECONDS).encode())]
_MOST_ERRORS: Final = 20


def endpoints(intake: Intake) -> list[Endpoint]:
    """The table; pages of any origin may ask."""
    api = _Api(intake)
    rows = [
        Endpoint("POST", f"{prefix}/v1/{'<mpid>/' if action == 'modify' else ''}{action}", api.handler(action), direct=True)
        for prefix in ("", "/identity")
        for action in ("identify", "login", "logout", "search", "modify")
    ]
    return cors.shared(intake, rows, SOURCE)


class _Api:
    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        self.idsync = intake.workspaces.idsync

    def handler(self, action: Action) -> Callable[[Submission], Reply]:
        """What answers the requests of one kind."""

        def answer(submission: Submission) -> Reply:
            try:
                return self.answer(submission, action)
            except StoreError as error:
                return error_answer(503, str(error))

        return answer

    def answer(self, submission: Submission, action: Action) -> Reply:
        decoded, signed = self.intake.decode_signed(submission)
        sender = self._sender(submission)
        notes: list[Finding] = []
        # What cannot be unpacked cannot be verified either, and is refused for that.
        if isinstance(sender, Input) and _is_signed(submission) and signed is not None:
            wrong = verify(submission, sender, signed)
            if wrong is not None and wrong.severity == "error":
                sender = wrong
            elif wrong is not None:
                notes = [wrong]
        if isinstance(sender, Finding):
            key = submission.header(b"x-mp-key")
            named = key.decode("latin-1") if key and submission.header(b"authorization") is None else None
            self.intake.refuse(submission, 401, sender, SOURCE, named)
            return _error(401, [sender])
        request, wrong_in_it = _read(submission, action, decoded)
        findings = [*notes, *decoded.findings, *wrong_in_it]
        workspace = sender.workspace
        if any(finding.code == "body_too_large" for finding in findings):
            return self._refused(submission, sender, 413, findings)
        if is_refused(findings, workspace.mode, workspace.rules):
            return self._refused(submission, sender, 400, findings)
        asked = _Asked(submission, sender, action, request, findings)
        later = _Later(self, asked)
        # A fault is met at once: only then can it hold the answer back.
        return later.give_up() if workspace.faults.waiting else later.poll() or later

    def _sender(self, submission: Submission) -> Input | Finding:
        """Who asks: by Basic authentication, or by the key in `x-mp-key`, beside which a signature may be."""
        authorization = submission.header(b"authorization")
        if authorization is not None:
            return self.intake.workspaces.authenticate(authorization)
        key = submission.header(b"x-mp-key")
        if not key:
            return make(
                "credentials_missing",
                f"The request has no Authorization header, and its x-mp-key is {'absent' if key is None else 'empty'}.",
                hint="Send 'x-mp-key: KEY' as the SDKs do, or 'Authorization: Basic ' and base64 of KEY:SECRET.",
            )
        return self.intake.workspaces.of_key(key.decode("latin-1"))

    def _refused(self, submission: Submission, sender: Input, status: int, findings: list[Finding]) -> Answer:
        outcome = self.intake.note(submission, sender, SOURCE, status, findings)
        answer = _error(status, outcome.findings)
        return answer if outcome.fault is None else faulty_answer(outcome, outcome.fault, lambda: answer)

    def resolve(self, asked: "_Asked") -> Answer:
        """Record a request, and do what it asks for as whoever reads the records would do it. Raises StoreError."""
        recorder = self.intake.recorder
        workspace, action, request = asked.sender.workspace, asked.action, asked.request
        with self.idsync.lock:
            # What is left of a long backlog is read while uploads go on.
            self.idsync.catch_up(recorder, canonical_batches)
            with recorder.lock:
                self.idsync.catch_up(recorder, canonical_batches)
                profiles = self.idsync.of(workspace.name)
                mpid = _mpid(asked.submission) if action == "modify" else None
                profile = _find(profiles, action, mpid, request)
                findings = [*asked.findings, *_about(profile, profiles, action, mpid, request)]
                status = _status(action, profile, findings, workspace)
                outcome = self.intake.note(asked.submission, asked.sender, SOURCE, status, findings)
                resolved = self.idsync.catch_up(recorder, canonical_batches)
            good = status == 200
            answer = self._good(workspace, action, request, resolved) if good else _error(status, outcome.findings)
        return answer if outcome.fault is None else faulty_answer(outcome, outcome.fault, lambda: answer)

    def _good(self, workspace: Workspace, action: Action, request: IdentityRequest, resolved: Resolved | None) -> Answer:
        if action == "modify":
            changes = request.changes if resolved is not None else []
            mpid = str(resolved.profile.mpid) if resolved is not None else ""
            changed = [{"identity_type": BY_NAME[change.name].wire, "modified_mpid": mpid} for change in changes]
            return json_answer(200, {"change_results": changed})
        if resolved is None:
            # A fault is answered instead.
            return json_answer(200, {})
        body = {
            "context": self._context(resolved.profile),
            "mpid": str(resolved.profile.mpid),
            "matched_identities": {BY_NAME[name].wire: value for name, value in resolved.matched.items()},
            "is_ephemeral": not resolved.is_logged_in,
            "is_logged_in": resolved.is_logged_in,
        }
        return json_answer(200, body, _HEADERS)

    def _context(self, profile: Profile) -> str:
        """What clients send back, and nobody reads."""
        text = f"{self.idsync.seed}\n{profile.mpid}"
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


class _Asked(msgspec.Struct):
    """An identity request that was read, and may be answered."""

    submission: Submission
    sender: Input
    action: Action
    request: IdentityRequest
    findings: list[Finding]


class _Later:
    """The answer to a request before which a long backlog is to be read: a part at each look, so that others are answered too."""

    timeout = 60.0

    def __init__(self, api: _Api, asked: _Asked) -> None:
        self._api = api
        self._asked = asked
        self._left = 0
        self.behind = self.far_behind = True

    def expire(self) -> None:
        """Look at no more parts."""
        self.behind = self.far_behind = False

    def poll(self) -> Answer | None:
        """Read a part; the answer, if that was the last."""
        idsync, recorder = self._api.idsync, self._api.intake.recorder
        try:
            with idsync.lock:
                behind = idsync.behind(recorder)
                # Twice what has come since the last look, at least: else who uploads without a break would be all that is heard.
                enough = 2 * self._left - behind if self._left else behind - 1
                idsync.approach(recorder, canonical_batches)
                while idsync.behind(recorder) > max(enough, 0):
                    idsync.approach(recorder, canonical_batches)
                self._left = idsync.behind(recorder)
                if self._left:
                    return None
            return self.give_up()
        except StoreError as error:
            return cors.allow(error_answer(503, str(error)))

    def give_up(self) -> Answer:
        """Read all that is left; the answer."""
        # Whoever sends a reply that was waited for does not know that pages may read it.
        try:
            return cors.allow(self._api.resolve(self._asked))
        except StoreError as error:
            return cors.allow(error_answer(503, str(error)))


def _is_signed(submission: Submission) -> bool:
    return submission.header(b"authorization") is None and submission.header(HEADER) is not None


def _read(submission: Submission, action: Action, decoded: Decoded) -> tuple[IdentityRequest, list[Finding]]:
    """What is asked for, as far as it can be understood, and what is wrong with it."""
    request, findings = read(decoded.value, action) if decoded.readable else (IdentityRequest(), [])
    if action == "modify" and _mpid(submission) is None:
        said, hint = expected_mpid(submission.arguments["mpid"])
        findings.insert(0, make("mpid_out_of_range", f"The mpid in the path {said}", hint=hint))
    return request, findings


def _mpid(submission: Submission) -> int | None:
    return parse_mpid(submission.arguments["mpid"])


def _find(profiles: Profiles, action: Action, mpid: int | None, request: IdentityRequest) -> Profile | None:
    if action != "modify":
        return profiles.find(request.known)
    return profiles.get(mpid) if mpid is not None else None


def _status(action: Action, profile: Profile | None, findings: list[Finding], workspace: Workspace) -> int:
    if action == "search" and profile is None:
        return 404
    return 400 if is_refused(findings, workspace.mode, workspace.rules) else 200


# -- what a request is told that is sound by itself ------------------------------------------------------------------------


def _about(
    profile: Profile | None, profiles: Profiles, action: Action, mpid: int | None, request: IdentityRequest
) -> list[Finding]:
    """Findings on what a request means for the profiles as they are."""
    if action == "modify":
        return _about_changes(profile, mpid, request)
    if action == "search":
        return [_not_found(request.known)] if profile is None else []
    findings = []
    if request.known and not any(name in profiles.strategy.priority for name in request.known):
        findings.append(
            make(
                "identity_matches_nobody",
                f"{_wires(request.known)} cannot be matched: not in the identity priority, so this request makes a new profile.",
                pointer="/known_identities",
                raw_pointer="/known_identities",
                hint="Send an identity of the list as well, such as customerid, email or device_application_stamp.",
            )
        )
    for name, value in request.known.items():
        has = profile.identities.get(name) if profile is not None else None
        if has is not None and has != value:
            pointer = f"/known_identities/{BY_NAME[name].wire}"
            findings.append(
                make(
                    "identity_kept",
                    f"The profile keeps its {BY_NAME[name].wire}, {shown(has)!r}; {shown(value)!r} was not taken.",
                    pointer=pointer,
                    raw_pointer=pointer,
                    hint="Change identities with modify.",
                )
            )
    return findings


def _not_found(known: Identities) -> Finding:
    return make(
        "profile_not_found",
        f"No profile matches {_wires(known) or 'a request without identities'}.",
        hint="A profile with login IDs is only found by one of these. GET /_fake/profiles lists those there are.",
    )


def _wires(known: Identities) -> str:
    return ", ".join(BY_NAME[name].wire for name in known)


def _about_changes(profile: Profile | None, mpid: int | None, request: IdentityRequest) -> list[Finding]:
    if profile is None:
        if mpid is None:
            return []
        return [
            make(
                "profile_unknown",
                f"No profile of this workspace has the mpid {mpid}; nothing was changed.",
                hint="Identify first; a server that keeps its records in memory has forgotten everybody when it starts again.",
            )
        ]
    findings = []
    for index, change in enumerate(request.changes):
        if change.name in DEVICE:
            fits = change.old is None or profile.has(change.name, change.old)
        else:
            fits = profile.identities.get(change.name) == change.old
        if not fits:
            has = profile.identities.get(change.name) or ", ".join(map(shown, profile.device_ids.get(change.name, []))) or None
            pointer = f"/identity_changes/{index}/old_value"
            findings.append(
                make(
                    "identity_change_mismatch",
                    f"identity_changes[{index}].old_value is {_or_null(change.old)}; the profile has {_or_null(has)}.",
                    pointer=pointer,
                    raw_pointer=pointer,
                    hint="The client may know an older state of the profile.",
                )
            )
        if len(findings) == _MOST_ERRORS:
            break
    return findings


def _or_null(value: str | None) -> str:
    return "null" if value is None else repr(shown(value))


# -- errors ----------------------------------------------------------------------------------------------------------------


def _error(status: int, findings: Sequence[Finding]) -> Answer:
    """An error body, with the twin in capitals that the web SDK reads on 400 (`identity.md §9`)."""
    wrong = [finding for finding in findings if finding.severity == "error"] or findings
    code = NOT_FOUND if status == 404 else CODES[status]
    errors = [{"code": code, "message": tell(finding)} for finding in wrong[:_MOST_ERRORS]]
    return json_answer(status, {"errors": errors, "Errors": errors})
