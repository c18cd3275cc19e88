"""What becomes of the bytes of a body: read, or told what is wrong, where, what was expected and what to do."""

import codecs
import gzip
import json
import time
import tracemalloc
import zlib
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mparticle_fake_server.checks.finding import CODES, Finding
from mparticle_fake_server.decoding import MAX_DEPTH, MOST_MEMBERS, MOST_OF_A_CODE, decode

MAX_BODY = 2_000_000
SOUND = b'{"a":"\xc3\xa9"}'
READ = {"a": "é"}


def read(body: bytes, encoding: bytes | None = None, content_type: bytes | None = b"application/json") -> Any:
    """The value of a body that has nothing to find."""
    decoded = decode(body, encoding, content_type, MAX_BODY)
    assert decoded.findings == []
    assert decoded.readable
    return decoded.value


def refused(body: bytes, encoding: bytes | None = None, content_type: bytes | None = None, max_body: int = MAX_BODY) -> Finding:
    """The one finding on a body that cannot be read; every such finding makes a refusal."""
    decoded = decode(body, encoding, content_type, max_body)
    assert not decoded.readable
    assert decoded.value is None
    (finding,) = decoded.findings
    assert CODES[finding.code].effect == "refuse"
    return finding


def deflate(body: bytes, window_bits: int = -15) -> bytes:
    compressor = zlib.compressobj(wbits=window_bits)
    return compressor.compress(body) + compressor.flush()


def gzipped(content: bytes) -> bytes:
    """Without the time of now, which would be in the names of tests."""
    return gzip.compress(content, mtime=0)


# -- compression -----------------------------------------------------------------------------------------------------------

COMPRESSED = [
    (None, SOUND),
    (b"", SOUND),
    (b"identity", SOUND),
    (b"gzip", gzipped(SOUND)),
    (b"x-gzip", gzipped(SOUND)),
    (b" GZIP ", gzipped(SOUND)),
    (b"gzip", gzipped(SOUND[:3]) + gzipped(b"") + gzipped(SOUND[3:])),
    (b"gzip", gzipped(SOUND) + b"\0" * 500),
    (b"deflate", zlib.compress(SOUND)),
    (b"deflate", deflate(SOUND)),
    (b"deflate, gzip", gzipped(zlib.compress(SOUND))),
    (b"identity,gzip, ,gzip", gzipped(gzipped(SOUND))),
]


@pytest.mark.parametrize(("encoding", "body"), COMPRESSED)
def test_compressed_bodies_are_read(encoding: bytes | None, body: bytes) -> None:
    assert read(body, encoding) == READ


BROKEN = [
    # Content-Encoding, body, words of the message, words of the hint
    (b"gzip", b"", "is empty", "Leave the header out"),
    (b"deflate", b"", "is empty", "Leave the header out"),
    (b"gzip", SOUND, "10 bytes cannot be decompressed (incorrect header check)", "looks like plain JSON"),
    (b"deflate", SOUND, "cannot be decompressed", "looks like plain JSON"),
    (b"gzip", zlib.compress(SOUND), "cannot be decompressed", "'Content-Encoding: deflate'"),
    (b"deflate", gzipped(SOUND), "cannot be decompressed", "'Content-Encoding: gzip'"),
    (b"gzip", gzipped(SOUND)[:-9], "ends before the compressed stream does", "whole"),
    (b"gzip", gzipped(SOUND)[:4], "ends before the compressed stream does", "whole"),
    (b"gzip", gzipped(SOUND)[:-8] + b"\0" * 8, "incorrect data check", "whole"),
    (b"gzip", gzipped(SOUND) + b"rest", "has 4 bytes after its end that are not a gzip member", "whole"),
    (b"gzip", gzipped(SOUND) + gzipped(SOUND)[:12], "ends before the compressed stream does", "whole"),
    (b"deflate", zlib.compress(SOUND) + b"rest", "has 4 bytes after the end of the compressed stream", "whole"),
    (b"gzip", b"\xff\xfe", "cannot be decompressed", "Compress the whole body once"),
    (b"gzip, gzip", gzipped(SOUND), "10 bytes cannot be decompressed", "looks like plain JSON"),
]


