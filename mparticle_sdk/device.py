"""What sent the data: device, application, their state, and where they are."""

from typing import Final, Literal

from .codec import Model
from .values import Milliseconds, Number, Uuid

PlatformName = Literal[
    "iOS", "Android", "web", "desktop", "tvOS", "roku", "out_of_band", "alexa", "smart_tv", "fire_tv", "xbox", "samsung_tv",
    "Unknown",
]  # fmt: skip
ATTAuthorizationStatusName = Literal["authorized", "denied", "not_determined", "restricted"]
ApplicationOSName = Literal[
    "Unknown", "IOS", "Android", "WindowsPhone", "MobileWeb", "UnityIOS", "UnityAndroid", "Desktop", "TVOS", "Roku", "OutOfBand",
    "Alexa", "SmartTV", "FireTV", "Xbox",
]  # fmt: skip
OrientationName = Literal[
    "portrait", "portrait_upside_down", "landscape", "LandscapeLeft", "LandscapeRight", "FaceUp", "FaceDown", "Square", "unknown",
]  # fmt: skip
LocationSourceName = Literal["unknown", "ip_lookup", "lat_long"]


class DeviceInformation(Model):
    """The device of a batch, and its ids (`batch-schema.md §2.3`)."""

    class Platform:
        """The values of `platform`."""

        iOS: Final = "iOS"  # noqa: N815  # as mParticle writes it
        Android: Final = "Android"
        web: Final = "web"
        desktop: Final = "desktop"
        tvOS: Final = "tvOS"  # noqa: N815
        roku: Final = "roku"
        out_of_band: Final = "out_of_band"
        alexa: Final = "alexa"
        smart_tv: Final = "smart_tv"
        fire_tv: Final = "fire_tv"
        xbox: Final = "xbox"
        samsung_tv: Final = "samsung_tv"
        Unknown: Final = "Unknown"

    class ATTAuthorizationStatus:
        """The values of `att_authorization_status`."""

        authorized: Final = "authorized"
        denied: Final = "denied"
        not_determined: Final = "not_determined"
        restricted: Final = "restricted"

    brand: str | None = None
    """The brand, such as `samsung`."""
    product: str | None = None
    """The product's name inside the manufacturer."""
    device: str | None = None
    """The device's name."""
    android_uuid: str | None = None
    """Android's id of the device, of old apps."""
    device_manufacturer: str | None = None
    """The manufacturer."""
    platform: PlatformName | None = None
    """The platform; it decides which of the ids below count."""
    os_version: str | None = None
    """The version of the operating system."""
    device_model: str | None = None
    """The model, such as `iPhone14,5`."""
    screen_height: int | None = None
    """Height of the screen in pixels."""
    screen_width: int | None = None
    """Width of the screen in pixels."""
    screen_dpi: int | None = None
    """Density of the screen in dots an inch (Android)."""
    device_country: str | None = None
    """The country that is set in the device."""
    locale_language: str | None = None
    """The language of the locale, such as `en`."""
    locale_country: str | None = None
    """The country of the locale, such as `US`."""
    network_country: str | None = None
    """The country of the mobile network."""
    network_carrier: str | None = None
    """The name of the mobile network."""
    network_code: str | None = None
    """The mobile network code (MNC)."""
    network_mobile_country_code: str | None = None
    """The mobile country code (MCC)."""
    timezone_offset: int | None = None
    """Hours from UTC, whole ones only."""
    build_identifier: str | None = None
    """The build of the operating system."""
    http_header_user_agent: str | None = None
    """The browser's User-Agent."""
    ios_advertising_id: Uuid | None = None
    """Apple's advertising id (IDFA), a UUID."""
    push_token: str | None = None
    """The token for push messages."""
    cpu_architecture: str | None = None
    """The processor's architecture."""
    is_tablet: bool | None = None
    """Whether it is a tablet."""
    push_notification_sound_enabled: bool | None = None
    """Whether push messages may sound."""
    push_notification_vibrate_enabled: bool | None = None
    """Whether push messages may vibrate."""
    radio_access_technology: str | None = None
    """The kind of mobile network, such as `LTE`."""
    supports_telephony: bool | None = None
    """Whether it can make calls."""
    has_nfc: bool | None = None
    """Whether it has near-field communication."""
    bluetooth_enabled: bool | None = None
    """Whether Bluetooth is on."""
    bluetooth_version: str | None = None
    """The version of Bluetooth."""
    att_timestamp_unixtime_ms: Milliseconds | None = None
    """When the user decided on tracking, in ms since 1970 (iOS)."""
    att_authorization_status: ATTAuthorizationStatusName | None = None
    """What the user decided on tracking (iOS)."""
    ios_idfv: Uuid | None = None
    """Apple's id of the device for one vendor (IDFV), a UUID."""
    android_advertising_id: Uuid | None = None
    """Google's advertising id (GAID), a UUID."""
    amp_id: str | None = None
    """The client id of AMP pages."""
    roku_advertising_id: Uuid | None = None
    """Roku's advertising id, a UUID."""
    roku_publisher_id: str | None = None
    """Roku's id of the device for one publisher, a UUID."""
    microsoft_advertising_id: str | None = None
    """Microsoft's advertising id, a UUID."""
    microsoft_publisher_id: str | None = None
    """Microsoft's id of the device for one publisher, a UUID."""
    fire_advertising_id: Uuid | None = None
    """Amazon Fire's advertising id, a UUID."""
    build_version_release: str | None = None
    """The version of Android as people know it."""
    limit_ad_tracking: bool | None = None
    """Whether the user limits tracking for advertisements."""
    is_dst: bool | None = None
    """Whether daylight saving time holds where the device is."""


