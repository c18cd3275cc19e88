"""What the web SDK calls besides identities: statuses with which it goes on, and records of whatever it sent."""

import http.client
import json
import time
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest

from mparticle_fake_server.configurations import check_config
from tests.endpoints.sdk_requests import ALIAS, CREDENTIALS, EVENTS, KEY, codes, names, web, web_batch
from tests.hosts import BASIC, Fake, OpenFake, Reply, batch, server_host

CONFIG = f"/JS/v2/{KEY}/config"


def put(fake: Fake, **members: Any) -> Reply:
    return fake.request("PUT", "/_fake/workspaces/default", json.dumps(members).encode())


def config(fake: Fake) -> Any:
    reply = fake.request("GET", f"{CONFIG}?env=1&plan_id=p&plan_version=2", headers={"Accept": "text/plain;charset=UTF-8"})
    assert reply.status == 200
    return reply.json


def alias(**data: Any) -> dict[str, Any]:
    return {
        "request_id": "22b1d07f-9625-4144-20a8-9426684b499c",
        "request_type": "alias",
        "environment": "development",
        "api_key": KEY,
        "data": {
            "destination_mpid": "370905206195514021",
            "source_mpid": "614441436355691665",
            "start_unixtime_ms": 1795283660552,
            "end_unixtime_ms": 1795287260552,
            "device_application_stamp": "271bc6e3-417a-4bd4-a64e-2544c34a47fb",
        }
        | data,
    }


# -- events ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [EVENTS, f"/webevents{EVENTS}"])
def test_a_batch_gets_202_and_is_recorded_as_a_canonical_one(fake: Fake, path: str) -> None:
    reply = web(fake, web_batch("Play"), path)

    (item,) = fake.items("batches")
    assert (reply.status, reply.body) == (202, b"{}")
    assert (item["source"], item["dialect"], item["key"], item["verdict"]) == ("web", "web", KEY, "accepted")
    assert item["batch"]["mpid"] == -8234567890123456789
    assert {finding["severity"] for finding in item["findings"]} == {"note"}


def test_its_events_are_found_as_those_of_the_events_api_are(fake: Fake) -> None:
    web(fake, web_batch("Play", "Stop"))
    fake.upload(batch())

    assert names(fake) == ["Play", "Stop", "Play"]
    assert len(fake.items("events?source=web&event_name=Stop&identity=mpid:-8234567890123456789")) == 1
    assert fake.ask("wait?event_name=Stop&timeout=0")["count"] == 1


def test_what_a_page_sends_while_it_is_left_needs_no_cors(fake: Fake) -> None:
    reply = web(fake, web_batch("last"), Accept="*/*", Sec_Fetch_Mode="no-cors", Content_Type="text/plain;charset=utf-8")

    assert (reply.status, names(fake)) == (202, ["last"])


def test_the_same_source_request_id_twice_is_dropped_the_second_time(fake: Fake) -> None:
    sent = web_batch()

    replies = [web(fake, sent), web(fake, sent)]

    assert [reply.status for reply in replies] == [202, 202]
    assert [item["verdict"] for item in fake.items("batches")] == ["accepted", "dropped"]
    assert codes(fake).count("duplicate_batch") == 1


def test_the_other_inputs_of_a_workspace_may_use_the_same_source_request_id(fake: Fake) -> None:
    sent = web_batch()

    web(fake, sent, "/v3/JS/one/events")
    web(fake, sent, "/v3/JS/other/events")

    assert [item["verdict"] for item in fake.items("batches")] == ["accepted", "accepted"]


FAULTY = {
    "no JSON": (b"hello", "json_broken"),
    "half of a batch": (b'{"events": [', "json_broken"),
    "nothing": (b"", "json_broken"),
    "an array": (b"[]", "wrong_top_level"),
    "a number": (b"7", "wrong_top_level"),
    "an event without a type": (b'{"events": [{"data": {}}]}', "event_type_missing"),
    "no text of its charset": (b'{"a": "\xff"}', "encoding_broken"),
    "an array too deep": (b"[" * 1000, "json_too_deep"),
}


