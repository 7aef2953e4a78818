"""Errors of the Tencent Cloud SDK and its transport become errors of ours.

The codes are those of the SDK's errorcodes.py files and of the API's common error codes; rules go by the
words in them, first match wins, so that a new code of a known family is understood as well.
"""

# ruff: noqa: E501 - a table of patterns reads best with one rule a line

from __future__ import annotations

import re
from collections.abc import Iterable

from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from mcp_tencent import errors
from mcp_tencent.errors import CloudError

_RULES: tuple[tuple[type[CloudError], str], ...] = (
    # Who is calling
    (errors.SignatureExpired, r"^AuthFailure\.SignatureExpire"),
    (errors.PermissionMissing, r"^AuthFailure\.(UnauthorizedOperation|AccessCAMFail)"),
    (errors.CredentialsRefused, r"^AuthFailure|^InvalidCredential|MissAKSK|SecretIdOrSecretKey|UserNotAuthenticated"),
    (errors.CredentialsRefused, r"AccountNotExists|InvalidAppId"),
    (errors.PermissionMissing, r"^UnauthorizedOperation|CamNoAuth|RBAC|ACLFailed|IllegalRole|GetAuthFailed"),
    (errors.PermissionMissing, r"NotVerified|NotInWhitelist|AccessSTS"),
    # Too often, too much, too dear
    (errors.Throttled, r"^RequestLimitExceeded|QpsLimit|TrafficLimit"),
    (errors.Throttled, r"\.(LogSearch|SearchResources|LimitedAccess|ServerBusy)$"),
    (errors.PaymentDue, r"InsufficientBalance|NoPaymentAccess|ErrOwed|RechargeOutOfLimit"),
    (errors.PaymentDue, r"AccountIsolate|AccountDestroy|TopicIsolated"),
    (errors.OutOfStock, r"^ResourcesSoldOut|^ResourceInsufficient"),
    (errors.InvalidRequest, r"SearchResultTooLarge|LimitExceeded\.LogSize|^(Request|Response)SizeLimitExceeded"),
    (errors.Conflict, r"IndexOperating"),
    (errors.QuotaExceeded, r"LimitExceeded|Quota|ReachLimit|OutOfLimit|CreateInstanceLimited"),
    # What was asked
    (errors.InvalidQuery, r"\.(SyntaxError|QueryError|DivisionByZero)$"),
    (errors.Unsupported, r"^Unsupported|NotSupport|UnsupportedProduct|DeprecatedAPI|(Region|Zone)Unavailable"),
    (errors.Unsupported, r"^InvalidAction|^NoSuch(Version|Product|Action)|^ActionOffline|AnalysisSwitchClose"),
    # The thing spoken of
    (errors.NotFound, r"^ResourceNotFound|Not(Found|Exists?)$|BucketNoFile"),
    (errors.Conflict, r"ConcurrentConflict|AlreadyRunning|ResourceConflict|ResourceOperating|CrossAccountConflict"),
    (errors.AlreadyExists, r"^(?!.*(Cidr|Policy)).*Conflict|Duplicat|DupTask|AlreadyEnabled"),
    (errors.AlreadyExists, r"ExistAlready|AlreadyExist|Exist(s|ed)?$"),
    (errors.WrongState, r"^ResourceInUse|^ResourceUnavailable|^OperationDenied|State(Error)?$|CvmStatus|NotEmpty"),
    (errors.WrongState, r"BindedAlarm|TopicClosed|TopicCreating|Forbidden|DeletionProtection|NotRunning|NotOpen"),
    (errors.WrongState, r"NotEnabled|NotAllowed|NotInUninstallStage|IndexSegmentOffloaded|NotToRetry"),
    (errors.DeadlineExceeded, r"Timeout$"),
    (errors.InvalidRequest, r"^(Invalid|Missing|Unknown)(Parameter|Filter|Request)|^DryRunOperation|^Client(Params)?Error$"),
    (errors.InvalidRequest, r"\.(Invalid|InValid|Missing|Param$|BadYaml|Cidr)|NotMatch$|ModifySystemField|AssociatedCidr"),
    # The other side
    (errors.NetworkFault, r"^(Client|Server)NetworkError"),
    (errors.ServiceFault, r"^Internal(Error|Failure)|^FailedOperation|^ServiceUnavailable"),
)  # fmt: skip
_COMPILED = tuple((re.compile(pattern), kind) for kind, pattern in _RULES)

_POSITION = re.compile(r"(?i)\b(?:position|offset|column|col)\b\D{0,4}(\d{1,6})|\bline \d+:(\d{1,6})")
_KEY_LIKE = re.compile(r"AKID[0-9A-Za-z]{8,}|(?i:bearer\s+)[\w.~+/=-]{8,}|eyJ[\w-]{8,}\.[\w.-]+")


def kind_of(code: str) -> type[CloudError]:
    """Return which of our errors an error code of the API is; CloudError itself for an unknown one."""
    for pattern, kind in _COMPILED:
        if pattern.search(code):
            return kind
    return CloudError


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """Return `text` with the known secrets, and whatever looks like a key or token, masked."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return _KEY_LIKE.sub("***", text)


def from_code(code: str, message: str, request_id: str, *, secrets: Iterable[str] = ()) -> CloudError:
    """Return our error for an Error object of the API."""
    kind = kind_of(code)
    detail = without_secrets(message, secrets)[:500] or "the cloud gave no reason"
    if issubclass(kind, errors.InvalidQuery):
        found = _POSITION.search(message)
        position = int(found[1] or found[2]) if found else None
        return kind(detail, position=position, code=code, request_id=request_id)
    return kind(detail, code=code, request_id=request_id)


def from_sdk(exc: TencentCloudSDKException, *, secrets: Iterable[str] = ()) -> CloudError:
    """Return our error for what the SDK raised."""
    message = exc.message.decode("utf-8", "replace") if isinstance(exc.message, bytes) else exc.message
    return from_code(str(exc.code or ""), str(message or ""), str(exc.requestId or ""), secrets=secrets)


def from_status(status: int, body_start: str) -> CloudError:
    """Return our error for an HTTP status other than 200, which the API itself never answers with."""
    detail = f"something before the API answered HTTP {status}: {body_start[:120]!r}"
    if status == 429:
        return errors.Throttled(detail, code=f"HTTP {status}")
    if status >= 500:
        return errors.ServiceFault(detail, code=f"HTTP {status}")
    return errors.UnexpectedAnswer(detail, code=f"HTTP {status}")
