"""EventBase: every member, given to the constructor and set afterwards."""

import sys

import mparticle

by_keyword = mparticle.EventBase(
    data=mparticle.AppEvent("ping"),
    event_type="custom_event",
)
by_attribute = mparticle.EventBase()
by_attribute.data = mparticle.AppEvent("ping")
by_attribute.event_type = "custom_event"

batch = mparticle.Batch(environment="development")
batch.events = [by_keyword, by_attribute]

configuration = mparticle.Configuration()
configuration.host, configuration.api_key, configuration.api_secret = sys.argv[1:]
mparticle.EventsApi(configuration).bulk_upload_events([batch])
