"""What becomes of a test for what it sent: the verdict, warnings, the section in the report of a failed one, the dump, and what
came late. `plugin.py` calls it where pytest does.
"""

import hashlib
import json
import re
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from mparticle_fake_server.checks.finding import CODES
from mparticle_fake_server.items import event_items, event_names
from mparticle_fake_server.words import counted, printable

from .errors import MParticleError, MParticleWarning
from .marker import Allowance
from .source import test_of
from .wording import FAULT, called, hint_of, of_ended, of_silence

if TYPE_CHECKING:
    import pytest

    from mparticle_fake_server.checks.finding import Finding
    from mparticle_fake_server.items import BatchItem, EventItem, RequestItem

    from .inbox import Inbox
    from .source import Source

MOST_LINES: Final = 40
"""Lines of the section in a report; what a test sent beyond is counted."""

MOST_OFFENCES: Final = 10
MOST_LATE: Final = 20
MOST_TEXT: Final = 300
"""Characters that are shown of the message of a finding."""

MOST_OF_A_NAME: Final = 120
"""Characters of the name of a dump."""


class Part(NamedTuple):
    """A request, or one of its batches, and what was found in it. `verdict` is that of a batch."""

    name: str
    verdict: str | None
    findings: "list[Finding]"


class Trial:
    """One test and what it sent. `path` and `line` say where the test is written."""

    def __init__(self, source: "Source", workspace: str, allowance: Allowance, path: str, line: int) -> None:
        self._source = source
        self._workspace = workspace
        self._allowance = allowance
        self._path = path
        self._line = line
        self._began_ms = time.time_ns() // 1_000_000
        self._judged = self._judged_keyless = 0
        self._warned: set[str] = set()
        self._over: tuple[list[RequestItem], list[BatchItem]] | None = None
        self.failed = False
        """Whether pytest has reported a failure of this test."""
        self.skipped = False
        """Whether pytest has reported it as skipped, or as failed as expected: then nobody judges what it sent."""
        self.inbox: Inbox | None = None
        """What the test asks, once there is one."""

    # -- the verdict -------------------------------------------------------------------------------------------------------

    def judge(self, *, over: bool = False) -> str | None:
        """Why the test fails for what it sent since the last time, or None; gives the warnings there are.

        `over`: nothing more is to come, so that what has not happened is told too.
        """
        if self._source.forked:
            return None
        requests = self._requests()[self._judged :]
        self._judged += len(requests)
        requests += self._keyless()
        parts = [(request, part) for request in requests for part in _parts(request)]
        wrong = [(request, part, found) for request, part in parts if (found := _offending(part, self._allowance))]
        if wrong:
            self.failed = True
            return _verdict(wrong, self._allowance)
        try:
            self._warn(part for _, part in parts)
            if over and not self.failed:
                self._warn_of_faults()
                self._warn_of_strangers()
        except MParticleWarning as error:
            # A filter of the suite makes errors of them.
            self.failed = True
            return str(error)
        return None

    def _keyless(self) -> "list[RequestItem]":
        """What came without an API key since the last time, if this test sent such under `intercept()`."""
        if self.inbox is None or not self.inbox.sent_keyless:
            return []
        found = [
            request
            for request in self._unclaimed_requests()
            if any(finding.code == "credentials_missing" for finding in request.findings)
        ]
        new = found[self._judged_keyless :]
        self._judged_keyless = len(found)
        return new

    def _warn(self, parts: Iterator[Part]) -> None:
        """One MParticleWarning for each code, so that a loop does not drown the summary."""
        if self._allowance.everything:
            return
        found: dict[str, list[Finding]] = {}
        for part in parts:
            for finding in part.findings:
                if (
                    finding.severity == "warning"
                    and finding.code not in self._warned
                    and not self._allowance.covers(finding.code)
                ):
                    found.setdefault(finding.code, []).append(finding)
        self._warned |= found.keys()
        for first, *others in found.values():
            text = _tell(first) + (f" (And {len(others)} more of this kind.)" if others else "")
            warnings.warn_explicit(text, MParticleWarning, self._path, self._line)

    def _warn_of_faults(self) -> None:
        """What is left of fail_next: the code under test did not try as often as the test thinks."""
        counts = [fault.get("times", 1) for fault in self._source.faults(self._workspace)]
        # Those without a number are of fail_always and delay, which need not be met.
        if left := sum(count for count in counts if count is not None):
            text = f"{counted(left, 'fault')} of fail_next {'was' if left == 1 else 'were'} met by no request."
            text += " The code under test sent less often than that: lower `times`, or find out why it does not try again."
            warnings.warn_explicit(text, MParticleWarning, self._path, self._line)

    def _warn_of_strangers(self) -> None:
        """What was refused instead, where nothing came with the key of the test: an assertion that nothing did holds for that."""
        if self._judged or self._source.shared:
            return
        strangers = [
            (request, finding.code)
            for request in self._unclaimed_requests()
            # What still sends with a key that a former test claimed is told at the end of the run.
            if request.key not in self._source.given_back
            for finding in request.findings
            if finding.code in ("credentials_missing", "credentials_wrong") and not self._allowance.covers(finding.code)
        ]
        if not strangers:
            return
        last, code = strangers[-1]
        count = len(strangers)
        text = f"Nothing came with this test's key, but {counted(count, 'request')} with credentials of no test did"
        text += f"{', the last' if count > 1 else ''}: {_head(last)}{_with_key(last)}."
        text += " If that is the code under test, it does not send with fake_mparticle.key and .secret"
        text += f"; fake_mparticle.claim({last.key[:40]!r}) receives what is sent with this one." if last.key else "."
        meant = json.dumps(sorted({code for _, code in strangers} | self._allowance.marked))
        text += f" If it is meant to: @pytest.mark.mparticle(allow_invalid={meant}); for all tests: mparticle_allow."
        warnings.warn_explicit(f"{text} [{code}]", MParticleWarning, self._path, self._line)

    # -- the report --------------------------------------------------------------------------------------------------------

    def section(self) -> str:
        """What the test sent, a line a batch and event, with the findings."""
        try:
            return "\n".join(self._lines())
        except MParticleError as error:
            return str(error)

    def _lines(self) -> list[str]:
        batches = {batch.id: batch for batch in self._batches()}
        lines = [line for request in self._requests() for line in _describe(request, batches, self._began_ms)]
        unclaimed = self._unclaimed()
        if not lines:
            interceptions = self.inbox.interceptions if self.inbox is not None else []
            ended = of_ended(self.inbox.of_ended_tests()) if self.inbox is not None else []
            lines = ["Nothing was sent with this test's key.", *(ended or ([] if unclaimed else of_silence(interceptions)))]
        if len(lines) > MOST_LINES:
            lines[MOST_LINES - 1 :] = [
                f"… and {len(lines) - MOST_LINES + 1} more lines. --mparticle-dump DIR writes all batches."
            ]
        return lines + unclaimed

    def _unclaimed(self) -> list[str]:
        found = self._unclaimed_requests()
        lines = [line for request in found[:MOST_OFFENCES] for line in _describe_unclaimed(request)]
        if len(found) > MOST_OFFENCES:
            lines.append(f"  … and {len(found) - MOST_OFFENCES} more")
        return ["Unclaimed, sent by this test or by something beside it with credentials of no test:", *lines] if lines else []

    def _unclaimed_requests(self) -> "list[RequestItem]":
        return self.inbox.unclaimed_items() if self.inbox is not None else []

    def _dump(self, folder: Path, test_id: str) -> Path | None:
        """Write what was sent to a file of the test's name, NDJSON as `/_fake/import` takes it; returns it, None if nothing was.

        A line is a batch, or a request that was refused before it had any; last come those with credentials of no test.
        """
        folder.mkdir(parents=True, exist_ok=True)
        batches: dict[str, list[BatchItem]] = {}
        for batch in self._batches():
            batches.setdefault(batch.request_id, []).append(batch)
        sent: list[BatchItem | RequestItem] = []
        for request in self._requests():
            sent += batches.get(request.id) or (request,)
        lines = b"".join(msgspec.json.encode(item) + b"\n" for item in [*sent, *self._unclaimed_requests()])
        file = folder / file_name(test_id)
        if not lines:
            # One of an earlier run would be taken for this one's.
            file.unlink(missing_ok=True)
            return None
        file.write_bytes(lines)
        return file

    def report(self, report: "pytest.TestReport", folder: Path | None) -> None:
        """Add the section to the report of a failure; with a `folder`, write what was sent before it and since."""
        if self._source.forked:
            return
        if report.failed:
            report.sections.append(("mParticle", self.section()))
        if folder is not None and (report.failed or (self.failed and report.when == "teardown")):
            try:
                file = self._dump(folder, report.nodeid)
            except (OSError, MParticleError) as error:
                report.sections.append(("mParticle", f"--mparticle-dump: {_why_unwritten(folder, error)}"))
            else:
                if file is not None and report.failed:
                    report.sections[-1] = ("mParticle", f"{report.sections[-1][1]}\nWritten to {file}")
        self.failed = self.failed or report.failed
        # The last one counts: those of subtests come before that of their test.
        self.skipped = report.skipped

    def end(self) -> None:
        """The test is over: keep what the report of its teardown needs if it failed, and forget the rest."""
        if self._source.forked:
            return
        self._over = self._requests(), self._batches() if self.failed else []
        self._source.retire_workspace(self._workspace)

    def _requests(self) -> "list[RequestItem]":
        return self._over[0] if self._over else self._source.requests(self._workspace)

    def _batches(self) -> "list[BatchItem]":
        return self._over[1] if self._over else self._source.batches(self._workspace)


