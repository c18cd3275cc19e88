"""The way to the host: refused and broken connections, silence, proxies and certificates from configuration and environment."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

import mparticle_sdk as mparticle
from tests.hosts import Fake, server_host
from tests.sdk.client_servers import (
    Server,
    by_name,
    cut_short,
    give_name,
    listener,
    proxy,
    reset,
    scripted,
    secured,
    stay_silent,
    stop_halfway,
    talk_nonsense,
)

KEY, SECRET = "an-input-key", "a-secret-of-the-usual-length"
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without proxies and certificates, in which servers have a name besides their address."""
    give_name(monkeypatch)
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


@pytest.fixture
def fake() -> Iterator[Fake]:
    with server_host() as opened:
        yield opened


def upload(url: str, **attributes: Any) -> int:
    """Upload a batch with this configuration; returns the status."""
    configuration = mparticle.Configuration(KEY, SECRET, host=url)
    for name, value in attributes.items():
        setattr(configuration, name, value)
    with mparticle.EventsApi(configuration) as api:
        return api.upload_events(mparticle.Batch(environment="development")).status


# -- no answer ---------------------------------------------------------------------------------------------------------------


def test_a_refused_connection_is_of_the_tree() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"

        with pytest.raises(mparticle.ConnectionFailedError) as caught:
            upload(url)

    assert caught.value.status == 0
    assert f"No complete answer from {url}/v2/events (ConnectionRefusedError" in str(caught.value)
    assert isinstance(caught.value, mparticle.TransportError)
    assert isinstance(caught.value, mparticle.ApiException)


def test_a_name_that_nobody_has_is_of_the_tree() -> None:
    with pytest.raises(mparticle.ConnectionFailedError, match=r"no-such-host\.invalid"):
        upload("http://no-such-host.invalid")


@pytest.mark.parametrize("host", ["http://a..b", "http://" + "x" * 70 + ".invalid", "http://*/"])
def test_a_host_that_no_name_can_be_is_of_the_tree(host: str) -> None:
    with pytest.raises(mparticle.ApiException):
        upload(host)


@pytest.mark.parametrize("behave", [stay_silent, stop_halfway], ids=["no answer", "half an answer"])
def test_a_server_that_stops_talking_is_a_timeout(behave: Any) -> None:
    with listener(behave) as server:
        begun = time.monotonic()
        with pytest.raises(mparticle.TimedOutError, match=r"within 0\.2 s"):
            upload(server.url, timeout=0.2)

    assert 0.2 <= time.monotonic() - begun < 5


@pytest.mark.parametrize("behave", [reset, cut_short, talk_nonsense], ids=["reset", "cut short", "no HTTP"])
def test_a_server_that_breaks_off_is_a_failed_connection(behave: Any) -> None:
    with listener(behave) as server, pytest.raises(mparticle.ConnectionFailedError) as caught:
        upload(server.url)

    assert len(server.connections) == 1, "a request that may have arrived is not sent again"
    assert caught.value.undelivered


def test_a_connection_that_the_server_closed_in_between_is_opened_anew() -> None:
    with scripted() as server, mparticle.EventsApi(mparticle.Configuration(KEY, SECRET, host=server.url)) as api:
        api.upload_events(mparticle.Batch(environment="development"))
        server.connections[0].shutdown(socket.SHUT_RDWR)
        time.sleep(0.05)
        _, status, _ = api.upload_events(mparticle.Batch(environment="development"))

    assert (status, len(server.connections)) == (202, 2)


# -- proxies -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_used(fake: Fake, environment: pytest.MonkeyPatch, variable: str) -> None:
    with proxy() as between:
        environment.setenv(variable, between.url)

        status = upload(by_name(f"{fake.url}"))

    assert status == 202
    assert [seen.path for seen in between.seen] == [by_name(f"{fake.url}/v2/events")]
    assert len(fake.items("batches")) == 1


@pytest.mark.parametrize("excepted", ["mparticle.test", ".test", "*", "example.com,mparticle.test"])
def test_hosts_that_no_proxy_names_are_reached_without(fake: Fake, environment: pytest.MonkeyPatch, excepted: str) -> None:
    with proxy() as between:
        environment.setenv("HTTP_PROXY", between.url)
        environment.setenv("NO_PROXY", excepted)

        status = upload(by_name(f"{fake.url}"))

    assert (status, between.seen) == (202, [])


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.8.8.8", "0.0.0.0", "127.1", "[::1]", "[::ffff:127.0.0.1]", "localhost", "localhost.", "Fake.LocalHost"],
)
def test_this_machine_is_reached_without_the_proxy_that_all_else_needs(
    fake: Fake, environment: pytest.MonkeyPatch, host: str
) -> None:
    give_name(environment, host.strip("[]").lower())
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        environment.setenv(variable, "http://127.0.0.1:9")

    assert upload(by_name(f"{fake.url}", host)) == 202


def test_a_proxy_gets_its_credentials_and_mparticle_its_own(fake: Fake, environment: pytest.MonkeyPatch) -> None:
    with proxy("user:password") as between:
        environment.setenv("HTTP_PROXY", between.url.replace("//", "//user:password@"))

        status = upload(by_name(f"{fake.url}"))

    (batch,) = fake.items("batches")
    assert (status, batch["key"]) == (202, KEY)


def test_the_environment_is_read_once(fake: Fake, environment: pytest.MonkeyPatch) -> None:
    with mparticle.EventsApi(mparticle.Configuration(KEY, SECRET, host=by_name(f"{fake.url}"))) as api:
        api.upload_events(mparticle.Batch(environment="development"))
        environment.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        _, status, _ = api.upload_events(mparticle.Batch(environment="development"))

    assert status == 202


