"""AttributionInfo: every member, given to the constructor and set afterwards."""

import json
import sys

import mparticle

by_keyword = mparticle.AttributionInfo(
    service_provider="a provider",
    publisher="a publisher",
    campaign="a campaign",
)
by_attribute = mparticle.AttributionInfo()
by_attribute.service_provider = "a provider"
by_attribute.publisher = "a publisher"
by_attribute.campaign = "a campaign"

# The official Batch has no member for it: what would be sent is shown.
client = mparticle.ApiClient(sys.argv[1], configuration=mparticle.Configuration())
for model in (by_keyword, by_attribute):
    sys.stdout.write(json.dumps(client.sanitize_for_serialization(model), sort_keys=True) + "\n")