@pytest.mark.parametrize(("encoding", "body", "message", "hint"), BROKEN)
def test_a_body_that_is_not_compressed_as_announced_is_refused(encoding: bytes, body: bytes, message: str, hint: str) -> None:
    finding = refused(body, encoding)

    assert finding.code == "compression_broken"
    assert message in finding.message
    assert f"Content-Encoding says {encoding.decode().split(',')[0]}" in finding.message
    assert finding.hint is not None
    assert hint in finding.hint


@pytest.mark.parametrize("encoding", [b"br", b"zstd", b"compress", b"gzip;q=1", b"gzip gzip", b"\xff", b"aws-chunked, gzip"])
def test_an_unknown_encoding_is_refused_and_the_known_ones_named(encoding: bytes) -> None:
    finding = refused(gzip.compress(SOUND), encoding)

    assert finding.code == "content_encoding_unknown"
    assert "expected gzip, deflate or identity" in finding.message


def test_more_than_four_encodings_are_refused() -> None:
    finding = refused(SOUND, b"gzip, gzip, gzip, gzip, gzip")

    assert finding.code == "content_encoding_unknown"
    assert "lists 5 encodings" in finding.message


@pytest.mark.parametrize("size", [MAX_BODY, MAX_BODY + 1])
@pytest.mark.parametrize(("encoding", "compress"), [(b"gzip", gzip.compress), (b"deflate", zlib.compress), (b"deflate", deflate)])
def test_what_decompression_gives_is_bounded(encoding: bytes, compress: Any, size: int) -> None:
    body = compress(b'"' + b"x" * (size - 2) + b'"')

    decoded = decode(body, encoding, None, MAX_BODY)

    assert decoded.readable == (size == MAX_BODY)
    assert [finding.code for finding in decoded.findings] == ([] if size == MAX_BODY else ["body_too_large"])


@pytest.mark.parametrize("encoding", [b"gzip", b"gzip, gzip", b"gzip, gzip, gzip"])
def test_a_bomb_stops_in_bounded_memory(encoding: bytes) -> None:
    bomb = b"\0" * 100_000_000
    for _ in encoding.split(b","):
        bomb = gzip.compress(bomb, 6 if len(bomb) < 1_000_000 else 1)
    tracemalloc.start()

    finding = refused(bomb, encoding)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert finding.code == "body_too_large"
    assert f"more than {MAX_BODY} bytes" in finding.message
    assert peak < 4 * MAX_BODY


def test_members_of_a_gzip_stream_share_the_bound() -> None:
    member = gzip.compress(b" " * 60_000)

    finding = refused(member * 50, b"gzip")

    assert finding.code == "body_too_large"


def test_gzip_members_are_counted() -> None:
    assert read(gzip.compress(b" ") * (MOST_MEMBERS - 1) + gzip.compress(b"{}"), b"gzip") == {}
    assert (
        f"more than {MOST_MEMBERS} gzip members"
        in refused(gzip.compress(b" ") * MOST_MEMBERS + gzip.compress(b"{}"), b"gzip").message
    )


# -- charset ---------------------------------------------------------------------------------------------------------------

