"""What the Android and Apple SDKs call besides identities: answers that both understand, and signatures that are checked."""

import gzip
import json
from typing import Any

import pytest

from tests.endpoints.sdk_requests import (
    ANDROID,
    CREDENTIALS,
    IOS,
    KEY,
    NATIVE_EVENTS,
    SECRET,
    codes,
    names,
    native,
    native_batch,
    signature,
)
from tests.hosts import Fake, OpenFake, batch, event

CONFIG = f"/v4/{KEY}/config?av=1.2.3&sv=6.0.0"
ALIAS = f"/v1/identity/{KEY}/alias"
AUDIENCE = f"/v1/{KEY}/audience?mpid=1234"

PLATFORMS = pytest.mark.parametrize("platform", [ANDROID, IOS], ids=["android", "ios"])


@pytest.fixture
def fake(open_fake: OpenFake) -> Any:
    """A fake that knows one input, and checks its signatures."""
    with open_fake(credentials=CREDENTIALS, unknown_keys=False) as opened:
        yield opened


def alias(**data: Any) -> dict[str, Any]:
    """As the native SDKs write it: mpids as numbers, times optional."""
    stamp = "b7a7c1b0-8a43-4a3b-9a7a-0a0f6e1d2c3b"
    return {
        "request_id": "1bbd84d7-c2d2-4a88-854b-b1884fe50674",
        "request_type": "alias",
        "environment": "development",
        "api_key": KEY,
        "data": {"source_mpid": 1, "destination_mpid": -2, "device_application_stamp": stamp} | data,
    }


# -- events ------------------------------------------------------------------------------------------------------------------


@PLATFORMS
@pytest.mark.parametrize("prefix", ["", "/nativeevents"])
def test_a_signed_batch_gets_202_with_an_object_and_is_recorded_as_a_canonical_one(
    fake: Fake, platform: dict[str, str], prefix: str
) -> None:
    reply = native(fake, "POST", prefix + NATIVE_EVENTS, native_batch("Play"), platform=platform, signed=NATIVE_EVENTS)

    (item,) = fake.items("batches")
    assert (reply.status, reply.json, reply.headers["content-type"]) == (202, {}, "application/json")
    assert (item["source"], item["dialect"]) == ("ios" if platform is IOS else "android", "native")
    assert (item["key"], item["verdict"], item["findings"]) == (KEY, "accepted", [])
    assert (item["batch"]["mpid"], item["batch"]["user_identities"]) == (1234, {"customer_id": "u1"})


def test_its_events_are_found_as_those_of_the_events_api_are(fake: Fake) -> None:
    native(fake, "POST", NATIVE_EVENTS, native_batch("Play", "Stop"))
    fake.upload(batch(events=[event("Pause")]), Authorization="Basic c2FtcGxlLWtleTpzYW1wbGUtc2VjcmV0")

    assert names(fake) == ["Play", "Stop", "Pause"]
    assert len(fake.items("events?source=android&event_name=Stop&identity=customer_id:u1")) == 1
    assert fake.ask("wait?event_name=Stop&timeout=0")["count"] == 1


def test_a_body_that_is_not_compressed_is_read_too(fake: Fake) -> None:
    reply = native(fake, "POST", NATIVE_EVENTS, native_batch("Play"), compress=False)

    assert (reply.status, names(fake)) == (202, ["Play"])


def test_the_platform_is_told_by_the_headers_and_else_left_open(fake: Fake) -> None:
    for agent in ("Dalvik/2.1.0 (Linux; U; Android 14)", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1)", "okhttp/4", "absent"):
        native(fake, "POST", NATIVE_EVENTS, native_batch(), headers={"User-Agent": agent})

    assert [item["source"] for item in fake.items("batches")] == ["android", "ios", "native", "native"]


