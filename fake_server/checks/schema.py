"""A batch against our JSON Schema: jsonschema-rs decides in microseconds, and where it says no, each error becomes a finding.

`jsonschema` takes its place where jsonschema-rs has no build for the machine; the findings are the same. Bodies may be hostile:
what is explained is a sample of the batch and the first error behind it, and what would not be told is not worked out.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache, cached_property
from itertools import islice
from typing import Any, Final, NamedTuple, Protocol

from .. import schemas
from .batch import check_events, has_type
from .commerce import disguised_crash
from .fault import Fault
from .finding import CODES, Finding
from .found import MOST_OF_A_CODE, Found, Path
from .members import flat, misspelling
from .wording import TURNS_INTO, code_of, say

MOST_NODES: Final = 10_000
"""Values of a batch that are looked at to explain what is wrong; a hostile one has a million, each with its error."""

MOST_EVENTS: Final = 4 * MOST_OF_A_CODE
"""Faulty events of a batch that are explained in full, and wrong ones behind them of which only the errors are.

Many doubtful events must not hide an error; of many wrong ones nobody reads all.
"""

LONG_NAME: Final = 64
"""A name of more characters is none of ours. Each error below it has a copy of it: hostile ones would fill the memory."""

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

RANK: Final = ("type", "enum", "const", "pattern", "not", "maxLength", "minimum", "maximum")
"""Of several errors of one value the first is told: the others follow from it, or engines differ in them."""


class Error(NamedTuple):
    """A keyword that a value does not satisfy: the value's place, and the keyword's in the schema."""

    path: Path
    schema_path: Path


class Engine(Protocol):
    """A compiled schema."""

    def is_valid(self, value: Any) -> bool:
        """Whether a value satisfies it."""

    def errors(self, value: Any) -> Iterator[Error]:
        """Every keyword that it does not satisfy."""

    def first(self, value: Any) -> Error | None:
        """One of these: in no more time than it takes to validate what comes before it."""


class RustEngine:
    """jsonschema-rs."""

    def __init__(self, schema: schemas.Schema) -> None:
        from jsonschema_rs import Draft202012Validator

        self._validator = Draft202012Validator(schema)
        self.is_valid: Callable[[Any], bool] = self._validator.is_valid

    def errors(self, value: Any) -> Iterator[Error]:
        """Every keyword that `value` does not satisfy."""
        for error in self._validator.iter_errors(value):
            # The whole way with its references: schema_path begins anew at each.
            yield Error(tuple(error.instance_path), tuple(error.evaluation_path))

    def first(self, value: Any) -> Error | None:
        """A keyword that `value` does not satisfy."""
        from jsonschema_rs import ValidationError

        try:
            self._validator.validate(value)
        except ValidationError as error:
            return Error(tuple(error.instance_path), tuple(error.evaluation_path))
        return None


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
            yield Error(tuple(error.absolute_path), tuple(error.absolute_schema_path))

    def first(self, value: Any) -> Error | None:
        """A keyword that `value` does not satisfy."""
        return next(self.errors(value), None)


class Checker:
    """Our documents, folded and compiled by `engine`."""

    def __init__(self, engine: Callable[[schemas.Schema], Engine]) -> None:
        self._engine = engine
        self.is_valid = engine(schemas.folded()).is_valid

    def prepare(self) -> None:
        """Compile what explains too, in some milliseconds, which the first faulty batch would have to wait for otherwise."""
        _ = self._batch, self._event, self._event_is_valid

    def explain(self, batch: dict[str, Any]) -> list[Finding]:
        """What is wrong with the form of a canonical batch."""
        found = Found()
        found.extend(check_events(batch))
        sample = _Sample(MOST_NODES)
        events = batch.get("events")
        rest = {**batch, "events": None} if isinstance(events, list) else batch
        self._tell(found, self._suspect(rest), (), sample, self._batch)
        faulty = wrong = 0
        for index, event in enumerate(events if isinstance(events, list) else ()):
            if not has_type(event) or self._event_is_valid(event):
                continue
            faulty += 1
            if faulty <= MOST_EVENTS:
                self._tell(found, event, ("events", index), sample, self._event)
            elif self._tell(found, event, ("events", index), sample, self._event.breaking):
                wrong += 1
                if wrong == MOST_EVENTS:
                    break
        return found

    @cached_property
    def _batch(self) -> "_Explainer":
        return _Explainer(self._engine, schemas.explained())

    @cached_property
    def _event(self) -> "_Explainer":
        return _Explainer(self._engine, {"$ref": "#/$defs/event", "$defs": schemas.explained()["$defs"]})

    @cached_property
    def _event_is_valid(self) -> Callable[[Any], bool]:
        return self._engine({"$ref": "#/$defs/event", "$defs": schemas.folded()["$defs"]}).is_valid

    def _suspect(self, batch: dict[str, Any]) -> dict[str, Any]:
        """A batch without its faultless members, if it has more than a sample takes, so that they use none of that."""
        room = _Sample(MOST_NODES)
        room.copy(batch)
        if room.left > 0:
            return batch
        return {
            name: value
            for name, value in batch.items()
            if not (type(value) is dict or type(value) is list) or not self.is_valid({"environment": "production", name: value})
        }

    def _tell(self, found: Found, value: Any, base: Path, sample: "_Sample", explainer: "_Explainer") -> bool:
        """Findings for the faults of `value`: the batch without its events, or the event at `base`. Whether it has any."""
        faults: dict[tuple[Any, ...], Fault] = {}
        for fault in explainer.faults(value, sample):
            # The findings on names and on valid values stand beside others; of the errors of one value the first is enough.
            key = (fault.path,) if fault.basic and fault.name is None else (fault.path, fault.code, fault.name)
            if key not in faults or _rank(fault) < _rank(faults[key]):
                faults[key] = fault
        ordered = sorted(faults.values(), key=lambda fault: [str(step).zfill(6) for step in fault.path])
        broken = {fault.path for fault in ordered if fault.basic and fault.name is None}
        crash = bool(base) and bool(disguised_crash(value))
        told = _told_as_missing(ordered)
        for fault in ordered:
            if fault.code == "unknown_member":
                if fault.path in told or (crash and fault.path[:-1] == ("data",)):
                    continue
            elif fault.name is None and not fault.basic and fault.path in broken:
                continue  # What more might be said of a value that is not even valid says the same once more.
            if found.room(fault.code) or (fault.code in TURNS_INTO and found.room(TURNS_INTO[fault.code])):
                code = code_of(fault)
                if found.room(code):
                    found.add(code, base + fault.path, *say(fault._replace(code=code)))
        return bool(faults)


class _Explainer:
    """A schema of `schemas.explained()` that says what is wrong."""

    def __init__(self, engine: Callable[[schemas.Schema], Engine], schema: schemas.Schema) -> None:
        self._make = engine
        self._schema = schema
        self._engine = engine(schema)
        self._rules: dict[Path, _Rule] = {}
        self._names: dict[int, Engine] = {}

    def faults(self, value: Any, sample: "_Sample") -> Iterator[Fault]:
        """What is wrong with as much of `value` as the sample takes, and something behind that, if it is not all."""
        copy = sample.copy(value)
        severities: set[str] = set()
        for error in self._engine.errors(copy):
            path = tuple(sample.name(step) if isinstance(step, str) else step for step in error.path)
            for fault in self._of(error, path, value, _at(copy, error.path), sample.name):
                severities.add(CODES[fault.code].severity)
                yield fault
        if sample.left <= 0 and "error" not in severities:
            yield from self.breaking.first(value) or ([] if severities else self._any.first(value))

    def first(self, value: Any) -> list[Fault]:
        """What is wrong with all of `value` first."""
        error = self._engine.first(value)
        path = None if error is None else _path_in(value, error.path)
        if error is None or path is None:
            return []
        return list(islice(self._of(error, path, value, _at(value, path)), MOST_OF_A_CODE))

    @cached_property
    def _any(self) -> "_Explainer":
        """Says less: nothing of names in objects."""
        return _Explainer(self._make, _plain(self._schema, basic=False))

    @cached_property
    def breaking(self) -> "_Explainer":
        """Says less: only what makes a batch invalid."""
        return _Explainer(self._make, _plain(self._schema, basic=True))

    def _of(self, error: Error, path: Path, value: Any, copy: Any, name_of: Callable[[str], str] = str) -> Iterator[Fault]:
        """What an error at `path` of `value` means; `copy` is what is looked at of that, with names that stand for others."""
        rule = self._rules.get(error.schema_path) or self._rules.setdefault(error.schema_path, _rule(self._schema, error))
        got = _at(value, path)
        fault = Fault(rule.code, path, rule.keyword, rule.nodes, got, None, rule.basic, value)
        if "x-names" in rule.node:
            bad = (name for name in got if not self._allowed(rule.node).is_valid(name))
            for name in islice(bad, MOST_OF_A_CODE):
                yield fault._replace(keyword="propertyNames", path=(*path, name), value=name, name=name)
        elif rule.keyword == "required":
            yield from (fault._replace(name=name) for name in rule.node["required"] if name not in got)
        elif rule.keyword == "dependentRequired":
            missing = dict.fromkeys(name for given, names in rule.node[rule.keyword].items() if given in got for name in names)
            yield from (fault._replace(name=name) for name in missing if name not in got)
        elif rule.keyword == "additionalProperties":
            known = rule.node.get("properties", {})
            names = (name_of(name) for name in copy if name not in known)
            yield from (fault._replace(path=(*path, name), name=name) for name in names)
        else:
            yield fault

    def _allowed(self, node: schemas.Schema) -> Engine:
        """What names may be in the objects of a node."""
        return self._names.get(id(node)) or self._names.setdefault(id(node), self._make(node["x-names"]))


def _plain(node: Any, *, basic: bool) -> Any:
    """A schema that asks nothing of names, or, a `basic` one, nothing but what makes a batch valid."""
    if isinstance(node, list):
        return [_plain(item, basic=basic) for item in node if not (basic and isinstance(item, dict) and _is_folded(item))]
    if not isinstance(node, dict):
        return node
    left = {name: _plain(value, basic=basic) for name, value in node.items()}
    if "x-names" in left:
        del left["x-names"], left["maxProperties"]
    if basic and left.get("additionalProperties") is False:
        del left["additionalProperties"]
    if left.get("allOf") == []:
        del left["allOf"]
    return left


def _is_folded(node: schemas.Schema) -> bool:
    """Whether a node is a finding on what may well be valid, and not a part of the documents."""
    return isinstance(node.get("x-code"), str)


class _Rule(NamedTuple):
    """What an error means that a keyword of a schema gives: the nodes on the way to it, the last has it."""

    code: str
    keyword: str
    nodes: tuple[schemas.Schema, ...]
    basic: bool

    @property
    def node(self) -> schemas.Schema:
        return self.nodes[-1]


def _rule(schema: schemas.Schema, error: Error) -> _Rule:
    nodes = tuple(_nodes(schema, error.schema_path))
    keyword = str(error.schema_path[-1])
    folded = next((node["x-code"] for node in reversed(nodes) if isinstance(node.get("x-code"), str)), None)
    own = nodes[-1].get("x-code")
    code = folded or (own.get(keyword) if isinstance(own, dict) else None) or BY_KEYWORD.get(keyword, "malformed_value")
    return _Rule(code, keyword, nodes, folded is None)


def _nodes(schema: schemas.Schema, path: Path) -> Iterator[schemas.Schema]:
    """The nodes on the way to a keyword; the last is the one that has it."""
    node: Any = schema
    yield node
    for step in path[:-1]:
        node = node[int(step)] if isinstance(node, list) else node[step]
        if step == "$ref":
            *_, node = _nodes(schema, (*node.removeprefix("#/").split("/"), ""))
        if isinstance(node, dict):
            yield node


def _rank(fault: Fault) -> int:
    return RANK.index(fault.keyword) if fault.keyword in RANK else len(RANK)


def _told_as_missing(faults: Iterable[Fault]) -> set[Path]:
    """The places of unknown members that are told with what is missing, whose place they take."""
    told: set[Path] = set()
    missing = (fault for fault in faults if fault.code in ("required_missing", "recommended_missing"))
    for fault in islice(missing, 2 * MOST_OF_A_CODE):
        name = misspelling(fault.value, str(fault.name), fault.members)
        told.update((*fault.path, other) for other in ([name] if name is not None else flat(fault.value, str(fault.name))))
    return told


_ALIAS: Final = "\ue000"
"""A character for private use, with which no client begins a name."""


class _Sample:
    """Copies values, `left` of them: enough to find as much as anybody will read.

    In the copies, names that are long, empty or begin like a number have others: jsonschema-rs takes `12` for a position, passes
    over an empty one, and copies them all into each error.
    """

    def __init__(self, left: int) -> None:
        self.left = left
        self._names: list[str] = []

    def copy(self, value: Any) -> Any:
        """The value, or as much of it as is left to look at."""
        if isinstance(value, dict):
            return {self._alias(name): self.copy(member) for name, member in self._taken(value.items())}
        return [self.copy(item) for item in self._taken(value)] if isinstance(value, list) else value

    def name(self, name: str) -> str:
        """The name that this one has in the original."""
        return self._names[int(name[1:])] if name[:1] == _ALIAS else name

    def _taken(self, items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            if self.left <= 0:
                return
            self.left -= 1
            yield item

    def _alias(self, name: str) -> str:
        if 0 < len(name) <= LONG_NAME and name[0] not in "+-0123456789" + _ALIAS:
            return name
        self._names.append(name)
        return f"{_ALIAS}{len(self._names) - 1}"


def _path_in(value: Any, path: Path) -> Path | None:
    """A path of an engine as it is in a value: jsonschema-rs takes `12` for a position, and passes over an empty name."""
    steps: list[str | int] = []
    for step in path:
        step = str(step) if isinstance(value, dict) else step  # noqa: PLW2901  # mended
        if isinstance(value, dict) and step not in value:
            return None
        value = value[step]
        steps.append(step)
    return tuple(steps)


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
    """The one that checks; made when it is first asked for, in a few milliseconds."""
    return Checker(fastest)
