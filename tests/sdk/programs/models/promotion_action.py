"""PromotionAction: every member, given to the constructor and set afterwards."""

import sys

import mparticle

by_keyword = mparticle.PromotionAction(
    action="view",
    promotions=[mparticle.Promotion(id="promo-1"), mparticle.Promotion(id="promo-2")],
)
by_attribute = mparticle.PromotionAction()
by_attribute.action = "view"
by_attribute.promotions = [mparticle.Promotion(id="promo-1"), mparticle.Promotion(id="promo-2")]

batch = mparticle.Batch(environment="development")
batch.events = [mparticle.CommerceEvent(promotion_action=model) for model in (by_keyword, by_attribute)]

configuration = mparticle.Configuration()
configuration.host, configuration.api_key, configuration.api_secret = sys.argv[1:]
mparticle.EventsApi(configuration).bulk_upload_events([batch])
