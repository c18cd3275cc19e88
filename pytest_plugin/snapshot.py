"""The stable form of what was received, which `Inbox.snapshot` gives to syrupy, inline-snapshot or a file."""

import re
from collections.abc import Iterable
from typing import Any, Final

from .received import Batch

IDS: Final = {
    # Members whose values are made anew in every run -> what stands there instead, with a number.
    "source_request_id": "source_request_id",
    "source_message_id": "source_message_id",
    "mpid": "mpid",
    "origin_mpid": "mpid",
    "previous_mpid": "mpid",
    "current_mpid": "mpid",
    "session_id": "session_id",
    "session_uuid": "uuid",
    "mp_deviceid": "uuid",
    "batch_id": "batch_id",
    "event_id": "event_id",
    "job_id": "job_id",
    "replay_request_id": "source_request_id",
    "replay_job_id": "job_id",
}
TIMES: Final = re.compile(r"_(unixtime|time)(_ms)?$")
DURATIONS: Final = frozenset({"session_duration_ms", "time_elapsed", "time_since_start_ms", "active_time_on_site_ms"})

_UUID: Final = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b[0-9a-f]{32}\b", re.IGNORECASE)
_MOMENT: Final = re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d:?\d\d)?(?!\w)")

DAY_MS: Final = 86_400_000


def normalised(batches: Iterable[Batch], keys: Iterable[str] = ()) -> list[dict[str, Any]]:
    """The batches as plain dictionaries that are the same in every run. `keys` are API keys of this run to be replaced."""
    names = _Names(keys)
    return [_told(batch, names) for batch in batches]


def _told(batch: Batch, names: "_Names") -> dict[str, Any]:
    told: dict[str, Any] = {"verdict": batch.verdict}
    serious = sorted(
        f"{finding.severity} {finding.code} {finding.pointer}".rstrip()
        for finding in batch.findings
        if finding.severity != "note"
    )
    if serious:
        told["findings"] = serious
    return told | {"batch": names.value("", batch.as_dict(), batch.time_ms)}


class _Names:
    """Replaces what changes from run to run; an id that comes again gets the name it had."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys = frozenset(keys)
        self._known: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def value(self, name: str, value: Any, now_ms: int) -> Any:
        """A JSON value, its members sorted; `name` is the member that has it."""
        if isinstance(value, dict):
            return {str(key): self.value(key, value[key], now_ms) for key in sorted(value, key=str)}
        if isinstance(value, list):
            return [self.value(name, item, now_ms) for item in value]
        if value is None or isinstance(value, bool):
            return value
        if name in IDS:
            return self._id(IDS[name], value)
        if isinstance(value, str):
            return self._text(value)
        if name in DURATIONS:
            return "<duration>"
        return "<time>" if _is_moment(name, value, now_ms) else value

    def _id(self, kind: str, value: Any) -> str:
        text = str(value)
        if text in self._keys:
            return "<key>"
        return self._numbered("uuid" if _UUID.fullmatch(text) else kind, text)

    def _text(self, text: str) -> str:
        if text in self._keys:
            return "<key>"
        text = _UUID.sub(lambda found: self._numbered("uuid", found.group()), text)
        return _MOMENT.sub("<time>", text)

    def _numbered(self, kind: str, text: str) -> str:
        text = text.lower()
        if text not in self._known:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._known[text] = f"<{kind} {self._counts[kind]}>"
        return self._known[text]


def _is_moment(name: str, value: float, now_ms: int) -> bool:
    """A time by its name, or by what it is: a number of ms or seconds that lies within a day of the time of receipt."""
    return bool(TIMES.search(name)) or abs(value - now_ms) < DAY_MS or abs(value * 1000 - now_ms) < DAY_MS