class ApplicationInformation(Model):
    """The application of a batch (`batch-schema.md §2.4`)."""

    application_name: str | None = None
    """Its name."""
    application_version: str | None = None
    """Its version."""
    install_referrer: str | None = None
    """What led to the installation (Android)."""
    package: str | None = None
    """The package's name or the bundle's id, such as `com.example.app`."""
    application_build_number: str | None = None
    """The number of its build."""
    os: ApplicationOSName | None = None
    """The system it was built for; other spellings than `device_info.platform`."""
    apple_search_ads_attributes: dict[str, dict[str, str]] | None = None
    """What Apple Search Ads tell of the installation, by version, such as `Version3.1`."""
    sideloaded_kits_count: int | None = None
    """How many kits the app itself brought along."""


class GeoLocation(Model):
    """A place (`batch-schema.md §2.9`)."""

    latitude: Number | None = None
    """Degrees north."""
    longitude: Number | None = None
    """Degrees east."""
    accuracy: Number | None = None
    """How exact it is, in metres."""
    country_code: str | None = None
    """The country by ISO 3166-1 alpha-2, such as `US`."""
    region_code: str | None = None
    """The region or state."""
    city_name: str | None = None
    """The city."""
    postal_code: str | None = None
    """The postal code."""
    dma_code: int | None = None
    """The number of the designated market area (US)."""
    location_source: LocationSourceName | None = None
    """How the place was found."""


class DeviceCurrentState(Model):
    """How the device was at the moment of an event (`batch-schema.md §2.10`)."""

    class DeviceOrientation:
        """The values of `device_orientation`."""

        portrait: Final = "portrait"
        portrait_upside_down: Final = "portrait_upside_down"
        landscape: Final = "landscape"
        LandscapeLeft: Final = "LandscapeLeft"
        LandscapeRight: Final = "LandscapeRight"
        FaceUp: Final = "FaceUp"
        FaceDown: Final = "FaceDown"
        Square: Final = "Square"
        unknown: Final = "unknown"

    class StatusBarOrientation(DeviceOrientation):
        """The values of `status_bar_orientation`."""

    time_since_start_ms: Milliseconds | None = None
    """Milliseconds since the app was started."""
    battery_level: Number | None = None
    """From 0 to 1; -1 where it is not known."""
    data_connection_type: str | None = None
    """`offline`, `wifi` or `mobile`."""
    data_connection_type_detail: str | None = None
    """More of the connection, such as the kind of network."""
    gps_state: bool | None = None
    """Whether the place is being determined."""
    total_system_memory_usage_bytes: int | None = None
    """Memory in use in all, in bytes."""
    disk_space_free_bytes: int | None = None
    """Free space on the disk, in bytes."""
    cpu: str | None = None
    """How busy the processor is."""
    system_memory_available_bytes: Number | None = None
    """Memory that is free, in bytes."""
    system_memory_low: bool | None = None
    """Whether the system finds memory scarce."""
    system_memory_threshold_bytes: Number | None = None
    """Below so many bytes the system finds memory scarce (Android)."""
    application_memory_available_bytes: Number | None = None
    """Memory that the app could still take, in bytes."""
    application_memory_max_bytes: Number | None = None
    """Memory that the app may take at most, in bytes."""
    application_memory_total_bytes: Number | None = None
    """Memory that the app has, in bytes."""
    device_orientation: OrientationName | None = None
    """How the device is held."""
    status_bar_orientation: OrientationName | None = None
    """How the screen is laid out."""
    external_disk_space_free_bytes: int | None = None
    """Free space on the external disk, in bytes (Android)."""
