"""`intercept()`: what goes to the fake, what does not, whose it is, and that nothing is left behind."""

import asyncio
import base64
import contextlib
import gzip
import itertools
import json
import os
import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import mparticle
import pytest
import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

import mparticle_sdk
from mparticle_fake_server import FakeServer
from mparticle_pytest_plugin.errors import ClaimError, MParticleError
from mparticle_pytest_plugin.inbox import Inbox
from mparticle_pytest_plugin.interception import FAMILIES, HOSTS, intercept
from mparticle_pytest_plugin.remote import RemoteSource
from mparticle_pytest_plugin.source import LocalSource
from tests.hosts import batch
from tests.pytest_plugin.suites import Suite

pytest_plugins = ["pytester"]

KEY, SECRET = "the-key-in-production", "any secret"
URL = "https://s2s.mparticle.com/v2/events"

MakeInbox = Callable[[str], Inbox]


@pytest.fixture(scope="module")
def source() -> Iterator[LocalSource]:
    source = LocalSource()
    yield source
    source.close()


numbers = itertools.count(1)


@pytest.fixture
def make_inbox(source: LocalSource) -> MakeInbox:
    def make(name: str) -> Inbox:
        number = next(numbers)
        workspace, key = f"{name} #{number}", f"test-{number}"
        source.open_workspace(workspace, key, "s", mode="faithful")
        return Inbox(source, workspace, key, "s", name)

    return make


@pytest.fixture
def inbox(make_inbox: MakeInbox) -> Inbox:
    return make_inbox("one")


def names(inbox: Inbox) -> list[str]:
    """The event names that arrived, in order."""
    return [item.event["data"]["event_name"] for item in inbox.source.events(inbox.workspace)]


def named(name: str) -> dict[str, Any]:
    return batch(events=[{"event_type": "custom_event", "data": {"event_name": name, "custom_event_type": "other"}}])


def basic(key: str = KEY, secret: str = SECRET) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()}


def official_batch(name: str) -> Any:
    """A batch of the official SDK."""
    sent = mparticle.Batch()
    sent.environment = "development"
    sent.user_identities = mparticle.UserIdentities(customerid="c1")
    sent.events = [mparticle.AppEvent(name, "other")]
    return sent


# -- clients ---------------------------------------------------------------------------------------------------------------


def test_requests_goes_to_the_fake(inbox: Inbox) -> None:
    with intercept(inbox):
        response = requests.post(URL, json=named("Play"), auth=(KEY, SECRET), timeout=5)

    assert response.status_code == 202
    assert names(inbox) == ["Play"]


def test_a_requests_session_made_before_goes_to_the_fake(inbox: Inbox) -> None:
    with requests.Session() as session:
        session.auth = (KEY, SECRET)
        with intercept(inbox):
            session.post(URL, json=named("Play"))

    assert names(inbox) == ["Play"]


def test_a_urllib3_pool_manager_made_before_goes_to_the_fake(inbox: Inbox) -> None:
    with urllib3.PoolManager() as manager, intercept(inbox):
        response = manager.request("POST", URL, body=json.dumps(named("Play")).encode(), headers=basic())

    assert response.status == 202
    assert names(inbox) == ["Play"]


def test_a_urllib3_pool_of_one_host_goes_to_the_fake(inbox: Inbox) -> None:
    pool = urllib3.HTTPSConnectionPool("s2s.mparticle.com", headers=basic())

    with intercept(inbox):
        response = pool.urlopen("POST", "/v2/events", json.dumps(named("Play")).encode())

    assert response.status == 202
    assert names(inbox) == ["Play"]


def test_httpx_goes_to_the_fake(inbox: Inbox) -> None:
    with intercept(inbox):
        response = httpx.post(URL, json=named("Play"), auth=(KEY, SECRET))

    assert response.status_code == 202
    assert names(inbox) == ["Play"]


def test_an_httpx_client_made_before_goes_to_the_fake(inbox: Inbox) -> None:
    with httpx.Client(auth=(KEY, SECRET), http2=False) as client, intercept(inbox):
        client.post(URL, json=named("Play"))

    assert names(inbox) == ["Play"]


def test_an_asynchronous_httpx_client_goes_to_the_fake(inbox: Inbox) -> None:
    async def send() -> httpx.Response:
        async with httpx.AsyncClient(auth=(KEY, SECRET)) as client:
            with intercept(inbox):
                return await client.post(URL, json=named("Play"))

    response = asyncio.run(send())

    assert response.status_code == 202
    assert names(inbox) == ["Play"]


