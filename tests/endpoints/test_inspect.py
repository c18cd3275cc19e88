"""The inspect API: lists, filters, pages, waiting, import, workspaces, and who may ask."""

import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.hosts import BASIC, Fake, OpenFake, Reply, batch, event

PURCHASE = {
    "event_type": "commerce_event",
    "data": {
        "product_action": {"action": "purchase", "total_amount": 21.49, "products": [{"id": "sku-1"}, {"id": "sku-2"}]},
        "currency_code": "EUR",
        "custom_attributes": {"a.b": "dotted", "flag": True, "empty": None},
    },
}


def names(fake: Fake, **filters: str) -> list[str]:
    """The event names of the batches that match."""
    return [item["batch"]["events"][0]["data"]["event_name"] for item in fake.items("batches?" + urlencode(filters))]


def fill(fake: Fake) -> None:
    """Three batches by two users with two keys, one of them a duplicate, and a refused one."""
    fake.upload(batch(events=[event("Play")], source_request_id="r1"))
    fake.upload(batch(events=[event("Stop")], source_request_id="r1"))
    fake.upload(
        batch(events=[event("Seek")], user_identities={"email": "b@example.com"}, mpid=77), Authorization="Basic b3RoZXI6cw=="
    )
    fake.upload(batch(events=[event("Lost"), {}], user_identities={"customer_id": "c1", "other": 5, "yahoo": True}))


# -- filters ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["Play", "Stop", "Seek", "Lost"]),
        ({"workspace": "default"}, ["Play", "Stop", "Seek", "Lost"]),
        ({"workspace": "other"}, []),
        ({"key": "other"}, ["Seek"]),
        ({"source": "events_api"}, ["Play", "Stop", "Seek", "Lost"]),
        ({"verdict": "dropped"}, ["Stop"]),
        ({"verdict": "accepted,dropped"}, ["Play", "Stop", "Seek"]),
        ({"severity": "error"}, ["Lost"]),
        ({"severity": "warning"}, ["Stop"]),
        ({"code": "duplicate_batch"}, ["Stop"]),
        ({"identity": "customer_id:c1"}, ["Play", "Stop", "Lost"]),
        ({"identity": "email:b@example.com"}, ["Seek"]),
        ({"identity": "mpid:77"}, ["Seek"]),
        ({"identity": "other:5"}, ["Lost"]),
        ({"identity": "yahoo:true"}, ["Lost"]),
        ({"event_type": "custom_event"}, ["Play", "Stop", "Seek", "Lost"]),
        ({"event_type": "screen_view"}, []),
        ({"event_name": "Seek"}, ["Seek"]),
        ({"event_name": "seek"}, []),
        ({"event_name": "Play", "verdict": "dropped"}, []),
    ],
)
def test_a_filter_selects_batches(fake: Fake, filters: dict[str, str], expected: list[str]) -> None:
    fill(fake)

    assert names(fake, **filters) == expected


@pytest.mark.parametrize(
    ("filters", "matches"),
    [
        ({"data.currency_code": "EUR"}, True),
        ({"data.currency_code": "eur"}, False),
        ({"data.product_action.total_amount": "21.49"}, True),
        ({"data.product_action.total_amount": "21.490"}, True),
        ({"data.product_action.products.1.id": "sku-2"}, True),
        ({"data.product_action.products.0.id": "sku-2"}, False),
        ({"data.product_action.products.id": "sku-2"}, True),
        ({"data.custom_attributes.a.b": "dotted"}, True),
        ({"data.custom_attributes.flag": "true"}, True),
        ({"data.custom_attributes.flag": "1"}, False),
        ({"data.custom_attributes.empty": "null"}, True),
        ({"data.nothing.here": "x"}, False),
        ({"event_name": "purchase"}, True),
        ({"event_name": "purchase", "data.currency_code": "USD"}, False),
    ],
)
def test_data_filters_look_into_an_event(fake: Fake, filters: dict[str, str], matches: bool) -> None:
    fake.upload(batch(events=[PURCHASE]))

    assert bool(fake.items("events?" + urlencode(filters))) is matches


def test_one_event_has_to_meet_all_conditions_on_events(fake: Fake) -> None:
    fake.upload(batch(events=[event("Play", custom_attributes={"n": 1}), event("Stop", custom_attributes={"n": 2})]))

    assert fake.items("batches?event_name=Play&data.custom_attributes.n=2") == []


def test_a_filter_finds_names_written_with_escapes(fake: Fake) -> None:
    fake.upload(b'{"environment":"development","events":[{"event_type":"custom_event","data":{"event_name":"Pl\\u0061y"}}]}')

    assert names(fake, event_name="Play") == ["Play"]


def test_a_filter_finds_names_in_a_body_of_another_charset(fake: Fake) -> None:
    body = json.dumps(batch()).encode("utf-16")

    fake.upload(body, Content_Type="application/json; charset=utf-16")

    assert names(fake, event_name="Play") == ["Play"]


