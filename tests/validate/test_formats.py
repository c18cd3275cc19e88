"""What `validate` writes for programs, and its options."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from tests.validate.conftest import Validate, batch, findings, line, ndjson, told, wrong

HOSTILE = "a\x1b[31m\r\n::error::b%0A]]>&<\"'\u202e\ufffe\x00,:\u2028"
"""A name that would write commands, tags and colours, if it could."""


def hostile() -> str:
    # As the name of a member it comes into a message.
    return line(batch(events=[{HOSTILE: 1}]))


def test_json_has_the_counts_and_each_finding_with_its_place(validate: Validate) -> None:
    result = validate(ndjson(batch(), wrong()), "--format=json")

    shown = json.loads(result.stdout)
    assert shown["summary"] == {
        "batches": 2,
        "events": 2,
        "findings": 1,
        "shown": 1,
        "by_severity": {"error": 1, "warning": 0, "note": 0},
        "by_code": {"event_type_missing": 1},
    }
    [file] = shown["files"]
    assert file == {
        "file": "input.ndjson",
        "batches": 2,
        "events": 2,
        "findings": 1,
        "skipped_requests": 0,
        "problem": None,
    }
    [finding] = shown["findings"]
    assert (finding["file"], finding["line"], finding["severity"], finding["pointer"]) == (
        "input.ndjson", 2, "error", "/events/0",
    )  # fmt: skip
    assert finding["help"] == "docs/findings.md#event_type_missing"


def test_json_shows_hostile_text_without_harm(validate: Validate) -> None:
    result = validate(hostile(), "--format=json")

    assert result.stdout.isascii()
    assert "\x1b" not in result.stdout
    assert findings(result)[0]["code"] == "event_type_missing"


def test_github_gets_one_annotation_a_finding(validate: Validate) -> None:
    result = validate(ndjson(wrong()), "--format=github")

    annotation, summary = result.stdout.splitlines()
    assert annotation.startswith("::error file=input.ndjson,line=1,col=")
    assert ",title=event_type_missing::events[0].event_type is missing" in annotation
    assert summary == "1 batch, 1 event: 1 error, 0 warnings, 0 notes."


def test_github_escapes_what_would_be_a_command(validate: Validate) -> None:
    Path("a,b:c%.ndjson").write_text(hostile())

    result = validate(None, "a,b:c%.ndjson", "--format=github")

    lines = result.stdout.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("::error file=a%2Cb%3Ac%25.ndjson,line=1,")
    assert "%250A" in lines[0]
    assert "%0A" not in lines[0].replace("%250A", "")


def test_github_is_told_of_inputs_that_cannot_be_used(validate: Validate) -> None:
    result = validate(None, "missing.ndjson", "--format=github")

    assert result.stdout.startswith("::error file=missing.ndjson::missing.ndjson cannot be read")


def test_junit_is_a_suite_a_file_and_a_failure_an_error(validate: Validate) -> None:
    Path("fine.ndjson").write_text(ndjson(batch()))

    result = validate(ndjson(wrong(), batch(user_identities={"customerid": "c"})), "fine.ndjson", "missing", "--format=junit")

    first, fine, missing = ET.fromstring(result.stdout.encode())
    assert (first.get("name"), first.get("tests"), first.get("failures"), first.get("errors")) == ("input.ndjson", "2", "1", "0")
    failed, noted = first
    assert failed.get("name") == "line 1: event_type_missing"
    assert [child.tag for child in failed] == ["failure"]
    assert [child.tag for child in noted] == ["system-out"]
    assert (fine.get("tests"), fine.get("failures")) == ("1", "0")
    assert (missing.get("errors"), missing[0][0].tag) == ("1", "error")


def test_junit_can_be_parsed_whatever_the_payload_holds(validate: Validate) -> None:
    result = validate(hostile(), "--format=junit")

    [suite] = ET.fromstring(result.stdout.encode())
    text = suite[0][0].text
    assert text is not None
    assert r"\x1b[31m" in text


def test_sarif_has_what_its_schema_requires(validate: Validate) -> None:
    Path("a b").mkdir()
    Path("a b/ü#.ndjson").write_text(ndjson(wrong(), batch(user_identities={"customerid": "c"})))

    result = validate(hostile(), "a b/ü#.ndjson", "missing", "--format=sarif")

    log = json.loads(result.stdout)
    assert (log["version"], log["$schema"].rpartition("/")[2]) == ("2.1.0", "sarif-schema-2.1.0.json")
    [run] = log["runs"]
    driver = run["tool"]["driver"]
    rules = driver["rules"]
    assert driver["name"] == "mparticle-fake validate"
    assert len({rule["id"] for rule in rules}) == len(rules) == 2
    for result_ in run["results"]:
        _holds(result_, rules)
    uris = [each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in run["results"]]
    assert uris == ["input.ndjson", "a%20b/%C3%BC%23.ndjson", "a%20b/%C3%BC%23.ndjson"]
    [invocation] = run["invocations"]
    assert invocation["executionSuccessful"] is False
    [notification] = invocation["toolExecutionNotifications"]
    assert notification["message"]["text"].startswith("missing cannot be read")


def _holds(result: dict[str, Any], rules: list[dict[str, Any]]) -> None:
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert result["level"] in ("error", "warning", "note")
    assert result["message"]["text"]
    [location] = result["locations"]
    region = location["physicalLocation"]["region"]
    assert region["startLine"] >= 1
    assert region["startColumn"] >= 1


def test_ignored_codes_are_neither_shown_nor_counted(validate: Validate) -> None:
    result = validate(ndjson(*[batch(source_request_id="a")] * 2), "--ignore=duplicate_batch", "--format=json")

    assert json.loads(result.stdout)["summary"]["findings"] == 0


def test_raised_codes_make_the_status_1(validate: Validate) -> None:
    text = ndjson(*[batch(source_request_id="a")] * 2)

    assert validate(text).exit_code == 0
    result = validate(text, "--error=duplicate_batch", "--format=json")
    assert result.exit_code == 1
    assert findings(result)[0]["severity"] == "error"


@pytest.mark.parametrize(("least", "status"), [("error", 0), ("warning", 1), ("note", 1)])
def test_fail_on_says_what_makes_the_status_1(validate: Validate, least: str, status: int) -> None:
    result = validate(ndjson(*[batch(source_request_id="a")] * 2), f"--fail-on={least}")

    assert result.exit_code == status


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("--ignore=duplicate-batch", "did you mean duplicate_batch?"),
        ("--ignore=json_broken", "json_broken cannot be ignored"),
        ("--now=yesterday", "'yesterday' is neither milliseconds since 1970 nor a time"),
        ("--format=xml", "'xml' is not one of"),
        ("--max=0", "0 is not in the range"),
    ],
)
def test_wrong_usage_is_status_2_with_the_reason(validate: Validate, argument: str, said: str) -> None:
    result = validate(ndjson(batch()), argument)

    assert result.exit_code == 2
    assert said in re.sub(r"\s+", " ", result.stderr)


def test_no_file_is_wrong_usage(validate: Validate) -> None:
    assert validate(None).exit_code == 2


@pytest.mark.parametrize("now", ["1800000000000", "2027-01-15T08:00:00Z", "2027-01-15 09:00+01:00", "2027-01-15T08:00"])
def test_now_is_a_time_or_milliseconds(validate: Validate, now: str) -> None:
    data = {"event_name": "Play", "custom_event_type": "media", "timestamp_unixtime_ms": 1_800_000_400_000}
    text = ndjson(batch(events=[{"event_type": "custom_event", "data": data}]))

    result = validate(text, f"--now={now}", "--format=json")

    assert [finding["pointer"] for finding in findings(result)] == ["/events/0/data/timestamp_unixtime_ms"]
    assert "2027" in result.stdout or "minute" in result.stdout or "400" in result.stdout


def test_max_bounds_what_is_shown_and_not_what_is_counted(validate: Validate) -> None:
    result = validate(ndjson(*[wrong()] * 9), "--format=json", "--max=4")

    assert len(told(result)) == 4
    assert json.loads(result.stdout)["summary"]["findings"] == 9