def test_the_same_batch_twice_is_dropped_the_second_time(fake: Fake) -> None:
    sent = native_batch()

    replies = [native(fake, "POST", NATIVE_EVENTS, sent) for _ in range(2)]

    assert [reply.status for reply in replies] == [202, 202]
    assert [item["verdict"] for item in fake.items("batches")] == ["accepted", "dropped"]
    (finding,) = [finding for finding in fake.items("batches")[1]["findings"] if finding["code"] == "duplicate_batch"]
    assert (finding["pointer"], finding["raw_pointer"]) == ("/source_request_id", "/id")


def test_a_key_called_like_another_path_is_a_key(open_fake: OpenFake) -> None:
    with open_fake() as fake:
        for key in ("JS", "bulkevents", "v4"):
            native(fake, "POST", f"/v2/{key}/events", native_batch())
        fake.upload(batch())

        assert [item["key"] for item in fake.items("batches")] == ["JS", "bulkevents", "v4", "key"]
        assert [item["source"] for item in fake.items("batches")] == ["android", "android", "android", "events_api"]


@pytest.mark.parametrize(("key", "hint"), [("v2", "ends in /v2, which is there twice"), ("events", "it adds /events itself")])
def test_a_server_sdk_with_a_wrong_base_path_is_told_so(open_fake: OpenFake, key: str, hint: str) -> None:
    with open_fake() as fake:
        reply = fake.upload(batch(), f"/v2/{key}/events")

        assert (reply.status, codes(fake), fake.items("workspaces")[0]["inputs"]) == (404, ["path_unknown"], [])
        assert hint in reply.messages[0]


def test_a_fault_is_met_by_the_next_batch(fake: Fake) -> None:
    fake.request("PUT", "/_fake/faults", b'{"items": [{"status": 429, "retry_after": 3}]}')

    replies = [native(fake, "POST", NATIVE_EVENTS, native_batch()) for _ in range(2)]

    assert [(reply.status, reply.headers.get("retry-after")) for reply in replies] == [(429, "3"), (202, None)]


# -- signatures --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("date", ["Tue, 05 Mar 2024 10:11:12 GMT+01:00", "Tue, 05 Mar 2024 10:11:12 PST", "20240305T101112Z"])
def test_the_date_is_signed_as_it_is_written(fake: Fake, date: str) -> None:
    assert native(fake, "POST", NATIVE_EVENTS, native_batch(), platform=ANDROID | {"Date": date}).status == 202


@pytest.mark.parametrize("version", ["1.0%20beta", "1.0+beta", "1;2", "%C3%A9", 'a|b{c}"^`'])
def test_the_query_is_signed_as_it_is_written(fake: Fake, version: str) -> None:
    assert native(fake, "GET", f"/v4/{KEY}/config?av={version}&sv=6").status == 200


def test_another_date_than_the_signed_one_is_a_wrong_signature(fake: Fake) -> None:
    reply = native(fake, "POST", NATIVE_EVENTS, native_batch(), headers={"Date": "Tue, 05 Mar 2024 10:11:13 GMT+01:00"})

    assert (reply.status, codes(fake)) == (403, ["signature_wrong"])


def test_the_signature_is_of_the_body_before_it_is_compressed(fake: Fake) -> None:
    body = json.dumps(native_batch()).encode()
    compressed = gzip.compress(body)
    wrong = signature(SECRET, "POST", ANDROID["Date"], NATIVE_EVENTS, compressed)

    reply = fake.request("POST", NATIVE_EVENTS, compressed, ANDROID | {"Content-Encoding": "gzip", "x-mp-signature": wrong})

    assert reply.status == 403


@pytest.mark.parametrize("charset", ["utf-16-le", "utf-8-sig"])
def test_the_signature_is_of_the_bytes_and_not_of_the_text_in_them(fake: Fake, charset: str) -> None:
    body = json.dumps(native_batch("Play")).encode(charset)
    kind = {"Content-Type": "application/json; charset=utf-16le"} if charset == "utf-16-le" else {}

    reply = native(fake, "POST", NATIVE_EVENTS, body, headers=kind)

    assert (reply.status, names(fake)) == (202, ["Play"])