def test_the_official_sdk_goes_to_the_fake_unmodified(inbox: Inbox) -> None:
    configuration = mparticle.Configuration()
    configuration.api_key, configuration.api_secret = KEY, SECRET
    sent = official_batch("Play")

    with intercept(inbox):
        mparticle.EventsApi(configuration).upload_events(sent)

    assert names(inbox) == ["Play"]


def test_the_thread_of_the_official_sdks_callback_goes_to_the_fake(inbox: Inbox) -> None:
    configuration = mparticle.Configuration()
    configuration.api_key, configuration.api_secret = KEY, SECRET
    sent = official_batch("Play")

    with intercept(inbox):
        mparticle.EventsApi(configuration).upload_events(sent, callback=lambda _: None).join()

    assert names(inbox) == ["Play"]


def test_our_sdk_goes_to_the_fake(inbox: Inbox) -> None:
    configuration = mparticle_sdk.Configuration(KEY, SECRET)
    event = mparticle_sdk.AppEvent("Play", "other")

    with intercept(inbox):
        mparticle_sdk.EventsApi(configuration).upload_events(mparticle_sdk.Batch(environment="development", events=[event]))

    assert names(inbox) == ["Play"]


# -- ways to send ----------------------------------------------------------------------------------------------------------


def test_neither_certificates_nor_their_absence_matter(inbox: Inbox) -> None:
    with intercept(inbox):
        response = requests.post(URL, json=batch(), auth=(KEY, SECRET), verify=False, timeout=5)

    assert response.status_code == 202


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_of_requests_does_not_matter(inbox: Inbox, scheme: str) -> None:
    proxies = {"http": "http://127.0.0.1:9", "https": "http://127.0.0.1:9"}

    with intercept(inbox):
        url = f"{scheme}://s2s.mparticle.com/v2/events"
        response = requests.post(url, json=batch(), auth=(KEY, SECRET), proxies=proxies, timeout=5)

    assert response.status_code == 202


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_of_urllib3_does_not_matter(inbox: Inbox, scheme: str) -> None:
    with urllib3.ProxyManager("http://127.0.0.1:9") as manager, intercept(inbox):
        url = f"{scheme}://s2s.mparticle.com/v2/events?a=1"
        response = manager.request("POST", url, body=json.dumps(batch()).encode(), headers=basic())

    assert response.status == 202
    (request,) = inbox.source.requests(inbox.workspace)
    assert (request.path, request.query) == ("/v2/events", "a=1")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_of_httpx_does_not_matter(inbox: Inbox, scheme: str) -> None:
    with httpx.Client(proxy="http://127.0.0.1:9") as client, intercept(inbox):
        response = client.post(f"{scheme}://s2s.mparticle.com/v2/events", json=batch(), auth=(KEY, SECRET))

    assert response.status_code == 202


def test_a_body_in_parts_of_requests_arrives_whole(inbox: Inbox) -> None:
    body = json.dumps(named("Play")).encode()

    with intercept(inbox):
        response = requests.post(URL, data=(body[at : at + 10] for at in range(0, len(body), 10)), headers=basic(), timeout=5)

    assert response.status_code == 202
    assert names(inbox) == ["Play"]


def test_a_body_in_parts_of_httpx_arrives_whole(inbox: Inbox) -> None:
    body = json.dumps(named("Play")).encode()

    with intercept(inbox):
        httpx.post(URL, content=(body[at : at + 10] for at in range(0, len(body), 10)), headers=basic())

    assert names(inbox) == ["Play"]


def test_a_body_from_an_asynchronous_generator_arrives_whole(inbox: Inbox) -> None:
    body = json.dumps(named("Play")).encode()

    async def parts() -> AsyncIterator[bytes]:
        for at in range(0, len(body), 10):
            yield body[at : at + 10]

    async def send() -> None:
        async with httpx.AsyncClient() as client:
            await client.post(URL, content=parts(), headers=basic())

    with intercept(inbox):
        asyncio.run(send())

    assert names(inbox) == ["Play"]


def test_a_compressed_body_is_read(inbox: Inbox) -> None:
    body = gzip.compress(json.dumps(named("Play")).encode())

    with intercept(inbox):
        requests.post(URL, data=body, headers=basic() | {"Content-Encoding": "gzip"}, timeout=5)

    assert names(inbox) == ["Play"]


