"""Configuration: the official attributes, pods, hosts, the environment, logging; and that no secret shows anywhere."""

import base64
import io
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import mparticle_sdk as mparticle
from tests.hosts import server_host
from tests.sdk.client_servers import (
    Reply,
    Seen,
    answering,
    by_name,
    give_name,
    listener,
    proxy,
    reset,
    scripted,
    secured,
    stay_silent,
)

KEY, SECRET = "an-input-key", "a-secret-of-the-usual-length"
TOKEN = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()


@pytest.fixture(autouse=True)
def loggers() -> Iterator[None]:
    """The SDK's loggers as they were before the test."""
    names = ("mparticle_sdk", "urllib3")
    before = [(logging.getLogger(name), logging.getLogger(name).level, list(logging.getLogger(name).handlers)) for name in names]
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers


# -- as in the official SDK --------------------------------------------------------------------------------------------------


def test_without_arguments_it_is_the_official_configuration() -> None:
    configuration = mparticle.Configuration()

    assert configuration.host == "https://s2s.mparticle.com/v2"
    assert (configuration.api_key, configuration.api_secret) == ("", "")
    assert (configuration.verify_ssl, configuration.ssl_ca_cert, configuration.cert_file, configuration.key_file) == (
        True,
        None,
        None,
        None,
    )
    assert (configuration.connection_pool_size, configuration.api_client, configuration.debug) == (1, None, False)


def test_key_and_secret_may_be_given_in_the_order_of_the_guide() -> None:
    configuration = mparticle.Configuration(KEY, SECRET)

    assert configuration.get_basic_auth_token() == f"Basic {TOKEN}"
    assert configuration.auth_settings()["basic"]["value"] == f"Basic {TOKEN}"


def test_every_attribute_of_the_official_configuration_is_there() -> None:
    official = pytest.importorskip("mparticle").Configuration()
    ours = mparticle.Configuration()

    names = {name for name in dir(official) if not name.startswith("_")}

    assert names - set(dir(ours)) == set()


def test_the_token_is_the_official_one_for_ascii_and_utf_8_for_the_rest() -> None:
    assert mparticle.Configuration("ключ", "ß").get_basic_auth_token() == f"Basic {base64.b64encode('ключ:ß'.encode()).decode()}"


@pytest.mark.parametrize(("secret", "told"), [(None, "api_secret not set"), (7, "must be text"), ("\udc80", "must be text")])
def test_a_secret_that_is_no_text_is_a_configuration_error_that_does_not_show_it(secret: Any, told: str) -> None:
    api = mparticle.EventsApi(mparticle.Configuration(KEY, secret))

    with pytest.raises(mparticle.ConfigurationError, match=told) as caught:
        api.upload_events(mparticle.Batch())

    assert caught.value.__cause__ is None


def test_a_prefix_goes_before_a_stored_key() -> None:
    configuration = mparticle.Configuration()
    configuration.api_key_store, configuration.api_key_prefix = {"a": "1", "b": "2"}, {"a": "Bearer"}

    assert [configuration.get_api_key_with_prefix(name) for name in "abc"] == ["Bearer 1", "2", None]


# -- where to ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pod", "host"),
    [
        ("us1", "https://s2s.mparticle.com/v2"),
        ("us2", "https://s2s.us2.mparticle.com/v2"),
        ("eu1", "https://s2s.eu1.mparticle.com/v2"),
        ("AU1", "https://s2s.au1.mparticle.com/v2"),
    ],
)
def test_a_pod_is_a_host_by_name(pod: str, host: str) -> None:
    assert mparticle.Configuration(pod=pod).host == host


@pytest.mark.parametrize(("pod", "hint"), [("eu", " Did you mean 'eu1'?"), ("eur1", " Did you mean 'eu1'?"), ("asia", "")])
def test_an_unknown_pod_lists_the_known_ones(pod: str, hint: str) -> None:
    with pytest.raises(mparticle.ConfigurationError) as caught:
        mparticle.Configuration(pod=pod)

    assert str(caught.value) == f"pod {pod!r} is unknown; expected one of us1, us2, eu1, au1.{hint}"


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v2"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/v2"),
        ("http://[::1]:8080/v2/", "http://[::1]:8080/v2"),
        (" https://inbound.mparticle.com/s2s/v2 ", "https://inbound.mparticle.com/s2s/v2"),
    ],
)
def test_a_host_without_a_path_gets_v2(given: str, host: str) -> None:
    configuration = mparticle.Configuration()

    configuration.host = given

    assert configuration.host == mparticle.Configuration(host=given).host == mparticle.ApiClient(given).host == host


