"""The session is handed in: give the one that needs no socket."""

import pytest

from shop.settings import Settings
from shop.stock import Stock


@pytest.fixture
def stock(fake_mparticle):
    settings = Settings("https://s2s.mparticle.com", fake_mparticle.key, fake_mparticle.secret)
    with fake_mparticle.session() as session:
        yield Stock(settings, session)


def test_the_last_piece_is_no_news(stock, fake_mparticle):
    stock.put("pot", 1)

    assert stock.take("pot", "c1")
    assert not fake_mparticle.events


def test_one_more_than_there_are_is(stock, fake_mparticle):
    stock.put("pot", 1)

    taken = [stock.take("pot", customer) for customer in ("c1", "c2")]

    assert taken == [True, False]
    fake_mparticle.assert_received("out of stock", times=1, customer_id="c2", sku="pot")
