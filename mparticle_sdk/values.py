"""What the members of models may hold: the kinds that annotations name, and what is wrong with a value that is not of its kind.

`problems` walks a model along its annotations; `Model.validate` and the client call it. A checker returns None for a value that
is fine, so that a batch without faults costs no paths and no messages.
"""

import math
from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from itertools import compress, repeat
from operator import is_not
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Literal,
    TypeAlias,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec

from .errors import Problem

if TYPE_CHECKING:
    Number: TypeAlias = float | Decimal
    BigId: TypeAlias = int
    HttpStatus: TypeAlias = int | str
else:
    # Not Decimal: msgspec would read text such as "1.10" as one, and what is read has to be kept as it is.
    Number = int | float
    # mParticle's web SDK and the example of the Python SDK send ids of 64 bits as text.
    BigId = Annotated[int | str, "big id"]
    # mParticle's reference has it as text, its SDKs as a number.
    HttpStatus = Annotated[int | str, "status"]

Milliseconds: TypeAlias = Annotated[int, "ms"]
"""Milliseconds, since 1970 (UTC) for a moment."""

Unsigned: TypeAlias = Annotated[int, "unsigned"]
"""A whole number from 0 to 2^64 - 1."""

Uuid: TypeAlias = Annotated[str, "uuid"]
"""A UUID as text."""

Attributes: TypeAlias = Annotated[dict[str, Any], "attributes"]
"""Names with text, numbers, booleans or None. At most 100 names of 256 characters, values of 4096 (`events-api.md §5`)."""

UserAttributes: TypeAlias = Annotated[dict[str, Any], "user attributes"]
"""Like Attributes, and lists of such values: at most 1000 entries of 512 characters (`events-api.md §5`)."""

UserAttributeValue: TypeAlias = Annotated[Any, "user attribute"]
"""Text, a number, a boolean, or a list of these."""

Flags: TypeAlias = Annotated[dict[str, Any], "flags"]
"""Names with any JSON."""


Found: TypeAlias = list[Problem] | None
Checker: TypeAlias = Callable[[Any], Found]

DEPTH: Final = 64
"""Levels of lists and objects inside a value of any JSON."""

_SIGNED: Final = (-(2**63), 2**63 - 1)
_UNSIGNED: Final = (0, 2**64 - 1)

_MEANT: Final = {
    # What people write -> what mParticle calls it; beside it, similar spellings are found by difflib.
    "prod": "production", "live": "production", "dev": "development", "test": "development", "testing": "development",
    "debug": "development", "sandbox": "development", "staging": "development",
    "buy": "purchase", "order": "purchase", "sale": "purchase", "payment": "purchase", "return": "refund",
    "add": "add_to_cart", "remove": "remove_from_cart", "view": "view_detail", "detail": "view_detail",
    "product_view": "view_detail", "select": "click", "impression": "view",
    "page_view": "screen_view", "pageview": "screen_view", "event": "custom_event", "app_event": "custom_event",
    "track": "custom_event", "commerce": "commerce_event", "ecommerce": "commerce_event", "purchase": "commerce_event",
    "crash": "crash_report", "error": "crash_report", "install": "first_run", "push": "push_message",
    "state_transition": "application_state_transition", "customerid": "customer_id", "phone": "mobile_number",
    "ios": "iOS", "ipados": "iOS", "iphone": "iOS", "server": "server_to_server", "s2s": "server_to_server",
    "sign_up": "signup", "register": "signup", "sign_in": "login", "sign_out": "logout",
}  # fmt: skip


def problems(model: Any, path: str = "") -> list[Problem]:
    """Everything in a model that mParticle's data model does not allow, in the order of its members.

    Looked at are types and enumerated values, not the service limits. An EventBase does not show in paths: it is
    `events[2].product_action`, not `events[2].data.product_action`. `path` is put before each.
    """
    return [Problem(_join(path, problem.path), problem.message) for problem in model_checker(model.__class__)(model) or ()]


def _join(path: str, rest: str) -> str:
    return f"{path}.{rest}" if path and rest and rest[0] != "[" else path + rest


def fault(message: str, path: str = "") -> list[Problem]:
    """One problem."""
    return [Problem(path, message)]


def below(step: str, found: Iterable[Problem]) -> Iterator[Problem]:
    """Problems of a member or an item, with paths from what holds it."""
    return (Problem(_join(step, problem.path), problem.message) for problem in found)


def got(value: Any) -> str:
    """The type and the value, shortened."""
    return "None" if value is None else f"{type(value).__name__} {_shown(value)}"