@pytest.mark.parametrize(
    "host",
    [
        "",
        "s2s.mparticle.com",
        "localhost:8080",
        "ftp://a/v2",
        "http://",
        "http://a/v2?x=1",
        "http://a/#b",
        "http://a b/",
        "http://[::1",
        "http://a:port/",
        "http://a:99999/",
        "http://key:secret@a/",
        "http://a:0/",
        None,
        b"http://a",
    ],
)
def test_what_is_no_base_url_is_a_configuration_error_at_once(host: Any) -> None:
    configuration = mparticle.Configuration()

    with pytest.raises(mparticle.ConfigurationError, match=r"^host "):
        configuration.host = host

    assert configuration.host == "https://s2s.mparticle.com/v2"


def test_credentials_in_a_host_are_refused_and_not_repeated() -> None:
    with pytest.raises(mparticle.ConfigurationError, match="set api_key and api_secret instead") as caught:
        mparticle.Configuration(host=f"https://{KEY}:{SECRET}@s2s.mparticle.com")

    assert SECRET not in everything_about(caught.value, with_locals=False)


def test_a_host_and_a_pod_are_one_too_many() -> None:
    with pytest.raises(mparticle.ConfigurationError, match="give one of them"):
        mparticle.Configuration(host="http://127.0.0.1", pod="eu1")


@pytest.mark.parametrize("timeout", [0, -1, "30", True, float("nan"), float("inf"), (1, 2)])
def test_a_timeout_is_a_number_of_seconds_or_none(timeout: Any) -> None:
    assert mparticle.Configuration(timeout=None).timeout is None
    assert mparticle.Configuration().timeout == 30
    with pytest.raises(mparticle.ConfigurationError, match=r"^timeout is "):
        mparticle.Configuration(timeout=timeout)


# -- from the environment ----------------------------------------------------------------------------------------------------

CREDENTIALS = {"MPARTICLE_API_KEY": KEY, "MPARTICLE_API_SECRET": f"{SECRET}\n"}


def test_the_environment_has_key_secret_and_url(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**CREDENTIALS, "MPARTICLE_URL": "http://127.0.0.1:8080"}.items():
        monkeypatch.setenv(name, value)

    configuration = mparticle.Configuration.from_env()

    assert configuration.get_basic_auth_token() == f"Basic {TOKEN}"
    assert configuration.host == "http://127.0.0.1:8080/v2"


@pytest.mark.parametrize(
    ("more", "host"),
    [
        ({}, "https://s2s.mparticle.com/v2"),
        ({"MPARTICLE_POD": "eu1"}, "https://s2s.eu1.mparticle.com/v2"),
        ({"MPARTICLE_POD": "eu1", "MPARTICLE_URL": ""}, "https://s2s.eu1.mparticle.com/v2"),
        ({"MPARTICLE_POD": "eu1", "MPARTICLE_URL": "http://127.0.0.1:1"}, "http://127.0.0.1:1/v2"),
    ],
)
def test_the_url_goes_before_the_pod(more: dict[str, str], host: str) -> None:
    assert mparticle.Configuration.from_env(CREDENTIALS | more).host == host


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "^MPARTICLE_API_KEY and MPARTICLE_API_SECRET are not set"),
        ({"MPARTICLE_API_KEY": KEY}, "^MPARTICLE_API_SECRET is not set"),
        ({"MPARTICLE_API_KEY": " ", "MPARTICLE_API_SECRET": SECRET}, "^MPARTICLE_API_KEY is not set"),
        ({**CREDENTIALS, "MPARTICLE_POD": "eu9"}, "^MPARTICLE_POD: pod 'eu9' is unknown"),
        ({**CREDENTIALS, "MPARTICLE_URL": "localhost"}, "^MPARTICLE_URL: host is 'localhost'"),
    ],
)
def test_a_missing_or_wrong_variable_is_named(environ: dict[str, str], message: str) -> None:
    with pytest.raises(mparticle.ConfigurationError, match=message) as caught:
        mparticle.Configuration.from_env(environ)

    # The locals are those of whoever has the secret to give.
    assert SECRET not in everything_about(caught.value, with_locals=False)


