"""The Identity API: what it answers, to whom, what is recorded, and what bad input gets."""

import gzip
import hashlib
import hmac
import json
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from mparticle_fake_server import FakeServer
from mparticle_fake_server.idsync.replay import AT_ONCE
from mparticle_fake_server.recording import StoreError
from mparticle_fake_server.recording.memory import MemoryRecorder
from tests.conftest import CHECKOUT
from tests.hosts import BASIC, KEY, SECRET, Fake, OpenFake, Reply, batch

ACTIONS = ("identify", "login", "logout", "search", "1/modify")
CREDENTIALS = [(KEY, SECRET, "shop")]
DEVICE = {"device_application_stamp": "e5e4b36b-4fbb-44e8-8486-aeda90aa8ac3"}
NOW = 1_795_000_000_000
DATE = "Tue, 05 Mar 2024 10:11:12 GMT+01:00"

CAPTURES = CHECKOUT.parent / "shared" / "captures"


def body(**members: Any) -> dict[str, Any]:
    """A request for `u1` on a device, with other members."""
    return {"environment": "development", "known_identities": {"customerid": "u1", **DEVICE}} | members


def changes(*triples: tuple[str | None, str | None, str]) -> dict[str, Any]:
    """A modify request for old value, new value and type."""
    listed = [dict(zip(("old_value", "new_value", "identity_type"), triple, strict=True)) for triple in triples]
    return {"environment": "development", "identity_changes": listed}


