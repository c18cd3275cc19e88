"""What docs/clients/web.md has its reader do: from an empty folder, with Python's own web server, in the browser."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from mparticle_fake_server import FakeServer
from tests.browser.conftest import SDK, OpenPage
from tests.conftest import CHECKOUT

PAGE = (CHECKOUT / "docs/clients/web.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^```\w+ file=(\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[str]:
    """The address at which the reader's folder is served, as the page says."""
    (tmp_path / "node_modules/@mparticle").mkdir(parents=True)
    (tmp_path / "node_modules/@mparticle/web-sdk").symlink_to(SDK.parents[1])
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        told = process.stdout.readline()
        yield f"http://127.0.0.1:{told.split()[5]}"
        process.terminate()


def write(folder: Path, name: str, fake: FakeServer) -> None:
    """A file of the page, for the fake of this test."""
    assert "127.0.0.1:8080" in BLOCKS[name]
    (folder / name).write_text(BLOCKS[name].replace("127.0.0.1:8080", f"127.0.0.1:{fake.port}"), encoding="utf-8")


def load_module(folder: Path) -> None:
    """A page for the module, with what a bundler does with the name of a package."""
    names = '{"imports": {"@mparticle/web-sdk": "/node_modules/@mparticle/web-sdk/dist/mparticle.esm.js"}}'
    (folder / "index.html").write_text(f'<script type="importmap">{names}</script><script type="module" src="app.mjs"></script>')


def events(fake: FakeServer, name: str) -> list[dict[str, Any]]:
    answer = requests.get(f"{fake.url}/_fake/wait?event_name={name}&timeout=10", timeout=20)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def test_the_page_shows_who_it_is_and_its_buttons_send(reader: str, tmp_path: Path, open_page: OpenPage) -> None:
    with FakeServer() as fake:
        write(tmp_path, "index.html", fake)
        # The browser asks for it by itself.
        (tmp_path / "favicon.ico").touch()
        visit = open_page(reader)
        visit.page.wait_for_function("document.getElementById('mpid').textContent !== 'nobody yet'")

        visit.page.get_by_role("button", name="Sign in").click()
        visit.page.wait_for_function("mParticle.Identity.getCurrentUser().getUserIdentities().userIdentities.customerid")
        visit.page.get_by_role("button", name="Play a song").click()
        visit.page.get_by_role("button", name="Buy a shirt").click()

        (play,), (purchase,) = events(fake, "Play song"), events(fake, "purchase")
        assert play["user_identities"] == purchase["user_identities"] == {"customer_id": "c-1042"}
        assert purchase["event"]["data"]["product_action"]["total_amount"] == 21.49
        assert str(play["mpid"]) == visit.page.locator("#mpid").inner_text()
        assert visit.complaints == []
        found = requests.get(f"{fake.url}/_fake/batches", timeout=10).json()["items"]
        assert {finding["severity"] for item in found for finding in item["findings"]} == {"note"}


def test_the_page_says_why_it_knows_nobody(reader: str, tmp_path: Path, open_page: OpenPage) -> None:
    with FakeServer(credentials=[("another-key", "secret", "default")], unknown_keys=False) as fake:
        write(tmp_path, "index.html", fake)
        (tmp_path / "favicon.ico").touch()
        visit = open_page(reader)

        visit.page.wait_for_function("document.getElementById('mpid').textContent !== 'nobody yet'")

        # The SDK tells -1 for all that its server refuses, and what it was in the body.
        shown = visit.page.locator("#mpid").inner_text()
        assert shown == 'nobody, as identify failed: -1 "Received HTTP Code of 401"'


@pytest.mark.parametrize("example", ["index.html", "app.mjs"])
def test_an_alias_of_an_example_leaves_for_no_other_host(reader: str, tmp_path: Path, open_page: OpenPage, example: str) -> None:
    with FakeServer() as fake:
        (tmp_path / "favicon.ico").touch()
        write(tmp_path, example, fake)
        if example == "app.mjs":
            load_module(tmp_path)
        visit = open_page(reader)
        visit.page.wait_for_function("window.mParticle?.Identity?.getCurrentUser()")
        asked: list[str] = []
        visit.page.on("requestfailed", lambda request: asked.append(request.url))

        with visit.page.expect_event("requestfailed", lambda request: request.url.endswith("/Alias")):
            visit.page.evaluate(
                "mParticle.Identity.aliasUsers("
                "{destinationMpid: '1', sourceMpid: '2', startTime: Date.now() - 9, endTime: Date.now()})"
            )

        # Over https, which this fake does not speak.
        assert [urlsplit(url)[:2] for url in asked] == [("https", f"127.0.0.1:{fake.port}")]


def test_the_module_for_bundlers_sends(reader: str, tmp_path: Path, open_page: OpenPage) -> None:
    with FakeServer() as fake:
        write(tmp_path, "app.mjs", fake)
        (tmp_path / "favicon.ico").touch()
        load_module(tmp_path)

        visit = open_page(reader)

        assert len(events(fake, "Bundled")) == 1
        assert visit.complaints == []
