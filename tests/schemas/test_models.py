"""The documents and the SDK's models know the same objects, members and values."""

from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest

import mparticle_sdk as sdk
from mparticle_fake_server import schemas
from mparticle_sdk.codec import Model
from mparticle_sdk.events import CLASSES

FILES: dict[type[Model], str] = {
    sdk.ApplicationInformation: "application_info",
    sdk.AttributionInfo: "attribution_info",
    sdk.Batch: "batch",
    sdk.BatchContext: "context",
    sdk.BatchingContext: "batching",
    sdk.CCPAConsentState: "ccpa_consent",
    sdk.ConsentState: "consent_state",
    sdk.DataPlanContext: "data_plan",
    sdk.DeviceCurrentState: "device_current_state",
    sdk.DeviceInformation: "device_info",
    sdk.EventBase: "event",
    sdk.EventData: "event_data",
    sdk.EventSystemNotificationInfo: "event_system_notification_info",
    sdk.GDPRConsentState: "gdpr_consent",
    sdk.GeoLocation: "location",
    sdk.MediaInfo: "media_info",
    sdk.Product: "product",
    sdk.ProductAction: "product_action",
    sdk.ProductImpression: "product_impression",
    sdk.Promotion: "promotion",
    sdk.PromotionAction: "promotion_action",
    sdk.ShoppingCart: "shopping_cart",
    sdk.SourceInformation: "source_info",
    sdk.UserIdentities: "user_identities",
    sdk.UserIdentity: "user_identity",
    **{model: event_type for event_type, model in CLASSES.items()},
}

NO_MODEL = {
    "values": "not an object",
    "user_attributes": "a dictionary in the SDK, since its names are free",
    "ccpa": "a dictionary of one name in the SDK",
}
NO_DOCUMENT = {sdk.Event: "a base class, part of every event", sdk.ApiResponse: "an answer, not a part of a batch"}

MORE_VALUES = {
    ("batch", "environment"): ({"unknown"}, "OpenAPI and the web SDK list it; nobody should send it on purpose"),
    ("device_current_state", "device_orientation"): ({"undefined"}, "mParticle's reference shows it in a sample"),
    ("device_current_state", "status_bar_orientation"): ({"undefined"}, "mParticle's reference shows it in a sample"),
}
"""Values that are taken and that the SDK does not offer, with the reason."""

MAPPED = [pytest.param(model, name, id=name) for model, name in FILES.items()]


def document(name: str) -> dict[str, Any]:
    return schemas.load()[f"{name}.json"]


def literals(hint: Any) -> set[str]:
    if get_origin(hint) is Literal:
        return set(get_args(hint))
    return {value for part in get_args(hint) for value in literals(part)} if get_origin(hint) is not dict else set()


def test_each_model_has_a_document_and_the_other_way_round() -> None:
    models = {
        model for model in vars(sdk).values() if isinstance(model, type) and issubclass(model, Model) and model is not Model
    }

    assert models == FILES.keys() | NO_DOCUMENT.keys()
    assert {name.removesuffix(".json") for name in schemas.load()} == set(FILES.values()) | NO_MODEL.keys()


@pytest.mark.parametrize(("model", "name"), MAPPED)
def test_model_and_document_have_the_same_members(model: type[Model], name: str) -> None:
    members = {field.encode_name for field in msgspec.structs.fields(model) if field.name != "unknown"}

    assert set(document(name)["properties"]) == members


@pytest.mark.parametrize(("model", "name"), MAPPED)
def test_model_and_document_have_the_same_values(model: type[Model], name: str) -> None:
    hints = get_type_hints(model, include_extras=True)
    offered = {field.encode_name: literals(hints.get(field.name)) for field in msgspec.structs.fields(model)}

    taken = {
        member: {value for value in (*node.get("enum", ()), *node.get("then", {}).get("enum", ())) if isinstance(value, str)}
        for member, node in document(name)["properties"].items()
        if node.get("type") != ["boolean", "string", "null"]  # booleans that some documents have as text
    }

    for member, values in taken.items():
        more, _ = MORE_VALUES.get((name, member), (set(), ""))
        assert values == offered[member] | more, member
