"""The labelled batches are reported exactly, nothing more and nothing less: by the checks alone, and by the running fake."""

import re
import types
from collections import Counter
from typing import Any, Final

import pytest

from mparticle_fake_server import dialects
from mparticle_fake_server.checks import check
from mparticle_fake_server.checks.finding import CODES, Finding
from mparticle_fake_server.checks.history import History
from mparticle_fake_server.decoding import decode
from tests.checks.corpus import NOW_MS, Entry, Label, at, read, tokens
from tests.hosts import Fake, OpenFake

FLAWED = read("flawed")
VALID = read("valid")

OF_A_REQUEST: Final = {
    # What concerns no batch, but whoever sends, and how.
    "path_unknown", "method_not_allowed", "credentials_missing", "credentials_wrong", "body_too_large", "body_incomplete",
    "http_broken", "server_error", "fault_injected", "delay_injected",
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
    return sorted(((finding.code, finding.pointer, finding.index) for finding in findings), key=str)


@pytest.mark.parametrize("entry", of_batches(FLAWED), ids=str)
def test_a_flawed_batch_gets_its_findings_and_no_others(entry: Entry) -> None:
    findings, _ = look(entry)

    assert labels_of(findings) == [label for label in entry.labels if label[0] not in OF_THE_INTAKE], entry.why


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


def sent(fake: Fake, entry: Entry) -> list[Label]:
    """What the fake records of an entry: findings on the request, and those on its batches."""
    for body in entry.before:
        fake.upload(body)
    fake.upload(entry.body, entry.path, **{name.replace("-", "_"): value for name, value in entry.headers.items()})
    (request,) = fake.items("requests?limit=1000")[len(entry.before) :]
    findings = [*request["findings"], *(finding for batch in request["batches"] for finding in batch["findings"])]
    return sorted(((finding["code"], finding.get("pointer", ""), finding.get("index")) for finding in findings), key=str)


@pytest.mark.slow
def test_the_running_fake_records_the_same(open_fake: OpenFake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mparticle_fake_server.intake.time", types.SimpleNamespace(time_ns=lambda: NOW_MS * 1_000_000))
    differing = {}

    for entry in [*FLAWED, *VALID]:
        with open_fake() as fake:
            recorded = sent(fake, entry)
        if recorded != entry.labels:
            differing[str(entry)] = {"recorded": recorded, "expected": entry.labels}

    assert differing == {}


def test_the_corpus_has_at_least_170_flawed_batches() -> None:
    assert len(FLAWED) >= 170


def test_every_code_on_a_batch_is_labelled_in_two_places() -> None:
    places = Counter(code for code, _ in {(code, str(entry)) for entry in FLAWED for code, _, _ in entry.labels})

    assert {code: places[code] for code in CODES if code not in OF_A_REQUEST and places[code] < 2} == {}


def test_every_label_is_a_code_of_the_table_and_every_name_is_used_once() -> None:
    names = Counter(str(entry) for entry in [*FLAWED, *VALID])

    assert {code for entry in FLAWED for code, _, _ in entry.labels} <= set(CODES)
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("entry", [entry for entry in FLAWED if any(label[1] for label in entry.labels)], ids=str)
def test_every_label_points_to_what_exists(entry: Entry) -> None:
    batches, _ = canonical(decode(entry.body, None, None, len(entry.body)).value)

    for _, pointer, index in entry.labels:
        at(batches[index or 0], pointer)
