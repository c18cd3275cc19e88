"""GDPRConsentState: every member, given to the constructor and set afterwards."""

import sys

import mparticle

by_keyword = mparticle.GDPRConsentState(
    document="privacy.v4",
    consented=True,
    timestamp_unixtime_ms=1_700_000_000_600,
    location="example.com/signup",
    hardware_id="IDFA:a5d934n0",
)
by_attribute = mparticle.GDPRConsentState()
by_attribute.document = "privacy.v4"
by_attribute.consented = True
by_attribute.timestamp_unixtime_ms = 1_700_000_000_600
by_attribute.location = "example.com/signup"
by_attribute.hardware_id = "IDFA:a5d934n0"

batches = []
for state in (by_keyword, by_attribute):
    consent = mparticle.ConsentState()
    consent.gdpr = {"marketing": state}
    batches.append(mparticle.Batch(environment="development", consent_state=consent))

configuration = mparticle.Configuration()
configuration.host, configuration.api_key, configuration.api_secret = sys.argv[1:]
mparticle.EventsApi(configuration).bulk_upload_events(batches)