def test_the_headers_are_recorded_as_sent(inbox: Inbox) -> None:
    with intercept(inbox):
        requests.post(URL, json=batch(), auth=(KEY, SECRET), headers={"User-Agent": "shop/1"}, timeout=5)

    (request,) = inbox.source.requests(inbox.workspace)
    headers = {name.lower(): value for name, value in request.headers}
    assert headers["host"] == "s2s.mparticle.com"
    assert headers["user-agent"] == "shop/1"


def test_a_streamed_answer_is_read_in_parts_with_requests(inbox: Inbox) -> None:
    with intercept(inbox), requests.post(URL, data=b"{", headers=basic(), stream=True, timeout=5) as response:
        parts = list(response.iter_content(16))

    assert len(parts) > 1
    assert json.loads(b"".join(parts))["errors"][0]["code"] == "BAD_REQUEST"


def test_a_streamed_answer_is_read_in_parts_with_httpx(inbox: Inbox) -> None:
    with intercept(inbox), httpx.stream("POST", URL, content=b"{", headers=basic()) as response:
        parts = list(response.iter_bytes(16))

    assert len(parts) > 1
    assert json.loads(b"".join(parts))["errors"][0]["code"] == "BAD_REQUEST"


def test_raise_for_status_raises_what_the_fake_answered(inbox: Inbox) -> None:
    with intercept(inbox):
        response = requests.post(URL, data=b"{", headers=basic(), timeout=5)
        other = httpx.post(URL, content=b"{", headers=basic())

    with pytest.raises(requests.HTTPError, match=r"400 Client Error: Bad Request for url: https://s2s\.mparticle\.com/v2/events"):
        response.raise_for_status()
    with pytest.raises(httpx.HTTPStatusError, match="400 Bad Request"):
        other.raise_for_status()


def test_a_mounted_adapter_keeps_its_say(inbox: Inbox) -> None:
    sent = []

    class Counting(HTTPAdapter):
        def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
            sent.append(request.url)
            return super().send(request, *arguments, **options)

    with requests.Session() as session, intercept(inbox):
        session.mount("https://s2s.mparticle.com", Counting())
        session.post(URL, json=batch(), auth=(KEY, SECRET), allow_redirects=False)

    assert sent == [URL]
    assert len(names(inbox)) == 1


# -- faults ----------------------------------------------------------------------------------------------------------------


def test_the_retries_of_urllib3_are_made(inbox: Inbox) -> None:
    inbox.fail_next(status=503, times=2)

    with urllib3.PoolManager(retries=Retry(3, status_forcelist=[503], allowed_methods=None)) as manager, intercept(inbox):
        response = manager.request("POST", URL, body=json.dumps(batch()).encode(), headers=basic())

    assert response.status == 202
    assert [request.status for request in inbox.requests] == [503, 503, 202]


def test_the_retries_of_a_pool_are_made(inbox: Inbox) -> None:
    inbox.fail_next(status=503)
    pool = urllib3.HTTPSConnectionPool("s2s.mparticle.com", retries=Retry(1, status_forcelist=[503], allowed_methods=None))

    with intercept(inbox):
        response = pool.urlopen("POST", "/v2/events", json.dumps(batch()).encode(), basic())

    assert response.status == 202


def late(inbox: Inbox) -> None:
    inbox.source.put_faults(inbox.workspace, [{"delay": 30}])


def test_a_late_answer_is_a_time_out_of_requests(inbox: Inbox) -> None:
    late(inbox)

    with (
        intercept(inbox),
        pytest.raises(requests.ReadTimeout, match=r"s2s\.mparticle\.com.*Read timed out. \(read timeout=0.01\)"),
    ):
        requests.post(URL, json=batch(), auth=(KEY, SECRET), timeout=0.01)


def test_a_late_answer_is_a_time_out_of_a_urllib3_pool(inbox: Inbox) -> None:
    late(inbox)
    pool = urllib3.HTTPSConnectionPool("s2s.mparticle.com", timeout=0.01, retries=False)

    with intercept(inbox), pytest.raises(urllib3.exceptions.ReadTimeoutError):
        pool.urlopen("POST", "/v2/events", json.dumps(batch()).encode(), basic())


def test_a_late_answer_is_a_time_out_of_httpx(inbox: Inbox) -> None:
    late(inbox)

    with intercept(inbox), pytest.raises(httpx.ReadTimeout, match="timed out"):
        httpx.post(URL, json=batch(), auth=(KEY, SECRET), timeout=0.01)