def _parts(request: "RequestItem") -> Iterator[Part]:
    """What is to be judged of a request: nothing if the test itself asked for its failure."""
    if any(finding.code == "fault_injected" for finding in request.findings):
        return
    yield Part(f"request {request.id}", None, request.findings)
    for batch in request.batches:
        yield Part(f"batch {batch.id}", batch.verdict, batch.findings)


def _offending(part: Part, allowance: Allowance) -> "list[Finding]":
    """The findings of a part for which a test fails: errors, and why a batch was dropped."""
    return [
        finding
        for finding in part.findings
        if (finding.severity == "error" or (part.verdict == "dropped" and CODES[finding.code].effect in ("refuse", "drop")))
        and not allowance.covers(finding.code)
    ]


def _verdict(wrong: "list[tuple[RequestItem, Part, list[Finding]]]", allowance: Allowance) -> str:
    codes = {finding.code for _, _, findings in wrong for finding in findings}
    first = wrong[0][2][0]
    others = f" and {counted(len(codes) - 1, 'other code')}" if len(codes) > 1 else ""
    # The first line alone stands in the summary of the run.
    lines = [f"{first.code}{others}: production would not take what this test sent.", ""]
    for request, part, findings in wrong[:MOST_OFFENCES]:
        became = f", {part.verdict}" if part.verdict else ""
        lines.append(f"  {part.name} ({_head(request)}){became}")
        lines += [f"    {_describe_finding(finding)}" for finding in findings[:MOST_OFFENCES]]
        if len(findings) > MOST_OFFENCES:
            lines.append(f"    … and {len(findings) - MOST_OFFENCES} more")
    if len(wrong) > MOST_OFFENCES:
        lines.append(f"  … and {len(wrong) - MOST_OFFENCES} more")
    codes.discard("server_error")
    if codes:
        # The nearest marker counts alone, so that one to be pasted needs what the test has as well.
        allowed = json.dumps(sorted(codes | allowance.marked))
        lines += ["", f"If it is meant to: @pytest.mark.mparticle(allow_invalid={allowed}); for all tests: mparticle_allow."]
    return "\n".join(lines)


