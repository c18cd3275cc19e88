"""Debian's Chromium, a page with the web SDK from npm, and the fake that it is pointed at."""

import importlib.util
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
import requests

from mparticle_fake_server import FakeServer
from mparticle_fake_server.tls import Certificates
from tests.conftest import CHECKOUT, RealPart

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Request

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SDK = CHECKOUT / "tests/clients/node/node_modules/@mparticle/web-sdk/dist/mparticle.js"
ARGUMENTS = (
    "--no-sandbox",
    # Nothing beyond this machine, whatever a page or the browser itself would like to load.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a CA that the browser trusts."""
    folder = tmp_path_factory.mktemp("certificates")
    Certificates(folder).ca_pem()
    return folder


@pytest.fixture(scope="module")
def browser(real_part: RealPart, certificates: Path, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Browser]":
    """One Chromium for a module: while it runs, no other event loop can run in this thread."""
    real_part(CHROMIUM is not None, "this test drives Chromium: apt-get install chromium")
    real_part(importlib.util.find_spec("playwright") is not None, "this test drives Chromium: pip install playwright")
    real_part(SDK.is_file(), "this test needs the web SDK: run 'npm ci' in tests/clients/node")
    from playwright.sync_api import sync_playwright

    home = tmp_path_factory.mktemp("home")
    trust = [sys.executable, str(Path(__file__).with_name("nss.py")), str(home), str(certificates / "ca.pem")]
    subprocess.run(trust, check=True, timeout=60)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*ARGUMENTS], env={"HOME": str(home), "PATH": "/usr/bin:/bin"}
        )
        yield chromium
        chromium.close()


# -- the page ----------------------------------------------------------------------------------------------------------------


class Site:
    """A web server on a port of its own, for files by their path; over HTTPS with the certificates of a folder."""

    def __init__(self, certificates: Path | None = None) -> None:
        self.files: dict[str, tuple[str, bytes]] = {"/favicon.ico": ("image/x-icon", b"")}
        files = self.files

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                kind, content = files.get(self.path.partition("?")[0], ("", b""))
                self.send_response(200 if kind else 404)
                self.send_header("Content-Type", kind or "text/plain")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if certificates is not None:
            # The handshake is left to the thread of each connection: a browser opens some that it does not use yet.
            self._server.socket = (
                Certificates(certificates)
                .context()
                .wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http{'s' if certificates else ''}://localhost:{self._server.server_address[1]}/"

    @classmethod
    def of_the_sdk(cls, certificates: Path | None = None) -> Self:
        """A site with the SDK and the journey on it."""
        site = cls(certificates)
        for path, file in (("/mparticle.js", SDK), ("/journey.js", Path(__file__).with_name("journey.js"))):
            site.files[path] = ("text/javascript; charset=utf-8", file.read_bytes())
        return site

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def page(self, before: str, after: str) -> None:
        """The page `/`: a script, the SDK, another script."""
        script = "<script>{}</script>"
        text = "<!doctype html><meta charset=utf-8><title>Shop</title>"
        text += script.format(before) + '<script src="/mparticle.js"></script><script src="/journey.js"></script>'
        self.files["/"] = ("text/html", (text + script.format(after)).encode())


@pytest.fixture
def site() -> Iterator[Site]:
    """A site with the SDK and the journey on it."""
    with Site.of_the_sdk() as made:
        yield made


@dataclass
class Visit:
    """An open page, and what its console told that is worth a look."""

    page: "Page"
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("console", self._told)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfailed", self._failed)

    def _told(self, message: "ConsoleMessage") -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _failed(self, request: "Request") -> None:
        self.complaints.append(f"{request.url}: {request.failure}")


@contextmanager
def visiting(browser: "Browser", url: str) -> Iterator[Visit]:
    """A URL opened by a visitor who has never been there."""
    with browser.new_context() as context:
        context.set_default_timeout(10_000)
        visit = Visit(context.new_page())
        visit.watch()
        visit.page.goto(url)
        yield visit


OpenPage = Callable[[str], Visit]


@pytest.fixture
def open_page(browser: "Browser") -> Iterator[OpenPage]:
    """Opens a URL until the test ends."""
    with ExitStack() as stack:
        yield lambda url: stack.enter_context(visiting(browser, url))


# -- the fake ----------------------------------------------------------------------------------------------------------------

KEY = "web-key"


@pytest.fixture
def fake(certificates: Path) -> Iterator[FakeServer]:
    """A fake with one input, that only serves plain HTTP until a test asks for more with `open_tls(certificates)`."""
    with FakeServer(credentials=[(KEY, "secret", "shop")], unknown_keys=False) as server:
        yield server


def snippet(fake: FakeServer) -> tuple[str, str]:
    """What GET /_fake/snippet/web says is to be done before the SDK is loaded, and after it."""
    text = requests.get(f"{fake.url}/_fake/snippet/web", timeout=10).text
    before, comment, after = text.partition("// After it:\n")
    assert comment, text
    return before, after


def more_options(**options: Any) -> str:
    """A line of script that adds options to those of the page."""
    return f"Object.assign(window.mParticle.config, {json.dumps(options)});\n"