def test_a_late_answer_is_a_time_out_of_an_asynchronous_client(inbox: Inbox) -> None:
    late(inbox)

    async def send() -> None:
        async with httpx.AsyncClient(timeout=0.01) as client:
            await client.post(URL, json=batch(), auth=(KEY, SECRET))

    with intercept(inbox), pytest.raises(httpx.ReadTimeout):
        asyncio.run(send())


def test_a_late_answer_does_not_stop_the_event_loop(inbox: Inbox) -> None:
    late(inbox)

    async def send() -> None:
        async with httpx.AsyncClient(timeout=None) as client, asyncio.timeout(0.05):
            await client.post(URL, json=batch(), auth=(KEY, SECRET))

    with intercept(inbox), pytest.raises(TimeoutError):
        asyncio.run(send())


# -- hosts and paths -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", HOSTS)
def test_every_host_and_path_of_the_table_is_served(inbox: Inbox, host: str) -> None:
    with intercept(inbox):
        statuses = {
            requests.post(
                f"https://{host}{path.replace('<key>', KEY).replace('<mpid>', '17')}",
                json=[] if "bulk" in path else batch(),
                headers=basic(),
                timeout=5,
            ).status_code
            for path in HOSTS[host].paths
        }

    assert 404 not in statuses


def test_the_table_names_every_path_that_the_fake_serves_to_clients(source: LocalSource) -> None:
    # Below a prefix, a customer's own domain stands for all of mParticle's (client-sdks.md §2.1, §3.1).
    own_domain = ("/tags/", "/webevents/", "/nativeevents/", "/identity/", "/config/")
    served = {row.path for row in source.server.rows if not row.path.startswith(("/_fake", *own_domain))}

    assert {path for family in FAMILIES.values() for path in family.paths} == served


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("https://jssdks.mparticle.com/v3/JS/web-key/events", {}),
        ("https://identity.mparticle.com/v1/identify", {"x-mp-key": "web-key"}),
    ],
)
def test_the_key_of_a_client_sdk_is_the_tests_too(inbox: Inbox, url: str, headers: dict[str, str]) -> None:
    body = batch() | {"known_identities": {"customerid": "c1"}}

    with intercept(inbox):
        status = requests.post(url, json=body, headers=headers, timeout=5).status_code

    assert status in (200, 202)
    assert inbox.requests.one().key == "web-key"


@pytest.mark.parametrize("url", ["https://S2S.mParticle.com/v2/events", "https://s2s.mparticle.com.:8443/v2/events"])
def test_the_host_may_be_spelled_in_other_ways(inbox: Inbox, url: str) -> None:
    with intercept(inbox):
        statuses = {client.post(url, json=batch(), auth=(KEY, SECRET)).status_code for client in (requests, httpx)}

    assert statuses == {202}


def test_other_hosts_are_untouched(inbox: Inbox, source: LocalSource) -> None:
    with intercept(inbox):
        statuses = {client.get(f"{source.url}/_fake/health").status_code for client in (requests, httpx)}

    assert statuses == {200}


@pytest.mark.parametrize("host", ["mparticle.com.example.invalid", "s2s-mparticle.com.invalid", "docs.mparticle.com"])
def test_a_host_that_only_looks_like_mparticles_is_untouched(inbox: Inbox, host: str) -> None:
    met = []

    def patched(self: Any, *_: Any, **__: Any) -> Any:
        met.append((type(self), self.host))
        raise urllib3.exceptions.HTTPError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(urllib3.HTTPConnectionPool, "urlopen", patched)
        with intercept(inbox), pytest.raises(urllib3.exceptions.HTTPError):
            urllib3.PoolManager().request("GET", f"https://{host}/v2/events")

    assert met == [(urllib3.HTTPSConnectionPool, host)]


def test_a_custom_transport_of_httpx_is_untouched(inbox: Inbox) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(418))

    with intercept(inbox), httpx.Client(transport=transport) as client:
        response = client.post(URL)

    assert response.status_code == 418


def test_an_unknown_path_fails_and_names_the_known_ones(inbox: Inbox) -> None:
    with pytest.raises(MParticleError) as caught, intercept(inbox):
        requests.post("https://s2s.mparticle.com/v2/event", json=batch(), auth=(KEY, SECRET), timeout=5)

    assert str(caught.value) == (
        "intercept() met a request to s2s.mparticle.com/v2/event, which the fake does not serve. Did you mean /v2/events? "
        "Of s2s.mparticle.com it serves /v2/events, /v2/bulkevents, /v2/bulkevents/historical."
    )


