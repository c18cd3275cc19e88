"""Where the shop sends its events, from the environment."""

import os
from dataclasses import dataclass, field


def _variable(name: str, default: str = "") -> str:
    return field(default_factory=lambda: os.environ.get(name, default))


@dataclass(frozen=True)
class Settings:
    """The defaults are those of production."""

    mparticle_url: str = _variable("MPARTICLE_URL", "https://s2s.mparticle.com")
    mparticle_key: str = _variable("MPARTICLE_API_KEY")
    mparticle_secret: str = _variable("MPARTICLE_API_SECRET")