def test_netrc_does_not_replace_the_credentials(fake: Fake, environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    environment.setenv("NETRC", str(netrc))

    upload(f"{fake.url}")

    (batch,) = fake.items("batches")
    assert batch["key"] == KEY


@pytest.mark.parametrize("value", ["http://127.0.0.1:9", "nonsense://127.0.0.1:9", "socks5://127.0.0.1:9", "http://"])
def test_a_proxy_that_cannot_be_used_is_of_the_tree(environment: pytest.MonkeyPatch, value: str) -> None:
    environment.setenv("HTTP_PROXY", value)

    with pytest.raises(mparticle.ApiException):
        upload("http://mparticle.invalid")


# -- TLS ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_an_authority_of_the_environment_is_trusted(tmp_path: Path, environment: pytest.MonkeyPatch, variable: str) -> None:
    with secured(tmp_path) as server:
        environment.setenv(variable, str(server.authority))

        assert upload(server.url) == 202
        assert len(server.batches) == 1


def test_an_authority_of_the_configuration_is_trusted_before_that_of_the_environment(
    tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    with secured(tmp_path) as server:
        environment.setenv("REQUESTS_CA_BUNDLE", "/no/such/file")

        assert upload(server.url, ssl_ca_cert=server.authority) == 202


def test_an_unknown_authority_is_a_failed_connection_that_tells_what_to_do(tmp_path: Path) -> None:
    with secured(tmp_path) as server:
        with pytest.raises(mparticle.ConnectionFailedError, match="Name its file in ssl_ca_cert or REQUESTS_CA_BUNDLE"):
            upload(server.url)

        assert server.batches == []


def test_certificates_are_not_verified_where_the_configuration_says_so(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    with secured(tmp_path) as server:
        environment.setenv("REQUESTS_CA_BUNDLE", "/no/such/file")
        with pytest.warns(Warning, match="Unverified HTTPS request"):
            status = upload(server.url, verify_ssl=False)

    assert status == 202


def test_a_client_certificate_is_shown(tmp_path: Path) -> None:
    clients = trustme.CA()
    own = clients.issue_cert("client.example.com")
    own.cert_chain_pems[0].write_to_path(str(tmp_path / "client.pem"))
    own.private_key_pem.write_to_path(str(tmp_path / "client.key"))
    own.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "both.pem"))
    with secured(tmp_path, clients) as server:
        separate = {"cert_file": tmp_path / "client.pem", "key_file": str(tmp_path / "client.key")}

        assert upload(server.url, ssl_ca_cert=server.authority, **separate) == 202
        assert upload(server.url, ssl_ca_cert=server.authority, cert_file=tmp_path / "both.pem") == 202
        with pytest.raises(mparticle.ConnectionFailedError):
            upload(server.url, ssl_ca_cert=server.authority)


def test_tls_goes_through_a_proxy(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    with secured(tmp_path) as server, proxy("user:password") as between:
        environment.setenv("HTTPS_PROXY", between.url.replace("//", "//user:password@"))
        environment.setenv("REQUESTS_CA_BUNDLE", str(server.authority))

        assert upload(by_name(server.url)) == 202

    assert [seen.path for seen in between.seen] == [by_name(server.url).removeprefix("https://")]
    assert "authorization" not in between.seen[0].headers


def test_a_proxy_that_refuses_is_a_failed_connection(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    with secured(tmp_path) as server, proxy("user:password") as between:
        environment.setenv("HTTPS_PROXY", between.url)

        with pytest.raises(mparticle.ConnectionFailedError, match="The proxy did not connect"):
            upload(by_name(server.url))


@pytest.mark.parametrize("name", ["ssl_ca_cert", "cert_file", "REQUESTS_CA_BUNDLE"])
def test_a_file_that_is_missing_is_named(environment: pytest.MonkeyPatch, name: str) -> None:
    attributes = {}
    if name.isupper():
        environment.setenv(name, "/no/such/file")
    else:
        attributes[name] = "/no/such/file"

    with pytest.raises(mparticle.ConfigurationError, match=f"{name} names '/no/such/file', and there is no such file"):
        upload("https://127.0.0.1:9", **attributes)


def test_authorities_of_the_environment_do_not_matter_without_tls(fake: Fake, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("REQUESTS_CA_BUNDLE", "/no/such/file")

    assert upload(f"{fake.url}") == 202


@pytest.mark.parametrize("name", ["ssl_ca_cert", "cert_file"])
def test_a_file_that_is_no_certificate_is_of_the_tree(tmp_path: Path, name: str) -> None:
    (tmp_path / "nonsense.pem").write_text("nonsense")
    with secured(tmp_path) as server, pytest.raises(mparticle.ApiException):
        upload(server.url, **{"ssl_ca_cert": server.authority, name: tmp_path / "nonsense.pem"})


def test_plain_http_to_a_tls_port_is_of_the_tree(tmp_path: Path) -> None:
    with secured(tmp_path) as server, pytest.raises(mparticle.ApiException):
        upload(server.url.replace("https", "http"))


def test_tls_to_a_plain_port_is_a_failed_connection_that_tells_what_to_do() -> None:
    server: Server
    with scripted() as server, pytest.raises(mparticle.ConnectionFailedError, match=r"speaks no TLS .* Name it with http://"):
        upload(server.url.replace("http", "https"))
