"""No password of a URL is kept, answered or printed, whichever way it comes; what the URL is for goes on working."""

import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mparticle_fake_server import FakeServer, create_app
from mparticle_fake_server.cli import main
from mparticle_fake_server.redaction import redact, redact_message, redact_query, redact_url, without_credentials
from tests.hosts import Fake, OpenFake, batch

# -- messages --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgres://u:PW@h/db", "postgres://…@h/db"),
        ("sqlite://u:PW@h/db", "sqlite://…@h/db"),
        ("'http://u:P@W/PW@h:1'", "'http://…@h:1'"),
        ("u:PW@h", "…@h"),
        ("'u:PW@h:1'", "'…@h:1'"),
        ("u:P/W@h", "…@h"),
        ("//u:PW@h", "//…@h"),
        ("http//u:PW@h", "http//…@h"),
        ("'http://u:p w@h:1x'", "'http://…@h:1x'"),
        ("PosixPath('postgres:/u:PW@h')", "PosixPath('postgres:/…@h')"),
    ],
)
def test_the_password_of_a_url_is_not_in_a_message(text: str, shown: str) -> None:
    assert without_credentials(text) == shown


@pytest.mark.parametrize("text", ["sqlite:///a/b@c.db", "sqlite:////x/y:z@w.db", "/data/a:b@c.db", "http://h:8080/x", "a@b.c"])
def test_what_is_no_password_stays_in_a_message(text: str) -> None:
    assert without_credentials(text) == text


@pytest.mark.parametrize(
    "arguments",
    [
        ["serve", "--store", "postgres://u:PW@h/db"],
        ["serve", "--store", "sqlite://u:PW@h/db"],
        ["serve", "--store", "u:PW@h/db"],
        ["demo", "--users", "5", "--port", "0", "--store", "postgres://u:PW@h/db"],
        ["demo", "--users", "5", "--port", "0", "--store", "sqlite://u:PW@h/db"],
        ["verify", "--manifest", "{manifest}", "--against", "sqlite://u:PW@h/db"],
        ["verify", "--manifest", "{manifest}", "--against", "u:PW@h"],
        ["verify", "--manifest", "{manifest}", "--against", "u:PW@h:8080"],
        ["export", "--url", "u:PW@h:1"],
        ["tail", "--url", "u:PW@h:1"],
        ["tail", "u:PW@h:1"],
    ],
)
def test_no_command_prints_the_password_of_a_url_that_it_refuses(arguments: list[str], tmp_path: Path) -> None:
    from mparticle_fixtures import Simulation

    simulation = Simulation(users=1, days=1, seed=1)
    list(simulation)
    manifest = tmp_path / "m.json"
    manifest.write_bytes(simulation.manifest.to_json())

    result = CliRunner().invoke(main, [argument.format(manifest=manifest) for argument in arguments])

    assert (result.exit_code, "PW" in result.output) == (2, False)
    assert "…@h" in result.output


@pytest.mark.parametrize("store", ["postgres://u:PW@h/db", "sqlite://u:PW@h/db", "u:PW@h", Path("postgres://u:PW@h/db")])
def test_no_option_of_python_is_told_with_the_password_of_a_url(store: Any) -> None:
    for make in (create_app, lambda **options: FakeServer(**options).open()):
        with pytest.raises((TypeError, ValueError), match="…@h") as refused:
            make(store=store)

        assert "PW" not in str(refused.value)


# -- what is kept and answered ---------------------------------------------------------------------------------------------

URLS = [
    # As sent, as kept.
    ("http://u:PW@host/v2/events", "http://<redacted>@host/v2/events"),
    ("http:/u:PW@host/v2", "http:/<redacted>@host/v2"),
    ("http://u:P@W/PW@host/v2", "http://<redacted>@host/v2"),
    ("http://u:1PW@host/v2", "http://<redacted>@host/v2"),
    ("http://u:P W@host/v2", "http://<redacted>@host/v2"),
    ("http://PW@host/", "http://<redacted>@host/"),
    ("http://u:PW@[::1]:80/", "http://<redacted>@[::1]:80/"),
    ("http%3A%2F%2Fu%3APW%40host%2F", "http%3A%2F%2F<redacted>@host%2F"),
    ("http://shop/?next=http://u:PW@host/", "http://shop/?next=http://<redacted>@host/"),
]


@pytest.mark.parametrize(("sent", "kept"), URLS)
def test_the_user_info_of_a_url_is_redacted(sent: str, kept: str) -> None:
    assert redact_url(sent) == kept


@pytest.mark.parametrize(
    "text",
    [
        "http://[::1]:3000/shop?email=jane@x.com",
        "bot (http://a.example:8080; me@x.com)",
        '{"url":"http://localhost:3000","email":"jane@x.com"}',
        "http://shop/@alice",
        "http://shop:8080/@alice",
        "mail=a@b.c",
        "http%3A%2F%2Fh%2F%40alice",
        "@",
    ],
)
def test_what_is_no_user_info_stays(text: str) -> None:
    assert redact_url(text) == text


