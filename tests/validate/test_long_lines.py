"""Documents on one line, however long: true places, and time that grows as the input does."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mparticle_fake_server.validate.chunks import chunks
from mparticle_fake_server.validate.places import Wanted, locate
from mparticle_fake_server.validate.sources import reading
from tests.validate.conftest import Validate, batch, findings, line, wrong


def test_an_item_of_an_array_on_one_line_is_told_with_its_column_and_number(validate: Validate) -> None:
    items = [batch(number, user_attributes={"näme": "ü" * 500}) for number in range(400)]
    items[301] = wrong()
    text = line(items)

    result = validate(text, "--format=json")
    shown = validate(text).stdout

    [finding] = findings(result)
    assert len(text) > 200_000
    assert (finding["line"], finding["index"]) == (1, 301)
    assert text[finding["column"] - 1 :].startswith('{"data":{}}')
    assert f"input.ndjson:1:{finding['column']}: error event_type_missing: batch [301]: " in shown


def test_an_array_longer_than_a_chunk_counts_its_batches_on(validate: Validate) -> None:
    items = [batch(number, user_attributes={"note": "x" * 4000}) for number in range(900)]
    items[850] = wrong()

    for indent in (None, 1):
        [finding] = findings(validate(json.dumps(items, indent=indent), "--format=json"))
        assert finding["index"] == 850


def test_a_duplicate_in_an_array_is_told_with_the_number_of_the_first(validate: Validate) -> None:
    items = [batch(number, source_request_id=str(number % 3)) for number in range(4)]

    [finding] = findings(validate(line(items), "--format=json"))

    assert finding["message"] == "source_request_id '0' was sent before, with batch [0] at input.ndjson:1."
    assert line(items)[finding["column"] - 1 :].startswith('"0"')


def document(count: int) -> str:
    return line([{"environment": "development", "mpid": 7}] * count)


def har(count: int) -> str:
    request = {"method": "POST", "url": "https://x/v2/events", "postData": {"text": '{"environment":"development","mpid":7}'}}
    return line({"log": {"entries": [{"request": request}] * count}})


def read_chunks(text: str) -> None:
    Path("long.json").write_text(text)
    with reading("long.json") as source:
        for _ in chunks(source):
            pass


def walk(text: str) -> None:
    locate(text.encode(), [Wanted(f"/{number}/mpid") for number in range(text.count("mpid"))])


def seconds(work: Callable[[str], Any], text: str) -> float:
    taken = []
    for _ in range(3):
        start = time.process_time()
        work(text)
        taken.append(time.process_time() - start)
    return min(taken)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("work", "make", "count"), [(read_chunks, document, 20_000), (read_chunks, har, 5_000), (walk, document, 10_000)]
)
def test_eight_times_as_long_takes_eight_times_as_long(
    work: Callable[[str], None],
    make: Callable[[int], str],
    count: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)

    short, long = seconds(work, make(count)), seconds(work, make(8 * count))

    # Quadratic would be 64 times as long.
    assert long < 24 * short + 0.05
