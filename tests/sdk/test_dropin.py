"""Programs written for the official Python SDK run with both SDKs: only the import lines change, and the same is on the wire.

What differs stands in docs/migrating.md: its first table is DIFFERENCES here, its second BEHAVIOUR, and there is nothing else.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CHECKOUT
from tests.hosts import Fake, server_host
from tests.sdk.client_servers import Reply, Seen, scripted

PROGRAMS = Path(__file__).resolve().parent / "programs"
BEHAVIOUR_PROGRAM = PROGRAMS / "behaviour.py"
SENDING = sorted({*PROGRAMS.glob("*.py"), *PROGRAMS.glob("models/*.py")} - {BEHAVIOUR_PROGRAM})
MIGRATING = CHECKOUT / "docs" / "migrating.md"
OURS, OFFICIAL = "ours", "official"

RUNNER = """
import contextlib, io, json, sys, traceback

url, *programs = sys.argv[1:]
for program in programs:
    name, text = json.loads(program)
    sys.argv = [name, url, name, "a-secret"]
    printed, error = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(text, name, "exec"), {"__name__": "__main__"})
        except BaseException:
            error = traceback.format_exc()
    print(json.dumps([name, printed.getvalue(), error]))
"""


def with_our_imports(text: str) -> str:
    """The program as somebody who migrates leaves it."""
    text = re.sub(r"^import mparticle$", "import mparticle_sdk as mparticle", text, flags=re.MULTILINE)
    # A model that the official package does not export has a module of its own there.
    text = re.sub(r"^from mparticle\.models\.\w+ import", "from mparticle_sdk import", text, flags=re.MULTILINE)
    return re.sub(r"^from mparticle(\.rest)? import", r"from mparticle_sdk\1 import", text, flags=re.MULTILINE)


def text_of(program: Path, sdk: str) -> str:
    text = program.read_text(encoding="utf-8")
    return with_our_imports(text) if sdk == OURS else text


@dataclass
class Run:
    """What a program printed, the error that ended it, and what it sent: the path and the body of each request."""

    printed: str
    error: str | None
    sent: list[tuple[str, Any]]


def _run_all(sdk: str) -> dict[str, Run]:
    with server_host() as fake:
        # Shared by all of them, so that a process starts once. The key tells the programs' requests apart.
        texts = [json.dumps([program.stem, text_of(program, sdk)]) for program in SENDING]
        command = [sys.executable, "-P", "-W", "ignore", "-c", RUNNER, f"{fake.url}/v2", *texts]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return {name: Run(printed, error, _sent(fake, name)) for name, printed, error in lines}


def _sent(fake: Fake, key: str) -> list[tuple[str, Any]]:
    requests = [fake.ask(f"requests/{item['id']}") for item in fake.items(f"requests?key={key}&limit=1000")]
    return [(request["path"], json.loads(request["body"], parse_float=Decimal)) for request in requests]


@pytest.fixture(scope="module")
def runs() -> dict[str, dict[str, Run]]:
    """Each program's run by SDK and name."""
    pytest.importorskip("mparticle", reason="this test needs the official SDK: pip install mparticle")
    return {sdk: _run_all(sdk) for sdk in (OFFICIAL, OURS)}


# -- what differs on the wire ------------------------------------------------------------------------------------------------

MISSING = "(missing)"


@dataclass(frozen=True)
class Difference:
    """A place where the two bodies differ: the last names of the path, what the official SDK sent, and what ours did."""

    path: tuple[str, ...]
    official: Any
    ours: Any


def differences(official: Any, ours: Any, path: tuple[str, ...] = ()) -> Iterator[Difference]:
    """Every place where two JSON values differ; a number and text differ, and so do 1 and true."""
    if isinstance(official, dict) and isinstance(ours, dict) and not _wrapped(official, ours):
        for name in official | ours:
            yield from differences(official.get(name, MISSING), ours.get(name, MISSING), (*path, name))
    elif isinstance(official, list) and isinstance(ours, list) and len(official) == len(ours):
        for index, (theirs, our) in enumerate(zip(official, ours, strict=True)):
            yield from differences(theirs, our, (*path, str(index)))
    elif (type(official), official) != (type(ours), ours):
        yield Difference(path, official, ours)


