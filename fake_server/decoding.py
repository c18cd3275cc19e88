"""From the bytes of a body to a JSON value: decompression, charset, JSON. Called on receipt, and again whenever a record is read.

What cannot be read gives findings, never an exception. The result depends on the bytes and the two headers alone, so that a
record reads today as it read on receipt.
"""

import codecs
import re
import zlib
from typing import Any, Final

import msgspec

from .checks.finding import Finding, make

MAX_DEPTH: Final = 64
"""Levels of arrays and objects; the deepest documented batch in a bulk request has 12."""

_parse = msgspec.json.Decoder().decode

_CHARSETS: Final = {
    # An allow-list: Python knows codecs that decompress or run in quadratic time.
    "utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "ascii", "iso8859-1", "iso8859-15", "cp1252",
}  # fmt: skip
_CHARSET = re.compile(rb"charset\s*=\s*\"?([^\s;\"]*)", re.IGNORECASE)
_LONG_NUMBER = re.compile(rb"\d{19}")
_NOT_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_ESCAPE = re.compile(
    rb"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u([dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


class Decoded(msgspec.Struct):
    """A body that was read, or not: `value` is only meaningful if `readable`; `text` is its JSON as UTF-8 bytes."""

    value: Any
    text: bytes
    findings: list[Finding]
    readable: bool


def decode(body: bytes, content_encoding: bytes | None, content_type: bytes | None, max_body: int) -> Decoded:
    """Read a body. `max_body` in bytes bounds what decompression may give."""
    findings: list[Finding] = []
    if content_encoding:
        unpacked = _decompress(body, content_encoding, max_body)
        if isinstance(unpacked, Finding):
            return Decoded(None, b"", [unpacked], False)
        body = unpacked
    charset = _CHARSET.search(content_type) if content_type else None
    if charset or body[:1] in (b"\xef", b"\xff", b"\xfe"):
        transcoded = _to_utf8(body, charset[1].decode("latin-1") if charset else "utf-8")
        if isinstance(transcoded, Finding):
            return Decoded(None, body, [transcoded], False)
        body = transcoded
    if _too_deep(body):
        return Decoded(
            None, body, [make("json_too_deep", f"The body nests arrays and objects more than {MAX_DEPTH} levels deep.")], False
        )
    try:
        value = _parse(body)
    except UnicodeDecodeError:
        return Decoded(None, body, [_not_utf8(body)], False)
    except msgspec.ValidationError as error:
        return Decoded(None, body, [_out_of_range(body, error)], False)
    except msgspec.DecodeError as error:
        repaired, count = _replace_lone_surrogates(body)
        if not count:
            return Decoded(None, body, [_not_json(body, str(error))], False)
        again = decode(repaired, None, None, max_body)
        again.findings.insert(
            0,
            make(
                "lone_surrogate",
                f"{count} escaped half surrogate(s) stand alone in strings; each was read as U+FFFD (\N{REPLACEMENT CHARACTER}).",
                hint="Cut text between characters, not between UTF-16 code units.",
            ),
        )
        return again
    if _LONG_NUMBER.search(body):
        findings.extend(_wide_integers(value))
    return Decoded(value, body, findings, True)


# -- decompression ---------------------------------------------------------------------------------------------------------


def _decompress(body: bytes, content_encoding: bytes, max_body: int) -> bytes | Finding:
    names = [name.strip().lower() for name in content_encoding.decode("latin-1").split(",")]
    if len(names) > 4:
        return make("content_encoding_unknown", f"Content-Encoding lists {len(names)} encodings; at most 4 are undone here.")
    for name in reversed(names):
        if name in ("identity", ""):
            continue
        if name in ("gzip", "x-gzip"):
            unpacked = _inflate(body, 31, max_body)
        elif name == "deflate":
            # RFC 9110 means a zlib stream; many clients send the bare deflate stream.
            zlib_header = len(body) > 1 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
            unpacked = _inflate(body, 15 if zlib_header else -15, max_body)
        else:
            return make(
                "content_encoding_unknown",
                f"Content-Encoding is {name[:40]!r}; expected gzip, deflate or identity.",
                hint="Send the body uncompressed or with gzip.",
            )
        if isinstance(unpacked, str):
            return make(
                "compression_broken",
                f"Content-Encoding says {name}, but the body of {len(body)} bytes {unpacked}.",
                hint="Compress the whole body once, or leave the header out.",
            )
        if len(unpacked) > max_body:
            return make(
                "body_too_large",
                f"The body of {len(body)} bytes decompresses to more than {max_body} bytes.",
                hint="mParticle takes 256 KB a request; split it. The fake's own bound is --max-body.",
            )
        body = unpacked
    return body


def _inflate(body: bytes, window_bits: int, max_body: int) -> bytes | str:
    """The decompressed bytes, at most one more than `max_body`; or what is wrong, to follow the words "the body"."""
    if not body:
        return "is empty"
    parts: list[bytes] = []
    size = 0
    rest = body
    while rest:
        inflater = zlib.decompressobj(window_bits)
        try:
            part = inflater.decompress(rest, max_body + 1 - size)
        except zlib.error as error:
            return f"cannot be decompressed ({str(error).removeprefix('Error -3 while decompressing data: ')})"
        parts.append(part)
        size += len(part)
        if size > max_body:
            break
        if not inflater.eof:
            return "ends before the compressed stream does"
        # A gzip file may have several members; each makes progress, so this ends.
        rest = inflater.unused_data if window_bits == 31 else b""
    return b"".join(parts)


# -- charset ---------------------------------------------------------------------------------------------------------------


def _to_utf8(body: bytes, charset: str) -> bytes | Finding:
    try:
        name = codecs.lookup(charset or "utf-8").name
    except (LookupError, ValueError):
        name = ""
    if name not in _CHARSETS:
        return make(
            "charset_unknown",
            f"Content-Type says charset {charset[:40]!r}, which is not read here.",
            hint="Send JSON as UTF-8; 'Content-Type: application/json' needs no charset.",
        )
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and name == "utf-8":
        name = "utf-16"
    if name == "utf-8":
        return body.removeprefix(codecs.BOM_UTF8)
    try:
        return body.decode(name).removeprefix("\ufeff").encode()
    except UnicodeError as error:
        return make("encoding_broken", f"The body is not text in {name}: {_reason(error)}.")


def _reason(error: UnicodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"byte 0x{error.object[error.start]:02x} at byte {error.start} ({error.reason})"
    return str(error)


def _not_utf8(body: bytes) -> Finding:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return make(
            "encoding_broken",
            f"The body is not UTF-8: {_reason(error)}, near {_near(body, error.start)}.",
            hint="Encode the body as UTF-8, or name its charset in Content-Type.",
        )
    return make("encoding_broken", "The body has an escape that is no text.")


# -- JSON ------------------------------------------------------------------------------------------------------------------


def _too_deep(text: bytes) -> bool:
    if text.count(b"[") + text.count(b"{") <= MAX_DEPTH:
        return False
    # Brackets inside strings count too, at first: that can only be too many.
    if _deepest(text.translate(None, _NOT_BRACKETS)) <= MAX_DEPTH:
        return False
    return _deepest(b"".join(token[0] for token in _TOKEN.finditer(text) if token[0][0] != 0x22)) > MAX_DEPTH


def _deepest(brackets: bytes) -> int:
    depth = deepest = 0
    for bracket in brackets:
        if bracket in b"[{":
            depth += 1
            if depth > deepest:
                deepest = depth
        elif depth:
            depth -= 1
    return deepest


def _replace_lone_surrogates(text: bytes) -> tuple[bytes, int]:
    count = 0

    def replace(match: re.Match[bytes]) -> bytes:
        nonlocal count
        if match[3] is None:
            return match[0]
        count += 1
        return b"\\ufffd"

    return _ESCAPE.sub(replace, text), count


def _out_of_range(text: bytes, error: msgspec.ValidationError) -> Finding:
    longest = max(re.findall(rb"-?\d[\d.eE+-]*", text), key=lambda number: (len(number), number), default=b"")
    return make(
        "number_out_of_range",
        f"A number cannot be held by a JSON reader ({error}); the longest one begins {_near(longest, 0)}.",
        hint="Integers have 64 bits, other numbers the range of a double (up to 1.8e308).",
    )


def _wide_integers(value: Any) -> list[Finding]:
    """A finding for each integer beyond 64 bits, at most 20; the pointers are into the whole body."""
    findings: list[Finding] = []
    todo: list[tuple[str, Any]] = [("", value)]
    while todo and len(findings) < 20:
        pointer, node = todo.pop()
        if isinstance(node, dict):
            todo.extend((f"{pointer}/{_escape(name)}", member) for name, member in reversed(node.items()))
        elif isinstance(node, list):
            todo.extend((f"{pointer}/{index}", node[index]) for index in range(len(node) - 1, -1, -1))
        elif isinstance(node, int) and not -(2**63) <= node < 2**64:
            digits = str(node)
            shown = digits if len(digits) <= 24 else f"{digits[:20]}… ({len(digits)} digits)"
            findings.append(
                make(
                    "integer_beyond_64_bits",
                    f"The integer {shown} does not fit into 64 bits.",
                    raw_pointer=pointer,
                    hint="Send ids of this size as strings.",
                )
            )
    return findings


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _not_json(text: bytes, error: str) -> Finding:
    if not text.strip():
        return make(
            "json_broken",
            f"The body is empty ({len(text)} bytes); expected a JSON document.",
            hint='The official Python SDK sends an empty body for Batch() and []; the smallest batch is {"environment": "development"}.',
        )
    if text[:2] == b"\x1f\x8b":
        return make("json_broken", "The body is gzip, but no header says so.", hint="Add the header 'Content-Encoding: gzip'.")
    found = re.search(r"\(byte (\d+)\)", error)
    at = min(int(found[1]), len(text)) if found else len(text)
    reason = "it ends too early" if not found else error.split(": ", 1)[-1].split(" (byte", 1)[0]
    line = text.count(b"\n", 0, at) + 1
    column = at - (text.rfind(b"\n", 0, at) + 1) + 1
    return make(
        "json_broken",
        f"The body is not JSON: {reason} at line {line}, column {column}, near {_near(text, at)}.",
        hint=_json_hint(text, at),
    )


def _json_hint(text: bytes, at: int) -> str | None:
    rest = text[at : at + 12]
    before = text[max(0, at - 12) : at].rstrip()
    if re.match(rb"-?(NaN|Infinity)", rest) or before.endswith(b"-") and rest.startswith(b"I"):
        return "NaN and Infinity are no JSON; send null or leave the member out."
    if rest[:1] == b"'":
        return "JSON strings take double quotes."
    if re.match(rb"True|False|None", rest):
        return "This is Python's notation; serialise with json.dumps()."
    if rest.startswith(b"undefined"):
        return "undefined is no JSON; leave the member out."
    if rest[:1] in (b"}", b"]") and before.endswith(b","):
        return "Remove the comma before the closing bracket."
    if at == 0 and re.match(rb"[\w.%+-]+=", text):
        return "This looks like form data; send the batch as JSON."
    if at >= len(text):
        return "The document is cut off: compare Content-Length with what the client meant to send."
    return None


def _near(text: bytes, at: int) -> str:
    shown = text[max(0, at - 20) : at + 20].decode("utf-8", "replace")
    return repr(("…" if at > 20 else "") + shown + ("…" if at + 20 < len(text) else ""))
