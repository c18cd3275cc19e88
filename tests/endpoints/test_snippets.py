"""Snippets: the configuration of an SDK for one server, in its own language, and nothing that is a secret."""

import ast
import json
import shutil
import subprocess
from typing import Any

import pytest

from mparticle_fake_server.snippets import CLIENTS, UnknownClientError, snippet
from tests.conftest import RealPart
from tests.endpoints.sdk_requests import CREDENTIALS, KEY, SECRET
from tests.hosts import Fake, OpenFake, server_host

URL = "http://127.0.0.1:8080"
TLS_URL = "https://127.0.0.1:8443"
ODD = "a'b\"c\\d$e#{f}</script>\\(g)é"
"""A key that needs to be written with care in each of the languages."""


def web_config(text: str) -> dict[str, Any]:
    """What the web snippet gives the SDK, as Node understands it."""
    program = (
        f"const window = {{}}; const mParticle = {{init: (key, config) => console.log(JSON.stringify([key, config]))}};{text}"
    )
    done = subprocess.run(["node", "-e", program], capture_output=True, text=True, check=True, timeout=60)
    key, config = json.loads(done.stdout)
    return {"key": key, **config}


@pytest.fixture
def node(real_part: RealPart) -> None:
    real_part(shutil.which("node") is not None, "this test needs Node")


# -- what is in them ---------------------------------------------------------------------------------------------------------


def test_without_tls_the_web_sdk_is_told_to_do_without_what_needs_it(node: None) -> None:
    config = web_config(snippet("web", URL, "my-key", "s"))

    assert config["key"] == "my-key"
    assert (config["forceHttps"], config["requestConfig"], config["workspaceToken"]) == (False, False, "my-key")
    assert config["v3SecureServiceUrl"] == "127.0.0.1:8080/v3/JS/"
    assert config["identityUrl"] == "127.0.0.1:8080/v1/"
    assert config["flags"] == {"eventBatchingIntervalMillis": "0"}


def test_with_tls_the_web_sdk_uses_it_for_everything(node: None) -> None:
    config = web_config(snippet("web", URL, "my-key", "s", TLS_URL))

    assert {name: value for name, value in config.items() if name.endswith("Url")} == {
        "configUrl": "127.0.0.1:8443/JS/v2/",
        "v1SecureServiceUrl": "127.0.0.1:8443/v1/JS/",
        "v2SecureServiceUrl": "127.0.0.1:8443/v2/JS/",
        "v3SecureServiceUrl": "127.0.0.1:8443/v3/JS/",
        "identityUrl": "127.0.0.1:8443/v1/",
        "aliasUrl": "127.0.0.1:8443/v1/identity/",
        "userAudienceUrl": "127.0.0.1:8443/v1/",
    }
    assert "forceHttps" not in config
    assert "requestConfig" not in config


def test_the_paths_in_the_web_snippet_are_served(fake: Fake, node: None) -> None:
    config = web_config(snippet("web", "http://host:1", KEY, SECRET, "https://host:2"))

    paths = {name: url.removeprefix("host:2") for name, url in config.items() if name.endswith("Url")}
    asked = {
        "configUrl": ("GET", f"{KEY}/config"),
        "v1SecureServiceUrl": ("POST", f"{KEY}/Forwarding"),
        "v2SecureServiceUrl": ("POST", f"{KEY}/Forwarding"),
        "v3SecureServiceUrl": ("POST", f"{KEY}/events"),
        "identityUrl": ("POST", "identify"),
        "aliasUrl": ("POST", f"{KEY}/Alias"),
        "userAudienceUrl": ("GET", f"{KEY}/audience"),
    }
    assert {
        name: fake.request(method, paths[name] + rest).status not in (404, 405) for name, (method, rest) in asked.items()
    } == dict.fromkeys(paths, True)


