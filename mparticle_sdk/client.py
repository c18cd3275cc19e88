"""EventsApi: uploads batches. What an application uses to send; `api_client` does the single request."""

import threading
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Self, TypeAlias, TypeVar, overload

from . import codec, limits
from .api_client import Answer, ApiClient, configuration_of
from .configuration import Configuration
from .errors import ApiException, Problem, ValidationError

if TYPE_CHECKING:
    from .batch import Batch

__all__ = ["Answer", "ApiClient", "Configuration", "EventsApi"]

EVENTS: Final = "/events"
BULK_EVENTS: Final = "/bulkevents"

BRACKETS: Final = 2
"""Bytes of a bulk request that no batch can use."""

TOO_LARGE: Final = "the batch has {:,} bytes of JSON; a request has room for {:,}. Spread its events over several batches"

T = TypeVar("T")

JsonObject: TypeAlias = dict[str, Any]
"""A batch as a dictionary with the names of the JSON."""

Callback = Callable[[Any], object]
"""Gets what the call would have returned, or an ApiException: exactly of that class, as in the official SDK."""


class EventsApi:
    """Uploads batches to mParticle.

        with mparticle_sdk.EventsApi(mparticle_sdk.Configuration("key", "secret")) as api:
            api.upload_events(batch)

    Threads may share one. Connections are kept open until `close()`, or the end of the `with`; a call after that opens a new one.

    What is sent is the state of the batches when the call begins. Every batch is validated and serialised before the first
    request: a fault in one of them, or one above 256 KB, raises ValidationError, and nothing was sent. Any other failure is an
    ApiException too (`errors` draws the tree); nothing is sent a second time by itself. A dictionary with the names of the JSON
    may stand for a Batch.

    With `callback=` a call returns a thread that does the sending, and the callback gets what the call would have returned
    otherwise, or the exception. Batches are validated before the thread starts: a ValidationError is raised, not called back.
    """

    def __init__(self, config: Configuration | None = None) -> None:
        config = configuration_of(config, "EventsApi")
        if config.api_client is None:
            config.api_client = ApiClient(configuration=config)
        self.api_client = config.api_client

    def close(self) -> None:
        """Close the connections that are kept open."""
        self.api_client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"EventsApi(host={self.api_client.host!r})"

    # -- one batch -------------------------------------------------------------------------------------------------------------

    @overload
    def upload_events(
        self, body: "Batch | JsonObject", *, callback: None = None, _return_http_data_only: None = None
    ) -> Answer[None]: ...

    @overload
    def upload_events(
        self, body: "Batch | JsonObject", *, callback: None = None, _return_http_data_only: bool
    ) -> Answer[None] | None: ...

    @overload
    def upload_events(
        self, body: "Batch | JsonObject", *, callback: Callback, _return_http_data_only: bool | None = None
    ) -> threading.Thread: ...

    def upload_events(
        self, body: "Batch | JsonObject", *, callback: Callback | None = None, _return_http_data_only: bool | None = None
    ) -> Answer[None] | threading.Thread | None:
        """Upload one batch, of one user.

        Returns `(None, 202, headers)`, or None with `_return_http_data_only=True`; with `callback` the thread that sends.
        Raises ApiException; ValueError where `body` is None.
        """
        if body is None:
            raise ValueError("upload_events needs a Batch; got None.")
        if isinstance(body, list | tuple):
            raise ValidationError([Problem("body", f"expected a Batch, got {type(body).__name__}; use bulk_upload_events")])
        (document,) = _serialised([body], lambda _: "", limits.REQUEST_SIZE)
        return self._start(lambda: self._send(body, document), callback, _return_http_data_only)

    upload_events_with_http_info = upload_events

    def _send(self, batch: "Batch | JsonObject", document: bytes) -> Answer[None]:
        try:
            return self.api_client.post(EVENTS, document)
        except ApiException as error:
            error.undelivered = [batch]
            raise

    # -- many ------------------------------------------------------------------------------------------------------------------

    @overload
    def bulk_upload_events(
        self, body: "Iterable[Batch | JsonObject]", *, callback: None = None, _return_http_data_only: None = None
    ) -> Answer[list[Answer[None]]]: ...

    @overload
    def bulk_upload_events(
        self, body: "Iterable[Batch | JsonObject]", *, callback: None = None, _return_http_data_only: Literal[True]
    ) -> list[Answer[None]]: ...

    @overload
    def bulk_upload_events(
        self, body: "Iterable[Batch | JsonObject]", *, callback: Callback, _return_http_data_only: bool | None = None
    ) -> threading.Thread: ...

    def bulk_upload_events(
        self,
        body: "Iterable[Batch | JsonObject]",
        *,
        callback: Callback | None = None,
        _return_http_data_only: bool | None = None,
    ) -> Answer[list[Answer[None]]] | list[Answer[None]] | threading.Thread:
        """Upload any number of batches, of any users, in their order.

        They go out in as few requests as mParticle's limits allow: at most 100 batches and 256 KB each. Returns `(answers,
        status, headers)`: the answers to all requests, and status and headers of the last. For no batches it is `([], 0, {})`,
        and no request is made.

        The first request that fails ends the upload; the exception has the batches from there on as `undelivered`, and the
        answers to the requests before as `delivered`. Raises ApiException; ValueError where `body` is None.
        """
        if body is None:
            raise ValueError("bulk_upload_events needs Batches; got None.")
        if isinstance(body, str | bytes | dict) or not isinstance(body, Iterable):
            hint = "put one batch into a list, or use upload_events"
            raise ValidationError([Problem("body", f"expected a list of Batches, got {type(body).__name__}; {hint}")])
        batches = list(body)
        parts = _parts(_serialised(batches, lambda index: f"body[{index}]", limits.REQUEST_SIZE - BRACKETS))
        return self._start(lambda: self._send_parts(batches, parts), callback, _return_http_data_only)

    bulk_upload_events_with_http_info = bulk_upload_events

    def _send_parts(self, batches: "Sequence[Batch | JsonObject]", parts: Sequence["_Part"]) -> Answer[list[Answer[None]]]:
        answers: list[Answer[None]] = []
        for part in parts:
            try:
                answers.append(self.api_client.post(BULK_EVENTS, part.document))
            except ApiException as error:
                error.undelivered = list(batches[part.start :])
                error.delivered = answers
                raise
        return Answer(answers, answers[-1].status, answers[-1].headers) if answers else Answer([], 0, {})

    # -- now, or in a thread -----------------------------------------------------------------------------------------------------

    def _start(
        self, send: Callable[[], Answer[T]], callback: Callback | None, data_only: bool | None
    ) -> Answer[T] | T | threading.Thread:
        if callback is None:
            answer = send()
            return answer.data if data_only else answer
        if not callable(callback):
            raise TypeError(f"callback is of type {type(callback).__name__}; expected a function that takes the result.")
        thread = threading.Thread(target=_call_back, args=(send, callback, data_only), name="mparticle-upload")
        thread.start()
        return thread