def test_requests_are_filtered_by_status(fake: Fake) -> None:
    fill(fake)

    assert [item["status"] for item in fake.items("requests?status=400")] == [400]


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("batches?evnt_name=x", "Did you mean event_name?"),
        ("batches?verdict=droped", "expected one of accepted, altered, dropped, rejected"),
        ("batches?severity=fatal", "expected one of note, warning, error"),
        ("batches?code=duplicate_batches", "Did you mean duplicate_batch?"),
        (
            "batches?source=eventsapi",
            "source is 'eventsapi', which nothing here has. Did you mean events_api? Sources: events_api, web, android, ios, ",
        ),
        ("requests?source=Web", "Did you mean web?"),
        ("stream?source=x", "Sources: events_api, web, android, ios, native, identity, import, unknown."),
        ("batches?identity=c1", "expected TYPE:VALUE"),
        ("batches?identity=customerid:c1", "Did you mean customer_id?"),
        ("batches?limit=0", "expected a whole number from 1 to 1000"),
        ("batches?limit=ten", "expected a whole number from 1 to 1000"),
        ("batches?after=x", "such as 17, 17.0 or 17.0.3"),
        ("batches?status=202", "Valid: workspace"),
        ("requests?event_name=x", "Valid: workspace"),
        ("requests?status=ok", "an HTTP status such as 202"),
        ("batches?event_type=custom", "Did you mean custom_event?"),
        ("wait?tiemout=5", "Did you mean timeout?"),
        ("wait?limit=3", "Unknown filter 'limit'. Did you mean count?"),
        ("wait?seconds=3", "Did you mean timeout?"),
        ("batches?count=3", "Did you mean limit?"),
        ("requests?next=3", "Did you mean after?"),
        ("stream?count=3", "Only /_fake/wait takes it."),
        ("batches?timeout=3", "Only /_fake/wait takes it."),
        ("batches?status=202", "It is one of /_fake/requests."),
        ("wait?customer_id=c1", "Write identity=customer_id:VALUE."),
        ("events?mpid=5", "Write identity=mpid:VALUE."),
        (
            "wait?limit=5",
            "Valid: workspace, key, source, verdict, severity, code, identity, event_type, event_name, data.PATH, after, count",
        ),
        ("requests?status=%C2%B2", "an HTTP status such as 202"),
        ("requests?status=20", "an HTTP status such as 202"),
        ("requests?method=post", "such as POST"),
        ("wait?of=users", "expected events or batches"),
        ("wait?timeout=-1", "expected seconds from 0 to 3600"),
        ("wait?timeout=nan", "expected seconds from 0 to 3600"),
        ("wait?count=0", "expected a whole number from 1"),
        ("stats?x=1", "Valid: workspace"),
        ("batches/first", "such as 17 for a request, 17.0 for a batch"),
    ],
)
def test_a_wrong_question_gets_400_that_tells_the_right_ones(fake: Fake, question: str, told: str) -> None:
    reply = fake.request("GET", f"/_fake/{question}")

    assert reply.status == 400
    assert told in reply.messages[0]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "batches/1.0"),
        ("GET", "requests/1"),
        ("GET", "openapi.json"),
        ("GET", "workspaces"),
        ("POST", "workspaces"),
        ("PUT", "workspaces/shop"),
        ("DELETE", "workspaces/shop"),
        ("DELETE", "workspaces/shop/inputs/key"),
        ("POST", "import"),
    ],
)
def test_a_parameter_where_none_is_taken_gets_400_and_changes_nothing(fake: Fake, method: str, path: str) -> None:
    fake.upload(batch())
    fake.request("PUT", "/_fake/workspaces/shop", b'{"inputs": [{"key": "key"}]}')
    before = fake.ask("workspaces"), fake.ask("stats")

    reply = fake.request(method, f"/_fake/{path}?workspace=x", b'{"name": "new", "batch": {}, "received_at_ms": 1}')

    told = f"Unknown parameter 'workspace'. {method} takes none here, beside token."
    assert (reply.status, reply.messages) == (400, [told])
    assert (fake.ask("workspaces"), fake.ask("stats")) == before


def test_health_takes_any_parameter_as_caches_are_evaded_with_some(fake: Fake) -> None:
    assert fake.ask("health?_=123")["status"] == "ready"


def test_a_token_is_no_parameter_too_many(open_fake: OpenFake) -> None:
    with open_fake(token="t") as fake:
        assert fake.request("GET", "/_fake/workspaces?token=t").status == 200


# -- items and pages -------------------------------------------------------------------------------------------------------


def test_a_batch_item_has_the_documented_members(fake: Fake) -> None:
    fake.upload(batch())

    item = fake.items("batches")[0]

    assert {"batch", "findings", "verdict", "status", "key", "source", "received_at_ms", "id"} <= set(item)


def test_a_batch_is_shown_by_its_id(fake: Fake) -> None:
    fake.upload([batch(mpid=1), batch(mpid=2)], "/v2/bulkevents")
    listed = fake.items("batches")[1]

    assert fake.ask(f"batches/{listed['id']}") == listed


@pytest.mark.parametrize("path", ["batches/1.1", "batches/2.0", "batches/1", "requests/2", "requests/1.0"])
def test_an_unknown_id_gets_404(fake: Fake, path: str) -> None:
    fake.upload(batch())

    assert fake.request("GET", f"/_fake/{path}").status == 404


@pytest.mark.parametrize(("path", "told"), [("batches/1", "those of requests"), ("requests/1.0", "those of batches")])
def test_an_id_of_something_else_is_told_as_what_it_is(fake: Fake, path: str, told: str) -> None:
    fake.upload(batch())

    assert told in fake.request("GET", f"/_fake/{path}").messages[0]


def test_an_event_item_tells_whose_it_is(fake: Fake) -> None:
    fake.upload(batch(mpid=5))

    item = fake.items("events")[0]

    assert (item["id"], item["batch_id"], item["mpid"], item["user_identities"]) == ("1.0.0", "1.0", 5, {"customer_id": "c1"})


@pytest.mark.parametrize("kind", ["batches", "events", "requests"])
def test_pages_follow_each_other_without_a_gap_while_new_batches_arrive(fake: Fake, kind: str) -> None:
    for index in range(5):
        fake.upload([batch(mpid=index), batch(mpid=index)], "/v2/bulkevents")
    whole = [item["id"] for item in fake.items(kind)]

    page = fake.ask(f"{kind}?limit=3")
    paged = [item["id"] for item in page["items"]]
    fake.upload(batch())
    while page["next"]:
        page = fake.ask(f"{kind}?limit=3&after={page['next']}")
        paged += [item["id"] for item in page["items"]]

    assert paged[: len(whole)] == whole
    assert len(paged) == len(whole) + 1


def test_the_last_page_has_no_next(fake: Fake) -> None:
    fake.upload(batch())

    assert fake.ask("batches?limit=1")["next"] is None


