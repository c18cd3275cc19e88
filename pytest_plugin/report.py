"""Failure reports: what was expected, what came closest and where it differs, what else came, and what was refused.

`inbox.py`, `journeys.py` and the lists of `received.py` ask for them, only once an assertion has failed; `plugin.py` for the
comparison of what was received with `==`. A report fits on a screen.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from difflib import SequenceMatcher, get_close_matches
from typing import TYPE_CHECKING, Any, Final

from mparticle_fake_server.words import counted, plain, printable

from . import doubts, matching
from .comparing import ABSENT, Row, columns, differences, shown
from .errors import ConditionError
from .event_loops import in_event_loop
from .matching import Condition, Question
from .received import Batch, Event, Snapshot
from .telling import (
    INDENT,
    LINE,
    Clock,
    Room,
    about_request,
    block,
    clock_of,
    finding_lines,
    in_words,
    line_of,
    lines_of,
    refused_blocks,
)
from .wording import of_ended, of_silence, safe_repr

if TYPE_CHECKING:
    from .inbox import Inbox, Wanted

MOST_LINES: Final = 40
"""Lines of a report: a screen."""


ROOMS: Final = (Room(12, 9, 3, 2), Room(8, 6, 2, 1), Room(5, 4, 1, 1))
"""The first with which a report fits on a screen is taken, or the last."""


# -- what failed -----------------------------------------------------------------------------------------------------------


def explainer(inbox: "Inbox") -> Callable[[Snapshot[Any], str], str]:
    """For the lists of an Inbox: why one(), first or last did not find what they give."""
    return lambda found, wanted: _of_filter(inbox, found, wanted)


def _of_filter(inbox: "Inbox", found: Snapshot[Any], wanted: str) -> str:
    question = found.question
    head = f"expected {wanted} {describe(question)}, got {len(found)}"
    if found.WHAT != "event":
        return _fit(
            lambda room: [
                [head],
                _table(question, found.origin, inbox, room) if not found else [],
                block(f"all {found.plural()}", lines_of(found.origin, clock_of(inbox), room.others)),
                *refused_blocks(inbox, room),
            ]
        )
    return _full(inbox, head, question, found=list(found), candidates=list(found.origin), closest=not found)


def not_met(inbox: "Inbox", wanted: "Wanted", *, expected: bool = False, awaited: bool = False) -> str:
    """A wait was in vain: that of a block if it was `expected`, asynchronous if it was `awaited`."""
    found = wanted.events()
    span = f"within {wanted.timeout:g} s" if not expected else f"in the block or within {wanted.timeout:g} s after it"
    if wanted.count == 1:
        head = f"no {describe(wanted.question)} came {span}"
    else:
        head = f"{len(found)} of {wanted.count} {describe(wanted.question, plural=True)} came {span}"
    candidates = [event for batch in inbox.all_batches() if batch.place > wanted.after for event in batch.event_list]
    before = [
        event
        for batch in inbox.all_batches()
        if batch.place <= wanted.after and batch.verdict != "rejected"
        for event in batch.event_list
    ]
    notes = []
    if early := [event for event in before if _holds_all(wanted.question, event)]:
        notes.append(f"note: {len(early)} that match{'es' if len(early) == 1 else ''} came before the block began")
    if not awaited and in_event_loop():
        instead = "async with fake_mparticle.expect(…)" if expected else "await fake_mparticle.wait_for_async(…)"
        notes.append(f"note: this wait stopped the event loop that the test runs in; {instead} lets it go on")
    return _full(inbox, head, wanted.question, found=found, candidates=candidates, notes=notes)


def not_received(
    inbox: "Inbox", question: Question, found: list[Event], times: int | None, method: str = "assert_received"
) -> str:
    """assert_received, and a journey of nobody."""
    if times is None:
        head = f"no {describe(question)} was received"
    else:
        head = f"{describe(question)} was received {in_words(len(found))}, expected {in_words(times)}"
    notes = []
    if not inbox.all_batches():
        notes.append(f"note: {method} does not wait; if the code under test sends in the background, wait_for does")
    return _full(inbox, head, question, found=found, closest=times is None or len(found) < times, notes=notes)


def not_wanted(inbox: "Inbox", question: Question, found: list[Event]) -> str:
    """assert_not_received."""
    clock = clock_of(inbox)
    head = f"{describe(question)} was received {in_words(len(found))}, expected not at all"
    return _fit(lambda room: [[head], _notes(question, inbox), block("received", lines_of(found, clock, room.others))])


def out_of_order(inbox: "Inbox", questions: Sequence[Question], found: list[Event], events: list[Event]) -> str:
    """assert_order, and a journey's order."""
    step = len(found)
    missing = questions[step]
    before = f" after {describe(questions[step - 1])}" if step else ""
    early = [event for event in events if _holds_all(missing, event)]
    head = f"no {describe(missing)} was received{before}" + (", only before" if early and step else "")
    clock = clock_of(inbox)
    order = [f"expected, in the order of receipt ({step} of {len(questions)} found):"]
    for number, question in enumerate(questions, 1):
        at = f"{clock(found[number - 1])}" if number <= step else "missing" if number == step + 1 else ""
        order.append(f"  {number}. {at:>10}  {describe(question)}".rstrip())
    notes: list[str] = []
    nearest = None
    if early and step:
        last = found[-1]
        notes += [f"  too early: {clock(event)}  {line_of(event)}" for event in early[:3]]
        if any(event.time_ms > last.time_ms for event in early):
            notes.append("note: by their own timestamps they are in the expected order; they were received in another one")
    else:
        notes += _notes(missing, inbox)
        rejected = [event for batch in inbox.all_batches() if batch.verdict == "rejected" for event in batch.event_list]
        nearest = _closest(missing, (events[events.index(found[-1]) + 1 :] if found else events) + rejected)
    return _fit(
        lambda room: [
            [head],
            order,
            notes,
            _closest_lines(missing, nearest, clock, room) if nearest is not None else [],
            block("received", lines_of(events, clock, room.others, found)),
            *refused_blocks(inbox, room),
        ]
    )