def _shown(value: Any) -> str:
    """The value, shortened."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001  # whatever an object of yours raises, and integers of thousands of digits
        return "…"
    return text if len(text) <= 60 else text[:57] + "…"


def _hint(value: Any) -> str:
    """How to write a value of a type that JSON does not have."""
    match value:
        case datetime() | date():
            return "; write int(dt.timestamp() * 1000) for a moment, or dt.isoformat() for text"
        case bytes() | bytearray() | memoryview():
            return "; decode it, or encode it as base64 text"
        case set() | frozenset():
            return "; write sorted(…) for a list"
        case Enum():
            return "; write its .value"
        case _ if type(value).__name__ == "UUID":
            return "; write str(…)"
        case _:
            return ""


# ---- single values ----


def _check_text(value: Any) -> Found:
    if isinstance(value, str):
        return None if value.isascii() else _check_surrogates(value)
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return fault(f"expected text, got {got(value)}; write str(…)")
    return fault(f"expected text, got {got(value)}{_hint(value)}")


def _check_big_id(value: Any) -> Found:
    if isinstance(value, str) and value.isascii() and value.removeprefix("-").isdigit() and len(value) <= 20:
        value = int(value)
    return _check_int(value)


def _check_status(value: Any) -> Found:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == 3:
        return None
    return _check_int(value)


def _check_uuid(value: Any) -> Found:
    from uuid import UUID

    wrong = _check_text(value)
    if wrong is None:
        try:
            UUID(value)
        except ValueError:
            return fault(f"expected a UUID, got {got(value)}")
    return wrong


def _check_surrogates(value: str) -> Found:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        return fault(f"{_shown(value)} has a lone surrogate at {error.start}, which UTF-8 cannot carry")
    return None


def _check_bool(value: Any) -> Found:
    return None if isinstance(value, bool) else fault(f"expected True or False, got {got(value)}")


def _int_checker(lowest: int, highest: int, *, ms: bool = False) -> Checker:
    unit = " of milliseconds" if ms else ""

    def check(value: Any) -> Found:
        if isinstance(value, int) and not isinstance(value, bool):
            if lowest <= value <= highest:
                return None
            return fault(f"{_shown(value)} is outside the range {lowest} to {highest}")
        hint = ""
        if isinstance(value, float) and ms and 1e8 < value < 1e10:
            hint = "; time.time() is in seconds: write int(time.time() * 1000)"
        elif isinstance(value, float) and math.isfinite(value):
            hint = "; write int(…)"
        elif isinstance(value, datetime):
            hint = "; write int(dt.timestamp() * 1000)"
        return fault(f"expected a whole number{unit}, got {got(value)}{hint}")

    return check


_check_int: Final = _int_checker(*_SIGNED)


def _check_number(value: Any) -> Found:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return None if _is_finite(value) else fault(f"{_shown(value)} is no number that JSON knows")
    return fault(f"expected a number, got {got(value)}{_hint(value)}")


def _is_finite(value: float | Decimal) -> bool:
    try:
        return math.isfinite(value)
    except (OverflowError, ValueError):  # an integer beyond floats, a signalling NaN
        return False


def enum_checker(values: tuple[str, ...]) -> Checker:
    """A checker of text that has to be one of some values."""
    allowed = frozenset(values)

    def check(value: Any) -> Found:
        if isinstance(value, str):
            if value in allowed:
                return None
            near = meant(value[:100], values)
            listed = ", ".join(repr(value) for value in values)
            return fault(f"{_shown(value)} is not one of {listed}" + (f"; did you mean {near!r}?" if near else ""))
        return _check_text(value)

    return check


def meant(value: str, values: tuple[str, ...]) -> str | None:
    """The documented value that somebody most likely had in mind."""
    import difflib  # a few ms that only a mistake has to pay

    def plain(text: str) -> str:
        return "".join(character for character in text.lower() if character.isalnum())

    by_plain = {plain(documented): documented for documented in values}
    if plain(value) in by_plain:
        return by_plain[plain(value)]
    synonym = _MEANT.get(value.lower().replace(" ", "_").replace("-", "_"))
    if synonym in values:
        return synonym
    close = difflib.get_close_matches(plain(value), by_plain, n=1)
    return by_plain[close[0]] if close else None


def _check_scalar(value: Any) -> Found:
    if value is None or type(value) is bool:
        return None
    if isinstance(value, str):
        return None if value.isascii() else _check_surrogates(value)
    if isinstance(value, int | float | Decimal):
        return None if _is_finite(value) else _check_number(value)
    if isinstance(value, dict | list | tuple):
        return fault(f"expected text, a number, a boolean or None, got {got(value)}; attributes do not nest")
    return fault(f"expected text, a number, a boolean or None, got {got(value)}{_hint(value)}")


def _check_user_attribute(value: Any) -> Found:
    return _check_scalars(value) if isinstance(value, list | tuple) else _check_scalar(value)


def _check_json(value: Any, depth: int = 0) -> Found:
    if not isinstance(value, dict | list | tuple):
        return _check_scalar(value)
    if depth == DEPTH:
        return fault(f"lists and objects nest more than {DEPTH} levels deep")
    return (_check_object if isinstance(value, dict) else _check_array)(value, lambda member: _check_json(member, depth + 1))


# ---- lists, dictionaries, unions ----


def _check_array(value: Any, check: Checker) -> Found:
    found: list[Problem] = []
    for index, item in enumerate(value):
        if wrong := check(item):
            found.extend(below(f"[{index}]", wrong))
    return found or None


def _check_object(value: Any, check: Checker) -> Found:
    found: list[Problem] = []
    for name, member in dict(value).items():  # a copy: another thread may add to it
        if type(name) is not str and not isinstance(name, str):
            found += fault(f"names are text, got {got(name)}; write str(…)")
        elif not name.isascii() and (wrong := _check_surrogates(name)):
            found += wrong
        elif wrong := check(member):
            found.extend(below(f"[{name!r}]", wrong))
    return found or None


def _list_checker(check: Checker) -> Checker:
    def check_list(value: Any) -> Found:
        if isinstance(value, list | tuple):
            return _check_array(value, check)
        single = "; put it into a list" if isinstance(value, msgspec.Struct) else ""
        return fault(f"expected a list, got {got(value)}{single or _hint(value)}")

    return check_list


def _dict_checker(check: Checker) -> Checker:
    def check_dict(value: Any) -> Found:
        return _check_object(value, check) if isinstance(value, dict) else fault(f"expected a dictionary, got {got(value)}")

    return check_dict


def _any_checker(checkers: list[Checker]) -> Checker:
    def check(value: Any) -> Found:
        found: list[Problem] = []
        for checker in checkers:
            wrong = checker(value)
            if wrong is None:
                return None
            # The most telling complaint is the one that got deepest into the value.
            if not found or (wrong[0].path and not found[0].path):
                found = wrong
        return found

    return check


_check_scalars: Final = _list_checker(_check_scalar)

_KINDS: Final[dict[str, Checker]] = {
    "ms": _int_checker(*_SIGNED, ms=True),
    "unsigned": _int_checker(*_UNSIGNED),
    "big id": _check_big_id,
    "status": _check_status,
    "uuid": _check_uuid,
    "attributes": _dict_checker(_check_scalar),
    "user attributes": _dict_checker(_check_user_attribute),
    "user attribute": _check_user_attribute,
    "flags": _dict_checker(_check_json),
}

check_flags: Final = _KINDS["flags"]

_PLAIN: Final[dict[Any, Checker]] = {str: _check_text, bool: _check_bool, int: _check_int, Any: _check_json}


def _checker(annotation: Any) -> Checker:
    """The checker of an annotation of a member."""
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        kinds = [_KINDS[note] for note in arguments[1:] if isinstance(note, str)]
        return kinds[0] if kinds else _checker(arguments[0])
    if origin is Literal and all(isinstance(argument, str) for argument in arguments):
        return enum_checker(arguments)
    if origin is list and arguments:
        return _list_checker(_checker(arguments[0]))
    if origin is dict and arguments:
        return _dict_checker(_checker(arguments[1]))
    if origin in (Union, UnionType):
        members = [member for member in arguments if member is not NoneType]
        checkers = [_checker(member) for member in members if member not in (int, float)]
        if float in members:
            checkers.append(_check_number)
        elif int in members:
            checkers.append(_check_int)
        return checkers[0] if len(checkers) == 1 else _any_checker(checkers)
    if origin is None and isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return model_checker(annotation)
    return _check_json  # in a class of yours, whose annotations are yours too


# ---- models ----


@cache
def model_checker(model: Hashable) -> Checker:
    """The checker of a class of models: the class's own, which its `make_checker` returns, or that of its members."""
    make: Callable[[], Checker] | None = getattr(model, "make_checker", None)
    return make() if make else members_checker(model)


