"""What the plugin raises where a test asks for something impossible; failed assertions are plain AssertionErrors.

MParticleError
├── ClaimError          another test holds the API key
├── UsageError          a call that cannot be meant: an unknown filter, an impossible combination (a ValueError too)
├── ConditionError      a callable that was given as an expected value raised an exception
└── NoMemberError       an event, a batch or a request has no such member (a KeyError too)

MParticleWarning        a warning: production would drop, truncate or ignore something that a test sent
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


class MParticleError(Exception):
    """The plugin cannot do what a test asks; the message says why, and what to do."""


class ClaimError(MParticleError):
    """Another test holds the API key; the message names it."""


class UsageError(MParticleError, ValueError):
    """A call that cannot be meant; the message names what is valid."""


class ConditionError(MParticleError):
    """A callable that was given as an expected value raised an exception, which is the cause of this one."""


class NoMemberError(MParticleError, KeyError):
    """An event, a batch or a request has no such member; the message names those it has."""

    def __str__(self) -> str:
        return str(self.args[0])  # a KeyError shows its argument in quotes


class MParticleWarning(UserWarning):
    """Production would drop, truncate or ignore something that a test sent."""


def about_the_test(error: "pytest.ExceptionInfo[BaseException]") -> bool:
    """Whether a failure is about the test and not about us: as `__tracebackhide__` of a module, it keeps our frames out of it."""
    return isinstance(error.value, AssertionError | MParticleError)
