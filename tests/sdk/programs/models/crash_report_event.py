"""CrashReportEvent: every member, given to the constructor and set afterwards."""

import sys

import mparticle

by_keyword = mparticle.CrashReportEvent(
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
    breadcrumbs=[mparticle.BreadcrumbEvent(label="opened the cart")],
    class_name="java.lang.IllegalStateException",
    severity="fatal",
    message="boom",
    stack_trace="at a.b.c(D.java:1)\n  at e.f(G.java:2)",
    exception_handled=False,
    topmost_context="MainActivity",
    pl_crash_report_file_base64="QUJD",
    ios_image_base_address=4_295_000_000,
    ios_image_size=65536,
    session_number=3,
)
by_attribute = mparticle.CrashReportEvent()
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
by_attribute.breadcrumbs = [mparticle.BreadcrumbEvent(label="opened the cart")]
by_attribute.class_name = "java.lang.IllegalStateException"
by_attribute.severity = "fatal"
by_attribute.message = "boom"
by_attribute.stack_trace = "at a.b.c(D.java:1)\n  at e.f(G.java:2)"
by_attribute.exception_handled = False
by_attribute.topmost_context = "MainActivity"
by_attribute.pl_crash_report_file_base64 = "QUJD"
by_attribute.ios_image_base_address = 4_295_000_000
by_attribute.ios_image_size = 65536
by_attribute.session_number = 3

batch = mparticle.Batch(environment="development")
batch.events = [by_keyword, by_attribute]

configuration = mparticle.Configuration()
configuration.host, configuration.api_key, configuration.api_secret = sys.argv[1:]
mparticle.EventsApi(configuration).bulk_upload_events([batch])
