"""What a run may be told, by command line options and their ini twins; `plugin.py` reads them. `marker.py` reads a test's.

Like `plugin.py` this is imported in every pytest run: nothing here may cost time.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal

import pytest

Mode = Literal["faithful", "strict", "lenient"]
MODES: Final[tuple[Mode, ...]] = ("faithful", "strict", "lenient")

MOST_SECONDS: Final = 3_600
"""That a wait may last, here and in the inspect API: above it milliseconds are meant."""

ALL: Final = "all"
"""In `mparticle_allow`, instead of codes: whatever is found, no test fails for it."""

MARKER_HELP: Final = (
    "mparticle(mode=None, allow_invalid=False, intercept=False): how the fake mParticle treats this test. "
    'mode: how it answers, "faithful", "strict" or "lenient". '
    "allow_invalid: True, or a list of finding codes, so that what is sent with such findings does not fail the test; False "
    "takes back what a class, a module or the ini file allows. "
    "intercept: whether requests to mParticle's own hosts are sent to the fake while the test runs."
)


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


class Settings:
    """What holds for the whole run, from the command line and the ini file.

    Raises UsageError, which says where the fault is.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.mode: Mode | None = config.getoption("--mparticle-mode") or _mode(config.getini("mparticle_mode"))
        """None if neither says one."""
        given = config.getoption("--mparticle-url")
        self.url: str | None = (
            _url(given, "--mparticle-url")
            if given is not None
            else _url(config.getini("mparticle_url") or None, "The ini option mparticle_url")
        )
        dump = config.getoption("--mparticle-dump")
        ini = config.getini("mparticle_dump")
        self.dump: Path | None = (
            _folder(Path.cwd() / dump, "--mparticle-dump")
            if dump
            else _folder(config.rootpath / ini, "The ini option mparticle_dump")
            if ini
            else None
        )
        self.allow: tuple[str, ...] = tuple(config.getini("mparticle_allow"))
        if self.allow and self.allow != (ALL,):
            where = "The ini option mparticle_allow"
            if ALL in self.allow:
                raise pytest.UsageError(f"{where} names {ALL!r} besides codes: it allows everything, alone.")
            check_codes(self.allow, where, ALL)

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


def check_codes(codes: Iterable[str], where: str, everything: str | None = None) -> None:
    """Refuse codes that no finding has, with a UsageError that begins with `where`; `everything` is the word for all of them."""
    from mparticle_fake_server.checks.finding import CODES

    for code in codes:
        if code not in CODES:
            meant = did_you_mean(code.lower().replace("-", "_"), [*CODES, everything] if everything else CODES)
            meant = meant or f" docs/findings.md lists them{f'; {everything!r} allows everything' if everything else ''}."
            raise pytest.UsageError(f"{where} names {code!r}, which is no code of a finding.{meant}")


def _mode(text: str) -> Mode | None:
    for mode in MODES:
        if text == mode:
            return mode
    if text:
        meant = did_you_mean(text, MODES)
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
    told = _without_secrets(text)
    if not right or parts.query or parts.fragment:
        raise pytest.UsageError(f"{where} is {told!r}; expected the address of a running fake, such as http://127.0.0.1:8080.")
    if "@" in parts.netloc:
        raise pytest.UsageError(
            f"{where} is {told!r}, with a user or a password; expected the address alone, such as http://127.0.0.1:8080: a fake "
            "takes neither. If it wants a token, the environment variable MPARTICLE_FAKE_TOKEN has it."
        )
    if "/v2/" in f"{parts.path}/":
        raise pytest.UsageError(
            f"{where} is {told!r}; expected the address of the fake itself: leave out /v2, which belongs to what is sent to."
        )
    return text.rstrip("/")


def _without_secrets(address: str) -> str:
    """What was given for an address, to be shown without user, password and query: runs are logged where others read."""
    # Up to the last @: a password may have any character, and an address that is wrong no scheme.
    bare = re.sub(r"^(https?://)?.*@", r"\1…@", address, flags=re.DOTALL | re.IGNORECASE)
    return re.sub(r"\?.+", "?…", bare, flags=re.DOTALL)


def _folder(path: Path, where: str) -> Path:
    """A folder, or one that can be made; whether it can be written, the first failed test tells."""
    if wrong := no_folder(path):
        raise pytest.UsageError(f"{where} is {str(path)!r}; expected a folder, there or to be made: {wrong}.")
    return path


def no_folder(path: Path) -> str:
    """Why a path can be none of a folder, or nothing if it is one or can be made."""
    try:
        existing = next((each for each in (path, *path.parents) if each.exists()), path)
        return "" if existing.is_dir() else f"{existing} is no folder"
    except OSError as error:
        return error.strerror or str(error)


def did_you_mean(text: str, valid: Iterable[str]) -> str:
    """The valid word that a mistyped one resembles, as a sentence."""
    from mparticle_fake_server import words

    return words.did_you_mean(text, valid)
