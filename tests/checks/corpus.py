"""Reads the labelled batches of `tests/data/flawed` and `tests/data/valid`, and sends them; for the tests of the corpus.

An entry has `name`, `why` (with its source) and what is sent: `batch`, `bulk` (an array of them), `body` (text) or `body_base64`,
with `headers` and `path` where they are not the usual ones. `before` are batches that the same workspace got earlier. `findings`
is all that is to be found. To keep the files small, `<257 x>` in any text or name stands for 257 times x, and `generate` adds
`count` members or items to what `at` points to (in `before[n]` if it says so); in their names and texts # is the number of each.
"""

import base64
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import CHECKOUT

DATA = CHECKOUT / "tests" / "data"
NOW_MS = 1_750_000_000_000
"""When all entries are sent: 15 June 2025, 15:06:40 UTC."""

Label = tuple[str, str, int | None]
"""Code, pointer, and in bulk the index of the batch."""

_REPEATED = re.compile(r"<(\d+) (.)>")


@dataclass
class Entry:
    """One labelled request. `before` are the bodies of earlier ones, each a batch."""

    name: str
    file: str
    why: str
    path: str
    body: bytes
    headers: dict[str, str]
    labels: list[Label]
    before: list[bytes] = field(default_factory=list)

    @property
    def bulk(self) -> bool:
        return self.path != "/v2/events"

    def __str__(self) -> str:
        return f"{self.file}: {self.name}"


def read(folder: str) -> list[Entry]:
    """All entries of a folder of `tests/data`."""
    return [_entry(path, given) for path in sorted((DATA / folder).glob("*.json")) for given in json.loads(path.read_bytes())]


def _entry(path: Path, given: dict[str, Any]) -> Entry:
    if "body_base64" in given:
        body = base64.b64decode(given["body_base64"])
    elif "body" in given:
        body = _expand(given["body"]).encode()
    else:
        body = b""
    content = _expand(given.get("bulk", given.get("batch")))
    before = _expand(given.get("before", []))
    for instruction in given.get("generate", []):
        _generate(instruction, before[instruction["before"]] if "before" in instruction else content)
    labels = [(label["code"], _expand(label["pointer"]), label.get("index")) for label in given.get("findings", [])]
    return Entry(
        given["name"],
        path.stem,
        given["why"],
        given.get("path", "/v2/bulkevents" if "bulk" in given else "/v2/events"),
        body if content is None else written(content),
        given.get("headers", {}),
        sorted(labels, key=str),
        [written(batch) for batch in before],
    )


def written(content: Any) -> bytes:
    """As compact as clients write JSON, so that limits on sizes mean the same."""
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


def _expand(node: Any) -> Any:
    if isinstance(node, str):
        return _REPEATED.sub(lambda found: found[2] * int(found[1]), node)
    if isinstance(node, dict):
        return {_expand(name): _expand(value) for name, value in node.items()}
    return [_expand(item) for item in node] if isinstance(node, list) else node


def _generate(instruction: dict[str, Any], content: Any) -> None:
    container = at(content, instruction["at"])
    for number in range(instruction["count"]):
        value = _numbered(_expand(instruction["value"]), number)
        if isinstance(container, list):
            container.append(value)
        else:
            container[_numbered(instruction["name"], number)] = value


def _numbered(node: Any, number: int) -> Any:
    if isinstance(node, str):
        return node.replace("#", str(number))
    if isinstance(node, dict):
        return {name: _numbered(value, number) for name, value in node.items()}
    return [_numbered(item, number) for item in node] if isinstance(node, list) else node


def tokens(pointer: str) -> list[str]:
    """The names and numbers of a JSON pointer (RFC 6901)."""
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


def at(content: Any, pointer: str) -> Any:
    """What a JSON pointer points to. Raises LookupError or ValueError if there is nothing."""
    for token in tokens(pointer):
        content = content[int(token)] if isinstance(content, list) else content[token]
    return content
