"""What a failure means for the policies: whose fault it is, and whether anything was done."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from mcp_tencent import errors as cloud
from mcp_tencent.gateway.errors import (
    DeadlineExceeded,
    GatewayError,
    NotNow,
    Refused,
    StoreUnavailable,
    ToolCrashed,
)

OUTAGES = (cloud.Unavailable, cloud.DeadlineExceeded, cloud.OutcomeUnknown, DeadlineExceeded)
"""The other side does not answer. Throttling is not among them: it answers, and says 'later'."""

UNDECIDED = (cloud.DeadlineExceeded, cloud.OutcomeUnknown, DeadlineExceeded, ToolCrashed)
"""After these nobody knows whether a write took effect."""


@runtime_checkable
class Explained(Protocol):
    """An error that was foreseen: it can say in Chinese what is wrong."""

    @property
    def spoken(self) -> str:
        """One short Chinese sentence."""
        ...


def foreseen(error: BaseException) -> bool:
    """Tell whether a tool raised `error` on purpose; anything else is a bug."""
    return isinstance(error, Exception) and isinstance(error, Explained)


def is_outage(error: BaseException) -> bool:
    """Tell whether `error` counts against the system behind the tool."""
    return isinstance(error, OUTAGES)


def nothing_done(error: BaseException) -> bool:
    """Tell whether it is certain that nothing was changed and that the same call may simply come again."""
    if isinstance(error, UNDECIDED):
        return False
    if isinstance(error, GatewayError):
        return isinstance(error, Refused | NotNow | StoreUnavailable)
    return foreseen(error) and bool(getattr(error, "retryable", False))


def is_final(error: BaseException) -> bool:
    """Tell whether `error` is the act's own outcome, to be given again when the key comes again."""
    return foreseen(error) and not isinstance(error, (*UNDECIDED, GatewayError)) and not nothing_done(error)