def test_hex_digits_in_upper_case_are_the_same_signature(fake: Fake) -> None:
    body = json.dumps(native_batch()).encode()
    upper = signature(SECRET, "POST", ANDROID["Date"], NATIVE_EVENTS, body).upper()

    assert fake.request("POST", NATIVE_EVENTS, body, ANDROID | {"x-mp-signature": upper}).status == 202


@PLATFORMS
def test_a_wrong_signature_gets_403_and_the_string_that_was_signed_here(fake: Fake, platform: dict[str, str]) -> None:
    sent = native_batch("Play")

    reply = native(fake, "POST", NATIVE_EVENTS, sent, platform=platform, secret="other-secret")

    (request,) = fake.items("requests")
    (finding,) = request["findings"]
    text = json.dumps(sent)
    assert (reply.status, request["status"], request["key"], request["batches"]) == (403, 403, KEY, [])
    assert (finding["code"], finding["severity"]) == ("signature_wrong", "error")
    assert f"{('POST' + chr(10) + platform['Date'] + chr(10) + NATIVE_EVENTS + text[:120] + '…')!r}" in finding["message"]
    assert f"{len(text)} bytes in all" in finding["message"]
    assert finding["message"] in reply.messages[0]


def test_what_is_told_of_a_wrong_signature_has_no_secret_and_no_signature(fake: Fake) -> None:
    body = native_batch("Play")

    reply = native(fake, "POST", NATIVE_EVENTS, body, secret="other-secret")

    record = fake.request("GET", "/_fake/requests/1").body + reply.body
    right = signature(SECRET, "POST", ANDROID["Date"], NATIVE_EVENTS, json.dumps(body).encode())
    assert SECRET.encode() not in record
    assert right.encode() not in record


def test_what_is_told_of_a_wrong_signature_leaves_out_what_the_record_does_not_keep(fake: Fake) -> None:
    reply = native(fake, "GET", f"/v4/{KEY}/config?av=1&token=hunter2", secret="other-secret")

    record = fake.request("GET", "/_fake/requests/1").body
    assert b"av=1&token=<redacted>" in reply.body
    assert b"hunter2" not in reply.body + record


def test_what_is_told_of_a_wrong_signature_is_not_as_long_as_somebody_likes(fake: Fake) -> None:
    long = "x" * 20_000

    reply = native(fake, "GET", f"/v4/{KEY}/config?av={long}", platform=ANDROID | {"Date": long}, secret="other-secret")

    assert codes(fake) == ["signature_wrong"]
    assert len(reply.body) < 2000


@pytest.mark.parametrize("header", ["x-mp-signature", "Date"])
def test_a_missing_part_of_a_signature_gets_401(fake: Fake, header: str) -> None:
    reply = native(fake, "POST", NATIVE_EVENTS, native_batch(), headers={header: "absent"})

    assert (reply.status, codes(fake)) == (401, ["signature_missing"])
    assert header in reply.messages[0]


@pytest.mark.parametrize("odd", ["", "zz", "é", "x" * 5000])
def test_a_signature_that_is_none_is_refused(fake: Fake, odd: str) -> None:
    reply = native(fake, "POST", NATIVE_EVENTS, native_batch(), headers={"x-mp-signature": odd.encode().decode("latin-1")})

    assert reply.status in (401, 403)
    assert native(fake, "POST", NATIVE_EVENTS, native_batch()).status == 202


def test_an_unknown_key_gets_403(fake: Fake) -> None:
    reply = native(fake, "POST", "/v2/other-key/events", native_batch())

    assert (reply.status, codes(fake), fake.items("requests")[0]["key"]) == (403, ["credentials_wrong"], "other-key")