OF_ANOTHER_STORE = (
    "after=7.0 is of another store, such as a memory before a restart: the newest request here is 2. This begins with the oldest."
)


@pytest.mark.parametrize("question", ["batches?after=7.0", "batches?after=7.0&limit=1"])
def test_a_cursor_from_another_store_begins_anew_and_says_so(fake: Fake, question: str) -> None:
    fake.upload(batch())
    fake.upload(batch())

    page = fake.ask(question)

    assert (page["items"][0]["id"], page["hint"]) == ("1.0", OF_ANOTHER_STORE)


def test_a_cursor_from_another_store_is_told_of_in_a_header_of_ndjson(fake: Fake) -> None:
    fake.upload(batch())
    fake.upload(batch())

    reply = fake.request("GET", "/_fake/batches?after=7.0", headers={"Accept": "application/x-ndjson"})

    assert (reply.headers["x-fake-hint"], len(reply.body.splitlines())) == (OF_ANOTHER_STORE, 2)


@pytest.mark.parametrize(("of", "status"), [("batches", 200), ("events&event_name=no", 408)])
def test_waiting_after_a_cursor_from_another_store_tells_of_that(fake: Fake, of: str, status: int) -> None:
    fake.upload(batch())
    fake.upload(batch())

    reply = fake.request("GET", f"/_fake/wait?of={of}&after=7.0&timeout=0")

    assert (reply.status, reply.json["hint"]) == (status, OF_ANOTHER_STORE)


@pytest.mark.parametrize("after", ["2", "2.0", "2.0.5", "1", "0"])
def test_a_cursor_of_this_store_is_nothing_to_tell_of(fake: Fake, after: str) -> None:
    fake.upload(batch())
    fake.upload(batch())

    assert "hint" not in fake.ask(f"batches?after={after}")
    fake.request("DELETE", "/_fake/batches")
    assert "hint" not in fake.ask(f"batches?after={after}")


def test_ndjson_is_not_cut_into_pages(fake: Fake) -> None:
    for _ in range(3):
        fake.upload([batch()] * 100, "/v2/bulkevents")

    reply = fake.request("GET", "/_fake/batches", headers={"Accept": "application/x-ndjson"})

    lines = reply.body.splitlines()
    assert (len(lines), reply.headers["content-type"]) == (300, "application/x-ndjson")
    assert json.loads(lines[-1])["id"] == "3.99"


def test_ndjson_keeps_to_a_limit_that_is_asked_for(fake: Fake) -> None:
    fake.upload([batch()] * 10, "/v2/bulkevents")

    reply = fake.request("GET", "/_fake/batches?limit=4", headers={"Accept": "application/x-ndjson"})

    assert len(reply.body.splitlines()) == 4


def test_stats_count_what_is_kept(fake: Fake) -> None:
    fill(fake)

    stats = fake.ask("stats")

    assert stats["requests_by_status"] == {"202": 3, "400": 1}
    assert stats["batches_by_verdict"] == {"accepted": 2, "dropped": 1, "rejected": 1}
    assert stats["findings_by_code"] == {"duplicate_batch": 1, "event_type_missing": 1, "wrong_type": 2}


def test_the_oldest_batches_are_forgotten_and_counted(open_fake: OpenFake) -> None:
    with open_fake(keep=3) as fake:
        for index in range(5):
            fake.upload(batch(events=[event(f"e{index}")]))

        assert names(fake) == ["e2", "e3", "e4"]
        assert fake.ask("stats")["forgotten"] == 2


def test_health_tells_ready_and_the_version(fake: Fake) -> None:
    health = fake.ask("health")

    assert health["status"] == "ready"
    assert health["version"][0].isdigit()


def test_the_instance_stays_while_a_server_runs(fake: Fake) -> None:
    assert fake.ask("health")["instance"] == fake.ask("health")["instance"]


def test_the_instance_is_another_one_after_a_restart(open_fake: OpenFake) -> None:
    with open_fake() as first, open_fake() as second:
        assert first.ask("health")["instance"] != second.ask("health")["instance"]


# -- forgetting and importing ----------------------------------------------------------------------------------------------


def test_forgetting_all_leaves_nothing(fake: Fake) -> None:
    fill(fake)

    reply = fake.request("DELETE", "/_fake/batches")

    assert (reply.status, reply.json) == (200, {"forgotten": 4})
    assert fake.items("requests") == []


def test_forgetting_one_workspace_leaves_the_others(open_fake: OpenFake) -> None:
    with open_fake(credentials=[("key", None, "shop")]) as fake:
        fill(fake)

        fake.request("DELETE", "/_fake/batches?workspace=shop")

        assert names(fake) == ["Seek"]


def test_forgetting_nothing_tells_that_nothing_is_known_of_a_workspace(fake: Fake) -> None:
    fake.upload(batch())

    assert fake.request("DELETE", "/_fake/batches?workspace=defualt").json == {
        "forgotten": 0,
        "hint": "No workspace 'defualt' is known. Did you mean default? There are: default.",
    }


@pytest.mark.parametrize("question", ["batches", "batches?workspace=default"])
def test_forgetting_where_nothing_is_left_has_no_hint(fake: Fake, question: str) -> None:
    assert fake.request("DELETE", f"/_fake/{question}").json == {"forgotten": 0}


def test_a_forgotten_source_request_id_is_no_duplicate_any_more(fake: Fake) -> None:
    fake.upload(batch(source_request_id="r1"))
    fake.request("DELETE", "/_fake/batches")
    fake.upload(batch(source_request_id="r1"))

    assert fake.items("batches")[0]["verdict"] == "accepted"


def exported(fake: Fake) -> bytes:
    return fake.request("GET", "/_fake/batches", headers={"Accept": "application/x-ndjson"}).body


