"""What the shop's tests share."""

import pytest

from shop.checkout import Checkout
from shop.settings import Settings


@pytest.fixture
def settings(fake_mparticle):
    """Settings that send this test's events to its own fake mParticle."""
    return Settings(fake_mparticle.url, fake_mparticle.key, fake_mparticle.secret)


@pytest.fixture
def checkout(settings):
    return Checkout(settings)


@pytest.fixture
def anyio_backend():
    return "asyncio"
