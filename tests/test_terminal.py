"""How batches and findings look on a terminal."""

import io
from collections.abc import Iterable
from typing import Any

import pytest
from rich.console import Console
from rich.text import Text

from mparticle_fake_server import create_app
from mparticle_fake_server.terminal import batch_lines, print_lines, request_lines
from mparticle_fake_server.words import plain
from tests.hosts import BASIC, batch, event


def shown(lines: Iterable[Text], *, terminal: bool = False) -> str:
    console = Console(file=io.StringIO(), force_terminal=terminal, color_system="standard" if terminal else None, width=500)
    for line in lines:
        console.print(line)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def recorded(*bodies: Any, kind: str = "batches") -> list[dict[str, Any]]:
    client = create_app().test_client()
    for body in bodies:
        client.post("/v2/events", json=body, headers={"Authorization": BASIC})
    items: list[dict[str, Any]] = client.get(f"/_fake/{kind}").json["items"]  # type: ignore[index]
    return items


def test_a_batch_is_one_line_that_tells_who_and_what() -> None:
    text = shown(batch_lines(recorded(batch())[0]))

    assert text.endswith(" 202 accepted key  customer_id=c1  custom_event 'Play'  #1.0\n")
    assert text.count("\n") == 1


def test_a_finding_is_a_line_below_its_batch_with_the_hint() -> None:
    text = shown(batch_lines(recorded(batch(source_request_id="r"), batch(source_request_id="r"))[1]))

    finding = text.splitlines()[1]
    assert "warning duplicate_batch: source_request_id 'r' was sent by this input before, with batch 1.0." in finding
    assert "Give every batch its own source_request_id" in finding


def test_notes_are_not_shown() -> None:
    text = shown(batch_lines(recorded(batch(user_identities={"customerid": "c1"}))[0]))

    assert text.count("\n") == 1


def test_a_long_list_of_events_is_cut() -> None:
    text = shown(batch_lines(recorded(batch(events=[event(f"e{number}") for number in range(9)]))[0]))

    assert "custom_event 'e3', … 5 more" in text
    assert "e4" not in text


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"user_identities": None, "mpid": 7}, "mpid=7  "),
        ({"user_identities": {}}, "nobody  "),
        ({"user_identities": {"customer_id": None, "email": "a@b.c"}}, "email=a@b.c  "),
        ({"events": None}, "no events"),
        ({"events": [5]}, "5"),
        ({"events": [{"event_type": "screen_view", "data": {"screen_name": "Home"}}]}, "screen_view 'Home'"),
        ({"events": [{"event_type": "opt_out"}]}, "opt_out  #"),
        ({"events": [{"data": {"event_name": "Play"}}]}, "? 'Play'  #"),
        ({"events": [{"event_type": None}]}, "?  #"),
    ],
)
def test_every_shape_of_batch_can_be_shown(members: dict[str, Any], told: str) -> None:
    assert told in shown(batch_lines(recorded(batch(**members))[0]))


def test_a_request_without_batches_tells_its_path_and_its_findings() -> None:
    text = shown(request_lines(recorded([], kind="requests")[0]))

    assert "400 rejected key  POST /v2/events  no batches  #1" in text
    assert "error wrong_top_level: The body is an array" in text


def test_what_a_web_sdk_got_202_for_and_nobody_can_read_is_dropped() -> None:
    client = create_app().test_client()
    client.post("/v3/JS/key/events", data="{")

    text = shown(request_lines(client.get("/_fake/requests").json["items"][0]))  # type: ignore[index]

    assert " 202 dropped  key  POST /v3/JS/key/events  no batches  #1\n" in text
    assert "error json_broken: " in text


def test_a_request_that_is_no_upload_is_accepted_if_it_was_answered() -> None:
    client = create_app().test_client()
    client.get("/JS/v2/key/config")

    text = shown(request_lines(client.get("/_fake/requests").json["items"][0]))  # type: ignore[index]

    assert " 200 accepted key  GET /JS/v2/key/config  no batches  #1\n" in text


def printed(item: dict[str, Any], *, terminal: bool) -> list[str]:
    console = Console(file=io.StringIO(), force_terminal=terminal, color_system=None, width=60)
    print_lines(console, batch_lines(item))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_on_a_terminal_a_long_finding_continues_below_its_text() -> None:
    item = recorded(batch(source_request_id="r"), batch(source_request_id="r"))[1]

    lines = printed(item, terminal=True)

    findings = lines[next(number for number, line in enumerate(lines) if "duplicate_batch" in line) :]
    assert len(findings) > 2
    assert all(line.startswith(" " * 13) and len(line) <= 60 for line in findings)


def test_on_a_terminal_the_first_line_of_a_long_finding_uses_its_width() -> None:
    item = recorded(batch(source_request_id="r"), batch(source_request_id="r"))[1]

    lines = printed(item, terminal=True)

    number = next(number for number, line in enumerate(lines) if "duplicate_batch" in line)
    next_word = lines[number + 1].split()[0]
    assert len(lines[number].rstrip()) + 1 + len(next_word) >= 60
    assert " ".join(" ".join(lines[number:]).split()) == " ".join("".join(printed(item, terminal=False)[1:]).split())


def test_in_a_file_a_long_finding_is_one_line() -> None:
    item = recorded(batch(source_request_id="r"), batch(source_request_id="r"))[1]

    lines = printed(item, terminal=False)

    assert len(lines) == 2


def test_verdicts_have_colours_on_a_terminal() -> None:
    accepted, rejected = recorded(batch(), batch(events=[{}]))

    assert "\x1b[32m202 accepted" in shown(batch_lines(accepted), terminal=True)
    assert "\x1b[31m400 rejected" in shown(batch_lines(rejected), terminal=True)


@pytest.mark.parametrize("hostile", ["\x1b[2J", "\x1b]0;title\x07", "a\nb", "\r", "\x9b31m", "\u202e", "[red]x[/red]"])
def test_what_a_client_sent_never_steers_the_terminal(hostile: str) -> None:
    hostile_batch = batch(user_identities={"email": hostile}, events=[event(hostile), {"event_type": hostile}])

    text = shown(batch_lines(recorded(hostile_batch)[0]))

    assert all(character.isprintable() for line in text.split("\n") for character in line)
    if hostile.startswith("[red]"):
        assert "[red]x[/red]" in text


def test_long_text_is_cut_to_its_length() -> None:
    assert plain("x" * 500, 10) == "xxxxxxxxx…"
    assert plain("\x1b" * 500, 10) == "\\x1b\\x1b\\…"
