"""`fake_mparticle.tls_url`: the fake of a test over HTTPS, and what that costs those who do not ask for it."""

import os
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import requests

from mparticle_fake_server import FakeServer
from mparticle_pytest_plugin.errors import MParticleError
from mparticle_pytest_plugin.inbox import Inbox
from mparticle_pytest_plugin.remote import RemoteSource
from mparticle_pytest_plugin.source import LocalSource
from tests.hosts import batch
from tests.pytest_plugin.suites import Suite

pytest_plugins = ["pytester"]

# What a run in this process imports is forgotten after it, and the compiled part of cryptography cannot be loaded again.
import_module("trustme")


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """An Inbox on a server that ends with the test: other tests look whether something listens."""
    source = LocalSource()
    source.open_workspace("test #1", "key", "secret", mode="faithful")
    made = Inbox(source, "test #1", "key", "secret", "test")
    yield made
    made.close()
    source.close()


def send(inbox: Inbox, url: str) -> int:
    answer = requests.post(f"{url}/v2/events", json=batch(), auth=(inbox.key, inbox.secret), verify=inbox.ca_path, timeout=10)
    return answer.status_code


def test_a_test_receives_what_is_sent_over_https(inbox: Inbox) -> None:
    assert send(inbox, inbox.tls_url) == 202

    inbox.assert_received("Play")


def test_both_addresses_belong_to_one_fake(inbox: Inbox) -> None:
    for url in (inbox.tls_url, inbox.url):
        send(inbox, url)

    inbox.assert_received("Play", times=2)


def test_the_ca_can_be_asked_for_before_the_address(inbox: Inbox) -> None:
    assert ssl.create_default_context(cafile=inbox.ca_path).get_ca_certs()


def test_https_is_not_served_before_it_is_asked_for() -> None:
    source = LocalSource()

    _ = source.url

    assert not source.server.has_tls
    source.close()


def test_threads_that_ask_at_once_get_one_address() -> None:
    source = LocalSource()
    found: set[str] = set()
    threads = [threading.Thread(target=lambda: found.add(source.tls_url)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 1
    source.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_forked_child_cannot_begin_with_https_and_is_told_so() -> None:
    source = LocalSource()
    _ = source.url
    child = os.fork()
    if not child:
        try:
            told = source.tls_url
        except MParticleError as error:
            told = str(error)
        os._exit("forked from process" in told)

    assert os.waitpid(child, 0)[1] >> 8 == 1
    source.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_forked_child_holds_neither_port() -> None:
    source = LocalSource()
    port = int(source.tls_url.rpartition(":")[2])
    ours, theirs = socket.socketpair()
    child = os.fork()
    if not child:
        ours.close()
        theirs.send(b"here")
        theirs.recv(1)
        os._exit(0)
    theirs.close()
    ours.recv(4)

    source.close()

    with socket.create_server(("127.0.0.1", port)):
        pass
    ours.close()
    os.waitpid(child, 0)


def test_certificates_of_a_run_are_gone_after_it() -> None:
    source = LocalSource()
    folder = Path(source.ca_path).parent

    source.close()

    assert not folder.exists()


def test_certificates_can_be_kept_from_run_to_run(tmp_path: Path) -> None:
    kept = []
    for _ in range(2):
        source = LocalSource(certificates=tmp_path)
        kept.append(Path(source.ca_path).read_bytes())
        source.close()

    assert kept == [(tmp_path / "ca.pem").read_bytes()] * 2


def test_certificates_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    source = LocalSource(certificates=tmp_path)

    with pytest.raises(MParticleError, match=r"The fake cannot serve HTTPS: The CA in .* cannot be used: .*ca\.key is missing"):
        _ = source.tls_url
    source.close()


def test_a_folder_that_cannot_be_made_is_told_alone_and_who_names_it() -> None:
    source = LocalSource(certificates="/dev/null/x")

    with pytest.raises(MParticleError) as caught:
        _ = source.tls_url

    source.close()
    assert str(caught.value) == (
        "The fake cannot serve HTTPS: Certificates cannot be kept in /dev/null/x: Not a directory. Make that folder "
        "readable and writable for you alone. The option certificates of fake_mparticle_options names that folder."
    )
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("/dev/null", "expected a folder, there or to be made: /dev/null is no folder."),
        ("/dev/null/certificates", "expected a folder, there or to be made: /dev/null is no folder."),
        ("", "expected the path of a folder."),
        (b"/tmp", "expected the path of a folder."),
    ],
)
def test_a_path_that_can_be_no_folder_is_refused_before_the_test(suite: Suite, value: str | bytes, told: str) -> None:
    suite.conftest(
        f"""
        @pytest.fixture(scope="session")
        def fake_mparticle_options():
            return {{"certificates": {value!r}}}
        """
    )
    suite.write("def test_it(fake_mparticle): pass")

    result = suite.run()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"The fixture fake_mparticle_options has certificates={value!r}; {told}"])


