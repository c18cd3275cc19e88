"""`mypy --strict` lets right programs pass and reports every misuse, where it is and as what."""

import importlib.util
import re
from pathlib import Path

import pytest

from tests.conftest import RealPart

pytestmark = pytest.mark.slow

RIGHT = """
import mparticle_sdk as mparticle
from decimal import Decimal
from typing import assert_type

event = mparticle.AppEvent("Hello World", "navigation", custom_attributes={"foo": "bar"})
batch = mparticle.Batch(events=[event], environment="development")
batch = mparticle.Batch([event, mparticle.EventBase(event, "custom_event"), {"event_type": "first_run"}])
batch.environment = mparticle.Batch.Environment.production
batch.events = [mparticle.SessionStartEvent(session_id=1), mparticle.SessionEndEvent(session_id=1)]
several: list[mparticle.AppEvent] = [event]
batch.events = several
batch.events.append(mparticle.ScreenViewEvent(screen_name="Home"))
batch.events += several
batch.add_event(mparticle.AppEvent(event_name="x", custom_event_type=mparticle.AppEvent.CustomEventType.social))
batch.addEvent({"event_type": "uninstall"})
batch.user_identities = mparticle.UserIdentities(customerid="1")
batch.user_identities.customer_id = "2"
batch.user_attributes = {"a": ["b"], "c": None, "d": 1}
batch.context = mparticle.BatchContext(data_plan=mparticle.DataPlanContext(plan_id="shop", plan_version=1))
batch.consent_state = mparticle.ConsentState()
batch.consent_state.ccpa = {"data_sale_opt_out": mparticle.CCPAConsentState(consented=True)}
action = mparticle.ProductAction(mparticle.ProductAction.Action.purchase, total_amount=Decimal("1.10"))
action.products = [mparticle.Product(price=1, quantity=1.5)]
commerce = mparticle.CommerceEvent(action, currency_code="USD")
read = mparticle.Batch.from_json(b"{}")
assert_type(read, mparticle.Batch)
assert_type(batch.events, mparticle.EventList)
for typed in read.events:
    name = typed.event_type or "none"
    if typed.data is not None:
        when: int | None = typed.data.timestamp_unixtime_ms
    if isinstance(typed.data, mparticle.AppEvent):
        assert_type(typed.data.event_name, str | None)
read.validate()
with mparticle.EventsApi(mparticle.Configuration("key", "secret", pod="eu1")) as api:
    data, status, headers = api.upload_events(batch)
    assert_type(status, int)
    api.upload_events({"environment": "development"})
    assert_type(api.bulk_upload_events([batch, {"events": []}]).data[0].status, int)
    api.bulk_upload_events([batch], callback=print).join()
"""

WRONG = """
import datetime
import mparticle_sdk as mparticle
batch = mparticle.Batch()
mparticle.Batch(environment="prod")  # arg-type
batch.environment = "prod"  # assignment
mparticle.Batch(enviroment="development")  # call-arg
batch.enviroment = "development"  # attr-defined
mparticle.Batch([5])  # list-item
mparticle.Batch(events=mparticle.Product())  # arg-type
batch.events = 5  # assignment
batch.add_event("Hello World")  # arg-type
batch.events.append(mparticle.Product())  # arg-type
batch.user_attributes = ["a"]  # assignment
batch.user_identities = "1"  # assignment
batch.user_identities.email = "a@example.com"  # union-attr
mparticle.UserIdentities(customerid=1)  # arg-type
mparticle.AppEvent("navigation", "Hello World")  # arg-type
mparticle.AppEvent(timestamp_unixtime_ms=1.5)  # arg-type
mparticle.AppEvent(timestamp_unixtime_ms=datetime.datetime.now())  # arg-type
mparticle.AppEvent.CustomEventType.shopping  # attr-defined
mparticle.ProductAction("buy")  # arg-type
mparticle.ProductAction(products=mparticle.Product())  # arg-type
mparticle.Product(price="19.99")  # arg-type
mparticle.Product(nme="x")  # call-arg
mparticle.CommerceEvent(product_action="purchase")  # arg-type
mparticle.ConsentState(gdpr=mparticle.GDPRConsentState())  # arg-type
mparticle.DeviceInformation(platform="ios")  # arg-type
batch.events[0].data.event_name  # union-attr
batch.events[0].event_type = "page_view"  # assignment
number: int = batch.mpid  # assignment
text: bytes = batch.to_json()  # assignment
api = mparticle.EventsApi(mparticle.Configuration("key", "secret", "eu1"))  # call-arg
api.upload_events([batch])  # call-overload
api.bulk_upload_events(batch)  # call-overload
api.upload_events(batch)[1].upper()  # attr-defined
api.upload_events(batch, callback=5)  # call-overload
"""

LINE = re.compile(r"^.+?:(\d+): error: .*\[([a-z-]+)\]$", re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mypy")


@pytest.fixture
def report(folder: Path, real_part: RealPart, request: pytest.FixtureRequest) -> str:
    """What mypy says of a program."""
    real_part(importlib.util.find_spec("mypy") is not None, "this test needs mypy: pip install 'mparticle-testkit[dev]'")
    from mypy import api

    program = folder / "program.py"
    program.write_text(request.param, encoding="utf-8")
    cache = folder / "cache"
    printed, complaints, _ = api.run(["--strict", "--config-file=", f"--cache-dir={cache}", "--no-error-summary", str(program)])
    assert complaints == ""
    return printed


@pytest.mark.parametrize("report", [RIGHT], ids=["right"], indirect=True)
def test_a_right_program_passes(report: str) -> None:
    assert report == ""


@pytest.mark.parametrize("report", [WRONG], ids=["wrong"], indirect=True)
def test_every_misuse_is_reported(report: str) -> None:
    expected = {number: line.rpartition("# ")[2] for number, line in enumerate(WRONG.splitlines(), start=1) if "  # " in line}

    reported = {int(number): code for number, code in LINE.findall(report)}

    assert reported == expected, report
