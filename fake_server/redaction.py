"""How a request's head is kept: without the values that are secrets. `intake` makes it, `query` reads it."""

import re
from typing import Final

Headers = list[tuple[bytes, bytes]]
"""Names, lower-case, and values."""

_PLAIN_HEADERS: Final = frozenset(
    {b"host", b"user-agent", b"accept", b"accept-encoding", b"connection", b"content-type", b"content-length"}
)
"""Told at a glance: the headers of every request."""

_SECRET: Final = re.compile(r"auth|cookie|secret|token|passw|signature|api[-_]?key", re.IGNORECASE)
"""What the names of headers and parameters have that hold secrets."""

_SECRET_PARAMETER: Final = re.compile(
    rf"([?&;]|^)((?=[^=&;?]*?(?:{_SECRET.pattern}))[^=&;?]*+)=[^&;#]*", re.IGNORECASE
)  # fmt: skip

_CREDENTIALS: Final = re.compile(
    r"^((?:\w*\()?['\"]?)(?!sqlite:///|\.{0,2}/(?!/))(?=.*:.*@|//.*@)((?:[\w+.-]*:?/+)?).*@", re.DOTALL
)
"""Of a URL that may be quoted, up to the last @: a password may have some. The path of a file may, too."""

_END: Final = r"(?:[/?#&\s]|%2F|%3F|%23|%26)"
_QUOTE: Final = r"[\"'<>]|%22"
_END_OF_PORT: Final = rf"(?:{_END}|{_QUOTE}|[(),;]|%2C)"
_AT: Final = r"(?:@|%40)"
_COLON: Final = r"(?::|%3A)"
_USER_INFO: Final = re.compile(
    # With a colon that no port follows it is a password, which may have anything up to the last @; else what a host may have.
    # An IPv6 address has colons of its own.
    rf"({_COLON}(?:/|%2F)++)(?!\[[0-9a-f:.]*\](?:{_COLON}\d*+)?{_END_OF_PORT})"
    rf"(?:(?:(?!{_END}|{_COLON}|{_AT}).)*+{_COLON}(?!\d*+{_END_OF_PORT}).*|(?:(?!{_END}|{_QUOTE}).)*){_AT}",
    re.IGNORECASE | re.DOTALL,
)
"""User and password of a URL, also where it is percent-encoded. For a text that ends with @: so no search is longer than it."""

MOST_LINES: Final = 1_000
LONGEST_LINE: Final = 500
"""Header lines that are remembered, and how many bytes they may have: clients send the same ones with each request."""

_lines: dict[tuple[bytes, bytes], bytes] = {}


def redact(headers: Headers) -> bytes:
    """The header block as it is kept: `name: value` lines, secrets replaced; an Authorization keeps its scheme."""
    return b"\n".join([_lines.get(header) or _line(header) for header in headers])


def _line(header: tuple[bytes, bytes]) -> bytes:
    name, value = header
    line = name + b": " + (value if name in _PLAIN_HEADERS and not _may_have_user_info(value) else _without_secrets(name, value))
    if len(name) + len(value) <= LONGEST_LINE:
        if len(_lines) >= MOST_LINES:
            _lines.clear()
        _lines[name, value] = line
    return line


def _may_have_user_info(value: bytes) -> bool:
    return b"@" in value or b"%40" in value


def _without_secrets(name: bytes, value: bytes) -> bytes:
    if value and _SECRET.search(name.decode("latin-1")):
        scheme = value.partition(b" ")[0]
        return scheme + b" <redacted>" if scheme.lower() in (b"basic", b"bearer", b"digest") else b"<redacted>"
    if name == b"host":
        # Of an address without its scheme.
        _, at, host = value.rpartition(b"@")
        return b"<redacted>@" + host if at else value
    # An address may have a query.
    return redact_query(redact_url(value.decode("latin-1"))).encode("latin-1")


def redact_query(text: str) -> str:
    """A query string, or an address with one, without the values of parameters that hold secrets, and user info of URLs."""
    if "=" in text:
        text = _SECRET_PARAMETER.sub(r"\1\2=<redacted>", text)
    return "&".join(map(redact_url, text.split("&"))) if "@" in text or "%40" in text else text


def redact_url(text: str) -> str:
    """A path, or another text with a URL in it, without its user info (RFC 3986 §3.2.1), be it percent-encoded or not."""
    end = max(text.rfind("@") + 1, text.rfind("%40") + 3 if "%40" in text else 0)
    return _USER_INFO.sub(r"\1<redacted>@", text[:end]) + text[end:] if end else text


def redact_message(text: str) -> str:
    """A message without the user info of URLs in it, whose words are looked at one by one."""
    return " ".join(map(redact_url, text.split(" "))) if "@" in text or "%40" in text else text


def without_credentials(url: str) -> str:
    """For messages, what is meant as a URL, maybe quoted, without its user and password, be it one without a scheme."""
    return _CREDENTIALS.sub(r"\1\2…@", url)


def header_lines(block: bytes) -> Headers:
    """Names and values of a header block as `redact` makes it."""
    pairs = (line.partition(b": ") for line in block.split(b"\n") if line)
    return [(name, value) for name, _, value in pairs]
