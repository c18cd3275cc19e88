"""create_app(): the Flask application, complete: every endpoint table. Enough for a test client, a session without sockets, or
any WSGI host; `front.py` overtakes it where speed counts.
"""

import contextlib
import difflib
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from typing import Final, Unpack

from flask import Flask, Request, Response, request
from werkzeug.exceptions import ClientDisconnected, HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import BaseConverter, MapAdapter

from .checks.finding import make
from .endpoints import cors, start_page
from .endpoints.answers import CODES, error_answer, tell
from .exchange import Answer, Chunks, Endpoint, Following, Submission, Taking, Waiting
from .hosting import CONNECTED, HEARTBEAT, HEARTBEAT_SECONDS, Options, open_intake, polled, query_of, tables
from .intake import Intake
from .recording import Recorder, StoreError
from .redaction import redact_url


def create_app(**options: Unpack[Options]) -> Flask:
    """A complete fake mParticle as a Flask application; `app.extensions["mparticle_fake"]` is its Intake."""
    intake = open_intake(**options)
    return make_app(intake, tables(intake, options.get("token")))


class _Whole(BaseConverter):
    """A variable part that may have slashes: percent-encoded ones come decoded, as hosts hand a path on.

    It has not the end of a longer path in it, which other methods serve.
    """

    regex = r"(?:(?!/inputs/[^/]+$)[\s\S])+"
    part_isolating = False


_WITH_SLASHES: Final = ("<name>", "<whole:name>")
"""The part of a path that may, and how Werkzeug is told so: the name of a workspace is anybody's choice, an API key is not."""