def ask(fake: Fake, action: str, content: Any = None, **headers: str) -> Reply:
    """POST an identity request as the web SDK does, with the key alone, unless told otherwise."""
    if content is None:
        content = changes((None, "x", "other")) if action.endswith("modify") else body()
    sent = {"x-mp-key": KEY, "Content-Type": "application/json"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    path = action if action.startswith("/") else f"/v1/{action}"
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return fake.request("POST", path, raw, {name: value for name, value in sent.items() if value != "absent"})


def known(fake: Fake, **identities: str) -> dict[str, Any]:
    """The answer to an identify request for these identities."""
    answer: dict[str, Any] = ask(fake, "identify", body(known_identities=identities)).json
    return answer


def last(fake: Fake) -> dict[str, Any]:
    return fake.items("requests?limit=1000")[-1]


def codes(fake: Fake) -> list[str]:
    return [finding["code"] for finding in last(fake)["findings"]]


def signed(content: bytes, path: str, secret: str = SECRET, date: str = DATE) -> dict[str, str]:
    """The headers by which the native SDKs sign `content` as sent to `path`."""
    text = f"POST\n{date}\n{path}".encode() + content
    return {"Date": date, "x_mp_signature": hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()}


# -- the answers -----------------------------------------------------------------------------------------------------------


def test_identify_makes_a_profile_and_answers_what_every_sdk_reads(fake: Fake) -> None:
    reply = ask(fake, "identify", body(known_identities=DEVICE))

    answer = reply.json
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert set(answer) == {"context", "mpid", "matched_identities", "is_ephemeral", "is_logged_in"}
    assert isinstance(answer["mpid"], str)
    assert -(2**63) <= int(answer["mpid"]) < 2**63
    assert isinstance(answer["context"], str)
    assert answer["context"]
    assert (answer["matched_identities"], answer["is_ephemeral"], answer["is_logged_in"]) == ({}, True, False)


def test_login_gives_the_anonymous_profile_a_name(fake: Fake) -> None:
    anonymous = known(fake, **DEVICE)

    answer = ask(fake, "login").json

    assert answer["mpid"] == anonymous["mpid"]
    assert (answer["is_logged_in"], answer["is_ephemeral"]) == (True, False)


def test_only_the_identities_that_matched_are_listed(fake: Fake) -> None:
    known(fake, **DEVICE)
    ask(fake, "login", body(known_identities={"customerid": "u1", **DEVICE}))

    answer = ask(fake, "login", body(known_identities={"customerid": "u1", "email": "e@x.test", "other2": "o"})).json

    assert answer["matched_identities"] == {"customerid": "u1"}


def test_matched_identities_have_the_names_of_this_api(fake: Fake) -> None:
    known(fake, customerid="u1", other2="o", ios_idfa="a", **DEVICE)

    answer = known(fake, customerid="u1", other2="o", ios_idfa="a", **DEVICE)

    assert answer["matched_identities"] == {"customerid": "u1", "other2": "o", "ios_idfa": "a", **DEVICE}


def test_logout_gives_another_profile(fake: Fake) -> None:
    logged_in = ask(fake, "login").json

    logged_out = ask(fake, "logout", body(known_identities=DEVICE, previous_mpid=logged_in["mpid"])).json

    assert logged_out["mpid"] != logged_in["mpid"]
    assert logged_out["is_logged_in"] is False


def test_search_finds_who_is_known(fake: Fake) -> None:
    mpid = known(fake, customerid="u1")["mpid"]

    reply = ask(fake, "search?cb=1", body(known_identities={"customerid": "u1"}))

    assert (reply.status, reply.json["mpid"]) == (200, mpid)


def test_search_for_somebody_unknown_is_not_found_and_makes_no_profile(fake: Fake) -> None:
    reply = ask(fake, "search")

    assert reply.status == 404
    assert reply.json["errors"][0]["code"] == "NOT_FOUND_ERROR"
    assert codes(fake) == ["profile_not_found"]
    assert fake.items("profiles") == []


def test_modify_adds_changes_and_removes(fake: Fake) -> None:
    mpid = known(fake, customerid="u1", email="old@x.test", other="o")["mpid"]

    reply = ask(
        fake, f"{mpid}/modify", changes(("old@x.test", "new@x.test", "email"), (None, "o2", "other2"), ("o", None, "other"))
    )

    assert reply.status == 200
    assert reply.json == {
        "change_results": [{"identity_type": wire, "modified_mpid": mpid} for wire in ("email", "other2", "other")]
    }
    assert fake.ask(f"profiles/{mpid}")["identities"] == {"customer_id": "u1", "email": "new@x.test", "other_id_2": "o2"}
    assert codes(fake) == []


def test_modify_moves_a_unique_identity(fake: Fake) -> None:
    first, second = known(fake, customerid="u1")["mpid"], known(fake, customerid="u2")["mpid"]

    ask(fake, f"{second}/modify", changes(("u2", "u1", "customerid")))

    assert known(fake, customerid="u1")["mpid"] == second
    assert fake.ask(f"profiles/{first}")["identities"] == {}


def test_modify_of_an_unknown_mpid_changes_nothing_and_makes_no_profile(fake: Fake) -> None:
    reply = ask(fake, "-5/modify")

    assert (reply.status, reply.json) == (200, {"change_results": []})
    assert codes(fake) == ["profile_unknown"]
    assert fake.items("profiles") == []


def test_modify_from_a_value_that_the_profile_does_not_have_is_told(fake: Fake) -> None:
    mpid = known(fake, email="now@x.test")["mpid"]

    ask(fake, f"{mpid}/modify", changes(("then@x.test", "new@x.test", "email"), ("p", None, "push_token"), (None, "x", "other")))

    findings = last(fake)["findings"]
    assert [finding["pointer"] for finding in findings] == ["/identity_changes/0/old_value", "/identity_changes/1/old_value"]
    assert findings[0]["message"] == "identity_changes[0].old_value is 'then@x.test'; the profile has 'now@x.test'."
    assert fake.ask(f"profiles/{mpid}")["identities"] == {"email": "new@x.test", "other": "x"}


def test_who_is_identified_with_another_email_is_told_that_the_profile_keeps_its_own(fake: Fake) -> None:
    known(fake, customerid="u1", email="old@x.test")

    known(fake, customerid="u1", email="new@x.test")

    (finding,) = last(fake)["findings"]
    assert (finding["code"], finding["pointer"]) == ("identity_kept", "/known_identities/email")
    assert finding["hint"] == "Change identities with modify."


def test_who_has_no_identity_that_can_be_matched_is_told_so(fake: Fake) -> None:
    mpids = {known(fake, push_token="p", other3="o")["mpid"] for _ in range(2)}

    assert len(mpids) == 2
    assert codes(fake) == ["identity_matches_nobody"]


@pytest.mark.parametrize("action", ACTIONS)
def test_each_endpoint_is_served_below_the_prefix_of_a_cname(fake: Fake, action: str) -> None:
    known(fake, customerid="u1")

    assert ask(fake, f"/identity/v1/{action}").status == 200


def test_the_inputs_of_a_workspace_share_its_profiles_and_others_do_not(open_fake: OpenFake) -> None:
    credentials = [("web", None, "shop"), ("ios", None, "shop"), ("test", None, "staging")]
    with open_fake(credentials=credentials) as fake:
        for key in ("web", "ios"):
            ask(fake, "identify", x_mp_key=key)
        before = len(fake.items("profiles"))
        ask(fake, "identify", x_mp_key="test")
        after = [profile["workspace"] for profile in fake.items("profiles")]

    assert before == 1
    assert sorted(after) == ["shop", "staging"]


def test_an_upload_of_a_server_belongs_to_the_profile_of_the_client(fake: Fake) -> None:
    mpid = known(fake, customerid="c1")["mpid"]

    fake.upload(batch(user_attributes={"plan": "pro"}))

    assert fake.ask(f"profiles/{mpid}")["user_attributes"] == {"plan": "pro"}


def upload_backlog(fake: Fake) -> None:
    """More batches than are read at once; the last one is of `u1`."""
    for start in range(0, 3 * AT_ONCE, 100):
        numbers = range(start, start + 100)
        fake.upload([batch(user_identities={"customer_id": f"c{number}"}) for number in numbers], "/v2/bulkevents")
    fake.upload(batch(user_identities={"customer_id": "u1"}))


def test_a_backlog_that_nobody_has_read_is_taken_in_before_the_answer(fake: Fake) -> None:
    upload_backlog(fake)

    reply = ask(fake, "identify", body(known_identities={"customerid": "u1"}), Origin="https://shop.example")

    assert reply.json["matched_identities"] == {"customerid": "u1"}
    assert reply.headers["access-control-allow-origin"] == "*"
    assert fake.ask(f"profiles/{reply.json['mpid']}")["id"] == str(3 * AT_ONCE + 1)


def test_a_fault_and_its_delay_are_met_behind_a_backlog_too(fake: Fake) -> None:
    upload_backlog(fake)
    fake.request("PUT", "/_fake/faults", b'{"items": [{"status": 503, "delay": 0.4}]}')
    start = perf_counter()

    first = ask(fake, "identify").status

    assert perf_counter() - start >= 0.4
    assert [first, ask(fake, "identify").status] == [503, 200]


def test_a_store_that_fails_is_told_and_the_next_request_works(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    upload_backlog(fake)

    def fail(*_: Any) -> Any:
        raise StoreError("The store failed: disk full.")

    with monkeypatch.context() as broken:
        broken.setattr(MemoryRecorder, "requests", fail)
        reply = ask(fake, "identify")

    assert (reply.status, reply.messages) == (503, ["The store failed: disk full."])
    assert reply.headers["access-control-allow-origin"] == "*"
    assert ask(fake, "identify").status == 200


def test_a_page_may_read_that_the_store_failed_after_a_long_wait(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise StoreError("The store failed: disk full.")

    with monkeypatch.context() as broken:
        broken.setattr("mparticle_fake_server.endpoints.identity._Later.poll", lambda _: None)
        broken.setattr("mparticle_fake_server.endpoints.identity._Later.timeout", 0)
        broken.setattr(MemoryRecorder, "record", fail)
        reply = ask(fake, "identify")

    assert (reply.status, reply.headers["access-control-allow-origin"]) == (503, "*")


def test_web_app_and_server_of_one_workspace_meet_the_same_person(open_fake: OpenFake) -> None:
    with open_fake(credentials=[("web", None, "shop"), ("app", None, "shop"), ("server", None, "shop")]) as fake:
        mpid = ask(fake, "login", body(known_identities={"customerid": "u1", **DEVICE}), x_mp_key="web").json["mpid"]
        page_view = {"event_type": "screen_view", "data": {"screen_name": "Home"}}
        web = {"mpid": mpid, "environment": "development", "user_attributes": {"from_web": "1"}, "events": [page_view]}
        started = {"dt": "ss", "id": "5a0c0e53-6d0a-4a2e-9f57-2f1f7f0f2a11", "ct": NOW}
        app = {"dt": "h", "ct": NOW, "das": "b7a7c1b0-8a43-4a3b-9a7a-0a0f6e1d2c3b", "dbg": True, "msgs": [started]}
        app |= {"ui": [{"n": 1, "i": "u1"}], "ua": {"from_app": "1", "old": "1"}, "di": {"dp": "Android"}}

        fake.request("POST", "/v3/JS/web/events", json.dumps(web).encode(), {"Content-Type": "text/plain;charset=UTF-8"})
        fake.request("POST", "/v2/app/events", json.dumps(app).encode(), {"Content-Type": "application/json"})
        fake.request("POST", "/v2/app/events", json.dumps(app | {"ua": {}, "uad": ["old"]}).encode(), {})
        server = batch(user_identities={"customer_id": "u1"}, user_attributes={"from_server": "1"})
        fake.upload(server, Authorization="Basic c2VydmVyOnM=")

        (profile,) = fake.items("profiles")

    assert (profile["mpid"], profile["batches"]) == (mpid, 4)
    assert profile["user_attributes"] == {"from_web": "1", "from_app": "1", "from_server": "1"}
    assert profile["device_ids"]["mp_deviceid"] == [DEVICE["device_application_stamp"], "b7a7c1b0-8a43-4a3b-9a7a-0a0f6e1d2c3b"]


def test_those_who_ask_at_the_same_time_get_one_profile() -> None:
    with FakeServer() as server, ThreadPoolExecutor(8) as pool:
        asking = [Fake(_send_to(server), None) for _ in range(8)]
        mpids = list(pool.map(lambda fake: [known(fake, customerid=f"c{number}")["mpid"] for number in range(20)], asking))

        assert len({tuple(own) for own in mpids}) == 1
        assert len(asking[0].items("profiles")) == 20


def _send_to(server: FakeServer) -> Any:
    import requests

    def send(method: str, path: str, content: bytes, headers: dict[str, str]) -> Reply:
        answer = requests.request(method, server.url + path, data=content, headers=headers, timeout=20)
        return Reply(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, answer.content)

    return send


# -- who may ask -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{"x_mp_key": KEY}, {"x_mp_key": "absent", "Authorization": BASIC}])
def test_a_key_alone_and_basic_authentication_are_taken(open_fake: OpenFake, headers: dict[str, str]) -> None:
    with open_fake(credentials=CREDENTIALS, unknown_keys=False) as fake:
        assert ask(fake, "identify", **headers).status == 200
        assert last(fake)["workspace"] == "shop"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"x_mp_key": "absent"}, "credentials_missing"),
        ({"x_mp_key": ""}, "credentials_missing"),
        ({"x_mp_key": "unknown"}, "credentials_wrong"),
        ({"x_mp_key": "a:b"}, "credentials_wrong"),
        ({"Authorization": "Basic a2V5Om90aGVy"}, "credentials_wrong"),
        ({"Authorization": "Bearer x"}, "credentials_missing"),
        ({"x_mp_signature": "00" * 32, "Date": DATE}, "signature_wrong"),
        ({"x_mp_signature": "00" * 32}, "signature_missing"),
    ],
)
def test_who_is_not_known_gets_401_and_a_reason(open_fake: OpenFake, headers: dict[str, str], code: str) -> None:
    with open_fake(credentials=CREDENTIALS, unknown_keys=False) as fake:
        reply = ask(fake, "identify", **headers)

        assert reply.status == 401
        assert reply.messages
        assert codes(fake) == [code]
        assert ask(fake, "identify").status == 200