def test_a_suite_names_the_folder_in_its_options(suite: Suite, tmp_path: Path) -> None:
    suite.conftest(
        f"""
        @pytest.fixture(scope="session")
        def fake_mparticle_options():
            return {{"certificates": {str(tmp_path / "kept")!r}}}
        """
    )
    suite.write(
        f"""
        def test_it(fake_mparticle):
            assert fake_mparticle.ca_path == {str(tmp_path / "kept" / "ca.pem")!r}
        """
    )

    suite.run().assert_outcomes(passed=1)


TRUST = """
    import contextlib
    import ssl
    import urllib.request

    def test_fails(fake_mparticle):
        with contextlib.suppress(OSError):
            urllib.request.urlopen(fake_mparticle.tls_url, context=ssl.create_default_context())
        recorder = fake_mparticle.source.server.intake.recorder
        assert recorder.wait(lambda: recorder.last_id(), 10)
        {}
"""
MISTRUSTED = (
    "The client refused the certificate of this server in the TLS handshake (TLSV1_ALERT_UNKNOWN_CA). "
    "Let the client trust the CA in fake_mparticle.ca_path, for requests by verify=fake_mparticle.ca_path; "
    "in a mobile SDK, switch certificate pinning off."
)


def test_the_section_of_a_test_whose_client_does_not_trust_the_ca_says_which_to_trust(suite: Suite) -> None:
    suite.write(TRUST.format("assert False"))

    result = suite.run()

    result.stdout.fnmatch_lines(
        ["Unclaimed, *", "  no HTTP request, answered 400: http_broken", f"    error http_broken: {MISTRUSTED}"], consecutive=True
    )


def test_the_report_of_an_assertion_says_which_ca_to_trust(suite: Suite) -> None:
    suite.write(TRUST.format("fake_mparticle.assert_received('purchase')"))

    text = " ".join(suite.run().stdout.str().replace("\nE", "").split())

    assert "400 no HTTP request key=None error http_broken: The client refused the certificate" in text
    assert "hint: Let the client trust the CA in fake_mparticle.ca_path, for requests by verify=fake_mparticle.ca_path;" in text


def test_a_plain_run_imports_nothing_for_https(suite: Suite) -> None:
    suite.write(
        """
        import sys

        def test_it(fake_mparticle):
            send(fake_mparticle)
            assert not {"trustme", "cryptography"} & set(sys.modules)
        """
    )

    suite.run_apart().assert_outcomes(passed=1)


def test_the_example_of_the_docs_passes(suite: Suite, checkout: Path) -> None:
    page = (checkout / "docs/clients/README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    suite.write(example)

    suite.run().assert_outcomes(passed=1)


# -- a fake elsewhere ------------------------------------------------------------------------------------------------------


def test_a_fake_elsewhere_that_is_asked_over_https_is_sent_to_over_https(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeServer(tls=tmp_path) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_path))
        source = RemoteSource(server.tls_url)

        assert source.tls_url == server.tls_url
        source.close()


def test_a_fake_elsewhere_that_is_asked_over_http_tells_how_to_have_https() -> None:
    with FakeServer() as server:
        source = RemoteSource(server.url)

        with pytest.raises(MParticleError, match="'mparticle-fake serve --tls'"):
            _ = source.tls_url
        source.close()


def test_the_ca_of_a_fake_elsewhere_is_the_one_that_serve_keeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with FakeServer(tls=True) as server:
        source = RemoteSource(server.url)

        assert source.ca_path == server.ca_path
        source.close()


def test_the_ca_of_a_fake_elsewhere_may_be_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with FakeServer() as server:
        source = RemoteSource(server.url)

        with pytest.raises(MParticleError, match="is not known here"):
            _ = source.ca_path
        source.close()