@pytest.mark.parametrize("which", FAULTY)
def test_a_faulty_body_gets_202_for_on_400_the_sdk_would_send_it_for_ever(fake: Fake, which: str) -> None:
    body, code = FAULTY[which]

    reply = web(fake, body)

    assert reply.status == 202
    assert code in codes(fake)
    assert web(fake, web_batch("next")).status == 202
    assert names(fake)[-1:] == ["next"]


def test_the_batch_of_a_faulty_body_counts_as_dropped(fake: Fake) -> None:
    web(fake, {"environment": "development", "events": [{"data": {}}]})

    assert [item["verdict"] for item in fake.items("batches")] == ["dropped"]


@pytest.mark.parametrize("which", FAULTY)
def test_in_strict_mode_a_faulty_body_gets_a_status_on_which_the_sdk_drops_it(open_fake: OpenFake, which: str) -> None:
    with open_fake(mode="strict") as fake:
        reply = web(fake, FAULTY[which][0])

        assert reply.status == 422
        assert FAULTY[which][1] in reply.messages[0]
        assert reply.headers["access-control-allow-origin"] == "*"
        assert web(fake, web_batch("next")).status == 202


def test_the_code_of_that_answer_is_one_that_the_openapi_document_lists(open_fake: OpenFake) -> None:
    with open_fake(mode="strict") as fake:
        (error,) = web(fake, b"hello").json["errors"]

        schema = fake.ask("openapi.json")["components"]["schemas"]["Error"]["properties"]["errors"]
        assert error["code"] in schema["items"]["properties"]["code"]["enum"]


def test_in_strict_mode_an_error_in_a_batch_refuses_it_too(open_fake: OpenFake) -> None:
    with open_fake(mode="strict") as fake:
        reply = web(fake, web_batch(user_attributes={"address": {"city": "Bern"}}))

        assert reply.status == 422
        assert [item["verdict"] for item in fake.items("batches")] == ["rejected"]


@pytest.mark.parametrize(
    ("encoding", "body", "code"),
    [
        ("gzip", b"", "compression_broken"),
        ("gzip", b"\x1f\x8b\x08\x00", "compression_broken"),
        ("br", b"x", "content_encoding_unknown"),
    ],
)
def test_a_body_that_cannot_be_unpacked_is_recorded_and_gets_202(fake: Fake, encoding: str, body: bytes, code: str) -> None:
    reply = web(fake, body, Content_Encoding=encoding)

    assert (reply.status, codes(fake)) == (202, [code])
    assert web(fake, web_batch()).status == 202


def test_a_body_beyond_the_limit_gets_413_on_which_the_sdk_drops_it(open_fake: OpenFake) -> None:
    with open_fake(max_body=2000) as fake:
        reply = web(fake, web_batch("x" * 2000))

        assert (reply.status, codes(fake)) == (413, ["body_too_large"])
        assert reply.headers["access-control-allow-origin"] == "*"
        assert web(fake, web_batch()).status == 202


@pytest.mark.parametrize("mpid", [str(2**63), str(-(2**63) - 1), "1e400", "12 3", "", 2**63, 2**70])
def test_an_mpid_that_is_no_64_bit_integer_is_told_and_stays_as_it_came(fake: Fake, mpid: Any) -> None:
    reply = web(fake, web_batch(mpid=mpid))

    (item,) = fake.items("batches")
    assert reply.status == 202
    assert {finding["severity"] for finding in item["findings"]} >= {"error"}
    assert str(item["batch"]["mpid"]) == str(mpid) or float(item["batch"]["mpid"]) == float(mpid)
    assert web(fake, web_batch()).status == 202


def test_names_that_mean_something_to_javascript_are_attributes_like_others(fake: Fake) -> None:
    odd = {"__proto__": "x", "constructor": "y", "prototype": "z", "toString": "t"}

    reply = web(fake, web_batch(user_attributes=odd))

    (item,) = fake.items("batches")
    assert (reply.status, item["batch"]["user_attributes"]) == (202, odd)
    assert {finding["severity"] for finding in item["findings"]} == {"note"}


def test_such_names_in_the_batch_itself_are_unknown_members(fake: Fake) -> None:
    web(fake, web_batch(__proto__={"polluted": True}, constructor=None))

    pointers = {finding["pointer"] for finding in fake.items("batches")[0]["findings"] if finding["code"] == "unknown_member"}
    assert pointers == {"/__proto__", "/constructor"}


