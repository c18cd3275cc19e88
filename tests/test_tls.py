"""HTTPS: certificates and how they are kept, both addresses of one server, and what is said where a connection fails."""

import contextlib
import datetime
import http.client
import json
import os
import re
import shlex
import shutil
import socket
import ssl
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
from cryptography import x509

from mparticle_fake_server import FakeServer, ServerError
from mparticle_fake_server.tls import LEAF_DAYS, NAMES, RENEWAL_DAYS, CertificateError, Certificates, normal_name
from tests.conftest import CHECKOUT, RealPart
from tests.hosts import BASIC, batch


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates for the tests that do not look at the folder itself."""
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture
def server(folder: Path) -> Iterator[FakeServer]:
    with FakeServer(tls=folder) as started:
        yield started


def trusting(server: FakeServer) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=server.ca_path)


def upload(server: FakeServer, url: str, id: str) -> int:
    content = batch(source_request_id=id)
    return requests.post(f"{url}/v2/events", json=content, auth=("key", "secret"), verify=server.ca_path, timeout=10).status_code


def received(server: FakeServer) -> list[Any]:
    items = requests.get(f"{server.url}/_fake/batches", timeout=10).json()["items"]
    return [item["batch"]["source_request_id"] for item in items]


def faults(server: FakeServer) -> list[tuple[str, str]]:
    """Message and hint of what was recorded as no request; the last one is waited for."""
    items = requests.get(f"{server.url}/_fake/requests", timeout=10).json()["items"]
    return [(finding["message"], finding["hint"]) for item in items for finding in item["findings"]]


def wait_for_fault(server: FakeServer) -> tuple[str, str]:
    recorder = server.intake.recorder
    assert recorder.wait(lambda: recorder.last_id() > 0, 10)
    (fault,) = faults(server)
    return fault


def leaf_of(folder: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / "server.pem").read_bytes())


def names_of(folder: Path) -> set[str]:
    names = leaf_of(folder).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))}


# -- both addresses --------------------------------------------------------------------------------------------------------


def test_both_addresses_record_into_one_store(server: FakeServer) -> None:
    assert upload(server, server.url, "plain") == 202
    assert upload(server, server.tls_url, "secure") == 202

    assert received(server) == ["plain", "secure"]


def test_what_was_sent_to_one_address_is_a_duplicate_at_the_other(server: FakeServer) -> None:
    for url in (server.url, server.tls_url):
        upload(server, url, "same")

    items = requests.get(f"{server.tls_url}/_fake/batches", verify=server.ca_path, timeout=10).json()["items"]
    assert [item["verdict"] for item in items] == ["accepted", "dropped"]


def test_a_body_that_comes_in_parts_is_read_whole_over_tls(server: FakeServer) -> None:
    body = json.dumps(batch(source_request_id="parts", user_attributes={"text": "x" * 50_000})).encode()
    with (
        socket.create_connection(("127.0.0.1", server.tls_port), timeout=10) as raw,
        trusting(server).wrap_socket(raw, server_hostname="localhost") as client,
    ):
        head = f"POST /v2/events HTTP/1.1\r\nHost: x\r\nAuthorization: {BASIC}\r\nContent-Length: {len(body)}\r\n\r\n"
        client.sendall(head.encode() + body[:20_000])
        client.sendall(body[20_000:])

        assert client.recv(12) == b"HTTP/1.1 202"

    assert received(server) == ["parts"]


def test_connections_are_kept_open_over_tls(server: FakeServer) -> None:
    connection = http.client.HTTPSConnection("localhost", server.tls_port, context=trusting(server), timeout=10)
    connection.connect()
    used = connection.sock
    for _ in range(3):
        connection.request("GET", "/_fake/health")
        assert connection.getresponse().read()

    assert connection.sock is used
    connection.close()


def test_http_1_1_is_agreed_on_with_clients_that_would_rather_speak_2(server: FakeServer) -> None:
    context = trusting(server)
    context.set_alpn_protocols(["h2", "http/1.1"])

    with (
        socket.create_connection(("127.0.0.1", server.tls_port), timeout=10) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as client,
    ):
        assert client.selected_alpn_protocol() == "http/1.1"


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1", "10.0.2.2", "fake.test"])
def test_the_certificate_is_for_this_machine_the_emulator_and_the_names_given(folder: Path, name: str) -> None:
    with (
        FakeServer(tls=folder, tls_names=["Fake.Test"]) as server,
        socket.create_connection(("127.0.0.1", server.tls_port), timeout=10) as raw,
        trusting(server).wrap_socket(raw, server_hostname=name) as client,
    ):
        assert client.version() in ("TLSv1.2", "TLSv1.3")


def test_a_client_that_calls_the_server_otherwise_is_not_deceived(server: FakeServer) -> None:
    with (
        socket.create_connection(("127.0.0.1", server.tls_port), timeout=10) as raw,
        pytest.raises(ssl.SSLCertVerificationError, match=r"other\.test"),
    ):
        trusting(server).wrap_socket(raw, server_hostname="other.test")


def test_ten_clients_upload_over_tls_at_once(server: FakeServer) -> None:
    ids = [f"b{number}" for number in range(10)]
    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(lambda id: upload(server, server.tls_url, id), ids)) == {202}

    assert sorted(received(server)) == sorted(ids)


# -- starting and stopping -------------------------------------------------------------------------------------------------


def test_a_server_without_tls_imports_nothing_for_it() -> None:
    program = """if True:
        import sys
        from mparticle_fake_server import FakeServer
        with FakeServer():
            print(*sorted({"trustme", "cryptography"} & set(sys.modules)))
    """

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout == "\n"


def test_a_running_server_can_be_given_its_tls_address_later(folder: Path) -> None:
    with FakeServer() as server:
        server.open_tls(folder)

        assert upload(server, server.tls_url, "secure") == 202
        assert upload(server, server.url, "plain") == 202
        assert received(server) == ["secure", "plain"]


def test_opening_tls_twice_does_no_harm(server: FakeServer, folder: Path) -> None:
    url = server.tls_url

    assert server.open_tls(folder).tls_url == url


@pytest.mark.parametrize("said", [b"", b"\x16", b"\x16\x03\x01"])
def test_a_server_stops_while_a_client_has_not_ended_its_handshake(folder: Path, said: bytes) -> None:
    server = FakeServer(tls=folder).start()
    with socket.create_connection(("127.0.0.1", server.tls_port), timeout=10) as client:
        client.sendall(said)
        # Both were accepted in the order of their connections.
        upload(server, server.tls_url, "behind")

        server.stop()

        assert client.recv(1) == b""


def test_a_stopped_server_leaves_no_socket(folder: Path) -> None:
    with FakeServer(tls=folder) as server:
        session = requests.Session()
        session.get(f"{server.tls_url}/_fake/health", verify=server.ca_path, timeout=10)

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.tls_port), timeout=5)
    session.close()


def test_a_stopped_server_with_tls_can_be_started_again(folder: Path) -> None:
    server = FakeServer(tls=folder)
    for number in range(2):
        with server:
            assert upload(server, server.tls_url, f"b{number}") == 202


def test_a_tls_port_in_use_is_a_clear_error_and_frees_the_other(server: FakeServer, folder: Path) -> None:
    second = FakeServer(tls=folder, tls_port=server.tls_port)

    with pytest.raises(ServerError, match=f"Port {server.tls_port} on 127.0.0.1 is in use"):
        second.start()

    with FakeServer(port=second.port):
        pass


def test_a_server_without_tls_has_no_tls_address() -> None:
    with FakeServer() as server, pytest.raises(ServerError, match="tls=True"):
        _ = server.tls_url


def test_a_server_without_tls_has_no_ca() -> None:
    with FakeServer() as server, pytest.raises(ServerError, match="no certificate"):
        _ = server.ca_path


def test_a_server_that_has_not_started_cannot_open_tls(folder: Path) -> None:
    with pytest.raises(ServerError, match="call start"):
        FakeServer().open_tls(folder)


# -- what goes wrong -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"POST /v2/events HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n", b"\x00"]
)
def test_plain_http_on_the_tls_port_is_answered_with_what_to_do(server: FakeServer, said: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.tls_port), timeout=10) as client:
        client.sendall(said)
        answer = b"".join(iter(lambda: client.recv(65_536), b""))

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"Use https:// for this port" in answer


def test_plain_http_on_the_tls_port_is_recorded(server: FakeServer) -> None:
    requests.get(f"http://127.0.0.1:{server.tls_port}/v2/events", timeout=10)

    message, hint = wait_for_fault(server)
    assert message == "What came to the TLS port is no TLS."
    assert "Use https://" in hint


def test_tls_on_the_plain_port_is_refused_with_a_hint(server: FakeServer) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"https://127.0.0.1:{server.port}/", timeout=10)

    assert "use http://, not https://" in wait_for_fault(server)[1]


def test_a_client_that_does_not_trust_the_certificate_is_recorded_with_what_to_do(server: FakeServer) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(server.tls_url, timeout=10)

    message, hint = wait_for_fault(server)
    assert message == "The client refused the certificate of this server in the TLS handshake (TLSV1_ALERT_UNKNOWN_CA)."
    assert "'mparticle-fake ca'" in hint


def test_a_client_that_leaves_in_the_handshake_is_recorded(server: FakeServer) -> None:
    with socket.create_connection(("127.0.0.1", server.tls_port), timeout=10) as client:
        client.sendall(b"\x16\x03\x01")

    assert wait_for_fault(server)[0].startswith("The client left in the TLS handshake")


def test_a_client_without_a_common_protocol_is_recorded(server: FakeServer) -> None:
    old = bytes.fromhex("160301002f0100002b0301") + bytes(32) + bytes.fromhex("000004002f00ff0100") + bytes(0)
    with socket.create_connection(("127.0.0.1", server.tls_port), timeout=10) as client:
        client.sendall(old)
        client.shutdown(socket.SHUT_WR)
        client.recv(100)

    message, hint = wait_for_fault(server)
    assert message == "The TLS handshake failed: UNSUPPORTED_PROTOCOL."
    assert "TLS 1.2" in hint


def test_a_handshake_that_takes_too_long_is_ended_and_recorded(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mparticle_fake_server.tls.HANDSHAKE_SECONDS", 0.05)
    with socket.create_connection(("127.0.0.1", server.tls_port), timeout=10) as client:
        client.sendall(b"\x16")

        assert client.recv(1) == b""

    assert wait_for_fault(server)[0] == "The TLS handshake was not over after 0.05 s."


def test_a_connection_that_says_nothing_is_no_fault(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mparticle_fake_server.tls.HANDSHAKE_SECONDS", 0.05)
    with socket.create_connection(("127.0.0.1", server.tls_port), timeout=10) as client:
        assert client.recv(1) == b""
    socket.create_connection(("127.0.0.1", server.tls_port), timeout=10).close()

    assert upload(server, server.tls_url, "behind") == 202
    assert faults(server) == []


def test_failed_handshakes_harm_nobody_else(server: FakeServer) -> None:
    for said in (b"\x16\x03\x01\x00\x01\x00", b"GET", b"\x15\x03", os.urandom(300)):
        with socket.create_connection(("127.0.0.1", server.tls_port), timeout=10) as client:
            client.sendall(said)

    assert upload(server, server.tls_url, "good") == 202


# -- certificates ----------------------------------------------------------------------------------------------------------


def test_the_ca_stays_the_same_from_run_to_run(tmp_path: Path) -> None:
    first = Certificates(tmp_path).ca_pem()
    Certificates(tmp_path).context()

    assert Certificates(tmp_path).ca_pem() == first


def test_the_certificate_of_the_server_stays_the_same_while_it_will_do(tmp_path: Path) -> None:
    Certificates(tmp_path).context()
    first = (tmp_path / "server.pem").read_bytes()

    Certificates(tmp_path).context(["localhost"])

    assert (tmp_path / "server.pem").read_bytes() == first


def test_private_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Certificates(tmp_path / "made").context()
    finally:
        os.umask(before)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [tmp_path / "made", *(tmp_path / "made").iterdir()]}
    assert modes["made"] == 0o700
    assert modes["ca.key"] == modes["server.pem"] == 0o600


def test_new_names_are_added_to_those_of_before(tmp_path: Path) -> None:
    Certificates(tmp_path).context(["a.test"])
    Certificates(tmp_path).context(["192.168.1.20"])

    assert names_of(tmp_path) == {*NAMES, "a.test", "192.168.1.20"}


def test_the_certificate_is_valid_for_no_longer_than_apple_allows(tmp_path: Path) -> None:
    Certificates(tmp_path).context()

    leaf = leaf_of(tmp_path)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= datetime.timedelta(days=825)


@pytest.mark.parametrize(("days", "renewed"), [(RENEWAL_DAYS - 1, True), (RENEWAL_DAYS + 1, False)])
def test_a_certificate_is_renewed_before_it_expires(tmp_path: Path, days: int, renewed: bool) -> None:
    Certificates(tmp_path).ca_pem()
    authority = trustme.CA.from_pem((tmp_path / "ca.pem").read_bytes(), (tmp_path / "ca.key").read_bytes())
    now = datetime.datetime.now(datetime.UTC)
    old = authority.issue_cert(*NAMES, not_after=now + datetime.timedelta(days=days))
    old.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")

    Certificates(tmp_path).context()

    left = leaf_of(tmp_path).not_valid_after_utc - now
    assert (left > datetime.timedelta(days=LEAF_DAYS - 1)) is renewed


def test_a_certificate_that_is_not_valid_yet_is_issued_anew(tmp_path: Path) -> None:
    Certificates(tmp_path).ca_pem()
    authority = trustme.CA.from_pem((tmp_path / "ca.pem").read_bytes(), (tmp_path / "ca.key").read_bytes())
    now = datetime.datetime.now(datetime.UTC)
    early = authority.issue_cert(*NAMES, not_before=now + datetime.timedelta(days=9))
    early.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")

    Certificates(tmp_path).context()

    assert leaf_of(tmp_path).not_valid_before_utc < now


@pytest.mark.parametrize("content", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_damaged_certificate_of_the_server_is_issued_anew(tmp_path: Path, content: bytes) -> None:
    Certificates(tmp_path).context()
    (tmp_path / "server.pem").write_bytes(content)

    Certificates(tmp_path).context()

    assert names_of(tmp_path) == set(NAMES)


def test_a_certificate_of_another_ca_is_issued_anew(tmp_path: Path) -> None:
    for folder in ("one", "other"):
        Certificates(tmp_path / folder).context()
    shutil.copy(tmp_path / "other/server.pem", tmp_path / "one/server.pem")

    Certificates(tmp_path / "one").context()

    ca = x509.load_pem_x509_certificate((tmp_path / "one/ca.pem").read_bytes())
    leaf_of(tmp_path / "one").verify_directly_issued_by(ca)


def test_a_ca_of_another_maker_is_used(tmp_path: Path) -> None:
    other = trustme.CA(organization_name="another maker", key_type=trustme.KeyType.RSA)
    other.cert_pem.write_to_path(tmp_path / "ca.pem")
    other.private_key_pem.write_to_path(tmp_path / "ca.key")

    with FakeServer(tls=tmp_path) as server:
        assert upload(server, server.tls_url, "good") == 202

    assert (tmp_path / "ca.pem").read_bytes() == other.cert_pem.bytes()


def _remove(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def _spoil(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text("nothing")


def _swap_key(folder: Path) -> None:
    trustme.CA().private_key_pem.write_to_path(folder / "ca.key")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (_remove("ca.key"), r"ca\.key is missing"),
        (_remove("ca.pem"), r"ca\.pem is missing"),
        (_spoil("ca.key"), r"ca\.pem or ca\.key cannot be read"),
        (_spoil("ca.pem"), r"ca\.pem or ca\.key cannot be read"),
        (_swap_key, r"ca\.key is not the key of ca\.pem"),
    ],
    ids=["no key", "no certificate", "spoilt key", "spoilt certificate", "another key"],
)
def test_a_damaged_ca_is_told_and_not_replaced(tmp_path: Path, damage: Callable[[Path], object], told: str) -> None:
    Certificates(tmp_path).context()
    damage(tmp_path)
    left = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    with pytest.raises(ServerError, match=rf"The CA in {tmp_path} cannot be used: .*{told}.*Delete that folder"):
        FakeServer(tls=tmp_path).start()

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == left


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(CertificateError, match=r"cannot be kept in .*/file/tls: Not a directory"):
        Certificates(tmp_path / "file/tls").context()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / ".lock").mkdir()

    with pytest.raises(CertificateError, match=f"Certificates cannot be kept in {tmp_path}: "):
        Certificates(tmp_path).context()


def test_servers_that_start_at_once_make_one_ca(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both_make_one = threading.Barrier(2)
    make = trustme.CA

    def slowly(**options: Any) -> trustme.CA:
        with contextlib.suppress(threading.BrokenBarrierError):
            both_make_one.wait(0.3)
        return make(**options)

    slowly.from_pem = make.from_pem  # type: ignore[attr-defined]
    monkeypatch.setattr(trustme, "CA", slowly)
    with ThreadPoolExecutor(2) as pool:
        made = set(pool.map(lambda _: Certificates(tmp_path).ca_pem(), range(2)))

    assert made == {(tmp_path / "ca.pem").read_bytes()}


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("LOCALHOST", "localhost"),
        ("192.168.1.20", "192.168.1.20"),
        ("[0:0::1]", "::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("*.fake.test", "*.fake.test"),
        ("bücher.test", "xn--bcher-kva.test"),
    ],
)
def test_a_name_is_written_as_certificates_have_it(name: str, normal: str) -> None:
    assert normal_name(name) == normal


@pytest.mark.parametrize("name", ["", "https://fake.test", "fake.test:8443", "10.0.0.0/8", "me@fake.test", "a b", "*."])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="neither an IP address nor a host name"):
        FakeServer(tls=True, tls_names=[name])


# -- the command line ------------------------------------------------------------------------------------------------------


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs `mparticle-fake` with a state directory of the test's own."""
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path / "state"), "HOME": str(tmp_path), "COLUMNS": "300"}

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "mparticle_fake_server", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=environment,
            cwd=tmp_path,
        )

    return run