def test_an_unknown_key_belongs_to_the_default_workspace_unless_told_otherwise(fake: Fake) -> None:
    ask(fake, "identify", x_mp_key="somebody")

    assert (last(fake)["workspace"], last(fake)["key"]) == ("default", "somebody")


@pytest.mark.parametrize("prefix", ["", "/identity"])
@pytest.mark.parametrize("action", ["identify", "search?cb=1", "-17/modify"])
@pytest.mark.parametrize("compressed", [False, True])
def test_a_signature_covers_the_default_path_and_the_body_before_it_is_compressed(
    open_fake: OpenFake, prefix: str, action: str, compressed: bool
) -> None:
    content = json.dumps(changes() if "modify" in action else body()).encode()
    with open_fake(credentials=CREDENTIALS) as fake:
        known(fake, customerid="u1")
        headers = signed(content, f"/v1/{action}") | ({"Content_Encoding": "gzip"} if compressed else {})

        reply = ask(fake, f"{prefix}/v1/{action}", gzip.compress(content) if compressed else content, **headers)

        assert reply.status == 200
        assert "signature_unchecked" not in codes(fake)


@pytest.mark.parametrize(
    ("secret", "path", "date"),
    [("other", "/v1/identify", DATE), (SECRET, "/v1/login", DATE), (SECRET, "/v1/identify", "Wed, 06 Mar 2024 10:11:12 GMT")],
)
def test_a_signature_of_something_else_is_refused(open_fake: OpenFake, secret: str, path: str, date: str) -> None:
    content = json.dumps(body()).encode()
    headers = signed(content, path, secret, date) | {"Date": DATE}
    with open_fake(credentials=CREDENTIALS) as fake:
        assert ask(fake, "identify", content, **headers).status == 401
        (finding,) = last(fake)["findings"]

    assert "/v1/identify{" in finding["message"]


