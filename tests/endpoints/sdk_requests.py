"""Requests as the web, Android and Apple SDKs send them, for the tests of the endpoints that they call."""

import gzip
import hashlib
import hmac
import json
import uuid
from typing import Any

from tests.hosts import Fake, Reply

KEY, SECRET = "sample-key", "sample-secret"
CREDENTIALS = [(KEY, SECRET, "default")]
ORIGIN = "https://shop.example"

EVENTS = f"/v3/JS/{KEY}/events"
ALIAS = f"/v1/identity/{KEY}/Alias"
NATIVE_EVENTS = f"/v2/{KEY}/events"

ANDROID = {"User-Agent": "mParticle Android SDK/6.0.0", "Date": "Tue, 05 Mar 2024 10:11:12 GMT+01:00"}
IOS = {
    "User-Agent": "mParticle Apple SDK/9.4.0",
    "Date": "Tue, 05 Mar 2024 09:11:12 GMT",
    "locale": "en_US",
    "timezone": "Europe/Zurich",
    "secondsFromGMT": "3600",
}


def web_batch(*names: str, **members: Any) -> dict[str, Any]:
    """A batch of custom events as the web SDK writes it."""
    events = [
        {
            "event_type": "custom_event",
            "data": {
                "custom_event_type": "other",
                "custom_flags": {},
                "event_name": name,
                "session_uuid": "EF73AEB9-0605-4291-1DDA-043036BA4817",
                "custom_attributes": {"a": "1", "b": None},
                "location": None,
                "source_message_id": "c2e01b5f-70c4-4ae1-29f8-1dd5b2a58e40",
            },
        }
        for name in names or ("Play",)
    ]
    return {
        "source_request_id": str(uuid.uuid4()),
        "mpid": "-8234567890123456789",
        "environment": "development",
        "events": events,
        "mp_deviceid": "5734d8dd-653d-4732-fc54-f167ba83cf81",
        "sdk_version": "2.71.2",
        "application_info": {"application_version": "1", "application_name": "Shop"},
        "device_info": {"platform": "web", "screen_width": 800, "screen_height": 600},
        "user_attributes": {},
        "user_identities": None,
        "consent_state": None,
        "integration_attributes": {},
        "context": {"data_plan": {"plan_id": "p", "plan_version": 2}},
    } | members


def web(fake: Fake, body: Any, path: str = EVENTS, **headers: str) -> Reply:
    """An upload of the web SDK: text/plain, from a page of another origin."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Content-Type": "text/plain;charset=UTF-8", "Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"}
    return fake.request("POST", path, content, sent | {name.replace("_", "-"): value for name, value in headers.items()})


def native_batch(*names: str, **members: Any) -> dict[str, Any]:
    """A batch of custom events as the native SDKs write it."""
    session = "1F0E1C5A-6D0A-4A2E-9F57-2F1F7F0F2A11"
    messages = [
        {
            "dt": "e",
            "id": str(uuid.uuid4()),
            "sid": session,
            "n": name,
            "et": "Other",
            "attrs": {"song": "x"},
            "flags": {"f": ["1"]},
        }
        for name in names or ("Play",)
    ]
    return {
        "dt": "h",
        "id": str(uuid.uuid4()),
        "sdk": "6.0.0",
        "mpid": "1234",
        "dbg": True,
        "oo": False,
        "uitl": 600,
        "stl": 60,
        "das": "b7a7c1b0-8a43-4a3b-9a7a-0a0f6e1d2c3b",
        "ai": {"an": "Demo", "av": "1.0", "env": 1},
        "di": {"dp": "Android", "dosv": "34"},
        "ua": {"plan": "gold"},
        "ui": [{"n": 1, "i": "u1", "dfs": 1700000000000, "f": True}],
        "con": {},
        "ctx": {"dpln": {"id": "mobile", "v": 2}},
        "msgs": messages,
    } | members


def signature(secret: str, method: str, date: str, target: str, body: bytes = b"") -> str:
    """The formula of `client-sdks.md §3.2`, written once more so that the server is not measured with its own."""
    return hmac.new(secret.encode(), f"{method}\n{date}\n{target}".encode() + body, hashlib.sha256).hexdigest()


def native(
    fake: Fake,
    method: str,
    path: str,
    body: Any = b"",
    *,
    platform: dict[str, str] = ANDROID,
    secret: str = SECRET,
    signed: str | None = None,
    compress: bool = True,
    headers: dict[str, str] | None = None,
) -> Reply:
    """A signed request; `signed` is the path in the signature where that is not the one of the request.

    `headers` come on top; those with the value `absent` are left out.
    """
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = platform | {"x-mp-signature": signature(secret, method, platform["Date"], signed or path, content)}
    if method == "POST":
        sent["Content-Type"] = "application/json"
        if compress:
            sent["Content-Encoding"] = "gzip"
            content = gzip.compress(content, mtime=0)
    sent |= headers or {}
    return fake.request(method, path, content, {name: value for name, value in sent.items() if value != "absent"})


def codes(fake: Fake) -> list[str]:
    """The codes of all recorded findings, of requests and of batches."""
    found = []
    for request in fake.items("requests?limit=1000"):
        found += [finding["code"] for finding in request["findings"]]
        found += [finding["code"] for item in request["batches"] for finding in item["findings"]]
    return found


def names(fake: Fake) -> list[str | None]:
    """The names of all recorded events."""
    return [item["event"]["data"].get("event_name") for item in fake.items("events?limit=1000")]
