"""Personal data where it does not belong: e-mail addresses and payment card numbers in names and attributes."""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from .commerce import products
from .found import Found, Path, shown

_EMAIL: Final = re.compile(r"[\w.%+-]@(?![1-9]x\.)(?:[^\W_][\w-]{0,62}\.){1,8}[^\W\d_]{2,24}")
"""The end of an address: all that is needed to tell one, and linear. Not `icon@2x.png`."""

_CARD: Final = re.compile(
    r"(?<![0-9A-Za-z.])(?:"
    r"[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?:\1[0-9]{3})?"  # as printed on most cards
    r"|[0-9]{4}([ -])[0-9]{6}\2[0-9]{4,5}"  # American Express and Diners Club
    r"|[0-9]{13,19}"
    r")(?![0-9A-Za-z])"
)

_PATH: Final = re.compile(r":[^\s:@]*/")
"""What follows the host in `git@example.com:team/project`, and not an e-mail address."""

_EMAIL_HINT: Final = "A user's address belongs in user_identities.email; one that is no user's, such as your support's, may stay."

_ISSUERS: Final = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15})"  # Visa; those of 19 digits are rare, and mParticle's own 64-bit ids look like them
    r"|(?:5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}"  # Mastercard
    r"|3[47][0-9]{13}"  # American Express
    r"|(?:6011|65[0-9]{2}|64[4-9][0-9])[0-9]{12}"  # Discover
    r"|(?:36|38|30[0-5])[0-9]{11,12}"  # Diners Club
    r"|35(?:2[89]|[3-8][0-9])[0-9]{12}"  # JCB
    r"|62[0-9]{14,17}"  # UnionPay
    r"|(?:5018|5020|5038|5893|6304|6759|676[1-3])[0-9]{9,15}"  # Maestro
)
"""How card numbers begin, and how long they then are: most ids and no time in milliseconds pass this."""

_MAYBE_CARD: Final = re.compile(rb"[2-6](?:[ -]?[0-9]){12}")
_DIGITS: Final = bytes(48 if 48 <= byte <= 57 else 32 for byte in range(256))
_VALUES: Final = bytes(byte - 48 if 48 <= byte <= 57 else 0 for byte in range(256))
_DOUBLED: Final = bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)).ljust(256, b"\0")
"""Digits, and the sums of the digits of their doubles, as the check digit of a card counts them."""

_MANY_DIGITS: Final = b"0" * 13
_AT: Final = ord("@")
_encode: Final = msgspec.json.Encoder().encode


def may_hold_personal_data(values: list[Any]) -> bool:
    """Whether it is worth looking into `values`, of any JSON type: a few passes in C over their JSON."""
    try:
        text = _encode(values)
    except (OverflowError, RecursionError, ValueError, TypeError):
        # An integer beyond 64 bits, nesting without end, half of a surrogate pair: let the careful search decide.
        return True
    if _AT in text:
        return True
    return text.translate(_DIGITS, b" -").find(_MANY_DIGITS) >= 0 and _MAYBE_CARD.search(text) is not None


def check_personal(batch: dict[str, Any], found: Found) -> None:
    """Add a note for each name and attribute that holds an e-mail address or a card number."""
    for path, name, value in _places(batch):
        if not found.room("personal_data"):
            return
        # A name and its value share a pointer, and are told once.
        kind = _personal(name)
        if kind is not None:
            said = f"has what looks like {kind} in its name; expected names that say what happened, not to whom."
            found.add("personal_data", path, said, "Take it out of the name.")
            continue
        for inner, one in _values(value):
            kind = _personal(one)
            if kind is not None:
                hint = _EMAIL_HINT if "mail" in kind else "If it is one, do not send it at all."
                found.add("personal_data", path + inner, f"holds what looks like {kind}.", hint)
                break


def _places(batch: dict[str, Any]) -> Iterator[tuple[Path, str | None, Any]]:
    """Path, name and value of all that is looked at; the name is None where the developer did not choose it.

    Left out are user attributes that mParticle reserves for personal data (`$mobile`), identities and custom flags.
    """
    attributes = batch.get("user_attributes")
    if isinstance(attributes, dict):
        yield from ((("user_attributes", name), name, value) for name, value in attributes.items() if not name.startswith("$"))
    events = batch.get("events")
    for index, event in enumerate(events) if isinstance(events, list) else ():
        data = event.get("data") if isinstance(event, dict) else None
        if not isinstance(data, dict):
            continue
        path = ("events", index, "data")
        for member in ("event_name", "screen_name"):
            if member in data:
                yield (*path, member), None, data[member]
        yield from _attributes(path, data)
        if event.get("event_type") == "user_attribute_change":
            yield from _change(path, data)
        elif event.get("event_type") == "commerce_event":
            for at, product in products(data):
                yield from _attributes(path + at, product)


def _attributes(path: Path, node: dict[str, Any]) -> Iterator[tuple[Path, str, Any]]:
    attributes = node.get("custom_attributes")
    if isinstance(attributes, dict):
        yield from (((*path, "custom_attributes", name), name, value) for name, value in attributes.items())


def _change(path: Path, data: dict[str, Any]) -> Iterator[tuple[Path, None, Any]]:
    name = data.get("user_attribute_name")
    if not (isinstance(name, str) and name.startswith("$")):
        yield from (((*path, member), None, data.get(member)) for member in ("user_attribute_name", "new", "old"))


def _values(value: Any) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, list):
        yield from (((index,), entry) for index, entry in enumerate(value))
    else:
        yield (), value


def _personal(value: Any) -> str | None:
    """What personal data a text or integer holds, in words that do not spread it further."""
    if isinstance(value, str):
        text = value
    elif isinstance(value, int) and 10**12 <= value < 10**19:
        text = str(value)
    else:
        return None
    for email in _EMAIL.finditer(text) if "@" in text else ():
        if not _is_remote(text, email):
            # Of what stands before the @ nothing is shown: it may be one letter.
            return f"an e-mail address (…@{shown(email[0].partition('@')[2])})"
    for candidate in _CARD.finditer(text) if len(text) >= 13 else ():
        digits = candidate[0].replace(" ", "").replace("-", "")
        if _ISSUERS.fullmatch(digits) and _luhn(digits) and not _is_article_number(digits):
            return f"a payment card number ({len(digits)} digits, ending in {digits[-4:]})"
    return None


def _is_remote(text: str, email: re.Match[str]) -> bool:
    """Whether it is a user at a host, as Git names repositories."""
    if _PATH.match(text, email.end()):
        return True
    before = text[max(0, email.start() - 3) : email.start() + 1]
    return before == "git" or (before.endswith("git") and not before[0].isalnum())


def _luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1)."""
    values = digits.encode().translate(_VALUES)
    return (sum(values[-1::-2]) + sum(values[-2::-2].translate(_DOUBLED))) % 10 == 0


def _is_article_number(digits: str) -> bool:
    # 13 digits that begin with a 4 are an old Visa number or the bar code of a German product (EAN-13).
    return len(digits) == 13 and (sum(map(int, digits[::2])) + 3 * sum(map(int, digits[1::2]))) % 10 == 0