def test_an_export_is_imported_as_it_was(fake: Fake, open_fake: OpenFake) -> None:
    fill(fake)
    fake.upload(batch(mpid=2**70))
    lines = exported(fake)

    with open_fake() as other:
        reply = other.request("POST", "/_fake/import", lines)
        again = exported(other)

    assert reply.json == {"imported": 5}
    for before, after in zip(lines.splitlines(), again.splitlines(), strict=True):
        kept = {"batch", "findings", "verdict", "status", "key", "workspace", "source", "received_at_ms"}
        assert {name: json.loads(before)[name] for name in kept} == {name: json.loads(after)[name] for name in kept}


def test_an_import_with_a_broken_line_names_it_and_keeps_the_lines_before(fake: Fake, open_fake: OpenFake) -> None:
    fill(fake)
    lines = exported(fake).splitlines()
    lines[2] = b'{"batch": 5}'

    with open_fake() as other:
        reply = other.request("POST", "/_fake/import", b"\n".join(lines))

        assert reply.status == 400
        assert "Line 3 " in reply.messages[0]
        assert names(other) == ["Play", "Stop"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"[]", "It is an array; expected an object. `python3 -c 'import json, sys; "),
        (b"7", "It is the number 7; expected an object."),
        (b'{\n  "batch": {}\n}', "It begins a JSON document of many lines; expected a batch a line. `python3 -m json.tool"),
        (b'{"items":[],"next":null}', "It is a page; expected a batch a line. `mparticle-fake export` writes that."),
        (b'{"environment":"development"}', "It has no member batch; expected an object, the batch (batches with nothing around"),
        (b'{"batch":"x","received_at_ms":1}', "batch is the text 'x'; expected an object, the batch"),
        (b'{"batch":{}}', "It has no member received_at_ms; expected milliseconds since 1970, a whole number."),
        (b'{"batch":{},"received_at_ms":"now"}', "received_at_ms is the text 'now'; expected milliseconds since 1970"),
        (
            b'{"batch":{},"received_at_ms":1,"verdict":"fine"}',
            "verdict is the text 'fine'; expected accepted, altered, dropped or",
        ),
        (b'{"batch":{},"received_at_ms":1,"status":7}', "status is the number 7; expected an HTTP status, 100 to 599."),
        (
            b'{"batch":{},"received_at_ms":1,"findings":[{}]}',
            "findings[0] does not fit; expected findings to be an array of findings as exported.",
        ),
        (b'{"batch":{},"received_at_ms":1,"key":3}', "key is the number 3; expected an API key or null."),
        (b'{"batch":{},"received_at_ms":1,"workspace":3}', "workspace is the number 3; expected a name or null."),
        (b'{"batch":{},"received_at_ms":1,"source":null}', "source is null; expected one of events_api, web, "),
        (b"sku,name,price", "The text is not JSON: got sku at line 3, column 1; expected a value"),
        (
            b"<html>",
            "The text is not JSON: got '<' at line 3, column 1; expected a value; near '<html>'. This looks like XML or HTML",
        ),
        (b'{"batch":{"a', "The text is not JSON: it ends at line 3, column 13, in /batch; expected the rest of a string"),
        (b'{"batch":{"a":"\xff"}}', "The text is not UTF-8: got byte 0xff (invalid start byte) at line 3, column 16"),
        (b'{"batch":{"a":"\\ud800"},"received_at_ms":1}', ""),
        (b"\x1f\x8b\x08", "It is compressed with gzip. Send it as it was before: `gunzip -c FILE | curl --data-binary @- …`."),
    ],
)
def test_a_line_that_is_no_batch_as_exported_is_told_as_what_it_is(
    fake: Fake, open_fake: OpenFake, line: bytes, told: str
) -> None:
    fake.upload(batch())

    with open_fake() as other:
        reply = other.request("POST", "/_fake/import", exported(fake) + b"\n" + line)

    (message,) = reply.messages
    assert (reply.status, "`int`" in message) == (400, False)
    assert message.startswith(f"Line 3 is no batch as exported. {told}")
    assert message.endswith(
        " 1 batch before it was imported. GET /_fake/batches with 'Accept: application/x-ndjson' gives the format."
    )


def test_a_line_that_no_batch_can_fill_is_not_imported(open_fake: OpenFake) -> None:
    with open_fake(max_body=1000) as fake:
        reply = fake.request("POST", "/_fake/import", b'{"batch": {"a": "' + b"x" * 1_200_000)

        assert reply.status == 413
        assert "Line 1 is too long" in reply.messages[0]


def test_a_number_as_source_request_id_is_known_after_an_import(fake: Fake, open_fake: OpenFake) -> None:
    fake.upload(batch(source_request_id=5))
    lines = exported(fake)

    with open_fake() as other:
        other.request("POST", "/_fake/import", lines)
        other.upload(batch(source_request_id=5))

        assert [item["verdict"] for item in other.items("batches")] == ["altered", "dropped"]


def test_an_import_may_be_larger_than_a_body(open_fake: OpenFake) -> None:
    with open_fake(max_body=1000) as fake:
        for _ in range(20):
            fake.upload(batch())
        lines = exported(fake)

        assert len(lines) > 1000
        assert fake.request("POST", "/_fake/import", lines).json == {"imported": 20}


# -- waiting ---------------------------------------------------------------------------------------------------------------


def test_waiting_for_what_is_there_answers_at_once(fake: Fake) -> None:
    fake.upload(batch())

    found = fake.ask("wait?event_name=Play")

    assert [item["event"]["data"]["event_name"] for item in found["items"]] == ["Play"]


def test_an_escaped_letter_hides_nothing_and_other_escapes_are_no_reason_to_read_a_body(fake: Fake) -> None:
    fake.upload(b'{"events":[{"event_type":"custom_event","data":{"event_name":"Pl\\u0061y"}}]}')
    fake.upload(b'{"events":[{"event_type":"custom_event","data":{"event_name":"Play","custom_attributes":{"a":"\\"\\n"}}}]}')

    assert [item["batch_id"] for item in fake.items("events?event_name=Play")] == ["1.0", "2.0"]