def something_else(inbox: "Inbox", others: list[Event]) -> str:
    """assert_nothing_else."""
    head = f"{counted(len(others), 'event')} came that no assertion asked for"
    return _fit(lambda _: [[head], block("not asked for", lines_of(others, clock_of(inbox), 25))])


def invalid(inbox: "Inbox") -> str | None:
    """assert_valid; None if nothing was found."""
    clock = clock_of(inbox)
    lines: list[str] = []
    codes: Counter[str] = Counter()
    for request in inbox.requests:
        serious = [finding for finding in request.findings if finding.severity != "note"]
        if not serious:
            continue
        codes.update(finding.code for finding in serious)
        lines.append(f"{clock(request):>10}   {about_request(request)}")
        lines += [f"{INDENT}{line}" for finding in serious for line in finding_lines(finding)]
    if not lines:
        return None
    kinds = ", ".join(f"{code} ×{count}" if count > 1 else code for code, count in codes.most_common(6))
    head = f"{counted(sum(codes.values()), 'finding')} of severity error or warning: {kinds}"
    most = MOST_LINES - 2
    if len(lines) > most + 1:
        lines[most:] = [f"… and {len(lines) - most} more lines"]
    return _fit(lambda _: [[head], lines])


def of_journey(inbox: "Inbox", head: str, lines: Iterable[str], events: Sequence[Event], marked: Sequence[Event] = ()) -> str:
    """A rule that a journey breaks."""
    clock = clock_of(inbox)
    listed = list(lines)
    return _fit(
        lambda room: [
            [head],
            listed,
            block("journey", lines_of(events, clock, room.others * 2, marked)),
            *refused_blocks(inbox, room),
        ]
    )


