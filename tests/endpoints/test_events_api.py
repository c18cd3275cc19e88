"""The Events API as a client meets it: statuses, bodies, headers, modes, credentials, duplicates."""

import base64
import gzip
import json
import time
from typing import Any

import pytest

from tests.hosts import Fake, OpenFake, batch, event

PATHS = ["/v2/events", "/s2s/v2/events"]
BULK_PATHS = ["/v2/bulkevents", "/s2s/v2/bulkevents"]
HISTORICAL = "/v2/bulkevents/historical"
DAYS_4 = 4 * 24 * 3600 * 1000


def now_ms() -> int:
    return int(time.time() * 1000)


def verdicts(fake: Fake) -> list[str]:
    return [item["verdict"] for item in fake.items("batches")]


def codes(fake: Fake) -> list[str]:
    """The codes of all recorded findings, of requests and batches."""
    found = []
    for request in fake.items("requests"):
        found += [finding["code"] for finding in request.get("findings", [])]
        found += [finding["code"] for item in request["batches"] for finding in item["findings"]]
    return found


# -- what is accepted ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
def test_a_batch_gets_202_with_an_empty_body(fake: Fake, path: str) -> None:
    reply = fake.upload(batch(), path)

    assert (reply.status, reply.body, reply.headers["content-length"]) == (202, b"", "0")


@pytest.mark.parametrize("path", BULK_PATHS)
def test_a_bulk_request_gets_202_and_its_batches_are_recorded_in_order(fake: Fake, path: str) -> None:
    reply = fake.upload([batch(mpid=1), batch(mpid=2)], path)

    assert reply.status == 202
    assert [item["batch"]["mpid"] for item in fake.items("batches")] == [1, 2]


def test_an_answer_tells_the_percentage_used_of_the_rate_limit(open_fake: OpenFake) -> None:
    with open_fake() as fake:
        replies = [fake.upload([batch()] * 100, "/v2/bulkevents") for _ in range(2)]

    percentages = [int(reply.headers["x-mp-rate-limit-percentage-used"]) for reply in replies]
    # 100 of 270 batches a second are 37 %; the second request may fall into the next second.
    assert percentages in ([37, 74], [37, 37])


def test_the_recorded_batch_is_the_one_that_was_sent(fake: Fake) -> None:
    sent = batch(user_attributes={"plan": "gold", "tags": ["a", "b"], "ratio": 0.5, "nothing": None})

    fake.upload(sent)

    assert fake.items("batches")[0]["batch"] == sent


def test_an_integer_of_64_bits_is_recorded_exactly(fake: Fake) -> None:
    fake.upload(batch(mpid=2**63 - 1))

    assert fake.items("batches")[0]["batch"]["mpid"] == 2**63 - 1


def test_a_batch_without_events_is_accepted(fake: Fake) -> None:
    reply = fake.upload({"environment": "development", "user_attributes": {"plan": "gold"}})

    assert (reply.status, verdicts(fake)) == (202, ["accepted"])


def test_an_empty_bulk_request_is_accepted_without_a_batch(fake: Fake) -> None:
    reply = fake.upload([], "/v2/bulkevents")

    assert (reply.status, fake.items("requests")[0]["batches"]) == (202, [])


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain;charset=UTF-8", "application/octet-stream", "absent", ""]
)
def test_any_content_type_is_read_as_json(fake: Fake, content_type: str) -> None:
    assert fake.upload(batch(), Content_Type=content_type).status == 202


def test_a_gzip_body_is_read(fake: Fake) -> None:
    reply = fake.upload(gzip.compress(b'{"environment": "production"}'), Content_Encoding="gzip")

    assert (reply.status, fake.items("batches")[0]["batch"]) == (202, {"environment": "production"})


def test_any_host_is_answered(fake: Fake) -> None:
    assert fake.upload(batch(), Host="s2s.eu1.mparticle.com").status == 202


# -- credentials -----------------------------------------------------------------------------------------------------------


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("header", ["absent", "", "Bearer abc", "Basic", "Basic %%%", basic("no-colon"), basic(":secret")])
def test_a_request_without_readable_credentials_gets_401(fake: Fake, header: str) -> None:
    reply = fake.upload(batch(), Authorization=header)

    assert reply.status == 401
    assert reply.json["errors"][0]["code"] == "UNAUTHORIZED"