@pytest.mark.parametrize("name", ["verdict", "event_name", "data.custom_attributes.a"])
def test_a_filter_of_batches_on_requests_is_told_as_such(fake: Fake, name: str) -> None:
    reply = fake.request("GET", f"/_fake/requests?{name}=x")

    assert reply.status == 400
    assert "It is one of batches and events; requests have a status. Valid: workspace, " in reply.messages[0]


def test_a_verdict_is_looked_for_beside_the_others_of_a_batch(fake: Fake) -> None:
    fake.upload([batch(source_request_id="a", events=[event("Play")])] * 2, "/v2/bulkevents")
    fake.upload([batch(events=[event("Other")])], "/v2/bulkevents")

    assert [item["id"] for item in fake.items("batches?verdict=dropped")] == ["1.1"]
    assert fake.items("batches?verdict=dropped&event_name=Other") == []
    assert [item["id"] for item in fake.items("batches?verdict=dropped&code=duplicate_batch&event_name=Play")] == ["1.1"]


def test_misses_are_looked_for_in_what_came_last(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mparticle_fake_server.waiting.MOST_BATCHES", 1)
    monkeypatch.setattr("mparticle_fake_server.waiting._STEP", 1)
    for name in ("Plai", "Other"):
        fake.upload(batch(events=[event(name)]))

    nearest = fake.request("GET", "/_fake/wait?event_name=Play&timeout=0").json["nearest"]

    assert [miss["event"]["data"]["event_name"] for miss in nearest] == ["Other"]


def test_waiting_in_vain_gets_408_with_the_nearest_miss(fake: Fake) -> None:
    fake.upload(batch(events=[event("Other"), event("play", custom_attributes={"n": 1})]))

    reply = fake.request("GET", "/_fake/wait?event_name=Play&data.custom_attributes.n=1&timeout=0")

    assert reply.status == 408
    assert "event_name is \"play\", expected 'Play'" in reply.messages[0]
    assert reply.json["nearest"][0]["differences"] == [{"field": "event_name", "expected": "Play", "got": "play"}]


def test_waiting_for_more_than_came_tells_how_many_came(fake: Fake) -> None:
    fake.upload(batch())

    reply = fake.request("GET", "/_fake/wait?event_name=Play&count=2&timeout=0")

    assert (reply.status, reply.json["count"], reply.json["wanted"]) == (408, 1, 2)


def test_waiting_in_vain_tells_that_nothing_is_known_of_a_workspace(open_fake: OpenFake) -> None:
    with open_fake(credentials=[("key", None, "shop"), ("other", None, "app")]) as fake:
        fake.upload(batch())

        reply = fake.request("GET", "/_fake/wait?event_name=Play&workspace=shpo&timeout=0")

    assert reply.status == 408
    assert reply.json["errors"][0]["message"] == (
        "0 of 1 events matched within 0 s. No workspace 'shpo' is known. Did you mean shop? There are: default, shop, app."
    )


@pytest.mark.parametrize("filters", ["workspace=default", "workspace=shop", "key=typo", "event_name=Play"])
def test_waiting_in_vain_in_a_known_workspace_tells_of_none(open_fake: OpenFake, filters: str) -> None:
    with open_fake(credentials=[("key", None, "shop")]) as fake:
        reply = fake.request("GET", f"/_fake/wait?{filters}&timeout=0")

    assert (reply.status, "No workspace" in reply.json["errors"][0]["message"]) == (408, False)


@pytest.mark.parametrize("question", ["batches", "events", "requests"])
def test_an_empty_list_tells_that_nothing_is_known_of_its_workspace(fake: Fake, question: str) -> None:
    fake.upload(batch())

    assert fake.ask(f"{question}?workspace=defualt") == {
        "items": [],
        "next": None,
        "hint": "No workspace 'defualt' is known. Did you mean default? There are: default.",
    }


@pytest.mark.parametrize("question", ["batches", "events", "requests"])
def test_empty_ndjson_tells_that_nothing_is_known_of_its_workspace_in_a_header(fake: Fake, question: str) -> None:
    fake.upload(batch())

    reply = fake.request("GET", f"/_fake/{question}?workspace=d%C3%A9fualt", headers={"Accept": "application/x-ndjson"})

    hint = r"No workspace 'd\xe9fualt' is known. Did you mean default? There are: default."
    assert (reply.status, reply.headers["x-fake-hint"], reply.body) == (200, hint, b"")


def test_stats_of_nothing_tell_that_nothing_is_known_of_the_workspace(fake: Fake) -> None:
    fake.upload(batch())

    stats = fake.ask("stats?workspace=defualt")

    assert stats["batches"] == 0
    assert stats["hint"] == "No workspace 'defualt' is known. Did you mean default? There are: default."


@pytest.mark.parametrize("question", ["stats", "stats?workspace=default", "stats?status=500"])
def test_stats_of_a_known_workspace_have_no_hint(fake: Fake, question: str) -> None:
    assert "hint" not in fake.ask(question)


@pytest.mark.parametrize("question", ["batches", "batches?workspace=default", "batches?workspace=default&key=typo"])
def test_ndjson_of_a_known_workspace_has_no_hint(fake: Fake, question: str) -> None:
    fake.upload(batch())

    reply = fake.request("GET", f"/_fake/{question}", headers={"Accept": "application/x-ndjson"})

    assert (reply.status, "x-fake-hint" in reply.headers) == (200, False)


@pytest.mark.parametrize("question", ["batches?workspace=default", "batches?key=typo", "requests?status=500"])
def test_an_empty_list_of_a_known_workspace_is_just_empty(fake: Fake, question: str) -> None:
    assert fake.ask(question) == {"items": [], "next": None}


def test_a_workspace_that_is_known_from_records_alone_is_known(fake: Fake, open_fake: OpenFake) -> None:
    with open_fake(credentials=[("key", None, "shop")]) as other:
        other.upload(batch())
        lines = exported(other)
    fake.request("POST", "/_fake/import", lines)

    assert fake.ask("batches?workspace=shop&key=typo") == {"items": [], "next": None}
    assert fake.ask("batches?workspace=shpo")["hint"].endswith("Did you mean shop? There are: default, shop.")


def test_what_is_told_of_workspaces_is_short_and_plain(fake: Fake) -> None:
    for number in range(30):
        send_json(fake, "POST", "/_fake/workspaces", {"name": f"\x1b[31m{number}" + "x" * 180})

    hint = fake.ask("batches?" + urlencode({"workspace": "\x1b]0;" + "y" * 5000}))["hint"]

    assert hint.isprintable()
    assert hint.endswith(" and 21 more.")
    assert len(hint) < 1000


def test_waiting_for_batches_counts_those_without_events(fake: Fake) -> None:
    fake.upload({"environment": "development", "user_identities": {"customer_id": "c1"}})

    assert fake.ask("wait?of=batches&identity=customer_id:c1")["count"] == 1


def test_what_production_drops_has_not_arrived(fake: Fake) -> None:
    for _ in range(2):
        fake.upload(batch(source_request_id="r1"))

    reply = fake.request("GET", "/_fake/wait?event_name=Play&count=2&timeout=0")

    assert (reply.status, reply.json["count"]) == (408, 1)
    assert "verdict is \"dropped\", expected 'accepted,altered'" in reply.messages[0]
    assert fake.ask("wait?event_name=Play&count=2&timeout=0&verdict=accepted,dropped")["count"] == 2


def test_waiting_after_an_id_looks_at_newer_ones_alone(fake: Fake) -> None:
    fake.upload(batch())

    assert fake.request("GET", "/_fake/wait?event_name=Play&after=1.0.0&timeout=0").status == 408


def test_waiting_for_no_time_looks_at_all_there_is(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mparticle_fake_server.waiting.AT_ONCE", 10)
    for _ in range(13):
        fake.upload(batch())

    # A look ends at the tenth: what is left fills none.
    assert fake.ask("wait?of=batches&after=7.0&count=6&timeout=0")["count"] == 6


# -- workspaces ------------------------------------------------------------------------------------------------------------


def send_json(fake: Fake, method: str, path: str, value: Any) -> Reply:
    return fake.request(method, path, json.dumps(value).encode(), {"Content-Type": "application/json"})


def test_a_workspace_is_made_with_its_inputs_and_mode(fake: Fake) -> None:
    made = {"name": "shop", "mode": "strict", "inputs": [{"key": "key", "secret": "secret"}]}

    reply = send_json(fake, "POST", "/_fake/workspaces", made)
    fake.upload(batch())

    assert reply.status == 201
    assert fake.items("batches")[0]["workspace"] == "shop"
    assert [item["mode"] for item in fake.items("workspaces") if item["name"] == "shop"] == ["strict"]


def test_a_workspace_never_shows_its_secrets(fake: Fake) -> None:
    reply = send_json(fake, "POST", "/_fake/workspaces", {"name": "shop", "inputs": [{"key": "k", "secret": "s3cr3t"}]})

    assert b"s3cr3t" not in reply.body
    assert "s3cr3t" not in json.dumps(fake.ask("workspaces"))


def test_the_mode_of_a_workspace_can_be_changed(fake: Fake) -> None:
    send_json(fake, "PUT", "/_fake/workspaces/default", {"mode": "strict"})

    assert fake.upload({"environment": "development", "mpid": 2**70}).status == 400


def test_a_removed_workspace_takes_its_inputs_and_records_along(open_fake: OpenFake) -> None:
    with open_fake(credentials=[("key", "secret", "shop")], unknown_keys=False) as fake:
        fake.upload(batch())

        reply = fake.request("DELETE", "/_fake/workspaces/shop")

        assert reply.json == {"forgotten": 1}
        assert fake.upload(batch()).status == 403


@pytest.mark.parametrize(
    ("method", "path", "value", "told"),
    [
        ("POST", "workspaces", {"mode": "strict"}, "no name"),
        ("POST", "workspaces", {"name": "default"}, "exists"),
        (
            "POST",
            "workspaces",
            {"name": "a", "mode": "hard"},
            "mode is the text 'hard'; expected one of faithful, strict, lenient.",
        ),
        ("PUT", "workspaces/default", {"mode": "strct"}, '"mode": "faithful|strict|lenient"'),
        ("POST", "workspaces", {"name": "a", "modus": "strict"}, "a member 'modus', which is unknown. Did you mean mode?"),
        ("POST", "workspaces", {"name": "a", "inputs": [{"key": "a:b"}]}, "colon"),
        ("POST", "workspaces", {"name": "a", "inputs": [{"key": "taken"}]}, "belongs to the workspace 'shop'"),
        ("POST", "workspaces", [], "It is an array; expected an object."),
        ("PUT", "workspaces/a", {"name": "b"}, "the path 'a'"),
    ],
)
def test_a_wrong_workspace_gets_400_that_tells_why(open_fake: OpenFake, method: str, path: str, value: Any, told: str) -> None:
    with open_fake(credentials=[("taken", None, "shop")]) as fake:
        reply = send_json(fake, method, f"/_fake/{path}", value)

        assert reply.status == 400
        assert told in reply.messages[0]


@pytest.mark.parametrize(("method", "path"), [("POST", "workspaces"), ("PUT", "workspaces/shop")])
def test_a_workspace_larger_than_a_body_may_be_gets_413(open_fake: OpenFake, method: str, path: str) -> None:
    with open_fake(max_body=100) as fake:
        reply = fake.request(method, f"/_fake/{path}", b" " * 101)

        assert (reply.status, reply.messages) == (413, ["The body has 101 bytes or more; the server takes 100."])


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "The body is empty."),
        (
            b"name=shop",
            "The body cannot be read as JSON, from line 1, column 1 (byte 0) on; as it may hold secrets, nothing of it",
        ),
        (b'{"name": "sh', "The body cannot be read as JSON, from line 1, column 13 (byte 12) on; "),
        (b'{"name": "\xff"}', "The body cannot be read as JSON, from line 1, column 11 (byte 10) on; "),
        (b'{"name": "\\ud800"}', "The body is not what this endpoint takes. "),
        (b'["shop"]', "The body is not what this endpoint takes. It is an array; expected an object."),
        (
            b'{"nam": "shop"}',
            "The body is not what this endpoint takes. It has a member 'nam', which is unknown. Did you mean name?",
        ),
        (b'{"name": 5}', "The body is not what this endpoint takes. name is the number 5; expected a text."),
        (
            b'{"name": "a", "mode": "hard"}',
            "The body is not what this endpoint takes. mode is the text 'hard'; expected one of fai",
        ),
        (
            b'{"name": "a", "inputs": {}}',
            "The body is not what this endpoint takes. inputs is an object; expected an array of object",
        ),
        (
            b'{"name": "a", "inputs": [{"key": 5}]}',
            "The body is not what this endpoint takes. inputs[0].key does not fit; expected inputs to be an array of objects",
        ),
    ],
)
def test_a_body_that_is_no_workspace_is_told_with_what_is_wrong_and_what_is_expected(fake: Fake, body: bytes, told: str) -> None:
    reply = fake.request("POST", "/_fake/workspaces", body)

    assert (reply.status, "`" in reply.messages[0]) == (400, False)
    assert reply.messages[0].startswith(told)
    assert ' Expected {"name": …, "mode": "faithful|strict|lenient", "inputs": [{"key": …, ' in reply.messages[0]