def test_a_signature_is_not_checked_without_a_secret_and_that_is_noted(fake: Fake) -> None:
    assert ask(fake, "identify", x_mp_signature="00", Date=DATE).status == 200
    assert codes(fake) == ["signature_unchecked"]


def test_no_credentials_are_recorded(open_fake: OpenFake) -> None:
    content = json.dumps(body()).encode()
    headers = signed(content, "/v1/identify")
    with open_fake(credentials=CREDENTIALS) as fake:
        ask(fake, "identify", content, **headers)
        ask(fake, "identify", Authorization=BASIC)
        kept = json.dumps(fake.items("requests"))

    assert headers["x_mp_signature"] not in kept
    assert BASIC not in kept


# -- pages of another origin -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["/v1", "/identity/v1"])
@pytest.mark.parametrize("action", ["identify", "login", "logout", "search?cb=1", "-8234567890123456789/modify"])
def test_a_preflight_allows_what_the_web_sdk_sends(fake: Fake, prefix: str, action: str) -> None:
    headers = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-mp-key",
    }

    reply = fake.request("OPTIONS", f"{prefix}/{action}", b"", headers)

    assert reply.status == 204
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "POST" in reply.headers["access-control-allow-methods"]
    assert {"content-type", "x-mp-key", "accept"} <= set(reply.headers["access-control-allow-headers"].split(", "))


