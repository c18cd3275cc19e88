"""What the user of a batch agreed to: one state a purpose for the GDPR, one in all for the CCPA."""

from msgspec import field

from .codec import Model
from .values import Milliseconds


class GDPRConsentState(Model):
    """A user's decision on one purpose under the GDPR (`batch-schema.md §2.6`)."""

    document: str | None = None
    """What the user was shown: a document and its version."""
    consented: bool | None = None
    """True if the user agreed."""
    timestamp_unixtime_ms: Milliseconds | None = None
    """When the user decided, in ms since 1970."""
    location: str | None = None
    """Where the user decided: a page or a form, as free text."""
    hardware_id: str | None = None
    """The device on which the user decided, such as `IDFA:…`."""
    regulation: str | None = None
    """The regulation, where it is told here too."""
    purpose: str | None = None
    """The purpose, where it is told here too."""


class CCPAConsentState(Model):
    """A user's decision on the sale of personal data under the CCPA (`batch-schema.md §2.6`)."""

    document: str | None = None
    """What the user was shown: a document and its version."""
    consented: bool | None = None
    """True if the user opted out of the sale of data."""
    timestamp_unixtime_ms: Milliseconds | None = None
    """When the user decided, in ms since 1970."""
    location: str | None = None
    """Where the user decided: a page or a form, as free text."""
    hardware_id: str | None = None
    """The device on which the user decided, such as `IDFA:…`."""
    regulation: str | None = None
    """The regulation, where it is told here too."""


class ConsentState(Model):
    """All consents of a batch's user (`batch-schema.md §2.6`)."""

    ccpa: dict[str, CCPAConsentState] = field(default_factory=dict)
    """The state under the one name `data_sale_opt_out`. Not written while empty."""
    gdpr: dict[str, GDPRConsentState] = field(default_factory=dict)
    """A state for each purpose, by the purpose's name as the workspace defines it. Not written while empty."""

    def writes_too_much(self) -> bool:
        """For None in place of a map."""
        return any(consents is None for consents in (self.ccpa, self.gdpr))