class _Part(NamedTuple):
    """The body of one bulk request, and the index of its first batch."""

    start: int
    document: bytes


def _call_back(send: Callable[[], Answer[Any]], callback: Callback, data_only: bool | None) -> None:
    try:
        answer = send()
    except ApiException as error:
        callback(_plain(error))
    else:
        callback(answer.data if data_only else answer)


def _plain(error: ApiException) -> ApiException:
    """The same exception of exactly the root class, which programs for the official SDK look for with `type(response) is`."""
    plain = ApiException()
    plain.__dict__.update(error.__dict__)
    plain.__cause__ = error
    return plain


def _serialised(bodies: Sequence[Any], path: Callable[[int], str], room: int) -> list[bytes]:
    """Each batch as JSON, of at most `room` bytes. Raises ValidationError with the problems of all of them."""
    from .batch import Batch

    problems: list[Problem] = []
    documents: list[bytes] = []
    for index, body in enumerate(bodies):
        # A dictionary with the names of JSON is as good.
        batch = Batch.from_dict(body) if isinstance(body, dict) else body
        if not isinstance(batch, Batch):
            problems.append(Problem(path(index) or "body", f"expected a Batch, got {type(body).__name__}"))
        elif found := codec.problems(batch, path(index)):
            problems += found
        else:
            try:
                document = codec.encode(batch)
            except (TypeError, ValueError, RecursionError) as wrong:  # another thread changed what was just found right
                problems.append(Problem(path(index), f"cannot be written as JSON: {wrong}"))
                continue
            if len(document) > room:
                problems.append(Problem(path(index), TOO_LARGE.format(len(document), room)))
            documents.append(document)
    if problems:
        error = ValidationError(problems)
        error.undelivered = list(bodies)
        raise error
    return documents


def _parts(documents: Iterable[bytes]) -> list["_Part"]:
    """The bodies of as few requests as the limits allow, in order."""
    parts: list[_Part] = []
    start, taken, size = 0, list[bytes](), BRACKETS
    for index, document in enumerate(documents):
        # A comma before each but the first, which the count of brackets leaves out.
        if taken and (len(taken) == limits.BATCHES_PER_REQUEST or size + 1 + len(document) > limits.REQUEST_SIZE):
            parts.append(_Part(start, b"[" + b",".join(taken) + b"]"))
            start, taken, size = index, [], BRACKETS
        size += len(document) + (1 if taken else 0)
        taken.append(document)
    if taken:
        parts.append(_Part(start, b"[" + b",".join(taken) + b"]"))
    return parts
