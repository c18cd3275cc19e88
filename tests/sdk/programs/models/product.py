"""Product: every member, given to the constructor and set afterwards."""

import sys

import mparticle

by_keyword = mparticle.Product(
    id="sku-1",
    name="Running shoe",
    brand="Acme",
    category="shoes",
    variant="blue",
    position=1,
    price=19.99,
    quantity=2,
    coupon_code="SAVE10",
    added_to_cart_time_ms=1_700_000_000_800,
    total_product_amount=39.98,
    custom_attributes={"size": "43", "colour": "blå"},
)
by_attribute = mparticle.Product()
by_attribute.id = "sku-1"
by_attribute.name = "Running shoe"
by_attribute.brand = "Acme"
by_attribute.category = "shoes"
by_attribute.variant = "blue"
by_attribute.position = 1
by_attribute.price = 19.99
by_attribute.quantity = 2
by_attribute.coupon_code = "SAVE10"
by_attribute.added_to_cart_time_ms = 1_700_000_000_800
by_attribute.total_product_amount = 39.98
by_attribute.custom_attributes = {"size": "43", "colour": "blå"}

batch = mparticle.Batch(environment="development")
batch.events = [
    mparticle.CommerceEvent(mparticle.ProductAction("click", products=[model])) for model in (by_keyword, by_attribute)
]

configuration = mparticle.Configuration()
configuration.host, configuration.api_key, configuration.api_secret = sys.argv[1:]
mparticle.EventsApi(configuration).bulk_upload_events([batch])