def test_10_000_events_in_a_batch_are_recorded_in_their_order(fake: Fake) -> None:
    numbered = [
        {"event_type": "custom_event", "data": {"event_name": f"e{number}", "custom_event_type": "other"}}
        for number in range(10_000)
    ]

    began = time.monotonic()
    reply = web(fake, web_batch(events=numbered))

    assert reply.status == 202
    assert time.monotonic() - began < 10
    assert len(fake.items("batches")[0]["batch"]["events"]) == 10_000
    assert "batch_too_large" in codes(fake)
    assert web(fake, web_batch()).status == 202


def test_a_key_that_is_unknown_gets_403_on_which_the_sdk_drops_its_batches(open_fake: OpenFake) -> None:
    with open_fake(credentials=CREDENTIALS, unknown_keys=False) as fake:
        reply = web(fake, web_batch(), "/v3/JS/other-key/events")

        assert reply.status == 403
        assert reply.headers["access-control-allow-origin"] == "*"
        (request,) = fake.items("requests")
        assert (request["key"], request["workspace"], codes(fake)) == ("other-key", None, ["credentials_wrong"])


@pytest.mark.parametrize("key", ["a%3Ab", "%FF%FE", "%00"])
def test_a_key_that_no_input_can_have_does_no_harm(fake: Fake, key: str) -> None:
    reply = web(fake, web_batch(), f"/v3/JS/{key}/events")

    assert reply.status in (202, 403)
    assert web(fake, web_batch()).status == 202


def test_a_key_with_letters_that_a_path_escapes_is_the_same_key(fake: Fake) -> None:
    web(fake, web_batch(), "/v3/JS/my%20k%C3%A9y/events")

    assert fake.items("batches")[0]["key"] == "my kéy"


def test_the_key_alone_lets_in_also_where_the_input_has_a_secret(open_fake: OpenFake) -> None:
    with open_fake(credentials=CREDENTIALS, unknown_keys=False) as fake:
        assert web(fake, web_batch()).status == 202


def test_inputs_of_one_workspace_share_it_whichever_endpoint_they_use(fake: Fake) -> None:
    fake.request("POST", "/_fake/workspaces", b'{"name": "shop", "inputs": [{"key": "web"}, {"key": "key"}]}')

    web(fake, web_batch("in the page"), "/v3/JS/web/events")
    fake.upload(batch())

    assert [item["key"] for item in fake.items("batches?workspace=shop")] == ["web", "key"]


def test_batches_on_one_connection_by_different_keys_go_to_their_inputs(fake: Fake) -> None:
    for number in range(5):
        web(fake, web_batch(f"e{number}"), f"/v3/JS/key-{number % 2}/events")
        fake.request("POST", "/v2/events", json.dumps(batch()).encode(), {"Authorization": BASIC})

    assert [item["key"] for item in fake.items("batches?source=web")] == ["key-0", "key-1", "key-0", "key-1", "key-0"]


def test_a_path_with_a_query_is_the_same_path(fake: Fake) -> None:
    assert web(fake, web_batch(), f"{EVENTS}?_=1").status == 202
    assert fake.items("requests")[0]["query"] == "_=1"


@pytest.mark.parametrize("path", [EVENTS, "/v2/other-key/events", "/v3/JS/my%20k%C3%A9y/events"])
def test_a_body_that_arrives_in_parts_is_read_whole(path: str) -> None:
    body = json.dumps(web_batch("Play") | {"msgs": [{"dt": "e", "id": "m", "n": "Play", "et": "Other"}]}).encode()
    with server_host() as fake:
        address = urlsplit(fake.url or "")
        with closing(http.client.HTTPConnection(address.hostname or "", address.port, timeout=20)) as connection:
            connection.request("POST", path, iter([body[:100], body[100:]]), {"Content-Type": "text/plain"}, encode_chunked=True)
            status = connection.getresponse().status

        assert (status, names(fake)) == (202, ["Play"])


def test_more_keys_than_are_remembered_are_served_too(open_fake: OpenFake) -> None:
    with open_fake() as fake:
        statuses = {web(fake, b'{"environment": "development"}', f"/v3/JS/key-{number}/events").status for number in range(1100)}

        assert statuses == {202}
        assert fake.ask("stats")["requests"] == 1100


