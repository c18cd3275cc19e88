"""What the fixtures fake_mparticle_options and fake_mparticle_address may give; `plugin.py` has it checked before it is used."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from mparticle_fake_server.words import did_you_mean

from .errors import UsageError
from .settings import MODES, MOST_SECONDS, no_folder
from .wording import safe_repr

_CODES: Final = "a list of finding codes"

TEST_OPTIONS: Final = {
    "mode": f"one of {', '.join(MODES)}",
    "timeout": f"seconds from 0 to {MOST_SECONDS}",
    "ignore": _CODES,
    "error": _CODES,
}
"""What is said about every test's workspace and Inbox, and what each takes."""

SERVER_OPTIONS: Final = {
    "keep": "a whole number of batches, from 1 on",
    "max_body": "a whole number of bytes, from 1 on",
    "certificates": "the path of a folder",
}
"""What is said about a server in this process."""

OPTIONS: Final = TEST_OPTIONS | SERVER_OPTIONS


def check_options(options: Any) -> None:
    """Raise UsageError for what is no option, or has an impossible value."""
    where = "The fixture fake_mparticle_options"
    if not isinstance(options, Mapping):
        raise UsageError(f"{where} gives {safe_repr(options):.80}; expected a dictionary of {', '.join(OPTIONS)}.")
    for name, value in options.items():
        if name not in OPTIONS:
            raise UsageError(
                f"{where} has {name!r:.80}, which is no option.{did_you_mean(str(name), OPTIONS)} Valid: {', '.join(OPTIONS)}."
            )
        if not _fits(name, value):
            raise UsageError(f"{where} has {name}={safe_repr(value):.80}; expected {OPTIONS[name]}.")
    folder = options.get("certificates")
    if folder is not None and (wrong := no_folder(Path(folder).absolute())):
        raise UsageError(f"{where} has certificates={folder!r}; expected a folder, there or to be made: {wrong}.")
    ignore, error = options.get("ignore", ()), options.get("error", ())
    if ignore or error:
        from mparticle_fake_server.checks.rules import RuleError, Rules

        try:
            Rules.parse(ignore, error)
        except RuleError as wrong:
            raise UsageError(f"{where}: {wrong}") from wrong


def _fits(name: str, value: Any) -> bool:
    if name == "mode":
        return value in MODES
    if name == "certificates":
        return value is None or (isinstance(value, str | os.PathLike) and value != "" and isinstance(os.fspath(value), str))
    if OPTIONS[name] is _CODES:
        return isinstance(value, list | tuple | set | frozenset) and all(isinstance(code, str) for code in value)
    if isinstance(value, bool):
        return False
    if name == "timeout":
        return isinstance(value, int | float) and 0 <= value <= MOST_SECONDS
    return isinstance(value, int) and value >= 1


def check_address(address: Any) -> None:
    """Raise UsageError for what is no host and port."""
    pair = isinstance(address, tuple | list) and len(address) == 2
    if not pair or not isinstance(address[0], str) or type(address[1]) is not int or not 0 <= address[1] <= 65_535:
        raise UsageError(
            f"The fixture fake_mparticle_address gives {safe_repr(address):.80}; expected a host and a port, such as "
            '("127.0.0.1", 0). Port 0 takes a free one.'
        )