def test_of_a_query_only_the_parameter_with_the_url_is_redacted() -> None:
    assert redact_query("a=1&next=http://u:PW@h/&mail=x@y.z") == "a=1&next=http://<redacted>@h/&mail=x@y.z"


def test_of_a_message_only_the_word_with_the_url_is_redacted() -> None:
    assert redact_message("got http://u:PW@h/, expected a@b.c") == "got http://<redacted>@h/, expected a@b.c"


@pytest.mark.parametrize("piece", ["://a:", ":/", "http://", "/", "1", "%3a%2f", "://a:1/", "token", "token&", "://[::1]:"])
def test_no_text_is_so_made_that_it_takes_long(piece: str) -> None:
    text = "@://a:" + piece * (64_000 // len(piece)) + "@"
    began = time.process_time()

    redact_url(text)
    redact_query(text + "&a=b")
    redact_query(text[2:-1] + "&a=b")
    without_credentials(text)

    # What is not linear takes some seconds.
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("referer", "http://u:PW@shop/", "http://<redacted>@shop/"),
        ("origin", "http://u:PW@shop", "http://<redacted>@shop"),
        ("user-agent", "sdk (http://u:PW@shop)", "sdk (http://<redacted>@shop)"),
        ("user-agent", "x (http%3A%2F%2Fu%3APW%40h/)", "x (http%3A%2F%2F<redacted>@h/)"),
        ("host", "u:PW@shop", "<redacted>@shop"),
        ("from", "a@b.c", "a@b.c"),
    ],
)
def test_a_header_is_kept_without_the_user_info_of_a_url(name: str, value: str, kept: str) -> None:
    assert redact([(name.encode(), value.encode())]) == f"{name}: {kept}".encode()


def test_a_doubled_base_url_is_answered_and_kept_without_its_password(fake: Fake) -> None:
    reply = fake.upload(batch(), "/http://u:PW@host/v2/events")

    (request,) = fake.items("requests")
    assert (reply.status, request["path"]) == (404, "/http://<redacted>@host/v2/events")
    assert "POST /http://<redacted>@host/v2/events is no mParticle endpoint." in reply.messages[0]
    assert "PW" not in f"{reply.body!r} {fake.ask('requests/1')}"


def test_a_doubled_base_url_is_looked_for_as_it_was_sent(fake: Fake) -> None:
    fake.upload(batch(), "/http://u:PW@host/v2/events")

    assert len(fake.items("requests?path=/http://u:PW@host/v2/events")) == 1


def test_what_comes_with_an_upload_is_kept_without_passwords(fake: Fake) -> None:
    reply = fake.upload(batch(), "/v2/events?next=http://u:PW@h/&a=1", Referer="http://u:PW@shop/")

    request = fake.ask("requests/1")
    assert (reply.status, request["query"]) == (202, "next=http://<redacted>@h/&a=1")
    assert dict(request["headers"])["referer"] == "http://<redacted>@shop/"


def test_uploads_with_the_same_head_are_kept_without_its_password(fake: Fake) -> None:
    for _ in range(3):
        fake.upload(batch(), Referer="http://u:PW@shop/")

    assert [dict(fake.ask(f"requests/{id}")["headers"])["referer"] for id in (1, 2, 3)] == ["http://<redacted>@shop/"] * 3


@pytest.mark.parametrize("headers", [{"Origin": "http://u:PW@evil"}, {"Host": "u:PW@evil"}])
def test_a_page_that_may_not_ask_is_told_without_its_password(fake: Fake, headers: dict[str, str]) -> None:
    reply = fake.request("GET", "/_fake/batches", headers=headers)

    assert (reply.status, b"PW" in reply.body, b"evil" in reply.body) == (403, False, True)


@pytest.mark.parametrize("question", ["batches?key=a&http://u:PW@h=1", "batches?code=http://u:PW@h", "batches/http://u:PW@h"])
def test_a_wrong_question_is_answered_without_its_password(fake: Fake, question: str) -> None:
    reply = fake.request("GET", f"/_fake/{question}")

    assert (reply.status >= 400, b"PW" in reply.body) == (True, False)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/_fake/workspaces/", "Did you mean /_fake/workspaces? (docs/findings.md#path_unknown)"),
        ("/v2/events/", "Did you mean /v2/events? The client's host or base path ends in a slash too many."),
    ],
)
def test_only_a_client_is_told_of_its_base_path(open_fake: OpenFake, path: str, told: str) -> None:
    with open_fake() as fake:
        assert told in fake.request("GET", path).messages[0]
