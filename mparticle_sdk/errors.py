"""Every exception of the SDK. The clients raise them; `codec` names what it finds wrong by `Problem`.

    ApiException                    also of any status that has no class of its own: 404, a redirect, …
    ├── ValidationError             a model that mParticle would not understand; nothing was sent. Also a ValueError
    ├── ConfigurationError          a host, pod, variable or certificate that cannot be used. Also a ValueError
    ├── BadRequestError             400
    ├── UnauthorizedError           401: no credentials, or none that can be read
    ├── ForbiddenError              403: wrong credentials
    ├── TooLargeError               413
    ├── TooManyRequestsError        429; `retry_after`
    ├── ServerError                 500 to 599
    └── TransportError              no complete answer came; `status` is 0
        ├── ConnectionFailedError   refused, reset, not trusted, unknown name
        └── TimedOutError           no answer in time: mParticle may have got the request all the same

A call with a callback is told of these by an `ApiException` of exactly that class, whose `__cause__` is the one drawn here:
programs for the official SDK ask `type(response) is ApiException`.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import msgspec

if TYPE_CHECKING:
    from .client import Answer

BODY_SHOWN: Final = 500
"""Characters of an answer's body that the text of an exception shows, where the body is not mParticle's error document."""

ERRORS_SHOWN: Final = 5000
"""Characters of the entries of mParticle's error document that it shows."""

PROBLEMS_SHOWN: Final = 50
"""Problems that the text of a ValidationError lists; `problems` has them all."""


class Problem(NamedTuple):
    """One thing that is wrong with a model: where it is, and what was got and expected there."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class HttpResponse(Protocol):
    """What `ApiException(http_resp=…)` reads."""

    @property
    def status(self) -> int: ...
    @property
    def reason(self) -> str: ...
    @property
    def data(self) -> str: ...

    def getheaders(self) -> Mapping[str, str]:
        """The headers; names in any case."""


class ApiResponseErrors(msgspec.Struct):
    """One entry of mParticle's error body (`protocol/events-api.md §4`)."""

    code: str | None = None
    message: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The members by name."""
        return msgspec.structs.asdict(self)

    def to_str(self) -> str:
        """The code and the message in one line."""
        return ": ".join(part for part in (self.code, self.message) if part)


class ApiException(Exception):  # noqa: N818  # the official SDK's name
    """A call that did not succeed.

    `status` and `reason` are those of the answer, with status 0 where none came; `body` is its text (of a longer one the first
    megabyte) and `headers` its headers, or None. `errors` are the entries of mParticle's error body, empty where the body is
    something else.

    `undelivered` has the batches whose delivery nobody confirmed, in their order, and `delivered` the answers to the requests
    that did succeed before.
    """

    def __init__(self, status: int | None = None, reason: str | None = None, http_resp: HttpResponse | None = None) -> None:
        super().__init__()
        self.status = status
        self.reason = reason
        self.body: str | None = None
        self.headers: Mapping[str, str] | None = None
        if http_resp is not None:
            self.status = http_resp.status
            self.reason = http_resp.reason
            self.body = http_resp.data
            self.headers = http_resp.getheaders()
        self.errors: list[ApiResponseErrors] = _errors(self.body)
        self.undelivered: list[Any] = []
        self.delivered: list[Answer[None]] = []

    def __str__(self) -> str:
        text = f"({self.status}) {self.reason}" if self.status else str(self.reason)
        if self.errors:
            text += f": {_cut('; '.join(error.to_str() for error in self.errors), ERRORS_SHOWN)}"
        elif self.body and self.body.strip():
            text += f": {_cut(self.body.strip(), BODY_SHOWN)}"
        return escaped(text) + self._delivery()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def _delivery(self) -> str:
        if not self.delivered:
            return ""
        return f" [requests that succeeded before: {len(self.delivered)}; batches not delivered: {len(self.undelivered)}]"


class ValidationError(ApiException, ValueError):
    """Models that mParticle would not understand, found before anything was sent. `problems` has every one of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(status=0, reason="not sent")
        self.args = (problems,)
        self.problems = list(problems)

    def __str__(self) -> str:
        shown = [str(problem) for problem in self.problems[:PROBLEMS_SHOWN]]
        more = len(self.problems) - len(shown)
        if more:
            shown.append(f"… and {more} more")
        if len(shown) == 1:
            return escaped(shown[0])
        return escaped("\n".join([f"{len(self.problems)} problems:", *(f"  {line}" for line in shown)]))


class ConfigurationError(ApiException, ValueError):
    """A setting that cannot be used."""

    def __init__(self, reason: str) -> None:
        super().__init__(status=0, reason=reason)
        self.args = (reason,)


class BadRequestError(ApiException):
    """400: JSON that cannot be read, or a required member is missing."""


class UnauthorizedError(ApiException):
    """401: the credentials are missing."""


class ForbiddenError(ApiException):
    """403: the key and the secret are not of one input."""


class TooLargeError(ApiException):
    """413: the request is too large for whoever answered."""


class TooManyRequestsError(ApiException):
    """429: more than the limits of the account allow (`protocol/events-api.md §5`)."""

    @property
    def retry_after(self) -> int | None:
        """How many seconds to wait before the next try; None where the answer does not tell, or names a date."""
        value = (self.headers or {}).get("Retry-After", "").strip()
        return int(value) if value.isascii() and value.isdigit() and len(value) < 20 else None


class ServerError(ApiException):
    """500 to 599: try again later, with exponential back-off."""


class TransportError(ApiException):
    """No complete answer came."""


class ConnectionFailedError(TransportError):
    """No connection, or it broke before the answer was complete."""


class TimedOutError(TransportError):
    """No answer in time. Whether mParticle got the request is not known; a `source_request_id` makes it safe to send again."""


BY_STATUS: Final[dict[int, type[ApiException]]] = {
    400: BadRequestError,
    401: UnauthorizedError,
    403: ForbiddenError,
    413: TooLargeError,
    429: TooManyRequestsError,
}


def of_answer(answer: HttpResponse) -> ApiException:
    """The exception for an answer that is not a success."""
    kind = BY_STATUS.get(answer.status) or (ServerError if 500 <= answer.status < 600 else ApiException)
    return kind(http_resp=answer)


def _errors(body: str | None) -> list[ApiResponseErrors]:
    """The entries of mParticle's error body, as far as it is one."""
    if not body:
        return []
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return []
    entries = document.get("errors") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        return []
    return [
        ApiResponseErrors(_text(entry.get("code")), _text(entry.get("message"))) for entry in entries if isinstance(entry, dict)
    ]


def escaped(text: str) -> str:
    """Foreign text as a terminal may show it: what would steer it is written as Python writes it, line breaks stay."""
    return text.replace("\r\n", "\n").translate(_ESCAPES)


_STEERING: Final = (*range(9), *range(11, 32), *range(0x7F, 0xA0), 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
"""Control characters, and those that turn the direction of writing."""

_ESCAPES: Final = {code: ascii(chr(code))[1:-1] for code in _STEERING}


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)