CHARSETS = [
    (None, SOUND),
    (b"", SOUND),
    (b"application/json", SOUND),
    (b"text/plain;charset=UTF-8", SOUND),
    (b"application/json; charset=utf-8", SOUND),
    (b'application/json; charset="utf-8"', SOUND),
    (b"application/json; charset='utf8'", SOUND),
    (b"application/json; charset=", SOUND),
    (b"application/json ;  CHARSET = UTF_8 ; x=y", SOUND),
    (b"multipart/form-data; boundary=charset", SOUND),
    (b"application/json; x-charset=zlib", SOUND),
    (b"\xff=\xfe", SOUND),
    (b"application/json; charset=utf-8", codecs.BOM_UTF8 + SOUND),
    (None, codecs.BOM_UTF8 + SOUND),
    (None, codecs.BOM_UTF16_LE + '{"a":"é"}'.encode("utf-16-le")),
    (None, codecs.BOM_UTF16_BE + '{"a":"é"}'.encode("utf-16-be")),
    (None, codecs.BOM_UTF32_LE + '{"a":"é"}'.encode("utf-32-le")),
    (None, codecs.BOM_UTF32_BE + '{"a":"é"}'.encode("utf-32-be")),
    (b"application/json; charset=utf-8", '{"a":"é"}'.encode("utf-16")),
    (b"application/json; charset=utf-16", '{"a":"é"}'.encode("utf-16")),
    (b"application/json; charset=utf-16", '{"a":"é"}'.encode("utf-16-le")),
    (b"application/json; charset=utf-16", '{"a":"é"}'.encode("utf-16-be")),
    (b"application/json; charset=utf-32", '{"a":"é"}'.encode("utf-32-le")),
    (b"application/json; charset=utf-32", '{"a":"é"}'.encode("utf-32-be")),
    (b"application/json; charset=utf-16le", codecs.BOM_UTF16_LE + '{"a":"é"}'.encode("utf-16-le")),
    (b"application/json; charset=utf-16be", '{"a":"é"}'.encode("utf-16-be")),
    (b"application/json; charset=latin1", '{"a":"é"}'.encode("latin-1")),
    (b"application/json; charset=ISO-8859-1", '{"a":"é"}'.encode("latin-1")),
    (b"application/json; charset=ISO_8859-15", '{"a":"é"}'.encode("iso8859-15")),
    (b"application/json; charset=windows-1252", '{"a":"é"}'.encode("cp1252")),
    (b"application/json; charset=us-ascii", b'{"a":"\\u00e9"}'),
]


@pytest.mark.parametrize(("content_type", "body"), CHARSETS)
def test_charsets_are_read(content_type: bytes | None, body: bytes) -> None:
    assert read(body, None, content_type) == READ


def test_the_text_is_kept_as_utf8_without_a_byte_order_mark() -> None:
    decoded = decode('{"a":"é"}'.encode("utf-16"), None, None, MAX_BODY)

    assert decoded.text == SOUND


def test_only_one_byte_order_mark_is_taken_off() -> None:
    finding = refused(codecs.BOM_UTF8 * 2 + SOUND)

    assert "got the character U+FEFF at line 1, column 1 (byte 0)" in finding.message


@pytest.mark.parametrize(
    "label",
    ["zlib", "bz2", "hex", "base64", "rot13", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined",
     "mbcs", "utf-7", "utf-8-sig", "shift_jis", "a\0b", "x" * 1000, "\xff", "../utf-8", "encodings"],
)  # fmt: skip
def test_an_unknown_charset_is_refused(label: str) -> None:
    finding = refused(SOUND, None, f"application/json; charset={label}".encode("latin-1"))

    assert finding.code == "charset_unknown"
    assert f"charset {label[:40]!r}" in finding.message
    assert "expected UTF-8" in finding.message


@pytest.mark.parametrize(
    ("charset", "body", "message"),
    [
        ("utf-16-le", b"{\0a", "not text in utf-16-le: got byte 0x61 at byte 2 (truncated data)"),
        ("utf-16-le", b"{\0\x00\xd8{\0", "got byte 0x00 at byte 2 (illegal UTF-16 surrogate)"),
        ("utf-32-le", b"{\0\0\0\0\0\x11\0", "at byte 4 (code point not in range(0x110000))"),
        ("ascii", SOUND, "got byte 0xc3 at byte 6"),
        ("cp1252", b'{"a":"\x81"}', "got byte 0x81 at byte 6"),
    ],
)
def test_a_body_that_is_not_in_its_charset_is_refused(charset: str, body: bytes, message: str) -> None:
    finding = refused(body, None, f"application/json; charset={charset}".encode())

    assert finding.code == "encoding_broken"
    assert message in finding.message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"a":"\xff"}', "got byte 0xff (invalid start byte) at line 1, column 7 (byte 6)"),
        (b'{"a":\n "\xc3\xa9\xe9"}', "got byte 0xe9 (invalid continuation byte) at line 2, column 4 (byte 10)"),
        (b'{"\x80":1}', "got byte 0x80 (invalid start byte)"),
        (b'{"a":1\xff}', "got byte 0xff"),
        (b'{"a":"\xc3', "got byte 0xc3 (unexpected end of data)"),
        (b'{"a":"\xed\xa0\x80"}', "got byte 0xed (invalid continuation byte)"),  # half a surrogate pair as bytes
        (b'{"a":"\xc0\xaf"}', "got byte 0xc0 (invalid start byte)"),  # a slash in two bytes
        (b"\x89PNG\r\n\x1a\n", "got byte 0x89"),
    ],
)
def test_bytes_that_are_not_utf8_are_refused_with_their_place(body: bytes, message: str) -> None:
    finding = refused(body)

    assert finding.code == "encoding_broken"
    assert message in finding.message
    assert "expected JSON in UTF-8" in finding.message
    assert finding.hint == "Encode the body as UTF-8, or name its charset in Content-Type."