def test_a_wrong_secret_gets_403(open_fake: OpenFake) -> None:
    with open_fake(credentials=[("key", "secret", "default")]) as fake:
        reply = fake.upload(batch(), Authorization=basic("key:other"))

        assert reply.status == 403
        assert codes(fake) == ["credentials_wrong"]


def test_an_unknown_key_gets_403_where_only_known_keys_are_taken(open_fake: OpenFake) -> None:
    with open_fake(credentials=[("key", "secret", "default")], unknown_keys=False) as fake:
        assert fake.upload(batch(), Authorization=basic("other:secret")).status == 403
        assert fake.upload(batch()).status == 202


def test_an_unknown_key_becomes_an_input_of_the_default_workspace(fake: Fake) -> None:
    fake.upload(batch(), Authorization=basic("anything:goes"))

    item = fake.items("batches")[0]
    assert (item["workspace"], item["key"]) == ("default", "anything")


def test_a_named_input_belongs_to_its_workspace(open_fake: OpenFake) -> None:
    with open_fake(credentials=[("key", "secret", "shop")]) as fake:
        fake.upload(batch())

        assert fake.items("batches")[0]["workspace"] == "shop"


def test_a_secret_may_hold_colons_and_other_letters(open_fake: OpenFake) -> None:
    with open_fake(credentials=[("key", "a:b:ü", "default")]) as fake:
        assert fake.upload(batch(), Authorization=basic("key:a:b:ü")).status == 202


def test_the_refusal_of_credentials_never_shows_a_secret(open_fake: OpenFake) -> None:
    with open_fake(credentials=[("key", "right-secret", "default")]) as fake:
        reply = fake.upload(batch(), Authorization=basic("key:wrong-secret"))

    assert b"right-secret" not in reply.body
    assert b"wrong-secret" not in reply.body


# -- what is refused -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b"{", b"null", b'"text"', b"[]", b"5", b"NaN", b"\xff\xfe\xff", b"{'a': 1}"])
def test_what_is_no_batch_gets_400_with_mparticles_error_body(fake: Fake, body: bytes) -> None:
    reply = fake.upload(body)

    assert reply.status == 400
    assert reply.json["errors"][0]["code"] == "BAD_REQUEST"
    assert reply.headers["content-type"] == "application/json"


@pytest.mark.parametrize("body", [b"{}", b"[{}, 5]", b"[null]", b"[[{}]]"])
def test_what_is_no_array_of_batches_gets_400_on_the_bulk_path(fake: Fake, body: bytes) -> None:
    assert fake.upload(body, "/v2/bulkevents").status == 400


@pytest.mark.parametrize("unnamed", [{"data": {}}, {"event_type": "", "data": {}}, {"event_type": None}, {}, 5, None])
def test_an_event_without_a_type_gets_400_with_the_published_message(fake: Fake, unnamed: Any) -> None:
    reply = fake.upload(batch(events=[event("Play"), unnamed]))

    assert reply.status == 400
    assert 'Required event field "event_type" is missing or empty.' in reply.messages[0]
    assert "events[1]" in reply.messages[0]


def test_every_fault_is_reported_at_once(fake: Fake) -> None:
    reply = fake.upload(batch(events=[{}, event("Play"), {}]))

    assert len(reply.messages) == 2


def test_101_batches_get_400_and_100_get_202(fake: Fake) -> None:
    assert fake.upload([batch()] * 101, "/v2/bulkevents").status == 400
    assert fake.upload([batch()] * 100, "/v2/bulkevents").status == 202


def test_a_refused_batch_is_recorded_as_rejected(fake: Fake) -> None:
    fake.upload(batch(events=[{}]))

    assert verdicts(fake) == ["rejected"]


def test_one_faulty_batch_of_a_bulk_request_is_dropped_behind_a_202(fake: Fake) -> None:
    reply = fake.upload([batch(), batch(events=[{}])], "/v2/bulkevents")

    assert (reply.status, verdicts(fake)) == (202, ["accepted", "dropped"])


def test_a_bulk_request_of_faulty_batches_alone_gets_400(fake: Fake) -> None:
    reply = fake.upload([batch(events=[{}]), batch(events=[{}])], "/v2/bulkevents")

    assert (reply.status, verdicts(fake)) == (400, ["rejected", "rejected"])
    assert "batch 1: " not in reply.messages[0]
    assert "batch 1: " in reply.messages[1]


