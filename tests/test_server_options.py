"""FakeServer and create_app: options that no server can have are named at once, before anything listens."""

import re
from pathlib import Path
from typing import Any

import pytest

from mparticle_fake_server import FakeServer, create_app


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"host": None}, "host is None; expected the name or address to listen on, such as '127.0.0.1'."),
        ({"port": "8080"}, "port is '8080'; expected a number from 0 to 65535; 0 takes a free one."),
        ({"port": True}, "port is True; expected a number from 0 to 65535; 0 takes a free one."),
        ({"tls": 1}, "tls is 1; expected True, False, or the path of the folder for its CA."),
        ({"tls": True, "tls_port": None}, "tls_port is None; expected a number from 0 to 65535; 0 takes a free one."),
        (
            {"tls": True, "tls_names": "fake.test"},
            "tls_names is 'fake.test'; expected a list of host names, such as ['fake.test'].",
        ),
    ],
    ids=str,
)
def test_an_address_of_another_type_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        FakeServer(**options)


@pytest.mark.parametrize("folder", ["ca", Path("ca")], ids=repr)
def test_the_folder_of_the_ca_may_be_a_text_or_a_path(folder: str | Path) -> None:
    assert FakeServer(tls=folder).has_tls


def test_http_and_https_on_the_same_port_are_refused() -> None:
    with pytest.raises(ValueError, match="port and tls_port are both 8443, and HTTP and HTTPS need a port each"):
        FakeServer(port=8443, tls=True, tls_port=8443)


@pytest.mark.parametrize(("mistyped", "meant"), [("prot", "port"), ("hots", "host"), ("tls_prot", "tls_port"), ("moed", "mode")])
def test_a_mistyped_option_of_a_server_is_told_with_the_one_meant(mistyped: str, meant: str) -> None:
    options: dict[str, Any] = {mistyped: 8080}

    with pytest.raises(
        TypeError, match=f"^Unknown option '{mistyped}'. Did you mean {meant}\\? Valid: host, port, tls, .*token\\.$"
    ):
        FakeServer(**options)


def test_a_mistyped_option_of_an_application_is_told_with_the_one_meant() -> None:
    options: dict[str, Any] = {"max_bodi": 10}

    with pytest.raises(TypeError, match=r"^Unknown option 'max_bodi'\. Did you mean max_body\? Valid: mode, .*token\.$"):
        create_app(**options)


def test_an_application_has_no_address() -> None:
    options: dict[str, Any] = {"port": 8080}

    with pytest.raises(TypeError, match=r"^Unknown option 'port'\. Valid: mode, "):
        create_app(**options)
