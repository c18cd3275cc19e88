"""Build batches for mParticle's Events API and send them.

    import mparticle_sdk as mparticle

    batch = mparticle.Batch(environment="development")
    batch.user_identities = mparticle.UserIdentities(customerid="123456")
    batch.add_event(mparticle.AppEvent("Hello World", "navigation"))

    with mparticle.EventsApi(mparticle.Configuration("API KEY", "API SECRET")) as api:
        api.upload_events(batch)

The names and signatures are those of mParticle's own Python SDK.
"""

from . import codec, limits, rest
from .api_client import Answer, ApiClient
from .batch import (
    ApiResponse,
    AttributionInfo,
    Batch,
    BatchContext,
    BatchingContext,
    DataPlanContext,
    EventBase,
    EventList,
    SourceInformation,
)
from .client import EventsApi
from .codec import Model
from .commerce import Product, ProductAction, ProductImpression, Promotion, PromotionAction, ShoppingCart
from .configuration import Configuration
from .consent import CCPAConsentState, ConsentState, GDPRConsentState
from .device import ApplicationInformation, DeviceCurrentState, DeviceInformation, GeoLocation
from .errors import (
    ApiException,
    ApiResponseErrors,
    BadRequestError,
    ConfigurationError,
    ConnectionFailedError,
    ForbiddenError,
    Problem,
    ServerError,
    TimedOutError,
    TooLargeError,
    TooManyRequestsError,
    TransportError,
    UnauthorizedError,
    ValidationError,
)
from .events import (
    AnyEvent,
    AppEvent,
    ApplicationStateTransitionEvent,
    BreadcrumbEvent,
    CommerceEvent,
    CrashReportEvent,
    Event,
    EventData,
    EventSystemNotificationInfo,
    FirstRunEvent,
    MediaInfo,
    NetworkPerformanceEvent,
    OptOutEvent,
    ProfileEvent,
    PushMessageEvent,
    PushRegistrationEvent,
    ScreenViewEvent,
    SessionEndEvent,
    SessionStartEvent,
    UninstallEvent,
    UserAttributeChangeEvent,
    UserIdentityChangeEvent,
)
from .identity import UserIdentities, UserIdentity

__all__ = [
    "Answer",
    "AnyEvent",
    "ApiClient",
    "ApiException",
    "ApiResponse",
    "ApiResponseErrors",
    "AppEvent",
    "ApplicationInformation",
    "ApplicationStateTransitionEvent",
    "AttributionInfo",
    "BadRequestError",
    "Batch",
    "BatchContext",
    "BatchingContext",
    "BreadcrumbEvent",
    "CCPAConsentState",
    "CommerceEvent",
    "Configuration",
    "ConfigurationError",
    "ConnectionFailedError",
    "ConsentState",
    "CrashReportEvent",
    "DataPlanContext",
    "DeviceCurrentState",
    "DeviceInformation",
    "Event",
    "EventBase",
    "EventData",
    "EventList",
    "EventSystemNotificationInfo",
    "EventsApi",
    "FirstRunEvent",
    "ForbiddenError",
    "GDPRConsentState",
    "GeoLocation",
    "MediaInfo",
    "Model",
    "NetworkPerformanceEvent",
    "OptOutEvent",
    "Problem",
    "Product",
    "ProductAction",
    "ProductImpression",
    "ProfileEvent",
    "Promotion",
    "PromotionAction",
    "PushMessageEvent",
    "PushRegistrationEvent",
    "ScreenViewEvent",
    "ServerError",
    "SessionEndEvent",
    "SessionStartEvent",
    "ShoppingCart",
    "SourceInformation",
    "TimedOutError",
    "TooLargeError",
    "TooManyRequestsError",
    "TransportError",
    "UnauthorizedError",
    "UninstallEvent",
    "UserAttributeChangeEvent",
    "UserIdentities",
    "UserIdentity",
    "UserIdentityChangeEvent",
    "ValidationError",
    "codec",
    "limits",
    "rest",
]
