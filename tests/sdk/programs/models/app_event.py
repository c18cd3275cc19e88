"""AppEvent: every member, given to the constructor and set afterwards."""

import sys

import mparticle

by_keyword = mparticle.AppEvent(
    timestamp_unixtime_ms=1_700_000_000_000,
    event_id=6_004_677_780_660_780_001,
    source_message_id="e8335d31-2031-4bff-afec-000000000001",
    session_id=4_957_918_240_501_248_000,
    session_uuid="43fdca48-ce03-4907-8627-ecd96b6ce945",
    custom_attributes={
        "plan": "gold",
        "note": 'quote " and \\ and / and ü and 日本 and 🎉',
        "line": "one\ntwo\ttabbed",
        "empty": "",
    },
    location=mparticle.GeoLocation(latitude=47.5, longitude=19.05),
    device_current_state=mparticle.DeviceCurrentState(battery_level=0.5),
    custom_event_type="navigation",
    event_name="Level Completed",
    media_info=mparticle.MediaInfo(action="play", channel="a channel"),
    custom_flags={"answer": "42", "question": "What is the answer?"},
)
by_attribute = mparticle.AppEvent("ping")
by_attribute.timestamp_unixtime_ms = 1_700_000_000_000
by_attribute.event_id = 6_004_677_780_660_780_001
by_attribute.source_message_id = "e8335d31-2031-4bff-afec-000000000001"
by_attribute.session_id = 4_957_918_240_501_248_000
by_attribute.session_uuid = "43fdca48-ce03-4907-8627-ecd96b6ce945"
by_attribute.custom_attributes = {
    "plan": "gold",
    "note": 'quote " and \\ and / and ü and 日本 and 🎉',
    "line": "one\ntwo\ttabbed",
    "empty": "",
}
by_attribute.location = mparticle.GeoLocation(latitude=47.5, longitude=19.05)
by_attribute.device_current_state = mparticle.DeviceCurrentState(battery_level=0.5)
by_attribute.custom_event_type = "navigation"
by_attribute.event_name = "Level Completed"
by_attribute.media_info = mparticle.MediaInfo(action="play", channel="a channel")
by_attribute.custom_flags = {"answer": "42", "question": "What is the answer?"}

batch = mparticle.Batch(environment="development")
batch.events = [by_keyword, by_attribute]

configuration = mparticle.Configuration()
configuration.host, configuration.api_key, configuration.api_secret = sys.argv[1:]
mparticle.EventsApi(configuration).bulk_upload_events([batch])