# -- JSON ------------------------------------------------------------------------------------------------------------------

NOT_JSON = [
    # body, what was got and where, what was expected, words of the hint
    (b'{"a": NaN}', "got NaN at line 1, column 7 (byte 6), in /a", "a value", "send null"),
    (b'{"a": -Infinity}', "got -Infinity at line 1, column 7 (byte 6), in /a", "a value", "send null"),
    (b'{"a": [0, Infinity]}', "got Infinity at line 1, column 11 (byte 10), in /a/1", "a value", "send null"),
    (b'{"a": 1,}', "got '}' at line 1, column 9 (byte 8)", "a member name in double quotes", "Remove the comma"),
    (b"[1,\n]", "got ']' at line 2, column 1 (byte 4), in /1", "a value", "Remove the comma"),
    (b"{'a': 1}", 'got "\'" at line 1, column 2 (byte 1)', "a member name in double quotes, or }", "double quotes"),
    (b'{"a": True}', "got True at line 1, column 7 (byte 6), in /a", "a value", "json.dumps()"),
    (b'{"a": None}', "got None at line 1, column 7 (byte 6), in /a", "a value", "json.dumps()"),
    (b'{"a": undefined}', "got undefined at line 1, column 7 (byte 6), in /a", "a value", "leave the member out"),
    (b"a=1&b=2", "got a at line 1, column 1 (byte 0)", "a value", "form data"),
    (b"<html></html>", "got '<' at line 1, column 1 (byte 0)", "a value", "HTML"),
    (b"// note\n{}", "got '/' at line 1, column 1 (byte 0)", "a value", "no comments"),
    (b"{a: 1}", "got a at line 1, column 2 (byte 1)", "a member name in double quotes, or }", None),
    (b'{"a" 1}', "got '1' at line 1, column 6 (byte 5), in /a", "a colon", None),
    (b'{"a":1 "b":2}', "got '\"' at line 1, column 8 (byte 7), in /a", "a comma or }", None),
    (b"[1 2]", "got '2' at line 1, column 4 (byte 3), in /0", "a comma or ]", None),
    (b"[}", "got '}' at line 1, column 2 (byte 1), in /0", "a value or ]", None),
    (b"{]", "got ']' at line 1, column 2 (byte 1)", "a member name in double quotes, or }", None),
    (b'{"a":01}', "got '1' at line 1, column 7 (byte 6), in /a", "a comma or }", "no zeros in front"),
    (b'{"a":.5}', "got '.' at line 1, column 6 (byte 5), in /a", "a value", "begins with a digit"),
    (b'{"a":+1}', "got '+' at line 1, column 6 (byte 5), in /a", "a value", "begins with a digit"),
    (b'{"a":1.}', "got '.' at line 1, column 7 (byte 6), in /a", "a comma or }", None),
    (b'{"a":0x10}', "got x10 at line 1, column 7 (byte 6), in /a", "a comma or }", None),
    (b'{"a":"b\nc"}', "got the character U+000A at line 1, column 8 (byte 7), in /a", "an escape such as \\n", "JSON library"),
    (b'{"a":"\\x41"}', "got '\\' at line 1, column 7 (byte 6), in /a", "one of the escapes", "Double the backslash"),
    (b'{"a":"\\u00g0"}', "got '\\' at line 1, column 7 (byte 6), in /a", "one of the escapes", "Double the backslash"),
    (b'{"a":\xc2\xa01}', "got the character U+00A0 at line 1, column 6 (byte 5), in /a", "a value", None),
    (b"{}{}", "got '{' at line 1, column 3 (byte 2)", "the end of the document", "an array to /v2/bulkevents"),
    (b"{}\n{}\n", "got '{' at line 2, column 1 (byte 3)", "the end of the document", "an array to /v2/bulkevents"),
    (b"{} x", "got x at line 1, column 4 (byte 3)", "the end of the document", None),
    (b"", "empty (0 bytes)", "a JSON document", "The official Python SDK sends an empty body"),
    (b" \r\n", "empty (3 bytes)", "a JSON document", "The official Python SDK sends an empty body"),
    (gzipped(b"{}"), "a gzip stream, but no header says so", "a JSON document", "'Content-Encoding: gzip'"),
    ('{"a":1}'.encode("utf-16-le"), "got the character U+0000", "a member name", "looks like UTF-16"),
    ('{"é~/":["é",\n x]}'.encode(), "got x at line 2, column 2 (byte 16), in /é~0~1/1", "a value", None),
    (b'[{"events":[{"data":{"a":"b"},{}]}]', "got '{' at line 1, column 31 (byte 30), in /0/events/0", "a member name", None),
]  # fmt: skip


