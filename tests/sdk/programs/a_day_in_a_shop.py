"""A larger program, with what the official example has: user, devices, consent, session, screen, custom and commerce events."""

import sys

import mparticle

NOW = 1_552_596_256_103

batch = mparticle.Batch()
batch.environment = "development"
# A number as text, as the official example has it.
batch.mpid = "600868121729048600"
batch.mp_deviceid = "59780f39-d7a0-4ebe-9950-280f937c29e2"
batch.user_attributes = {"Account type": "trial", "$Age": 42, "interests": ["shoes", "日本"], "nothing": None}

identities = mparticle.UserIdentities()
identities.email = "user@example.com"
identities.other_id_2 = "o2"
batch.user_identities = identities

device = mparticle.DeviceInformation()
device.ios_advertising_id = "07d2ebaa-e956-407e-a1e6-f05f871bf4e2"
device.android_advertising_id = "a26f9736-c262-47ea-988b-0b0504cee874"
device.platform = "iOS"
batch.device_info = device

sale = mparticle.CCPAConsentState()
sale.document = "document_agreement.v3"
sale.consented = True
sale.timestamp_unixtime_ms = NOW
marketing = mparticle.GDPRConsentState(document="document_agreement.v2", consented=False, location="example.com/signup")
consent = mparticle.ConsentState()
consent.ccpa = {"data_sale_opt_out": sale}
consent.gdpr = {"Marketing": marketing, "Analytics": mparticle.GDPRConsentState(consented=True)}
batch.consent_state = consent

start = mparticle.SessionStartEvent()
start.session_id = 12_345_678
start.timestamp_unixtime_ms = NOW

screen = mparticle.ScreenViewEvent(screen_name="Shoes")
screen.custom_flags = {"answer": 42, "array": ["a", "b"], "question": "why?"}

opened = mparticle.AppEvent("Opened", "navigation")
opened.timestamp_unixtime_ms = NOW + 1_000
opened.custom_attributes = {"foo": "bar", "count": 3, "ratio": 0.5, "new": True, "none": None}
opened.ltv_amount = 3

product = mparticle.Product()
product.name = "Example Product"
product.id = "sample-sku"
product.price = 19.99
product.custom_attributes = {"on-sale": "true"}
action = mparticle.ProductAction("purchase")
action.products = [product, mparticle.Product(id="sku-2", quantity=2)]
action.tax_amount = 1.50
action.total_amount = 21.49
purchase = mparticle.CommerceEvent(action)
purchase.timestamp_unixtime_ms = NOW + 2_000
purchase.currency_code = "EUR"

banner = mparticle.PromotionAction("click", [mparticle.Promotion(id="banner", position="top")])
click = mparticle.CommerceEvent(promotion_action=banner)
impression = mparticle.CommerceEvent(product_impressions=[mparticle.ProductImpression("home", [product])])

end = mparticle.SessionEndEvent()
end.session_id = start.session_id
end.session_duration_ms = 10_000
end.timestamp_unixtime_ms = NOW + 10_000

transitions = mparticle.ApplicationStateTransitionEvent
batch.events = [
    start,
    transitions.create_install_event(),
    transitions.create_upgrade_event(),
    transitions.create_foreground_event(),
    screen,
    opened,
    purchase,
    click,
    impression,
    mparticle.AppEvent.create_attribution_event("a publisher", "a campaign"),
    mparticle.AppEvent.create_attribution_delete_event(),
    transitions.create_background_event(),
    end,
]

configuration = mparticle.Configuration()
configuration.host, configuration.api_key, configuration.api_secret = sys.argv[1:]
configuration.connection_pool_size = 2
data, status, headers = mparticle.EventsApi(configuration).upload_events(batch)
sys.stdout.write(f"{data} {status} {headers['content-length']}\n")
