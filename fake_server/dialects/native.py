"""The Android and Apple SDKs: messages with abbreviated keys (`client-sdks.md §5, §6`). `native_keys.py` has the keys."""

from itertools import islice
from typing import Final

from .. import schemas
from ..checks.finding import Finding, make
from ..checks.found import MOST_OF_A_CODE, place, pointer
from .abbreviated import Json, Odd, Remark, number
from .native_keys import BATCH, CRASH_IMAGE, ENVIRONMENTS

REST: Final = "native"
"""The member of a batch and of an event for what the Events API has no member for, by the keys that the SDK sent it with."""

_FROM_APPLICATION: Final = {(1, "environment"): "env", **{(4, name): key for key, name in CRASH_IMAGE.items()}}
"""How deep a member lies that may come from `ai`, and its name."""


class Sent(list[Finding]):
    """What was noted of a batch, and the batch as it was sent."""

    def __init__(self, sent: dict[str, Json], notes: list[Finding]) -> None:
        super().__init__(notes)
        self._sent = sent

    def place(self, at: str) -> str:
        """The JSON pointer into what was sent, for one into the canonical batch; as far towards the place as there is a way."""
        steps = [step.replace("~1", "/").replace("~0", "~") for step in at.split("/")[1:]]
        application = self._sent.get("ai")
        key = _FROM_APPLICATION.get((len(steps), steps[-1])) if steps else None
        if type(application) is dict and key in application and not (key == "env" and "dbg" in self._sent):
            return f"/ai/{key}"
        return pointer(tuple(BATCH.back(self._sent, steps)))

    def complete(self, batch: dict[str, Json]) -> None:
        """Add what the canonical batch has no member for, as `native` of the batch and of its events."""
        rest = BATCH.rest(self._sent)
        for index, left in rest.pop("msgs", {}).items():
            batch["events"][int(index)][REST] = left
        batch[REST] = rest


def translate(batch: dict[str, Json]) -> Sent:
    """The documented names and values for those that the tables have, and notes on keys that they do not have.

    What the Events API has no member for is left out, for `Sent.complete` to add.
    """
    sent = batch.copy()
    odd: Odd = []
    made = BATCH.read(sent, odd)
    application = sent.get("ai")
    if type(application) is dict:
        _take_from(application, made)
    batch.clear()
    batch.update(made)
    return Sent(sent, _notes(sent) if odd else [])


def strip(batch: dict[str, Json]) -> None:
    """Take out what `Sent.complete` added."""
    batch.pop(REST, None)
    events = batch.get("events")
    for event in events if type(events) is list else ():
        if type(event) is dict:
            event.pop(REST, None)


def _take_from(application: dict[str, Json], made: dict[str, Json]) -> None:
    """What iOS sends in `ai`, and the Events API has elsewhere."""
    if "environment" not in made and "env" in application:
        environment = application["env"]
        made["environment"] = ENVIRONMENTS.get(environment, environment) if type(environment) is int else environment
    image = {name: application[key] for key, name in CRASH_IMAGE.items() if key in application}
    events = made.get("events")
    for event in events if image and type(events) is list else ():
        if type(event) is dict and event.get("event_type") == "crash_report":
            event["data"] |= {name: number(value) if type(value) is str else value for name, value in image.items()}


def _notes(sent: dict[str, Json]) -> list[Finding]:
    return [_note(remark) for remark in islice(BATCH.remarks(sent, (), ()), MOST_OF_A_CODE)]


def _note(remark: Remark) -> Finding:
    where = place(remark.sent)
    if len(remark.sent) == 1 and remark.sent[0] in schemas.load()[schemas.ROOT]["properties"]:
        # Nothing is made of it: whoever sent a batch of the Events API here would miss all that is in it.
        return make(
            "misplaced_member",
            f"{where} is a member of the Events API's batch; the native SDKs' endpoint takes abbreviated keys, and ignores it.",
            raw_pointer=pointer(remark.sent),
            hint="Send a batch of this form to /v2/events, with Basic authentication.",
        )
    return make("native_key_unknown", f"{where} {remark.said}", pointer=pointer(remark.place), raw_pointer=pointer(remark.sent))