@pytest.mark.parametrize(("body", "got", "expected", "hint"), NOT_JSON)
def test_what_is_not_json_is_told_with_its_place(body: bytes, got: str, expected: str, hint: str | None) -> None:
    finding = refused(body)

    assert finding.code == "json_broken"
    assert got in finding.message
    assert f"expected {expected}" in finding.message
    if hint is not None:
        assert finding.hint is not None
        assert hint in finding.hint


CUT_OFF = b'{"environment":"development","n":[-1.5e3,true,null],"s":"a\\u00e9\\n"}'


@pytest.mark.parametrize("length", range(1, len(CUT_OFF)))
def test_a_document_that_is_cut_off_is_told_to_end_there(length: int) -> None:
    finding = refused(CUT_OFF[:length])

    assert finding.code == "json_broken"
    # 1. and 1.5e are wrong as they stand.
    if CUT_OFF[length - 1 : length] not in b".e" or b'"s"' in CUT_OFF[:length]:
        assert f"it ends at line 1, column {length + 1} (byte {length})" in finding.message
        assert finding.hint == "The document is cut off: compare Content-Length with what the client meant to send."


def test_the_surroundings_of_a_fault_are_shown_by_whole_characters() -> None:
    finding = refused(('{"a":"' + "é" * 100 + '" x "' + "é" * 100 + '"}').encode())

    assert 'near \'…ééééééééé" x "' in finding.message
    assert "\\x" not in finding.message


def test_a_message_stays_short_whatever_the_body() -> None:
    name = "n" * 100_000

    finding = refused(f'{{"{name}":{{"{name}":{"X" * 100_000}}}}}'.encode())

    assert len(finding.message) < 600


@settings(max_examples=300)
@given(
    st.lists(
        st.sampled_from(list('{}[]:,"\\u0dD8aAfF1-+.eEtrunlsNx\n \t\0\u00e9')) | st.sampled_from(['"a"', "true", '{"a":'])
    ).map("".join)
)
@example('{"a":"\\ud83d\\u"}')
@example("-")
@example("1e")
@example("[-x]")
@example('{"":{"":[]}}')
def test_the_explanation_agrees_with_the_parser(text: str) -> None:
    try:
        msgspec.json.decode(text)
    except msgspec.DecodeError:
        parsed = False
    else:
        parsed = True

    decoded = decode(text.encode(), None, None, MAX_BODY)

    # Only half surrogates make the difference; a fault that the scanner does not find would be told in msgspec's words.
    assert decoded.readable == parsed or any(finding.code == "lone_surrogate" for finding in decoded.findings)
    assert decoded.readable or "expected" in decoded.findings[0].message
    assert all("malformed" not in finding.message and "truncated" not in finding.message for finding in decoded.findings)


# -- depth -----------------------------------------------------------------------------------------------------------------

