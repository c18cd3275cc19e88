"""Heads of uploads that came before: clients send the same bytes again and again, and these are parsed once."""

from typing import Final

import msgspec

from .redaction import Headers, redact
from .routing import Place

MOST_HEADS: Final = 1_000
LONGEST_HEAD: Final = 2_000
"""Heads that are remembered, and how many bytes they may have."""

_END: Final = b"\r\n\r\n"


class Head(msgspec.Struct, frozen=True):
    """What a head says: which row it is for, its headers, the same as they are kept, and how many bytes its body has."""

    place: Place
    headers: Headers
    kept: bytes
    size: int


class Heads(dict[bytes, Head]):
    """Heads by their bytes, from the request line to the blank line; only such as the parser has found good."""

    def find(self, data: bytes) -> tuple[Head, bytes] | None:
        """Head and body, if `data` is one whole request with a known head."""
        end = data.find(_END) + 4
        head = self.get(data[:end])
        return (head, data[end:]) if head is not None and len(data) - end == head.size else None

    def learn(self, data: bytes, body: bytes, place: Place, headers: Headers) -> None:
        """Remember the head of a request that the parser has read from `data`, if that is this request alone."""
        end = len(data) - len(body)
        names = [name for name, _ in headers]
        # A body in chunks says only in itself how long it is; an offer to upgrade needs more than the parser.
        if end > LONGEST_HEAD or data.find(_END) != end - 4 or b"content-length" not in names:
            return
        if b"transfer-encoding" in names or b"upgrade" in names:
            return
        if len(self) >= MOST_HEADS:
            self.clear()
        self[data[:end]] = Head(place, headers, redact(headers), len(body))