def _wrapped(official: dict[str, Any], ours: dict[str, Any]) -> bool:
    return set(ours) == {"event_type", "data"} and "event_type" not in official


def _is_decimal(difference: Difference) -> bool:
    if not isinstance(difference.official, str) or not isinstance(difference.ours, Decimal):
        return False
    try:
        return Decimal(difference.official) == difference.ours
    except InvalidOperation:
        return False


DIFFERENCES: dict[str, Callable[[Difference], bool]] = {
    "crash reports": lambda it: it.path[-1:] == ("event_type",) and (it.official, it.ours) == ("commerce_event", "crash_report"),
    "customer id": lambda it: (
        it.path[-2:] in (("user_identities", "customerid"), ("user_identities", "customer_id"))
        and MISSING in (it.official, it.ours)
        and (it.path[-1] == "customerid") is (it.ours == MISSING)
    ),
    "events in the constructor": lambda it: (
        it.path[-2:-1] == ("events",) and isinstance(it.ours, dict) and it.official == it.ours.get("data")
    ),
    "Decimal": _is_decimal,
    "empty consent maps": lambda it: (
        "consent_state" in it.path[-2:] and it.official in ({}, {"gdpr": {}, "ccpa": {}}) and it.ours in (MISSING, {})
    ),
}


def names_of(difference: Difference) -> list[str]:
    return [name for name, explains in DIFFERENCES.items() if explains(difference)]


def all_differences(runs: dict[str, dict[str, Run]], name: str) -> list[Difference]:
    official, ours = ([list(request) for request in runs[sdk][name].sent] for sdk in (OFFICIAL, OURS))
    return list(differences(official, ours))


each_program = pytest.mark.parametrize("name", [program.stem for program in SENDING])


@each_program
def test_a_program_runs_to_its_end_with_both(runs: dict[str, dict[str, Run]], name: str) -> None:
    assert runs[OFFICIAL][name].error is None
    assert runs[OURS][name].error is None


@each_program
def test_a_program_prints_the_same_with_both(runs: dict[str, dict[str, Run]], name: str) -> None:
    assert runs[OURS][name].printed == runs[OFFICIAL][name].printed


@each_program
def test_a_program_puts_the_same_on_the_wire_but_for_the_differences_that_are_listed(
    runs: dict[str, dict[str, Run]], name: str
) -> None:
    found = all_differences(runs, name)

    assert [difference for difference in found if len(names_of(difference)) != 1] == []


@each_program
def test_a_program_sends_or_shows_something(runs: dict[str, dict[str, Run]], name: str) -> None:
    assert runs[OFFICIAL][name].sent or runs[OFFICIAL][name].printed


def test_every_difference_that_is_listed_was_seen(runs: dict[str, dict[str, Run]]) -> None:
    seen = {name for program in SENDING for difference in all_differences(runs, program.stem) for name in names_of(difference)}

    assert seen == set(DIFFERENCES)


def test_there_is_a_program_for_each_official_model() -> None:
    import mparticle.models

    models = {name for name in dir(mparticle.models) if name[0].isupper()} | {"UserAttributeChangeEvent"}
    answers = {"ApiResponse", "ApiResponseErrors"}  # come from mParticle, and are sent by nobody
    written = {re.match(r'"""(\w+):', program.read_text(encoding="utf-8"))[1] for program in PROGRAMS.glob("models/*.py")}  # type: ignore[index]

    assert written == models - answers


LEFT_OUT = {
    # Machinery of the official classes, and that of the general client.
    "DeviceInformation": {"validateUUID"},
    "ApiClient": {
        *("call_api", "deserialize", "prepare_post_parameters", "request", "select_header_accept", "select_header_content_type"),
        *("to_path_value", "update_params_for_auth", "validate_attribute_bag_values"),
    },
}


def test_the_official_names_are_all_there() -> None:
    import mparticle as official

    import mparticle_sdk as ours

    names = {name for name in dir(official) if isinstance(getattr(official, name), type)} | {"rest", "UserAttributeChangeEvent"}

    assert names - set(dir(ours)) == set()