def test_an_unknown_path_gets_404_and_is_recorded(fake: Fake) -> None:
    reply = fake.upload(batch(), "/v2/event")

    assert reply.status == 404
    assert "Did you mean /v2/events?" in reply.messages[0]
    assert codes(fake) == ["path_unknown"]


@pytest.mark.parametrize(
    ("path", "hint"),
    [("/events", "must include /v2"), ("/v2//events", "Did you mean /v2/events?"), ("/v2/events/", "Did you mean /v2/events?")],
)
def test_a_404_tells_how_the_sdk_is_configured_wrongly(fake: Fake, path: str, hint: str) -> None:
    assert hint in fake.upload(batch(), path).messages[0]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_another_method_gets_405_with_the_one_to_use(fake: Fake, method: str) -> None:
    reply = fake.request(method, "/v2/events")

    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    assert codes(fake) == ["method_not_allowed"]


def test_a_body_above_the_limit_gets_413(open_fake: OpenFake) -> None:
    with open_fake(max_body=1000) as fake:
        reply = fake.upload(batch(user_attributes={"long": "x" * 1000}))

        assert (reply.status, codes(fake)) == (413, ["body_too_large"])


def test_a_body_above_the_limit_after_decompression_gets_413(open_fake: OpenFake) -> None:
    with open_fake(max_body=1000) as fake:
        reply = fake.upload(gzip.compress(b"[" * 1_000_000), Content_Encoding="gzip")

        assert (reply.status, codes(fake)) == (413, ["body_too_large"])


def test_a_body_of_exactly_the_limit_is_read(open_fake: OpenFake) -> None:
    with open_fake(max_body=1000) as fake:
        assert fake.upload(b'{"a":"' + b"x" * 992 + b'"}').status == 202


def test_the_next_upload_works_after_a_body_above_the_limit(open_fake: OpenFake) -> None:
    with open_fake(max_body=1000) as fake:
        fake.upload(b"x" * 5000)

        assert fake.upload(batch()).status == 202


# -- modes -----------------------------------------------------------------------------------------------------------------

BEYOND = {"environment": "development", "mpid": 2**70}
"""A batch with an error finding that production answers with 202."""


@pytest.mark.parametrize(("mode", "status"), [("faithful", 202), ("strict", 400), ("lenient", 202)])
def test_an_error_that_production_swallows_is_refused_in_strict_mode_alone(open_fake: OpenFake, mode: Any, status: int) -> None:
    with open_fake(mode=mode) as fake:
        assert fake.upload(BEYOND).status == status


@pytest.mark.parametrize("body", [b"{", b"[]", batch(events=[{}])], ids=str)
def test_lenient_mode_takes_what_production_refuses(open_fake: OpenFake, body: Any) -> None:
    with open_fake(mode="lenient") as fake:
        reply = fake.upload(body)

        assert reply.status == 202
        assert len(codes(fake)) == 1


def test_lenient_mode_records_more_than_100_batches(open_fake: OpenFake) -> None:
    with open_fake(mode="lenient") as fake:
        assert fake.upload([batch()] * 101, "/v2/bulkevents").status == 202
        assert len(fake.items("batches?limit=1000")) == 101


def test_strict_mode_refuses_a_whole_bulk_request(open_fake: OpenFake) -> None:
    with open_fake(mode="strict") as fake:
        reply = fake.upload([batch(), BEYOND], "/v2/bulkevents")

        assert (reply.status, verdicts(fake)) == (400, ["rejected", "rejected"])


@pytest.mark.parametrize("mode", ["faithful", "strict", "lenient"])
def test_credentials_and_size_are_judged_alike_in_every_mode(open_fake: OpenFake, mode: Any) -> None:
    with open_fake(mode=mode, max_body=1000, credentials=[("key", "secret", "default")]) as fake:
        assert fake.upload(batch(), Authorization="absent").status == 401
        assert fake.upload(batch(), Authorization=basic("key:wrong")).status == 403
        assert fake.upload(b"x" * 2000).status == 413


# -- duplicates ------------------------------------------------------------------------------------------------------------


def test_a_source_request_id_seen_before_gets_202_and_the_verdict_dropped(fake: Fake) -> None:
    replies = [fake.upload(batch(source_request_id="r1")) for _ in range(2)]

    assert [reply.status for reply in replies] == [202, 202]
    assert verdicts(fake) == ["accepted", "dropped"]


