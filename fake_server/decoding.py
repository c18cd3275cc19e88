"""From the bytes of a body to a JSON value: decompression, charset, JSON. Called on receipt, and again whenever a record is read.

What cannot be read gives findings, never an exception. The result depends on the bytes and the two headers alone, so that a
record reads today as it read on receipt. All of it is linear in the size of the body, whatever that holds.
"""

import codecs
import re
import sys
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec

from .checks.duplicates import find_duplicates
from .checks.finding import Finding, make
from .checks.found import place as place_in
from .json_text import Origin, Path, called, explain, place, pointer, scan, shorten

MAX_DEPTH: Final = 64
"""Levels of arrays and objects; the deepest documented batch in a bulk request has 12."""

MOST_OF_A_CODE: Final = 50
"""Places that are told of one kind of fault; one more finding, on the whole body, counts the rest."""

MOST_ENCODINGS: Final = 4
"""Names in Content-Encoding."""

MOST_MEMBERS: Final = 100
"""Members of a gzip stream. Each costs a new inflater and a copy of what follows; blocked gzip (64 KB a member) stays below."""

_GZIP: Final = zlib.MAX_WBITS | 16

_parse = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_pack = msgspec.msgpack.Encoder().encode

_OPENING: Final = (0x7B, 0x5B)  # { and [
_BACKSLASH: Final = 0x5C
_COLONS: Final = (b"u003a", b"u003A")
_FEW_ESCAPES: Final = 16
"""So many are looked at one by one, in less time than a search for colons among them takes."""

_NOT_BRACKETS_OR_QUOTES: Final = bytes(byte for byte in range(256) if byte not in b'[]{}"')


class Decoded(msgspec.Struct):
    """A body that was read, or not: `value` is only meaningful if `readable`; `text` is its JSON as UTF-8 bytes.

    `offsets` are the bytes of `text` at which the findings are, in their order; without any, or where there is None, a pointer
    or nothing tells the place.
    """

    value: Any
    text: bytes
    findings: list[Finding]
    readable: bool
    offsets: Sequence[int | None] = ()


