"""Sends with the official Python SDK, unmodified, and prints a JSON line a step: what was meant to be sent, what the SDK said.

    python python_sdk.py URL KEY SECRET REFUSING_URL

URL is the fake's, REFUSING_URL one where nobody listens. All ids and times are fixed, so that every run sends the same bytes.
`sent` is the SDK's serialisation of the model, made before the call. `status` is null where no answer came.
"""

import json
import sys
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import mparticle
from mparticle.api_client import ApiClient
from mparticle.models.batch_context import BatchContext
from mparticle.models.data_plan_context import DataPlanContext
from mparticle.models.user_attribute_change_event import UserAttributeChangeEvent
from mparticle.rest import ApiException
from urllib3.exceptions import HTTPError

Model = Any
VALUES: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("values.json").read_bytes())


# -- models with every member filled -----------------------------------------------------------------------------------------


def full(model: Model, **parts: Any) -> Model:
    """Give every member that the SDK knows a value: the one passed here, else that of values.json. KeyError if there is none."""
    values = VALUES.get(type(model).__name__, {}) | parts
    for member in model.swagger_types:
        setattr(model, member, values[member])
    unknown = set(parts) - set(model.swagger_types)
    assert not unknown, f"the SDK's {type(model).__name__} has no {unknown}"
    return model


def event(model: Model, number: int, **parts: Any) -> Model:
    """The same for an event: with the members that all events share."""
    shared = VALUES["EventData"] | {
        "timestamp_unixtime_ms": 1_700_000_000_000 + number,
        "event_id": 6_004_677_780_660_780_000 + number,
        "source_message_id": f"e8335d31-2031-4bff-afec-{number:012d}",
        "location": full(mparticle.GeoLocation()),
        "device_current_state": full(mparticle.DeviceCurrentState()),
    }
    return full(model, **shared, **parts)


def products(count: int) -> list[Model]:
    return [full(mparticle.Product(), id=f"sku-{position}", position=position) for position in range(1, count + 1)]


def every_event_type() -> list[Model]:
    """One event of each type, three of commerce: a product action, a promotion, impressions."""
    action = full(mparticle.ProductAction("purchase"), products=products(2))
    nothing = {"product_action": None, "promotion_action": None, "product_impressions": None, "shopping_cart": None}
    promotions = [full(mparticle.Promotion()), full(mparticle.Promotion(), id="promo-2", position="bottom")]
    purchase = {"product_action": action, "shopping_cart": full(mparticle.ShoppingCart(), products=products(1))}
    promotion = {"promotion_action": full(mparticle.PromotionAction(), promotions=promotions)}
    impressions = {"product_impressions": [full(mparticle.ProductImpression(), products=products(2))]}
    breadcrumb = event(mparticle.BreadcrumbEvent(), 13)
    return [
        event(mparticle.SessionStartEvent(), 1),
        event(mparticle.FirstRunEvent(), 2),
        event(mparticle.ApplicationStateTransitionEvent(), 3),
        event(mparticle.ScreenViewEvent(), 4),
        event(mparticle.AppEvent("any"), 5, media_info=full(mparticle.MediaInfo())),
        event(mparticle.CommerceEvent(action), 6, **nothing | purchase),
        event(mparticle.CommerceEvent(action), 7, **nothing | promotion),
        event(mparticle.CommerceEvent(action), 8, **nothing | impressions),
        event(mparticle.PushRegistrationEvent(), 9),
        event(mparticle.PushMessageEvent(), 10),
        event(mparticle.NetworkPerformanceEvent(), 11),
        event(mparticle.BreadcrumbEvent(), 12),
        event(mparticle.CrashReportEvent(), 14, breadcrumbs=[breadcrumb]),
        event(mparticle.ProfileEvent(), 15),
        event(UserAttributeChangeEvent(), 16),
        event(mparticle.OptOutEvent(), 17),
        event(mparticle.SessionEndEvent(), 18),
    ]


