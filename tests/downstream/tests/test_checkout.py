"""The host is a setting: point it at the fake."""

import pytest

from shop.checkout import Checkout, Item
from shop.settings import Settings

TEA = Item("tea", "Assam, 250 g", 7.25, 2)
POT = Item("pot", "Teapot", 6.99)


def test_an_order_is_a_purchase(checkout, fake_mparticle):
    number = checkout.order("c1", [TEA, POT])

    purchase = fake_mparticle.assert_received("purchase", total_amount=21.49, customer_id="c1").one()
    assert purchase["product_action"]["transaction_id"] == number
    assert purchase["currency_code"] == "EUR"


def test_every_item_is_a_product(checkout, fake_mparticle):
    checkout.order("c1", [TEA, POT])

    products = fake_mparticle.events.named("purchase").one()["product_action"]["products"]
    assert [(product["id"], product["quantity"]) for product in products] == [("tea", 2), ("pot", 1)]


def test_the_login_comes_before_the_order(checkout, fake_mparticle):
    checkout.login("c1")
    checkout.order("c1", [TEA])

    fake_mparticle.assert_order("login", "purchase")
    fake_mparticle.assert_nothing_else()


def test_nothing_is_bought_by_looking(checkout, fake_mparticle):
    checkout.login("c1")

    fake_mparticle.assert_not_received("purchase")


def test_an_order_stands_while_mparticle_is_down(checkout, fake_mparticle):
    fake_mparticle.fail_next(status=503)

    number = checkout.order("c1", [TEA])

    fake_mparticle.assert_not_received("purchase")
    assert number
    with fake_mparticle.expect("purchase", transaction_id=number):
        checkout.send_again()


def test_the_environment_is_enough(fake_mparticle, monkeypatch):
    for name, value in fake_mparticle.environ.items():
        monkeypatch.setenv(name, value)

    Checkout(Settings()).login("c1")

    fake_mparticle.assert_received("login", customer_id="c1")


@pytest.mark.parametrize("customer", [f"c{number}" for number in range(8)])
def test_each_test_has_a_fake_of_its_own(checkout, fake_mparticle, customer):
    checkout.order(customer, [POT])

    assert len(fake_mparticle.events) == 1
    fake_mparticle.assert_received("purchase", times=1, customer_id=customer)
