"""CCPAConsentState: every member, given to the constructor and set afterwards."""

import sys

import mparticle

by_keyword = mparticle.CCPAConsentState(
    document="terms.v2",
    consented=False,
    timestamp_unixtime_ms=1_700_000_000_700,
    location="example.com/privacy",
    hardware_id="IDFA:a5d934n0",
)
by_attribute = mparticle.CCPAConsentState()
by_attribute.document = "terms.v2"
by_attribute.consented = False
by_attribute.timestamp_unixtime_ms = 1_700_000_000_700
by_attribute.location = "example.com/privacy"
by_attribute.hardware_id = "IDFA:a5d934n0"

batches = []
for state in (by_keyword, by_attribute):
    consent = mparticle.ConsentState()
    consent.ccpa = {"data_sale_opt_out": state}
    batches.append(mparticle.Batch(environment="development", consent_state=consent))

configuration = mparticle.Configuration()
configuration.host, configuration.api_key, configuration.api_secret = sys.argv[1:]
mparticle.EventsApi(configuration).bulk_upload_events(batches)
