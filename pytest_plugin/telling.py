"""What came, a line each: events, batches and requests, when they came, and the findings that say why some were refused.

`report.py` puts these lines together; the reprs of `received.py` are made here too.
"""

import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mparticle_fake_server.words import counted, plain, printable

from .received import Batch, Event, Request
from .wording import FAULT, called, hint_of

if TYPE_CHECKING:
    from mparticle_fake_server.checks.finding import Finding

    from .inbox import Inbox

LINE: Final = 120
"""Characters of a line."""
WRAP: Final = 100
"""Characters of a line of a finding, which are indented; there are two at most."""
INDENT: Final = " " * 13
"""Before what belongs to the line above, below its text."""


class Room(NamedTuple):
    """How much of everything a report shows: differing fields, events, refused requests, and findings of each."""

    rows: int
    others: int
    refused: int
    findings: int


# -- what came -------------------------------------------------------------------------------------------------------------

Clock = Callable[[Any], str]
"""The time of receipt of an event, a batch or a request, from the beginning of the test on."""


def clock_of(inbox: "Inbox") -> Clock:
    """What tells when something was received."""
    moments = [request.time_ms for request in (*inbox.requests, *inbox.unclaimed())]
    first = min(moments, default=0)
    zero = min(inbox.began_ms, first)  # a server elsewhere may have another clock

    def clock(element: Any) -> str:
        passed = (element.batch.time_ms if isinstance(element, Event) else element.time_ms) - zero
        return f"{passed:+} ms" if abs(passed) < 10_000 else f"{passed / 1000:+.1f} s"

    return clock


def lines_of(elements: Iterable[Any], clock: Clock, most: int, marked: Sequence[Any] = ()) -> list[str]:
    """A line each; of many the newest, and how many there are of the rest."""
    listed = list(elements)
    ids = {element.id for element in marked}
    hidden = listed[: len(listed) - most] if len(listed) > most + 1 else []
    lines = []
    if hidden:
        kinds = Counter(element.kind if isinstance(element, Event) else type(element).__name__ for element in hidden)
        told = ", ".join(f"{kind} ×{count}" for kind, count in kinds.most_common(3)) + (", …" if len(kinds) > 3 else "")
        lines.append(f"{'…':>10}   {len(hidden)} before: {told}")
    lines += [f"{clock(element):>10} {'→' if element.id in ids else ' '} {line_of(element)}" for element in listed[len(hidden) :]]
    return [str(len(listed)), *lines] if listed else []


def block(title: str, lines: list[str]) -> list[str]:
    """Lines below a title that says how many there are; nothing if there are none."""
    return [f"{title} ({lines[0]}):", *lines[1:]] if lines else []


def line_of(element: Any) -> str:
    """An event, a batch or a request."""
    return (
        f"{element.line}{', dropped' if element.verdict == 'dropped' else ''}"
        if isinstance(element, Event)
        else about_batch(element)
        if isinstance(element, Batch)
        else about_request(element)
    )


def refused_blocks(inbox: "Inbox", room: Room) -> list[list[str]]:
    """What was refused or dropped, with the findings that say why, and requests that belong to nobody."""
    clock = clock_of(inbox)
    batches = {batch.id: batch for batch in inbox.all_batches()}

    def lost(request: Request) -> str:
        events = [event for id in request.batch_ids for event in (batches[id].event_list if id in batches else ())]
        return f": {_names(events)}" if events else ""

    def refused(request: Request) -> list[str]:
        return [f"{about_request(request)}{lost(request)}", *_why(request.findings, room)]

    def nobodys(request: Request) -> list[str]:
        lines = [about_request(request), *_why(request.findings, room, hints=request.method == "?")]
        if request.key and request.key not in inbox.keys and request.status == 403:
            lines.append(f"hint: fake_mparticle.claim({request.key!r}) receives what is sent with this key")
        return lines

    lost_requests = [request for request in inbox.requests if request.status >= 400 or "dropped" in request.verdicts]
    return [
        _grouped("refused or dropped", lost_requests, refused, clock, room),
        _grouped("unclaimed requests, of no test", inbox.unclaimed(), nobodys, clock, room),
    ]


