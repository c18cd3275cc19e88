"""What `validate` reads, and what it says of an input that is none."""

import gzip
import json
import os
import pty
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from click.testing import CliRunner

from mparticle_fake_server.cli import main
from mparticle_fake_server.validate import chunks, documents, sources
from tests.validate.conftest import Validate, batch, exported, findings, line, ndjson, told, wrong

RUN = [sys.executable, "-m", "mparticle_fake_server", "validate"]


def test_ndjson_is_one_batch_a_line(validate: Validate) -> None:
    result = validate(ndjson(batch(), wrong(), batch(), wrong()), "--format=json")

    assert told(result) == [("input.ndjson", 2, "event_type_missing"), ("input.ndjson", 4, "event_type_missing")]
    assert json.loads(result.stdout)["summary"]["batches"] == 4
    assert result.exit_code == 1


def test_nothing_to_find_is_status_0(validate: Validate) -> None:
    result = validate(ndjson(batch(), batch()))

    assert (result.exit_code, result.stdout) == (0, "2 batches, 2 events: 0 errors, 0 warnings, 0 notes.\n")


def test_a_batch_over_many_lines_is_found_at_its_lines(validate: Validate) -> None:
    text = json.dumps(wrong(), indent=2)

    result = validate(text, "--format=json")

    [finding] = findings(result)
    lines = text.splitlines()
    assert lines[finding["line"] - 1][finding["column"] - 1 :] == "{"
    assert lines[finding["line"] - 2].strip() == '"events": ['


@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_is_a_batch_an_item(validate: Validate, indent: int | None) -> None:
    result = validate(json.dumps([batch(), wrong(), batch()], indent=indent), "--format=json")

    assert json.loads(result.stdout)["summary"]["batches"] == 3
    assert [finding["code"] for finding in findings(result)] == ["event_type_missing"]


def test_items_of_an_array_have_their_own_places(validate: Validate) -> None:
    text = f"[{line(batch())},\n {line(wrong())},  {line(wrong())}]"

    result = validate(text, "--format=json")

    second = text.splitlines()[1]
    places = [(finding["line"], second[finding["column"] - 1 :][:11]) for finding in findings(result)]
    assert places == [(2, '{"data":{}}'), (2, '{"data":{}}')]


def test_a_line_may_be_a_bulk_request(validate: Validate) -> None:
    result = validate(ndjson(batch(), [batch(), wrong()]), "--format=json")

    [finding] = findings(result)
    assert (finding["line"], finding["index"], finding["pointer"]) == (2, 1, "/events/0")
    assert line([batch(), wrong()])[finding["column"] - 1 :].startswith('{"data":{}}')


def test_lines_of_an_export_have_their_batch_inside(validate: Validate) -> None:
    items = [exported(value) for value in (batch(), wrong())]

    result = validate(ndjson(*items), "--format=json")

    [finding] = findings(result)
    assert (finding["line"], finding["pointer"]) == (2, "/events/0")
    assert line(items[1])[finding["column"] - 1 :].startswith('{"data":{}}')


def test_a_har_export_is_read_for_its_uploads(validate: Validate) -> None:
    def entry(method: str, url: str, text: str | None) -> object:
        return {"request": {"method": method, "url": url, "postData": {"mimeType": "text/plain", "text": text}}}

    entries = [
        entry("GET", "https://example.com/", None),
        entry("POST", "https://jssdks.mparticle.com/v3/JS/key/events", line(wrong())),
        entry("OPTIONS", "https://jssdks.mparticle.com/v3/JS/key/events", None),
        entry("POST", "https://s2s.mparticle.com/v2/bulkevents", line([batch(), wrong()])),
        entry("POST", "https://mp.example.com/webevents/v3/JS/key/events", line(batch())),
        entry("POST", "https://nativesdks.mparticle.com/v2/key/events", line(batch())),
        entry("POST", "http://127.0.0.1:8080/v2/events", line([batch()])),
        entry("POST", "http://127.0.0.1:8080/v2/bulkevents/historical", line([batch()])),
    ]
    text = json.dumps({"log": {"version": "1.2", "entries": entries}}, indent=1)

    result = validate(text, "--format=json")

    found = findings(result)
    assert [(finding["code"], finding["index"]) for finding in found] == [
        ("event_type_missing", None),
        ("event_type_missing", 1),
        ("wrong_top_level", None),
        ("historical_too_recent", 0),
    ]
    assert all("events" in text.splitlines()[finding["line"] - 1] for finding in found)
    [file] = json.loads(result.stdout)["files"]
    assert (file["batches"], file["skipped_requests"]) == (5, 3)