def _full(
    inbox: "Inbox",
    head: str,
    question: Question,
    *,
    found: list[Event],
    candidates: list[Event] | None = None,
    closest: bool = True,
    notes: Iterable[str] = (),
) -> str:
    """Headline, notes, closest event, what else came, what was refused, what nobody claimed."""
    clock = clock_of(inbox)
    everything = [event for batch in inbox.all_batches() for event in batch.event_list]
    kept = [event for event in everything if event.verdict != "rejected"]
    if candidates is None:
        candidates = everything
    ids = {event.id for event in found}
    nearest = _closest(question, [event for event in candidates if event.id not in ids]) if closest else None
    others = [event for event in kept if event.id not in ids and (nearest is None or event.id != nearest.id)]
    label = "also received" if found or nearest is not None else "received"
    noted = [*_notes(question, inbox), *notes]
    nothing = [] if everything or not closest or inbox.requests or inbox.unclaimed() else _nothing(inbox)
    return _fit(
        lambda room: [
            [head],
            noted,
            block("matching", lines_of(found, clock, room.others)),
            _closest_lines(question, nearest, clock, room) if nearest is not None else [],
            block(label, lines_of(others, clock, room.others)),
            *(refused_blocks(inbox, room) if closest else []),
            nothing,
        ]
    )


def _nothing(inbox: "Inbox") -> list[str]:
    head = [f"nothing was received with the key {inbox.key!r}."]
    if ended := of_ended(inbox.of_ended_tests()):
        return head + ended
    if not inbox.interceptions:
        head.append("Does the code under test send to fake_mparticle.url, with fake_mparticle.key and .secret (see .environ)?")
    return head + of_silence(inbox.interceptions)


def _fit(make: Callable[[Room], Iterable[Iterable[str]]]) -> str:
    """Blocks of lines, with as much of everything as a screen has room for."""
    lines: list[str] = []
    for room in ROOMS:
        lines = [plain(line, LINE + 20) for block in make(room) for line in block]
        if len(lines) <= MOST_LINES:
            break
    return "\n".join(lines)


# -- the question in words -------------------------------------------------------------------------------------------------


def describe(question: Question, *, plural: bool = False) -> str:
    """A question in words, near to how it was asked."""
    kind = {"event": "events", "batch": "batches", "request": "requests"}[question.what] if plural else question.what
    conditions = list(question.conditions)
    words = kind
    for condition in question.conditions:
        if condition.role == "type" and isinstance(condition.expected, str):
            conditions.remove(condition)
            words = f"{condition.expected} {words}"
        elif condition.role == "name" and condition.field == "name":
            conditions.remove(condition)
            words = f"{words} {_name(condition.expected)}"
    rest = [_condition(condition) for condition in conditions]
    return plain(f"{words} with {', '.join(rest)}" if rest else words, LINE - 30)


def _name(expected: Any) -> str:
    return f"named like {expected.pattern!r}" if isinstance(expected, re.Pattern) else f'"{expected}"'


def _condition(condition: Condition) -> str:
    if condition.role == "span":
        start, end = condition.expected
        return f"time from {start} to {end}"
    if condition.role == "predicate":
        return f"{shown(condition.expected)} true"
    return f"{condition.field}={shown(condition.expected)}"


def _notes(question: Question, inbox: "Inbox") -> list[str]:
    """What may have been meant otherwise."""
    events = [event for batch in inbox.all_batches() for event in batch.event_list]
    notes = []
    for condition in question.conditions:
        if meant := doubts.name_meant(condition, events):
            notes.append(f"note: {condition.expected!r} is the name of no event that came; did you mean {meant!r}?")
        if condition.role == "type" and any(condition.expected in event.names for event in events):
            wanted = condition.expected
            notes.append(f"note: {wanted!r} was taken for an event type; an event of this name came: event_name={wanted!r}")
    for name, meant in doubts.doubtful(question, events):
        notes.append(f"note: keyword {name!r} was taken for a custom attribute; {meant}")
    return notes


# -- the closest event -----------------------------------------------------------------------------------------------------


def _holds(condition: Condition, element: Any) -> bool:
    try:
        return condition.holds(element)
    except ConditionError:
        return False


