"""SourceInformation: every member, given to the constructor and set afterwards."""

import json
import sys

import mparticle

by_keyword = mparticle.SourceInformation(
    channel="server_to_server",
    partner="a partner",
    replay_request_id="r-1",
    replay_job_id="j-1",
)
by_attribute = mparticle.SourceInformation()
by_attribute.channel = "server_to_server"
by_attribute.partner = "a partner"
by_attribute.replay_request_id = "r-1"
by_attribute.replay_job_id = "j-1"

# The official Batch has no member for it: what would be sent is shown.
client = mparticle.ApiClient(sys.argv[1], configuration=mparticle.Configuration())
for model in (by_keyword, by_attribute):
    sys.stdout.write(json.dumps(client.sanitize_for_serialization(model), sort_keys=True) + "\n")
