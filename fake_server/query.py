"""Asking what was recorded: filters and pages. One engine for lists, streams and waiting (`waiting.py`).

A question is a list of (name, value) pairs as in a query string; `Filter.parse` refuses what it does not know.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Literal, get_args

import msgspec

from .checks.finding import CODES, SEVERITIES, Finding, worst
from .dialects import java
from .dialects.standard import IDENTITY_TYPES
from .items import BatchItem, EventItem, RequestItem, batch_items, event_items, event_names, request_item
from .recording import Page, Recorder, RequestRecord
from .redaction import redact_url
from .words import did_you_mean

Json = Any
Kind = Literal["batches", "events", "requests"]


# -- filters ---------------------------------------------------------------------------------------------------------------


class FilterError(ValueError):
    """A filter with an unknown name or an impossible value; the message names the valid ones."""


class Difference(msgspec.Struct):
    """One condition that an event or a batch does not meet."""

    field: str
    expected: str
    got: Json


class Condition(msgspec.Struct, frozen=True):
    """One filter: where it looks, and what it expects there."""

    field: str
    expected: str
    read: Callable[[Any], Json]
    test: Callable[[Json], bool]
    needle: bytes | None = None
    """Bytes that the body of a matching request must hold, if it has no escapes: a cheap first look."""


def _parsed(text: str) -> Json:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _equals(expected: str) -> Callable[[Json], bool]:
    """Whether a JSON value is what `expected` says, as text or as JSON; an array matches by any of its items."""
    parsed = _parsed(expected)

    def test(value: Json) -> bool:
        if isinstance(value, str):
            return value in (expected, parsed)
        if isinstance(value, list) and not isinstance(parsed, list):
            return any(test(item) for item in value)
        return (type(value) is type(parsed) and value == parsed) or (_is_number(value) and _is_number(parsed) and value == parsed)

    return test


def _is_number(value: Json) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _path(steps: list[str], node: Json) -> Json:
    """The value at a dotted path; a step into an array without an index looks at all items. None if there is none."""
    for position, step in enumerate(steps):
        if isinstance(node, dict):
            rest = ".".join(steps[position:])
            if rest in node:
                return node[rest]
            node = node.get(step)
        elif isinstance(node, list):
            index = int(step) if step.isascii() and step.isdigit() and len(step) < 10 else None
            if index is not None and index < len(node):
                node = node[index]
            else:
                return [_path(steps[position:], item) for item in node]
        else:
            return None
    return node


def _needle(text: str) -> bytes | None:
    return f'"{text}"'.encode() if text and text.isascii() and text.isprintable() and not set(text) & set('"\\/') else None


AT_ONCE: Final = 200
"""Records that one poll looks at, so that no question holds up an upload for long."""

SMALL: Final = 2500
"""Bytes of a small request's body."""

_BEGINNINGS: Final = {b"", b"{", b"[", b" ", b"\n", b"\t", b"\r"}

MOST_TEXT: Final = 1_000_000
"""Bytes of the bodies of a page that are joined to be searched."""

_STATUS: Final = re.compile(r"[1-5][0-9]{2}", re.ASCII)
REQUEST_FIELDS: Final = ("workspace", "key", "source", "status", "method", "path")
BATCH_FIELDS: Final = ("verdict", "severity", "code", "identity")
EVENT_FIELDS: Final = ("event_type", "event_name")
FIELDS: Final[dict[Kind, tuple[str, ...]]] = {
    "batches": ("workspace", "key", "source", *BATCH_FIELDS, *EVENT_FIELDS),
    "events": ("workspace", "key", "source", *BATCH_FIELDS, *EVENT_FIELDS),
    "requests": (*REQUEST_FIELDS, "severity", "code"),
}
Source = Literal["events_api", "web", "android", "ios", "native", "identity", "import", "unknown"]
"""Where requests come in: a family of endpoints; `native` is a native SDK that did not say which, `unknown` no endpoint."""