@pytest.mark.parametrize("header", [{}, {"x-mp-signature": "absent"}, {"x-mp-signature": "00"}], ids=["right", "none", "wrong"])
def test_an_input_without_a_secret_takes_every_signature_and_a_note_says_so(open_fake: OpenFake, header: dict[str, str]) -> None:
    with open_fake() as fake:
        reply = native(fake, "POST", NATIVE_EVENTS, native_batch(), headers=header)

        (request,) = fake.items("requests")
        assert (reply.status, [item["verdict"] for item in fake.items("batches")]) == (202, ["accepted"])
        assert [(finding["code"], finding["severity"]) for finding in request["findings"]] == [("signature_unchecked", "note")]


def test_strict_mode_does_not_refuse_for_that_note(open_fake: OpenFake) -> None:
    with open_fake(mode="strict") as fake:
        assert native(fake, "POST", NATIVE_EVENTS, native_batch()).status == 202


# -- what is wrong with a body -----------------------------------------------------------------------------------------------

FAULTY = {
    "no JSON": (b"hello", "json_broken"),
    "nothing": (b"", "json_broken"),
    "an array": (b"[]", "wrong_top_level"),
}


@pytest.mark.parametrize("which", FAULTY)
@pytest.mark.parametrize("mode", ["faithful", "strict"])
def test_a_body_that_is_no_batch_gets_400_on_which_both_sdks_delete_it(open_fake: OpenFake, which: str, mode: Any) -> None:
    body, code = FAULTY[which]
    with open_fake(mode=mode, credentials=CREDENTIALS, unknown_keys=False) as fake:
        reply = native(fake, "POST", NATIVE_EVENTS, body)

        assert (reply.status, codes(fake)) == (400, [code])
        assert native(fake, "POST", NATIVE_EVENTS, native_batch("next")).status == 202
        assert names(fake) == ["next"]


@pytest.mark.parametrize("cut", [0, 1, 5, 40, -1])
def test_a_compressed_body_that_is_cut_gets_400_and_a_record(fake: Fake, cut: int) -> None:
    body = json.dumps(native_batch()).encode()
    signed = signature(SECRET, "POST", ANDROID["Date"], NATIVE_EVENTS, body)
    headers = ANDROID | {"Content-Encoding": "gzip", "x-mp-signature": signed}

    reply = fake.request("POST", NATIVE_EVENTS, gzip.compress(body)[:cut], headers)

    assert (reply.status, codes(fake)) == (400, ["compression_broken"])
    assert native(fake, "POST", NATIVE_EVENTS, native_batch()).status == 202


def test_a_body_that_unpacks_to_more_than_the_limit_gets_413(open_fake: OpenFake) -> None:
    with open_fake(credentials=CREDENTIALS, max_body=5000) as fake:
        reply = native(fake, "POST", NATIVE_EVENTS, native_batch("x" * 6000))

        assert (reply.status, codes(fake)) == (413, ["body_too_large"])
        assert native(fake, "POST", NATIVE_EVENTS, native_batch()).status == 202


def test_in_lenient_mode_a_faulty_body_gets_202_with_an_object(open_fake: OpenFake) -> None:
    with open_fake(mode="lenient", credentials=CREDENTIALS) as fake:
        reply = native(fake, "POST", NATIVE_EVENTS, b"hello")

        assert (reply.status, reply.json, codes(fake)) == (202, {}, ["json_broken"])


@pytest.mark.parametrize("mpid", [2**63, -(2**63) - 1, str(2**63), "x", 1.5, None, [1]])
def test_an_mpid_that_is_no_64_bit_integer_is_told(fake: Fake, mpid: Any) -> None:
    reply = native(fake, "POST", NATIVE_EVENTS, native_batch(mpid=mpid))

    assert reply.status == 202
    assert (mpid is None) or {finding["severity"] for finding in fake.items("batches")[0]["findings"]} >= {"error"}
    assert native(fake, "POST", NATIVE_EVENTS, native_batch()).status == 202


