"""Each example of mParticle's Node guide has its twin here, and the official Node SDK sends the same for the original."""

import copy
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mparticle_sdk as mparticle
from tests.conftest import RealPart
from tests.hosts import KEY, SECRET, server_host

HERE = Path(__file__).resolve().parent
NODE_MODULES = HERE.parent / "clients" / "node" / "node_modules"
NOW = 1_700_000_000_000
EXAMPLE_DURATION = 60_000

EXAMPLES: dict[str, Callable[[], mparticle.Batch]] = {}


def example(build: Callable[[], mparticle.Batch]) -> Callable[[], mparticle.Batch]:
    EXAMPLES[build.__name__] = build
    return build


@example
def batch() -> mparticle.Batch:
    return mparticle.Batch(environment=mparticle.Batch.Environment.development)


@example
def user_identities() -> mparticle.Batch:
    example = batch()
    identities = mparticle.UserIdentities()
    identities.customerid = "123456"
    example.user_identities = identities
    return example


@example
def device_information() -> mparticle.Batch:
    example = batch()
    device_info = mparticle.DeviceInformation()
    device_info.ios_advertising_id = "07d2ebaa-e956-407e-a1e6-f05f871bf4e2"
    device_info.android_advertising_id = "a26f9736-c262-47ea-988b-0b0504cee874"
    example.device_info = device_info
    return example


@example
def user_attributes() -> mparticle.Batch:
    example = batch()
    example.user_attributes = {"Account type": "trial", "TrialEndDate": "2016-12-01"}
    return example


@example
def app_event() -> mparticle.Batch:
    example = batch()
    event = mparticle.AppEvent("Hello World", mparticle.AppEvent.CustomEventType.navigation)
    event.custom_attributes = {"foo": "bar"}
    example.addEvent(event)
    return example


@example
def commerce_event() -> mparticle.Batch:
    example = batch()
    product = mparticle.Product()
    product.name = "Example Product"
    product.id = "sample-sku"
    product.price = 19.99
    product.custom_attributes = {"on-sale": "true", "referbished": "false"}
    product_action = mparticle.ProductAction("purchase")
    product_action.products = [product]
    product_action.tax_amount = 1.50
    product_action.total_amount = 21.49
    event = mparticle.CommerceEvent()
    event.product_action = product_action
    event.timestamp_unixtime_ms = 1484322995852
    example.add_event(event)
    return example


@example
def session_events() -> mparticle.Batch:
    example = batch()
    session_start = mparticle.SessionStartEvent()
    session_start.session_id = 12345678
    session_start.timestamp_unixtime_ms = NOW
    session_end = mparticle.SessionEndEvent()
    session_end.session_id = session_start.session_id
    session_end.session_duration_ms = EXAMPLE_DURATION
    session_end.timestamp_unixtime_ms = NOW + EXAMPLE_DURATION
    example.events = [session_start, session_end]
    return example


@example
def ccpa() -> mparticle.Batch:
    example = batch()
    state = mparticle.CCPAConsentState()
    state.document = "document_agreement.v3"
    state.consented = True
    state.timestamp_unixtime_ms = NOW
    state.location = "mparticle.test/signup"
    state.hardware_id = "IDFA:a5d96n32-224a-3b11-1088-a202695bc710"
    consent_state = mparticle.ConsentState()
    consent_state.ccpa = {"data_sale_opt_out": state}
    example.consent_state = consent_state
    return example


@example
def gdpr() -> mparticle.Batch:
    example = batch()
    state = mparticle.GDPRConsentState()
    state.document = "document_agreement.v2"
    state.consented = True
    state.timestamp_unixtime_ms = NOW
    state.location = "dtmgbank.com/signup"
    state.hardware_id = "IDFA:a5d934n0-232f-4afc-2e9a-3832d95zc702"
    consent_state = mparticle.ConsentState()
    consent_state.gdpr = {"My Purpose": state}
    example.consent_state = consent_state
    return example


@example
def uploading() -> mparticle.Batch:
    example = batch()
    example.user_identities = mparticle.UserIdentities()
    example.user_identities.customerid = "123456"
    example.user_attributes = {"hair color": "brown"}
    example.add_event(mparticle.AppEvent("Hello World", mparticle.AppEvent.CustomEventType.navigation))
    return example


@pytest.fixture(scope="module")
def sent_by_node(real_part: RealPart) -> dict[str, Any]:
    """The batches that the official SDK sent for the originals, as the fake has them, by the example's name."""
    available = shutil.which("node") is not None and (NODE_MODULES / "mparticle").is_dir()
    real_part(available, "this test needs Node and its SDK: run 'npm ci' in tests/clients/node")
    with server_host(mode="lenient") as fake:  # events without a type get a 400 in the other modes
        assert fake.url is not None
        command = ["node", str(HERE / "guide.js"), fake.url, KEY, SECRET, str(NOW)]
        environ = os.environ | {"NODE_PATH": str(NODE_MODULES)}
        done = subprocess.run(command, env=environ, capture_output=True, encoding="utf-8", timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        batches = [item["batch"] for item in fake.items("batches?limit=100")]
    return dict(zip(json.loads(done.stdout), batches, strict=True))


def test_every_example_has_its_twin(sent_by_node: dict[str, Any]) -> None:
    assert list(sent_by_node) == list(EXAMPLES)


def mended(name: str, batch: dict[str, Any]) -> dict[str, Any]:
    """What the Node SDK would have sent without the slips of the guide and of the SDK; see docs/migrating.md."""
    match name:
        case "commerce_event":
            # The guide sets customAttributes, a name that mParticle does not know.
            (product,) = batch["events"][0]["data"]["product_action"]["products"]
            product["custom_attributes"] = product.pop("customAttributes")
        case "session_events":
            # The guide sets batch.events, which the SDK sends as they are, without a type.
            start, end = batch["events"]
            batch["events"] = [{"event_type": "session_start", "data": start}, {"event_type": "session_end", "data": end}]
        case "ccpa" | "gdpr":
            # The SDK sends the other map too, which is empty.
            batch["consent_state"] = {regulation: states for regulation, states in batch["consent_state"].items() if states}
    return batch


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_twin_sends_what_the_node_sdk_sends(name: str, sent_by_node: dict[str, Any]) -> None:
    expected = mended(name, copy.deepcopy(sent_by_node[name]))
    twin = EXAMPLES[name]()

    with server_host() as fake, mparticle.EventsApi(mparticle.Configuration(KEY, SECRET, host=fake.url)) as api:
        api.bulk_upload_events([twin])
        (item,) = fake.items("batches")

    assert item["batch"] == expected
    assert mparticle.Batch.from_dict(expected) == twin


@pytest.mark.parametrize("name", ["commerce_event", "session_events", "ccpa", "gdpr"])
def test_the_slips_are_there_to_be_mended(name: str, sent_by_node: dict[str, Any]) -> None:
    assert mended(name, copy.deepcopy(sent_by_node[name])) != sent_by_node[name]