SOURCES: Final[tuple[str, ...]] = get_args(Source)
EVENT_TYPES: Final = java.ENUMS["events.*.event_type"]
_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "verdict": ("accepted", "altered", "dropped", "rejected"),
    "severity": SEVERITIES,
}


class Filter(msgspec.Struct):
    """The conditions of a question: all of them must hold; one event must meet all the conditions on events."""

    request: list[Condition] = []
    batch: list[Condition] = []
    event: list[Condition] = []
    needles: list[bytes] = []
    verdict: list[Condition] = []

    @classmethod
    def parse(cls, pairs: Iterable[tuple[str, str]], kind: Kind, others: tuple[str, ...] = ()) -> "Filter":
        """From names and values; `others` are what an endpoint takes besides filters. Raises FilterError, which names all."""
        found = cls()
        for name, value in pairs:
            if name.startswith("data.") and len(name) > 5 and kind != "requests":
                found.event.append(_on_data(name, value))
            elif name not in FIELDS[kind]:
                raise FilterError(_unknown(name, kind, others))
            elif name in REQUEST_FIELDS:
                found.request.append(_on_request(name, value))
            elif name in BATCH_FIELDS:
                (found.request if kind == "requests" else found.batch).append(_on_batch(name, value))
            else:
                found.event.append(_on_event(name, value))
        # On what a record says itself of its batches.
        found.verdict = [condition for condition in found.batch if condition.field in ("verdict", "severity", "code")]
        found.needles = [condition.needle for condition in found.batch + found.event if condition.needle is not None]
        return found

    def may_match(self, record: RequestRecord) -> bool:
        """Whether any batch of a request may match, told without reading it."""
        # Whoever waits asks this of every record: the cheapest look first.
        for needle in self.needles:
            if needle not in record.body:
                if record.literal is None:
                    record.literal = _is_literal(record)
                if record.literal:
                    return False
        if self.verdict and not any(all(one.test(one.read(about)) for one in self.verdict) for about in record.batches):
            return False
        return all(condition.test(condition.read(record)) for condition in self.request) if self.request else True

    def may_match_any(self, page: Page) -> bool:
        """Whether any request of a page may match, told by one search through the text of all, made once for all who ask."""
        if not self.needles:
            return True
        text = page.text
        if text is None:
            text = page.text = _text_of(page.records)
        return not text or all(needle in text for needle in self.needles)

    def batches(self, record: RequestRecord) -> Iterator[BatchItem]:
        """The matching batches of a request."""
        if record.batches and self.may_match(record):
            for item in batch_items(record):
                if all(condition.test(condition.read(item)) for condition in self.batch) and (
                    not self.event or any(self._holds(event) for event in event_items(item))
                ):
                    yield item

    def events(self, record: RequestRecord) -> Iterator[EventItem]:
        """The matching events of a request."""
        if record.batches and self.may_match(record):
            for item in batch_items(record):
                if all(condition.test(condition.read(item)) for condition in self.batch):
                    yield from (event for event in event_items(item) if self._holds(event))

    def requests(self, record: RequestRecord) -> Iterator[RequestItem]:
        """The request, if it matches."""
        if self.may_match(record):
            yield request_item(record)

    def _holds(self, event: EventItem) -> bool:
        return all(condition.test(condition.read(event)) for condition in self.event)

    def differences(self, batch: BatchItem, event: EventItem | None) -> list[Difference]:
        """The conditions on the batch and its event that do not hold."""
        differences = [
            Difference(condition.field, condition.expected, condition.read(batch))
            for condition in self.batch
            if not condition.test(condition.read(batch))
        ]
        for condition in self.event:
            got = condition.read(event) if event is not None else None
            if event is None or not condition.test(got):
                differences.append(Difference(condition.field, condition.expected, got))
        return differences


