"""The command `verify`: counts what arrived, or what is in a file, and compares it with the manifest of the traffic."""

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import click
import msgspec

from .asking import LocalFile, token_option
from .redaction import without_credentials
from .words import counted, did_you_mean, plain, printable

if TYPE_CHECKING:
    from mparticle_fixtures.simulation.manifest import Difference, Manifest

STDIN: Final = "-"
ADDRESS: Final = re.compile(r"[\w.-]+:[0-9]{2,5}(/.*)?")
OTHER_URL: Final = re.compile(r"(?!sqlite:///)[A-Za-z][A-Za-z0-9+.-]+:/")
URL: Final = re.compile("https?(?=://)", re.IGNORECASE)
A_STORE: Final = "a store, sqlite:///FILE"
SQLITE: Final = b"SQLite format 3\0"
DUPLICATE: Final = "duplicate_batch"
LARGEST: Final = 64 << 20
"""Bytes of a manifest: that of a year has some MB."""

REFRESHED_EVERY: Final = 500
"""Batches between two looks of the terminal at how many there are."""


MOST_HOURS: Final = 20
"""Rows that tell of hours, each of which has three: where much is missing, the totals above say more."""

MOST_NAMES: Final = 20
"""Keys or workspaces that a message names."""


class CannotVerifyError(click.ClickException):
    """There is nothing to compare; the message says why, without what would steer a terminal."""

    exit_code = 2

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


class _Finding(msgspec.Struct):
    code: str


class Arrival(msgspec.Struct):
    """A batch that is to be counted, as a dictionary or its JSON, and what became of it where it was received."""

    batch: Any
    verdict: str = "accepted"
    findings: list[_Finding] = []
    workspace: str | None = None
    key: str | None = None


class _Item(Arrival):
    """The same as an export has it: its batch is read when it is counted."""

    batch: msgspec.Raw


_decode: Final = msgspec.json.Decoder(_Item).decode


@click.command()
@click.option(
    "--manifest",
    "path",
    required=True,
    type=LocalFile("A running fake is named with --against.", exists=True, dir_okay=False, path_type=Path),
    help="What `generate --manifest FILE` wrote.",
)
@click.option(
    "--against",
    required=True,
    metavar="URL|FILE|DIRECTORY|STORE",
    help="A running fake, NDJSON as generated or exported, or a store of the fake (sqlite:///FILE).",
)
@click.option("--workspace", help="Count only what this workspace received.")
@click.option("--key", help="Count only what was sent with this key.")
@token_option
def verify(path: Path, against: str, workspace: str | None, key: str | None, token: str | None) -> None:
    """Compare the totals of what arrived with those of the manifest.

    Batches with the source_request_id of another count once, and refused ones (4xx) not at all.

    Exit status: 0 no difference, 1 there are some, 2 wrong usage, or nothing to compare with.
    """
    from mparticle_fixtures.simulation.manifest import Manifest, ManifestError

    try:
        with path.open("rb") as file:
            text = file.read(LARGEST + 1)
        if len(text) > LARGEST:
            raise CannotVerifyError(f"{path} is no manifest: it has more than {LARGEST >> 20} MB.")
        manifest = Manifest.from_json(text)
    except ManifestError as error:
        raise CannotVerifyError(f"{path}: {error}") from error
    except OSError as error:
        raise CannotVerifyError(f"{path} cannot be read: {error.strerror or error}.") from error
    seen: Counter[str] = Counter()
    source = _source(against, workspace, key, token, seen)
    try:
        with _shown() as show:
            found = Manifest.count(_counted(source, seen, show))
    except ManifestError as error:
        raise CannotVerifyError(f"{against}: {error}") from error
    if not seen["arrived"] and (key is not None or workspace is not None):
        raise CannotVerifyError(_nothing(against, workspace, key, token))
    told_apart = not seen["as generated"]
    differences = _differences(manifest, found, told_apart=told_apart)
    _report(differences)
    for note in _notes(manifest, found, seen, told_apart=told_apart):
        click.echo(f"Note: {note}", err=True)
    if not differences:
        click.echo(f"No difference: {_batches(found.batches)}, {counted(found.events, 'event')}.")
    raise SystemExit(int(bool(differences)))


# -- where batches come from -----------------------------------------------------------------------------------------------