def test_the_official_classes_have_all_their_members() -> None:
    import mparticle as official
    import mparticle.models.user_attribute_change_event as module

    import mparticle_sdk as ours

    classes = [value for value in vars(official).values() if isinstance(value, type)] + [module.UserAttributeChangeEvent]
    missing = {}
    for theirs in classes:
        members = {name for name in dir(theirs) if not name.startswith("_")} - LEFT_OUT.get(theirs.__name__, set())
        if absent := members - set(dir(getattr(ours, theirs.__name__, None))):
            missing[theirs.__name__] = sorted(absent)

    assert missing == {}


# -- what differs in how calls behave ----------------------------------------------------------------------------------------

BEHAVIOUR = {
    # What is done -> the official outcome, and ours.
    "a wrong value, when it is set": ("ValueError", "taken for now"),
    "a commerce event about nothing, when it is made": ("ValueError", "taken for now"),
    "a wrong value in a constructor, when it is sent": ("202", "ApiException 0"),
    "an empty batch": ("202, no body", "202, {}"),
    "an empty bulk upload": ("202, no body", "0, no request"),
    "data of a bulk upload": ("NoneType", "list"),
    "more than 100 batches": ("202 for 101", "202 for 100 and 1"),
    "a refused connection": ("MaxRetryError", "ApiException 0"),
    "a redirect": ("202", "ApiException 302"),
    "status 206": ("ApiException 206", "206"),
    "a call after status 429": ("ApiException 429", "202"),
}
ALIKE = {"a batch": "202", "status 429": "ApiException 429"}


def by_path(seen: Seen) -> Reply:
    status = int(seen.path.split("/")[1])
    headers = {302: {"Location": seen.path.replace("302", "202")}, 429: {"Retry-After": "60"}}
    return Reply(status, headers.get(status, {}))


def _outcomes(sdk: str) -> dict[str, str]:
    """What the program tells of each thing that it did, with the bodies that the server got where that is the point."""
    with scripted(by_path) as server:
        command = [sys.executable, "-P", "-W", "ignore", "-c", text_of(BEHAVIOUR_PROGRAM, sdk), server.url, "http://127.0.0.1:9"]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    told = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    bulk = [seen.body for seen in server.seen if seen.path == "/202/bulkevents"]
    sizes = [len(json.loads(body)) for body in bulk if body]
    assert sizes[0] == 1
    told["more than 100 batches"] += f" for {' and '.join(map(str, sizes[1:]))}"
    told["an empty bulk upload"] += ", no body" if b"" in bulk else ", no request"
    (empty,) = [seen.body.decode() for seen in server.seen if seen.path == "/202/events" and len(seen.body) <= 2]
    told["an empty batch"] += f", {empty or 'no body'}"
    return told


@pytest.fixture(scope="module")
def outcomes() -> dict[str, dict[str, str]]:
    """What each SDK made of each thing that the program did."""
    pytest.importorskip("mparticle", reason="this test needs the official SDK: pip install mparticle")
    return {sdk: _outcomes(sdk) for sdk in (OFFICIAL, OURS)}


@pytest.mark.parametrize("name", BEHAVIOUR)
def test_a_difference_in_behaviour_is_as_listed(outcomes: dict[str, dict[str, str]], name: str) -> None:
    assert (outcomes[OFFICIAL][name], outcomes[OURS][name]) == BEHAVIOUR[name]


@pytest.mark.parametrize("sdk", [OFFICIAL, OURS])
def test_what_is_not_listed_behaves_alike(outcomes: dict[str, dict[str, str]], sdk: str) -> None:
    assert {name: told for name, told in outcomes[sdk].items() if name not in BEHAVIOUR} == ALIKE


# -- the page that tells of them ---------------------------------------------------------------------------------------------


def rows(heading: str) -> list[str]:
    """The names in the first column of the table below a heading."""
    text = MIGRATING.read_text(encoding="utf-8")
    section = text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    table = [line for line in section.splitlines() if line.startswith("|")]
    return [line.split("|")[1].strip() for line in table[2:]]


def test_the_page_lists_exactly_the_differences_on_the_wire() -> None:
    assert rows("What goes over the wire") == list(DIFFERENCES)


def test_the_page_lists_exactly_the_differences_in_behaviour() -> None:
    assert rows("How calls behave") == list(BEHAVIOUR)
