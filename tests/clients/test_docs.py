"""docs/clients: the configurations are those of `/_fake/snippet`, and what is marked as tried is run here."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from mparticle_fake_server import FakeServer
from mparticle_fake_server.snippets import CLIENTS, snippet
from tests.clients.harness import NODE, PYTHON
from tests.conftest import CHECKOUT, RealPart

FOLDER = CHECKOUT / "docs/clients"
SEND_PYTHON = """
batch = mparticle.Batch()
batch.environment = 'development'
batch.user_identities = mparticle.UserIdentities(customerid='c-1042')
api.upload_events(batch)
"""
LIMITED = f"""
def upload():{SEND_PYTHON.replace(chr(10), chr(10) + "    ")}

for _ in range(2):
    try:
        upload()
    except mparticle.rest.ApiException as error:
        assert error.status == 429
    else:
        raise AssertionError("the SDK did not wait")
RESET
upload()
"""
"""Two uploads of which the SDK keeps the second to itself, as the first was answered Retry-After, and one that it makes."""
SEND_NODE = """
const batch = new mParticle.Batch(mParticle.Batch.Environment.development);
batch.user_identities = new mParticle.UserIdentities();
batch.user_identities.customerid = 'c-1042';
api.uploadEvents(batch, (error) => { if (error) throw error; });
"""


def read(client: str) -> str:
    return (FOLDER / f"{client}.md").read_text(encoding="utf-8")


def configuration(client: str) -> str:
    """The snippet on a client's page."""
    (found,) = re.findall(rf"^```\w+ snippet={client}\n(.*?)^```$", read(client), re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_page_shows_what_the_server_says(client: str) -> None:
    secure = "https://127.0.0.1:8443" if client in ("web", "android", "ios") else None

    assert configuration(client) == snippet(client, "http://127.0.0.1:8080", "my-key", "my-secret", secure)


def test_every_page_is_in_the_list_and_says_whether_it_was_tried() -> None:
    rows = re.findall(r"^\| .*? \| \[(\S+)\]\(\1\) \| .* \| (.*) \|$", read("README"), re.MULTILINE)

    assert {name for name, _ in rows} == {path.name for path in FOLDER.glob("*.md")} - {"README.md"}
    for name, tried in rows:
        text = (FOLDER / name).read_text(encoding="utf-8")
        assert ("Not tried here" in text) is (tried == "not tried here")
        assert ("\nTried: " in text) is (tried != "not tried here")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_configuration_of_the_python_sdk_works(tmp_path: Path, real_part: RealPart, scheme: str) -> None:
    real_part(PYTHON.available, f"this test needs {PYTHON.needs}")
    with FakeServer(tls=tmp_path) as fake:
        program = configuration("python")
        if scheme == "https":
            # The two lines that the page names.
            assert "`configuration.host = 'https://127.0.0.1:8443/v2'` and `configuration.ssl_ca_cert = 'ca.pem'`" in read(
                "python"
            )
            secure = "configuration.host = 'https://127.0.0.1:8443/v2'\nconfiguration.ssl_ca_cert = 'ca.pem'\napi ="
            program = program.replace("api =", secure)

        run([sys.executable, "-c", own(program, fake) + SEND_PYTHON], tmp_path)

        assert fake.intake.recorder.last_id() == 1


def test_what_the_page_says_ends_the_waiting_of_the_python_sdk(tmp_path: Path, real_part: RealPart) -> None:
    real_part(PYTHON.available, f"this test needs {PYTHON.needs}")
    told = re.findall(r"`(mparticle\.rest\.\S+ = \S+)`", read("python"))
    assert len(told) == 1
    with FakeServer() as fake:
        limited = {"items": [{"status": 429, "retry_after": 60, "times": 1}]}
        requests.put(f"{fake.url}/_fake/faults", json=limited, timeout=10).raise_for_status()
        program = configuration("python") + LIMITED.replace("RESET", told[0])

        run([sys.executable, "-c", own(program, fake)], tmp_path)

        assert [record.status for record in fake.intake.recorder.requests()] == [429, 202]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_configuration_of_the_node_sdk_works(tmp_path: Path, real_part: RealPart, scheme: str) -> None:
    real_part(NODE.available, f"this test needs {NODE.needs}")
    with FakeServer(tls=tmp_path) as fake:
        program = configuration("node")
        if scheme == "https":
            secure = "api.apiClient.basePath = 'https://127.0.0.1:8443/v2'"
            assert f"`{secure}`, and `NODE_EXTRA_CA_CERTS=ca.pem`" in read("node")
            program += f"{secure};\n"
        environment = {
            "NODE_PATH": str(CHECKOUT / "tests/clients/node/node_modules"),
            "NODE_EXTRA_CA_CERTS": "ca.pem",
            "PATH": str(Path(shutil.which("node") or "").parent),
        }

        run(["node", "-e", own(program, fake) + SEND_NODE], tmp_path, environment)

        assert fake.intake.recorder.last_id() == 1


def own(program: str, fake: FakeServer) -> str:
    """The program for the fake of this test."""
    return program.replace("127.0.0.1:8080", f"127.0.0.1:{fake.port}").replace("127.0.0.1:8443", f"127.0.0.1:{fake.tls_port}")


def run(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
