"""Words for messages: text that can be printed whatever was sent, counts, and what somebody meant; for the plugin too."""

import difflib
from collections.abc import Iterable


def printable(text: str) -> str:
    """A text on one line: what a terminal would act upon, or could not show, is escaped."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def plain(text: object, most: int = 120) -> str:
    """Text in one line of at most `most` characters, control characters as escapes."""
    shown = printable(str(text)[: most + 1])
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def counted(count: int, one: str, many: str | None = None) -> str:
    """A number and the word for what is counted."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def nearest(text: object, valid: Iterable[str], likeness: float = 0.5) -> str | None:
    """The one of the valid words that `text` resembles most, if it does so by `likeness` (0 to 1)."""
    near = difflib.get_close_matches(str(text)[:100], list(valid), 1, likeness)
    return near[0] if near else None


def did_you_mean(text: object, valid: Iterable[str], likeness: float = 0.5) -> str:
    """A sentence that names that word, with a blank before it, or nothing."""
    near = nearest(text, valid, likeness)
    return f" Did you mean {printable(near)}?" if near is not None else ""