@pytest.mark.parametrize(
    "body", [{}, {"dt": "h"}, {"msgs": None}, {"msgs": {}}, {"msgs": [None, 1, "x", [], {}]}, {"hello": "world"}]
)
def test_an_object_that_is_no_batch_is_recorded_with_what_is_wrong(fake: Fake, body: dict[str, Any]) -> None:
    reply = native(fake, "POST", NATIVE_EVENTS, body)

    assert reply.status in (202, 400)
    assert fake.items("requests")[0]["status"] == reply.status
    assert native(fake, "POST", NATIVE_EVENTS, native_batch("next")).status == 202
    assert names(fake)[-1] == "next"


def test_names_that_mean_something_to_javascript_are_attributes_like_others(fake: Fake) -> None:
    odd = {"__proto__": "x", "constructor": "y", "hasOwnProperty": "z"}

    reply = native(fake, "POST", NATIVE_EVENTS, native_batch(ua=odd))

    (item,) = fake.items("batches")
    assert (reply.status, item["batch"]["user_attributes"], item["findings"]) == (202, odd, [])


def test_10_000_messages_in_a_batch_are_recorded_in_their_order(fake: Fake) -> None:
    reply = native(fake, "POST", NATIVE_EVENTS, native_batch(*(f"e{number}" for number in range(10_000))))

    (item,) = fake.items("batches")
    assert reply.status == 202
    assert [event["data"]["event_name"] for event in item["batch"]["events"]] == [f"e{number}" for number in range(10_000)]


def test_what_is_cut_into_half_a_character_is_placed_where_it_was_sent(fake: Fake) -> None:
    body = json.dumps(native_batch("Play")).replace("Play", r"Play \ud83d").encode()

    reply = native(fake, "POST", NATIVE_EVENTS, body)

    (finding,) = fake.items("batches")[0]["findings"]
    assert reply.status == 202
    assert (finding["code"], finding["raw_pointer"]) == ("lone_surrogate", "/msgs/0/n")
    assert "pointer" not in finding


# -- configuration -----------------------------------------------------------------------------------------------------------


@PLATFORMS
@pytest.mark.parametrize("prefix", ["", "/config"])
def test_the_configuration_satisfies_both_sdks(fake: Fake, platform: dict[str, str], prefix: str) -> None:
    reply = native(fake, "GET", prefix + CONFIG, platform=platform, signed=CONFIG)

    assert (reply.status, reply.headers["content-type"], reply.json["dt"]) == (200, "application/json", "ac")
    assert reply.headers["etag"].startswith('"')
    # Android takes true alone, the Apple SDK the text alone.
    assert reply.json["flags"]["AudienceAPI"] == ("True" if platform is IOS else True)


def test_a_question_that_says_gzip_and_has_no_body_is_answered(fake: Fake) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/x-www-form-urlencoded"}

    assert native(fake, "GET", CONFIG, platform=IOS, headers=headers).status == 200
    assert codes(fake) == []


@pytest.mark.parametrize("sent", ["{}", "W/{}", '"other", {}', "*"])
def test_who_has_the_configuration_gets_304(fake: Fake, sent: str) -> None:
    tag = native(fake, "GET", CONFIG).headers["etag"]

    reply = native(fake, "GET", CONFIG, headers={"If-None-Match": sent.format(tag)})

    assert (reply.status, reply.body, reply.headers["etag"]) == (304, b"", tag)
    assert fake.items("requests")[1]["status"] == 304


def test_another_configuration_has_another_tag(fake: Fake) -> None:
    tag = native(fake, "GET", CONFIG).headers["etag"]
    fake.request("PUT", "/_fake/workspaces/default", b'{"native_config": {"uitl": 60, "flags": {"x": true}}}')

    reply = native(fake, "GET", CONFIG, headers={"If-None-Match": tag})

    assert (reply.status, reply.json["uitl"], reply.json["flags"]) == (200, 60, {"AudienceAPI": True, "x": True})
    assert reply.headers["etag"] != tag


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"dt": "rh"}, "native_config.dt is 'rh'; expected \"ac\""),
        ({"eks": {}}, "native_config.eks is {}; expected a list of objects."),
        ({"flags": []}, "native_config.flags is []; expected an object."),
        ({"uitl": "600"}, "native_config.uitl is '600'; expected a whole number."),
    ],
)
def test_a_configuration_that_no_sdk_would_take_is_refused(fake: Fake, wrong: dict[str, Any], message: str) -> None:
    reply = fake.request("PUT", "/_fake/workspaces/default", json.dumps({"native_config": wrong}).encode())

    assert reply.status == 400
    assert message in reply.messages[0]
    assert native(fake, "GET", CONFIG).json["dt"] == "ac"


