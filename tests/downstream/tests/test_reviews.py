"""The asynchronous part of the shop."""

import pytest

from shop.reviews import review

pytestmark = [pytest.mark.anyio, pytest.mark.mparticle(intercept=True)]


async def test_a_review_carries_its_stars(fake_mparticle):
    await review("c1", "tea", 5)

    fake_mparticle.assert_received("product reviewed", customer_id="c1", sku="tea", stars=5)


async def test_a_review_is_sent_again_while_mparticle_is_down(fake_mparticle):
    fake_mparticle.fail_next(status=503, times=2)

    await review("c1", "tea", 5)

    await fake_mparticle.wait_for_async("product reviewed")
    assert [request.status for request in fake_mparticle.requests] == [503, 503, 202]