def test_a_fault_is_met_by_the_next_batch_and_its_page_may_read_it(fake: Fake) -> None:
    fake.request("PUT", "/_fake/faults", b'{"items": [{"status": 429, "retry_after": 3}]}')

    first, second = web(fake, web_batch()), web(fake, web_batch())

    assert (first.status, first.headers["retry-after"], second.status) == (429, "3", 202)
    assert first.headers["access-control-allow-origin"] == "*"


# -- configuration -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [CONFIG, f"/tags{CONFIG}"])
def test_the_configuration_lets_the_sdk_send_every_event_at_once(fake: Fake, path: str) -> None:
    reply = fake.request("GET", f"{path}?env=1&plan_id=p&plan_version=2")

    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json["flags"]["eventBatchingIntervalMillis"] == "0"
    assert all(isinstance(flag, str) for flag in reply.json["flags"].values())
    assert reply.json["kitConfigs"] == []


def test_each_workspace_has_a_token_of_its_own_and_keeps_it(open_fake: OpenFake) -> None:
    tokens = []
    for _ in range(2):
        with open_fake() as fake:
            fake.request("POST", "/_fake/workspaces", b'{"name": "shop", "inputs": [{"key": "shop-key"}]}')
            tokens.append((config(fake)["workspaceToken"], fake.request("GET", "/JS/v2/shop-key/config").json["workspaceToken"]))

    assert tokens[0] == tokens[1]
    assert len(set(tokens[0])) == 2


def test_a_workspace_says_what_its_configuration_is(fake: Fake) -> None:
    plan = {"dtpn": {"blok": {"ev": True, "ea": False, "ua": False, "id": False}, "vers": {}}}
    kits = [{"name": "Localytics", "moduleId": 84, "isDebug": True}]

    reply = put(fake, config={"kitConfigs": kits, "dataPlanResult": plan, "appName": "Shop", "anything": [1]})

    told = config(fake)
    assert (reply.status, reply.json["config"]["appName"]) == (200, "Shop")
    assert (told["kitConfigs"], told["dataPlanResult"], told["appName"], told["anything"]) == (kits, plan, "Shop", [1])
    assert told["flags"]["eventBatchingIntervalMillis"] == "0"


def test_flags_are_merged_one_by_one(fake: Fake) -> None:
    put(fake, config={"flags": {"cacheIdentity": "True", "eventBatchingIntervalMillis": "1000"}})

    flags = config(fake)["flags"]

    assert (flags["cacheIdentity"], flags["eventBatchingIntervalMillis"], flags["audienceAPI"]) == ("True", "1000", "True")


def test_a_configuration_takes_the_place_of_the_one_before_and_others_leave_it(fake: Fake) -> None:
    put(fake, config={"appName": "Shop", "aliasMaxWindow": 30})

    put(fake, config={"appName": "New"})
    put(fake, mode="strict")

    assert config(fake)["appName"] == "New"
    assert "aliasMaxWindow" not in config(fake)


def test_a_new_configuration_is_told_to_the_next_page(fake: Fake) -> None:
    reply = fake.request("GET", CONFIG)

    assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"flags": {"eventBatchingIntervalMillis": 0}},
            "config.flags is {'eventBatchingIntervalMillis': 0}; expected an object whose",
        ),
        ({"flags": "all"}, "config.flags is 'all'; expected an object"),
        ({"kitConfigs": {}}, "config.kitConfigs is {}; expected a list of objects."),
        ({"kitConfigs": [1]}, "config.kitConfigs is [1]; expected a list of objects."),
        ({"dataPlanResult": {"dtpn": {"blok": {"ev": "yes"}}}}, "config.dataPlanResult is"),
        ({"aliasMaxWindow": "90"}, "config.aliasMaxWindow is '90'; expected a whole number."),
        ({"v3SecureServiceUrl": "http://localhost:8080/v3/JS/"}, "config.v3SecureServiceUrl is"),
        ({"identityUrl": "localhost:8080/v1"}, "config.identityUrl is 'localhost:8080/v1'; expected an address"),
        ({"eventBatchingIntervalMillis": "0"}, "config.eventBatchingIntervalMillis is a flag; expected it inside of flags"),
        ({"kitConfig": []}, "Did you mean kitConfigs?"),
        ({"flgs": {}}, "config has a member 'flgs', which no SDK reads. Did you mean flags?"),
    ],
)
def test_a_configuration_with_which_the_sdk_would_not_work_is_refused(fake: Fake, wrong: dict[str, Any], message: str) -> None:
    reply = put(fake, mode="strict", config=wrong)

    assert reply.status == 400
    assert message in reply.messages[0]
    assert (config(fake)["kitConfigs"], fake.items("workspaces")[0]["mode"]) == ([], "faithful")