def _holds_all(question: Question, element: Any) -> bool:
    return all(_holds(condition, element) for condition in question.conditions)


_NAMES: Final = ("name", "type")
"""Roles of conditions that say what an event is."""


def _closest(question: Question, candidates: Sequence[Any]) -> Any:
    """The event that fails least, the newest among equals; None if there is none with anything in common.

    Where a name is asked for, that the user is the same is nothing in common.
    """
    has_name = any(condition.role in _NAMES for condition in question.conditions)
    best, least = None, float("inf")
    likeness: dict[tuple[str, str], float] = {}
    for element in candidates:
        distance = 0.01 if element.verdict == "rejected" else 0.0
        related = not question.conditions
        for condition in question.conditions:
            is_name = condition.role in _NAMES
            if _holds(condition, element):
                related = related or is_name or condition.field not in matching.IDENTITY_TYPES or not has_name
                continue
            got = condition.read(element)
            like = _likeness(condition.expected, got, likeness)
            related = related or (like >= 0.6 if is_name else got is not None and not has_name and condition.role != "predicate")
            distance += condition.weight * (1.0 if got in (None, {}) else 0.9 - like * 0.4)
        if related and distance <= least:
            best, least = element, distance
    return best


def _likeness(expected: Any, got: Any, known: dict[tuple[str, str], float]) -> float:
    """How much two texts resemble each other, 0 to 1."""
    if isinstance(got, tuple):
        return max((_likeness(expected, name, known) for name in got), default=0.0)
    if not isinstance(expected, str) or not isinstance(got, str):
        return 0.0
    pair = (expected, got[:200])
    if pair not in known:
        known[pair] = SequenceMatcher(None, expected[:200].lower(), got[:200].lower()).ratio()
    return known[pair]


def _closest_lines(question: Question, nearest: Event, clock: Clock, room: Room) -> list[str]:
    failing = [condition for condition in question.conditions if not _holds(condition, nearest)]
    alike = [condition.field for condition in question.conditions if condition not in failing]
    rejected = nearest.verdict == "rejected"
    lines = [f"closest: {clock(nearest)}  {line_of(nearest)}{', rejected' if rejected else ''}"]
    if failing:
        lines += columns([row for condition in failing for row in _rows(condition, nearest)], most=room.rows)
        if alike:
            lines.append(f"    alike: {', '.join(alike)}")
    elif rejected:
        lines.append("    it matches, but what is rejected does not count as received; see below why it was")
    else:
        lines.append("    it matches, but was not received in time")
    found = [finding for finding in nearest.findings if finding.severity != "note"]
    if found and not rejected:
        lines += [f"    {line}" for finding in found[: room.findings] for line in finding_lines(finding)]
    return lines


def _table(question: Question, candidates: Iterable[Any], inbox: "Inbox", room: Room) -> list[str]:
    """The closest batch or request."""
    nearest = _closest_of(question, list(candidates))
    if nearest is None:
        return []
    failing = [condition for condition in question.conditions if not _holds(condition, nearest)]
    rows = [row for condition in failing for row in _rows(condition, nearest)]
    return [f"closest: {clock_of(inbox)(nearest)}  {line_of(nearest)}", *columns(rows, most=room.rows)]


def _closest_of(question: Question, candidates: list[Any]) -> Any:
    def failing(element: Any) -> int:
        return sum(not _holds(condition, element) for condition in question.conditions)

    return min(reversed(candidates), key=failing, default=None) if question.conditions else None