@pytest.mark.parametrize(
    "body",
    [
        b'{"inputs":[{"key":"k","secret":"LEAKPW"}',
        b'{"inputs":[{"key":"k","secret":LEAKPW}]}',
        b'{"inputs":[{"key":"k","secret":"LEAKPW\xff"}]}',
        b'{"inputs":[{"key":"k","secret":["LEAKPW"]}]}',
        b'{"inputs":"k:LEAKPW"}',
        b'{"native_config":"LEAKPW"}',
        b'"k:LEAKPW"',
    ],
)
def test_nothing_is_quoted_of_a_workspace_that_may_be_a_secret(fake: Fake, body: bytes) -> None:
    reply = fake.request("PUT", "/_fake/workspaces/shop", body)

    assert (reply.status, b"LEAKPW" in reply.body) == (400, False)


def test_removing_an_unknown_workspace_gets_404(fake: Fake) -> None:
    assert fake.request("DELETE", "/_fake/workspaces/nowhere").status == 404


def test_the_path_of_an_input_makes_no_workspace(fake: Fake) -> None:
    reply = send_json(fake, "PUT", "/_fake/workspaces/shop/inputs/key", {})

    assert (reply.status, reply.headers["allow"]) == (405, "DELETE")


SLASHED = ["a/b", "tests/inputs", "tests/inputs/test_a.py", "a%2Fb", "a\nb/c"]
EMPTY_PARTS = [("/a", "a"), ("a/", "a"), ("a//b", "a/b"), ("a/inputs/", "a/inputs"), ("/", None)]
"""Names that are mistyped paths, and what was meant."""