@pytest.mark.parametrize(
    "right", [{"dataPlanResult": {"error_message": "not found"}}, {"flags": {}}, {"identityUrl": "a.test/v1/"}, {}]
)
def test_a_configuration_that_the_sdk_understands_is_taken(fake: Fake, right: dict[str, Any]) -> None:
    assert put(fake, config=right).status == 200


@pytest.mark.parametrize(
    ("place", "members"),
    [
        ("config", "domain dataPlan cookieDomain logLevel useNativeSdk customFlags maxProducts package identifyRequest"),
        (
            "native_config",
            "cue pmk dur oo cms tri pio dpmd ci rdlat inhd dbg id ct crml ck mpid cs pn pnm rnt lct ltm acc mdf das iasr",
        ),
    ],
)
def test_members_of_other_versions_of_the_sdks_are_taken_for_no_slips(place: str, members: str) -> None:
    check_config(dict.fromkeys(members.split(), "a value"), place)


def test_an_unknown_key_gets_403_and_the_sdk_goes_on_without_a_configuration(open_fake: OpenFake) -> None:
    with open_fake(credentials=CREDENTIALS, unknown_keys=False) as fake:
        reply = fake.request("GET", "/JS/v2/other-key/config?env=0")

    assert reply.status == 403
    assert "other-key" in reply.messages[0]


def test_a_question_for_the_configuration_is_recorded_with_its_query(fake: Fake) -> None:
    config(fake)

    (request,) = fake.items("requests")
    assert (request["source"], request["key"], request["status"]) == ("web", KEY, 200)
    assert request["query"] == "env=1&plan_id=p&plan_version=2"


# -- forwarding statistics ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/webevents"])
@pytest.mark.parametrize(
    ("version", "body"),
    [
        ("v1", {"mid": 84, "n": "Play", "attrs": {}, "sdk": "2.71.2", "dt": 4, "et": 1, "dbg": True, "ct": 1, "eec": 0}),
        ("v2", {"uuid": "u", "data": [{"mid": 84, "n": "Play"}]}),
    ],
)
def test_statistics_of_kits_get_202_and_are_recorded(fake: Fake, prefix: str, version: str, body: dict[str, Any]) -> None:
    reply = web(fake, body, f"{prefix}/{version}/JS/{KEY}/Forwarding")

    (request,) = fake.items("requests")
    assert reply.status == 202
    assert json.loads(fake.ask(f"requests/{request['id']}")["body"]) == body
    assert fake.items("batches") == []


def test_statistics_that_cannot_be_read_get_202_and_a_finding(fake: Fake) -> None:
    reply = web(fake, b"{", f"/v1/JS/{KEY}/Forwarding")

    assert (reply.status, codes(fake)) == (202, ["json_broken"])


# -- aliases -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [ALIAS, f"/webevents{ALIAS}"])
def test_an_alias_request_gets_202_and_is_recorded(fake: Fake, path: str) -> None:
    reply = web(fake, alias(), path, Content_Type="application/json")

    (request,) = fake.items("requests")
    assert (reply.status, reply.json) == (202, {})
    assert (request["source"], request["path"], codes(fake)) == ("web", path, [])


WRONG_ALIASES = {
    "the same profile twice": (alias(source_mpid="1", destination_mpid="1"), "are both 1; expected two profiles"),
    "no source": (alias(source_mpid=None), "source_mpid is null; expected the mpid"),
    "an mpid that is none": (alias(destination_mpid="x"), "destination_mpid is the text 'x'; expected the mpid"),
    "an mpid of more than 64 bits": (alias(destination_mpid=str(2**63)), "expected the mpid of a profile, a 64-bit integer"),
    "a range that ends before it begins": (alias(start_unixtime_ms=2, end_unixtime_ms=1), "end_unixtime_ms is 1, before"),
    "no times": (alias(start_unixtime_ms=None, end_unixtime_ms=None), "start_unixtime_ms is null; expected milliseconds"),
    "an array": ([], "The body is an array; expected an object with data"),
    "no data": ({"request_type": "alias"}, "data is"),
    "another type": (alias() | {"request_type": "merge"}, "request_type is the text 'merge'; expected alias."),
    "no environment": (
        {name: value for name, value in alias().items() if name != "environment"},
        "environment is absent; expected production or development.",
    ),
    "times in seconds": (alias(start_unixtime_ms=1795283660), "start_unixtime_ms is 1795283660, which looks like seconds"),
}