def _rows(condition: Condition, element: Any) -> list[Row]:
    got = condition.read(element)
    if condition.role == "predicate":
        return [Row("", f"{shown(condition.expected)} true", _tried(condition, element))]
    if condition.role == "span":
        start, end = condition.expected
        return [Row("time", f"{start} to {end}", str(datetime.fromtimestamp(got / 1000, UTC)))]
    if isinstance(got, tuple):
        return [Row(condition.field, shown(condition.expected), " or ".join(map(shown, got)) or ABSENT)]
    rows = list(differences(condition.expected, got, condition.field))
    if got is None and isinstance(element, Event) and len(rows) == 1 and condition.field in element.custom_attributes:
        return [rows[0]._replace(received=f"{ABSENT}; a custom attribute has this name, see attributes={{…}}")]
    if got is None and condition.is_attribute and isinstance(element, Event) and len(rows) == 1:
        near = get_close_matches(condition.field, _names_in(element), 1, 0.7)
        if near:
            return [rows[0]._replace(received=f"{ABSENT}; there is {near[0]!r}")]
    return rows


def _tried(condition: Condition, element: Any) -> str:
    try:
        return str(condition.holds(element)).lower()
    except ConditionError as error:
        return f"{type(error.__cause__).__name__}: {printable(str(error.__cause__))}"


def _names_in(event: Event) -> list[str]:
    actions = (event.get("product_action"), event.get("promotion_action"))
    return [
        *event,
        *(name for action in actions if isinstance(action, dict) for name in action),
        *event.custom_attributes,
        *event.user_identities,
    ]


# -- assert left == right --------------------------------------------------------------------------------------------------


def explain_equality(left: object, right: object) -> list[str] | None:
    """Lines for pytest_assertrepr_compare, or None if neither side is something received."""
    ours = (Event, Batch, Snapshot)
    if not isinstance(left, ours) and not isinstance(right, ours):
        return None
    both = isinstance(left, ours) and isinstance(right, ours)
    received, other = (left, right) if isinstance(left, ours) else (right, left)
    titles = ("right", "left") if both else ("expected", "received")
    if isinstance(received, Snapshot):
        if not isinstance(other, Snapshot | list | tuple):
            return [_headline(left, right), _unlike(received, other)]
        rows = _rows_of_lists(list(received), list(other))
        count = (
            [f"{counted(len(received), received.WHAT, received.plural())}, expected {len(other)}"]
            if len(received) != len(other)
            else []
        )
        return [_headline(left, right), *count, *columns(rows, titles, 2)]
    if not isinstance(other, Mapping):
        return [_headline(left, right), _unlike(received, other)]
    return [_headline(left, right), *columns(list(differences(*_sides(received, other), "", whole=True)), titles, 2)]


def _headline(left: object, right: object) -> str:
    return f"{plain(_brief(left), 60)} == {plain(_brief(right), 60)}"


def _brief(value: object) -> str:
    return f"<{counted(len(value), value.WHAT, value.plural())}>" if isinstance(value, Snapshot) else safe_repr(value)


def _unlike(received: Any, other: object) -> str:
    what = (
        f"a list of {received.plural()}"
        if isinstance(received, Snapshot)
        else f"an {type(received).__name__}".replace("an B", "a B")
    )
    valid = "a list" if isinstance(received, Snapshot) else "a dictionary"
    return f"  {what} never equals {printable(safe_repr(other)):.60} ({type(other).__name__}); compare it with {valid}"


def _sides(received: Any, other: Any) -> tuple[Any, Any]:
    """What was expected and what was received, both as dictionaries."""
    if isinstance(other, Event | Batch):
        return other.as_dict(), received.as_dict()
    whole = isinstance(received, Batch) or "event_type" in other
    return other, received.as_dict() if whole else dict(received)


def _rows_of_lists(received: list[Any], expected: list[Any]) -> list[Row]:
    rows: list[Row] = []
    for index, (got, wanted) in enumerate(zip(received, expected, strict=False)):
        if got == wanted:
            continue
        if isinstance(got, Mapping) and isinstance(wanted, Mapping):
            rows += differences(*_sides(got, wanted), f"[{index}]", whole=True)
        else:
            rows.append(Row(f"[{index}]", shown(wanted), shown(got)))
    rows += [Row(f"[{index}]", shown(expected[index]), ABSENT) for index in range(len(received), len(expected))]
    rows += [Row(f"[{index}]", ABSENT, line_of(received[index])) for index in range(len(expected), len(received))]
    return rows
