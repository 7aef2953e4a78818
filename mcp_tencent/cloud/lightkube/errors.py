"""Errors of lightkube and the HTTP client under it become errors of ours."""

from __future__ import annotations

from collections.abc import Mapping

import httpx2
import msgspec
from lightkube.core.exceptions import ApiError

from mcp_tencent import errors
from mcp_tencent.cloud.transport import from_transport
from mcp_tencent.errors import CloudError

LIBRARY_ERRORS = (
    httpx2.HTTPError,
    httpx2.InvalidURL,
    httpx2.StreamError,
    msgspec.MsgspecError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
)
"""All that a call through lightkube can raise; the last four stand for answers it cannot read."""

_BY_REASON: Mapping[str, type[CloudError]] = {
    "AlreadyExists": errors.AlreadyExists,
    "Expired": errors.Conflict,
    "ServerTimeout": errors.ServiceFault,
    "Timeout": errors.ServiceFault,
    "TooManyRequests": errors.Throttled,
}
"""metav1.StatusReason, where it says more than the status."""

_BY_STATUS: Mapping[int, type[CloudError]] = {
    400: errors.InvalidRequest,
    401: errors.CredentialsRefused,
    403: errors.PermissionMissing,
    404: errors.NotFound,
    405: errors.Unsupported,
    406: errors.Unsupported,
    409: errors.Conflict,
    410: errors.Conflict,
    413: errors.InvalidRequest,
    415: errors.Unsupported,
    422: errors.InvalidRequest,
    429: errors.Throttled,
    501: errors.Unsupported,
}


def kind_of_status(status: int, reason: str = "", message: str = "") -> type[CloudError]:
    """Return which of our errors an answer of the Kubernetes API is.

    Args:
        status: HTTP status.
        reason: Of the Status object; empty when there was none.
        message: Of the Status object; tells a used-up quota from a missing permission.
    """
    if reason in _BY_REASON:
        return _BY_REASON[reason]
    if status == 403 and "exceeded quota" in message:
        return errors.QuotaExceeded
    if status == 400 and "not found" in message:
        # The log of a container that never ran before.
        return errors.NotFound
    if status == 400 and "waiting to start" in message:
        return errors.WrongState
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return errors.ServiceFault
    return errors.UnexpectedAnswer


def from_lightkube(exc: BaseException) -> CloudError:
    """Return our error for what lightkube, or the HTTP client under it, raised."""
    if isinstance(exc, ApiError):
        status = exc.status.code or exc.response.status_code
        reason, message = exc.status.reason or "", (exc.status.message or "")[:500]
        kind = kind_of_status(status, reason, message)
        return kind(message or "the cluster gave no reason", code=f"HTTP {status} {reason}".strip())
    if isinstance(exc, httpx2.HTTPStatusError):
        status = exc.response.status_code
        return kind_of_status(status)(f"HTTP {status} without a reason", code=f"HTTP {status}")
    if isinstance(exc, httpx2.HTTPError | httpx2.InvalidURL | httpx2.StreamError):
        return from_transport(exc)
    behind = exc.__context__
    while behind is not None:
        if isinstance(behind, httpx2.HTTPStatusError):
            # lightkube stumbled over the body of an error; its status still says what it is.
            return from_lightkube(behind)
        behind = behind.__context__
    return errors.UnexpectedAnswer(f"the cluster's answer cannot be read: {type(exc).__name__}")