def test_an_upload_without_its_body_in_the_har_export_is_told(validate: Validate) -> None:
    entry = {"request": {"method": "POST", "url": "https://jssdks.mparticle.com/v3/JS/key/events"}}

    result = validate(json.dumps({"log": {"entries": [entry]}}), "--format=json")

    assert [finding["code"] for finding in findings(result)] == ["body_incomplete"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("gzip", gzip.compress(ndjson(batch(), wrong()).encode(), mtime=0)),
        (
            "two members of gzip",
            gzip.compress(ndjson(batch()).encode(), mtime=0) + gzip.compress(ndjson(wrong()).encode(), mtime=0),
        ),
        ("a byte order mark", b"\xef\xbb\xbf" + ndjson(batch(), wrong()).encode()),
        ("gzip with a byte order mark", gzip.compress(b"\xef\xbb\xbf" + ndjson(batch(), wrong()).encode(), mtime=0)),
        ("CRLF", ndjson(batch(), wrong()).replace("\n", "\r\n").encode()),
        ("no last line end", ndjson(batch(), wrong()).encode().rstrip()),
        ("UTF-16, as PowerShell writes it", ndjson(batch(), wrong()).encode("utf-16")),
        ("UTF-32", b"\xff\xfe\0\0" + ndjson(batch(), wrong()).encode("utf-32-le")),
    ],
)
def test_files_of_every_make_are_read(validate: Validate, name: str, content: bytes) -> None:
    result = validate(content, "--format=json")

    assert told(result) == [("input.ndjson", 2, "event_type_missing")], name


def test_empty_lines_count_as_lines_and_nothing_else(validate: Validate) -> None:
    result = validate(f"\n\r\n{ndjson(batch())}\n  \n{ndjson(wrong())}", "--format=json")

    assert told(result) == [("input.ndjson", 6, "event_type_missing")]


def test_stdin_is_read_where_a_file_is_named_dash(validate: Validate) -> None:
    result = validate(None, "-", "--format=json", input=ndjson(batch(), wrong()).encode())

    assert told(result) == [("stdin", 2, "event_type_missing")]


def test_stdin_is_read_where_no_file_is_named(validate: Validate) -> None:
    result = validate(None, "--format=json", input=ndjson(batch(), wrong()).encode())

    assert told(result) == [("stdin", 2, "event_type_missing")]


