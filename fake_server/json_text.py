"""Where a text is not JSON, and why: slow and exact, for bodies that the parser refused in a word. Called by `decoding.py`."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

import msgspec

from .checks.finding import Finding, make

_parse = msgspec.json.Decoder().decode

Path = list[str | int | None]
"""The way to a value: names and indexes; None stands for a member whose name is still to come."""

MOST_CHARACTERS: Final = 1000
"""Of a pointer. A member name may be as long as the body."""

MOST_LEXEMES: Final = 100_000
"""Names, texts, numbers and words that are gone through to tell the path to a fault; of one behind them its byte is told."""

_BYTE: Final = re.compile(r"\(byte ([0-9]+)\)")
"""The place in an error of the parser; without one the text ends too early."""

_FEW_DIGITS: Final = 200
"""A number of fewer characters, and without an exponent, can be held."""

_HOLDABLE: Final = "expected 64 bits at most for an integer, 1.8e308 at most for any other number"
_DIGITS_HINT: Final = "Send digits that are an id as a string."

# What may come next; the words are shown.
_VALUE: Final = "a value"
_ITEM: Final = "a value or ]"
_NAME: Final = "a member name in double quotes"
_FIRST_NAME: Final = "a member name in double quotes, or }"
_COLON: Final = "a colon"
_AFTER_MEMBER: Final = "a comma or }"
_AFTER_ITEM: Final = "a comma or ]"
_END: Final = "the end of the document"
_IN_STRING: Final = "the rest of a string, and its closing quote"
_ESCAPED: Final = r"one of the escapes \" \\ \/ \b \f \n \r \t \uXXXX"
_NO_CONTROL: Final = r"an escape such as \n instead of a control character"


class Origin(Protocol):
    """Where a text begins in a file, line and column from 1; a text without origin is the body of a request."""

    @property
    def line(self) -> int:
        """The line of its first byte."""

    @property
    def column(self) -> int:
        """The column of its first byte, in characters."""


def explain(text: bytes, error: Exception, origin: Origin | None) -> tuple[Finding, int | None]:
    """What is wrong with a text that the parser refused with `error`, and the byte at which that shows."""
    what = called(origin)
    if not text.strip():
        empty = make(
            "json_broken",
            f"{what} is empty ({len(text)} bytes); expected a JSON document.",
            hint="The official Python SDK sends an empty body for Batch() and []; "
            'the smallest batch is {"environment": "development"}.',
        )
        return empty, None
    if text[:2] == b"\x1f\x8b":
        compressed = make(
            "json_broken",
            f"{what} is a gzip stream, but no header says so; expected a JSON document.",
            hint="Add the header 'Content-Encoding: gzip'.",
        )
        return compressed, None
    try:
        text.decode()
    except UnicodeDecodeError as bad:
        broken = make(
            "encoding_broken",
            f"{what} is not UTF-8: got byte 0x{text[bad.start]:02x} ({bad.reason}) at {place(text, bad.start, origin)}; "
            f"expected JSON in UTF-8; near {_near(text, bad.start)}.",
            hint=f"Encode {'the body' if origin is None else 'it'} as UTF-8"
            + (", or name its charset in Content-Type." if origin is None else "."),
        )
        return broken, bad.start
    for count, lexeme in enumerate(scan(text)):
        if count == MOST_LEXEMES:
            break
        if lexeme.kind == "fault":
            return fault_at(text, lexeme.start, lexeme.expected, lexeme.path, origin), lexeme.start
        number = text[lexeme.start : lexeme.end]
        if lexeme.kind == "plain" and _is_out_of_range(number):
            at = place(text, lexeme.start, origin)
            too_large = make(
                "number_out_of_range",
                f"The number {shorten(number.decode())} at {at}{_inside(lexeme.path)} cannot be held; {_HOLDABLE}.",
                raw_pointer=pointer(lexeme.path),
                hint=_DIGITS_HINT,
            )
            return too_large, lexeme.start
    if isinstance(error, msgspec.ValidationError):
        return make("number_out_of_range", f"{what} has a number that cannot be held; {_HOLDABLE}.", hint=_DIGITS_HINT), None
    named = _BYTE.search(str(error))
    offset = int(named[1]) if named else len(text)
    return fault_at(text, offset, "JSON", [], origin), offset


def called(origin: Origin | None) -> str:
    """What a message calls the text."""
    return "The body" if origin is None else "The text"


def _is_out_of_range(number: bytes) -> bool:
    if len(number) < _FEW_DIGITS and b"e" not in number and b"E" not in number:
        return False
    try:
        _parse(number)
    except msgspec.ValidationError:
        return True
    return False


def fault_at(text: bytes, at: int, expected: str, path: Path, origin: Origin | None) -> Finding:
    """That at a byte of a text there is not what is expected; `path` leads there."""
    return make(
        "json_broken",
        f"{called(origin)} is not JSON: {_got(text, at)} at {place(text, at, origin)}{_inside(path)}; "
        f"expected {expected}; near {_near(text, at)}.",
        hint=_json_hint(text, at, expected, origin),
    )


_WORD = re.compile(rb"[+-]?[A-Za-z_$][\w$]*")


def _got(text: bytes, at: int) -> str:
    if at >= len(text):
        return "it ends"
    word = _WORD.match(text, at)
    if word:
        return f"got {word[0][:40].decode()}"
    character = text[at : at + 4].decode("utf-8", "ignore")[:1]
    if not character.isprintable():
        return f"got the character U+{ord(character):04X}"
    return f'got "{character}"' if character == "'" else f"got '{character}'"


def _json_hint(text: bytes, at: int, expected: str, origin: Origin | None) -> str | None:
    if b"\0" in text[:4]:
        return "This looks like UTF-16 or UTF-32; send UTF-8, or name the charset in Content-Type."
    if at >= len(text):
        if origin is not None:
            return "It is cut off here: was it written or copied whole?"
        return "The document is cut off: compare Content-Length with what the client meant to send."
    if origin is not None and expected == _END:
        return "Write a batch a line, or put several into an array."
    if expected in _HINTS_BY_EXPECTATION:
        return _HINTS_BY_EXPECTATION[expected]
    around = text[max(0, at - 40) : at].rstrip() + b"\0" + text[at : at + 40]
    return next((hint for pattern, hint in _HINTS if pattern.search(around)), None)


_HINTS_BY_EXPECTATION: Final = {
    _ESCAPED: "Double the backslash to send it as text.",
    _NO_CONTROL: "Serialise with a JSON library: it escapes line breaks and tabs.",
    _END: "A request carries one document; send several batches as an array to /v2/bulkevents.",
}
_HINTS: Final = [
    # What is before the fault, NUL, and what begins there.
    (re.compile(pattern), hint)
    for pattern, hint in (
        (rb"\0[+-]?(NaN|Infinity|inf|nan)\b", "NaN and Infinity are not JSON; send null or leave the member out."),
        (rb"\0'", "JSON strings take double quotes; Python's str() and repr() do not write JSON, json.dumps() does."),
        (rb"\0(True|False|None)\b", "This is Python's notation; serialise with json.dumps()."),
        (rb"\0undefined\b", "undefined is not JSON; leave the member out."),
        (rb"\0(/[/*]|#)", "JSON has no comments."),
        (rb",\0[]}]", "Remove the comma before the closing bracket."),
        (rb"\b0\0\d", "A JSON number has no zeros in front."),
        (rb"\0([.+]\d|-\.)", "A JSON number begins with a digit or a minus sign and a digit."),
        (rb"^\0[\w.%+-]+=", "This looks like form data; send the batch as JSON."),
        (rb"^\0<", "This looks like XML or HTML; send the batch as JSON."),
    )
]


# -- places ----------------------------------------------------------------------------------------------------------------


def place(text: bytes, at: int, origin: Origin | None) -> str:
    """Where a byte is, for a person: the column in characters, the byte in the text as UTF-8 without compression."""
    line = text.count(b"\n", 0, at) + 1
    column = len(text[text.rfind(b"\n", 0, at) + 1 : at].decode("utf-8", "replace")) + 1
    if origin is None:
        return f"line {line}, column {column} (byte {at})"
    return f"line {origin.line + line - 1}, column {column + (origin.column - 1 if line == 1 else 0)}"


def _inside(path: Path) -> str:
    where = pointer(path)
    return f", in {where[:200]}{'…' if len(where) > 200 else ''}" if where else ""


def _near(text: bytes, at: int) -> str:
    start, end = max(0, at - 20), min(len(text), at + 20)
    # Not through the middle of a character.
    while start > 0 and text[start] & 0xC0 == 0x80:
        start -= 1
    while end < len(text) and text[end] & 0xC0 == 0x80:
        end += 1
    shown = text[start:end].decode("utf-8", "backslashreplace")
    return repr(("…" if start > 0 else "") + shown + ("…" if end < len(text) else ""))


def pointer(path: Path) -> str:
    """The JSON pointer (RFC 6901) to the value at the end of a path, or around it: at most MOST_CHARACTERS."""
    steps: list[str] = []
    room = MOST_CHARACTERS
    for step in path:
        if step is not None:
            escaped = "/" + str(step).replace("~", "~0").replace("/", "~1")
            room -= len(escaped)
            if room < 0:
                break
            steps.append(escaped)
    return "".join(steps)


def shorten(digits: str) -> str:
    """A number as it is shown: the first digits, and how many there are."""
    return digits if len(digits) <= 24 else f"{digits[:20]}… ({len(digits)} characters)"


# -- a scanner that knows where it is, for texts that the parser refuses ------------------------------------------------------

_OPEN_STRING = rb'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+'
_LEXEME = re.compile(
    # 1: a string, 2: a number or a word, 3: anything else
    rb"[ \t\n\r]*+(?:(" + _OPEN_STRING + rb'")'
    rb"|(-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|true|false|null)"
    rb"|([\[\]{},:]))?"
)
_STRING_SO_FAR = re.compile(_OPEN_STRING)
_CUT_OFF = re.compile(rb"(?:t|tr|tru|f|fa|fal|fals|n|nu|nul|-)\Z")
_ESCAPE_CUT_OFF = re.compile(rb"\\(?:u[0-9a-fA-F]{0,3})?\Z")

# What the next lexeme does to the path, and what may follow; None means: whatever the container allows after a value.
_STEPS: Final[dict[tuple[str, bytes], tuple[str, str | None]]] = {
    **{(state, first): ("", None) for state in (_VALUE, _ITEM) for first in (b'"', b"0")},
    **{(state, b"["): ("array", _ITEM) for state in (_VALUE, _ITEM)},
    **{(state, b"{"): ("object", _FIRST_NAME) for state in (_VALUE, _ITEM)},
    **{(state, b'"'): ("name", _COLON) for state in (_NAME, _FIRST_NAME)},
    (_COLON, b":"): ("", _VALUE),
    (_AFTER_MEMBER, b","): ("member", _NAME),
    (_AFTER_ITEM, b","): ("item", _VALUE),
    (_ITEM, b"]"): ("close", None),
    (_AFTER_ITEM, b"]"): ("close", None),
    (_FIRST_NAME, b"}"): ("close", None),
    (_AFTER_MEMBER, b"}"): ("close", None),
}


class Lexeme(NamedTuple):
    """Something at the bytes from `start` to `end`; `path` leads to its value, and changes with the next lexeme.

    `kind` is `string`, `plain` (a number, true, false or null) or `fault`: there is none of what is `expected`.
    """

    kind: str
    start: int
    end: int
    path: Path
    expected: str = ""


def scan(text: bytes) -> Iterator[Lexeme]:
    """Every string (names too) and plain value of a text; last, if it is not JSON, the first place that shows it."""
    path: Path = []
    state = _VALUE
    at = 0
    match = _LEXEME.match
    while True:
        lexeme = match(text, at)
        assert lexeme is not None
        at = lexeme.end()
        kind = lexeme.lastindex
        step = _STEPS.get((state, b"0" if kind == 2 else b'"' if kind == 1 else lexeme[3]))
        if step is None:
            break
        change, following = step
        if change:
            _step_on(path, change, lexeme[1])
        if kind == 1:
            yield Lexeme("string", lexeme.start(1), at, path)
        elif kind == 2:
            yield Lexeme("plain", lexeme.start(2), at, path)
        if following is not None:
            state = following
        elif not path:
            state = _END
        else:
            state = _AFTER_ITEM if isinstance(path[-1], int) else _AFTER_MEMBER
    start = at if kind is None else lexeme.start(kind)
    if state != _END or start != len(text):
        start, expected = _in_lexeme(text, start, state) if kind is None else (start, state)
        yield Lexeme("fault", start, start, path, expected)


def _step_on(path: Path, step: str, lexeme: bytes) -> None:
    match step:
        case "array":
            path.append(0)
        case "object":
            path.append(None)
        case "name":
            path[-1] = str(_parse(lexeme))
        case "member":
            path[-1] = None
        case "item":
            index = path[-1]
            assert isinstance(index, int)
            path[-1] = index + 1
        case "close":
            path.pop()


def _in_lexeme(text: bytes, start: int, state: str) -> tuple[int, str]:
    """The place and the expectation for something that begins at `start` and is not a lexeme."""
    if state in (_VALUE, _ITEM) and _CUT_OFF.match(text, start):
        return len(text), state
    if text[start : start + 1] != b'"' or (state, b'"') not in _STEPS:
        return start, state
    so_far = _STRING_SO_FAR.match(text, start)
    assert so_far is not None
    stop = so_far.end()
    if stop == len(text) or _ESCAPE_CUT_OFF.match(text, stop):
        return len(text), _IN_STRING
    return stop, _ESCAPED if text[stop] == 0x5C else _NO_CONTROL