@pytest.mark.parametrize("name", SLASHED)
def test_a_workspace_with_a_slash_in_its_name_is_removed(fake: Fake, name: str) -> None:
    send_json(fake, "POST", "/_fake/workspaces", {"name": name, "inputs": [{"key": "key"}]})
    fake.upload(batch())

    reply = fake.request("DELETE", f"/_fake/workspaces/{quote(name, safe='')}")

    assert (reply.status, reply.json) == (200, {"forgotten": 1})
    assert [item["name"] for item in fake.items("workspaces")] == ["default"]


@pytest.mark.parametrize("name", [name for name in SLASHED if "/inputs/" not in name])
def test_a_workspace_with_a_slash_in_its_name_is_changed(fake: Fake, name: str) -> None:
    send_json(fake, "POST", "/_fake/workspaces", {"name": name})

    reply = send_json(fake, "PUT", f"/_fake/workspaces/{quote(name, safe='')}", {"mode": "strict"})

    assert (reply.status, reply.json["name"], reply.json["mode"]) == (200, name, "strict")
    assert len(fake.items("workspaces")) == 2


@pytest.mark.parametrize("name", SLASHED)
def test_an_input_is_taken_from_a_workspace_with_a_slash_in_its_name(fake: Fake, name: str) -> None:
    send_json(fake, "POST", "/_fake/workspaces", {"name": name, "inputs": [{"key": "key"}, {"key": "other"}]})

    reply = fake.request("DELETE", f"/_fake/workspaces/{quote(name, safe='')}/inputs/key")

    assert (reply.status, reply.json["inputs"]) == (200, [{"key": "other", "any_secret": True}])
    assert reply.json["name"] == name


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize(("name", "meant"), EMPTY_PARTS)
def test_a_name_with_an_empty_part_makes_no_workspace_and_tells_what_was_meant(
    fake: Fake, method: str, name: str, meant: str | None
) -> None:
    if method == "PUT":
        reply = send_json(fake, "PUT", f"/_fake/workspaces/{quote(name, safe='')}", {"mode": "strict"})
    else:
        reply = send_json(fake, "POST", "/_fake/workspaces", {"name": name, "mode": "strict"})

    advice = f" Did you mean {meant!r}?" if meant else ""
    assert (reply.status, reply.messages) == (
        400,
        [f"The workspace name {name!r} has an empty part: a slash at its beginning or end, or two in a row.{advice}"],
    )
    assert [item["name"] for item in fake.items("workspaces")] == ["default"]


@pytest.mark.parametrize("path", ["shop/", "shop//", "/shop", "%2Fshop"])
def test_a_slash_too_many_in_a_path_changes_no_workspace(open_fake: OpenFake, path: str) -> None:
    with open_fake(credentials=[("key", None, "shop")]) as fake:
        reply = send_json(fake, "PUT", f"/_fake/workspaces/{path}", {"mode": "strict"})

        assert (reply.status, "Did you mean 'shop'?" in reply.messages[0]) == (400, True)
        assert [(item["name"], item["mode"]) for item in fake.items("workspaces")] == [
            ("default", "faithful"),
            ("shop", "faithful"),
        ]


