"""Why a JSON text was not taken, in words: for the bodies of workspaces and faults, and the lines of an import."""

import re
from collections.abc import Container, Mapping
from typing import Any, Final

import msgspec

from ..checks.found import got
from ..decoding import decode
from ..json_text import Origin, place
from ..words import did_you_mean, plain

Refused: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for a text that it does not take."""

_INSIDE: Final = re.compile(r" - at `\$(.+)`")


def reading(text: bytes, origin: Origin | None = None, *, secret: bool = False) -> tuple[Any, str | None]:
    """The value of a text; or where it is not JSON, and how to mend it. It begins at `origin`, or is a body.

    Of a `secret` one nothing is quoted.
    """
    if not text.strip():
        return None, "The body is empty."
    decoded = decode(text, None, None, len(text), origin)
    if decoded.readable:
        return decoded.value, None
    finding = decoded.findings[0]
    message = finding.message
    if secret:
        at = next((offset for offset in decoded.offsets if offset is not None), None)
        where = "" if at is None else f", from {place(text, at, origin)} on"
        message = f"The body cannot be read as JSON{where}; as it may hold secrets, nothing of it is shown."
    return None, f"{message} {finding.hint}" if finding.hint else message


def misfit(item: Any, type: type[msgspec.Struct], expected: Mapping[str, str], shown: Container[str] | None = None) -> str | None:
    """The first member that a struct does not take, None if it takes all; `expected` says in words what each has to be.

    Where others may hold secrets, only the values of the members `shown` are quoted.
    """
    if not isinstance(item, dict):
        return f"It is {got(item) if shown is None else _kind(item)}; expected an object."
    fields = {field.name: field for field in msgspec.structs.fields(type)}
    unknown = [name for name in item if name not in fields] if type.__struct_config__.forbid_unknown_fields else []
    if unknown:
        return f"It has a member '{plain(unknown[0], 60)}', which is unknown.{did_you_mean(unknown[0], fields)}"
    for name, field in fields.items():
        if name not in item:
            if field.required:
                return f"It has no member {name}; expected {expected[name]}."
            continue
        try:
            msgspec.convert(item[name], field.type)
        except msgspec.ValidationError as error:
            inside = _INSIDE.search(str(error))
            given = got(item[name]) if shown is None or name in shown else _kind(item[name])
            what = f"{name}{inside[1]} does not fit" if inside else f"{name} is {given}"
            return f"{what}; expected {f'{name} to be ' if inside else ''}{expected[name]}."
    return None


def _kind(value: Any) -> str:
    """What a value is, without it."""
    return "a text" if isinstance(value, str) else "a number" if isinstance(value, (int, float)) else got(value)
