"""What the fuzz tests draw: bodies near and far from batches, and headers and paths that clients might send or never would."""

import copy
import gzip
import json
import zlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from mparticle_fake_server.decoding import decode
from mparticle_fixtures.mutations import Path, at, changed, places
from tests.checks.corpus import read
from tests.hosts import batch, event

Json = Any

MODES = ("faithful", "strict", "lenient")
UPLOADS = ("/v2/events", "/v2/bulkevents", "/v2/bulkevents/historical")

MOST_OF_A_SEED = 5000
"""Bytes of a labelled batch from which others are made."""


@dataclass(repr=False)
class Sent:
    """One request; `mode` is that of the workspace whose key it carries, if it carries one."""

    method: str
    target: str
    headers: list[tuple[bytes, bytes]]
    body: bytes
    mode: str | None = None

    def __repr__(self) -> str:
        body = f"{self.body[:200]!r} … {self.body[-200:]!r}" if len(self.body) > 400 else repr(self.body)
        return f"<{self.mode}: {self.method} {self.target[:200]} {[(name, value[:200]) for name, value in self.headers]} {body}>"


def basic(mode: str) -> bytes:
    """The Authorization header of the input whose workspace has this mode."""
    return b"Basic " + b64encode(f"{mode}-key:secret".encode())


# -- JSON values -----------------------------------------------------------------------------------------------------------

texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["", "\0", "\ud83d", "a\ude00b", "😀", "\u2028", "customer_id", "CUSTOM_EVENT", "custom_event", "x" * 300]),
    st.sampled_from(
        ["undefined", "ada@example.com", "4111111111111111", "$Age", "9.99", "-1", "1e400", "NaN", "١٢", "a/b~c", "[0]"]
    ),
    st.sampled_from(["customAttributes", "event_Type", "product_action", "session_uuid", "timestamp_unixtime_ms", "price"]),
)
numbers = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**400, -(10**400), 10**4299, 1e308, 5e-324, -0.0]),
    # Times in seconds, milliseconds, microseconds, nanoseconds, and ones that no calendar has.
    st.sampled_from([1_750_000_000 * 10**places for places in (0, 3, 6, 9, 30)] + [-1, 253_402_300_800_000, 8.64e15 + 1]),
)
values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(texts, children, max_size=4),
    max_leaves=12,
)


@cache
def templates() -> list[Json]:
    """What batches are made of: samples, and all small batches that are labelled with what is to be found in them."""
    bought = {"action": "purchase", "transaction_id": "t1", "total_amount": 21.49, "products": [{"id": "p1", "price": 21.49}]}
    return [
        batch(),
        batch(source_request_id="r1", mpid=-5239478523094875234, user_attributes={"a": ["b", "c"]}),
        batch(events=[event("Play", timestamp_unixtime_ms=1_600_000_000_000)]),
        batch(events=[{"event_type": "commerce_event", "data": {"product_action": bought}}]),
        batch(
            environment="DEVELOPMENT",
            events=[{"event_type": "CUSTOM_EVENT", "data": {"event_name": "x", "custom_event_type": "OTHER"}}],
        ),
        batch(user_identities={"customerid": "c1"}),
        {},
        *_seeds(),
    ]


def _seeds() -> list[Json]:
    labelled = [body for entry in (*read("flawed"), *read("valid")) for body in (*entry.before, entry.body)]
    decoded = [decode(body, None, None, MOST_OF_A_SEED).value for body in labelled if len(body) < MOST_OF_A_SEED]
    return [made for made in decoded if isinstance(made, dict)]


@st.composite
def batches(draw: st.DrawFn) -> Json:
    """A sound or a flawed batch with some changes, among them any values."""
    made = draw(st.sampled_from(templates()))
    for _ in range(draw(st.integers(0, 3))):
        found = list(places(made))
        if draw(st.booleans()) and found:
            way: Path = draw(st.sampled_from(found))
            made = copy.deepcopy(made)
            at(made, way[:-1])[way[-1]] = draw(values)
        else:
            made = changed(made, draw(st.randoms(use_true_random=False))).batch
    return made


documents = st.one_of(batches(), st.lists(batches(), max_size=3), batches().map(lambda made: [made] * 101), values)

# -- bodies ----------------------------------------------------------------------------------------------------------------