def test_the_android_emulator_finds_this_machine_under_another_name() -> None:
    text = snippet("android", URL, "my-key", "my-secret", TLS_URL)

    for mapping in ("configMapping", "identityMapping", "eventsMapping", "audienceMapping"):
        assert f'DomainMapping.{mapping}("10.0.2.2:8443")' in text
    assert ".setPinningDisabled(true)" in text
    assert '.credentials("my-key", "my-secret")' in text
    assert "--tls\n" not in text


def test_an_android_device_gets_the_address_that_was_asked() -> None:
    assert '"192.168.1.5:8443"' in snippet("android", "http://192.168.1.5:8080", "k", "s", "https://192.168.1.5:8443")


@pytest.mark.parametrize("client", ["android", "ios"])
def test_a_client_that_speaks_https_alone_says_so_where_there_is_none(client: str) -> None:
    assert "mparticle-fake serve --tls" in snippet(client, URL, "k", "s").splitlines()[0]


def test_the_apple_sdk_gets_hosts_without_a_port_and_is_told_about_443() -> None:
    text = snippet("ios", URL, "my-key", "my-secret", "https://localhost:8443")

    assert 'network.configHost = "localhost"\n' in text
    assert 'network.eventsHost = "localhost"\n' in text
    assert "port 443 alone, and HTTPS is on 8443" in text
    assert "network.pinningDisabled = true" in text
    assert 'MParticleOptions(key: "my-key", secret: "my-secret")' in text
    assert "443 alone" not in snippet("ios", URL, "k", "s", "https://localhost")


def test_the_python_snippet_configures_the_sdk() -> None:
    mparticle = pytest.importorskip("mparticle")
    made: dict[str, Any] = {}

    exec(snippet("python", "http://localhost:1", ODD, SECRET), made)  # it is there to be run

    assert isinstance(made["api"], mparticle.EventsApi)
    assert made["configuration"].host == "http://localhost:1/v2"
    assert (made["configuration"].api_key, made["configuration"].api_secret) == (ODD, SECRET)


@pytest.mark.parametrize(
    ("client", "address"),
    [
        ("node", 'api.apiClient.basePath = "http://127.0.0.1:8080/v2";'),
        ("java", 'client.getAdapterBuilder().baseUrl("http://127.0.0.1:8080/v2/");'),
        ("go", 'configuration.BasePath = "http://127.0.0.1:8080/v2"'),
        ("ruby", "config.host = '127.0.0.1:8080'"),
        ("python", 'configuration.host = "http://127.0.0.1:8080/v2"'),
    ],
)
def test_a_server_sdk_gets_the_address_in_the_form_that_it_takes(client: str, address: str) -> None:
    assert address in snippet(client, f"{URL}/", "my-key", "my-secret", TLS_URL)


@pytest.mark.parametrize("client", CLIENTS)
def test_key_and_secret_are_in_it(client: str) -> None:
    text = snippet(client, URL, "the-key", "the-secret", TLS_URL)

    assert "the-key" in text
    assert ("the-secret" in text) is (client != "web")


def test_an_ipv6_address_keeps_its_brackets() -> None:
    for client in CLIENTS:
        if client not in ("android", "python"):
            assert "[::1]" in snippet(client, "http://[::1]:8080", "k", "s", "https://[::1]:8443")


# -- keys that need care -----------------------------------------------------------------------------------------------------


def test_a_key_with_quotes_stays_a_key_in_javascript(node: None) -> None:
    assert web_config(snippet("web", URL, ODD, "s"))["key"] == ODD
    assert "</script>" not in snippet("web", URL, ODD, "s")


def test_a_key_with_quotes_stays_a_key_in_python() -> None:
    values = [node.value for node in ast.walk(ast.parse(snippet("python", URL, ODD, "s"))) if isinstance(node, ast.Constant)]

    assert ODD in values