def test_an_unknown_path_fails_with_httpx_too(inbox: Inbox) -> None:
    with pytest.raises(MParticleError, match="which the fake does not serve"), intercept(inbox):
        httpx.post("https://s2s.mparticle.com/v2/event", json=batch())


def test_an_unknown_path_fails_with_an_asynchronous_client_too(inbox: Inbox) -> None:
    async def send() -> None:
        async with httpx.AsyncClient() as client:
            await client.post("https://s2s.mparticle.com/v2/event", json=batch())

    with pytest.raises(MParticleError, match="which the fake does not serve"), intercept(inbox):
        asyncio.run(send())


def test_a_path_without_its_version_is_told_of_the_configuration(inbox: Inbox) -> None:
    with pytest.raises(MParticleError, match="The host in the SDK's Configuration must end in /v2"), intercept(inbox):
        requests.post("https://s2s.mparticle.com/events", timeout=5)


def test_a_path_of_another_host_names_that_host(inbox: Inbox) -> None:
    with pytest.raises(MParticleError, match=r"It is a path of s2s\.mparticle\.com"), intercept(inbox):
        requests.post("https://inbound.mparticle.com/v2/events", timeout=5)


@pytest.mark.parametrize(
    ("host", "hint"), [("s2s.us3.mparticle.com", "Did you mean s2s.us"), ("api.mparticle.com", "Known: s2s")]
)
def test_an_unknown_api_host_fails_and_names_the_known_ones(inbox: Inbox, host: str, hint: str) -> None:
    with pytest.raises(MParticleError, match=hint), intercept(inbox):
        requests.get(f"https://{host}/platform/v2/workspaces", timeout=5)


def test_a_failure_that_the_code_swallowed_is_raised_at_the_end(inbox: Inbox) -> None:
    with pytest.raises(MParticleError, match=r"s2s\.mparticle\.com/v3/events"), intercept(inbox), contextlib.suppress(Exception):
        requests.post("https://s2s.mparticle.com/v3/events", timeout=5)


def test_failures_that_the_code_swallowed_are_told_together(inbox: Inbox) -> None:
    def send(path: str) -> None:
        with contextlib.suppress(Exception):
            requests.post(f"https://s2s.mparticle.com{path}", timeout=5)

    with pytest.raises(MParticleError) as caught, intercept(inbox):
        list(map(send, ("/v3/events", "/v3/events", "/v4/events")))

    first, *others = str(caught.value).splitlines()
    assert first == "3 requests failed under intercept():"
    assert [line[:63] for line in others] == [
        "- intercept() met a request to s2s.mparticle.com/v3/events, whi",
        "- intercept() met a request to s2s.mparticle.com/v4/events, whi",
    ]


def test_a_failure_that_reached_the_test_is_reported_once(suite: Suite) -> None:
    suite.write(
        """
        import requests

        def test_it(fake_mparticle):
            fake_mparticle.intercept()
            requests.post("https://s2s.mparticle.com/v3/events", timeout=5)
        """
    )

    result = suite.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *MParticleError: intercept() met a request to s2s.mparticle.com/v3/events, which the fake*"])
    result.stdout.no_fnmatch_line("*interception.py:*: in urlopen*")


def test_a_failure_that_the_code_swallowed_fails_the_tests_teardown(suite: Suite) -> None:
    suite.write(
        """
        import contextlib, requests

        @pytest.mark.mparticle(intercept=True)
        def test_it():
            with contextlib.suppress(Exception):
                requests.post("https://s2s.mparticle.com/v3/events", timeout=5)
        """
    )

    result = suite.run()

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["E *MParticleError: intercept() met a request to s2s.mparticle.com/v3/events, which the fake*"])


# -- credentials -----------------------------------------------------------------------------------------------------------


def test_any_key_with_any_secret_is_the_tests(inbox: Inbox) -> None:
    with intercept(inbox):
        for key, secret in (("k1", "a"), ("k2", "b"), ("k1", "c")):
            requests.post(URL, json=batch(), auth=(key, secret), timeout=5).raise_for_status()

    assert [item.key for item in inbox.source.batches(inbox.workspace)] == ["k1", "k2", "k1"]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic ?"}])