# -- logging -----------------------------------------------------------------------------------------------------------------


def test_a_configuration_without_debug_leaves_logging_alone() -> None:
    before = list(logging.getLogger("urllib3").handlers)

    mparticle.Configuration()

    assert logging.getLogger("mparticle_sdk").level == logging.NOTSET
    assert logging.getLogger("urllib3").handlers == before


def test_debug_logs_requests_once_to_the_applications_own_handlers(caplog: pytest.LogCaptureFixture) -> None:
    with scripted() as server:
        for _ in range(2):
            configuration = mparticle.Configuration(KEY, SECRET, host=server.url)
            configuration.debug = True
        with mparticle.EventsApi(configuration) as api:
            api.upload_events(mparticle.Batch(environment="development"))

    lines = [record.getMessage() for record in caplog.records if record.name == "mparticle_sdk"]
    assert len(lines) == 1
    assert configuration.logger_stream_handler is None
    assert lines[0].startswith(f"POST {server.url}/v2/events, {len(server.seen[0].body)} bytes: 202 Accepted in ")


def test_what_a_server_says_is_logged_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    configuration = mparticle.Configuration(KEY, SECRET)
    configuration.debug = True
    with scripted(answering(Reply(400, body=b"a\r\nb\x1b[2J\n"))) as server:
        configuration.host = server.url
        with mparticle.EventsApi(configuration) as api, pytest.raises(mparticle.BadRequestError):
            api.upload_events(mparticle.Batch(environment="development"))

    (line,) = [record.getMessage() for record in caplog.records if record.name == "mparticle_sdk"]
    assert line.endswith(r" ms a\nb\x1b[2J\n")


def test_debug_logs_to_standard_error_where_the_application_has_no_handlers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    configuration = mparticle.Configuration(KEY, SECRET, host="http://127.0.0.1:9")

    configuration.debug = True
    with pytest.raises(mparticle.ConnectionFailedError):
        mparticle.EventsApi(configuration).upload_events(mparticle.Batch())
    configuration.debug = False
    with pytest.raises(mparticle.ConnectionFailedError):
        mparticle.EventsApi(configuration).upload_events(mparticle.Batch())

    assert capsys.readouterr().err.count("DEBUG POST http://127.0.0.1:9/v2/events") == 1


def test_a_logger_file_gets_the_lines(tmp_path: Path) -> None:
    configuration = mparticle.Configuration(KEY, SECRET, host="http://127.0.0.1:9")

    configuration.logger_file = str(tmp_path / "sdk.log")
    configuration.debug = True
    with pytest.raises(mparticle.ConnectionFailedError):
        mparticle.EventsApi(configuration).upload_events(mparticle.Batch())
    configuration.logger_file = None

    assert "POST http://127.0.0.1:9/v2/events" in (tmp_path / "sdk.log").read_text()
    assert configuration.logger_file is None


# -- secrets -----------------------------------------------------------------------------------------------------------------


def everything_about(error: BaseException, *, with_locals: bool = True) -> str:
    """All that a person, a log or a tool that reports exceptions gets to see: texts, attributes, tracebacks with their locals."""
    seen: dict[int, BaseException] = {}
    left: list[Any] = [error]
    parts: list[str] = []
    while left:
        one = left.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen[id(one)] = one
        left += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
        parts += [str(one), repr(one), repr(one.args), repr(vars(one))]
        for name in ("request", "response"):
            of_requests = getattr(one, name, None)
            parts.append(repr(dict(getattr(of_requests, "headers", None) or {})))
    reported = traceback.TracebackException.from_exception(error, capture_locals=with_locals)
    return "\n".join([*parts, *reported.format()])


