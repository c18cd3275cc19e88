"""What endpoints are given and give: a Submission, the ways to answer it, and the rows of the endpoint tables. No framework."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import msgspec

from .redaction import Headers

if TYPE_CHECKING:
    from .intake import Outcome, Reading


class Submission(msgspec.Struct, gc=False):
    """One HTTP request, read whole. Header names are lower-case; `query` has no question mark.

    `body` holds what was received, unless that exceeds the server's limit: then it is empty and `oversize` is the size in bytes
    that was announced or seen. `incomplete` says that the client closed the connection before the end of the body.
    `arguments` are the variable parts of the path. `kept` are the headers as they are recorded, where somebody has them already.
    """

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    remote: str = ""
    oversize: int = 0
    incomplete: bool = False
    arguments: dict[str, str] = {}
    kept: bytes = b""

    def header(self, name: bytes) -> bytes | None:
        """The first header of this lower-case name."""
        for other, value in self.headers:
            if other == name:
                return value
        return None


class Answer(msgspec.Struct):
    """A whole answer. Header names are lower-case. Whoever sends it waits `delay` seconds, and holds nobody else up."""

    status: int
    headers: Headers
    body: bytes = b""
    delay: float = 0.0


class Chunks(msgspec.Struct):
    """An answer in parts, made while it is sent."""

    headers: Headers
    chunks: Iterator[bytes]


@runtime_checkable
class Waiting(Protocol):
    """An answer that comes when enough was recorded, or when `timeout` seconds have passed."""

    timeout: float

    def poll(self) -> Answer | None:
        """Look at a bounded number of new records; the answer, if it is complete."""

    @property
    def behind(self) -> bool:
        """Whether there are records that `poll` has not looked at."""

    @property
    def far_behind(self) -> bool:
        """Whether these are so many that waiting for more would not make the next look cheaper."""

    def expire(self) -> None:
        """`timeout` has passed: let `behind` become false, however much is recorded from now on."""

    def give_up(self) -> Answer:
        """The answer when `timeout` has passed and nothing from before is left to look at."""


class Following(Protocol):
    """An answer that never ends: what was recorded since the last look."""

    @property
    def headers(self) -> Headers:
        """The headers of the answer."""

    def poll(self) -> bytes:
        """The next chunk from a bounded number of new records, empty if there is none."""

    @property
    def behind(self) -> bool:
        """Whether there are records that `poll` has not looked at."""


@runtime_checkable
class Taking(Protocol):
    """An answer to a body that is taken in while it arrives, in whatever blocks."""

    def take(self, block: bytes) -> Answer | None:
        """Take in the next bytes; the answer, if nothing of what follows is wanted. Raises StoreError."""

    def end(self) -> Answer:
        """The answer to all that was taken in. Raises StoreError."""


Reply = Answer | Chunks | Waiting | Following | Taking


class Upload(Protocol):
    """An upload endpoint in two steps, so that those which arrive together are recorded in one commit."""

    def read(self, submission: Submission) -> "Reading | Answer":
        """What is to be settled, or the answer if there is nothing. Raises StoreError."""

    def answer(self, outcome: "Outcome") -> Answer:
        """The answer to what was settled."""


class Endpoint(msgspec.Struct, frozen=True):
    """A row of an endpoint table. `path` may have variable parts in angle brackets, as Flask writes them.

    `direct` endpoints are called on the event loop, others in a thread; a `streamed` one is called before its body is read.
    An `upload` is the same as the `handler`, in two steps. What a `cors` row answers, any page may read (`endpoints/cors.py`).
    """

    method: str
    path: str
    handler: Callable[[Submission], Reply]
    direct: bool = False
    streamed: bool = False
    upload: Upload | None = None
    cors: bool = False