def test_the_finding_on_a_duplicate_names_the_first_batch(fake: Fake) -> None:
    fake.upload(batch(source_request_id="r1"))
    fake.upload(batch(source_request_id="r1"))

    first, second = fake.items("batches")
    assert f"batch {first['id']}" in second["findings"][0]["message"]


def test_another_input_may_use_the_same_source_request_id(fake: Fake) -> None:
    fake.upload(batch(source_request_id="r1"), Authorization=basic("one:s"))
    fake.upload(batch(source_request_id="r1"), Authorization=basic("two:s"))

    assert verdicts(fake) == ["accepted", "accepted"]


def test_duplicates_inside_a_bulk_request_are_found(fake: Fake) -> None:
    fake.upload([batch(source_request_id="r1"), batch(source_request_id="r2"), batch(source_request_id="r1")], "/v2/bulkevents")

    assert verdicts(fake) == ["accepted", "accepted", "dropped"]
    assert fake.items("batches")[2]["findings"][0]["index"] == 2


def test_a_rejected_batch_may_be_sent_again_with_its_source_request_id(fake: Fake) -> None:
    fake.upload(batch(source_request_id="r1", events=[{}]))
    fake.upload(batch(source_request_id="r1"))

    assert verdicts(fake) == ["rejected", "accepted"]


@pytest.mark.parametrize("nothing", [None, ""])
def test_an_empty_source_request_id_makes_no_duplicates(fake: Fake, nothing: Any) -> None:
    fake.upload(batch(source_request_id=nothing))
    fake.upload(batch(source_request_id=nothing))

    assert verdicts(fake) == ["accepted", "accepted"]


def test_batches_without_a_source_request_id_are_no_duplicates(fake: Fake) -> None:
    fake.upload(batch())
    fake.upload(batch())

    assert verdicts(fake) == ["accepted", "accepted"]


# -- historical ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/s2s"])
def test_a_historical_batch_of_four_days_ago_is_accepted(fake: Fake, prefix: str) -> None:
    old = batch(events=[event("Play", timestamp_unixtime_ms=now_ms() - DAYS_4)])

    reply = fake.upload([old], prefix + HISTORICAL)

    assert (reply.status, verdicts(fake)) == (202, ["accepted"])


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([], ["historical_without_events"]),
        (None, ["historical_without_events"]),
        ([event("Play")], ["historical_without_timestamp"]),
        ([event("Play", timestamp_unixtime_ms="then")], ["wrong_type", "historical_without_timestamp"]),
        ([event("Play", timestamp_unixtime_ms=now_ms())], ["historical_too_recent"]),
    ],
    ids=["no events", "null", "no timestamp", "text", "now"],
)
def test_a_historical_batch_that_production_does_not_process_is_dropped(fake: Fake, events: Any, found: list[str]) -> None:
    reply = fake.upload([batch(events=events)], HISTORICAL)

    assert (reply.status, verdicts(fake), codes(fake)) == (202, ["dropped"], found)


def test_a_historical_batch_of_last_year_is_not_too_old(fake: Fake) -> None:
    last_year = batch(events=[event("Play", timestamp_unixtime_ms=now_ms() - 100 * DAYS_4)])

    fake.upload([last_year], HISTORICAL)
    fake.upload(last_year)

    assert [[finding["code"] for finding in item["findings"]] for item in fake.items("batches")] == [[], ["timestamp_too_old"]]


def test_the_historical_path_judges_each_batch_alone(fake: Fake) -> None:
    old = batch(events=[event("Play", timestamp_unixtime_ms=now_ms() - DAYS_4)])

    fake.upload([old, batch()], HISTORICAL)

    assert verdicts(fake) == ["accepted", "dropped"]


# -- every request is recorded ---------------------------------------------------------------------------------------------


def test_every_request_is_recorded_with_its_status(open_fake: OpenFake) -> None:
    with open_fake(max_body=1000) as fake:
        fake.upload(batch())
        fake.upload(b"{")
        fake.upload(batch(), Authorization="absent")
        fake.upload(b"x" * 2000)
        fake.request("GET", "/nowhere")

        assert [request["status"] for request in fake.items("requests")] == [202, 400, 401, 413, 404]


