"""ProductImpression: every member, given to the constructor and set afterwards."""

import sys

import mparticle

by_keyword = mparticle.ProductImpression(
    product_impression_list="Suggested for you",
    products=[mparticle.Product(id="sku-1"), mparticle.Product(id="sku-2")],
)
by_attribute = mparticle.ProductImpression()
by_attribute.product_impression_list = "Suggested for you"
by_attribute.products = [mparticle.Product(id="sku-1"), mparticle.Product(id="sku-2")]

batch = mparticle.Batch(environment="development")
batch.events = [mparticle.CommerceEvent(product_impressions=[model]) for model in (by_keyword, by_attribute)]

configuration = mparticle.Configuration()
configuration.host, configuration.api_key, configuration.api_secret = sys.argv[1:]
mparticle.EventsApi(configuration).bulk_upload_events([batch])
