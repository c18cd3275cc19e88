"""A fake mParticle: `FakeServer` serves it on an address, `create_app` makes it a Flask application."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .app import create_app
    from .recording import StoreError
    from .server import FakeServer, ServerError
    from .version import __version__

__all__ = ["FakeServer", "ServerError", "StoreError", "__version__", "create_app"]

_HOMES = {
    "FakeServer": "server",
    "ServerError": "server",
    "StoreError": "recording",
    "__version__": "version",
    "create_app": "app",
}


def __getattr__(name: str) -> object:
    # Flask and uvicorn cost 200 ms, which neither `--help` nor a test run that never starts a server has to pay.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value