@pytest.mark.parametrize(
    ("client", "written"),
    [
        ("android", r'"a\'b\"c\\d\$e#{f}</script>\\(g)\u00e9"'.replace(r"\'", "'")),
        ("ios", r'"a\'b\"c\\d$e#{f}</script>\\(g)é"'.replace(r"\'", "'")),
        ("java", r'"a\'b\"c\\d$e#{f}</script>\\(g)\u00e9"'.replace(r"\'", "'")),
        ("go", r'"a\'b\"c\\d$e#{f}</script>\\(g)\u00e9"'.replace(r"\'", "'")),
        ("ruby", r"""'a\'b"c\\d$e#{f}</script>\\(g)é'"""),
    ],
)
def test_a_key_with_quotes_is_written_as_the_language_wants_it(client: str, written: str) -> None:
    assert written in snippet(client, URL, ODD, "s", TLS_URL)


# -- over HTTP ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("client", CLIENTS)
def test_a_snippet_is_told_as_text_for_the_address_that_was_asked(fake: Fake, client: str) -> None:
    reply = fake.request("GET", f"/_fake/snippet/{client}", headers={"Host": "localhost:8080"})

    text = reply.body.decode()
    assert (reply.status, reply.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert "localhost" in text or "10.0.2.2" in text
    assert "my-key" in text


def test_the_snippet_of_a_running_server_has_its_port() -> None:
    with server_host() as fake:
        text = fake.request("GET", "/_fake/snippet/python").body.decode()

    assert f'"{fake.url}/v2"' in text


def test_a_snippet_has_the_key_of_an_input_and_no_secret(open_fake: OpenFake) -> None:
    with open_fake(credentials=CREDENTIALS, unknown_keys=False) as fake:
        text = fake.request("GET", "/_fake/snippet/python").body.decode()

    assert KEY in text
    assert SECRET not in text
    assert "my-secret" in text


def test_a_snippet_may_be_asked_for_another_key(fake: Fake) -> None:
    assert '"shop"' in fake.request("GET", "/_fake/snippet/python?key=shop").body.decode()


@pytest.mark.parametrize("client", ["rust", "Web", "%3Cscript%3E"])
def test_an_unknown_client_gets_404_with_the_list(fake: Fake, client: str) -> None:
    reply = fake.request("GET", f"/_fake/snippet/{client}")

    assert reply.status == 404
    assert "Clients: web, android, ios, python, node, java, go, ruby." in reply.messages[0]


@pytest.mark.parametrize(("client", "meant"), [("andriod", "android"), ("pyton", "python"), ("nodejs", "node"), ("Java", "java")])
def test_a_client_that_is_nearly_one_is_told_which(client: str, meant: str) -> None:
    with pytest.raises(UnknownClientError, match=rf"Did you mean {meant}\?"):
        snippet(client, URL, "k", "s")


@pytest.mark.parametrize("client", ["bogus", "rust", "kotlin", "swift", "csharp", "docs", "javascript"])
def test_a_client_that_is_like_none_is_taken_for_none(client: str) -> None:
    with pytest.raises(UnknownClientError) as unknown:
        snippet(client, URL, "k", "s")

    assert "Did you mean" not in str(unknown.value)


def test_the_function_raises_for_an_unknown_client() -> None:
    with pytest.raises(UnknownClientError, match=r"There is no snippet for 'rubyy'\. Did you mean ruby\?"):
        snippet("rubyy", URL, "k", "s")


def test_an_unknown_parameter_is_refused(fake: Fake) -> None:
    assert fake.request("GET", "/_fake/snippet/web?secret=1").status == 400


@pytest.mark.parametrize("host", ["localhost:nonsense", "[::1", "localhost:99999", ""])
def test_a_host_that_is_none_does_no_harm(open_fake: OpenFake, host: str) -> None:
    with open_fake(token="t") as fake:  # with one, every Host is let in
        reply = fake.request("GET", "/_fake/snippet/python?token=t", headers={"Host": host})

    assert reply.status == 200


def test_a_snippet_is_guarded_as_what_was_recorded_is(open_fake: OpenFake) -> None:
    with open_fake(token="t") as fake:
        assert fake.request("GET", "/_fake/snippet/web").status == 401