def _source(against: str, workspace: str | None, key: str | None, token: str | None, seen: Counter[str]) -> Iterator[Arrival]:
    """The batches. `seen` gets how many were forgotten, and how many are as generated: nobody has received those.

    Whoever has received the others tells duplicates apart: then some more may be there than were made.
    """
    shown = without_credentials(against)
    if scheme := URL.match(against):
        url = scheme[0].lower() + against[scheme.end() :].rstrip("/")
        return _of_server(url, workspace, key, token, seen)
    if OTHER_URL.match(against):
        raise CannotVerifyError(f"{plain(shown)} is no URL of a fake, which begins with http:// or https://, nor {A_STORE}.")
    if ADDRESS.fullmatch(against) and not Path(against).exists():
        raise CannotVerifyError(f"There is no file {shown}. A running fake is named as a URL: --against http://{shown}")
    store = against.removeprefix("sqlite:///")
    if store != against or _is_store(Path(against)):
        if not Path(store).is_file():
            raise CannotVerifyError(f"There is no store {store}." if store else f"{against} names no file: sqlite:///FILE does.")
        return _filtered(_of_store(store, seen), workspace, key)
    # The name of a file may look like a URL; of a file that is not there it may be one.
    return _of_file(against, against if Path(against).exists() else shown, workspace, key, seen)


def _is_store(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(SQLITE)) == SQLITE
    except OSError:
        return False


def _of_server(url: str, workspace: str | None, key: str | None, token: str | None, seen: Counter[str]) -> Iterator[Arrival]:
    from .asking import UnreachableError, asking
    from .export import NDJSON, why

    filters = [(name, value) for name, value in (("workspace", workspace), ("key", key)) if value is not None]
    line = b""
    try:
        try:
            with asking(url, token, "/_fake/batches", filters, NDJSON) as answer:
                for each in answer.iter_lines(1 << 16):
                    yield _decode(each)
                    line = each
        except UnreachableError as error:
            raise why(error, url, token, filters, line) from error
        # Of no request: only how many were forgotten is asked.
        with asking(url, token, "/_fake/stats", [("status", "599")], "application/json") as answer:
            seen["forgotten"] = int(answer.json()["forgotten"])
    except click.ClickException as error:
        told = error.message.replace("--url", "--against")
        if bare := _without_path(without_credentials(url)):
            told += f" A fake is named without a path: --against {bare}"
        raise CannotVerifyError(told) from error
    except (ValueError, KeyError) as error:
        raise CannotVerifyError(f"{without_credentials(url)} does not answer as a fake does: {error}.") from error


