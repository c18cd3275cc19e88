"""What a run and a test may be told: command line options, their ini twins, and the marker. `plugin.py` reads them here."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import pytest

Mode = Literal["faithful", "strict", "lenient"]
MODES: Final[tuple[Mode, ...]] = ("faithful", "strict", "lenient")

ALL: Final = "all"
"""In `mparticle_allow`, instead of codes: whatever is found, no test fails for it."""

MARKER_HELP: Final = (
    "mparticle(mode=None, allow_invalid=False, intercept=False): how the fake mParticle treats this test. "
    'mode: how it answers, "faithful", "strict" or "lenient". '
    "allow_invalid: True, or a list of finding codes, so that what is sent with such findings does not fail the test; False "
    "takes back what a class, a module or the ini file allows. "
    "intercept: whether requests to mParticle's own hosts are sent to the fake while the test runs."
)

_EXPECTED: Final = {
    "mode": f"one of {', '.join(MODES)}",
    "allow_invalid": "True, False or a list of finding codes",
    "intercept": "True or False",
}
"""The marker's arguments, and what each takes."""


def declare(parser: pytest.Parser) -> None:
    """The options and their ini twins; what the command line says counts."""
    group = parser.getgroup("mparticle", "fake mParticle (mparticle-testkit)")
    group.addoption(
        "--mparticle-mode",
        choices=MODES,
        help="How the fake answers: faithful, as production does (default); strict, 400 for whatever has an error; lenient, 202.",
    )
    group.addoption(
        "--mparticle-url",
        metavar="URL",
        help="Use the fake that runs at this address, as 'mparticle-fake serve' prints it, instead of one in this process. "
        "If it wants a token, the environment variable MPARTICLE_FAKE_TOKEN has it.",
    )
    group.addoption(
        "--mparticle-dump",
        metavar="DIR",
        help="Write what each failed test sent to a file in this folder: NDJSON, a batch a line.",
    )
    parser.addini("mparticle_mode", "How the fake answers: faithful (default), strict or lenient; as --mparticle-mode.")
    parser.addini("mparticle_url", "The address of a running fake, instead of one in this process; as --mparticle-url.")
    parser.addini("mparticle_dump", "A folder for what failed tests sent, relative to rootdir; as --mparticle-dump.")
    parser.addini(
        "mparticle_allow",
        f"Codes of findings that fail no test, or '{ALL}': docs/findings.md lists them.",
        type="args",
        default=[],
    )


class Settings(NamedTuple):
    """What holds for the whole run. `mode` is None if neither the command line nor the ini file says one."""

    mode: Mode | None
    url: str | None
    dump: Path | None
    allow: tuple[str, ...]

    @classmethod
    def of(cls, config: pytest.Config) -> "Settings":
        """From the command line and the ini file. Raises UsageError, which says where the fault is."""
        mode = config.getoption("--mparticle-mode") or _mode(config.getini("mparticle_mode"))
        given = config.getoption("--mparticle-url")
        url = (
            _url(given, "--mparticle-url") if given is not None else _url(config.getini("mparticle_url") or None, "mparticle_url")
        )
        dump = config.getoption("--mparticle-dump")
        folder = Path.cwd() / dump if dump else config.rootpath / ini if (ini := config.getini("mparticle_dump")) else None
        allow = tuple(config.getini("mparticle_allow"))
        if allow and allow != (ALL,):
            check_codes(allow, "The ini option mparticle_allow")
        return cls(mode, url, folder, allow)

    def describe(self) -> str:
        """One line for the head of the report."""
        parts = [f"the fake at {self.url}" if self.url else "a fake in this process"]
        if self.mode:
            parts.append(f"mode {self.mode}")
        if self.allow:
            parts.append(f"allows {', '.join(self.allow)}")
        if self.dump:
            parts.append(f"failed tests are written to {self.dump}")
        return ", ".join(parts)


SETTINGS: Final = pytest.StashKey[Settings]()


class Allowance(NamedTuple):
    """Which findings fail no test: `everything`, or those of these codes."""

    everything: bool = False
    codes: frozenset[str] = frozenset()

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
        return Allowance(codes=frozenset(allow) | frozenset(self.allow_invalid or ()))


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
                f"{where} has an unknown argument {name!r}.{_did_you_mean(name, _EXPECTED)} It takes {_valid()}."
            )
        if not _fits(name, value):
            meant = _meant(name, value) if isinstance(value, str) else ""
            raise pytest.UsageError(f"{where} has {name}={value!r}; expected {_EXPECTED[name]}.{meant}")
        if name == "allow_invalid" and not isinstance(value, bool):
            check_codes(value, f"{where}, allow_invalid,")


def _meant(name: str, text: str) -> str:
    """What somebody meant who wrote a text for an argument that does not take it."""
    if name == "mode":
        return _did_you_mean(text, MODES)
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


def check_codes(codes: Iterable[str], where: str) -> None:
    """Refuse codes that no finding has, with a UsageError that begins with `where`."""
    from mparticle_fake_server.checks.finding import CODES

    for code in codes:
        if code not in CODES:
            meant = _did_you_mean(code.lower().replace("-", "_"), CODES) or " docs/findings.md lists them."
            raise pytest.UsageError(f"{where} names {code!r}, which is no code of a finding.{meant}")


def _mode(text: str) -> Mode | None:
    for mode in MODES:
        if text == mode:
            return mode
    if text:
        meant = _did_you_mean(text, MODES)
        raise pytest.UsageError(f"The ini option mparticle_mode is {text!r}; expected one of {', '.join(MODES)}.{meant}")
    return None


def _url(text: str | None, where: str) -> str | None:
    if text is None:
        return None
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        right = False
    if not right or parts.query or parts.fragment:
        raise pytest.UsageError(f"{where} is {text!r}; expected the address of a running fake, such as http://127.0.0.1:8080.")
    path = parts.path.rstrip("/")
    if re.search(r"/v2(/|$)", path):
        raise pytest.UsageError(
            f"{where} is {text!r}; expected the address of the fake itself: leave out /v2, which belongs to what is sent to."
        )
    return text.rstrip("/")


def _did_you_mean(text: str, valid: Iterable[str]) -> str:
    # Imported where something is mistyped: this module is read in every run.
    from mparticle_fake_server.words import did_you_mean

    return did_you_mean(text, valid)


def _valid() -> str:
    return "; ".join(f"{name}: {expected}" for name, expected in _EXPECTED.items())