SHAPES = {
    "arrays": lambda depth: "[" * depth + "]" * depth,
    "objects": lambda depth: '{"a":' * (depth - 1) + "{}" + "}" * (depth - 1),
    "mixed": lambda depth: '[{"a":' * (depth // 2) + ("[" * (depth % 2)) + ("]" * (depth % 2) or "0") + "}]" * (depth // 2),
    "brackets in strings open": lambda depth: "[" * (depth - 1) + '["[[[[{{{{\\"[","]"]' + "]" * (depth - 1),
    "brackets in strings close": lambda depth: '["]}",' * (depth - 1) + '["]"]' + ',"["]' * (depth - 1),
    "beside others": lambda depth: "[[],{}," + '[{"a":[]}],' * 100 + "[" * (depth - 1) + "]" * depth,
    "after backslashes": lambda depth: '["\\\\",' + '["\\"]","\\\\\\"]",' * (depth - 2) + "[]" + "]" * (depth - 1),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_64_levels_are_read(shape: str) -> None:
    assert read(SHAPES[shape](64).encode()) is not None


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("depth", [65, 66, 500, 20_000])
def test_more_levels_are_refused(shape: str, depth: int) -> None:
    finding = refused(SHAPES[shape](depth).encode())

    assert finding.code == "json_too_deep"
    assert "more than 64 levels" in finding.message


def test_the_place_of_the_level_too_many_is_told() -> None:
    finding = refused(b"[\n" * 65 + b"]" * 65)

    assert "from line 65, column 1 (byte 128) on" in finding.message


def _depth(value: Any) -> int:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if children is None else 1 + max(map(_depth, children), default=0)


nested = st.recursive(
    st.text(alphabet='[]{}"\\', max_size=4),
    lambda children: (
        st.lists(children, min_size=1, max_size=2)
        | st.dictionaries(st.text(alphabet='[]{}"\\', max_size=2), children, max_size=2)
    ),
    max_leaves=8,
)


@settings(max_examples=300)
@given(nested, st.integers(MAX_DEPTH - 6, MAX_DEPTH + 2))
def test_brackets_in_strings_never_count(value: Any, levels: int) -> None:
    for level in range(levels):
        value = [value] if level % 3 else {"a]": value, "b": "["}

    decoded = decode(json.dumps(value).encode(), None, None, MAX_BODY)

    assert decoded.readable == (_depth(value) <= MAX_DEPTH)


# -- strings ---------------------------------------------------------------------------------------------------------------


def altered(body: bytes) -> tuple[Any, list[str | None]]:
    """The value of a body with half surrogates, and the pointers of the warnings."""
    decoded = decode(body, None, None, MAX_BODY)
    assert decoded.readable
    assert {finding.code for finding in decoded.findings} == {"lone_surrogate"}
    assert {finding.severity for finding in decoded.findings} == {"warning"}
    return decoded.value, [finding.raw_pointer for finding in decoded.findings]


@pytest.mark.parametrize(
    ("body", "value", "pointers"),
    [
        (rb'{"a":"\ud83d"}', {"a": "\ufffd"}, ["/a"]),
        (rb'{"a":"\uDE00"}', {"a": "\ufffd"}, ["/a"]),
        (rb'{"a":"x\ud83dy"}', {"a": "x\ufffdy"}, ["/a"]),
        (rb'{"a":"\ud83d\u0041"}', {"a": "\ufffdA"}, ["/a"]),
        (rb'{"a":"\ud83d\ud83d\ude00"}', {"a": "\ufffd😀"}, ["/a"]),
        (rb'{"a":"\ude00\ud83d"}', {"a": "\ufffd\ufffd"}, ["/a"]),
        (rb'{"a":"\ud83d\ude00","b":["c","\ud83d"]}', {"a": "😀", "b": ["c", "\ufffd"]}, ["/b/1"]),
        (rb'{"\ud83d":1}', {"\ufffd": 1}, ["/\ufffd"]),
        (rb'[{"a":"\ud83d"},{"a":"\\ud83d\ufffd"},{"a/b":"\ude00"}]',
         [{"a": "\ufffd"}, {"a": "\\ud83d\ufffd"}, {"a/b": "\ufffd"}], ["/0/a", "/2/a~1b"]),
    ],
)  # fmt: skip
def test_half_a_surrogate_pair_is_replaced_with_a_warning(body: bytes, value: Any, pointers: list[str]) -> None:
    assert altered(body) == (value, pointers)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (rb'{"a":"\ud83d\ude00"}', {"a": "😀"}),
        (rb'{"a":"\\ud83d"}', {"a": "\\ud83d"}),
        (rb'{"a":"\\\\ud83d"}', {"a": "\\\\ud83d"}),
        (rb'{"a":"\ud7ff\ue000"}', {"a": "\ud7ff\ue000"}),
        (rb'{"a":"\u0000b"}', {"a": "\0b"}),
        ('{"a":"\ufffd\ufeff\u2028"}'.encode(), {"a": "\ufffd\ufeff\u2028"}),
    ],
)
def test_other_escapes_are_left_alone(body: bytes, value: Any) -> None:
    assert read(body) == value