def decode(
    body: bytes, content_encoding: bytes | None, content_type: bytes | None, max_body: int, origin: Origin | None = None
) -> Decoded:
    """Read a body, or a text of a file if it has an `origin`. `max_body` in bytes bounds what decompression may give.

    Of two members with one name in an object the last counts, as in the parsers of most languages (RFC 8259 §4); a finding
    says so.
    """
    if content_encoding:
        unpacked = decompress(body, content_encoding, max_body)
        if isinstance(unpacked, Finding):
            return Decoded(None, b"", [unpacked], False)
        body = unpacked
    charset = _charset(content_type) if content_type and b"=" in content_type else "utf-8"
    if charset != "utf-8" or not body or body[0] not in _OPENING:
        transcoded = _to_utf8(body, charset)
        if isinstance(transcoded, Finding):
            return Decoded(None, body, [transcoded], False)
        body = transcoded
    # Each object around another value has a colon: of few colons and brackets, no depth can come.
    colons, lists = body.count(b":"), body.count(b"[")
    if colons + lists >= MAX_DEPTH and lists + body.count(b"{") > MAX_DEPTH and not _is_shallow(body):
        deep = _find_too_deep(body)
        if deep is not None:
            return Decoded(None, body, [_too_deep(body, deep, origin)], False, [deep])
    try:
        value = _parse(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _explain(body, error, origin)
    # Two quick ways to see that nothing was lost, which it hardly ever is: MessagePack has no integers beyond 64 bits, and what
    # is written anew has as many colons as the text, escaped ones too, unless of two members with one name only one is left.
    try:
        _pack(value)
    except OverflowError:
        return Decoded(value, body, _lost(value, body), True)
    if _encode(value).count(b":") != colons + (_escaped_colons(body) if _BACKSLASH in body else 0):
        return Decoded(value, body, find_duplicates(body), True)
    return Decoded(value, body, [], True)


def _lost(value: Any, text: bytes) -> list[Finding]:
    """What of a text is not in the value that was read from it, or not to be held by others."""
    named_twice = _encode(value).count(b":") != text.count(b":") + _escaped_colons(text)
    return [*_wide_integers(value), *(find_duplicates(text) if named_twice else ())]


def _escaped_colons(text: bytes) -> int:
    """How many colons a JSON text writes as escapes."""
    count = 0
    at = text.find(_BACKSLASH)
    for _ in range(_FEW_ESCAPES):
        if at < 0:
            return count
        count += text[at + 1 : at + 6] in _COLONS
        at = text.find(_BACKSLASH, at + 2)
    if b"\\u003" in text:
        text = text.replace(b"\\\\", b"")
        return sum(text.count(b"\\" + colon) for colon in _COLONS)
    return 0


# -- decompression ---------------------------------------------------------------------------------------------------------


def decompress(body: bytes, content_encoding: bytes, max_body: int) -> bytes | Finding:
    """A body without its Content-Encoding, or why it cannot be read; `max_body` in bytes bounds what it may become."""
    names = [name.strip().lower() for name in content_encoding.decode("latin-1").split(",")]
    if len(names) > MOST_ENCODINGS:
        return make(
            "content_encoding_unknown",
            f"Content-Encoding lists {len(names)} encodings; expected one, at most {MOST_ENCODINGS} are undone here.",
            hint="Compress the body once, with gzip.",
        )
    for name in reversed(names):
        if name in ("identity", ""):
            continue
        if name in ("gzip", "x-gzip"):
            unpacked = _inflate_all(body, _GZIP, max_body)
        elif name == "deflate":
            # RFC 9110 means a zlib stream; many clients send the bare deflate stream.
            unpacked = _inflate_all(body, zlib.MAX_WBITS if _is_zlib(body) else -zlib.MAX_WBITS, max_body)
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
                hint=_compression_hint(body),
            )
        if len(unpacked) > max_body:
            return make(
                "body_too_large",
                f"The body of {len(body)} bytes decompresses to more than {max_body} bytes.",
                hint="mParticle takes 256 KB a request; split it. The fake's own bound is --max-body.",
            )
        body = unpacked
    return body


def _is_zlib(body: bytes) -> bool:
    return len(body) > 1 and body[0] & 0x0F == zlib.DEFLATED and (body[0] << 8 | body[1]) % 31 == 0


def _compression_hint(body: bytes) -> str:
    if not body:
        return "Leave the header out where there is no body."
    if body.lstrip()[:1] in (b"{", b"["):
        return "The body looks like plain JSON: leave the header out, or compress the body."
    if body[:2] == b"\x1f\x8b":
        return "Send a gzip stream as 'Content-Encoding: gzip', whole, and compress once."
    if _is_zlib(body):
        return "Send a zlib stream as 'Content-Encoding: deflate', whole, and compress once."
    return "Compress the whole body once, or leave the header out."


def _inflate_all(body: bytes, window_bits: int, max_body: int) -> bytes | str:
    """The decompressed bytes, at most one more than `max_body`; or what is wrong, to follow the words "the body"."""
    if not body:
        return "is empty"
    parts: list[bytes] = []
    size = 0
    rest = body
    while rest:
        inflater = zlib.decompressobj(window_bits)
        try:
            part = inflater.decompress(rest, min(max_body + 1 - size, sys.maxsize))
        except zlib.error as error:
            reason = str(error).removeprefix("Error -3 while decompressing data: ")
            if parts:
                return f"has {len(rest)} bytes after its end that are not a gzip member ({reason})"
            return f"cannot be decompressed ({reason})"
        parts.append(part)
        size += len(part)
        if size > max_body:
            break
        if not inflater.eof:
            return "ends before the compressed stream does"
        rest = inflater.unused_data
        if window_bits == _GZIP:
            # RFC 1952 §2.2 allows several members; zeros after the last are padding, as gzip itself takes them.
            rest = rest.lstrip(b"\0")
            if rest and len(parts) == MOST_MEMBERS:
                return f"has more than {MOST_MEMBERS} gzip members"
        elif rest:
            return f"has {len(rest)} bytes after the end of the compressed stream"
    return b"".join(parts)