def full_batch() -> Model:
    consent = mparticle.ConsentState()
    consent.gdpr = {
        "analytics": full(mparticle.GDPRConsentState()),
        "marketing": full(mparticle.GDPRConsentState(), consented=False, document="privacy.v3"),
    }
    consent.ccpa = {"data_sale_opt_out": full(mparticle.CCPAConsentState())}
    # The SDK writes a Decimal as a string.
    attributes = VALUES["Batch"]["user_attributes"] | {"balance": Decimal("12.50")}
    return full(
        mparticle.Batch(),
        events=every_event_type(),
        device_info=full(mparticle.DeviceInformation()),
        application_info=full(mparticle.ApplicationInformation()),
        user_attributes=attributes,
        user_identities=full(mparticle.UserIdentities()),
        consent_state=consent,
        context=full(BatchContext(), data_plan=full(DataPlanContext())),
    )


# -- small batches -----------------------------------------------------------------------------------------------------------

CHOICES: dict[str, tuple[Callable[[], Model], tuple[str, ...]]] = {
    # Member -> a model that has it, the values that the SDK takes there.
    "custom_event_type": (
        lambda: mparticle.AppEvent("a choice"),
        (
            "unknown", "navigation", "location", "search", "transaction", "user_content", "user_preference", "social", "other",
            "attribution",
        ),
    ),
    "application_transition_type": (
        mparticle.ApplicationStateTransitionEvent,
        ("unknown", "application_initialized", "application_exit", "application_background", "application_foreground"),
    ),
    "push_message_type": (mparticle.PushMessageEvent, ("unknown", "sent", "received", "action")),
    "application_state": (
        lambda: mparticle.PushMessageEvent(push_message_type="received"),
        ("unknown", "not_running", "background", "foreground"),
    ),
    "profile_event_type": (mparticle.ProfileEvent, ("unknown", "signup", "login", "logout", "update", "delete")),
}  # fmt: skip

PRODUCT_ACTIONS = (
    "unknown", "add_to_cart", "remove_from_cart", "checkout", "checkout_option", "click", "view_detail", "purchase", "refund",
    "add_to_wishlist", "remove_from_wish_list",
)  # fmt: skip


def every_choice() -> Model:
    """Each enumerated value of each event, and the events that the SDK has constructors for."""
    events = []
    for member, (model, values) in CHOICES.items():
        for value in values:
            chosen = model()
            setattr(chosen, member, value)
            events.append(chosen)
    events += [mparticle.CommerceEvent(mparticle.ProductAction(action)) for action in PRODUCT_ACTIONS]
    for action in ("unknown", "view", "click"):
        promotion = mparticle.PromotionAction()
        promotion.action = action
        events.append(mparticle.CommerceEvent(promotion_action=promotion))
    events += [
        mparticle.AppEvent.create_attribution_event("a publisher", "a campaign"),
        mparticle.AppEvent.create_attribution_delete_event(),
        mparticle.ApplicationStateTransitionEvent.create_install_event(),
        mparticle.ApplicationStateTransitionEvent.create_upgrade_event(),
        mparticle.ApplicationStateTransitionEvent.create_foreground_event(),
        mparticle.ApplicationStateTransitionEvent.create_background_event(),
    ]
    increase = mparticle.AppEvent("lifetime value")
    increase.ltv_amount = 21.49
    return small("every-choice", [*events, increase])


def small(source_request_id: str, events: list[Model] | None = None) -> Model:
    """A batch with one custom event, unless told otherwise."""
    batch = mparticle.Batch()
    batch.source_request_id = source_request_id
    batch.environment = "production"
    batch.user_identities = mparticle.UserIdentities(customerid="c-1")
    batch.events = [mparticle.AppEvent("ping", timestamp_unixtime_ms=1_700_000_000_000)] if events is None else events
    return batch


def profile_update() -> Model:
    batch = mparticle.Batch(source_request_id="profile", environment="production", user_attributes={"plan": "gold"})
    batch.device_info = mparticle.DeviceInformation(platform="Android")
    batch.consent_state = mparticle.ConsentState()
    return batch


