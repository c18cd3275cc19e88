"""The marker `mparticle` of a test: what it may say, and what it then allows. `plugin.py` reads it here, where a test has it."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import pytest

from .settings import ALL, MODES, Mode, check_codes, did_you_mean

_EXPECTED: Final = {
    "mode": f"one of {', '.join(MODES)}",
    "allow_invalid": "True, False or a list of finding codes",
    "intercept": "True or False",
}
"""The marker's arguments, and what each takes."""


class Allowance(NamedTuple):
    """Which findings fail no test: `everything`, or those of these codes; `marked` are those that the marker names."""

    everything: bool = False
    codes: frozenset[str] = frozenset()
    marked: frozenset[str] = frozenset()

    def covers(self, code: str) -> bool:
        """Whether a finding of this code is allowed. What the fake itself does wrong is only allowed by name."""
        return code in self.codes or (self.everything and code != "server_error")


class Marker(NamedTuple):
    """What a test is marked with; None where it says nothing."""

    mode: Mode | None = None
    allow_invalid: bool | tuple[str, ...] | None = None
    intercept: bool = False

    def allowance(self, allow: tuple[str, ...]) -> Allowance:
        """Together with what the ini file allows."""
        if self.allow_invalid is False:
            return Allowance()
        if self.allow_invalid is True or allow == (ALL,):
            return Allowance(everything=True)
        marked = frozenset(self.allow_invalid or ())
        return Allowance(codes=frozenset(allow) | marked, marked=marked)


def read_marker(item: Any) -> Marker:
    """The marker of a test; what is nearest to the test counts. Raises UsageError for an argument that it does not take."""
    arguments: dict[str, Any] = {}
    for mark in item.iter_markers("mparticle"):
        _check(mark.args, mark.kwargs, f"{item.nodeid} ({item.location[0]}:{(item.location[1] or 0) + 1})")
        arguments = {**mark.kwargs, **arguments}
    if not arguments:
        return Marker()
    allowed = arguments.get("allow_invalid")
    return Marker(
        arguments.get("mode"),
        allowed if allowed is None or isinstance(allowed, bool) else tuple(allowed),
        arguments.get("intercept", False),
    )


def wants_intercept(item: pytest.Item) -> bool:
    """Whether a test is marked with `intercept=True`; of a wrong marker, false."""
    return (
        next((mark.kwargs["intercept"] for mark in item.iter_markers("mparticle") if "intercept" in mark.kwargs), False) is True
    )


def _check(positional: tuple[Any, ...], arguments: Mapping[str, Any], test: str) -> None:
    where = f"@pytest.mark.mparticle of {test}"
    if positional:
        raise pytest.UsageError(f"{where} has the argument {positional[0]!r} without a name. It takes {_valid()}.")
    for name, value in arguments.items():
        if name not in _EXPECTED:
            raise pytest.UsageError(
                f"{where} has an unknown argument {name!r}.{did_you_mean(name, _EXPECTED)} It takes {_valid()}."
            )
        if not _fits(name, value):
            meant = _meant(name, value) if isinstance(value, str) else ""
            raise pytest.UsageError(f"{where} has {name}={value!r}; expected {_EXPECTED[name]}.{meant}")
        if name == "allow_invalid" and not isinstance(value, bool):
            check_codes(value, f"{where}, allow_invalid,")


def _meant(name: str, text: str) -> str:
    """What somebody meant who wrote a text for an argument that does not take it."""
    if name == "mode":
        return did_you_mean(text, MODES)
    if name == "allow_invalid":
        from mparticle_fake_server.checks.finding import CODES
        from mparticle_fake_server.words import nearest

        near = nearest(text.lower().replace("-", "_"), CODES)
        return f' Did you mean ["{near}"]?' if near else ""
    return ""


def _fits(name: str, value: Any) -> bool:
    if name == "mode":
        return value in MODES
    if isinstance(value, bool):
        return True
    codes = name == "allow_invalid" and isinstance(value, (list, tuple, set, frozenset))
    return codes and all(isinstance(code, str) for code in value)


def _valid() -> str:
    return "; ".join(f"{name}: {expected}" for name, expected in _EXPECTED.items())
