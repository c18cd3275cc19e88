"""`/_fake/snippet/{client}`: how to point a client's SDK at this very server."""

from typing import Final
from urllib.parse import urlsplit

from ..exchange import Answer, Endpoint, Submission
from ..intake import Intake
from ..query import FilterError
from ..snippets import UnknownClientError, snippet
from .answers import error_answer
from .guard import guarded, pairs

ANY_KEY: Final = "my-key"
ANY_SECRET: Final = "my-secret"  # noqa: S105  # stands for the one that is not told


def endpoints(intake: Intake, token: str | None = None) -> list[Endpoint]:
    """The table; guarded as the rest of the inspect API."""
    return [Endpoint("GET", "/_fake/snippet/<client>", guarded(_Snippets(intake).answer, token))]


class _Snippets:
    def __init__(self, intake: Intake) -> None:
        self.intake = intake

    def answer(self, submission: Submission) -> Answer:
        key = self._key()
        for name, value in pairs(submission):
            if name == "key":
                key = value
            elif name != "token":
                raise FilterError(f"Unknown parameter {name[:80]!r}. Valid: key.")
        url, tls_url = self._urls(submission)
        try:
            # The secret stays here: whoever made the input knows it, and where it has none every one will do.
            text = snippet(submission.arguments["client"], url, key, ANY_SECRET, tls_url)
        except UnknownClientError as error:
            return error_answer(404, str(error))
        body = text.encode()
        kind = (b"content-type", b"text/plain; charset=utf-8")
        return Answer(200, [kind, (b"content-length", str(len(body)).encode())], body)

    def _key(self) -> str:
        """The first key of the workspace `default`, else of any."""
        # `default` was there first.
        keys = [key for workspace in self.intake.workspaces for key in workspace.inputs]
        return keys[0] if keys else ANY_KEY

    def _urls(self, submission: Submission) -> tuple[str, str | None]:
        """The server as the one who asks calls it, on its ports of HTTP and HTTPS."""
        host, port = _host_and_port((submission.header(b"host") or b"").decode("latin-1"))
        url, tls_url = self.intake.addresses
        if url is not None:
            port = urlsplit(url).port
        tls_port = urlsplit(tls_url).port if tls_url is not None else None
        return f"http://{host}:{port}" if port else f"http://{host}", f"https://{host}:{tls_port}" if tls_port else None


def _host_and_port(host: str) -> tuple[str, int | None]:
    """The parts of a Host header; those of this machine where it cannot be read."""
    try:
        asked = urlsplit(f"//{host}")
        name, port = asked.hostname or "localhost", asked.port
    except ValueError:
        return "localhost", None
    return (f"[{name}]" if ":" in name else name), port
