"""CORS for the endpoints that a page calls: headers on every answer, and an answer to the browser's preflight.

Endpoint modules put their rows through `shared`; `app.py` and `protocol.py` call `allow` for the answers that they make
themselves. The inspect API never comes here. (`client-sdks.md §2.5`, `identity.md §11`)
"""

from collections import defaultdict
from typing import Final

import msgspec

from ..exchange import Answer, Endpoint, Submission
from ..intake import Intake
from ..recording import StoreError
from ..redaction import Headers
from .answers import error_answer

HEADERS: Final[Headers] = [
    # The SDKs send no credentials that a browser knows of, so that any page may read the answer.
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"x-mp-max-age, retry-after"),
]
"""What every answer of a shared endpoint carries."""

ALLOWED_HEADERS: Final = b"accept, authorization, content-type, x-mp-key"
MAX_AGE_SECONDS: Final = 600
"""How long a browser may remember the answer to a preflight."""


def allow(answer: Answer) -> Answer:
    """The same answer, for every page to read; one that is so already stays as it is."""
    if HEADERS[0] in answer.headers:
        return answer
    # A new list: some answers share theirs.
    return msgspec.structs.replace(answer, headers=[*answer.headers, *HEADERS])


def shared(intake: Intake, rows: list[Endpoint], source: str) -> list[Endpoint]:
    """The rows marked for `app.py` to put the headers on whatever they answer, and one for the preflight of each path.

    `source` is recorded with the preflights.
    """
    methods: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        methods[row.path].append(row.method)
    return [
        *(msgspec.structs.replace(row, cors=True) for row in rows),
        *(
            Endpoint("OPTIONS", path, _Preflight(intake, source, [*names, "OPTIONS"]).answer, cors=True)
            for path, names in methods.items()
        ),
    ]


class _Preflight:
    def __init__(self, intake: Intake, source: str, methods: list[str]) -> None:
        self.intake = intake
        self.source = source
        self.headers: Headers = [
            (b"allow", ", ".join(methods).encode()),
            (b"access-control-allow-methods", ", ".join(methods).encode()),
            (b"access-control-allow-headers", ALLOWED_HEADERS),
            (b"access-control-max-age", str(MAX_AGE_SECONDS).encode()),
        ]

    def answer(self, submission: Submission) -> Answer:
        """204 with what a page may do here; recorded, so that one can see where a browser stopped."""
        try:
            self.intake.note(submission, None, self.source, 204)
        except StoreError as error:
            return error_answer(503, str(error))
        headers = list(self.headers)
        if submission.header(b"access-control-request-private-network") is not None:
            # Chromium asks before a page of a public address may call this machine.
            headers.append((b"access-control-allow-private-network", b"true"))
        return Answer(204, headers)
