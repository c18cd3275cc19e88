"""A batch against our JSON Schema: jsonschema-rs decides in microseconds, and where it says no, each error becomes a finding.

`jsonschema` takes its place where jsonschema-rs has no build for the machine; the findings are the same.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, Final, NamedTuple, Protocol

from .. import schemas
from .batch import MOST_OF_A_CODE, check_events, has_type
from .finding import Finding
from .found import Found, Path
from .members import misspelt
from .semantics import disguised_crash
from .wording import Fault, say

MOST_NODES: Final = 20_000
"""Values of a batch that are looked at to explain what is wrong; a hostile one has a million, each with its error."""

MOST_EVENTS: Final = 4 * MOST_OF_A_CODE
"""Faulty events of a batch that are explained."""

BY_KEYWORD: Final = {
    "type": "wrong_type",
    "enum": "unknown_value",
    "const": "unknown_value",
    "required": "required_missing",
    "additionalProperties": "unknown_member",
    "minimum": "out_of_range",
    "maximum": "out_of_range",
}
"""The code of an error, unless its node says another by `x-code`; what is not here is a malformed_value."""


class Error(NamedTuple):
    """A keyword that a value does not satisfy: the value's place, and the keyword's in the schema."""

    path: Path
    schema_path: tuple[str, ...]


class Engine(Protocol):
    """A compiled schema."""

    def is_valid(self, value: Any) -> bool:
        """Whether a value satisfies it."""

    def errors(self, value: Any) -> Iterator[Error]:
        """Every keyword that it does not satisfy."""


class RustEngine:
    """jsonschema-rs."""

    def __init__(self, schema: schemas.Schema) -> None:
        from jsonschema_rs import Draft202012Validator

        self._validator = Draft202012Validator(schema)
        self.is_valid: Callable[[Any], bool] = self._validator.is_valid

    def errors(self, value: Any) -> Iterator[Error]:
        """Every keyword that `value` does not satisfy."""
        # Its paths take a name of digits for a position and pass over an empty one: it gets to see others in their place.
        for error in self._validator.iter_errors(_disguised(value)):
            path = tuple(_undisguised(step) if isinstance(step, str) else step for step in error.instance_path)
            yield Error(path, tuple(map(str, error.schema_path)))


class PythonEngine:
    """jsonschema, hundreds of times slower, on every interpreter."""

    def __init__(self, schema: schemas.Schema) -> None:
        from jsonschema import Draft202012Validator, validators

        follow = Draft202012Validator.VALIDATORS["$ref"]

        def reference(*given: Any) -> Iterator[Any]:
            # Errors say by which way they were found, but leave the references out.
            for error in follow(*given):
                error.schema_path.appendleft("$ref")
                yield error

        self._validator = validators.extend(Draft202012Validator, {"$ref": reference})(schema)  # type: ignore[no-untyped-call]

    def is_valid(self, value: Any) -> bool:
        """Whether `value` satisfies the schema."""
        return bool(self._validator.is_valid(value))

    def errors(self, value: Any) -> Iterator[Error]:
        """Every keyword that `value` does not satisfy."""
        for error in self._validator.iter_errors(value):
            yield Error(tuple(error.absolute_path), tuple(map(str, error.absolute_schema_path)))


class Checker:
    """Our documents, folded and compiled by `engine`."""

    def __init__(self, engine: Callable[[schemas.Schema], Engine]) -> None:
        self._engine = engine
        self._schema = schemas.folded()
        self._event_schema = {"$ref": "#/$defs/event", "$defs": self._schema["$defs"]}
        self._batch = engine(self._schema)
        self._event = engine(self._event_schema)
        self._names: dict[tuple[str, ...], Engine] = {}
        self.is_valid = self._batch.is_valid

    def explain(self, batch: dict[str, Any]) -> list[Finding]:
        """What is wrong with the form of a canonical batch."""
        found = Found()
        found.extend(check_events(batch))
        cut = _Cut(MOST_NODES)
        events = batch.get("events")
        rest = {**batch, "events": None} if isinstance(events, list) else batch
        self._tell(found, rest, (), self._batch.errors(cut.copy(rest)), self._schema)
        faulty = 0
        for index, event in enumerate(events if isinstance(events, list) else ()):
            if not has_type(event) or self._event.is_valid(event):
                continue
            self._tell(found, event, ("events", index), self._event.errors(cut.copy(event)), self._event_schema)
            faulty += 1
            if faulty == MOST_EVENTS or cut.left <= 0:
                break
        return found

    def _tell(self, found: Found, value: Any, base: Path, errors: Iterable[Error], schema: schemas.Schema) -> None:
        """Findings for the errors of `value`: the batch without its events, or the event at `base`."""
        faults = {(fault.code, fault.path, fault.name): fault for error in errors for fault in self._faults(error, value, schema)}
        broken = {fault.path for fault in faults.values() if fault.basic}
        missing: dict[Path, list[str]] = {}
        for code, path, name in faults:
            if code in ("required_missing", "recommended_missing") and name is not None:
                missing.setdefault(path, []).append(name)
        crash = bool(base) and bool(disguised_crash(value))
        for _, fault in sorted(faults.items(), key=lambda item: [str(step).zfill(6) for step in item[0][1]]):
            if fault.code == "unknown_member":
                holder = fault.path[:-1]
                if misspelt(str(fault.path[-1]), missing.get(holder, ())) or (crash and holder == ("data",)):
                    continue
            elif not fault.basic and fault.path in broken:
                continue  # What more might be said of a value that is not even valid says the same once more.
            code, said, hint = say(fault)
            found.add(code, base + fault.path, said, hint)

    def _faults(self, error: Error, value: Any, schema: schemas.Schema) -> Iterator[Fault]:
        """What an error says: one fault, or one for each name that is missing, unknown or not allowed."""
        *place, keyword = error.schema_path
        nodes = list(_nodes(schema, error.schema_path))
        node = nodes[-1]
        folded = next((node["x-code"] for node in reversed(nodes) if isinstance(node.get("x-code"), str)), None)
        own = node.get("x-code")
        code = folded or (own.get(keyword) if isinstance(own, dict) else None) or BY_KEYWORD.get(str(keyword), "malformed_value")
        got = _at(value, error.path)
        described = next((node["description"] for node in reversed(nodes) if "description" in node), "")
        document: schemas.Schema = next((node for node in reversed(nodes) if "title" in node and "properties" in node), {})
        fault = Fault(code, error.path, keyword, node, document, described, got, None, folded is None)
        if keyword == "required":
            yield from (fault._replace(name=name) for name in node["required"] if name not in got)
        elif keyword == "additionalProperties":
            known = node.get("properties", {})
            yield from (fault._replace(path=(*error.path, name), name=name) for name in got if name not in known)
        elif "propertyNames" in error.schema_path:
            names = self._names_engine(error.schema_path[: place.index("propertyNames") + 1], schema)
            yield from (
                fault._replace(path=(*error.path, name), value=name, name=name) for name in got if not names.is_valid(name)
            )
        else:
            yield fault

    def _names_engine(self, place: tuple[str, ...], schema: schemas.Schema) -> Engine:
        if place not in self._names:
            *_, node = _nodes(schema, place)
            self._names[place] = self._engine({**node["propertyNames"], "$defs": schema["$defs"]})
        return self._names[place]


class _Cut:
    """Copies values, about `left` of them: enough to find as much as anybody will read."""

    def __init__(self, left: int) -> None:
        self.left = left

    def copy(self, value: Any) -> Any:
        """The value, or as much of it as is left to look at."""
        if isinstance(value, dict):
            self.left -= len(value)
            members = value.items() if self.left >= 0 else list(value.items())[: max(self.left + len(value), 1)]
            return {name: self.copy(member) for name, member in members}
        if isinstance(value, list):
            self.left -= len(value)
            return [self.copy(item) for item in (value if self.left >= 0 else value[: max(self.left + len(value), 1)])]
        return value


def _nodes(schema: schemas.Schema, path: tuple[str, ...]) -> Iterator[schemas.Schema]:
    """The nodes on the way to a keyword; the last is the one that has it."""
    node: Any = schema
    yield node
    for step in path[:-1]:
        node = node[int(step)] if isinstance(node, list) else node[step]
        if step == "$ref":
            *_, node = _nodes(schema, (*node.removeprefix("#/").split("/"), ""))
        if isinstance(node, dict):
            yield node


_DIGIT: Final = 0xE000
_EMPTY: Final = "\ue010"
"""Characters for private use, in which no client writes names."""


def _disguised(value: Any) -> Any:
    """A copy in which names of digits begin with another character, and empty names have one."""
    if isinstance(value, list):
        return [_disguised(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        (chr(_DIGIT + int(name[0])) + name[1:] if name.isascii() and name.isdigit() else name or _EMPTY): _disguised(member)
        for name, member in value.items()
    }


def _undisguised(name: str) -> str:
    if name == _EMPTY:
        return ""
    return str(ord(name[0]) - _DIGIT) + name[1:] if _DIGIT <= ord(name[0]) < _DIGIT + 10 else name


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def fastest(schema: schemas.Schema) -> Engine:
    """The fastest engine that this machine has."""
    try:
        return RustEngine(schema)
    except ImportError:  # no build for this interpreter or machine
        return PythonEngine(schema)


@cache
def checker() -> Checker:
    """The one that checks; made when the first batch comes, in a few milliseconds."""
    return Checker(fastest)