@pytest.mark.parametrize("which", WRONG_ALIASES)
def test_a_wrong_alias_request_gets_400_with_a_message_and_a_code(fake: Fake, which: str) -> None:
    body, message = WRONG_ALIASES[which]

    reply = web(fake, body, ALIAS)

    assert (reply.status, set(reply.json), reply.json["code"]) == (400, {"message", "code"}, "BAD_REQUEST")
    assert message in reply.json["message"]
    assert set(codes(fake)) == {"alias_wrong"}


def test_an_alias_request_that_is_no_json_gets_400(fake: Fake) -> None:
    reply = web(fake, b"{", ALIAS)

    assert (reply.status, codes(fake)) == (400, ["json_broken"])


def test_in_lenient_mode_a_wrong_alias_request_gets_202(open_fake: OpenFake) -> None:
    with open_fake(mode="lenient") as fake:
        reply = web(fake, alias(source_mpid="x"), ALIAS)

        assert (reply.status, codes(fake)) == (202, ["alias_wrong"])


def test_an_alias_request_of_an_unknown_key_gets_401(open_fake: OpenFake) -> None:
    with open_fake(credentials=CREDENTIALS, unknown_keys=False) as fake:
        assert web(fake, alias(), "/v1/identity/other-key/Alias").status == 401


def test_an_alias_request_beyond_the_limit_gets_413(open_fake: OpenFake) -> None:
    with open_fake(max_body=100) as fake:
        reply = web(fake, alias(), ALIAS)

    assert (reply.status, reply.json["code"]) == (413, "PAYLOAD_TOO_LARGE")


def test_every_status_of_an_alias_request_is_in_the_openapi_document(open_fake: OpenFake) -> None:
    with open_fake(max_body=1_000, unknown_keys=False, credentials=CREDENTIALS) as fake:
        sent = [web(fake, alias(), ALIAS), web(fake, [], ALIAS), web(fake, {"more": "x" * 1_000}, ALIAS)]
        sent.append(web(fake, alias(), "/v1/identity/other-key/Alias"))

        document = fake.ask("openapi.json")["paths"]
        for path in ("/v1/identity/{key}/Alias", "/v1/identity/{key}/alias"):
            assert {str(reply.status) for reply in sent} <= document[path]["post"]["responses"].keys()
        assert [reply.status for reply in sent] == [202, 400, 413, 401]


def test_an_alias_request_meets_the_next_fault(fake: Fake) -> None:
    fake.request("PUT", "/_fake/faults", b'{"items": [{"status": 503}]}')

    replies = [web(fake, alias(), ALIAS) for _ in range(2)]

    assert [reply.status for reply in replies] == [503, 202]
    assert [request["status"] for request in fake.items("requests")] == [503, 202]


# -- audiences ---------------------------------------------------------------------------------------------------------------


def test_the_audiences_of_a_user_are_none(fake: Fake) -> None:
    reply = fake.request("GET", f"/v1/{KEY}/audience?mpid=-123", headers={"Origin": "https://shop.example"})

    assert (reply.status, reply.json["dt"], reply.json["audience_memberships"]) == (200, "cam", [])
    assert reply.headers["access-control-allow-origin"] == "*"
    assert fake.items("requests")[0]["source"] == "web"


@pytest.mark.parametrize("query", ["", "?mpid=", "?mpid=x", "?mpid=9223372036854775808"])
def test_audiences_of_nobody_get_400(fake: Fake, query: str) -> None:
    reply = fake.request("GET", f"/v1/{KEY}/audience{query}")

    assert reply.status == 400
    assert "expected the 64-bit integer of a user" in reply.messages[0]
    assert codes(fake) == ["audience_wrong"]
