"""The configuration of each SDK for one server, to be pasted: for `/_fake/snippet/{client}` and the banner of `serve`.

Options and their limits are those of `client-sdks.md §2.1`, `§3.1`, `§4.1`, `§4.5` and `events-api.md §8`.
"""

import json
from collections.abc import Callable
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from .words import did_you_mean

EMULATOR: Final = "10.0.2.2"
"""What an Android emulator calls the machine that it runs on."""

TLS_PORT: Final = 8443
"""Where HTTPS would be, in the snippets of clients that speak nothing else, if the server has none."""


class UnknownClientError(ValueError):
    """There is no snippet for this client; the message lists those that there are."""


class _Server(NamedTuple):
    url: str
    key: str
    secret: str
    tls_url: str | None

    @property
    def secure(self) -> tuple[str, int]:
        """Host and port of HTTPS, or what they would be."""
        parts = urlsplit(self.tls_url or self.url)
        host = parts.hostname or "localhost"
        return (f"[{host}]" if ":" in host else host), (parts.port or 443) if self.tls_url else TLS_PORT


def snippet(client: str, url: str, key: str, secret: str, tls_url: str | None = None) -> str:
    """Code that points a client's SDK at the server of `url` (and `tls_url`), neither with a slash at its end.

    Raises UnknownClientError.
    """
    make = _SNIPPETS.get(client)
    if make is None:
        raise UnknownClientError(
            f"There is no snippet for {client[:40]!r}.{did_you_mean(client, CLIENTS, 0.65)} Clients: {', '.join(CLIENTS)}."
        )
    return make(_Server(url.rstrip("/"), key, secret, tls_url.rstrip("/") if tls_url else None))


def _javascript(text: str) -> str:
    # Inside of a page nothing may end the script.
    return json.dumps(text).replace("<", "\\u003c")


def _kotlin(text: str) -> str:
    return json.dumps(text).replace("$", "\\$")