def test_credentials_that_are_absent_or_no_credentials_get_401(inbox: Inbox, headers: dict[str, str]) -> None:
    with intercept(inbox):
        response = requests.post(URL, json=batch(), headers=headers, timeout=5)

    assert response.status_code == 401


def test_a_claimed_key_still_wants_its_secret(inbox: Inbox) -> None:
    with inbox.claim(KEY, SECRET), intercept(inbox):
        statuses = [requests.post(URL, json=batch(), auth=(KEY, secret), timeout=5).status_code for secret in (SECRET, "wrong")]

    assert statuses == [202, 403]


def test_a_key_that_was_claimed_stays_so_when_the_interception_ends(inbox: Inbox) -> None:
    with inbox.claim(KEY, SECRET):
        with intercept(inbox):
            requests.post(URL, json=batch(), auth=(KEY, SECRET), timeout=5)
        response = requests.post(f"{inbox.url}/v2/events", json=batch(), auth=(KEY, SECRET), timeout=5)

    assert response.status_code == 202


def test_a_key_that_is_claimed_once_it_was_met_stays_so_too(inbox: Inbox) -> None:
    with intercept(inbox):
        requests.post(URL, json=batch(), auth=(KEY, "another"), timeout=5)
        claim = inbox.claim(KEY, SECRET)
    with claim:
        response = requests.post(f"{inbox.url}/v2/events", json=batch(), auth=(KEY, SECRET), timeout=5)

    assert response.status_code == 202


def test_the_tests_own_key_still_wants_its_secret(inbox: Inbox) -> None:
    with intercept(inbox):
        response = requests.post(URL, json=batch(), auth=(inbox.key, "wrong"), timeout=5)

    assert response.status_code == 403


def test_a_key_is_given_back_at_the_end(make_inbox: MakeInbox) -> None:
    one, two = make_inbox("one"), make_inbox("two")

    for inbox in (one, two):
        with intercept(inbox):
            requests.post(URL, json=named(inbox.test_id), auth=(KEY, SECRET), timeout=5)

    assert (names(one), names(two)) == (["one"], ["two"])


# -- nested, together, and after -------------------------------------------------------------------------------------------


def test_an_inner_interception_leaves_the_keys_of_the_outer_one(inbox: Inbox) -> None:
    with inbox.intercept():
        first = requests.post(URL, json=batch(), headers=basic())
        with inbox.intercept():
            second = requests.post(URL, json=batch(), headers=basic())
        third = requests.post(URL, json=batch(), headers=basic())
    assert [answer.status_code for answer in (first, second, third)] == [202, 202, 202]


def test_a_claim_that_ends_leaves_the_keys_of_the_interception_around_it(inbox: Inbox) -> None:
    with inbox.intercept():
        requests.post(URL, json=batch(), headers=basic())
        with inbox.claim(KEY, "another"):
            assert requests.post(URL, json=batch(), headers=basic()).status_code == 403
        assert requests.post(URL, json=batch(), headers=basic()).status_code == 202


def test_nested_interceptions_of_one_test_are_one(inbox: Inbox) -> None:
    with intercept(inbox):
        with intercept(inbox):
            requests.post(URL, json=named("inner"), auth=(KEY, SECRET), timeout=5)
        requests.post(URL, json=named("outer"), auth=(KEY, SECRET), timeout=5)

    assert names(inbox) == ["inner", "outer"]


def methods() -> list[Any]:
    return [
        urllib3.HTTPConnectionPool.__dict__["urlopen"],
        httpx.HTTPTransport.__dict__["handle_request"],
        httpx.AsyncHTTPTransport.__dict__["handle_async_request"],
    ]


def test_the_clients_are_restored_exactly(inbox: Inbox) -> None:
    before = methods()

    with intercept(inbox), intercept(inbox):
        during = methods()

    assert methods() == before
    assert all(patched is not original for patched, original in zip(during, before, strict=True))


def test_the_clients_are_restored_when_the_body_raises(inbox: Inbox) -> None:
    before = methods()

    with pytest.raises(ZeroDivisionError), intercept(inbox):
        _ = 1 / 0

    assert methods() == before


def test_a_patch_that_another_tool_made_later_is_left_alone(inbox: Inbox) -> None:
    def theirs(*_: Any, **__: Any) -> Any:
        raise AssertionError

    with pytest.MonkeyPatch.context() as patch:
        with intercept(inbox):
            patch.setattr(urllib3.HTTPConnectionPool, "urlopen", theirs)
        assert urllib3.HTTPConnectionPool.__dict__["urlopen"] is theirs