def _grouped(title: str, requests: list[Request], tell: Callable[[Request], list[str]], clock: Clock, room: Room) -> list[str]:
    """The newest requests; those that have the same to tell are told once, with the time of the newest."""
    groups: dict[tuple[str, ...], list[Request]] = {}
    for request in reversed(requests[-200:]):
        groups.setdefault(tuple(tell(request)), []).append(request)
    lines = [f"{title} ({len(requests)}):"] if requests else []
    if len(groups) > room.refused:
        lines.append(f"{'…':>10}   others before")
    for (first, *rest), alike in reversed([*groups.items()][: room.refused]):
        lines.append(f"{clock(alike[0]):>10}   {first}{f'  (×{len(alike)})' if len(alike) > 1 else ''}")
        lines += [f"{INDENT}{line}" for line in rest]
    return lines


def _why(findings: "Sequence[Finding]", room: Room, *, hints: bool = True) -> list[str]:
    """The findings that decided, the gravest first, each kind once."""
    order = {"fault_injected": -2, "duplicate_batch": -1, "error": 0, "warning": 1}
    decisive = [finding for finding in findings if finding.severity != "note" or finding.code == "fault_injected"]
    decisive.sort(key=lambda finding: order.get(finding.code, order.get(finding.severity, 2)))
    counts = Counter(finding.code for finding in decisive)
    kinds = list({finding.code: finding for finding in reversed(decisive)}.values())[::-1]
    lines: list[str] = []
    for finding in kinds[: room.findings]:
        told = finding_lines(finding, hints=hints)
        more = counts[finding.code] - 1
        lines += [*told, f"… {finding.code} {counted(more, 'more time', 'more times')}"] if more else told
    more = len(kinds) - room.findings
    return lines + ([f"… and {counted(more, 'other finding', 'other findings')}"] if more > 0 else [])


def finding_lines(finding: "Finding", *, hints: bool = True) -> list[str]:
    """A finding and its hint."""
    if finding.code == "fault_injected":
        return [FAULT]
    lines = _wrapped(f"{finding.severity} {finding.code}: {finding.message}")
    hint = hint_of(finding)
    return lines + (_wrapped(f"hint: {hint}") if hint and hints else [])


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        printable(" ".join(text.split())), WRAP, max_lines=2, placeholder=" …", subsequent_indent="  ", break_on_hyphens=False
    )


def _names(events: list[Event]) -> str:
    kinds = Counter(event.kind for event in events)
    told = [f"{kind} ×{count}" if count > 1 else kind for kind, count in kinds.most_common(3)]
    return ", ".join(told) + (", …" if len(kinds) > 3 else "")


# -- one line --------------------------------------------------------------------------------------------------------------

_TELLING: Final = ("customer_id", "email")
_AMOUNTS: Final = ("transaction_id", "total_amount")


def about_event(event: Event) -> str:
    """What it is, whose, and what it is about."""
    words = [event.kind]
    identities = event.user_identities
    who = next((name for name in (*_TELLING, *identities) if identities.get(name) is not None), None)
    if who is not None:
        words.append(f"{who}={plain(repr(identities[who]), 40)}")
    elif event.mpid is not None:
        words.append(f"mpid={event.mpid!r}")
    action = event.get("product_action")
    if isinstance(action, dict):
        words += [f"{name}={plain(repr(action[name]), 30)}" for name in _AMOUNTS if action.get(name) is not None]
    words += [f"{name}={plain(repr(value), 30)}" for name, value in list(event.custom_attributes.items())[:4]]
    return plain(" ".join(words), LINE - 20)


def about_batch(batch: Batch) -> str:
    """Verdict, whose, and what is in it."""
    identities = batch.user_identities
    who = next((f" {name}={identities[name]!r}" for name in (*_TELLING, *identities) if identities.get(name) is not None), "")
    events = f": {_names(batch.event_list)}" if batch.event_list else " without events"
    return plain(f"batch {batch.id}, {batch.verdict}{who}{events}", LINE - 20)


def about_request(request: Request) -> str:
    """Status, method, path, and with which key."""
    return plain(f"{request.status} {called(request.method, request.path)} key={request.key!r}", LINE - 20)


# -- words -----------------------------------------------------------------------------------------------------------------


def in_words(count: int) -> str:
    """How often, in words."""
    return "once" if count == 1 else "not at all" if count == 0 else f"{count} times"
