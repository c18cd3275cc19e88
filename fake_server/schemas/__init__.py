"""Our JSON Schema documents of the Events API, a file an object or event type, and the two forms in which they are put together.

The checks compile `folded()`; `mparticle-fake schema` prints `load()` or `bundle()`. A batch is valid by the documents alone;
`x-findings` beside a node holds, by code, what its value should satisfy besides.
"""

from functools import cache
from importlib.resources import files
from typing import Any, Final, TypeAlias

import msgspec

Schema: TypeAlias = dict[str, Any]

ROOT: Final = "batch.json"
"""The document of a whole batch."""

_CHILDREN: Final = frozenset({"not", "if", "then", "else", "items", "propertyNames", "additionalProperties"})
_LISTS: Final = frozenset({"allOf", "anyOf", "oneOf"})
_MAPS: Final = frozenset({"properties", "patternProperties", "$defs", "x-findings"})


@cache
def load() -> dict[str, Schema]:
    """Every document by the name of its file, the batch first."""
    found = sorted(
        (file for file in files(__name__).iterdir() if file.name.endswith(".json")),
        key=lambda file: (file.name != ROOT, file.name),
    )
    return {file.name: msgspec.json.decode(file.read_bytes()) for file in found}


@cache
def bundle() -> Schema:
    """All documents in one: the batch's, with the others in its `$defs`. `x-findings` stay, and other tools pass over them."""
    documents = {name: _moved(document, name) for name, document in load().items()}
    whole: Schema = documents.pop(ROOT)
    for document in documents.values():
        del document["$id"], document["$schema"]
    whole["$id"] = whole["$id"].replace(ROOT, "bundle.json")
    whole["$defs"] = {name.removesuffix(".json"): document for name, document in documents.items()}
    return whole


@cache
def folded() -> Schema:
    """The bundle as it is checked: each entry of `x-findings` stands in its node's `allOf`, in their order, with its `x-code`.

    `unknown_member` becomes the node's own `additionalProperties`, which sees the properties beside it alone.
    """
    whole: Schema = _folded(bundle())
    whole["$id"] = whole["$id"].replace("bundle.json", "folded.json")
    return whole


@cache
def explained() -> Schema:
    """What is folded, as it is asked for errors: with `x-names`, which engines pass over, for `propertyNames`.

    For each bad name in an object an engine has an error with a copy of the whole object. Here each object with names at all gets
    one error, by `maxProperties` of 0; the checks then look at its names. Members that refer to another document's members are
    these: jsonschema-rs leaves out steps of the way to what is a member and referred to besides.
    """
    whole: Schema = _to_explain(folded())
    return whole


def _to_explain(node: Any) -> Any:
    if isinstance(node, dict) and "/properties/" in node.get("$ref", ""):
        _, _, name, _, member = node["$ref"].split("/")
        node = folded()["$defs"][name]["properties"][member]
    copy = _each(node, _to_explain)
    if isinstance(copy, dict) and "propertyNames" in copy:
        copy |= {"x-names": copy.pop("propertyNames"), "maxProperties": 0}
    return copy


def _each(node: Any, change: Any) -> Any:
    """A copy of a schema with `change` applied to the schemas directly in it."""
    if not isinstance(node, dict):
        return node  # true or false
    copy: Schema = {}
    for keyword, value in node.items():
        if keyword in _CHILDREN:
            copy[keyword] = change(value)
        elif keyword in _LISTS:
            copy[keyword] = [change(item) for item in value]
        elif keyword in _MAPS:
            copy[keyword] = {name: change(item) for name, item in value.items()}
        else:
            copy[keyword] = value
    return copy


def _moved(node: Any, file: str) -> Any:
    """The references of a document as they are in the bundle: `location.json` becomes `#/$defs/location`."""
    copy = _each(node, lambda child: _moved(child, file))
    if isinstance(copy, dict) and "$ref" in copy:
        name, _, place = copy["$ref"].partition("#")
        copy["$ref"] = f"#/$defs/{(name or file).removesuffix('.json')}{place}"
    return copy


def _folded(node: Any) -> Any:
    copy = _each(node, _folded)
    if isinstance(copy, dict):
        branches = copy.get("allOf", [])
        if len(branches) > 1 and all("if" in branch for branch in branches):
            del copy["allOf"]
            copy |= _chained(branches)
        if "x-findings" in copy:
            entries = copy.pop("x-findings")
            copy |= entries.pop("unknown_member", {})
            if entries:
                copy["allOf"] = [*copy.get("allOf", ()), *({"x-code": code, **entry} for code, entry in entries.items())]
    return copy


def _chained(branches: list[Schema]) -> Schema:
    """Branches of which at most one applies, as a chain that ends at that one: a third less time for a batch of all types."""
    chain: Schema = {}
    for branch in reversed(branches):
        chain = {**branch, "else": chain} if chain else branch
    return chain