@pytest.mark.slow
@pytest.mark.parametrize("stdin", ["terminal", "/dev/null", "empty pipe"])
def test_stdin_that_nobody_means_is_wrong_usage(stdin: str) -> None:
    terminal, other = pty.openpty()
    given = {"terminal": other, "/dev/null": subprocess.DEVNULL, "empty pipe": subprocess.PIPE}[stdin]

    process = subprocess.Popen(RUN, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    _, said = process.communicate(timeout=30)
    for end in (terminal, other):
        os.close(end)

    assert process.returncode == 2
    assert said.startswith("Usage:")
    assert "FILE" in said.splitlines()[-1]


def test_a_document_that_is_cut_off_is_not_held_against_a_header(validate: Validate) -> None:
    result = validate(json.dumps([batch()], indent=1)[:-9])

    assert "hint: It is cut off here: was it written or copied whole?" in result.stdout
    assert result.exit_code == 1


def test_a_file_that_cannot_be_read_is_not_counted_as_one_without_errors(validate: Validate) -> None:
    alone = validate(b"42")
    beside = validate(ndjson(batch()), "missing")

    assert alone.stdout == "1 input could not be used, or not to the end.\n"
    assert beside.stdout == ("1 batch, 1 event: 0 errors, 0 warnings, 0 notes. 1 input could not be used, or not to the end.\n")


def test_files_for_the_historical_endpoint_are_held_to_its_rules(validate: Validate) -> None:
    text = ndjson(batch(), batch(events=[]))

    assert validate(text).exit_code == 0
    assert [code for _, _, code in told(validate(text, "--historical", "--format=json"))] == [
        "historical_too_recent",
        "historical_without_events",
    ]


@pytest.mark.parametrize(
    ("data", "said", "hint"),
    [
        ({}, "is missing; expected milliseconds", "Say when the event was"),
        ({"timestamp_unixtime_ms": None}, "is null; expected milliseconds", "Say when the event was"),
        ({"timestamp_unixtime": 1}, "is missing; expected", "Did you mean timestamp_unixtime_ms instead of timestamp_unixtime?"),
    ],
)
def test_a_historical_event_without_its_time_is_told_how_to_have_one(
    validate: Validate, data: dict[str, object], said: str, hint: str
) -> None:
    event = {"event_type": "custom_event", "data": {"event_name": "Play", "custom_event_type": "media", **data}}

    found = findings(validate(ndjson(batch(events=[event])), "--historical", "--format=json"))

    [finding] = [finding for finding in found if finding["code"] == "historical_without_timestamp"]
    assert said in finding["message"]
    assert finding["hint"].startswith(hint)


def test_a_broken_line_is_told_and_the_others_are_read(validate: Validate) -> None:
    result = validate(f"{ndjson(batch())}{line(batch())[:60]}\n{ndjson(wrong())}", "--format=json")

    assert told(result) == [("input.ndjson", 2, "json_broken"), ("input.ndjson", 3, "event_type_missing")]
    assert "line 2, column 61" in findings(result)[0]["message"]


def test_a_first_line_that_is_broken_does_not_make_ndjson_a_document(validate: Validate) -> None:
    result = validate(f"{line(batch())[:60]}\n{ndjson(wrong(), batch())}", "--format=json")

    assert told(result) == [("input.ndjson", 1, "json_broken"), ("input.ndjson", 2, "event_type_missing")]


def test_a_document_that_is_broken_is_told_once_at_its_line(validate: Validate) -> None:
    text = json.dumps([batch(), batch()], indent=2).replace('"environment"', "environment", 1)

    result = validate(text, "--format=json")

    assert told(result) == [("input.ndjson", 3, "json_broken")]
    assert "line 3, column 5" in findings(result)[0]["message"]


@pytest.mark.parametrize("name", [rb"\ud800", b"\xff"])
def test_a_document_with_names_that_are_no_text_is_one_finding(validate: Validate, name: bytes) -> None:
    result = validate(b'{"environment": "development", "' + name + b'": 1,\n"events":\n[{}]}', "--format=json")

    assert {line for _, line, _ in told(result)} <= {1, 3}
    assert result.exit_code == 1


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"[]", b'{"log": {"entries": []}}'])
def test_where_no_file_has_a_batch_nothing_was_checked_which_is_status_2(validate: Validate, content: bytes) -> None:
    Path("empty.ndjson").touch()

    result = validate(content, "empty.ndjson")

    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "Error: input.ndjson has no batches, so nothing was checked.",
        "Error: empty.ndjson has no batches, so nothing was checked.",
    ]


def test_a_har_export_without_uploads_is_status_2(validate: Validate) -> None:
    entry = {"request": {"method": "GET", "url": "https://example.com/"}}

    result = validate(json.dumps({"log": {"entries": [entry, entry]}}))

    assert result.exit_code == 2
    assert result.stderr == "Error: input.ndjson has no upload of batches among its 2 requests, so nothing was checked.\n"


@pytest.mark.parametrize("form", ["github", "junit", "sarif"])
def test_that_nothing_was_checked_is_told_to_ci(validate: Validate, form: str) -> None:
    assert "has no batches, so nothing was checked" in validate(b"", f"--format={form}").stdout