# -- words -----------------------------------------------------------------------------------------------------------------


def _tell(finding: "Finding") -> str:
    return f"{_said(finding)} [{finding.code}]"


def _describe_finding(finding: "Finding") -> str:
    if finding.code == "fault_injected":
        return FAULT
    where = f" at {finding.pointer}" if finding.pointer else ""
    return printable(f"{finding.severity} {finding.code}{where}: ") + _said(finding)


def _said(finding: "Finding") -> str:
    hint = hint_of(finding)
    return printable(_shortened(f"{finding.message} {hint}" if hint else finding.message))


def _shortened(text: str) -> str:
    return text if len(text) <= MOST_TEXT else f"{text[: MOST_TEXT - 1]}…"


def _head(request: "RequestItem") -> str:
    return printable(f"{called(request.method, _shortened(request.path))}, answered {request.status}")


def _with_key(request: "RequestItem") -> str:
    return f", key {request.key[:40]!r}" if request.key else ""


def _codes(findings: "list[Finding]") -> str:
    return ", ".join(dict.fromkeys(finding.code for finding in findings)) or "no finding"


def _describe_unclaimed(request: "RequestItem") -> Iterator[str]:
    yield f"  {_head(request)}{_with_key(request)}: {_codes(request.findings)}"
    if request.method == "?":
        # Whose it is, what it has found alone can tell.
        yield from (f"    {_describe_finding(finding)}" for finding in request.findings)


