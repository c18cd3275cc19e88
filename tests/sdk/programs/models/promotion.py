"""Promotion: every member, given to the constructor and set afterwards."""

import sys

import mparticle

by_keyword = mparticle.Promotion(
    id="promo-1",
    name="Spring",
    creative="banner",
    position="top",
)
by_attribute = mparticle.Promotion()
by_attribute.id = "promo-1"
by_attribute.name = "Spring"
by_attribute.creative = "banner"
by_attribute.position = "top"

batch = mparticle.Batch(environment="development")
batch.events = [
    mparticle.CommerceEvent(promotion_action=mparticle.PromotionAction("click", [model])) for model in (by_keyword, by_attribute)
]

configuration = mparticle.Configuration()
configuration.host, configuration.api_key, configuration.api_secret = sys.argv[1:]
mparticle.EventsApi(configuration).bulk_upload_events([batch])