Command = Callable[..., "subprocess.CompletedProcess[str]"]


def test_ca_prints_the_certificate_on_stdout_and_how_to_trust_it_on_stderr(command: Command, tmp_path: Path) -> None:
    done = command("ca")

    kept = tmp_path / "state/mparticle-testkit/tls/ca.pem"
    assert done.returncode == 0
    assert done.stdout == kept.read_text()
    assert str(kept) in done.stderr


@pytest.mark.parametrize(
    "way",
    [
        "REQUESTS_CA_BUNDLE=",
        "NODE_EXTRA_CA_CERTS=",
        "--cacert ",
        "-A -t C,, -n mparticle-fake -i ",
        "Firefox .* Import: ",
        "security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db ",
        "certutil -user -addstore Root ",
        "simctl keychain booted add-root-cert ",
        "adb push ",
    ],
)
def test_ca_names_the_file_in_the_way_of_each_client(command: Command, tmp_path: Path, way: str) -> None:
    kept = tmp_path / "state/mparticle-testkit/tls/ca.pem"

    assert re.search(way + re.escape(shlex.quote(str(kept))), command("ca").stderr)


def test_ca_has_chromium_begin_with_an_empty_database(command: Command) -> None:
    told = command("ca").stderr

    assert "mkdir -p $HOME/.pki/nssdb " in told
    assert told.index("-d sql:$HOME/.pki/nssdb -N --empty-password") < told.index("-d sql:$HOME/.pki/nssdb -A")


