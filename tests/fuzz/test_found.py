"""What fuzzing and review found, one by one: each was a 500, a page of HTML, a lost body or a record that nobody could read."""

import gzip
import json

import pytest

from tests.hosts import BASIC, Fake, OpenFake, batch, event

# -- uploads ---------------------------------------------------------------------------------------------------------------


def test_a_compressed_batch_can_be_read_again(fake: Fake) -> None:
    fake.upload(gzip.compress(json.dumps(batch()).encode()), Content_Encoding="gzip")

    assert [item["batch"] for item in fake.items("batches")] == [batch()]


@pytest.mark.parametrize("timestamp", [{}, [], "1", True, 10**400, -(10**400)])
def test_a_historical_event_may_have_anything_for_a_timestamp(fake: Fake, timestamp: object) -> None:
    reply = fake.upload([batch(events=[event("Play", timestamp_unixtime_ms=timestamp)])], "/v2/bulkevents/historical")

    assert reply.status == 202


def test_levels_behind_brackets_in_strings_are_counted(fake: Fake) -> None:
    reply = fake.upload(b'["]",' * 20_000 + b"0" + b"]" * 20_000, "/v2/bulkevents")

    assert reply.status == 400


def test_each_batch_of_a_bulk_request_answers_for_its_own_half_surrogates(fake: Fake) -> None:
    fake.upload([batch(user_attributes={"a": "\ud83d"}), batch()], "/v2/bulkevents")

    first, second = fake.items("batches")
    assert (first["verdict"], second["verdict"]) == ("altered", "accepted")
    assert first["findings"][0]["pointer"] == "/user_attributes/a"


@pytest.mark.parametrize("host", ["x" * 64, "a..b", "[", "\u00fc"])
@pytest.mark.parametrize(("path", "status"), [("/v2/events", 202), ("/v3/events", 404)])
def test_any_host_is_answered(fake: Fake, host: str, path: str, status: int) -> None:
    reply = fake.upload(batch(), path, Host=host)

    assert reply.status == status
    assert [item["path"] for item in fake.items("requests")] == [path]


@pytest.mark.parametrize(("path", "status"), [("/v2/events", 202), ("/v3/events", 404)])
def test_an_offer_of_a_websocket_is_ignored(fake: Fake, path: str, status: int) -> None:
    reply = fake.upload(batch(), path, Connection="Upgrade", Upgrade="websocket")

    assert reply.status == status
    assert fake.items("requests")[0]["body_bytes"] > 0


# -- questions -------------------------------------------------------------------------------------------------------------

QUESTIONS = [
    ("events?data.items.%C2%B2=1", 200),
    ("events?data.items." + "9" * 5000 + "=1", 200),
    ("events?data.items=" + "[" * 5000, 200),
    ("events?data.items=" + "9" * 5000, 200),
    ("batches?limit=0000000000019999999", 400),
    ("batches?limit=000000000001" + "9" * 5000, 400),
    ("batches?" + "a&" * 200, 400),
    ("batches/" + "9" * 5000, 400),
    ("wait?timeout=nan", 400),
    ("wait?timeout=inf", 400),
    ("wait?timeout=0&data.items.%C2%B2=1", 408),
    ("batches?identity=mpid:" + "9" * 5000, 200),
]


@pytest.mark.parametrize(("question", "status"), QUESTIONS, ids=[question[:40] for question, _ in QUESTIONS])
def test_no_question_is_too_odd(fake: Fake, question: str, status: int) -> None:
    fake.upload(batch(events=[event("Play", items=[1, 2])]))

    reply = fake.request("GET", f"/_fake/{question}")

    assert reply.status == status


@pytest.mark.parametrize("origin", ["http://[", "null", "", "http://", "//", "\u00fc"])
def test_no_origin_is_too_odd_to_be_refused(fake: Fake, origin: str) -> None:
    assert fake.request("GET", "/_fake/batches", headers={"Origin": origin}).status == 403


def test_too_many_parameters_are_refused_where_a_token_is_asked_for(open_fake: OpenFake) -> None:
    with open_fake(token="t") as fake:
        assert fake.request("GET", "/_fake/batches?" + "a&" * 200).status in (400, 401)


IMPORTS = [
    {"batch": {"a": json.loads("[" * 70 + "]" * 70)}, "received_at_ms": 1},
    {"batch": {}, "received_at_ms": 2**70},
    {"batch": {}, "received_at_ms": 1, "status": 2**70},
    {"batch": {}, "received_at_ms": 1, "status": "202"},
    {"batch": [], "received_at_ms": 1},
    {"received_at_ms": 1},
]


@pytest.mark.parametrize("line", IMPORTS, ids=[json.dumps(line)[:60] for line in IMPORTS])
@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_what_could_not_be_read_again_is_not_imported(
    open_fake: OpenFake, line: object, store: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    url = store if store == "memory" else f"sqlite:///{tmp_path_factory.mktemp('store')}/fake.db"
    with open_fake(store=url) as fake:
        reply = fake.request("POST", "/_fake/import", json.dumps(line).encode())

        assert reply.status == 400
        assert "Line 1" in reply.messages[0]
        assert fake.items("batches") == []
        assert fake.upload(batch(), Authorization=BASIC).status == 202
