"""Host and key are fixed in the code: intercept."""

import pytest

from shop.refunds import refund


def test_a_refund_names_its_order(fake_mparticle):
    with fake_mparticle.intercept():
        refund("c1", "order-1", 7.25)

    fake_mparticle.assert_received("refund", transaction_id="order-1", total_amount=7.25, customer_id="c1")


@pytest.mark.mparticle(intercept=True)
def test_two_refunds_are_two_events(fake_mparticle):
    refund("c1", "order-1", 7.25)
    refund("c2", "order-2", 6.99)

    fake_mparticle.assert_received("refund", times=2)
    assert [batch.key for batch in fake_mparticle.batches] == ["us1-refunds", "us1-refunds"]
