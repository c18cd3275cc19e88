"""ProductAction: every member, given to the constructor and set afterwards."""

import sys

import mparticle

by_keyword = mparticle.ProductAction(
    action="purchase",
    checkout_step=2,
    checkout_options="express",
    product_action_list="search results",
    product_list_source="search",
    transaction_id="tx-1",
    affiliation="web shop",
    total_amount=90.47,
    tax_amount=6.5,
    shipping_amount=3.99,
    coupon_code="WELCOME",
    products=[mparticle.Product(id="sku-1", name="Shoe", price=19.99), mparticle.Product(id="sku-2")],
)
by_attribute = mparticle.ProductAction()
by_attribute.action = "purchase"
by_attribute.checkout_step = 2
by_attribute.checkout_options = "express"
by_attribute.product_action_list = "search results"
by_attribute.product_list_source = "search"
by_attribute.transaction_id = "tx-1"
by_attribute.affiliation = "web shop"
by_attribute.total_amount = 90.47
by_attribute.tax_amount = 6.5
by_attribute.shipping_amount = 3.99
by_attribute.coupon_code = "WELCOME"
by_attribute.products = [mparticle.Product(id="sku-1", name="Shoe", price=19.99), mparticle.Product(id="sku-2")]

batch = mparticle.Batch(environment="development")
batch.events = [mparticle.CommerceEvent(model) for model in (by_keyword, by_attribute)]

configuration = mparticle.Configuration()
configuration.host, configuration.api_key, configuration.api_secret = sys.argv[1:]
mparticle.EventsApi(configuration).bulk_upload_events([batch])
