"""The pytest plugin of mparticle-testkit: a fake mParticle in every test, and assertions that say why they fail."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .errors import ClaimError, MParticleError, MParticleWarning
    from .inbox import Inbox
    from .source import LocalSource, Source

__all__ = ["ClaimError", "Inbox", "LocalSource", "MParticleError", "MParticleWarning", "Source"]

_HOMES = {
    "ClaimError": "errors",
    "Inbox": "inbox",
    "LocalSource": "source",
    "MParticleError": "errors",
    "MParticleWarning": "errors",
    "Source": "source",
}


def __getattr__(name: str) -> object:
    # pytest imports this package in every run, also in those that never use a fixture.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value