def test_questions_are_not_recorded(fake: Fake) -> None:
    fake.ask("batches")
    fake.request("GET", "/_fake/nothing")

    assert fake.items("requests") == []


def test_credentials_are_redacted_in_what_is_kept(fake: Fake) -> None:
    fake.upload(batch(), Cookie="session=1234", X_Api_Key="5678", X_My_Token="9012")

    headers = dict(fake.ask("requests/1")["headers"])
    assert headers["authorization"] == "Basic <redacted>"
    assert {headers["cookie"], headers["x-api-key"], headers["x-my-token"]} == {"<redacted>"}


def test_a_recorded_request_has_its_body_as_sent(fake: Fake) -> None:
    fake.upload(b'{ "environment":\t"development" }')

    assert fake.ask("requests/1")["body"] == '{ "environment":\t"development" }'


def test_customerid_is_recorded_as_customer_id_with_a_note(fake: Fake) -> None:
    fake.upload(batch(user_identities={"customerid": "c1", "email": "a@example.com"}))

    item = fake.items("batches")[0]
    assert item["batch"]["user_identities"] == {"customer_id": "c1", "email": "a@example.com"}
    assert [finding["severity"] for finding in item["findings"]] == ["note"]


def test_half_a_surrogate_pair_is_replaced_and_the_batch_altered(fake: Fake) -> None:
    fake.upload(b'{"environment":"development","user_attributes":{"bio":"cut \\ud83d"}}')

    item = fake.items("batches")[0]
    assert item["batch"]["user_attributes"]["bio"] == "cut \ufffd"
    assert item["verdict"] == "altered"