def members_checker(model: Any) -> Checker:
    """A checker of every member of a model, or of a dictionary in its place."""
    found_members: list[_Members] = []

    def check(value: Any) -> Found:
        if not found_members:  # late, so that models may hold one another
            found_members.append(_members(model))
        in_order, by_name = found_members[0]
        found: list[Problem] = []
        if type(value) is model or isinstance(value, model):
            # Most members of most models are None, and an upload walks them all: this leaves those out before Python looks.
            members = msgspec.structs.astuple(value)
            for member, (name, checker) in compress(zip(members, in_order, strict=False), map(is_not, members, _NONES)):
                if wrong := checker(member):
                    found.extend(below(name, wrong))
        elif isinstance(value, dict):
            for name, member in dict(value).items():
                if member is not None and (wrong := by_name.get(name, _check_json)(member)):
                    found.extend(below(str(name), wrong))
        else:
            return fault(f"expected {_article(model.__name__)}, got {got(value)}{_hint(value)}")
        return found or None

    return check


def _check_unknown(value: Any) -> Found:
    return check_flags(value) if value else None


_NONES: Final = repeat(None)

_Members: TypeAlias = tuple[list[tuple[str, Checker]], dict[Any, Checker]]


def _members(model: Any) -> _Members:
    hints = get_type_hints(model, include_extras=True)
    in_order: list[tuple[str, Checker]] = []
    by_name: dict[Any, Checker] = {}
    for field in msgspec.structs.fields(model):
        checker = _check_unknown if field.name == "unknown" else _checker(hints[field.name])
        in_order.append((field.name, checker))
        if field.name != "unknown":
            by_name[field.name] = by_name[field.encode_name] = checker
    return in_order, by_name


def _article(name: str) -> str:
    return f"an {name}" if name[0] in "AEIOU" else f"a {name}"