def without_event_type(source_request_id: str) -> Model:
    """A trap of this SDK: events given to the constructor are not wrapped, so they go out without an event_type."""
    return mparticle.Batch(source_request_id=source_request_id, events=[mparticle.AppEvent("ping")])


# -- sending -----------------------------------------------------------------------------------------------------------------


class Sender:
    """Calls the SDK, a new one each time, and prints what came of it."""

    def __init__(self, url: str, key: str, secret: str) -> None:
        self.url = url
        self.credentials = {
            "right": (key, secret),
            "wrong secret": (key, f"not-{secret}"),
            "unknown key": (f"not-{key}", secret),
            "none": ("", ""),
        }

    def api(self, credentials: str, prefix: str, url: str | None) -> Any:
        configuration = mparticle.Configuration()
        configuration.api_key, configuration.api_secret = self.credentials[credentials]
        configuration.host = f"{url or self.url}{prefix}/v2"
        return mparticle.EventsApi(configuration)

    def send(
        self,
        step: str,
        body: Any,
        *,
        credentials: str = "right",
        prefix: str = "",
        url: str | None = None,
        callback: bool = False,
    ) -> None:
        """Upload one batch, or a list in bulk; `callback` uses the SDK's other way to call."""
        bulk = isinstance(body, list)
        api = self.api(credentials, prefix, url)
        call = api.bulk_upload_events if bulk else api.upload_events
        sent = ApiClient.sanitize_for_serialization(body)
        status, error = _called_back(call, body) if callback else _called(call, body)
        path = f"{prefix}/v2/{'bulkevents' if bulk else 'events'}"
        line = {"step": step, "path": path, "credentials": credentials, "sent": sent, "status": status, "error": error}
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")


def _called(call: Callable[[Any], Any], body: Any) -> tuple[int | None, str | None]:
    try:
        _, status, _ = call(body)
    except (ApiException, HTTPError) as error:
        return _failed(error)
    return status, None


def _called_back(call: Callable[..., threading.Thread], body: Any) -> tuple[int | None, str | None]:
    results: list[Any] = []
    call(body, callback=results.append).join()
    (result,) = results
    return _failed(result) if isinstance(result, Exception) else (result[1], None)


def _failed(error: Exception) -> tuple[int | None, str | None]:
    if isinstance(error, ApiException):
        return error.status, error.body
    return None, type(error).__name__


def main(url: str, key: str, secret: str, refusing_url: str) -> None:
    sender = Sender(url, key, secret)
    send = sender.send
    send("every event type", full_batch())
    send("every choice", every_choice())
    send("small", small("small"))
    send("partner feed", small("partner-feed"), prefix="/s2s")
    send("callback", small("callback"), callback=True)
    send("profile update", profile_update())
    send("bulk of 2", [small("bulk-of-2-0"), small("bulk-of-2-1", every_event_type())])
    send("bulk of 100", [small(f"bulk-of-100-{number}", []) for number in range(100)])
    send("bulk, one without event type", [without_event_type("bulk-bad-0"), small("bulk-good-1")])
    send("sent again", small("small"))
    send("sent again in bulk", [small("small"), small("twice"), small("twice")])
    send("wrong secret", small("wrong-secret"), credentials="wrong secret")
    send("wrong secret, bulk", [small("wrong-secret-bulk")], credentials="wrong secret")
    send("wrong secret, callback", small("wrong-secret-callback"), credentials="wrong secret", callback=True)
    send("unknown key", small("unknown-key"), credentials="unknown key")
    send("no credentials", small("no-credentials"), credentials="none")
    send("empty batch", mparticle.Batch())
    send("empty bulk", [])
    send("without event type", without_event_type("without-event-type"))
    send("bulk of 101", [small(f"bulk-of-101-{number}", []) for number in range(101)])
    send("refused", small("refused"), url=refusing_url)
    send("after the errors", small("after-the-errors"))


if __name__ == "__main__":
    main(*sys.argv[1:])
