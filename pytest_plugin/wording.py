"""What a report calls a test's own values, whatever their classes do, and how it words what is meant for another reader."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from mparticle_fake_server.words import counted, printable

if TYPE_CHECKING:
    from mparticle_fake_server.checks.finding import Finding

    from .interception import Interception


def safe_repr(value: object) -> str:
    """The repr of a value, or that it has none: a report is not to fail for that."""
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001  # of a test's own class
        return f"<{type(value).__name__} whose repr raises {type(error).__name__}>"


FAULT: Final = "fault_injected: the test asked for it, with fail_next or fail_always"
"""What the finding of a fault comes to in a test."""

INTERCEPT: Final = "What code sends to mParticle's own hosts only comes here with fake_mparticle.intercept()."
"""What may be missing where nothing came."""

MET_NOTHING: Final = (
    "intercept() met nothing for mParticle's own hosts. It catches requests, urllib3 and httpx; aiohttp, http.client, "
    "urllib.request and other processes have to send to fake_mparticle.url."
)
"""The same, where a test intercepts."""

ENDED: Final = "Its block has ended: what is sent after it is not caught."
"""Besides, where no interception lasts."""

MOST_REFUSED: Final = 2
"""Refusals of interceptions that are told."""

WIDTH: Final = 118
"""Characters of a line of these."""

PROXY: Final = (
    "The environment names a proxy, and NO_PROXY does not except 127.0.0.1: requests, httpx and curl look for the fake there. "
    "Set NO_PROXY=127.0.0.1,localhost."
)

_CA_OF_SERVE: Final = "the CA that 'mparticle-fake ca' prints"
_CA_OF_A_TEST: Final = "the CA in fake_mparticle.ca_path, for requests by verify=fake_mparticle.ca_path"


def hint_of(finding: "Finding") -> str | None:
    """What a finding advises, for who writes a test: the fake of a run has a CA of its own."""
    return finding.hint.replace(_CA_OF_SERVE, _CA_OF_A_TEST) if finding.hint else None


def called(method: str, path: str) -> str:
    """A request by its method and path, which what is no HTTP has not."""
    return f"{method} {path}" if method != "?" else "no HTTP request"


def of_ended(came: "Mapping[str, int]") -> list[str]:
    """What may be wrong where requests came with the keys of tests that have ended, `came` of each; nothing if none did."""
    if not came:
        return []
    first, *others = came
    whose = f"{printable(first)}, which has ended" + (f", and of {counted(len(others), 'other')}" if others else "")
    text = f"{counted(sum(came.values()), 'request')} came meanwhile with the key of {whose}. "
    return textwrap.wrap(f"{text}Does the code under test keep a client, or its key, from one test to the next?", WIDTH)


def of_silence(interceptions: "Sequence[Interception]") -> list[str]:
    """What may be wrong where nothing came; `interceptions` are those of the test, whether they last or have ended."""
    from requests.utils import get_environ_proxies, select_proxy

    here = "http://127.0.0.1"
    return [*_of_interceptions(interceptions), *([PROXY] if select_proxy(here, get_environ_proxies(here)) else [])]


def _of_interceptions(interceptions: "Sequence[Interception]") -> list[str]:
    refusals = list(dict.fromkeys(str(failure) for interception in interceptions for failure in interception.failures))
    if refusals:
        lines = [line for text in refusals[:MOST_REFUSED] for line in textwrap.wrap(printable(text), WIDTH)]
        return lines + ([f"… and {len(refusals) - MOST_REFUSED} more"] if len(refusals) > MOST_REFUSED else [])
    if not interceptions:
        return [INTERCEPT]
    return [*textwrap.wrap(MET_NOTHING, WIDTH), *([] if any(each.lasts for each in interceptions) else [ENDED])]
