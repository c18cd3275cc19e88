"""Configuration: where to send, as whom, and how. `client.EventsApi` and `api_client.ApiClient` read it."""

import base64
import logging
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

from .errors import ConfigurationError

if TYPE_CHECKING:
    from .api_client import ApiClient

PODS: Final = {
    "us1": "s2s.mparticle.com",
    "us2": "s2s.us2.mparticle.com",
    "eu1": "s2s.eu1.mparticle.com",
    "au1": "s2s.au1.mparticle.com",
}
"""mParticle's data centres by name (`protocol/events-api.md §1`)."""

DEFAULT_PATH: Final = "/v2"
DEFAULT_HOST: Final = f"https://{PODS['us1']}{DEFAULT_PATH}"
DEFAULT_TIMEOUT: Final = 30.0
MAXIMUM_TIMEOUT: Final = 1e6
"""Seconds; sockets overflow far above it."""

KEY_VARIABLE: Final = "MPARTICLE_API_KEY"
SECRET_VARIABLE: Final = "MPARTICLE_API_SECRET"  # noqa: S105  # the name of a variable
URL_VARIABLE: Final = "MPARTICLE_URL"
POD_VARIABLE: Final = "MPARTICLE_POD"


class Configuration:
    """Where to send, as whom, and how.

        Configuration("key", "secret")
        Configuration("key", "secret", pod="eu1")
        Configuration("key", "secret", host="http://127.0.0.1:8080")
        Configuration.from_env()

    Without arguments it is as in the official SDK: US1, and key and secret are set afterwards. Every parameter but `pod` is an
    attribute too.

    `host` is the base URL; where it has no path, `/v2` is added. `pod` names one of mParticle's data centres instead: us1,
    us2, eu1, au1. `timeout` is in seconds, for the connection and for each wait for the answer; None waits for ever.

    Besides: `verify_ssl` (True), `ssl_ca_cert` (a file of certificates to trust), `cert_file` and `key_file` (the client's own),
    `connection_pool_size`, `debug` and `logger_file` (what is sent and answered, without credentials and batches).
    Without `ssl_ca_cert` the variables REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE are honoured; proxies are taken from HTTP_PROXY,
    HTTPS_PROXY, ALL_PROXY and NO_PROXY, but never for localhost and loopback addresses. They are read when the first request
    is sent.

    Raises ConfigurationError for a host or pod that cannot be used, at once.
    """

    def __init__(
        self,
        api_key: str = "",
        api_secret: str = "",
        *,
        host: str | None = None,
        pod: str | None = None,
        timeout: float | None = DEFAULT_TIMEOUT,
    ) -> None:
        if host is not None and pod is not None:
            raise ConfigurationError("Configuration got a host and a pod; a pod is a host by name, so give one of them.")
        self.api_key = api_key
        self.api_secret = api_secret
        self.host = host if host is not None else DEFAULT_HOST if pod is None else host_of_pod(pod)
        self.timeout = timeout
        self.verify_ssl = True
        self.ssl_ca_cert: str | os.PathLike[str] | None = None
        self.cert_file: str | os.PathLike[str] | None = None
        self.key_file: str | os.PathLike[str] | None = None
        self.connection_pool_size = 1
        self.api_client: ApiClient | None = None
        # Members of the official SDK that the Events API makes no use of.
        self.temp_folder_path: str | None = None
        self.api_key_store: dict[str, str] = {}
        self.api_key_prefix: dict[str, str] = {}
        self._open_logging()

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, *, timeout: float | None = DEFAULT_TIMEOUT) -> Self:
        """Read MPARTICLE_API_KEY and MPARTICLE_API_SECRET, and where to send: MPARTICLE_URL, else MPARTICLE_POD, else US1.

        `environ` stands for the process's environment. An empty variable counts as missing; space around a value is removed.
        Raises ConfigurationError that names each missing variable.
        """
        source = os.environ if environ is None else environ
        found = {name: source.get(name, "").strip() for name in (KEY_VARIABLE, SECRET_VARIABLE, URL_VARIABLE, POD_VARIABLE)}
        missing = [name for name in (KEY_VARIABLE, SECRET_VARIABLE) if not found[name]]
        if missing:
            raise ConfigurationError(
                f"{' and '.join(missing)} {'are' if len(missing) > 1 else 'is'} not set. from_env() reads key and secret from "
                f"{KEY_VARIABLE} and {SECRET_VARIABLE}, and takes {URL_VARIABLE} or {POD_VARIABLE} if they are set."
            )
        url, pod = found[URL_VARIABLE], found[POD_VARIABLE]
        try:
            # A URL is the more particular of the two: a test sets it over the pod that the application always has.
            return cls(
                found[KEY_VARIABLE],
                found[SECRET_VARIABLE],
                host=url or None,
                pod=None if url or not pod else pod,
                timeout=timeout,
            )
        except ConfigurationError as error:
            raise ConfigurationError(f"{URL_VARIABLE if url else POD_VARIABLE}: {error.reason}") from None

    @property
    def host(self) -> str:
        """The base URL, for example `https://s2s.eu1.mparticle.com/v2`."""
        return self._host

    @host.setter
    def host(self, value: str) -> None:
        self._host = base_url(value)

    @property
    def timeout(self) -> float | None:
        """Seconds to wait for a connection, and for each part of the answer; None: for ever."""
        return self._timeout

    @timeout.setter
    def timeout(self, value: float | None) -> None:
        if value is not None and not (type(value) in (int, float) and 0 < value < MAXIMUM_TIMEOUT):
            raise ConfigurationError(
                f"timeout is {value!r}; expected seconds above 0 and below {MAXIMUM_TIMEOUT:.0f}, or None to wait for ever."
            )
        self._timeout = value

    def get_basic_auth_token(self) -> str:
        """The value of the Authorization header."""
        try:
            return "Basic " + base64.b64encode((self.api_key + ":" + self.api_secret).encode()).decode()
        except (TypeError, UnicodeEncodeError):  # whose own words hold the secret
            missing = [name for name in ("api_key", "api_secret") if getattr(self, name) is None]
            if missing:
                raise ConfigurationError(f"{' and '.join(missing)} not set; expected the key and secret of an input.") from None
            raise ConfigurationError("api_key and api_secret must be text that UTF-8 can carry.") from None

    def auth_settings(self) -> dict[str, dict[str, str]]:
        """The Authorization header in the official SDK's form; it holds the credentials."""
        return {
            "basic": {"type": "basic", "in": "header", "key": "Authorization", "value": self.get_basic_auth_token()},
        }

    def get_api_key_with_prefix(self, identifier: str) -> str | None:
        """What `api_key_store` has for the identifier, after its prefix if there is one."""
        key = self.api_key_store.get(identifier)
        prefix = self.api_key_prefix.get(identifier)
        return f"{prefix} {key}" if key and prefix else key or None

    def to_debug_report(self) -> str:
        """Versions to tell in a report of a fault."""
        return f"{user_agent()}\nOS: {sys.platform}\nPython: {sys.version}\nHost: {self.host}"

    def __repr__(self) -> str:
        secret = "'…'" if self.api_secret else "''"
        # A host that was refused leaves none behind, and tools that report exceptions ask for this all the same.
        host = getattr(self, "_host", None)
        return f"Configuration(api_key={self.api_key!r}, api_secret={secret}, host={host!r})"

    # -- logging ---------------------------------------------------------------------------------------------------------------

    def _open_logging(self) -> None:
        self.logger: dict[str, logging.Logger] = {
            "package_logger": logging.getLogger("mparticle_sdk"),
            "urllib3_logger": logging.getLogger("urllib3"),
        }
        self.logger_stream_handler: logging.Handler | None = None
        self.logger_file_handler: logging.Handler | None = None
        self._logger_file: str | None = None
        self._debug = False
        self.logger_format = "%(asctime)s %(levelname)s %(message)s"

    @property
    def logger_format(self) -> str:
        """The form of a line, for handlers made from then on."""
        return self._logger_format

    @logger_format.setter
    def logger_format(self, value: str) -> None:
        self._logger_format = value
        self.logger_formatter = logging.Formatter(value)

    @property
    def logger_file(self) -> str | None:
        """The file to log to instead of standard error."""
        return self._logger_file

    @logger_file.setter
    def logger_file(self, value: str | None) -> None:
        self._detach(self.logger_file_handler)
        self.logger_file_handler = None
        self._logger_file = value
        if value is not None:
            self._detach(self.logger_stream_handler)
            self.logger_stream_handler = None
            self.logger_file_handler = self._attach(logging.FileHandler(value))
        elif self._debug:
            self._log_to_stream()

    @property
    def debug(self) -> bool:
        """Whether each request is logged: method, URL, size, status, time, and the answer's body; never credentials."""
        return self._debug

    @debug.setter
    def debug(self, value: bool) -> None:
        if value == self._debug:
            return
        self._debug = value
        for logger in self.logger.values():
            logger.setLevel(logging.DEBUG if value else logging.WARNING)
        if value and self.logger_file_handler is None:
            self._log_to_stream()
        elif not value:
            self._detach(self.logger_stream_handler)
            self.logger_stream_handler = None

    def _log_to_stream(self) -> None:
        # An application that has set up logging gets the lines there, and gets them once.
        if not self.logger["package_logger"].hasHandlers():
            self.logger_stream_handler = self._attach(logging.StreamHandler())

    def _attach(self, handler: logging.Handler) -> logging.Handler:
        handler.setFormatter(self.logger_formatter)
        for logger in self.logger.values():
            logger.addHandler(handler)
        return handler

    def _detach(self, handler: logging.Handler | None) -> None:
        if handler is not None:
            for logger in self.logger.values():
                logger.removeHandler(handler)
            handler.close()