def test_representations_do_not_show_the_secret() -> None:
    configuration = mparticle.Configuration(KEY, SECRET)
    api = mparticle.EventsApi(configuration)

    shown = f"{configuration!r} {configuration} {api!r} {api.api_client!r} {configuration.to_debug_report()}"

    assert SECRET not in shown
    assert TOKEN not in shown
    assert "api_secret='…'" in repr(configuration)


def echo(seen: Seen) -> Reply:
    """A server that repeats what it was told, credentials included."""
    told = {"X-Authorization": seen.headers["authorization"], "X-Secret": SECRET}
    return Reply(400, told, body=f"{seen.headers} {KEY}:{SECRET}".encode())


def failing(folder: Path) -> Iterator[tuple[str, mparticle.ApiException]]:
    """Every way for an upload to fail, and its exception."""

    def caught(url: str, **settings: Any) -> mparticle.ApiException:
        configuration = mparticle.Configuration(KEY, SECRET, host=url)
        configuration.debug = True
        for name, value in settings.items():
            setattr(configuration, name, value)
        with mparticle.EventsApi(configuration) as api, pytest.raises(mparticle.ApiException) as error:
            api.upload_events(mparticle.Batch(environment="development"))
        return error.value

    yield "refused", caught("http://127.0.0.1:9")
    with listener(stay_silent) as server:
        yield "timed out", caught(server.url, timeout=0.1)
    with listener(reset) as server:
        yield "reset", caught(server.url)
    with scripted(echo) as server:
        yield "echoed", caught(server.url)
    with secured(folder) as trusted:
        yield "not trusted", caught(trusted.url)
    with server_host(credentials=[(KEY, "another", "default")], unknown_keys=False) as fake:
        yield "forbidden", caught(f"{fake.url}")
    yield "no name", caught("http://a..b")


def test_no_exception_and_no_log_shows_the_secret(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.MonkeyPatch.context() as environment:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "REQUESTS_CA_BUNDLE"):
            environment.delenv(name, raising=False)
        told = {way: everything_about(error) for way, error in failing(tmp_path)}

    assert len(told) == 7
    for way, text in told.items():
        assert SECRET not in text, way
        assert TOKEN not in text, way
    assert SECRET not in caplog.text
    assert TOKEN not in caplog.text
    assert "POST http://127.0.0.1:9/v2/events" in caplog.text


def test_the_credentials_of_a_proxy_do_not_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    give_name(monkeypatch)
    for name in ("NO_PROXY", "no_proxy", "https_proxy", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    told = []
    with secured(tmp_path) as server, proxy("user:right") as between:
        for address in (between.url, "http://127.0.0.1:9"):
            monkeypatch.setenv("HTTPS_PROXY", address.replace("//", "//user:proxy-password@"))
            with (
                mparticle.EventsApi(mparticle.Configuration(KEY, SECRET, host=by_name(server.url))) as api,
                pytest.raises(mparticle.ConnectionFailedError, match="The proxy did not connect") as caught,
            ):
                api.upload_events(mparticle.Batch())
            told.append(everything_about(caught.value))

    hidden = ("proxy-password", base64.b64encode(b"user:proxy-password").decode(), SECRET, TOKEN)
    assert [word for word in hidden for text in [*told, caplog.text] if word in text] == []


def test_the_check_for_secrets_finds_one() -> None:
    """Seen to fail: `requests` alone, used in the plain way, keeps the credentials in its exceptions."""
    import requests

    with pytest.raises(requests.ConnectionError) as caught:
        requests.post("http://127.0.0.1:9", auth=(KEY, SECRET), timeout=1, proxies={"http": ""})

    assert TOKEN in everything_about(caught.value)


def test_a_handler_that_formats_exceptions_shows_no_secret() -> None:
    stream = io.StringIO()
    logger = logging.getLogger("application")
    handler = logging.StreamHandler(stream)
    logger.addHandler(handler)
    try:
        mparticle.EventsApi(mparticle.Configuration(KEY, SECRET, host="http://127.0.0.1:9")).upload_events(mparticle.Batch())
    except mparticle.ApiException:
        logger.exception("upload failed")
    finally:
        logger.removeHandler(handler)

    assert "Connection refused" in stream.getvalue()
    assert SECRET not in stream.getvalue()
    assert TOKEN not in stream.getvalue()