class _Application(Flask):
    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Route by the path alone: any Host is answered, also one that is no host name."""
        if request is None:
            return super().create_url_adapter(request)
        path = _path(request)
        # Werkzeug would drop one of two leading slashes, which production does not serve.
        return self.url_map.bind("fake", path_info=f"/.{path}" if path.startswith("//") else path, default_method=request.method)


def make_app(intake: Intake, rows: list[Endpoint]) -> Flask:
    """The Flask application over given endpoint tables."""
    app = _Application("mparticle_fake_server", static_folder=None)
    app.extensions["mparticle_fake"] = intake
    # A path is what the client wrote: no redirect may turn its POST into something else.
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = True
    app.url_map.converters["whole"] = _Whole
    for row in rows:
        app.add_url_rule(
            row.path.replace(*_WITH_SLASHES),
            endpoint=f"{row.method} {row.path}",
            view_func=_view(intake, row),
            methods=[row.method],
            provide_automatic_options=False,
        )
    paths = sorted({row.path for row in rows})

    def not_found(_: Exception) -> Response:
        return _respond(intake.recorder, _stray(intake, submission_of(request, intake.max_body), 404, paths, []))

    def not_allowed(error: Exception) -> Response:
        assert isinstance(error, MethodNotAllowed)
        # HEAD is Werkzeug's own addition to every GET.
        methods = sorted(set(error.valid_methods or ()) - {"HEAD"})
        return _respond(intake.recorder, _stray(intake, submission_of(request, intake.max_body), 405, paths, methods))

    def other(error: HTTPException) -> Response:
        status = error.code or 500
        return _response(error_answer(status if status in CODES else 400, str(error.description)))

    app.register_error_handler(HTTPException, other)
    app.register_error_handler(NotFound, not_found)
    app.register_error_handler(MethodNotAllowed, not_allowed)
    return app


def _view(intake: Intake, row: Endpoint) -> Callable[..., Response]:
    def view(**arguments: str) -> Response:
        submission = submission_of(request, intake.max_body, arguments, streamed=row.streamed)
        reply = row.handler(submission)
        return _respond(intake.recorder, _taken(reply, request) if isinstance(reply, Taking) else reply)

    return view


def _path(request: Request) -> str:
    path: str = request.environ.get("PATH_INFO", "/")
    return path.encode("latin-1").decode("utf-8", "replace") or "/"


def submission_of(
    request: Request, max_body: int, arguments: dict[str, str] | None = None, *, streamed: bool = False
) -> Submission:
    """A Submission from a Flask request; the body is read up to `max_body` bytes, a `streamed` one not at all."""
    submission = Submission(
        request.method,
        _path(request),
        query_of(request.query_string),
        [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in request.headers.items()],
        b"",
        request.remote_addr or "",
        arguments=arguments or {},
    )
    if streamed:
        return submission
    if request.content_length is not None and request.content_length > max_body:
        submission.oversize = request.content_length
    else:
        try:
            body = request.stream.read(max_body + 1)
        except ClientDisconnected:
            submission.incomplete = True
            return submission
        if len(body) > max_body:
            submission.oversize = len(body)
        else:
            submission.body = body
    return submission


def _stray(intake: Intake, submission: Submission, status: int, paths: list[str], methods: list[str]) -> Answer:
    """The answer to a path or a method that no table has; recorded, unless it was meant for the inspect API."""
    path = submission.path
    shown = redact_url(path)[:200]
    looks = submission.method in ("GET", "HEAD") and b"text/html" in (submission.header(b"accept") or b"")
    if looks and path in start_page.BROWSED:
        # Somebody opens the server's address in a browser; for clients it is as unknown as any other path.
        return start_page.page(start_page.BROWSED[path])
    if status == 405:
        finding = make(
            "method_not_allowed",
            f"{submission.method} {shown} is not served.",
            hint=f"Use {' or '.join(methods)}.",
        )
    else:
        finding = make("path_unknown", f"{submission.method} {shown} is no mParticle endpoint.", hint=_path_hint(path, paths))
    # A browser that shows what is below /_fake asks for an icon too.
    if not path.startswith("/_fake") and not (submission.method in ("GET", "HEAD") and path == "/favicon.ico"):
        try:
            intake.refuse(submission, status, finding, "unknown")
        except StoreError as error:
            return cors.allow(error_answer(503, str(error)))
    answer = error_answer(status, tell(finding), headers=[(b"allow", ", ".join(methods).encode())] if methods else None)
    # A page that asks at a wrong path should be able to read so; at an endpoint that pages do not call, it need not.
    return cors.allow(answer) if ("OPTIONS" in methods if methods else not path.startswith("/_fake")) else answer


def _path_hint(path: str, paths: list[str]) -> str:
    squeezed = "/" + "/".join(part for part in path.split("/") if part)
    if squeezed != path and squeezed in paths:
        # Whoever asks the inspect API is no client with a host and a base path.
        why = "" if squeezed.startswith("/_fake") else " The client's host or base path ends in a slash too many."
        return f"Did you mean {squeezed}?{why}"
    if f"/v2{squeezed}" in paths:
        return "The host of the SDK's Configuration must include /v2."
    near = difflib.get_close_matches(path[:200], paths, 1, 0.7)
    return f"Did you mean {near[0]}?" if near else "GET /_fake/openapi.json lists what is served."


# -- sending a reply from a WSGI thread ------------------------------------------------------------------------------------


def _respond(recorder: Recorder, reply: Answer | Chunks | Waiting | Following) -> Response:
    if isinstance(reply, Answer):
        if reply.delay:
            # This host has a thread for each request; the front waits without one.
            time.sleep(reply.delay)
        return _response(reply)
    if isinstance(reply, Chunks):
        chunks = _begun(reply.chunks)
        if isinstance(chunks, Answer):
            return _response(chunks)
        response = Response(chunks, 200)
        _set_headers(response, reply.headers)
        return response
    if isinstance(reply, Waiting):
        return _response(_await(recorder, reply))
    response = Response(_followed(recorder, reply), 200)
    _set_headers(response, reply.headers)
    return response


def _response(answer: Answer) -> Response:
    response = Response(answer.body, answer.status)
    response.headers.clear()
    _set_headers(response, answer.headers)
    return response


def _set_headers(response: Response, headers: list[tuple[bytes, bytes]]) -> None:
    for name, value in headers:
        response.headers[name.decode("latin-1")] = value.decode("latin-1")


def _begun(chunks: Iterator[bytes]) -> Iterator[bytes] | Answer:
    """The chunks without the empty ones, the first of them made: a store that fails until then can still be told by a status."""
    chunks = filter(None, chunks)
    try:
        first = next(chunks, b"")
    except StoreError as error:
        return error_answer(503, str(error))
    return chain((first,), chunks)


def _taken(taking: Taking, request: Request) -> Answer:
    """The answer to a body that is taken in as it arrives; one that breaks off ends there."""
    answer = None
    with contextlib.suppress(ClientDisconnected):
        while answer is None and (block := request.stream.read(65_536)):
            answer = polled(partial(taking.take, block))
    return polled(taking.end) if answer is None else answer


def _await(recorder: Recorder, waiting: Waiting) -> Answer:
    end = time.monotonic() + waiting.timeout
    while True:
        answer = polled(waiting.poll)
        if answer is not None:
            return answer
        left = end - time.monotonic()
        if left <= 0:
            waiting.expire()
            if not waiting.behind:
                return polled(waiting.give_up)
        recorder.wait(lambda: waiting.behind, max(left, 0))


def _followed(recorder: Recorder, following: Following) -> Iterator[bytes]:
    yield CONNECTED
    while True:
        chunk = following.poll()
        if chunk:
            yield chunk
        elif not recorder.wait(lambda: following.behind, HEARTBEAT_SECONDS):
            yield HEARTBEAT