def host_of_pod(pod: str) -> str:
    """The base URL of a data centre. Raises ConfigurationError that lists them."""
    name = str(pod).strip().lower()
    if name in PODS:
        return f"https://{PODS[name]}{DEFAULT_PATH}"
    import difflib

    near = difflib.get_close_matches(name, PODS, 1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ConfigurationError(f"pod {pod!r} is unknown; expected one of {', '.join(PODS)}.{hint}")


def base_url(host: Any) -> str:
    """The base URL that a host stands for: `/v2` where it has no path, no slash at the end. Raises ConfigurationError."""
    if not isinstance(host, str):
        raise ConfigurationError(f"host is of type {type(host).__name__}; expected a URL such as {DEFAULT_HOST}.")
    text = host.strip()
    # Neither of the first two is echoed: what stands before an @ or after a colon may be a secret.
    if "@" in text:
        raise ConfigurationError("host holds an @, as a URL with credentials does; set api_key and api_secret instead.")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ConfigurationError(f"host is no URL, or its port no number; expected one such as {DEFAULT_HOST}.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(
            f"host is {host!r}; expected a URL that begins with https:// or http://, such as {DEFAULT_HOST}."
        )
    if parts.query or parts.fragment or port == 0 or any(letter <= " " for letter in text):
        raise ConfigurationError(f"host is {host!r}; expected scheme, name, port and path alone, such as {DEFAULT_HOST}.")
    path = parts.path.rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path or DEFAULT_PATH}"


def user_agent() -> str:
    """How the SDK names itself to mParticle."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        own = version("mparticle-testkit")
    except PackageNotFoundError:  # run from a copy of the sources
        own = "0+unknown"
    return f"mparticle-testkit Python client/{own}"