@pytest.mark.parametrize(
    ("action", "content", "headers", "status"),
    [
        ("identify", None, {}, 200),
        ("search", None, {}, 404),
        ("identify", b"{", {}, 400),
        ("identify", None, {"x_mp_key": "absent"}, 401),
        ("identify", b" " * 3_000_000, {}, 413),
    ],
)
def test_every_answer_can_be_read_by_a_page(
    fake: Fake, action: str, content: bytes | None, headers: dict[str, str], status: int
) -> None:
    reply = ask(fake, action, content, Origin="https://shop.example", **headers)

    assert reply.status == status
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "x-mp-max-age" in reply.headers["access-control-expose-headers"]


def test_an_answer_says_how_long_it_may_be_kept(fake: Fake) -> None:
    assert int(ask(fake, "identify").headers["x-mp-max-age"]) > 0


# -- bad input -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "json_broken"),
        (b"{", "json_broken"),
        (b"\x1f\x8b\x08\x00", "json_broken"),
        (b"[]", "wrong_top_level"),
        (b"null", "wrong_top_level"),
        (b"{}", "identity_member_missing"),
        (b'{"environment": "development", "known_identities": {}}', "identity_member_missing"),
        (b'{"known_identities": {"customerid": "u1"}}', "identity_member_missing"),
        (b'{"environment": "development", "known_identities": {"customerid": 5}}', "identity_member_wrong"),
        (b'{"environment": "development", "known_identities": {"emial": "e"}}', "identity_type_unknown"),
        (b'{"environment": "development", "known_identities": {"__proto__": {"x": 1}}}', "identity_type_unknown"),
        (b"[" * 100_000, "json_too_deep"),
    ],
)
@pytest.mark.parametrize("action", ["identify", "search"])
def test_what_cannot_be_understood_gets_400_and_a_finding_and_the_next_request_works(
    fake: Fake, action: str, content: bytes, code: str
) -> None:
    reply = ask(fake, action, content)

    assert reply.status == 400
    assert reply.messages
    assert code in codes(fake)
    assert fake.items("profiles") == []
    assert ask(fake, "identify").status == 200


