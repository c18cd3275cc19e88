"""The native dialect: translating and checking an upload of 20 messages, against parsing it."""

import gzip
import json
from collections.abc import Callable, Iterator
from time import process_time
from typing import Any, Final

import msgspec

from mparticle_fake_server import dialects
from mparticle_fake_server.checks import check
from mparticle_fake_server.decoding import decode
from tests.benchmarks.row import Row

ROUNDS: Final = 15
TIMES: Final = 200

NOW: Final = 1_700_000_060_000
SESSION: Final = {"sid": "1F0E7A61-6D0A-4A2E-9F57-2F1F7F0F2A11", "sct": NOW - 60_000}
PRODUCT: Final = {
    "id": "sku-1", "nm": "Product 1", "br": "Acme", "ca": "shoes", "va": "blue", "ps": 1, "pr": 19.99, "qt": 2, "tpa": 39.98,
    "cc": "SAVE10", "attrs": {"size": "43"},
}  # fmt: skip


def upload() -> dict[str, Any]:
    """A session of an Android app in a shop: 20 messages of 13 types."""
    own: list[dict[str, Any]] = [
        {"dt": "fr"},
        {"dt": "ast", "t": "app_init", "ifr": True, "iu": False},
        {"dt": "uac", "n": "plan", "nv": "gold", "ov": None, "d": False, "na": True},
        {"dt": "uic", "ni": {"n": 7, "i": "new@example.com", "dfs": NOW, "f": True}, "oi": None},
        *({"dt": "v", "n": f"Screen {n}", "t": "activity_started", "est": NOW, "el": 0, "attrs": {"tab": "1"}} for n in range(4)),
        *(
            {"dt": "e", "n": f"Level {n}", "et": "Navigation", "est": NOW, "en": n, "attrs": {"level": "3", "hard": "true"},
             "flags": {"flag": ["a"]}, "lc": {"lat": 52.37, "lng": 4.89, "acc": 10.0}}
            for n in range(4)
        ),
        {"dt": "cm", "cu": "EUR", "sn": "Checkout", "ni": False,
         "pd": {"an": "purchase", "ti": "t1", "tr": 50.0, "tt": 5.0, "ts": 2.5, "pl": [PRODUCT]}},
        {"dt": "cm", "pm": {"an": "view", "pl": [{"id": "p1", "nm": "Spring", "cr": "banner", "ps": "top"}]}},
        {"dt": "cm", "pi": [{"pil": "Suggested", "pl": [PRODUCT]}]},
        {"dt": "npe", "v": "GET", "url": "https://example.com/a?b=c", "te": 120, "bo": 10, "bi": 20},
        {"dt": "bc", "l": "crumb", "sn": 1},
        {"dt": "x", "s": "error", "c": "E", "m": "boom", "st": "trace", "eh": "true", "sn": 1},
        {"dt": "se", "sl": 15000, "slx": 15000, "smpids": ["810434380285165227"]},
    ]  # fmt: skip
    start = {"dt": "ss", "id": SESSION["sid"], "ct": NOW - 60_000}
    ids = (f"1a9019cf-e84b-4282-b214-9f6062f1b1{number:02}" for number in range(len(own)))
    return {
        "dt": "h", "id": "6a0c0e53-6d0a-4a2e-9f57-2f1f7f0f2a11", "ct": NOW, "sdk": "6.0.0", "mpid": "810434380285165227",
        "dbg": True, "oo": False, "uitl": 600, "stl": 60, "das": "b7a7c1b0-8a43-4a3b-9a7a-0a0f6e1d2c3b", "ck": {},
        "ai": {"an": "Demo", "av": "1.0", "apn": "com.example.demo", "abn": "456", "lc": 1, "ict": NOW},
        "di": {"b": "google", "p": "panther", "dma": "Google", "dmdl": "Pixel 7", "dosv": "14", "dsh": 2400, "dsw": 1080,
               "dpi": 420, "dll": "en", "dlc": "US", "tz": -8, "it": False, "dp": "Android"},
        "ua": {"plan": "gold", "interests": ["a", "b"]},
        "ui": [{"n": 1, "i": "u1", "dfs": NOW, "f": True}, {"n": 7, "i": "n@example.com", "dfs": NOW, "f": False}],
        "con": {"gdpr": {"marketing": {"c": True, "d": "terms", "ts": NOW, "l": "here", "h": "hw"}}},
        "ctx": {"dpln": {"id": "mobile", "v": 2}},
        "msgs": [start, *({"id": id, "ct": NOW - 50_000, **SESSION, **message} for id, message in zip(ids, own, strict=True))],
    }  # fmt: skip


def native() -> Iterator[Row]:
    """The CPU time of this process; parsing is what the server does to a body: gunzip, UTF-8, JSON."""
    text = json.dumps(upload(), separators=(",", ":")).encode()
    body = gzip.compress(text)

    def read(then: Callable[[dict[str, Any]], object]) -> Callable[[], object]:
        return lambda: then(msgspec.json.decode(text))

    def translate(batch: dict[str, Any]) -> dict[str, Any]:
        dialects.translate(batch, "native")
        return batch

    canonical = translate(msgspec.json.decode(text))
    assert len(canonical["events"]) == 20
    assert check(canonical, NOW) == []

    spent: dict[str, list[float]] = {"parse": [], "json": [], "translate": [], "check": []}
    for _ in range(ROUNDS):
        spent["parse"].append(_microseconds(lambda: decode(body, b"gzip", b"application/json", 1_000_000)))
        spent["json"].append(_microseconds(read(lambda batch: batch)))
        spent["translate"].append(_microseconds(read(translate)) - spent["json"][-1])
        spent["check"].append(_microseconds(lambda: check(canonical, NOW)))
    best = {name: min(times) for name, times in spent.items()}
    ours = best["translate"] + best["check"]
    yield _times("translate and check a native upload, vs parsing it", ours, best["parse"], "<= 3")
    # For information: what of it is JSON alone, and how our part divides.
    yield _times("the same, vs msgspec on its JSON alone", ours, best["json"], "none")
    yield _times("of that: translate, vs msgspec on its JSON alone", best["translate"], best["json"], "none")


def _times(name: str, ours: float, peer: float, promised: str) -> Row:
    kept = promised == "none" or ours <= 3 * peer
    return Row(name, f"{ours:.0f} µs", f"{peer:.0f} µs", f"{ours / peer:.2f}", promised, kept)


def _microseconds(work: Callable[[], object]) -> float:
    start = process_time()
    for _ in range(TIMES):
        work()
    return (process_time() - start) / TIMES * 1e6
