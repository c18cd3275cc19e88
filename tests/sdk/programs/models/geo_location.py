"""GeoLocation: every member, given to the constructor and set afterwards."""

import sys

import mparticle

by_keyword = mparticle.GeoLocation(
    latitude=52.3702,
    longitude=-4.8952,
    accuracy=12.5,
)
by_attribute = mparticle.GeoLocation()
by_attribute.latitude = 52.3702
by_attribute.longitude = -4.8952
by_attribute.accuracy = 12.5

batch = mparticle.Batch(environment="development")
batch.events = [mparticle.ScreenViewEvent(location=model) for model in (by_keyword, by_attribute)]

configuration = mparticle.Configuration()
configuration.host, configuration.api_key, configuration.api_secret = sys.argv[1:]
mparticle.EventsApi(configuration).bulk_upload_events([batch])
