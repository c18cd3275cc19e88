"""MediaInfo: every member, given to the constructor and set afterwards."""

import sys

import mparticle

by_keyword = mparticle.MediaInfo(
    action="play",
    channel="main",
    metadata="a film",
    timed_metadata="a scene",
    playback_position=1.5,
    format="video",
    quality="ultra_hd",
    playback_rate=0.5,
)
by_attribute = mparticle.MediaInfo()
by_attribute.action = "play"
by_attribute.channel = "main"
by_attribute.metadata = "a film"
by_attribute.timed_metadata = "a scene"
by_attribute.playback_position = 1.5
by_attribute.format = "video"
by_attribute.quality = "ultra_hd"
by_attribute.playback_rate = 0.5

batch = mparticle.Batch(environment="development")
batch.events = [mparticle.AppEvent("watched", media_info=model) for model in (by_keyword, by_attribute)]

configuration = mparticle.Configuration()
configuration.host, configuration.api_key, configuration.api_secret = sys.argv[1:]
mparticle.EventsApi(configuration).bulk_upload_events([batch])
