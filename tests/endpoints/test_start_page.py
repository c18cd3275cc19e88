"""`GET /`, `GET /_fake` and `GET /_fake/`: what a browser shows whoever opens the server's address."""

from html.parser import HTMLParser
from urllib.parse import urljoin

import pytest

from tests.hosts import BASIC, Fake, OpenFake, batch

PAGES = ["/", "/_fake", "/_fake/"]
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


class _Reader(HTMLParser):
    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.open: list[str] = []
        self.links: list[str] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag != "meta":
            self.open.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src") and value is not None]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("path", PAGES)
def test_a_browser_gets_a_page_that_says_what_this_is(fake: Fake, path: str) -> None:
    reply = fake.request("GET", path, headers=BROWSER)

    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"fake mParticle" in reply.body
    assert b"README.md" in reply.body


@pytest.mark.parametrize("path", PAGES)
def test_head_answers_as_get_does(fake: Fake, path: str) -> None:
    head, get = (fake.request(method, path, headers=BROWSER) for method in ("HEAD", "GET"))

    assert (head.status, head.headers["content-length"], head.body) == (200, str(len(get.body)), b"")


@pytest.mark.parametrize("path", PAGES)
def test_all_its_links_lead_somewhere(fake: Fake, path: str) -> None:
    links = _Reader(fake.request("GET", path, headers=BROWSER).body).links

    assert {"/_fake/health", "/_fake/batches", "/_fake/events", "/_fake/stats"} <= {urljoin(path, link) for link in links}
    for link in links:
        assert fake.request("GET", urljoin(path, link)).status == 200, link


def test_what_its_links_need_where_a_token_is_wanted_is_said_above_them(fake: Fake) -> None:
    page = fake.request("GET", "/?token=t0ken", headers=BROWSER).body

    assert 0 < page.index(b"?token=TOKEN") < page.index(b"<ul>")
    assert b"t0ken" not in page


def test_it_is_whole_and_has_no_scripts(fake: Fake) -> None:
    read = _Reader(fake.request("GET", "/", headers=BROWSER).body)

    assert read.open == []
    assert read.tags <= {"html", "head", "meta", "title", "body", "h1", "p", "ul", "li", "a", "code"}


@pytest.mark.parametrize("path", PAGES)
def test_it_is_the_same_whoever_asks_and_whatever_came(open_fake: OpenFake, path: str) -> None:
    with open_fake(token="t0ken") as fake:
        before = fake.request("GET", path, headers=BROWSER)
        fake.upload(batch())
        after = fake.request(
            "GET", path + "?token=<script>", headers=BROWSER | {"Host": "evil.example.com", "Referer": "<script>"}
        )

    assert (before.status, after.body) == (200, before.body)
    assert b"t0ken" not in after.body
    assert not [name for name in after.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("path", PAGES)
def test_whoever_looks_at_it_leaves_no_record(fake: Fake, path: str) -> None:
    assert fake.request("GET", path, headers=BROWSER).status == 200

    assert fake.items("requests") == []


@pytest.mark.parametrize("accept", ["*/*", "application/json"])
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_what_a_client_sends_to_the_root_is_told_and_recorded_as_ever(fake: Fake, method: str, accept: str) -> None:
    reply = fake.request(method, "/", b"{}", {"Authorization": BASIC, "Accept": accept})

    assert (reply.status, reply.headers.get("allow")) == (404, None)
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "GET /_fake/openapi.json lists what is served." in reply.messages[0]
    (record,) = fake.items("requests")
    assert (record["status"], [finding["code"] for finding in record["findings"]]) == (404, ["path_unknown"])


def test_it_is_below_fake_for_whoever_does_not_ask_for_html_too(fake: Fake) -> None:
    assert fake.request("GET", "/_fake").headers["content-type"] == "text/html; charset=utf-8"


def test_a_slash_too_many_leads_to_it_for_whoever_does_not_ask_for_html(fake: Fake) -> None:
    assert "Did you mean /_fake?" in fake.request("GET", "/_fake/").messages[0]
