"""Texts that can be printed, whatever was sent and whatever a test expects."""


def printable(text: str) -> str:
    """A text on one line: what a terminal would act upon, or could not show, is escaped."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def cut(text: str, most: int) -> str:
    """A text of at most `most` characters, on one line."""
    text = printable(text[: most + 1])
    return text if len(text) <= most else f"{text[: most - 1]}…"


def safe_repr(value: object) -> str:
    """The repr of a value, or that it has none: a report is not to fail for that."""
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001  # of a test's own class
        return f"<{type(value).__name__} whose repr raises {type(error).__name__}>"