def test_many_threads_of_one_test_lose_nothing(inbox: Inbox) -> None:
    def send(number: int) -> int:
        client: Any = (requests, httpx)[number % 2]
        status: int = client.post(URL, json=named(f"n{number}"), auth=(KEY, SECRET)).status_code
        return status

    with intercept(inbox), ThreadPoolExecutor(8) as threads:
        statuses = set(threads.map(send, range(100)))

    assert statuses == {202}
    assert sorted(names(inbox)) == sorted(f"n{number}" for number in range(100))


def test_two_tests_in_threads_do_not_get_each_others_requests(make_inbox: MakeInbox) -> None:
    both_open = threading.Barrier(2, timeout=10)

    def run(inbox: Inbox) -> None:
        with intercept(inbox):
            both_open.wait()
            requests.post(URL, json=named(inbox.test_id), auth=(f"key of {inbox.test_id}", SECRET), timeout=5)
            both_open.wait()

    one, two = make_inbox("one"), make_inbox("two")
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(run, (one, two)))

    assert (names(one), names(two)) == (["one"], ["two"])


def test_the_same_key_in_two_tests_at_once_is_an_error_that_names_the_first(make_inbox: MakeInbox) -> None:
    one, two = make_inbox("one"), make_inbox("two")

    with intercept(one):
        requests.post(URL, json=named("one"), auth=(KEY, SECRET), timeout=5)
        with pytest.raises(ClaimError, match=f"The API key '{KEY}' is claimed by the test one until it ends"), intercept(two):
            requests.post(URL, json=named("two"), auth=(KEY, SECRET), timeout=5)

    assert (names(one), names(two)) == (["one"], [])