def _text_of(records: list[RequestRecord]) -> bytes:
    """The bodies of all; empty if a look into their bytes does not tell what texts they hold."""
    bodies = [record.body for record in records]
    if sum(map(len, bodies)) >= MOST_TEXT:
        return b""
    # Sets, as most records have the same: each is looked at once.
    told = (
        {record.dialect for record in records} <= {"standard"}
        and {body[:1] for body in bodies} <= _BEGINNINGS
        and all(map(_says_utf_8, {record.headers for record in records}))
    )
    text = b"\n".join(bodies) if told else b""
    return text if _holds_no_escapes(text) else b""


def _is_literal(record: RequestRecord) -> bool:
    """Whether a look into the bytes of the body tells what texts it holds: UTF-8 JSON as sent, without escaped letters."""
    return (
        record.dialect == "standard"
        and record.body[:1] in _BEGINNINGS
        and _holds_no_escapes(record.body)
        and _says_utf_8(record.headers)
    )


def _holds_no_escapes(body: bytes) -> bool:
    # Other escapes are of characters that no needle has.
    return b"\\" not in body or b"\\u" not in body


def _says_utf_8(headers: bytes) -> bool:
    # Words of its own anywhere in the header block: that they are there may be chance, that they are not is certain.
    lower = headers.lower()
    return b"content-encoding" not in lower and b"charset" not in lower


_MEANT: Final = {"limit": "count", "count": "limit", "next": "after", "cursor": "after", "since": "after", "seconds": "timeout"}
"""Parameters of one endpoint, or of other servers, and what they are called elsewhere here."""

_OF_WAIT: Final = ("count", "timeout", "of")


def _unknown(name: str, kind: Kind, others: tuple[str, ...]) -> str:
    valid = FIELDS[kind] + (() if kind == "requests" else ("data.PATH",)) + others
    meant = _MEANT.get(name)
    if meant in valid:
        advice = f" Did you mean {meant}?"
    elif name in _OF_WAIT:
        advice = " Only /_fake/wait takes it."
    elif kind == "requests" and (name in FIELDS["batches"] or name.startswith("data.")):
        advice = " It is one of batches and events; requests have a status."
    elif kind != "requests" and name in REQUEST_FIELDS:
        advice = " It is one of /_fake/requests."
    elif kind != "requests" and name in (*IDENTITY_TYPES, "mpid"):
        advice = f" Write identity={name}:VALUE."
    else:
        advice = did_you_mean(name, valid)
    return f"Unknown filter {name[:80]!r}.{advice} Valid: {', '.join(valid)}."


def _choices(name: str, value: str) -> set[str]:
    chosen = {part.strip() for part in value.split(",")}
    for part in chosen:
        if part not in _CHOICES[name]:
            raise FilterError(f"{name} is {part[:40]!r}; expected one of {', '.join(_CHOICES[name])}.")
    return chosen


def _on_request(name: str, value: str) -> Condition:
    def read(record: RequestRecord) -> Json:
        found = getattr(record, name)
        return found if found is None else str(found)

    if name == "method" and value != value.upper():
        raise FilterError(f"method is {value[:40]!r}; HTTP writes methods in capitals, such as POST.")
    if name == "status" and not _STATUS.fullmatch(value):
        raise FilterError(f"status is {value[:40]!r}; expected an HTTP status such as 202.")
    if name == "source" and value not in SOURCES:
        raise FilterError(
            f"source is {value[:40]!r}, which nothing here has.{did_you_mean(value, SOURCES)} Sources: {', '.join(SOURCES)}."
        )
    if name == "path":
        # As paths are kept.
        value = redact_url(value)
    return Condition(name, value, read, lambda found: bool(found == value))


