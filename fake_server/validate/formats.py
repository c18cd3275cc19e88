"""The report of `validate` for programs: JSON, annotations of GitHub Actions, JUnit XML, SARIF 2.1.0. Called by the command line.

Texts of payloads come without control characters (`terminal.plain`), then escaped as each format wants it.
"""

import json
import re
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from ..checks.explanations import MENDING
from ..checks.finding import CODES, help_of
from ..version import __version__
from ..words import plain
from .report import Report, Shown
from .sources import STDIN
from .text import summary

_MOST: Final = 2_000
"""Characters of a message, also with its hint."""

Json = Any


def _message(shown: Shown) -> str:
    finding = shown.finding
    batch = "" if shown.index is None else f"batch [{shown.index}]: "
    return plain(f"{batch}{finding.message}{f' {finding.hint}' if finding.hint else ''}", _MOST)


def _document(value: Json) -> str:
    # In ASCII: a terminal would obey some characters beyond it, too.
    return json.dumps(value, indent=2) + "\n"


# -- JSON ------------------------------------------------------------------------------------------------------------------


def json_text(report: Report) -> str:
    """One object: `summary`, `files` and `findings`."""
    findings = [
        {
            "file": shown.file.name,
            "line": shown.line,
            "column": shown.column,
            "index": shown.index,
            "code": shown.finding.code,
            "severity": shown.finding.severity,
            "pointer": shown.finding.pointer,
            "message": shown.finding.message,
            "hint": shown.finding.hint,
            "help": help_of(shown.finding.code),
        }
        for shown in report.shown
    ]
    files = [
        {
            "file": file.name,
            "batches": file.batches,
            "events": file.events,
            "findings": file.findings,
            "skipped_requests": file.skipped,
            "problem": file.problem,
        }
        for file in report.files
    ]
    counts = {
        "batches": report.batches,
        "events": report.events,
        "findings": report.found,
        "shown": len(report.shown),
        "by_severity": report.by_severity(),
        "by_code": {code: count for _, code, count in report.by_code()},
    }
    return _document({"summary": counts, "files": files, "findings": findings})


# -- GitHub ----------------------------------------------------------------------------------------------------------------

_LEVELS: Final = {"error": "error", "warning": "warning", "note": "notice"}


def github_text(report: Report) -> str:
    """Workflow commands, one a line, and a summary."""
    return "".join(f"{line}\n" for line in (*_github_lines(report), summary(report)))


def _github_lines(report: Report) -> Iterator[str]:
    for file in report.files:
        if file.problem is not None:
            yield f"::error file={_property(file.name)}::{_data(plain(f'{file.name} {file.problem}.', _MOST))}"
    for shown in report.shown:
        finding = shown.finding
        place = f"file={_property(shown.file.name)},line={shown.line},col={shown.column},title={_property(finding.code)}"
        yield f"::{_LEVELS[finding.severity]} {place}::{_data(_message(shown))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


# -- JUnit -----------------------------------------------------------------------------------------------------------------

_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_text(report: Report) -> str:
    """A test suite for each input, a failed case for each error that is shown, a passed one for what is less."""
    suites = [_suite(report, number) for number in range(len(report.files))]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="mparticle-fake validate">\n'
        + "".join(suites)
        + "</testsuites>\n"
    )


def _suite(report: Report, number: int) -> str:
    file = report.files[number]
    name = _attribute(file.name)
    cases = [_case(shown) for shown in report.shown if shown.file is file]
    failures = sum(shown.finding.severity == "error" for shown in report.shown if shown.file is file)
    if file.problem is not None:
        cases.append(f'  <testcase classname={name} name="read"><error message={_attribute(file.problem)}/></testcase>\n')
    if not cases:
        cases.append(f"  <testcase classname={name} name={_attribute(f'{file.batches} batches')}/>\n")
    errors = int(file.problem is not None)
    head = f' <testsuite name={name} tests="{len(cases)}" failures="{failures}" errors="{errors}" skipped="0">\n'
    return f"{head}{''.join(cases)} </testsuite>\n"


def _case(shown: Shown) -> str:
    finding = shown.finding
    start = f"  <testcase classname={_attribute(shown.file.name)} name={_attribute(f'line {shown.line}: {finding.code}')}>"
    text = f"{shown.file.name}:{shown.line}:{shown.column}: {_message(shown)}\n{help_of(finding.code)}"
    body = escape(_xml(text))
    if finding.severity == "error":
        inner = f"<failure type={_attribute(finding.code)} message={_attribute(_message(shown))}>{body}</failure>"
    else:
        inner = f"<system-out>{finding.severity}: {body}</system-out>"
    return f"{start}{inner}</testcase>\n"


def _xml(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _attribute(text: str) -> str:
    return f'"{escape(_xml(text))}"'


# -- SARIF -----------------------------------------------------------------------------------------------------------------


def sarif_text(report: Report) -> str:
    """A log of one run, with a rule for each code that is shown."""
    codes = sorted({shown.finding.code for shown in report.shown})
    problems = [
        {
            "level": "error",
            "message": {"text": plain(f"{file.name} {file.problem}.", _MOST)},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(file.path)}}}],
        }
        for file in report.files
        if file.problem is not None
    ]
    run = {
        "tool": {
            "driver": {
                "name": "mparticle-fake validate",
                "semanticVersion": __version__,
                "rules": [_rule(code) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": not problems, "toolExecutionNotifications": problems}],
        "results": [_result(shown, codes.index(shown.finding.code)) for shown in report.shown],
        "properties": {"batches": report.batches, "events": report.events, "findings": report.found},
    }
    return _document(
        {
            "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
            "version": "2.1.0",
            "runs": [run],
        }
    )


def _rule(code: str) -> Json:
    about = CODES[code]
    return {
        "id": code,
        "shortDescription": {"text": about.explanation},
        "help": {"text": f"{about.explanation} Example: {about.example}. To mend it: {MENDING[code]} See {help_of(code)}."},
        "defaultConfiguration": {"level": about.severity},
    }


def _result(shown: Shown, rule: int) -> Json:
    finding = shown.finding
    physical = {
        "artifactLocation": {"uri": _uri(shown.file.path)},
        "region": {"startLine": shown.line, "startColumn": shown.column},
    }
    return {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": finding.severity,
        "message": {"text": _message(shown)},
        "locations": [{"physicalLocation": physical}],
    }


def _uri(path: str) -> str:
    if path == STDIN:
        return "stdin"
    absolute = Path(path)
    if absolute.is_absolute():
        return absolute.as_uri()
    # A colon in the first part would read as a scheme.
    return quote(absolute.as_posix().encode("utf-8", "surrogateescape"), safe="/")


FORMATS: Final[dict[str, Callable[[Report], str]]] = {
    "json": json_text,
    "github": github_text,
    "junit": junit_text,
    "sarif": sarif_text,
}
