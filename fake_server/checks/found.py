"""The findings of one batch while they are gathered; every check beyond the schema adds its own here."""

from typing import Any, Final

from .finding import Finding, make

MOST_OF_A_CODE: Final = 50
"""Findings of one code that a batch gets at most; a hostile body could ask for a million."""

MOST_CHARACTERS: Final = 40
"""Characters of a name or value that a message shows."""

MOST_OF_A_POINTER: Final = 4_096
"""Characters of a pointer; what lies below a longer name is told of the object that has it."""

Path = tuple[str | int, ...]
"""Names and positions from the batch to a place in it."""


class Found(list[Finding]):
    """A list of findings that takes at most MOST_OF_A_CODE of a code.

    A list, and not an object with one, because every upload makes two and hardly any is filled.
    """

    _counts: dict[str, int] | None = None

    def room(self, code: str) -> bool:
        """Whether one more finding of this code would be kept: ask before work that grows with the batch."""
        return self._counts is None or self._counts.get(code, 0) < MOST_OF_A_CODE

    def add(self, code: str, path: Path, said: str, hint: str | None = None) -> None:
        """A finding at `path`; its message is the place and what is `said` of it."""
        if self._counts is None:
            self._counts = {}
        count = self._counts.get(code, 0)
        if count < MOST_OF_A_CODE:
            self._counts[code] = count + 1
            at = pointer(path)
            self.append(make(code, f"{place(path)} {said}", pointer=at, raw_pointer=at, hint=hint))


def pointer(path: Path) -> str:
    """The JSON pointer (RFC 6901) of a path, or of as much of it as is not too long: it has to exist in the batch."""
    whole = ""
    for step in path:
        longer = f"{whole}/{step if isinstance(step, int) else step.replace('~', '~0').replace('/', '~1')}"
        if len(longer) > MOST_OF_A_POINTER:
            break
        whole = longer
    return whole


def place(path: Path) -> str:
    """A path as a developer would write it: `events[2].data.event_name`."""
    if not path:
        return "The batch"
    steps = (f"[{step}]" if isinstance(step, int) else f".{shown(step)}" for step in path)
    return "".join(steps).removeprefix(".")


def got(value: Any) -> str:
    """A value for a message."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "an array"
    return f"the text {shown(value)!r}" if isinstance(value, str) else f"the number {shown(value)}"


def shown(value: Any) -> str:
    """A text or number for a message, cut where it is long."""
    # Python refuses to write out integers of thousands of digits.
    if isinstance(value, int) and abs(value) >= 10**MOST_CHARACTERS:
        return "a number of more than 40 digits"
    text = str(value)
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"
