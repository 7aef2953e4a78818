"""Every answer of the Kubernetes API, and every fault on the way, is one of our errors."""

from typing import Any

import httpx2
import pytest

from mcp_tencent import errors
from mcp_tencent.cloud.lightkube.errors import from_lightkube, kind_of_status


@pytest.mark.parametrize(
    ("status", "reason", "message", "kind"),
    [
        (400, "BadRequest", "bad", errors.InvalidRequest),
        (400, "BadRequest", 'previous terminated container "app" in pod "p" not found', errors.NotFound),
        (
            400,
            "BadRequest",
            'container "app" in pod "p" is waiting to start: ImagePullBackOff',
            errors.WrongState,
        ),
        (401, "Unauthorized", "", errors.CredentialsRefused),
        (403, "Forbidden", 'User "x" cannot patch', errors.PermissionMissing),
        (403, "Forbidden", "exceeded quota: compute, requested: pods=1", errors.QuotaExceeded),
        (404, "NotFound", "", errors.NotFound),
        (405, "MethodNotAllowed", "", errors.Unsupported),
        (406, "NotAcceptable", "", errors.Unsupported),
        (409, "AlreadyExists", "", errors.AlreadyExists),
        (409, "Conflict", "the object has been modified", errors.Conflict),
        (410, "Expired", "", errors.Conflict),
        (410, "Gone", "", errors.Conflict),
        (413, "RequestEntityTooLarge", "", errors.InvalidRequest),
        (415, "UnsupportedMediaType", "", errors.Unsupported),
        (422, "Invalid", "spec.replicas", errors.InvalidRequest),
        (429, "TooManyRequests", "", errors.Throttled),
        (500, "InternalError", "", errors.ServiceFault),
        (500, "ServerTimeout", "", errors.ServiceFault),
        (501, "NotImplemented", "", errors.Unsupported),
        (503, "ServiceUnavailable", "", errors.ServiceFault),
        (504, "Timeout", "", errors.ServiceFault),
        (302, "", "", errors.UnexpectedAnswer),
    ],
)
def test_a_status_means_what_it_says(status, reason, message, kind):
    assert kind_of_status(status, reason, message) is kind


@pytest.mark.parametrize("status", range(400, 600))
def test_no_error_status_is_left_without_a_meaning(status):
    assert issubclass(kind_of_status(status), errors.CloudError)


def every_subclass(kind: type[Any]) -> list[type[Any]]:
    return [found for sub in kind.__subclasses__() for found in (sub, *every_subclass(sub))]


TRANSPORT_ERRORS = [
    kind
    for kind in every_subclass(httpx2.HTTPError)
    if kind.__module__.startswith("httpx2") and kind is not httpx2.HTTPStatusError
]


@pytest.mark.parametrize("kind", TRANSPORT_ERRORS, ids=lambda kind: kind.__name__)
def test_every_transport_error_is_ours(kind):
    assert isinstance(from_lightkube(kind("broken")), errors.Unavailable)


@pytest.mark.parametrize(
    "exc", [KeyError("Content-Type"), ValueError("x"), TypeError("x"), AttributeError("x")], ids=repr
)
def test_an_answer_that_cannot_be_read_is_our_error(exc):
    assert isinstance(from_lightkube(exc), errors.UnexpectedAnswer)


def test_a_bad_certificate_is_not_a_network_that_may_recover():
    error = from_lightkube(httpx2.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"))
    assert isinstance(error, errors.CertificateRefused)
    assert not error.retryable
