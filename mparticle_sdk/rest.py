"""The place where programs for the official SDK look for `ApiException`: `mparticle.rest.ApiException`."""

from .errors import ApiException

__all__ = ["ApiException"]