@pytest.mark.parametrize("name", [name for name, _ in EMPTY_PARTS])
def test_a_workspace_whose_name_has_an_empty_part_is_removed(open_fake: OpenFake, name: str) -> None:
    with open_fake(credentials=[("key", None, name)]) as fake:
        fake.upload(batch())

        reply = fake.request("DELETE", f"/_fake/workspaces/{quote(name, safe='')}")

        assert (reply.status, reply.json) == (200, {"forgotten": 1})
        assert [item["name"] for item in fake.items("workspaces")] == ["default"]


def test_the_path_of_all_inputs_makes_no_workspace_and_tells_where_inputs_are_added(fake: Fake) -> None:
    reply = send_json(fake, "PUT", "/_fake/workspaces/shop/inputs", {"inputs": [{"key": "key"}]})

    assert reply.status == 400
    assert "If an input of 'shop' was meant, name it in the body of PUT /_fake/workspaces/{name}" in reply.messages[0]
    assert [item["name"] for item in fake.items("workspaces")] == ["default"]


# -- who may ask -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["batches", "events", "requests", "stats", "wait?timeout=0", "stream", "workspaces"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example.com"},
        {"Host": "127.0.0.1.evil.example.com"},
        {"Host": "192.168.0.7:8080"},
        {"Host": "[::ffff:192.168.0.7]:8080"},
        {"Host": "[::1"},
        {"Origin": "http://evil.example.com"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
    ids=str,
)
def test_a_foreign_host_or_origin_gets_no_recorded_data(fake: Fake, path: str, headers: dict[str, str]) -> None:
    fake.upload(batch())

    reply = fake.request("GET", f"/_fake/{path}", headers=headers)

    assert reply.status == 403
    assert b"Play" not in reply.body


@pytest.mark.parametrize("method", ["DELETE", "POST"])
def test_a_foreign_origin_can_neither_forget_nor_import(fake: Fake, method: str) -> None:
    fake.upload(batch())
    path = "/_fake/batches" if method == "DELETE" else "/_fake/import"

    reply = fake.request(method, path, headers={"Origin": "http://evil.example.com"})

    assert reply.status == 403
    assert len(fake.items("batches")) == 1


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost.:80",
        "127.0.0.1:1234",
        "127.1:80",
        "[::1]:80",
        "[::ffff:127.0.0.1]:80",
        "0.0.0.0:80",
        "app.localhost",
        "127.9.9.9",
    ],
)
def test_this_machines_own_names_are_answered(fake: Fake, host: str) -> None:
    assert fake.request("GET", "/_fake/batches", headers={"Host": host}).status == 200


def test_a_page_of_the_server_itself_may_ask(fake: Fake) -> None:
    headers = {"Host": "localhost:8080", "Origin": "http://localhost:8080"}

    assert fake.request("GET", "/_fake/batches", headers=headers).status == 200


@pytest.mark.parametrize(
    ("path", "accept", "kind"),
    [
        ("/_fake/batches", "*/*", "application/json"),
        ("/_fake/batches", "application/x-ndjson", "application/x-ndjson"),
        ("/_fake/stream", "*/*", "text/event-stream"),
    ],
)
def test_head_tells_the_type_of_what_get_would_answer(fake: Fake, path: str, accept: str, kind: str) -> None:
    fake.upload(batch())

    reply = fake.request("HEAD", path, headers={"Accept": accept})

    assert (reply.status, reply.headers.get("content-type"), reply.body) == (200, kind, b"")


@pytest.mark.parametrize("path", ["/_fake/batches", "/_fake/stream"])
def test_head_says_no_length_where_get_says_none(fake: Fake, path: str) -> None:
    assert "content-length" not in fake.request("HEAD", path).headers


def test_head_waits_and_is_refused_as_get_is(fake: Fake) -> None:
    asked = [fake.request(method, "/_fake/wait?event_name=nope&timeout=0") for method in ("HEAD", "GET")]

    assert [reply.status for reply in asked] == [408, 408]
    assert [reply.headers["content-length"] for reply in asked] == [str(len(asked[1].body))] * 2


def test_head_of_a_wrong_question_is_refused_as_get_is(fake: Fake) -> None:
    assert fake.request("HEAD", "/_fake/stream?evnt_name=x").status == 400


@pytest.mark.parametrize("path", ["/_fake/batches", "/_fake/health", "/_fake/nothing"])
def test_no_answer_of_the_inspect_api_has_cors_headers(fake: Fake, path: str) -> None:
    reply = fake.request("GET", path, headers={"Host": "localhost:1", "Origin": "http://localhost:1"})

    assert not [name for name in reply.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("batches", {}, 401),
        ("batches?token=wrong", {}, 401),
        ("batches", {"Authorization": "Bearer wrong"}, 401),
        ("batches", {"Authorization": BASIC}, 401),
        ("batches?token=t0ken", {}, 200),
        ("batches", {"Authorization": "Bearer t0ken"}, 200),
        ("batches", {"Authorization": "bearer t0ken", "Host": "fake.example.com"}, 200),
        ("events?token=t0ken&event_name=Play", {}, 200),
        ("stream", {}, 401),
        ("wait?timeout=0", {}, 401),
        ("health", {}, 200),
    ],
)
def test_a_token_is_wanted_where_one_is_set(open_fake: OpenFake, path: str, headers: dict[str, str], status: int) -> None:
    with open_fake(token="t0ken") as fake:
        assert fake.request("GET", f"/_fake/{path}", headers=headers).status == status


def test_uploads_need_no_token(open_fake: OpenFake) -> None:
    with open_fake(token="t0ken") as fake:
        assert fake.upload(batch()).status == 202
