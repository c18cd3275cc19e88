"""DeviceInformation: every member, given to the constructor and set afterwards."""

import sys

import mparticle

by_keyword = mparticle.DeviceInformation(
    brand="iPhone",
    product="iPhone15,2",
    device="Zoë's phone",
    android_uuid="ac895f37-7b75-41d2-bebc-4c7765a757a2",
    device_manufacturer="Apple",
    platform="iOS",
    os_version="17.1",
    device_model="iPhone15,2",
    screen_height=2556,
    screen_width=1179,
    screen_dpi=460,
    device_country="NL",
    locale_language="nl",
    locale_country="NL",
    network_country="NL",
    network_carrier="KPN",
    network_code="08",
    network_mobile_country_code="204",
    timezone_offset=-5,
    build_identifier="21B80",
    http_header_user_agent="Shop/1.2 (iOS 17.1)",
    ios_advertising_id="3f0c8ab8-772e-45d8-9c5d-dbfa840660b5",
    push_token="push-token-1",
    cpu_architecture="arm64",
    is_tablet=False,
    push_notification_sound_enabled=True,
    push_notification_vibrate_enabled=True,
    radio_access_technology="LTE",
    supports_telephony=True,
    has_nfc=True,
    bluetooth_enabled=False,
    bluetooth_version="5.3",
    amp_id="amp-1",
    roku_advertising_id="a260760c-23aa-4d81-bccb-ccc6d50bbd1b",
    roku_publisher_id="b6f05648-1cf0-47e9-bb08-43a8984a61e6",
    microsoft_advertising_id="9dce42df-4478-4abd-9c88-15cf7449f1e5",
    microsoft_publisher_id="ms-publisher",
    fire_advertising_id="f16bf53c-7a7b-442b-bb02-8d21e7ac43af",
    att_timestamp_unixtime_ms=1_700_000_000_500,
    att_authorization_status="authorized",
    ios_idfv="8b29c0d8-8802-4b30-92fa-87e77ba0e796",
    android_advertising_id="765e4214-9b48-44d7-8fe5-0af7d375dfe9",
)
by_attribute = mparticle.DeviceInformation()
by_attribute.brand = "iPhone"
by_attribute.product = "iPhone15,2"
by_attribute.device = "Zoë's phone"
by_attribute.android_uuid = "ac895f37-7b75-41d2-bebc-4c7765a757a2"
by_attribute.device_manufacturer = "Apple"
by_attribute.platform = "iOS"
by_attribute.os_version = "17.1"
by_attribute.device_model = "iPhone15,2"
by_attribute.screen_height = 2556
by_attribute.screen_width = 1179
by_attribute.screen_dpi = 460
by_attribute.device_country = "NL"
by_attribute.locale_language = "nl"
by_attribute.locale_country = "NL"
by_attribute.network_country = "NL"
by_attribute.network_carrier = "KPN"
by_attribute.network_code = "08"
by_attribute.network_mobile_country_code = "204"
by_attribute.timezone_offset = -5
by_attribute.build_identifier = "21B80"
by_attribute.http_header_user_agent = "Shop/1.2 (iOS 17.1)"
by_attribute.ios_advertising_id = "3f0c8ab8-772e-45d8-9c5d-dbfa840660b5"
by_attribute.push_token = "push-token-1"
by_attribute.cpu_architecture = "arm64"
by_attribute.is_tablet = False
by_attribute.push_notification_sound_enabled = True
by_attribute.push_notification_vibrate_enabled = True
by_attribute.radio_access_technology = "LTE"
by_attribute.supports_telephony = True
by_attribute.has_nfc = True
by_attribute.bluetooth_enabled = False
by_attribute.bluetooth_version = "5.3"
by_attribute.amp_id = "amp-1"
by_attribute.roku_advertising_id = "a260760c-23aa-4d81-bccb-ccc6d50bbd1b"
by_attribute.roku_publisher_id = "b6f05648-1cf0-47e9-bb08-43a8984a61e6"
by_attribute.microsoft_advertising_id = "9dce42df-4478-4abd-9c88-15cf7449f1e5"
by_attribute.microsoft_publisher_id = "ms-publisher"
by_attribute.fire_advertising_id = "f16bf53c-7a7b-442b-bb02-8d21e7ac43af"
by_attribute.att_timestamp_unixtime_ms = 1_700_000_000_500
by_attribute.att_authorization_status = "authorized"
by_attribute.ios_idfv = "8b29c0d8-8802-4b30-92fa-87e77ba0e796"
by_attribute.android_advertising_id = "765e4214-9b48-44d7-8fe5-0af7d375dfe9"

batches = [mparticle.Batch(environment="development", device_info=model) for model in (by_keyword, by_attribute)]

configuration = mparticle.Configuration()
configuration.host, configuration.api_key, configuration.api_secret = sys.argv[1:]
mparticle.EventsApi(configuration).bulk_upload_events(batches)
