"""Why a JSON text was not taken, in words: for the bodies of workspaces and faults, and the lines of an import."""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from ..checks.found import got
from ..decoding import decode
from ..json_text import Origin
from ..words import did_you_mean, plain

Refused: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for a text that it does not take."""

_INSIDE: Final = re.compile(r" - at `\$(.+)`")


def reading(text: bytes, origin: Origin | None = None) -> tuple[Any, str | None]:
    """The value of a text; or where it is not JSON, and how to mend it. It begins at `origin`, or is a body."""
    if not text.strip():
        return None, "The body is empty."
    decoded = decode(text, None, None, len(text), origin)
    if decoded.readable:
        return decoded.value, None
    finding = decoded.findings[0]
    return None, f"{finding.message} {finding.hint}" if finding.hint else finding.message


def misfit(item: Any, type: type[msgspec.Struct], expected: Mapping[str, str]) -> str | None:
    """The first member that a struct does not take, None if it takes all; `expected` says in words what each has to be."""
    if not isinstance(item, dict):
        return f"It is {got(item)}; expected an object."
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
            what = f"{name}{inside[1]} does not fit" if inside else f"{name} is {got(item[name])}"
            return f"{what}; expected {f'{name} to be ' if inside else ''}{expected[name]}."
    return None