# -- charset ---------------------------------------------------------------------------------------------------------------

_CHARSETS: Final = {
    # Label in lower case, with - for _ -> codec. A short list: Python knows codecs that decompress or run in quadratic time.
    "utf-8": "utf-8", "utf8": "utf-8",
    "utf-16": "utf-16", "utf16": "utf-16", "utf-16le": "utf-16-le", "utf-16-le": "utf-16-le", "utf-16be": "utf-16-be",
    "utf-16-be": "utf-16-be",
    "utf-32": "utf-32", "utf32": "utf-32", "utf-32le": "utf-32-le", "utf-32-le": "utf-32-le", "utf-32be": "utf-32-be",
    "utf-32-be": "utf-32-be",
    "ascii": "ascii", "us-ascii": "ascii",
    "iso-8859-1": "iso-8859-1", "iso8859-1": "iso-8859-1", "latin1": "iso-8859-1", "latin-1": "iso-8859-1",
    "iso-8859-15": "iso-8859-15", "iso8859-15": "iso-8859-15", "latin9": "iso-8859-15", "latin-9": "iso-8859-15",
    "windows-1252": "cp1252", "cp1252": "cp1252",
}  # fmt: skip
_CHARSET = re.compile(rb";\s*charset\s*=\s*[\"']?([^\s;,\"']*)", re.IGNORECASE)
MARKS: Final = (
    # Byte order marks. UTF-32 before UTF-16, whose little-endian mark begins its own.
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@lru_cache(256)
def _charset(content_type: bytes) -> str | Finding:
    """Python's name for the charset that a Content-Type names, UTF-8 if it names none."""
    named = _CHARSET.search(content_type)
    label = (named[1].decode("latin-1") if named else "") or "utf-8"
    return _CHARSETS.get(label.lower().replace("_", "-")) or make(
        "charset_unknown",
        f"Content-Type says charset {label[:40]!r}, which is not read here; expected UTF-8.",
        hint="Send JSON as UTF-8; 'Content-Type: application/json' needs no charset.",
    )


def _to_utf8(body: bytes, name: str | Finding) -> bytes | Finding:
    """The body as UTF-8 without a byte order mark; that mark, if there is one, counts for more than the header."""
    if isinstance(name, Finding):
        return name
    for mark, marked in MARKS:
        if body.startswith(mark):
            name, body = marked, body[len(mark) :]
            break
    if name == "utf-8":
        return body
    if name in ("utf-16", "utf-32"):
        # The first character of a JSON text is ASCII: where its zeros are tells the order (RFC 4627 §3).
        name += "-be" if body[:1] == b"\0" else "-le"
    try:
        return body.decode(name).encode()
    except UnicodeDecodeError as error:
        return make(
            "encoding_broken",
            f"The body is not text in {name}: got byte 0x{body[error.start]:02x} at byte {error.start} ({error.reason}); "
            "expected what Content-Type or the byte order mark announces.",
            hint="Send JSON as UTF-8; 'Content-Type: application/json' needs no charset.",
        )


# -- depth -----------------------------------------------------------------------------------------------------------------

_STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)