def test_half_surrogates_are_told_once_a_string_and_counted_beyond_the_most() -> None:
    decoded = decode(json.dumps(["\ud83d\ud83d"] * (MOST_OF_A_CODE + 3)).encode(), None, None, MAX_BODY)

    assert len(decoded.findings) == MOST_OF_A_CODE + 1
    assert "The string at line 1, column 2 (byte 1) has 2 escaped half surrogate(s)" in decoded.findings[0].message
    assert "6 more half surrogates" in decoded.findings[-1].message


def test_a_text_with_half_surrogates_and_a_fault_is_told_by_its_fault() -> None:
    finding = refused(rb'{"a":"\ud83d",}')

    assert "got '}' at line 1, column 15 (byte 14)" in finding.message


# -- numbers ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("integer", [0, -(2**63), 2**63 - 1, 2**63, 2**64 - 1, -5239478523094875234, -9223372036854775807])
def test_integers_of_64_bits_are_exact(integer: int) -> None:
    assert read(b'{"mpid":%d}' % integer) == {"mpid": integer}


@pytest.mark.parametrize("integer", [2**64, -(2**63) - 1, 10**25, -(10**25), 10**4299])
def test_a_wider_integer_is_kept_and_told(integer: int) -> None:
    decoded = decode(b'[{"a":1},{"b/c":[0,%d]}]' % integer, None, None, MAX_BODY)

    assert decoded.readable
    assert decoded.value == [{"a": 1}, {"b/c": [0, integer]}]
    (finding,) = decoded.findings
    assert (finding.code, finding.severity, finding.raw_pointer) == ("integer_beyond_64_bits", "error", "/1/b~1c/1")
    assert str(integer)[:20] in finding.message
    assert len(finding.message) < 200


def test_a_wide_integer_beside_half_a_surrogate_is_told_too() -> None:
    decoded = decode(f'{{"a":"\\ud83d","b":{2**64}}}'.encode(), None, None, MAX_BODY)

    assert [finding.code for finding in decoded.findings] == ["lone_surrogate", "integer_beyond_64_bits"]


def test_wide_integers_beyond_the_most_are_counted() -> None:
    decoded = decode(json.dumps([2**64] * (MOST_OF_A_CODE + 3)).encode(), None, None, MAX_BODY)

    assert len(decoded.findings) == MOST_OF_A_CODE + 1
    assert decoded.findings[-1].raw_pointer is None
    assert "3 more integers" in decoded.findings[-1].message


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1e309", "9" * 5000, "-" + "9" * 5000, "9" * 400 + ".0"])
def test_a_number_that_nothing_can_hold_is_refused_with_its_place(number: str) -> None:
    finding = refused(f'{{"a":[1,\n{number}]}}'.encode())

    assert finding.code == "number_out_of_range"
    assert finding.raw_pointer == "/a/1"
    assert f"The number {number[:20]}" in finding.message
    assert "line 2, column 1 (byte 9), in /a/1" in finding.message
    assert len(finding.message) < 300


@pytest.mark.parametrize(
    ("text", "value"), [("1e-999", 0.0), ("-0", 0), ("1E2", 100.0), ("0." + "1" * 5000, 1 / 9), ("1.5e308", 1.5e308)]
)
def test_other_numbers_are_read(text: str, value: float) -> None:
    assert read(f'{{"a":{text}}}'.encode()) == {"a": value}


@pytest.mark.parametrize("text", ['"12345678901234567890123"', "0.12345678901234567890123", "12345678901234567890e-5"])
def test_long_digits_that_are_no_integer_are_fine(text: str) -> None:
    assert read(text.encode()) == json.loads(text)


# -- members and top level -------------------------------------------------------------------------------------------------


def test_the_last_of_two_members_with_one_name_counts_and_that_is_told() -> None:
    decoded = decode(b'{"a":1,"b":2,"a":3}', None, None, MAX_BODY)

    assert decoded.value == {"a": 3, "b": 2}
    assert [finding.code for finding in decoded.findings] == ["duplicate_member"]


