"""ConsentState: its two maps, which are set afterwards, and none of them."""

import sys

import mparticle

by_attribute = mparticle.ConsentState()
by_attribute.ccpa = {"data_sale_opt_out": mparticle.CCPAConsentState(consented=True)}
by_attribute.gdpr = {"marketing": mparticle.GDPRConsentState(consented=False)}

batches = [mparticle.Batch(environment="development", consent_state=model) for model in (by_attribute, mparticle.ConsentState())]

configuration = mparticle.Configuration()
configuration.host, configuration.api_key, configuration.api_secret = sys.argv[1:]
mparticle.EventsApi(configuration).bulk_upload_events(batches)
