"""The same bytes get the same findings from `validate` as from the server's intake."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from mparticle_fake_server.endpoints.events_api import FORMS
from mparticle_fake_server.exchange import Submission
from mparticle_fake_server.intake import Intake
from mparticle_fake_server.recording import open_recorder
from mparticle_fake_server.workspaces import Workspaces
from mparticle_sdk import limits
from tests.checks.corpus import NOW_MS as CORPUS_MS
from tests.checks.corpus import Entry, read, written
from tests.validate.conftest import NOW_MS, Validate, batch, exported, findings, line, ndjson, told, wrong

DAY_MS = 24 * 60 * 60 * 1000
CORPUS = [*read("flawed"), *read("valid")]
Said = list[tuple[str, str, int | None]]


def by_server(requests: list[tuple[str, bytes]], now_ms: int) -> Said:
    """Code, pointer and index of what a new server finds in the last of some requests."""
    workspaces = Workspaces()
    workspaces.put("default", inputs={"key": None})
    sender = workspaces.input("key")
    assert sender is not None
    intake = Intake(workspaces, open_recorder(), now_ms=lambda: now_ms)
    outcomes = [
        intake.settle([intake.read(Submission("POST", path, "", [], body), sender, FORMS[path])])[0] for path, body in requests
    ]
    found = [(finding.code, finding.pointer, finding.index) for finding in outcomes[-1].findings]
    return sorted(found, key=str)


def har_entry(path: str, text: str, **members: Any) -> dict[str, Any]:
    return {"request": {"method": "POST", "url": f"https://s2s.mparticle.com{path}", "postData": {"text": text}}, **members}


def in_text(entry: Entry) -> bool:
    try:
        entry.body.decode()
    except UnicodeDecodeError:
        return False
    return not entry.headers


def labels(shown: list[dict[str, Any]]) -> Said:
    return sorted(((finding["code"], finding["pointer"], finding["index"]) for finding in shown), key=str)


@pytest.mark.parametrize("entry", [entry for entry in CORPUS if in_text(entry)], ids=str)
def test_an_entry_of_the_corpus_gets_the_same_in_a_har_export(validate: Validate, entry: Entry) -> None:
    earlier = [har_entry("/v2/events", body.decode()) for body in entry.before]
    expected = by_server([*(("/v2/events", body) for body in entry.before), (entry.path, entry.body)], CORPUS_MS)

    shown = []
    for entries in ([*earlier, har_entry(entry.path, entry.body.decode())], earlier):
        result = validate(json.dumps({"log": {"entries": entries}}), f"--now={CORPUS_MS}", "--format=json")
        shown.append(labels(findings(result)))

    for label in shown[1]:
        shown[0].remove(label)
    assert shown[0] == expected


ONLY_OF_A_REQUEST = {"compression_broken", "content_encoding_unknown", "charset_unknown", "too_many_batches"}
"""What a file has no headers for, or, since an array in a file may be of any length, no limit."""


def in_a_file(entry: Entry) -> bool:
    """Whether the body of an entry says the same in a file: empty ones and those with headers do not."""
    codes = {code for code, _, _ in entry.labels}
    is_shape = codes == {"wrong_top_level"} and not entry.bulk
    return bool(entry.body.strip()) and not entry.headers and not codes & ONLY_OF_A_REQUEST and not is_shape


@pytest.mark.parametrize("entry", [entry for entry in CORPUS if in_a_file(entry)], ids=str)
def test_an_entry_of_the_corpus_gets_the_same_in_a_file_of_its_own(validate: Validate, entry: Entry) -> None:
    for number, body in enumerate(entry.before):
        Path(f"{number}.json").write_bytes(body)
    Path("entry.json").write_bytes(entry.body)
    files = [f"{number}.json" for number in range(len(entry.before))]
    options = ["--historical"] if entry.path.endswith("historical") else []
    expected = by_server([*(("/v2/events", body) for body in entry.before), (entry.path, entry.body)], CORPUS_MS)

    result = validate(None, *files, "entry.json", *options, f"--now={CORPUS_MS}", "--format=json")

    # As a file of batches, an array is no request.
    of_requests = {"request_too_large"} if entry.bulk else set()
    shape = {"wrong_top_level"} if entry.bulk and not entry.body.startswith(b"[") else set()
    shown = [finding for finding in findings(result) if finding["file"] == "entry.json"]
    assert labels(shown) == [label for label in expected if label[0] not in of_requests | shape]


@pytest.mark.parametrize(
    "bodies",
    [
        [[]],
        [batch(), batch(environment="DEVELOPMENT", events=[{"event_type": "CUSTOM_EVENT", "data": {}}]), wrong()],
        [batch(environment="DEVELOPMENT", events=[{"event_type": "CUSTOM_EVENT", "data": {}}]), batch(environment="PRODUCTION")],
        [batch(user_attributes={"a": "x" * (limits.BATCH_SIZE - 300)}, context={"x": list(range(100))})],
        [batch(source_request_id="a"), batch(source_request_id="a")],
        [batch(source_request_id="a", events=[{}]), batch(source_request_id="a")],
    ],
)
@pytest.mark.parametrize("indent", [None, 4])
def test_an_array_gets_the_same_as_in_bulk_request(validate: Validate, bodies: list[Any], indent: int | None) -> None:
    body = json.dumps(bodies, indent=indent)
    expected = by_server([("/v2/bulkevents", body.encode())], NOW_MS)

    result = validate(body, "--format=json")

    assert labels(findings(result)) == expected


@pytest.mark.parametrize("value", [{"batches": [batch()]}, {"batch": batch()}, batch(batch={}), {"batch": {}, "events": []}])
def test_a_member_that_holds_batches_makes_no_line_of_an_export(validate: Validate, value: Any) -> None:
    expected = by_server([("/v2/events", written(value))], NOW_MS)

    result = validate(written(value), "--format=json")

    assert labels(findings(result)) == expected


@pytest.mark.parametrize(
    ("value", "hint"),
    [({"batches": [batch()]}, "The body is the array itself: send"), ({"batch": batch()}, "The body is the batch itself: send")],
)
def test_batches_that_are_wrapped_are_told_to_be_unwrapped(validate: Validate, value: Any, hint: str) -> None:
    result = validate(line(value), "--format=json")

    assert [finding["hint"].startswith(hint) for finding in findings(result) if finding["code"] == "unknown_member"] == [True]


def at(moment_ms: int) -> dict[str, Any]:
    event = {"event_name": "Play", "custom_event_type": "media", "timestamp_unixtime_ms": moment_ms}
    return batch(events=[{"event_type": "custom_event", "data": event}])


def test_exported_batches_are_held_against_the_time_when_they_came(validate: Validate) -> None:
    then = NOW_MS - 400 * DAY_MS
    text = ndjson(exported(at(then), received_at_ms=then + 1000), exported(at(then), received_at_ms=NOW_MS))

    result = validate(text, "--format=json", now=None)

    assert [line for _, line, _ in told(result)] == [2]


def test_a_time_that_is_given_counts_for_exported_batches_too(validate: Validate) -> None:
    then = NOW_MS - 400 * DAY_MS

    result = validate(line(exported(at(then), received_at_ms=then + 1000)), "--format=json")

    assert len(told(result)) == 1


def test_exported_batches_of_the_historical_endpoint_are_held_to_its_rules(validate: Validate) -> None:
    old, young = NOW_MS - 400 * DAY_MS, NOW_MS - 1000
    lines = [exported(at(moment), path="/v2/bulkevents/historical") for moment in (old, young)]

    result = validate(ndjson(*lines), "--format=json")

    assert told(result) == [("input.ndjson", 2, "historical_too_recent")]


def test_each_workspace_of_an_export_has_a_history_of_its_own(validate: Validate) -> None:
    lines = [
        exported(batch(user_attributes={"plan": value}), workspace=workspace, key=workspace)
        for value, workspace in (("x", "web"), (["x"], "app"), (["x"], "web"))
    ]

    result = validate(ndjson(*lines), "--format=json")

    assert told(result) == [("input.ndjson", 3, "attribute_kind_changed")]


def test_requests_of_a_har_export_are_held_against_the_time_when_they_were_sent(validate: Validate) -> None:
    entries = [har_entry("/v2/events", line(at(NOW_MS - 400 * DAY_MS)), startedDateTime=moment) for moment in (
        "2022-10-11T00:00:00.000Z", "2023-11-14T22:13:20.000Z", "nonsense", 7,
    )]  # fmt: skip

    result = validate(json.dumps({"log": {"entries": entries[:1]}}), "--format=json", now=None)
    late = validate(json.dumps({"log": {"entries": entries[1:]}}), "--format=json", now=None)

    assert (len(told(result)), len(told(late))) == (0, 3)


def test_duplicates_in_a_har_export_are_those_of_a_key(validate: Validate) -> None:
    def authorization(key: str) -> list[dict[str, str]]:
        return [{"name": "authorization", "value": f"Basic {base64.b64encode(f'{key}:s'.encode()).decode()}"}]

    entries = [
        har_entry("/v2/events", line(batch(source_request_id="a"))),
        har_entry("/v2/events", line(batch(source_request_id="a"))),
        har_entry("/v2/bulkevents", line([batch(source_request_id="a")])),
        har_entry("/v3/JS/k2/events", line(batch(source_request_id="a"))),
    ]
    for entry, key in zip(entries[:3], ("k1", "k2", "k1"), strict=True):
        entry["request"]["headers"] = authorization(key)

    result = validate(json.dumps({"log": {"entries": entries}}, indent=0), "--format=json")

    lines = Path("input.ndjson").read_text().splitlines()
    assert [lines[finding["line"] - 1][:12] for finding in findings(result)] == ['"text": "[{\\', '"text": "{\\"']


@pytest.mark.parametrize(
    "body",
    [
        rb'{"environment":"development","mpid":7,"user_attributes":{"a":"\ud800","b":123456789012345678901}}',
        rb'[{"environment":"development","mpid":7},{"environment":"development","mpid":7,"user_attributes":{"a":"\ud800"}}]',
        rb'[{"environment":"development","mpid":7},{"mpid":123456789012345678901,"environment":"development"}]',
        rb'[7,{"environment":"development","mpid":7,"user_attributes":{"a":"\ud800"}}]',
    ],
)
@pytest.mark.parametrize("around", ["", "\n{}\n"])
def test_what_decoding_finds_is_told_where_the_server_tells_it(validate: Validate, body: bytes, around: str) -> None:
    path = "/v2/bulkevents" if body.startswith(b"[") else "/v2/events"
    expected = by_server([(path, body)], NOW_MS)

    result = validate(body + around.encode(), "--format=json")

    first = [finding for finding in findings(result) if finding["line"] == 1]
    assert [label[0] for label in labels(first)] == [label[0] for label in expected]
    # Of a request that is refused as a whole no batch is told, and so no pointer.
    if not body.startswith(b"[7"):
        assert labels(first) == expected


def test_of_a_request_with_several_items_that_are_none_the_first_is_told(validate: Validate) -> None:
    expected = by_server([("/v2/bulkevents", b"[7,8]")], NOW_MS)

    result = validate(json.dumps({"log": {"entries": [har_entry("/v2/bulkevents", "[7,8]")]}}), "--format=json")

    assert labels(findings(result)) == expected


def test_what_is_in_a_request_that_is_too_large_has_duplicates_as_the_server_says(validate: Validate) -> None:
    large = batch(source_request_id="a", user_attributes={f"a{number}": "x" * 4000 for number in range(30)})
    bodies = [
        written([large, *[{**large, "source_request_id": str(number)} for number in range(3)]]),
        written([batch(source_request_id="a")]),
    ]
    requests = [("/v2/bulkevents", body) for body in bodies]

    result = validate(
        json.dumps({"log": {"entries": [har_entry(path, body.decode()) for path, body in requests]}}), "--format=json"
    )

    assert labels(findings(result)) == sorted([*by_server(requests[:1], NOW_MS), *by_server(requests, NOW_MS)], key=str)
