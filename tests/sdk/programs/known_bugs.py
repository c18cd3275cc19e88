"""Uses of the official SDK in which its bugs show on the wire."""

import sys
from decimal import Decimal

import mparticle

batch = mparticle.Batch(
    events=[mparticle.AppEvent("given to the constructor"), mparticle.SessionStartEvent(session_id=7)],
    environment="development",
    user_identities=mparticle.UserIdentities(customerid="c-1", email="zoe@example.com"),
    user_attributes={"balance": Decimal("12.50"), "text": "12.50"},
    consent_state=mparticle.ConsentState(),
)

set_afterwards = mparticle.Batch()
set_afterwards.environment = "development"
crash = mparticle.CrashReportEvent(class_name="ValueError", message="no", stack_trace="…")
purchase = mparticle.CommerceEvent(mparticle.ProductAction("purchase", total_amount=Decimal("21.49")))
set_afterwards.events = [crash, purchase]
set_afterwards.user_identities = mparticle.UserIdentities()
set_afterwards.user_identities.customerid = "c-2"
set_afterwards.consent_state = mparticle.ConsentState()
set_afterwards.consent_state.gdpr = {"marketing": mparticle.GDPRConsentState(consented=True)}

configuration = mparticle.Configuration()
configuration.host, configuration.api_key, configuration.api_secret = sys.argv[1:]
api = mparticle.EventsApi(configuration)
# In bulk, since the answer to one faulty batch alone is 400.
api.bulk_upload_events([batch, set_afterwards])