def test_an_empty_file_beside_one_with_batches_is_fine_and_said_to_be_empty(validate: Validate) -> None:
    Path("empty.ndjson").touch()

    result = validate(ndjson(batch()), "empty.ndjson")

    assert (result.exit_code, result.stderr) == (0, "Note: empty.ndjson has no batches.\n")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is not text: line 3 has a zero byte"),
        (ndjson(batch()).encode("utf-16-le"), "is it UTF-16 without a byte order mark?"),
        (b"\n<html>\n", "is not JSON: line 2 begins with '<html>'"),
        (b"42", "is JSON, but holds no batch: line 1 is the number 42; expected NDJSON, a batch"),
        (b"\nnull\n", "is JSON, but holds no batch: line 2 is null; expected"),
        (b'"hi"\n"there"\n', "is JSON, but holds no batch: line 1 is the text 'hi'; expected"),
        (b"event,user\nPlay,c1\n", "is not JSON: line 1 begins with 'event,user"),
        (gzip.compress(ndjson(*[batch()] * 99).encode(), mtime=0)[:60], "is a broken gzip stream"),
        (b"\x1f\x8b\x08nonsense", "is a broken gzip stream"),
        (b"\xff\xfe{\0\0\xdc}\0", "is not text in utf-16-le, which its byte order mark announces"),
    ],
)
def test_what_holds_no_batches_is_refused_with_the_reason(validate: Validate, content: bytes, said: str) -> None:
    result = validate(content)

    assert result.exit_code == 2
    assert result.stderr.startswith("Error: input.ndjson is ")
    assert said in result.stderr


def test_what_came_before_the_fault_of_a_gzip_stream_is_told(validate: Validate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "BLOCK", 1000)
    stream = gzip.compress(ndjson(wrong(), *[batch(number) for number in range(500)]).encode())

    result = validate(stream[: len(stream) // 2], "--format=json")

    assert told(result) == [("input.ndjson", 1, "event_type_missing")]
    assert result.exit_code == 2


def test_missing_files_and_directories_are_refused_and_the_others_read(validate: Validate) -> None:
    Path("folder").mkdir()

    result = validate(ndjson(wrong()), "missing.ndjson", "folder", "--format=json")

    assert result.exit_code == 2
    assert "Error: missing.ndjson cannot be read: No such file or directory." in result.stderr
    assert "Error: folder is a directory, and none that `generate` wrote; name the files in it" in result.stderr
    assert told(result) == [("input.ndjson", 1, "event_type_missing")]


@pytest.fixture
def generated(validate: Validate) -> Path:
    """A directory of compressed shards, as `generate` writes it; the manifest is `m.json`."""
    arguments = ["--users=20", "--days=2", "--seed=7", "--start=2023-11-01", "--gzip", "--shard-bytes=100000"]
    result = CliRunner().invoke(main, ["generate", *arguments, "--manifest=m.json", "--output=traffic/"])
    assert result.exit_code == 0, result.output
    return Path("traffic")


def test_a_directory_of_shards_is_read_shard_by_shard(validate: Validate, generated: Path) -> None:
    result = validate(None, "traffic/", "--format=json")

    report = json.loads(result.stdout)
    shards = sorted(str(path) for path in generated.glob("part-*.gz"))
    assert len(shards) > 1
    assert [file["file"] for file in report["files"]] == shards
    assert report["summary"]["batches"] == json.loads(Path("m.json").read_text())["batches"]


def test_a_directory_that_is_not_complete_is_refused(validate: Validate, generated: Path) -> None:
    index = generated / "index.json"
    index.write_text(index.read_text().replace('"complete": true', '"complete": false'))

    result = validate(None, "traffic")

    assert (result.exit_code, result.stderr.partition(".")[0]) == (2, "Error: traffic is not complete: `generate` was stopped")


def test_a_directory_with_a_damaged_index_is_refused(validate: Validate, generated: Path) -> None:
    (generated / "index.json").write_text("{")

    result = validate(None, "traffic")

    assert result.exit_code == 2
    assert "Error: traffic is a directory whose index cannot be used: traffic/index.json is not" in result.stderr


def test_a_directory_without_shards_is_refused(validate: Validate) -> None:
    Path("traffic").mkdir()
    Path("traffic/index.json").write_text('{"parameters": {}, "complete": true, "shards": []}')

    result = validate(None, "traffic")

    assert result.exit_code == 2
    assert result.stderr == "Error: traffic is a directory of shards without any: `generate` wrote no batches.\n"


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("traffic/index.json", "is the index of a directory of shards, and no batch; name the directory instead"),
        ("m.json", "is a manifest of `generate`, and no batch; `verify --manifest` holds it against what a fake received"),
    ],
)
@pytest.mark.usefixtures("generated")
def test_what_generate_writes_beside_batches_is_refused_as_what_it_is(
    validate: Validate, name: str, said: str, indent: int | None
) -> None:
    Path(name).write_text(json.dumps(json.loads(Path(name).read_text()), indent=indent))

    result = validate(None, name)

    assert (result.exit_code, result.stderr) == (2, f"Error: {name} {said}.\n")


