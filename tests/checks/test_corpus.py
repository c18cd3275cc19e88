"""The batches that are labelled by hand are reported exactly, nothing more and nothing less, by the checks alone.

That the running fake reports the same, and all that is made by rule, is tested in `tests/fixtures/test_flawed.py`.
"""

import re
from collections import Counter
from typing import Any, Final

import pytest

from mparticle_fake_server import dialects
from mparticle_fake_server.checks import check
from mparticle_fake_server.checks.batch import check_historical
from mparticle_fake_server.checks.finding import Finding
from mparticle_fake_server.checks.history import History
from mparticle_fake_server.decoding import decode
from mparticle_fixtures.flawed import SEVERITY, Label
from tests.checks.corpus import NOW_MS, Entry, at, read, tokens

FLAWED = read("flawed")
VALID = read("valid")

OF_A_REQUEST: Final = {
    # What concerns no batch, but whoever sends, and how.
    "path_unknown", "method_not_allowed", "credentials_missing", "credentials_wrong", "body_too_large",
}  # fmt: skip
OF_THE_INTAKE: Final = {
    # What is told by the request's bytes and its path, or by the recorder, and not by the content of one batch.
    "content_encoding_unknown", "compression_broken", "charset_unknown", "encoding_broken", "json_broken", "json_too_deep",
    "number_out_of_range", "wrong_top_level", "too_many_batches", "batch_too_large", "request_too_large", "duplicate_batch",
}  # fmt: skip

EXPECTATION: Final = re.compile(r"\b(expected|needs|ignores)\b")
"""How a message says what it should have been; what mParticle ignores can only be left out."""


def of_batches(entries: list[Entry]) -> list[Entry]:
    """Those that the checks can tell without the intake: the historical endpoint has rules of its own."""
    told = [entry for entry in entries if not entry.path.endswith("historical")]
    return [
        entry for entry in told if not any(code in OF_THE_INTAKE and code != "duplicate_batch" for code, _, _ in entry.labels)
    ]


def look(entry: Entry) -> tuple[list[Finding], list[dict[str, Any]]]:
    """The findings of decoding, dialect and checks on an entry, and its canonical batches: what the intake does to a request."""
    history = History()
    for body in entry.before:
        check(canonical(decode(body, None, None, len(body)).value)[0][0], NOW_MS, history)
    encoding, content_type = (entry.headers.get(name) for name in ("Content-Encoding", "Content-Type"))
    decoded = decode(entry.body, encoding.encode() if encoding else None, content_type.encode() if content_type else None, 10**7)
    batches, findings = canonical(decoded.value)
    findings += [replaced(finding, pointer=finding.raw_pointer or "") for finding in decoded.findings]
    for index, batch in enumerate(batches):
        found = check(batch, NOW_MS, history)
        findings += [replaced(finding, index=index) for finding in found] if entry.bulk else found
    return findings, batches


def canonical(value: Any) -> tuple[list[dict[str, Any]], list[Finding]]:
    batches = value if isinstance(value, list) else [value]
    dialect = dialects.detect(batches)
    return batches, [note for batch in batches for note in dialects.translate(batch, dialect)]


def replaced(finding: Finding, **members: Any) -> Finding:
    values: dict[str, Any] = {name: getattr(finding, name) for name in Finding.__struct_fields__}
    return Finding(**values | members)


def labels_of(findings: list[Finding]) -> list[Label]:
    return sorted((Label(finding.code, finding.pointer, finding.index) for finding in findings), key=str)


@pytest.mark.parametrize("entry", of_batches(FLAWED), ids=str)
def test_a_flawed_batch_gets_its_findings_and_no_others(entry: Entry) -> None:
    findings, _ = look(entry)

    assert labels_of(findings) == [label for label in entry.labels if label.code not in OF_THE_INTAKE], entry.why


@pytest.mark.parametrize("entry", of_batches(VALID), ids=str)
def test_a_near_miss_gets_no_finding(entry: Entry) -> None:
    findings, _ = look(entry)

    assert findings == [], entry.why


@pytest.mark.parametrize("entry", of_batches(FLAWED), ids=str)
def test_a_finding_points_to_what_exists_and_tells_where_it_is_and_how_to_mend_it(entry: Entry) -> None:
    findings, batches = look(entry)

    for finding in findings:
        at(batches[finding.index or 0], finding.pointer)
        assert finding.code == "lone_surrogate" or all(name in finding.message for name in place(finding.pointer)), finding
        assert len(finding.message) < 500, finding
        assert finding.severity == "note" or finding.hint or EXPECTATION.search(finding.message), finding


def place(pointer: str) -> list[str]:
    """What a message must say of a place: the event, and the last name unless that is merely `data`. Long names may be cut.

    Only half surrogates are told by line and column: that is where an editor finds them.
    """
    steps = tokens(pointer)
    names = [f"events[{steps[1]}]"] if steps[:1] == ["events"] and len(steps) > 1 else []
    if steps and not steps[-1].isdigit() and steps[-1] != "data":
        names.append(steps[-1][:30])
    return names


def test_the_corpus_has_at_least_170_flawed_batches() -> None:
    assert len(FLAWED) >= 170


def test_every_code_on_a_batch_is_labelled_in_two_places() -> None:
    places = Counter(code for code, _ in {(code, str(entry)) for entry in FLAWED for code, _, _ in entry.labels})

    assert {code: places[code] for code in SEVERITY if code not in OF_A_REQUEST and places[code] < 2} == {}


@pytest.mark.parametrize("entry", [entry for entry in FLAWED if any(label[1] for label in entry.labels)], ids=str)
def test_every_label_points_to_what_exists(entry: Entry) -> None:
    batches, _ = canonical(decode(entry.body, None, None, len(entry.body)).value)

    for _, pointer, index in entry.labels:
        at(batches[index or 0], pointer)


HOUR_MS: Final = 60 * 60 * 1000


@pytest.mark.parametrize(
    ("age_ms", "codes"), [(72 * HOUR_MS - 1, ["historical_too_recent"]), (72 * HOUR_MS, []), (72 * HOUR_MS + 1, [])]
)
def test_a_historical_event_is_too_recent_until_it_is_72_hours_old(age_ms: int, codes: list[str]) -> None:
    event = {"event_type": "first_run", "data": {"timestamp_unixtime_ms": NOW_MS - age_ms}}

    findings = check_historical({"mpid": 7, "environment": "development", "events": [event]}, NOW_MS)

    assert [finding.code for finding in findings] == codes


@pytest.mark.parametrize(("age_ms", "codes"), [(720 * HOUR_MS, []), (720 * HOUR_MS + 1, ["timestamp_too_old"])])
def test_an_event_is_too_old_as_soon_as_it_is_more_than_30_days_old(age_ms: int, codes: list[str]) -> None:
    event = {"event_type": "first_run", "data": {"timestamp_unixtime_ms": NOW_MS - age_ms}}

    findings = check({"mpid": 7, "environment": "development", "events": [event]}, NOW_MS, History())

    assert [finding.code for finding in findings] == codes