def test_ca_prints_the_same_each_time(command: Command) -> None:
    assert command("ca").stdout == command("ca").stdout


def test_ca_writes_the_certificate_and_not_its_key_into_a_file(command: Command, tmp_path: Path) -> None:
    done = command("ca", "--out", "it.pem")

    written = (tmp_path / "it.pem").read_text()
    assert (done.returncode, done.stdout) == (0, "")
    assert written.count("BEGIN CERTIFICATE") == 1
    assert "PRIVATE KEY" not in written
    assert str(tmp_path / "it.pem") in done.stderr


def test_ca_tells_where_it_cannot_write(command: Command) -> None:
    done = command("ca", "--out", "no/such/folder.pem")

    assert done.returncode == 1
    assert "no/such/folder.pem cannot be written: No such file or directory." in done.stderr


def test_ca_tells_of_a_state_directory_that_cannot_be_made(command: Command, tmp_path: Path) -> None:
    (tmp_path / "state").touch()

    done = command("ca")

    assert done.returncode == 1
    assert "The state directory, where certificates are kept, cannot be made" in done.stderr
    assert "Traceback" not in done.stderr


def test_ca_tells_of_a_damaged_key(command: Command, tmp_path: Path) -> None:
    command("ca")
    (tmp_path / "state/mparticle-testkit/tls/ca.key").write_text("nothing")

    done = command("ca")

    assert (done.returncode, done.stdout) == (1, "")
    assert "Delete that folder and a new CA is made" in done.stderr