def _without_path(url: str) -> str | None:
    """The URL without its path; None if it has none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.netloc}" if parts.path else None


def _of_store(path: str, seen: Counter[str]) -> Iterator[Arrival]:
    from .items import batch_items
    from .recording import StoreError, open_recorder

    try:
        recorder = open_recorder(f"sqlite:///{path}", keep=2**60)
    except StoreError as error:
        raise CannotVerifyError(f"{error} A server that runs can be asked itself: --against URL.") from error
    seen["forgotten"] = recorder.forgotten
    try:
        for record in recorder.requests():
            for item in batch_items(record):
                findings = [_Finding(finding.code) for finding in item.findings]
                yield Arrival(item.batch, item.verdict, findings, item.workspace, item.key)
    except StoreError as error:
        raise CannotVerifyError(str(error)) from error
    finally:
        recorder.close()


def _of_file(source: str, shown: str, workspace: str | None, key: str | None, seen: Counter[str]) -> Iterator[Arrival]:
    from mparticle_fixtures.traffic.reading import ReadError, Traffic, read_batch

    try:
        for line in Traffic(source).lines():
            found = read_batch(line.text)
            if isinstance(found, str):
                raise CannotVerifyError(f"{line.place} of {shown} {found}")
            if found.verdict is not None:
                yield from _filtered([_decode(line.text)], workspace, key)
            elif workspace is not None or key is not None:
                raise CannotVerifyError(
                    f"{line.place} of {shown} is a batch as generated, which has neither key nor workspace: leave those out."
                )
            else:
                seen["as generated"] += 1
                yield Arrival(line.text)
    except ReadError as error:
        raise CannotVerifyError(str(error).replace(source, shown)) from error
    except msgspec.DecodeError as error:
        raise CannotVerifyError(f"{line.place} of {shown} is no item of an export: {error}.") from error


def _nothing(against: str, workspace: str | None, key: str | None, token: str | None) -> str:
    """That nothing passed the filters, and what would: who looks for one key has mistyped it, or another was sent with."""
    wanted = {name: value for name, value in (("key", key), ("workspace", workspace)) if value is not None}
    told = "Nothing was received with " + " and ".join(f"{name} {value!r}" for name, value in wanted.items())
    if against == STDIN:
        return f"{told}."
    arrivals = _source(against, None, None, token, Counter())
    both = {(arrival.key, arrival.workspace) for arrival in arrivals}
    there = {"key": {found for found, _ in both if found}, "workspace": {found for _, found in both if found}}
    for name, value in wanted.items():
        if value not in there[name]:
            names = sorted(there[name])
            shown = ", ".join(plain(each, 40) for each in names[:MOST_NAMES]) + (", …" if len(names) > MOST_NAMES else "")
            return f"{told}; {name}s there: {shown or 'none'}.{did_you_mean(value, names, 0.6)}"
    return f"{told}, only with the one or the other."


def _filtered(arrivals: Iterable[Arrival], workspace: str | None, key: str | None) -> Iterator[Arrival]:
    for arrival in arrivals:
        if workspace in (None, arrival.workspace) and key in (None, arrival.key):
            yield arrival


# -- counting --------------------------------------------------------------------------------------------------------------


def _counted(arrivals: Iterable[Arrival], seen: Counter[str], show: Callable[[int], None]) -> Iterator[Any]:
    """What counts of all that arrived; `seen` gets the number of what does not, and why."""
    for number, arrival in enumerate(arrivals):
        if number % REFRESHED_EVERY == 0:
            show(number)
        seen["arrived"] += 1
        if arrival.verdict == "rejected":
            seen["rejected"] += 1
            continue
        if arrival.verdict == "dropped" and all(finding.code != DUPLICATE for finding in arrival.findings):
            seen["dropped"] += 1
            continue
        yield bytes(arrival.batch) if isinstance(arrival.batch, msgspec.Raw) else arrival.batch


def _differences(manifest: "Manifest", found: "Manifest", *, told_apart: bool) -> "list[Difference]":
    """Where duplicates are told apart, more of them are no difference: what was sent again after a failure is among them."""
    differences = manifest.differences(found, duplicates=True)
    if not told_apart or found.injected.duplicates.batches <= manifest.injected.duplicates.batches:
        return differences
    return manifest.differences(found, duplicates=False)


def _notes(manifest: "Manifest", found: "Manifest", seen: Counter[str], *, told_apart: bool) -> Iterator[str]:
    again = found.injected.duplicates.batches - manifest.injected.duplicates.batches
    if told_apart and again > 0:
        yield f"{_batches(again)} arrived again, beside the duplicates that were made, and {_were(again)} dropped."
    if seen["forgotten"]:
        what, each = f"{_batches(seen['forgotten'])} {_were(seen['forgotten'])}", "it" if seen["forgotten"] == 1 else "they"
        yield f"{what} forgotten before {each} could be counted: `serve --keep N` bounds what is kept."
    if seen["rejected"]:
        yield f"{_batches(seen['rejected'])} in refused requests (4xx, 5xx) {_are(seen['rejected'])} not counted."
    if seen["dropped"]:
        yield f"{_batches(seen['dropped'])} that production would not process {_are(seen['dropped'])} not counted."


def _batches(count: int) -> str:
    return counted(count, "batch", "batches")


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


# -- telling ---------------------------------------------------------------------------------------------------------------


@contextmanager
def _shown() -> Iterator[Callable[[int], None]]:
    """A function that shows how many batches were counted; it does nothing where nobody looks."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("Counting") as status:
        yield lambda number: status.update(f"Counting: {number} batches")


def _report(differences: "list[Difference]") -> None:
    """A table on stdout: the figure, what it has to be, what it is."""
    if not differences:
        return
    of_hours = [each for each in differences if each.path.startswith("hours.")]
    unshown = {each.path for each in of_hours[MOST_HOURS:]}
    shown = [each for each in differences if each.path not in unshown]
    rows = [("", "expected", "got")]
    rows += [(plain(each.path, 80), plain(each.expected, 40), plain(each.got, 40)) for each in shown]
    wide = [max(len(row[column]) for row in rows) for column in range(3)]
    for name, expected, got in rows:
        click.echo(f"{name:<{wide[0]}}  {expected:>{wide[1]}}  {got:>{wide[2]}}")
    if unshown:
        click.echo(f"… and {len(unshown)} more of hours.")
    click.echo(f"{counted(len(differences), 'difference')}.")