def test_an_error_has_the_twin_in_capitals_that_the_web_sdk_reads(fake: Fake) -> None:
    answer = ask(fake, "identify", b"{}").json

    assert answer["Errors"] == answer["errors"]
    assert {"code", "message"} == set(answer["errors"][0])


@pytest.mark.parametrize(
    "mpid", ["9223372036854775808", "-9223372036854775809", "1e3", "__proto__", "9" * 500, "%31%00", "constructor"]
)
def test_a_path_without_an_mpid_of_64_bits_gets_400(fake: Fake, mpid: str) -> None:
    reply = ask(fake, f"{mpid}/modify")

    assert reply.status == 400
    assert codes(fake) == ["mpid_out_of_range"]
    assert ask(fake, "identify").status == 200


@pytest.mark.parametrize(
    "content",
    [
        b'{"environment": "development"}',
        b'{"environment": "development", "identity_changes": {}}',
        b'{"environment": "development", "identity_changes": [5]}',
        b'{"environment": "development", "identity_changes": [{"identity_type": "email"}]}',
    ],
)
def test_a_modify_request_that_cannot_be_understood_changes_nothing(fake: Fake, content: bytes) -> None:
    mpid = known(fake, customerid="u1")["mpid"]
    before = fake.ask(f"profiles/{mpid}")

    reply = ask(fake, f"{mpid}/modify", content)

    assert reply.status == 400
    assert fake.ask(f"profiles/{mpid}") == before


@pytest.mark.parametrize("compressed", [gzip.compress(json.dumps(body()).encode(), mtime=0)[:40], b"", zlib.compress(b"{}")])
def test_a_broken_gzip_body_gets_400(fake: Fake, compressed: bytes) -> None:
    reply = ask(fake, "identify", compressed, Content_Encoding="gzip")

    assert reply.status == 400
    assert codes(fake) == ["compression_broken"]
    assert ask(fake, "identify").status == 200


def test_a_signed_body_that_cannot_be_unpacked_is_told_so_and_not_that_its_signature_is_wrong(open_fake: OpenFake) -> None:
    with open_fake(credentials=CREDENTIALS) as fake:
        reply = ask(fake, "identify", b"\x1f\x8b", Content_Encoding="gzip", Date=DATE, x_mp_signature="00")

        assert reply.status == 400
        assert codes(fake) == ["compression_broken"]


