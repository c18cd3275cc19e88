"""The key is fixed in the code: claim it."""

from shop import newsletter


def test_a_subscription_says_to_what(fake_mparticle, settings):
    fake_mparticle.claim(newsletter.API_KEY, newsletter.API_SECRET)

    newsletter.subscribe(settings, "ann@example.com", "tea")

    fake_mparticle.wait_for("newsletter subscribed", email="ann@example.com", attributes={"topic": "tea"})


def test_a_key_may_be_claimed_for_a_part_of_a_test(fake_mparticle, settings):
    with (
        fake_mparticle.claim(newsletter.API_KEY, newsletter.API_SECRET),
        fake_mparticle.expect("newsletter subscribed", topic="pots"),
    ):
        newsletter.subscribe(settings, "ann@example.com", "pots")