def test_serve_with_tls_answers_at_the_address_that_it_prints(tmp_path: Path, real_part: RealPart) -> None:
    real_part(shutil.which("curl") is not None, "the command is one of curl")
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path), "COLUMNS": "300"}
    command = [sys.executable, "-m", "mparticle_fake_server", "serve", "--tls", "--port", "0", "--store", "memory"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment, cwd=CHECKOUT) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        url = next(word for word in first.split() if word.startswith("https://"))
        curl = ["curl", "-sS", "--cacert", f"{tmp_path}/mparticle-testkit/tls/ca.pem", f"{url}/_fake/health"]

        done = subprocess.run(curl, capture_output=True, text=True, timeout=20, check=False)

        process.terminate()
        process.communicate(timeout=20)
    assert (done.stderr, json.loads(done.stdout)["status"]) == ("", "ready")


def test_a_tls_name_that_is_none_is_wrong_usage(command: Command) -> None:
    done = command("serve", "--tls-name", "https://fake.test")

    assert done.returncode == 2
    assert "'https://fake.test' is neither an IP address nor a host name" in done.stderr


def test_a_tls_port_in_use_is_told_with_the_option_that_chooses_another(command: Command, server: FakeServer) -> None:
    done = command("serve", "--port", "0", "--tls-port", str(server.port), "--store", "memory")

    assert done.returncode == 1
    assert done.stderr.endswith("or choose another port with --tls-port.\n")