@pytest.mark.parametrize("mode", ["faithful", "strict", "lenient"])
def test_a_body_over_the_limit_gets_413_in_every_mode(open_fake: OpenFake, mode: Any) -> None:
    with open_fake(max_body=1000, mode=mode) as fake:
        replies = [
            ask(fake, "identify", b" " * 1001),
            ask(fake, "identify", gzip.compress(b" " * 100_000), Content_Encoding="gzip"),
        ]

    assert [reply.status for reply in replies] == [413, 413]


def test_an_android_client_that_writes_previous_mpid_as_a_number_gets_a_note(fake: Fake) -> None:
    assert ask(fake, "identify", body(previous_mpid=143639790194017899)).status == 200
    assert codes(fake) == ["previous_mpid_as_number"]


def test_prototype_like_members_are_told_and_do_no_harm(fake: Fake) -> None:
    reply = ask(fake, "identify", body(__proto__={"mpid": "1"}, constructor=5))

    assert reply.status == 200
    assert codes(fake) == ["identity_member_ignored"] * 2


def test_identities_of_any_text_are_kept_as_they_are(fake: Fake) -> None:
    strange = {"customerid": "\x00💥\u202e", "email": "'; DROP TABLE requests; --", "other": "x" * 100_000}

    mpid = known(fake, **strange)["mpid"]

    identities = fake.ask(f"profiles/{mpid}")["identities"]
    assert identities == {"customer_id": strange["customerid"], "email": strange["email"], "other": strange["other"]}


def test_other_methods_are_refused(fake: Fake) -> None:
    assert [fake.request(method, "/v1/identify").status for method in ("GET", "PUT", "DELETE")] == [405] * 3


# -- modes, rules, faults --------------------------------------------------------------------------------------------------


def test_a_lenient_workspace_answers_what_it_can(open_fake: OpenFake) -> None:
    with open_fake(mode="lenient") as fake:
        statuses = [ask(fake, "identify", content).status for content in (b"{", b"[]", body(environment=None))]
        modified = ask(fake, "__proto__/modify")

        assert statuses == [200] * 3
        assert (modified.status, modified.json) == (200, {"change_results": []})
        assert fake.items("profiles")[-1]["identities"] == {"customer_id": "u1"}


def test_a_strict_workspace_refuses_what_its_rules_make_an_error(open_fake: OpenFake) -> None:
    with open_fake(mode="strict", error=["profile_unknown", "identity_member_ignored"]) as fake:
        statuses = [ask(fake, "5/modify").status, ask(fake, "identify", body(extra=1)).status, ask(fake, "identify").status]

    assert statuses == [400, 400, 200]


def test_a_finding_that_is_ignored_is_not_recorded(open_fake: OpenFake) -> None:
    with open_fake(ignore=["previous_mpid_as_number"]) as fake:
        ask(fake, "identify", body(previous_mpid=5))

        assert codes(fake) == []


def test_a_fault_answers_an_identity_request_which_then_identifies_nobody(fake: Fake) -> None:
    fault = {"status": 429, "retry_after": 3}
    fake.request("PUT", "/_fake/faults", json.dumps({"items": [fault]}).encode())

    reply = ask(fake, "identify")

    assert (reply.status, reply.headers["retry-after"]) == (429, "3")
    assert reply.headers["access-control-allow-origin"] == "*"
    assert codes(fake) == ["fault_injected"]
    assert fake.items("profiles") == []
    assert ask(fake, "identify").status == 200


def test_a_fault_with_a_delay_alone_leaves_the_answer_as_it_is(fake: Fake) -> None:
    fake.request("PUT", "/_fake/faults", b'{"items": [{"delay": 0.01}]}')

    assert ask(fake, "identify").json["mpid"]
    assert codes(fake) == ["delay_injected"]


def test_a_request_that_was_refused_is_recorded_for_whoever_looks(fake: Fake) -> None:
    ask(fake, "identify", body(known_identities={"emial": "e"}))

    request = last(fake)
    assert (request["source"], request["status"], request["workspace"], request["key"]) == ("identity", 400, "default", KEY)
    (finding,) = request["findings"]
    assert (finding["pointer"], finding["hint"]) == ("/known_identities/emial", "Did you mean email?")
    assert finding["raw_pointer"] == "/known_identities/emial"


