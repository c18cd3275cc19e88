"""The Faker provider: a user, a device and a batch, against the same made with Faker's own calls; and its first batch."""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from subprocess import run
from time import process_time
from typing import Any

from faker import Faker

from mparticle_fixtures.provider import MParticleProvider
from mparticle_sdk import (
    AppEvent,
    ApplicationInformation,
    ApplicationStateTransitionEvent,
    Batch,
    CommerceEvent,
    ConsentState,
    DeviceCurrentState,
    DeviceInformation,
    GDPRConsentState,
    Product,
    ProductAction,
    ScreenViewEvent,
    SessionEndEvent,
    SessionStartEvent,
    UserIdentities,
)
from tests.benchmarks.row import Row, at_least, below

ROUNDS = 7
LOOP_SECONDS = 0.15
STARTS = 5

LOCALE = "de_DE"

FIRST_BATCH = """
from faker import Faker
from time import process_time
fake = Faker("ja_JP")
start = process_time()
from mparticle_fixtures.provider import MParticleProvider
fake.add_provider(MParticleProvider)
fake.mparticle_batch()
print((process_time() - start) * 1000)
"""


def provider() -> Iterator[Row]:
    """Our number and the peer's one soon after the other; the peer's batch has no more members than ours has on average."""
    fake = Faker(LOCALE)
    fake.add_provider(MParticleProvider)
    fake.seed_instance(7)
    batches = [fake.mparticle_batch(platform="iOS") for _ in range(500)]
    events = sum(len(batch.events) for batch in batches) / len(batches)
    assert _members([_naive_batch(fake) for _ in range(50)]) <= _members(batches)

    pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "a user": (fake.mparticle_user, lambda: _naive_user(fake)),
        "a device": (lambda: fake.mparticle_device_information("iOS"), lambda: _naive_device(fake)),
        f"a batch of {events:.0f} events": (lambda: fake.mparticle_batch(platform="iOS"), lambda: _naive_batch(fake)),
    }
    rates: dict[str, list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        for name, (ours, naive) in pairs.items():
            rates[name].append(_rate(ours))
            rates[f"{name}, naive"].append(_rate(naive))
    for name in pairs:
        yield at_least(10, f"provider: {name}, vs plain Faker calls", rates[name], rates[f"{name}, naive"], "a second")
    yield below(300, "provider: import and first batch", [_first_batch() for _ in range(STARTS)])


def _rate(work: Callable[[], object]) -> float:
    work()
    count, start = 0, process_time()
    while (elapsed := process_time() - start) < LOOP_SECONDS:
        for _ in range(5):
            work()
        count += 5
    return count / elapsed


def _members(batches: list[Batch]) -> float:
    """Members that a batch has on average: each has its own pair of name and value."""
    return sum(batch.to_json().count('":') for batch in batches) / len(batches)


def _first_batch() -> float:
    """Milliseconds of the processor, in a Python that has loaded Faker and nothing of ours."""
    return float(run([sys.executable, "-c", FIRST_BATCH], check=True, capture_output=True, text=True).stdout)


# ---- the peer: what one writes with Faker alone. Its parts do not agree, and it knows no devices ----


def _naive_user(fake: Faker) -> tuple[int, UserIdentities, dict[str, Any], ConsentState]:
    mobile = fake.phone_number()
    identities = UserIdentities(customerid=fake.uuid4(), email=fake.email(), mobile_number=mobile)
    attributes: dict[str, Any] = {
        "$firstname": fake.first_name(),
        "$lastname": fake.last_name(),
        "$gender": fake.random_element(("F", "M")),
        "$age": str(fake.random_int(18, 85)),
        "$mobile": mobile,
        "$address": fake.street_address(),
        "$city": fake.city(),
        "$state": fake.administrative_unit(),
        "$zip": fake.postcode(),
        "$country": fake.country_code(),
        "language": fake.language_code(),
        "currency": fake.currency_code(),
        "time_zone": fake.timezone(),
        "membership": fake.random_element(("none", "silver", "gold")),
        "newsletter": fake.pybool(),
        "referral_source": fake.random_element(("search", "friend", "store")),
    }
    decided = int(fake.unix_time() * 1000)
    consents = {
        purpose: GDPRConsentState(document="v4", consented=fake.pybool(), timestamp_unixtime_ms=decided, location="form")
        for purpose in ("necessary", "analytics", "personalization", "marketing")
    }
    return fake.random_int(1, 2**62), identities, attributes, ConsentState(gdpr=consents)


def _naive_device(fake: Faker) -> DeviceInformation:
    country = fake.country_code()
    return DeviceInformation(
        platform="iOS",
        brand="Apple",
        device_manufacturer="Apple",
        device_model=fake.bothify("iPhone##,#"),
        os_version=fake.numerify("1#.#.#"),
        http_header_user_agent=fake.user_agent(),
        screen_width=fake.random_element((1170, 1179, 1290)),
        screen_height=fake.random_element((2532, 2556, 2796)),
        device_country=country,
        locale_country=country,
        locale_language=fake.language_code(),
        network_country=country,
        network_carrier=fake.company(),
        network_code=fake.numerify("##"),
        network_mobile_country_code=fake.numerify("###"),
        timezone_offset=fake.random_int(-11, 12),
        build_identifier=fake.bothify("##?###"),
        ios_idfv=fake.uuid4(),
        att_authorization_status=fake.random_element(("authorized", "denied")),
        att_timestamp_unixtime_ms=int(fake.unix_time() * 1000),
        ios_advertising_id=fake.uuid4(),
        push_token=fake.sha256(),
        is_tablet=False,
        cpu_architecture="arm64",
        bluetooth_enabled=fake.pybool(),
        bluetooth_version="ble",
        has_nfc=fake.pybool(),
        supports_telephony=True,
        radio_access_technology=fake.random_element(("LTE", "NR")),
        push_notification_sound_enabled=fake.pybool(),
        push_notification_vibrate_enabled=fake.pybool(),
        limit_ad_tracking=fake.pybool(),
        is_dst=fake.pybool(),
    )


def _naive_state(fake: Faker) -> DeviceCurrentState:
    return DeviceCurrentState(
        time_since_start_ms=fake.random_int(0, 600_000),
        battery_level=fake.pyfloat(min_value=0, max_value=1, right_digits=2),
        data_connection_type=fake.random_element(("wifi", "mobile")),
        disk_space_free_bytes=fake.random_int(10**9, 10**11),
        system_memory_available_bytes=fake.random_int(10**9, 10**10),
        total_system_memory_usage_bytes=fake.random_int(10**9, 10**10),
        device_orientation=fake.random_element(("portrait", "landscape")),
    )


def _naive_batch(fake: Faker) -> Batch:
    mpid, identities, attributes, consent = _naive_user(fake)
    start = int(fake.unix_time() * 1000)
    session = {
        "session_uuid": fake.uuid4(),
        "session_id": fake.random_int(1, 2**62),
        "session_start_unixtime_ms": start,
    }

    def common(number: int) -> dict[str, Any]:
        return {"timestamp_unixtime_ms": start + number, "source_message_id": fake.uuid4(), "event_num": number, **session}

    def product() -> Product:
        price = fake.pyfloat(left_digits=2, right_digits=2, positive=True)
        return Product(fake.bothify("???-###"), fake.word(), fake.company(), fake.word(), price=price, quantity=1)

    def commerce(action: Any, number: int, products: list[Product]) -> CommerceEvent:
        return CommerceEvent(ProductAction(action, products=products), **common(number), currency_code=fake.currency_code())

    products = [product() for _ in range(2)]
    total = sum(float(product.price or 0) for product in products)
    purchase = commerce("purchase", 9, products)
    action = purchase.product_action or ProductAction()
    action.transaction_id, action.affiliation = fake.bothify("T-########"), fake.domain_name()
    action.total_amount, action.tax_amount, action.shipping_amount = total, total / 5, fake.random_int(0, 9)
    events: list[Any] = [
        SessionStartEvent(**common(0), device_current_state=_naive_state(fake)),
        ApplicationStateTransitionEvent(application_transition_type="application_initialized", **common(1)),
        *(ScreenViewEvent(**common(number), screen_name=fake.word()) for number in range(2, 5)),
        AppEvent(fake.word(), "other", **common(5), custom_attributes={"term": fake.word(), "results": fake.random_int(0, 99)}),
        *(commerce("view_detail", number, [product()]) for number in range(6, 8)),
        commerce("add_to_cart", 8, products[:1]),
        purchase,
        ApplicationStateTransitionEvent(application_transition_type="application_background", **common(10)),
        SessionEndEvent(
            **common(11), session_duration_ms=fake.random_int(1000, 600_000), device_current_state=_naive_state(fake)
        ),
    ]
    return Batch(
        events=events,
        environment="development",
        source_request_id=fake.uuid4(),
        ip=fake.ipv4(),
        mpid=mpid,
        mp_deviceid=fake.uuid4(),
        user_identities=identities,
        user_attributes=attributes,
        consent_state=consent,
        device_info=_naive_device(fake),
        application_info=ApplicationInformation(fake.company(), fake.numerify("#.#.#"), package=fake.domain_name()),
    )