def in_a_thread(work: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(work).result()


def test_a_thread_of_nobodys_with_a_tests_key_is_that_tests(make_inbox: MakeInbox) -> None:
    one, two = make_inbox("one"), make_inbox("two")

    with intercept(one), intercept(two):
        in_a_thread(lambda: requests.post(URL, json=named("Play"), auth=(one.key, "s"), timeout=5))

    assert (names(one), names(two)) == (["Play"], [])


def test_a_thread_of_nobodys_with_an_unknown_key_is_an_error_that_names_the_tests(make_inbox: MakeInbox) -> None:
    one, two = make_inbox("one"), make_inbox("two")

    with (
        pytest.raises(MParticleError, match=r"several tests intercept in this process \(one, two\)"),
        intercept(one),
        intercept(two),
    ):
        in_a_thread(lambda: requests.post(URL, json=batch(), auth=(KEY, SECRET), timeout=5))

    assert (names(one), names(two)) == ([], [])


# -- a fake in another process ---------------------------------------------------------------------------------------------


@pytest.fixture
def far_inbox() -> Iterator[Inbox]:
    with FakeServer(unknown_keys=False) as server:
        source = RemoteSource(server.url)
        source.open_workspace("far #1", "test-far", "s", mode="faithful")
        yield Inbox(source, "far #1", "test-far", "s", "far")
        source.close()


@pytest.mark.parametrize("client", [requests, httpx])
def test_a_fake_that_runs_elsewhere_gets_it_over_http(far_inbox: Inbox, client: Any) -> None:
    with intercept(far_inbox):
        response = client.post(URL, json=named("Play"), auth=(KEY, SECRET))

    assert response.status_code == 202
    assert response.headers["server"] == "mparticle-fake"
    assert names(far_inbox) == ["Play"]


@pytest.mark.parametrize("client", [requests, httpx])
def test_a_late_answer_from_elsewhere_is_a_time_out(far_inbox: Inbox, client: Any) -> None:
    late(far_inbox)

    with intercept(far_inbox), pytest.raises((requests.ReadTimeout, httpx.ReadTimeout)):
        client.post(URL, json=batch(), auth=(KEY, SECRET), timeout=0.05)


@pytest.mark.parametrize("client", [requests, httpx])
def test_a_fake_elsewhere_that_is_gone_is_a_connection_error(client: Any) -> None:
    with FakeServer(unknown_keys=False) as server:
        source = RemoteSource(server.url)
        source.open_workspace("far #1", "test-far", "s", mode="faithful")
        inbox = Inbox(source, "far #1", "test-far", "s", "far")
    source.close()

    with intercept(inbox), pytest.raises((requests.ConnectionError, httpx.ReadError)):
        client.post(URL, json=batch(), auth=(inbox.key, inbox.secret))


def test_a_fake_elsewhere_that_is_late_does_not_stop_the_event_loop(far_inbox: Inbox) -> None:
    far_inbox.source.put_faults(far_inbox.workspace, [{"delay": 5}])

    async def send() -> float:
        began = time.monotonic()
        with contextlib.suppress(TimeoutError):
            async with httpx.AsyncClient(timeout=None) as client, asyncio.timeout(0.05):
                await client.post(URL, json=batch(), auth=(KEY, SECRET))
        return time.monotonic() - began

    with intercept(far_inbox):
        assert asyncio.run(send()) < 4


# -- a child of this process -----------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_process_reaches_the_fake_once_it_listens(inbox: Inbox, source: LocalSource) -> None:
    assert source.url

    with intercept(inbox):
        requests.post(URL, json=named("before"), auth=(KEY, SECRET), timeout=5)
        child = os.fork()
        if not child:
            status = 1
            with contextlib.suppress(BaseException):
                status = int(requests.post(URL, json=named("Play"), auth=(KEY, SECRET), timeout=5).status_code != 202)
            os._exit(status)
        _, status = os.waitpid(child, 0)

    assert status == 0
    assert names(inbox) == ["before", "Play"]


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_process_with_a_new_key_is_told_to_claim_it(inbox: Inbox, source: LocalSource) -> None:
    assert source.url
    reading, writing = os.pipe()

    with intercept(inbox):
        child = os.fork()
        if not child:
            try:
                requests.post(URL, json=named("Play"), auth=("a-new-key", SECRET), timeout=5)
            except MParticleError as error:
                os.write(writing, str(error).encode())
            finally:
                os._exit(0)
        os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read().decode()

    assert told.startswith("A forked process sent with the API key 'a-new-key'")
    assert told.endswith("Call fake_mparticle.claim(key, secret) before the fork.")


def test_a_failure_that_leaves_the_block_is_shown_where_it_was_sent(suite: Suite) -> None:
    suite.write("""
        import requests

        def test_it(fake_mparticle):
            with fake_mparticle.intercept():
                requests.post("https://s2s.mparticle.com/v3/events", json=GOOD)
    """)

    result = suite.run("--tb=short")

    result.assert_outcomes(failed=1)
    places = [line.split(":")[0] for line in result.outlines if re.match(r"\S+\.py:\d+: in ", line)]
    assert places[0] == "test_it.py"
    assert not [place for place in places if "contextlib" in place]


# -- what has no key ---------------------------------------------------------------------------------------------------------

KEYLESS = """
    import requests

    @pytest.mark.mparticle(intercept=True{allowed})
    def test_without_credentials():
        assert requests.post("https://s2s.mparticle.com/v2/events", json=GOOD).status_code == 401
"""


def test_a_test_that_sends_without_credentials_fails_for_it(suite: Suite) -> None:
    suite.write(KEYLESS.format(allowed=""))

    result = suite.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["credentials_missing: production would not take what this test sent.", "*(POST /v2/events, answered 401)"]
    )


def test_a_test_may_be_meant_to_send_without_credentials(suite: Suite) -> None:
    suite.write(KEYLESS.format(allowed=', allow_invalid=["credentials_missing"]'))

    result = suite.run()

    result.assert_outcomes(passed=1)


# -- roundabout ways ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def redirecting() -> Iterator[str]:
    """The URL of a server that sends everybody on to mParticle."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(307)
            self.send_header("location", "https://s2s.mparticle.com/v2/events")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_request(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    "post",
    [
        lambda url, headers: requests.post(url, json=batch(), headers=headers).status_code,
        lambda url, headers: urllib3.PoolManager().request("POST", url, body=json.dumps(batch()), headers=headers).status,
        lambda url, headers: httpx.post(url, json=batch(), headers=headers, follow_redirects=True).status_code,
    ],
    ids=["requests", "urllib3", "httpx"],
)
def test_a_redirect_to_mparticle_goes_to_the_fake(
    inbox: Inbox, redirecting: str, post: Callable[[str, dict[str, str]], int]
) -> None:
    # Clients take the Authorization away where a redirect leads to another host.
    with intercept(inbox):
        status = post(redirecting, {"content-type": "application/json"})

    assert status == 401
    assert inbox.unclaimed()[-1].path == "/v2/events"