# -- captures of real clients ----------------------------------------------------------------------------------------------


def captures(*, accepted: bool) -> pytest.MarkDecorator:
    """Identity requests of real clients that the stub answered with 2xx, or the others; a skip where the folder is absent."""
    chosen = [
        path
        for path in sorted(path for client in ("web", "native") for path in (CAPTURES / client).glob("*.json"))
        if _is_identity(capture := json.loads(path.read_bytes())) and (capture["stub_status"] < 300) is accepted
    ]
    absent = pytest.param(None, marks=pytest.mark.skip(reason="no captures beside this checkout: nothing to compare with"))
    return pytest.mark.parametrize("path", chosen or [absent], ids=lambda path: f"{path.parent.name} {path.stem}" if path else "")


def _is_identity(capture: dict[str, Any]) -> bool:
    last = capture["path"].partition("?")[0].rpartition("/")[2]
    return capture["method"] == "POST" and last in ("identify", "login", "logout", "search", "modify")


def send(fake: Fake, path: Path) -> Reply:
    """Send a capture as it was, compressed if it was."""
    capture = json.loads(path.read_bytes())
    content = capture.get("body_text", "").encode() or json.dumps(capture["body"]).encode()
    headers = {name: value for name, value in capture["headers"].items() if name not in ("Host", "Content-Length")}
    if headers.get("Content-Encoding") == "gzip":
        content = gzip.compress(content)
    return fake.request("POST", capture["path"], content, headers)


@captures(accepted=True)
def test_a_capture_that_the_stub_accepted_is_answered_with_an_mpid_as_text(open_fake: OpenFake, path: Path) -> None:
    with open_fake(credentials=[("sample-key", "sample-secret", "shop")], unknown_keys=False) as fake:
        searched = json.loads(path.read_bytes())["body"]
        if "search" in path.read_text(encoding="utf-8"):
            ask(fake, "identify", body(known_identities=searched.get("known_identities")), x_mp_key="sample-key")
        reply = send(fake, path)

        assert reply.status == 200, reply.body
        if "identity_changes" not in searched:
            assert int(reply.json["mpid"])
            assert isinstance(reply.json["mpid"], str)
        findings = {finding["code"]: finding["severity"] for finding in last(fake)["findings"]}
        assert not findings.keys() - {"previous_mpid_as_number", "profile_unknown"}


@captures(accepted=False)
def test_a_capture_that_the_stub_refused_is_refused_with_the_same_status(open_fake: OpenFake, path: Path) -> None:
    with open_fake(credentials=[("sample-key", "sample-secret", "shop")], unknown_keys=False) as fake:
        reply = send(fake, path)

        assert reply.status == json.loads(path.read_bytes())["stub_status"]
        assert reply.messages


def test_a_clients_whole_day_leads_to_two_people(open_fake: OpenFake, shared: Path) -> None:
    # The web client over plain http: somebody came, logged in, changed the email, was searched for, and logged out.
    with open_fake(credentials=[("sample-key", None, "shop")]) as fake:
        day = [
            path
            for path in sorted((shared / "captures" / "web").glob("*.json"))[:19]
            if _is_identity(json.loads(path.read_bytes()))
        ]
        replies = [send(fake, path) for path in day]
        profiles = fake.items("profiles")

    mpids = [reply.json.get("mpid") for reply in replies]
    assert [path.stem for path in day] == ["02", "04", "13", "17", "19"]
    assert mpids[0] == mpids[1] == mpids[3] != mpids[4]
    assert [profile["is_logged_in"] for profile in profiles] == [True, False]


def test_the_mpids_are_those_of_the_seed(open_fake: OpenFake) -> None:
    mpids = []
    for seed in (1, 1, 2):
        with open_fake(seed=seed) as fake:
            mpids.append(known(fake, customerid="u1")["mpid"])

    assert mpids[0] == mpids[1] != mpids[2]