def _is_shallow(text: bytes) -> bool:
    """Whether a text is surely nested no deeper than MAX_DEPTH; told without a look at each bracket."""
    if _BACKSLASH in text and b'\\"' in text:
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    # What is between two quotes is a string. If all of it but brackets goes, strings without brackets become "".
    brackets = text.translate(None, _NOT_BRACKETS_OR_QUOTES).replace(b'""', b"")
    if b'"' in brackets:
        brackets = b"".join(brackets.split(b'"')[::2])
    # Each replacement takes away the innermost level, where it is of that kind, and no other.
    for _ in range(MAX_DEPTH // 2):
        size = len(brackets)
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
        if not brackets:
            return True
        if len(brackets) == size:
            break
    return False


def _find_too_deep(text: bytes) -> int | None:
    """The byte of the first bracket that is too deep."""
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        first = text[token.start()]
        if first in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                return token.start()
        elif first in b"]}" and depth:
            depth -= 1
    return None


def _too_deep(text: bytes, at: int, origin: Origin | None) -> Finding:
    return make(
        "json_too_deep",
        f"{called(origin)} nests arrays and objects more than {MAX_DEPTH} levels deep, from {place(text, at, origin)} on.",
        hint="The deepest documented batch has 12 levels; is an object inside itself?",
    )


# -- what a JSON text may hold, and mParticle not ---------------------------------------------------------------------------

_SURROGATES = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


def _explain(text: bytes, error: Exception, origin: Origin | None) -> Decoded:
    """Read a text that would be JSON but for half surrogates; for any other find out what is wrong."""
    repaired, halves = _replace_lone_surrogates(text)
    if halves:
        # As long as before, so that all places stay the same.
        text = repaired
        try:
            value = _parse(text)
        except (msgspec.DecodeError, UnicodeDecodeError) as another:
            error = another
        else:
            lone, offsets = _lone_surrogates(text, halves, origin)
            more = _lost(value, text)
            return Decoded(value, text, lone + more, True, [*offsets, *[None] * len(more)])
    finding, offset = explain(text, error, origin)
    return Decoded(None, text, [finding], False, [offset])


def _replace_lone_surrogates(text: bytes) -> tuple[bytes, list[int]]:
    """U+FFFD for each half of a surrogate pair that stands alone, and where they are. Pairs and escaped backslashes stay."""
    places: list[int] = []

    def replace(escape: re.Match[bytes]) -> bytes:
        if escape[1] is None:
            return escape[0]
        places.append(escape.start())
        return b"\\ufffd"

    return _SURROGATES.sub(replace, text), places


def _lone_surrogates(text: bytes, halves: list[int], origin: Origin | None) -> tuple[list[Finding], list[int | None]]:
    """A finding for each string with half surrogates, at the places `halves` of the text, and where these strings begin."""
    findings: list[Finding] = []
    offsets: list[int | None] = []
    seen = 0
    for lexeme in scan(text):
        first = seen
        while seen < len(halves) and halves[seen] < lexeme.end:
            seen += 1
        if seen == first:
            continue
        offsets.append(lexeme.start)
        findings.append(
            make(
                "lone_surrogate",
                f"The string at {place(text, lexeme.start, origin)} has {seen - first} escaped half surrogate(s) "
                "without the other half; each was read as U+FFFD (\N{REPLACEMENT CHARACTER}).",
                raw_pointer=pointer(lexeme.path),
                hint="Cut text between characters, not between UTF-16 code units.",
            )
        )
        if seen == len(halves):
            break
        if len(findings) == MOST_OF_A_CODE:
            offsets.append(None)
            findings.append(make("lone_surrogate", f"{len(halves) - seen} more half surrogates were read as U+FFFD."))
            break
    return findings, offsets


def _wide_integers(value: Any) -> list[Finding]:
    """A finding for each integer beyond 64 bits; the pointers are into the whole body."""
    findings: list[Finding] = []
    count = 0
    for count, (where, integer) in enumerate(_beyond_64_bits([value], []), 1):
        if count <= MOST_OF_A_CODE:
            path = tuple(step for step in where[1:] if step is not None)
            findings.append(
                make(
                    "integer_beyond_64_bits",
                    f"{place_in(path)} is {shorten(str(integer))}, which does not fit into 64 bits; "
                    "the fake keeps it, mParticle cannot.",
                    raw_pointer=pointer(where[1:]),
                    hint="Send ids of this size as strings.",
                )
            )
    if count > MOST_OF_A_CODE:
        findings.append(make("integer_beyond_64_bits", f"{count - MOST_OF_A_CODE} more integers do not fit into 64 bits."))
    return findings


def _beyond_64_bits(node: dict[str, Any] | list[Any], path: Path) -> Iterator[tuple[Path, int]]:
    for step, child in node.items() if isinstance(node, dict) else enumerate(node):
        if isinstance(child, (dict, list)):
            path.append(step)
            yield from _beyond_64_bits(child, path)
            path.pop()
        elif isinstance(child, int) and not -(2**63) <= child < 2**64:
            yield [*path, step], child