_FRAGMENTS = [
    b"{", b"}", b"[", b"]", b'"', b":", b",", b"\\", b"\\u", b"\\ud83d", b"\\ude00", b'"a"', b"1", b"-", b"0", b".5", b"e9",
    b"1e999", b"true", b"nul", b"NaN", b"-Infinity", b"'", b"\n", b"\t", b" ", b"\0", b"\xff", b"\xc3", b"\xa9",
    b"\xef\xbb\xbf", b"//",
    b"events", b"9" * 5000, b'"events":', b'"event_type"', b"[" * 70, b"]" * 70, b'{"a":' * 70, b"}" * 70,
]  # fmt: skip


@st.composite
def _damaged(draw: st.DrawFn, sound: bytes) -> bytes:
    at = draw(st.integers(0, len(sound)))
    damage = draw(st.sampled_from(["none", "none", "cut", "insert", "replace", "twice"]))
    match damage:
        case "cut":
            return sound[:at]
        case "insert":
            return sound[:at] + draw(st.sampled_from(_FRAGMENTS) | st.binary(max_size=3)) + sound[at:]
        case "replace":
            return sound[:at] + draw(st.binary(min_size=1, max_size=1)) + sound[at + 1 :]
        case "twice":
            return sound + sound
    return sound


@st.composite
def _texts_of_documents(draw: st.DrawFn) -> tuple[bytes, str]:
    """A document as bytes, and the charset it is in."""
    text = json.dumps(draw(documents), ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1])))
    charset = draw(st.sampled_from(["utf-8"] * 5 + ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"]))
    return text.encode(charset, "replace" if charset == "latin-1" else "surrogatepass"), charset


_COMPRESSIONS: dict[bytes, Callable[[bytes], bytes]] = {
    b"gzip": gzip.compress,
    b"x-gzip": gzip.compress,
    b"deflate": zlib.compress,
    b"Deflate": lambda body: zlib.compress(body)[2:-4],
    b"gzip, gzip": lambda body: gzip.compress(gzip.compress(body)),
    b"deflate, gzip": lambda body: gzip.compress(zlib.compress(body)),
    b"identity": bytes,
    b"br": bytes,
    b"gzip,gzip,gzip,gzip,gzip": bytes,
}

values_of_headers = st.binary(max_size=20).map(
    lambda value: bytes(byte for byte in value if byte >= 0x20 and byte != 0x7F).strip()
)


@st.composite
def bodies(draw: st.DrawFn) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """A body, and the headers about it, which are often true."""
    charset = "utf-8"
    match draw(st.sampled_from(["document", "document", "document", "fragments", "bytes"])):
        case "document":
            body, charset = draw(_texts_of_documents())
            body = draw(_damaged(body))
        case "fragments":
            body = b"".join(draw(st.lists(st.sampled_from(_FRAGMENTS), max_size=12)))
        case _:
            body = draw(st.binary(max_size=60))
    headers = []
    told = draw(st.sampled_from(["json", "json", "charset", "lie", "none", "bytes"]))
    if told == "json":
        headers.append((b"Content-Type", b"application/json"))
    elif told == "charset":
        headers.append((b"Content-Type", f"application/json; charset={charset}".encode()))
    elif told == "lie":
        lies = [
            "latin-1",
            "utf-16",
            "utf-32-be",
            "ascii",
            "zlib",
            "idna",
            "unicode_escape",
            "utf-7",
            "",
            "'",
            '"utf-8"',
            "x" * 300,
        ]
        headers.append((b"Content-Type", f"text/plain;charset={draw(st.sampled_from(lies))}".encode()))
    elif told == "bytes":
        headers.append((b"Content-Type", draw(values_of_headers)))
    if draw(st.integers(0, 2)) == 0:
        encoding = draw(st.sampled_from(sorted(_COMPRESSIONS)))
        if draw(st.integers(0, 3)):
            body = _COMPRESSIONS[encoding](body)
            body = draw(_damaged(body))
        headers.append((b"Content-Encoding", encoding if draw(st.integers(0, 7)) else draw(values_of_headers)))
    return body, headers


# -- requests --------------------------------------------------------------------------------------------------------------

_NAMES = [
    b"Accept", b"Accept-Encoding", b"Cookie", b"Host", b"Origin", b"Range", b"Sec-Fetch-Site", b"User-Agent", b"X-Forwarded-For",
    b"X-HTTP-Method-Override", b"X-Api-Key", b"X_Underscore", b"Forwarded", b"Last-Event-ID", b"If-Match",
]  # fmt: skip
_VALUES = [
    b"",
    b"text/html",
    b"[",
    b"http://[",
    b"a:b:c",
    b"http://example.com",
    b"bytes=0-",
    b"\xff\xfe",
    b"x" * 3000,
    b"GET",
    b"a; b=c",
]
extra_headers = st.one_of(
    st.tuples(st.sampled_from(_NAMES), st.sampled_from(_VALUES) | values_of_headers),
    st.tuples(st.from_regex(rb"[A-Za-z][A-Za-z0-9-]{0,10}", fullmatch=True).map(b"X-".__add__), values_of_headers),
)
websocket = [(b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")]

_STRAY = [
    "/", "//", "/v2", "/v2/", "/v2/event", "/v2/events/", "//v2/events", "/v2//events", "/V2/EVENTS", "/v2/events%2f",
    "/v2/%65vents", "/v2/events%00", "/v2/%ff%fe", "/v2/bulkevent", "/s2s", "/s2s/s2s/v2/events", "/events",
    "/v2/events;x=1", "/v2/../v2/events",
    "/favicon.ico", "/%F0%9F%98%80", "/" + "a" * 3000, "/[", "/v2/events/historical", "/%", "/%zz", "/<id>", "/v2/events%0a",
]  # fmt: skip
_paths_of_bytes = st.binary(max_size=12).map(lambda path: "/" + "".join(f"%{byte:02x}" for byte in path))
targets = st.tuples(
    st.one_of(
        st.sampled_from([prefix + path for path in UPLOADS for prefix in ("", "/s2s")]),
        st.sampled_from(UPLOADS),
        st.sampled_from(_STRAY) | _paths_of_bytes,
    ),
    st.sampled_from(["", "", "", "?", "?a=1&b=%ff", "?" + "a" * 2000, "?[", "?a=%"]),
).map("".join)


@st.composite
def authorizations(draw: st.DrawFn, mode: str) -> bytes | None:
    """The Authorization header: the right one in most cases."""
    match draw(st.sampled_from(["right"] * 8 + ["absent", "empty", "bytes", "basic", "unknown", "wrong", "other"])):
        case "right":
            return basic(mode)
        case "absent":
            return None
        case "empty":
            return b""
        case "basic":
            return b"Basic " + draw(values_of_headers)
        case "unknown":
            return b"Basic " + b64encode(draw(st.binary(max_size=10)))
        case "wrong":
            return b"Basic " + b64encode(f"{mode}-key:wrong".encode())
        case "other":
            return draw(st.sampled_from([b"Bearer x", b"basic", b"Basic", b"Digest username=x", b"Basic  " + basic(mode)[6:]]))
    return draw(values_of_headers)


@st.composite
def uploads(draw: st.DrawFn) -> Sent:
    """An upload with the right credentials: what happens depends on the body alone."""
    mode = draw(st.sampled_from(MODES))
    body, headers = draw(bodies())
    prefix = draw(st.sampled_from(["", "/s2s"]))
    return Sent("POST", prefix + draw(st.sampled_from(UPLOADS)), [(b"Authorization", basic(mode)), *headers], body, mode)


@st.composite
def requests(draw: st.DrawFn) -> Sent:
    """Any request that is recorded: not a question to the inspect API, nor a browser's for the icon."""
    mode = draw(st.sampled_from(MODES))
    body, headers = draw(bodies())
    method = draw(st.sampled_from(["POST"] * 6 + ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"]))
    authorization = draw(authorizations(mode))
    if authorization is not None:
        headers.append((b"Authorization", authorization))
    headers += draw(st.lists(extra_headers, max_size=3, unique_by=lambda header: header[0].lower()))
    if draw(st.integers(0, 15)) == 0:
        headers += websocket
    target = draw(targets)
    assume(method not in ("GET", "HEAD") or target.partition("?")[0] != "/favicon.ico")
    return Sent(method, target, headers, body, mode if authorization == basic(mode) else None)
