"""An error of the schema on its way to a finding: made by the check against the schema, read by what words it."""

from typing import Any, NamedTuple

from .. import schemas
from .found import Path


class Fault(NamedTuple):
    """An error of the schema as a finding: its code and place, the keyword, the nodes on the way to it, and the value got there.

    `name` is the member that is missing, unknown or not allowed. `basic` is false for what `x-findings` say of a valid value.
    `root` is the event or, outside events, the batch: `path` begins there.
    """

    code: str
    path: Path
    keyword: str
    nodes: tuple[schemas.Schema, ...]
    value: Any
    name: str | None
    basic: bool
    root: Any

    @property
    def event_type(self) -> Any:
        """The type of the event around it, None outside events."""
        in_event = any(node.get("title") == "Event" and "properties" in node for node in self.nodes)
        return self.root.get("event_type") if in_event else None

    @property
    def node(self) -> schemas.Schema:
        """The node that has the keyword."""
        return self.nodes[-1]

    @property
    def document(self) -> schemas.Schema:
        """The schema of the object around it."""
        return next((node for node in reversed(self.nodes) if "title" in node and "properties" in node), {})

    @property
    def members(self) -> schemas.Schema:
        """The documented members of that object."""
        members: schemas.Schema = self.document.get("properties", {})
        return members

    @property
    def expected(self) -> str:
        """What the innermost description says."""
        said: str = next((node["description"] for node in reversed(self.nodes) if "description" in node), "")
        return said.partition(". ")[0].rstrip(".")