def test_a_batch_with_a_member_called_parameters_is_still_a_batch(validate: Validate) -> None:
    result = validate(json.dumps(batch(parameters={}, shards=[])), "--format=json")

    assert [finding["code"] for finding in findings(result)] == ["unknown_member", "unknown_member"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(validate: Validate) -> None:
    Path("secret.ndjson").touch(0)

    result = validate(None, "secret.ndjson")

    assert (result.exit_code, result.stderr) == (2, "Error: secret.ndjson cannot be read: Permission denied.\n")


def test_a_line_without_end_is_told_and_passed_over(validate: Validate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "MOST_OF_A_LINE", 10_000)
    monkeypatch.setattr(sources, "BLOCK", 1000)
    long = line(batch(user_attributes={"a": "x" * 50_000}))

    result = validate(f"{ndjson(batch())}{long}\n{ndjson(wrong())}", "--format=json")

    assert told(result) == [("input.ndjson", 2, "body_too_large"), ("input.ndjson", 3, "event_type_missing")]
    assert f"The line has {len(long)} bytes" in findings(result)[0]["message"]


def test_a_value_that_is_too_large_to_hold_is_told_and_those_before_it_are_read(
    validate: Validate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "MOST_OF_A_VALUE", 10_000)
    monkeypatch.setattr(documents, "BLOCK", 1000)
    monkeypatch.setattr(sources, "BLOCK", 1000)
    text = json.dumps([wrong(), batch(user_attributes={"a": "x" * 50_000}), wrong()], indent=1)

    result = validate(text, "--format=json")

    assert [(code, line) for _, line, code in told(result)] == [
        ("event_type_missing", 8),
        ("body_too_large", 13),
    ]
    assert "The value has more than 10000 bytes" in findings(result)[1]["message"]


def test_ndjson_is_read_in_flat_memory(validate: Validate) -> None:
    text = ndjson(*[batch(number, user_attributes={"note": "x" * 4000}) for number in range(1000)])
    Path("long.ndjson").write_text(text * 12)
    validate(text, "--workers=1")
    peaks = []
    tracemalloc.start()
    for name in ("input.ndjson", "long.ndjson"):
        tracemalloc.reset_peak()
        result = validate(None, "--workers=1", name)
        assert result.exit_code == 0
        peaks.append(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()

    assert Path("long.ndjson").stat().st_size > 50_000_000
    # Sixteen blocks of 1 MB: those that wait for their turn, and copies.
    assert peaks[1] < max(peaks[0], 16_000_000)


def test_an_array_is_read_in_flat_memory(validate: Validate) -> None:
    items = [batch(number, user_attributes={"note": "x" * 4000}) for number in range(1000)]
    Path("long.json").write_text(json.dumps(items * 12, indent=1))
    validate(json.dumps(items), "--workers=1")
    tracemalloc.start()
    result = validate(None, "--workers=1", "long.json")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert result.exit_code == 0
    assert Path("long.json").stat().st_size > 50_000_000
    assert peak < 24_000_000


def entry(body: str) -> dict[str, object]:
    return {"request": {"method": "POST", "url": "https://s2s.mparticle.com/v2/events", "postData": {"text": body}}}


def test_a_har_export_is_read_in_flat_memory(validate: Validate) -> None:
    other = {"request": {"method": "GET", "url": "https://example.com/"}, "response": {"content": {"text": "x" * 50_000}}}
    log = {"log": {"pages": [], "entries": [*[other] * 1000, entry(line(wrong()))], "version": "1.2"}}
    text = json.dumps(log, indent=1)
    Path("long.har").write_text(text)
    tracemalloc.start()
    result = validate(None, "long.har", "--workers=1", "--format=json")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    number = next(number for number, written in enumerate(text.splitlines(), 1) if '"text": "{' in written)
    assert told(result) == [("long.har", number, "event_type_missing")]
    assert json.loads(result.stdout)["files"][0]["skipped_requests"] == 1000
    assert len(text) > 50_000_000
    assert peak < 24_000_000


# -- documents that break off --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("", "it ends at line 1, column {}, in /1; expected a comma or ]"),
        (",", "it ends at line 1, column {}, in /1; expected a value"),
        (",]", "got ']' at line 1, column {}, in /1; expected a value"),
        (" x]", "got x at line 1, column {}, in /1; expected a comma or ]"),
        ("] {}", "got '{{' at line 1, column {}; expected the end of the document"),
        (',{"a":1,}]', "got '}}' at line 1, column {}; expected a member name in double quotes"),
        (',{"a":', "it ends at line 1, column {}, in /a; expected a value"),
    ],
)
def test_what_comes_before_a_fault_of_an_array_is_read_and_the_fault_told_at_its_place(
    validate: Validate, rest: str, said: str
) -> None:
    text = f"[{line(wrong())}{rest}"
    column = {"] {}": len(text) - 1, ",]": len(text), " x]": len(text) - 1, ',{"a":1,}]': len(text) - 1}.get(rest, len(text) + 1)

    result = validate(text, "--format=json")

    first, second = findings(result)
    assert (first["code"], second["code"]) == ("event_type_missing", "json_broken")
    assert said.format(column) in second["message"]
    assert second["column"] == column