@pytest.mark.parametrize("text", ["null", "true", "1", '"a"', "[]", "{}", " {} ", "\r\n\t[ ]\n"])
def test_any_json_is_a_document(text: str) -> None:
    assert read(text.encode()) == json.loads(text)


# -- faults far behind -----------------------------------------------------------------------------------------------------

FAR = b"[" + b"1," * 990_000
"""More than is gone through to tell the path to a fault."""


@pytest.mark.parametrize(
    ("rest", "code", "message", "hint"),
    [
        (b"x]", "json_broken", f"got x at line 1, column {len(FAR) + 1} (byte {len(FAR)}); expected JSON; near '…", "none"),
        (b"]", "json_broken", f"got ']' at line 1, column {len(FAR) + 1}", "Remove the comma before the closing bracket."),
        (b'{"a":', "json_broken", f"it ends at line 1, column {len(FAR) + 6}", "The document is cut off"),
        (b"1e999]", "number_out_of_range", "has a number that cannot be held; expected 64 bits at most", "Send digits"),
    ],
)
def test_a_fault_far_behind_is_told_by_its_byte_in_little_time(rest: bytes, code: str, message: str, hint: str) -> None:
    begin = time.process_time()

    finding = refused(FAR + rest)

    assert time.process_time() - begin < 1.5
    assert finding.code == code
    assert message in finding.message
    assert (finding.hint or "none").startswith(hint)


# -- bounds ----------------------------------------------------------------------------------------------------------------

HOSTILE = {
    "an open string behind brackets": b"[" * 65 + b'"' + b'\\"' * 300_000,
    "quotes alone": b"[" * 65 + b'"' * 1_300_000,
    "backslashes": b'{"a":"' + b"\\" * 1_300_000,
    "half surrogates": b'{"a":"' + b"\\ud83d" * 300_000 + b'"}',
    "half surrogates in many strings": b"[" + b'"\\ud83d",' * 200_000 + b"0]",
    "wide integers": b"[" + b"18446744073709551616," * 90_000 + b"0]",
    "a long name around many integers": b'{"' + b"n" * 300_000 + b'":[' + b"18446744073709551616," * 40_000 + b"0]}",
    "a long name around a fault": b'{"' + b"n" * 300_000 + b'":[' + b"1," * 150_000 + b"x]}",
    "empty arrays": b"[" + b"[]," * 150_000 + b"x",
    "opening brackets": b"[" * 1_300_000,
    "closing brackets": b"]" * 1_300_000,
    "spaces": b" " * 1_300_000,
    "digits": b"[" + b"9" * 1_300_000,
    "one long line": b'{"a":"' + b"\xc3\xa9" * 300_000 + b"\xff",
    "members of gzip": gzip.compress(b"") * 90_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_body_takes_long_or_makes_long_findings(name: str) -> None:
    body = HOSTILE[name]
    encoding = b"gzip" if body[:2] == b"\x1f\x8b" else None
    begin = time.process_time()

    decoded = decode(body, encoding, None, MAX_BODY)

    # Linear: what used to be quadratic took minutes.
    assert time.process_time() - begin < 5
    assert len(msgspec.json.encode(decoded.findings)) < 100_000


@pytest.mark.parametrize(
    ("text", "shown", "offset"),
    [
        (b'{"a": 1,\n "b": ?}', "at line 6, column 7,", 15),
        (b'{"a": ?}', "at line 5, column 13,", 6),
        (b'{"a":\n\xff}', "at line 6, column 1;", 6),
        (b'{"a": 1e999}', "at line 5, column 13,", 6),
        (b"[" * 99, "from line 5, column 71 on", 64),
        (b'{"a": "\\ud800"}', "at line 5, column 13 has", 6),
    ],
)
def test_a_text_of_a_file_is_told_with_its_place_there(text: bytes, shown: str, offset: int) -> None:
    class Origin(NamedTuple):
        line: int
        column: int

    decoded = decode(text, None, None, 1000, Origin(5, 7))

    assert shown in decoded.findings[0].message
    assert "byte " not in decoded.findings[0].message.replace("got byte 0xff", "")
    assert "body" not in decoded.findings[0].message
    assert list(decoded.offsets) == [offset]
