"""DeviceCurrentState: every member, given to the constructor and set afterwards."""

import sys

import mparticle

by_keyword = mparticle.DeviceCurrentState(
    time_since_start_ms=11500,
    battery_level=0.87,
    data_connection_type="wifi",
    data_connection_type_detail="802.11ax",
    gps_state=True,
    total_system_memory_usage_bytes=4_294_967_296,
    disk_space_free_bytes=68_719_476_736,
    cpu="A16",
    system_memory_available_bytes=1_073_741_824,
    system_memory_low=False,
    system_memory_threshold_bytes=268_435_456,
    application_memory_available_bytes=104_857_600,
    application_memory_max_bytes=536_870_912,
    application_memory_total_bytes=209_715_200,
    device_orientation="portrait",
    status_bar_orientation="LandscapeLeft",
)
by_attribute = mparticle.DeviceCurrentState()
by_attribute.time_since_start_ms = 11500
by_attribute.battery_level = 0.87
by_attribute.data_connection_type = "wifi"
by_attribute.data_connection_type_detail = "802.11ax"
by_attribute.gps_state = True
by_attribute.total_system_memory_usage_bytes = 4_294_967_296
by_attribute.disk_space_free_bytes = 68_719_476_736
by_attribute.cpu = "A16"
by_attribute.system_memory_available_bytes = 1_073_741_824
by_attribute.system_memory_low = False
by_attribute.system_memory_threshold_bytes = 268_435_456
by_attribute.application_memory_available_bytes = 104_857_600
by_attribute.application_memory_max_bytes = 536_870_912
by_attribute.application_memory_total_bytes = 209_715_200
by_attribute.device_orientation = "portrait"
by_attribute.status_bar_orientation = "LandscapeLeft"

batch = mparticle.Batch(environment="development")
batch.events = [mparticle.ScreenViewEvent(device_current_state=model) for model in (by_keyword, by_attribute)]

configuration = mparticle.Configuration()
configuration.host, configuration.api_key, configuration.api_secret = sys.argv[1:]
mparticle.EventsApi(configuration).bulk_upload_events([batch])