PLANNED = f"{CONFIG}&plan_id=sample_plan&plan_version=2"


@pytest.mark.parametrize(("platform", "signed"), [(ANDROID, PLANNED), (IOS, CONFIG)], ids=["android", "ios"])
def test_the_apple_sdk_signs_no_data_plan_and_android_does(fake: Fake, platform: dict[str, str], signed: str) -> None:
    assert native(fake, "GET", PLANNED, platform=platform, signed=signed).status == 200


@pytest.mark.parametrize("signed", [f"/v4/{KEY}/config", f"/v4/{KEY}/config?av=9&sv=6.0.0", "/v4/other/config?av=1.2.3&sv=6.0.0"])
def test_the_signature_of_another_question_is_wrong(fake: Fake, signed: str) -> None:
    reply = native(fake, "GET", CONFIG, signed=signed)

    assert (reply.status, codes(fake)) == (403, ["signature_wrong"])
    assert CONFIG in reply.messages[0]


def test_the_configuration_of_an_unknown_key_is_403(fake: Fake) -> None:
    assert native(fake, "GET", "/v4/other-key/config").status == 403


# -- aliases and audiences ---------------------------------------------------------------------------------------------------


@PLATFORMS
@pytest.mark.parametrize("prefix", ["", "/nativeevents"])
def test_an_alias_request_gets_202_with_an_object(fake: Fake, platform: dict[str, str], prefix: str) -> None:
    reply = native(fake, "POST", prefix + ALIAS, alias(), platform=platform, signed=ALIAS, compress=platform is ANDROID)

    assert (reply.status, reply.json, codes(fake)) == (202, {}, [])


def test_a_wrong_alias_request_gets_400_with_a_message(fake: Fake) -> None:
    reply = native(fake, "POST", ALIAS, alias(destination_mpid=1))

    assert (reply.status, reply.json["code"], codes(fake)) == (400, "BAD_REQUEST", ["alias_wrong"])
    assert "both 1" in reply.json["message"]


@pytest.mark.parametrize("headers", [{"x-mp-signature": "00"}, {"x-mp-signature": "absent"}])
def test_an_alias_request_with_a_wrong_signature_gets_401(fake: Fake, headers: dict[str, str]) -> None:
    assert native(fake, "POST", ALIAS, alias(), headers=headers).status == 401


def test_an_alias_request_that_cannot_be_unpacked_gets_400(fake: Fake) -> None:
    reply = fake.request("POST", ALIAS, b"\x1f\x8b\x08", ANDROID | {"Content-Encoding": "gzip", "x-mp-signature": "00"})

    assert (reply.status, codes(fake)) == (400, ["compression_broken"])


@PLATFORMS
@pytest.mark.parametrize("prefix", ["", "/nativeevents"])
@pytest.mark.parametrize("signs_prefix", [False, True])
def test_the_audiences_of_a_user_are_none(fake: Fake, platform: dict[str, str], prefix: str, signs_prefix: bool) -> None:
    path = prefix + AUDIENCE

    reply = native(fake, "GET", path, platform=platform, signed=path if signs_prefix else AUDIENCE, headers={"x-mp-key": KEY})

    assert (reply.status, reply.json["audience_memberships"]) == (200, [])


def test_audiences_with_a_wrong_signature_get_403(fake: Fake) -> None:
    assert native(fake, "GET", AUDIENCE, headers={"x-mp-signature": "00"}).status == 403