def _describe(request: "RequestItem", batches: "dict[str, BatchItem]", began_ms: int) -> Iterator[str]:
    yield f"+{max(0, request.received_at_ms - began_ms)} ms  {_head(request)}"
    yield from (f"    {_describe_finding(finding)}" for finding in request.findings)
    for summary in request.batches:
        batch = batches.get(summary.id)
        yield f"  batch {summary.id}, {summary.verdict}{_whose(batch)}"
        for event in event_items(batch) if batch is not None else ():
            yield f"    {_name(event)}"
        yield from (f"    {_describe_finding(finding)}" for finding in summary.findings)


def _whose(batch: "BatchItem | None") -> str:
    identities = batch.batch.get("user_identities") if batch is not None else None
    if not isinstance(identities, dict) or not identities:
        return ""
    kind, value = next(iter(identities.items()))
    return printable(f", {kind} {str(value)[:60]!r}")


def _name(event: "EventItem") -> str:
    names = event_names(event.event)
    kind = str(event.event.get("event_type"))[:60]
    return printable(f"{kind} {names[0][:100]!r}" if names else kind)


def _why_unwritten(folder: Path, error: OSError | MParticleError) -> str:
    # The words of an OSError begin with its number, and name the file or not.
    reason = error.strerror or error if isinstance(error, OSError) else error
    return f"nothing is written to {folder}: {reason}"


def file_name(test_id: str) -> str:
    """The name of a test's dump: readable, valid everywhere, and another one for another test."""
    name = test_id.replace("/", ".").replace("::", "-")
    safe = re.sub(r"[^\w.\[\]=,-]+", "_", name, flags=re.ASCII)
    if safe != name or len(safe) > MOST_OF_A_NAME:
        safe = f"{safe[:MOST_OF_A_NAME]}-{hashlib.sha256(test_id.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return f"{safe}.ndjson"


# -- what came late --------------------------------------------------------------------------------------------------------


def late_lines(source: "Source") -> list[str]:
    """A line for each test after whose end something was sent with its key, and for each claimed key between two tests."""
    if source.forked:
        return []
    lines = []
    for workspace in source.late():
        requests, events = source.requests(workspace), source.events(workspace)
        names = list(dict.fromkeys(_name(event) for event in events))
        what = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
        lines.append(f"{test_of(workspace)}: {counted(len(requests), 'request')}, {counted(len(events), 'event')}: {what or '–'}")
    unclaimed = source.requests(None) if source.given_back else []
    for key, before in source.given_back.items():
        if count := sum(request.key == key for request in unclaimed[before:]):
            lines.append(f"the key {key[:40]!r}, when no test claimed it any more: {counted(count, 'request')}, refused")
    return lines


def tell_late(lines: list[str]) -> str:
    """What the end of a run says about them."""
    more = f"\n… and {len(lines) - MOST_LATE} more tests" if len(lines) > MOST_LATE else ""
    return (
        "\n".join(lines[:MOST_LATE])
        + more
        + "\nNo test saw these. Let the code under test send, or wait for it (fake_mparticle.wait_for), before the test ends;"
        + " a client that it keeps from one test to the next sends with the key of the first."
    )
