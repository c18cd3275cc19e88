"""How batches and findings look on a terminal: what `serve` and `tail` print as requests arrive.

Everything that a client sent is hostile text here: control characters are shown, never obeyed.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from .items import event_names
from .words import plain

_STYLES: Final = {
    "accepted": "green",
    "altered": "yellow",
    "dropped": "yellow",
    "rejected": "red",
    "error": "red",
    "warning": "yellow",
    "note": "dim",
}
_MOST_EVENTS: Final = 4
_INDENT: Final = 13
"""Characters before what was found in a batch: as many as its time takes."""


def batch_lines(item: dict[str, Any]) -> Iterator[Text]:
    """A batch item of the inspect API: one line, and one for each finding that is more than a note."""
    batch = item["batch"]
    events = batch.get("events")
    events = events if isinstance(events, list) else []
    shown = [_event(event) for event in events[:_MOST_EVENTS]]
    if len(events) > _MOST_EVENTS:
        shown.append(f"… {len(events) - _MOST_EVENTS} more")
    yield _line(item, item["verdict"], f"{_who(batch)}  {', '.join(shown) or 'no events'}")
    yield from _findings(item["findings"])


def request_lines(item: dict[str, Any]) -> Iterator[Text]:
    """A request item without batches: one line, and its findings."""
    findings = item.get("findings", [])
    # The web SDK gets its 202 for a body too that nobody can read.
    lost = item["status"] == 202 and any(finding["severity"] == "error" for finding in findings)
    verdict = "rejected" if item["status"] >= 400 else "dropped" if lost else "accepted"
    yield _line(item, verdict, f"{item['method']} {plain(item['path'])}  no batches")
    yield from _findings(findings)


def print_lines(console: Console, lines: Iterable[Text]) -> None:
    """Print lines: on a terminal what is too long for one continues below its text, elsewhere each stays one line."""
    for line in lines:
        if not console.is_terminal or line.cell_len < console.width:
            console.print(line, soft_wrap=True)
            continue
        first = line.wrap(console, max(console.width - 1, 20))[0]
        console.print(first, soft_wrap=True)
        rest = line[len(first) :]
        rest = rest[len(rest.plain) - len(rest.plain.lstrip()) :]
        for part in rest.wrap(console, max(console.width - _INDENT - 3, 20)) if rest else ():
            console.print(Text(" " * (_INDENT + 2)).append_text(part), soft_wrap=True)


def _line(item: dict[str, Any], verdict: str, rest: str) -> Text:
    time = datetime.fromtimestamp(item["received_at_ms"] / 1000).astimezone()
    key = plain(item["key"], 40) if item["key"] is not None else "–"
    line = Text()
    line.append(f"{time:%H:%M:%S}.{item['received_at_ms'] % 1000:03} ", style="dim")
    line.append(f"{item['status']} {verdict:<8} ", style=_STYLES[verdict])
    line.append(f"{key}  ", style="cyan")
    line.append(rest, style="default")
    line.append(f"  #{item['id']}", style="dim")
    return line


def _who(batch: dict[str, Any]) -> str:
    identities = batch.get("user_identities")
    for name, value in identities.items() if isinstance(identities, dict) else ():
        if value is not None:
            return f"{plain(name, 40)}={plain(value, 60)}"
    mpid = batch.get("mpid")
    return f"mpid={plain(mpid, 24)}" if mpid is not None else "nobody"


def _event(event: Any) -> str:
    if not isinstance(event, dict):
        return plain(repr(event), 40)
    names = event_names(event)
    return f"{plain(event.get('event_type') or '?', 40)}" + (f" {plain(repr(names[0]), 60)}" if names else "")


def _findings(findings: list[dict[str, Any]]) -> Iterator[Text]:
    for finding in findings:
        if finding["severity"] == "note":
            continue
        line = Text(" " * _INDENT)
        line.append(f"{finding['severity']} ", style=_STYLES[finding["severity"]])
        line.append(f"{finding['code']}: {plain(finding['message'], 300)}", style="default")
        if finding.get("hint"):
            line.append(f" {plain(finding['hint'], 300)}", style="dim")
        if finding.get("help"):
            line.append(f" ({plain(finding['help'])})", style="dim")
        yield line
