"""Every error code that the SDK knows is one of our errors, and none carries a secret."""

import importlib
from typing import Any

import httpx
import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from mcp_tencent import errors
from mcp_tencent.cloud.tencentcloud.errors import (
    from_code,
    from_sdk,
    from_status,
    kind_of,
    without_secrets,
)
from mcp_tencent.cloud.transport import from_transport
from mcp_tencent.errors import CloudError


def codes_of_the_sdk() -> list[str]:
    found = set()
    for module in ("cls.v20201016", "tke.v20180525", "tke.v20220501", "monitor.v20180724"):
        names = vars(importlib.import_module(f"tencentcloud.{module}.errorcodes"))
        found |= {value for name, value in names.items() if name.isupper() and isinstance(value, str)}
    return sorted(found)


def test_the_sdk_still_lists_its_codes():
    assert len(codes_of_the_sdk()) > 350


@pytest.mark.parametrize("code", codes_of_the_sdk())
def test_every_code_of_the_sdk_is_a_definite_error(code):
    kind = kind_of(code)
    assert kind is not CloudError
    assert kind not in (
        errors.AccessRefused,
        errors.ResourceError,
        errors.RequestRefused,
        errors.LimitReached,
    )


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AuthFailure.SignatureExpire", errors.SignatureExpired),
        ("AuthFailure.SignatureFailure", errors.CredentialsRefused),
        ("AuthFailure.SecretIdNotFound", errors.CredentialsRefused),
        ("AuthFailure.InvalidSecretId", errors.CredentialsRefused),
        ("AuthFailure.TokenFailure", errors.CredentialsRefused),
        ("AuthFailure.UnauthorizedOperation", errors.PermissionMissing),
        ("UnauthorizedOperation", errors.PermissionMissing),
        ("UnauthorizedOperation.CamNoAuth", errors.PermissionMissing),
        ("RequestLimitExceeded", errors.Throttled),
        ("RequestLimitExceeded.UinLimitExceeded", errors.Throttled),
        ("LimitExceeded.LogSearch", errors.Throttled),
        ("LimitExceeded", errors.QuotaExceeded),
        ("LimitExceeded.Topic", errors.QuotaExceeded),
        ("ResourceInsufficient.SpecifiedInstanceType", errors.OutOfStock),
        ("FailedOperation.TradeInsufficientBalance", errors.PaymentDue),
        ("FailedOperation.SyntaxError", errors.InvalidQuery),
        ("FailedOperation.SearchTimeout", errors.DeadlineExceeded),
        ("FailedOperation.TopicClosed", errors.WrongState),
        ("FailedOperation", errors.ServiceFault),
        ("InternalError", errors.ServiceFault),
        ("ResourceNotFound.TopicNotExist", errors.NotFound),
        ("InternalError.ClusterNotFound", errors.NotFound),
        ("InvalidParameter.LogsetConflict", errors.AlreadyExists),
        ("FailedOperation.TagConcurrentConflict", errors.Conflict),
        ("ResourceInUse", errors.WrongState),
        ("ResourceUnavailable.ClusterState", errors.WrongState),
        ("UnsupportedRegion", errors.Unsupported),
        ("UnsupportedOperation.UnsupportedRegion", errors.Unsupported),
        ("InvalidAction", errors.Unsupported),
        ("NoSuchVersion", errors.Unsupported),
        ("MissingParameter", errors.InvalidRequest),
        ("InvalidParameter", errors.InvalidRequest),
        ("InvalidParameterValue", errors.InvalidRequest),
        ("UnknownParameter", errors.InvalidRequest),
        ("RequestSizeLimitExceeded", errors.InvalidRequest),
    ],
)
def test_the_codes_that_are_met_most_mean_what_they_should(code, kind):
    assert kind_of(code) is kind


def test_a_code_of_no_family_is_still_ours_and_is_never_retried():
    error = from_code("BrandNew.Thing", "unheard of", "r-1")
    assert type(error) is CloudError
    assert not error.retryable
    assert str(error) == "unheard of [BrandNew.Thing] (request r-1)"


@pytest.mark.parametrize(
    ("message", "position"),
    [
        ("syntax error (at position 17)", 17),
        ("line 1:42 mismatched input", 42),
        ("unexpected token, offset: 3", 3),
        ("something is wrong", None),
    ],
)
def test_a_syntax_error_knows_where(message, position):
    error = from_code("FailedOperation.SyntaxError", message, "")
    assert isinstance(error, errors.InvalidQuery)
    assert error.position == position


def test_secrets_in_a_message_are_masked():
    key, identifier = "hunter2hunter2hunter2", "AKID" + "x" * 32
    error = from_sdk(
        TencentCloudSDKException("AuthFailure", f"bad {key} of {identifier}, Bearer abcdefgh12345678", "r"),
        secrets=(key, ""),
    )
    assert str(error) == "bad *** of ***, *** [AuthFailure] (request r)"


def test_ordinary_words_are_not_masked():
    text = "The bearer of bad news: ResourceNotFound, 令牌 expired, akid, eyJ"
    assert without_secrets(text, ()) == text


def every_subclass(kind: type[Any]) -> list[type[Any]]:
    return [found for sub in kind.__subclasses__() for found in (sub, *every_subclass(sub))]


TRANSPORT_ERRORS = [
    kind
    for kind in every_subclass(httpx.HTTPError)
    if kind.__module__.startswith("httpx") and kind is not httpx.HTTPStatusError
]


@pytest.mark.parametrize("kind", TRANSPORT_ERRORS, ids=lambda kind: kind.__name__)
def test_every_transport_error_of_httpx_is_ours(kind):
    assert isinstance(from_transport(kind("broken")), errors.Unavailable)


def test_a_request_that_never_left_is_told_apart():
    refused, cut = from_transport(httpx.ConnectError("refused")), from_transport(httpx.ReadError("reset"))
    assert isinstance(refused, errors.NetworkFault)
    assert isinstance(cut, errors.NetworkFault)
    assert (refused.sent, cut.sent) == (False, True)


def test_a_bad_certificate_is_not_a_network_that_may_recover():
    error = from_transport(httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate"))
    assert isinstance(error, errors.CertificateRefused)
    assert not error.retryable


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (429, errors.Throttled),
        (502, errors.ServiceFault),
        (302, errors.UnexpectedAnswer),
        (404, errors.UnexpectedAnswer),
    ],
)
def test_a_status_of_something_in_between_is_ours(status, kind):
    assert type(from_status(status, "<html>")) is kind