def test_a_failure_of_the_fake_itself_is_answered_and_recorded(
    open_fake: OpenFake, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("made for this test")

    monkeypatch.setattr("mparticle_fake_server.intake.check", fail)
    with open_fake() as fake:
        reply = fake.upload(batch())

        assert reply.status == 500
        assert "ZeroDivisionError: made for this test" in reply.messages[0]
        assert (codes(fake), fake.items("requests")[0]["status"]) == (["server_error"], 500)
    assert "POST '/v2/events' failed" in caplog.text


def test_two_slashes_at_the_beginning_are_no_endpoint(fake: Fake) -> None:
    reply = fake.upload(batch(), "//v2/events")

    assert reply.status == 404
    assert "Did you mean /v2/events?" in reply.messages[0]
    assert fake.items("requests")[0]["path"] == "//v2/events"


def test_lenient_mode_passes_over_what_is_no_batch(open_fake: OpenFake) -> None:
    with open_fake(mode="lenient") as fake:
        reply = fake.upload([batch(mpid=1), 3, batch(mpid=2)], "/v2/bulkevents")

        assert reply.status == 202
        assert [item["batch"]["mpid"] for item in fake.items("batches")] == [1, 2]


@pytest.mark.parametrize("flaw", ['{"mpid": 36893488147419103232}', '{"mpid": 7, "mpid": 8}', r'{"mpid": "\ud800"}'])
def test_what_is_found_behind_an_item_that_lenient_mode_passes_over_goes_to_its_batch(open_fake: OpenFake, flaw: str) -> None:
    with open_fake(mode="lenient") as fake:
        reply = fake.upload(f"[1, [36893488147419103232], {{}}, {flaw}]".encode(), "/v2/bulkevents")

        first, second = fake.items("batches")

    assert reply.status == 202
    told = {"integer_beyond_64_bits", "duplicate_member", "lone_surrogate"}
    assert not told & {one["code"] for one in first["findings"]}
    assert [(one["index"], one["raw_pointer"]) for one in second["findings"] if one["code"] in told] == [(1, "/3/mpid")]


def test_what_is_found_has_the_place_of_its_batch_behind_items_that_lenient_mode_passes_over(open_fake: OpenFake) -> None:
    with open_fake(mode="lenient") as fake:
        fake.upload([3, batch(source_request_id="a"), "", batch(source_request_id="a", nonsense=1)], "/v2/bulkevents")

        _, second = fake.items("batches")

    places = {finding["code"]: (finding["index"], finding["raw_pointer"]) for finding in second["findings"]}
    assert places["duplicate_batch"] == (1, "/3/source_request_id")
    assert places["unknown_member"] == (1, "/3/nonsense")


def test_what_is_inside_an_item_that_lenient_mode_passes_over_alters_no_batch(open_fake: OpenFake) -> None:
    sound = json.dumps(batch())
    with open_fake(mode="lenient") as fake:
        fake.upload(f"[[36893488147419103232], {sound}]".encode(), "/v2/bulkevents")

        (item,) = fake.items("batches")

    assert item["verdict"] == "accepted"


@pytest.mark.parametrize("unknown_keys", [True, False])
def test_key_and_secret_that_changed_places_are_told_and_the_secret_stays_one(open_fake: OpenFake, unknown_keys: bool) -> None:
    with open_fake(credentials=[("shop-key", "shop-secret", "shop")], unknown_keys=unknown_keys) as fake:
        basic = base64.b64encode(b"shop-secret:shop-key").decode()
        reply = fake.upload(batch(), Authorization=f"Basic {basic}")

        (request,) = fake.items("requests")

    assert reply.status == 403
    assert "changed places" in reply.messages[0]
    assert "shop-secret" not in reply.messages[0] + json.dumps(request)


def test_lenient_mode_has_a_limit_too(open_fake: OpenFake) -> None:
    with open_fake(mode="lenient") as fake:
        reply = fake.upload([{}] * 10_001, "/v2/bulkevents")

        assert reply.status == 413
        assert "This server takes 10000" in reply.messages[0]


def test_an_integer_beyond_64_bits_is_kept_and_the_batch_altered(fake: Fake) -> None:
    fake.upload(batch(mpid=2**70))

    item = fake.items("batches")[0]
    assert (item["batch"]["mpid"], item["verdict"]) == (2**70, "altered")


@pytest.mark.parametrize(
    "header",
    ["Api-Key", "ApiKey", "X-Authorization", "X-Password", "Proxy-Authorization", "X-Session-Token", "X-MP-Signature"],
)
def test_no_header_that_holds_a_secret_is_kept(fake: Fake, header: str) -> None:
    fake.request("POST", "/v2/events", b"{}", {header: "Basic s3cr3t", "Authorization": "s3cr3t more"})

    assert "s3cr3t" not in str(fake.ask("requests/1"))


def test_the_key_of_a_client_sdk_is_no_secret(fake: Fake) -> None:
    fake.upload(batch(), X_MP_Key="public")

    assert dict(fake.ask("requests/1")["headers"])["x-mp-key"] == "public"


@pytest.mark.parametrize("name", ["token", "api_secret", "PASSWORD", "access-token", "api-key"])
def test_no_parameter_that_holds_a_secret_is_kept(fake: Fake, name: str) -> None:
    fake.upload(batch(), f"/v2/events?a=1&{name}=s3cr3t&b=2", Referer=f"http://x/?{name}=s3cr3t")

    request = fake.ask("requests/1")
    assert request["query"] == f"a=1&{name}=<redacted>&b=2"
    assert "s3cr3t" not in str(request)


def test_a_key_that_was_taken_unknown_can_be_named_later(fake: Fake) -> None:
    fake.upload(batch())

    reply = fake.request("PUT", "/_fake/workspaces/shop", b'{"inputs": [{"key": "key", "secret": "secret"}]}')
    fake.upload(batch())

    assert reply.status == 200
    assert [item["workspace"] for item in fake.items("batches")] == ["default", "shop"]


def test_a_named_key_stays_with_its_workspace(open_fake: OpenFake) -> None:
    with open_fake(credentials=[("key", "secret", "shop")]) as fake:
        assert fake.request("PUT", "/_fake/workspaces/other", b'{"inputs": [{"key": "key"}]}').status == 400


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"mod": "strict"}, "Did you mean mode?"),
        ({"credentials": ["key:secret"]}, "expected tuples"),
        ({"token": ""}, "let everybody in"),
        ({"mode": "hard"}, "expected one of faithful, strict, lenient"),
        ({"max_body": 0}, "at least 1 byte"),
        ({"keep": 0}, "at least 1 batch"),
        ({"ignore": ["environment_mising"]}, "did you mean environment_missing?"),
        ({"error": ["Duplicate-Batch"]}, "did you mean duplicate_batch?"),
        ({"ignore": ["json_broken"]}, "json_broken cannot be ignored"),
    ],
)
def test_a_wrong_option_is_refused_at_once(open_fake: OpenFake, options: Any, told: str) -> None:
    with pytest.raises((TypeError, ValueError), match=told), open_fake(**options):
        pass