def test_a_fault_of_a_har_export_is_told_and_what_comes_before_it_is_read(validate: Validate) -> None:
    text = json.dumps({"log": {"entries": [entry(line(wrong())), entry("{}")]}}, indent=1)

    result = validate(text[: len(text) - 5], "--format=json")

    assert [code for _, _, code in told(result)] == [
        "event_type_missing",
        "environment_missing",
        "identity_missing",
        "json_broken",
    ]
    assert findings(result)[-1]["line"] == len(text[:-5].splitlines())


@pytest.mark.parametrize("block", [1, 2, 7, 64])
def test_items_are_the_same_however_they_come(validate: Validate, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    odd = [1, -2.5e-7, True, None, "x", '"', "\\", "ü[{]}", [], [[1]], {}, {"a": "}]"}, 12.5, [1.5e300, -0.25], {"b": 1e-9}]
    text = json.dumps([wrong(1), *odd, wrong(2)], indent=1, ensure_ascii=False)
    whole = validate(text, "--format=json").stdout
    monkeypatch.setattr(sources, "BLOCK", block)
    monkeypatch.setattr(documents, "BLOCK", block)

    in_parts = validate(text, "--format=json").stdout

    assert in_parts == whole
    assert [(found["index"], found["code"]) for found in json.loads(whole)["findings"]][:3] == [
        (0, "event_type_missing"), (1, "wrong_top_level"), (2, "wrong_top_level"),
    ]  # fmt: skip


def test_an_item_that_nests_too_deep_ends_the_reading_and_is_told(validate: Validate) -> None:
    text = f"[{line(wrong())},{'[' * 100_000}{']' * 100_000}]"

    assert [code for _, _, code in told(validate(text, "--format=json"))] == ["event_type_missing", "json_too_deep"]


def test_an_item_with_a_fault_that_its_end_does_not_hide_keeps_nobody_from_the_next(validate: Validate) -> None:
    text = f'[{{"mpid":NaN}},{{"mpid":"a\tb"}},{{"mpid":{"1" * 5000}}},{"[" * 100}{"]" * 100},{line(wrong())}]'

    assert [(found["index"], found["code"]) for found in findings(validate(text, "--format=json"))] == [
        (0, "json_broken"), (1, "json_broken"), (2, "number_out_of_range"), (3, "json_too_deep"), (4, "event_type_missing"),
    ]  # fmt: skip