def _ruby(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


_quoted: Final = json.dumps


def _web(server: _Server) -> str:
    base = (server.tls_url or server.url).partition("://")[2]
    options = [
        "isDevelopmentMode: true,",
        *(
            []
            if server.tls_url
            else [
                "// Without --tls: the SDK asks for its configuration over https alone, as for aliases, audiences and the",
                "// statistics of kits.",
                "forceHttps: false,",
                "requestConfig: false,",
                f"workspaceToken: {_javascript(server.key)},",
                "flags: { eventBatchingIntervalMillis: '0' },",
            ]
        ),
        *(
            f"{option}: {_javascript(f'{base}/{path}/')},"
            for option, path in (
                ("configUrl", "JS/v2"),
                ("v1SecureServiceUrl", "v1/JS"),
                ("v2SecureServiceUrl", "v2/JS"),
                ("v3SecureServiceUrl", "v3/JS"),
                ("identityUrl", "v1"),
                ("aliasUrl", "v1/identity"),
                ("userAudienceUrl", "v1"),
            )
        ),
    ]
    trust = f"// Open {server.tls_url}/_fake/health once and accept the certificate, or trust its CA: mparticle-fake ca\n"
    return (
        "// Before the SDK is loaded, from a bundle of your own instead of mParticle's loader: npm install @mparticle/web-sdk\n"
        + (trust if server.tls_url else "")
        + "window.mParticle = {\n  config: {\n"
        + "".join(f"    {option}\n" for option in options)
        + "  },\n};\n// After it:\n"
        + f"mParticle.init({_javascript(server.key)}, window.mParticle.config);\n"
    )


def _needs_tls(server: _Server, comment: str) -> str:
    if server.tls_url:
        return ""
    return f"{comment} This SDK speaks https alone, which this server does not: start it with mparticle-fake serve --tls\n"


def _android(server: _Server) -> str:
    host, port = server.secure
    host = EMULATOR if host in ("127.0.0.1", "localhost", "[::1]") else host
    address = _kotlin(f"{host}:{port}")
    mappings = ("configMapping", "identityMapping", "eventsMapping", "audienceMapping")
    return (
        _needs_tls(server, "//")
        + f"// {EMULATOR} is this machine as an emulator sees it. On a device: this machine's address in the network, and\n"
        "// mparticle-fake serve --host 0.0.0.0 --tls. The device must trust the CA (mparticle-fake ca).\n"
        "val network = NetworkOptions.builder()\n"
        + "".join(f"    .addDomainMapping(DomainMapping.{mapping}({address}).build())\n" for mapping in mappings)
        + "    .setPinningDisabled(true)\n"
        "    .build()\n"
        "val options = MParticleOptions.builder(this)\n"
        f"    .credentials({_kotlin(server.key)}, {_kotlin(server.secret)})\n"
        "    .environment(MParticle.Environment.Development)\n"
        "    .networkOptions(network)\n"
        "    .build()\n"
        "MParticle.start(options)\n"
    )


def _ios(server: _Server) -> str:
    host, port = server.secure
    hosts = ("config", "events", "eventsTracking", "identity", "identityTracking", "alias", "aliasTracking")
    named = _quoted(host, ensure_ascii=False)
    moved = (
        ""
        if port == 443
        else f"// This SDK works with port 443 alone, and HTTPS is on {port}: let 443 lead there, or serve with --tls-port 443.\n"
    )
    return (
        _needs_tls(server, "//") + moved + "// The simulator or device must trust the CA (mparticle-fake ca).\n"
        "let network = MPNetworkOptions()\n"
        + "".join(f"network.{name}Host = {named}\n" for name in hosts)
        + "network.pinningDisabled = true\n"
        f"let options = MParticleOptions(key: {_quoted(server.key, ensure_ascii=False)}, "
        f"secret: {_quoted(server.secret, ensure_ascii=False)})\n"
        "options.environment = .development\n"
        "options.networkOptions = network\n"
        "MParticle.sharedInstance().start(with: options)\n"
    )


def _python(server: _Server) -> str:
    return (
        "import mparticle\n\n"
        "configuration = mparticle.Configuration()\n"
        f"configuration.host = {_quoted(server.url + '/v2', ensure_ascii=False)}\n"
        f"configuration.api_key = {_quoted(server.key, ensure_ascii=False)}\n"
        f"configuration.api_secret = {_quoted(server.secret, ensure_ascii=False)}\n"
        "api = mparticle.EventsApi(configuration)\n"
    )


def _node(server: _Server) -> str:
    return (
        "const mParticle = require('mparticle');\n\n"
        "const configuration = new mParticle.Configuration("
        f"{_javascript(server.key)}, {_javascript(server.secret)});\n"
        "const api = new mParticle.EventsApi(configuration);\n"
        f"api.apiClient.basePath = {_javascript(server.url + '/v2')};\n"
    )


def _java(server: _Server) -> str:
    return (
        "import com.mparticle.ApiClient;\n"
        "import com.mparticle.client.EventsApi;\n\n"
        f"ApiClient client = new ApiClient({_quoted(server.key)}, {_quoted(server.secret)});\n"
        "// The builder that the client has keeps its JSON converter, which one of your own would lack.\n"
        f"client.getAdapterBuilder().baseUrl({_quoted(server.url + '/v2/')});\n"
        "EventsApi api = client.createService(EventsApi.class);\n"
    )


def _go(server: _Server) -> str:
    return (
        'import (\n\t"context"\n\n\t"github.com/mparticle/mparticle-go-sdk/events"\n)\n\n'
        "configuration := events.NewConfiguration()\n"
        f"configuration.BasePath = {_quoted(server.url + '/v2')}\n"
        "client := events.NewAPIClient(configuration)\n"
        "ctx := context.WithValue(context.Background(), events.ContextBasicAuth, events.BasicAuth{\n"
        f"\tAPIKey:    {_quoted(server.key)},\n"
        f"\tAPISecret: {_quoted(server.secret)},\n"
        "})\n"
    )


def _in_ruby(server: _Server) -> str:
    parts = urlsplit(server.url)
    return (
        "require 'mparticle'\n\n"
        "config = MParticle::Configuration.new\n"
        f"config.scheme = {_ruby(parts.scheme)}\n"
        f"config.host = {_ruby(parts.netloc)}\n"
        f"config.api_key = {_ruby(server.key)}\n"
        f"config.api_secret = {_ruby(server.secret)}\n"
        "api = MParticle::EventsApi.new(config)\n"
    )


_SNIPPETS: Final[dict[str, Callable[[_Server], str]]] = {
    "web": _web,
    "android": _android,
    "ios": _ios,
    "python": _python,
    "node": _node,
    "java": _java,
    "go": _go,
    "ruby": _in_ruby,
}

CLIENTS: Final = tuple(_SNIPPETS)
"""Those who have a snippet."""