def _on_batch(name: str, value: str) -> Condition:
    if name == "verdict":
        verdicts = _choices(name, value)
        return Condition(name, value, lambda item: item.verdict, lambda found: found in verdicts)

    def findings(item: BatchItem | RequestRecord) -> list[Finding]:
        if isinstance(item, RequestRecord):
            return [*item.findings, *(finding for batch in item.batches for finding in batch.findings)]
        return item.findings

    if name == "severity":
        severities = _choices(name, value)
        return Condition(name, value, lambda item: worst(findings(item)), lambda found: found in severities)
    if name == "code":
        if value not in CODES:
            raise FilterError(
                f"code is {value[:40]!r}, which no finding has.{did_you_mean(value, CODES)} Codes: {', '.join(CODES)}."
            )
        return Condition(
            name, value, lambda item: sorted({finding.code for finding in findings(item)}), lambda found: value in found
        )
    identity_type, colon, identity = value.partition(":")
    if not colon or identity_type not in (*IDENTITY_TYPES, "mpid"):
        types = (*IDENTITY_TYPES, "mpid")
        raise FilterError(
            f"identity is {value[:80]!r}; expected TYPE:VALUE, for example customer_id:c1."
            f"{did_you_mean(identity_type, types) if colon else ''} Types: {', '.join(types)}."
        )

    def read(item: BatchItem) -> Json:
        if identity_type == "mpid":
            return item.batch.get("mpid")
        identities = item.batch.get("user_identities")
        return identities.get(identity_type) if isinstance(identities, dict) else None

    return Condition(
        f"identity {identity_type}",
        identity,
        read,
        _equals(identity),
        # Numbers and the like may stand there without quotes.
        _needle(identity) if isinstance(_parsed(identity), str) else None,
    )


def _on_event(name: str, value: str) -> Condition:
    if name == "event_type":
        if value not in EVENT_TYPES:
            raise FilterError(
                f"event_type is {value[:40]!r}, which mParticle does not know.{did_you_mean(value, EVENT_TYPES)} "
                f"Types: {', '.join(EVENT_TYPES)}."
            )
        return Condition(
            name, value, lambda item: item.event.get("event_type"), lambda found: bool(found == value), _needle(value)
        )

    def read(item: EventItem) -> Json:
        names = event_names(item.event)
        return names[0] if len(names) == 1 else names or None

    return Condition(
        name, value, read, lambda found: found == value or (isinstance(found, list) and value in found), _needle(value)
    )


def _on_data(name: str, value: str) -> Condition:
    steps = name.removeprefix("data.").split(".")
    return Condition(name, value, lambda item: _path(steps, item.event.get("data")), _equals(value))


# -- pages -----------------------------------------------------------------------------------------------------------------

Item = BatchItem | EventItem | RequestItem


class Cursor(msgspec.Struct, frozen=True):
    """A place in what was recorded: after this request, this batch of it, this event of that."""

    parts: tuple[int, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """From an id such as `17`, `17.0` or `17.0.3`. Raises FilterError."""
        parts = text.split(".")
        if len(parts) > 3 or not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
            raise FilterError(f"after is {text[:40]!r}; expected the id of an item, such as 17, 17.0 or 17.0.3.")
        return cls(tuple(int(part) for part in parts))

    def within(self, recorder: Recorder) -> "Cursor":
        """The same place, or the beginning if it is one of another store, for example of before a restart in memory."""
        return self if not self.parts or self.parts[0] <= recorder.last_id() else Cursor()

    @property
    def request_id(self) -> int:
        """The request to begin with: the one named if it may have more, else the one after it."""
        if not self.parts:
            return 0
        return self.parts[0] if len(self.parts) == 1 else self.parts[0] - 1

    def precedes(self, item: Item) -> bool:
        """Whether an item comes after this place."""
        parts = tuple(int(part) for part in item.id.split("."))
        return len(self.parts) < 2 or parts[: len(self.parts)] > self.parts


def by_request(recorder: Recorder, filter: Filter, kind: Kind, after: Cursor) -> Iterator[tuple[int, Iterator[Item]]]:
    """The matching items of one request after another, of most of them none, oldest first; for who wants to rest in between.

    With them, how many small requests this one is worth: AT_ONCE of them do not take long.
    """
    after = after.within(recorder)
    for record in recorder.requests(after.request_id):
        found: Iterator[Item] = getattr(filter, kind)(record)
        yield 1 + len(record.body) // SMALL, (item for item in found if after.precedes(item))
