"""What can go wrong between us and the clouds, each with the sentence that a person hears.

    CloudError
    ├── AccessRefused            who we are, or what we may do
    │   ├── AccountMissing       no account is configured at all
    │   ├── CredentialsRefused   unknown, disabled or wrong key or token
    │   ├── SignatureExpired     our clock is off, or a token has run out
    │   └── PermissionMissing    known, but not allowed
    ├── ResourceError            the thing spoken of
    │   ├── NotFound
    │   ├── Ambiguous            several answer to that name
    │   ├── Conflict             somebody changed it meanwhile
    │   │   └── AlreadyExists
    │   └── WrongState           it cannot do that now
    ├── RequestRefused           what we asked
    │   ├── InvalidRequest
    │   │   └── InvalidPeriod    a stretch of time that makes no sense
    │   │       └── PeriodTooLong    … or is longer than can be looked at
    │   ├── InvalidQuery         a search or analysis that does not parse; knows where
    │   └── Unsupported          this cloud, region or version has no such thing
    ├── LimitReached
    │   ├── Throttled            too often; later is fine           (a read is retried)
    │   ├── QuotaExceeded        no more of it until someone raises the quota or cleans up
    │   ├── OutOfStock           the cloud has no such machines left
    │   └── PaymentDue           unpaid bills
    ├── Unavailable              the other side does not answer well (a read is retried)
    │   ├── NetworkFault         it cannot be reached               (a read is retried)
    │   │   └── CertificateRefused   it does not prove who it is
    │   ├── ServiceFault         it says itself that it is broken   (a read is retried)
    │   └── UnexpectedAnswer     what came back is not what was agreed
    ├── DeadlineExceeded         no answer in the time given
    ├── OutcomeUnknown           a write went out and nobody can say whether it took effect
    └── ToolFailed               a tool answered with an error of its own: one of the above, or the gateway's

Errors of libraries become one of these at the edge (`errors.py` of `cloud/tencentcloud` and
`cloud/lightkube`, `cloud/transport.py`), with `raise … from`. `str(error)` is English for logs; `spoken` is
Chinese for people; neither holds a secret.
"""

# ruff: noqa: N818 - an error is named for what happened; the base class says that it is one

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class CloudError(Exception):
    """Something between us and a cloud went wrong.

    Args:
        detail: What happened, in English, without secrets.
        code: The cloud's own code, e.g. ResourceNotFound.TopicNotExist or HTTP 409; empty when it has none.
        request_id: Names the call in a conversation with the cloud's support; empty when there was none.
    """

    sentence: ClassVar[str] = "云上操作出错了"
    hint: ClassVar[str] = "See the log for the cause."
    retryable: ClassVar[bool] = False
    """Whether the same read may succeed a moment later."""

    def __init__(self, detail: str, *, code: str = "", request_id: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.request_id = request_id

    def __str__(self) -> str:
        named = f"{self.detail} [{self.code}]" if self.code else self.detail
        return f"{named} (request {self.request_id})" if self.request_id else named

    @property
    def spoken(self) -> str:
        """One short Chinese sentence, fit to be spoken."""
        return self.sentence


class AccessRefused(CloudError):
    """The cloud does not let us."""

    sentence = "云账号没有通过验证"
    hint = "Check the account's key and permissions; `xiaozhi doctor` names what is missing."


class AccountMissing(AccessRefused):
    """No account is configured that could be asked."""

    sentence = "还没有配置云账号"
    hint = "Set cloud.accounts.NAME.secret_id and secret_key with `xiaozhi config set`."


class CredentialsRefused(AccessRefused):
    """The key or token is unknown, disabled or wrong."""

    sentence = "云账号的密钥不对，登录不了"
    hint = "Enter SecretId and SecretKey again; check that the key is enabled in the CAM console."


class SignatureExpired(AccessRefused):
    """The signature's time is too far from the cloud's."""

    sentence = "设备时间不准，云端拒绝了请求"
    hint = "Set the clock (NTP); the cloud accepts five minutes of difference at most."


class PermissionMissing(AccessRefused):
    """We are known, but may not do this."""

    sentence = "云账号没有这项权限"
    hint = "Grant the account the named CAM action or Kubernetes role."


class ResourceError(CloudError):
    """The thing that was spoken of is not as expected."""

    sentence = "要找的资源有问题"
    hint = "Look the resource up in the console."


class NotFound(ResourceError):
    """There is no such thing.

    Args:
        detail: As in CloudError.
        wanted: In Chinese, what was looked for, e.g. “叫‘订单’的集群”; empty when that is not known.
        code: As in CloudError.
        request_id: As in CloudError.
    """

    sentence = "没有找到这个资源"
    hint = "Check name, namespace, cluster and region."

    def __init__(self, detail: str, *, wanted: str = "", code: str = "", request_id: str = "") -> None:
        super().__init__(detail, code=code, request_id=request_id)
        self._wanted = wanted

    @property
    def spoken(self) -> str:
        """Say what there is not."""
        return f"没有找到{self._wanted}" if self._wanted else self.sentence


class Ambiguous(ResourceError):
    """Several things answer to that name.

    Args:
        detail: As in CloudError.
        candidates: The names that fit, best first.
    """

    sentence = "有好几个名字相近的，请说得再具体些"
    hint = "Use one of the candidates, or its id."

    def __init__(self, detail: str, *, candidates: Sequence[str] = (), code: str = "") -> None:
        super().__init__(detail, code=code)
        self.candidates = tuple(candidates)

    @property
    def spoken(self) -> str:
        """Name at most three candidates to choose from."""
        if not self.candidates:
            return self.sentence
        if len(self.candidates) == 1:
            return f"没有完全对得上的名字，您说的是{self.candidates[0]}吗"
        return f"有{len(self.candidates)}个相近的：{'、'.join(self.candidates[:3])}，您说的是哪一个"


class Conflict(ResourceError):
    """Somebody changed it meanwhile, or another operation is under way."""

    sentence = "刚好有别的改动，这次没有执行"
    hint = "Look at the present state, then try again."


class AlreadyExists(Conflict):
    """There is one already, and it is not ours."""

    sentence = "同名的已经存在"
    hint = "Choose another name, or change the one that exists."


class WrongState(ResourceError):
    """It exists, but cannot do that in its present state."""

    sentence = "它现在的状态做不了这个操作"
    hint = "Wait until it is running, or free it from what holds it."


class RequestRefused(CloudError):
    """What we asked makes no sense to the cloud."""

    sentence = "请求没有被接受"
    hint = "See the detail for the parameter."


class InvalidRequest(RequestRefused):
    """A parameter is missing, of the wrong type, or out of range."""

    sentence = "请求的参数不对"
    hint = "See the detail for the parameter."


class InvalidPeriod(InvalidRequest):
    """A stretch of time that cannot be understood or is not possible."""

    sentence = "没听懂时间范围，可以说最近一小时、今天或者昨天"
    hint = 'Use "15m" "1h" "24h" "7d", "today", "yesterday", a date, or start/end in ISO 8601 with offset.'


class PeriodTooLong(InvalidPeriod):
    """A stretch of time that is understood, but longer than can be looked at."""

    sentence = "时间范围太长了，请说短一些"
    hint = "Ask for a shorter period; the detail says how long it may be."


class InvalidQuery(RequestRefused):
    """A search or analysis that does not parse.

    Args:
        detail: As in CloudError.
        position: Where it stops making sense, counted in characters from 0; None when the cloud does not say.
        code: As in CloudError.
        request_id: As in CloudError.
    """

    sentence = "查询语句写得不对"
    hint = "Check quotes, brackets and AND/OR near the position."

    def __init__(
        self, detail: str, *, position: int | None = None, code: str = "", request_id: str = ""
    ) -> None:
        super().__init__(detail, code=code, request_id=request_id)
        self.position = position


class Unsupported(RequestRefused):
    """This cloud, region, cluster version or topic type has no such thing."""

    sentence = "这里不支持这个操作"
    hint = "Check region, cluster version and topic type."


class LimitReached(CloudError):
    """There is no more of it at present."""

    sentence = "达到了云上的限制"
    hint = "See the detail for the limit."


class Throttled(LimitReached):
    """Too many requests in too short a time."""

    sentence = "云端说请求太频繁，请稍后再试"
    hint = "Wait some seconds; lower the request rate in the settings if it happens often."
    retryable = True


class QuotaExceeded(LimitReached):
    """A quota is used up."""

    sentence = "云上的配额用完了"
    hint = "Raise the quota or delete what is not needed."


class OutOfStock(LimitReached):
    """The cloud has no such machines left in that zone."""

    sentence = "云上这种机型暂时没有了"
    hint = "Choose another instance type or zone."


class PaymentDue(LimitReached):
    """The account is suspended, or has no money for it."""

    sentence = "云账号欠费或者余额不足"
    hint = "Top up the account."


class Unavailable(CloudError):
    """The other side does not answer as it should."""

    sentence = "云端暂时没有响应"
    hint = "Try again in a minute; see the cloud's status page."
    retryable = True


class NetworkFault(Unavailable):
    """The cloud cannot be reached, or the connection broke.

    Args:
        detail: As in CloudError.
        sent: False when the request certainly never left, so that a write certainly had no effect.
        code: As in CloudError.
        request_id: As in CloudError.
    """

    sentence = "网络不通，连不上云端"
    hint = "Check the network, DNS and any proxy or firewall."

    def __init__(self, detail: str, *, sent: bool = True, code: str = "", request_id: str = "") -> None:
        super().__init__(detail, code=code, request_id=request_id)
        self.sent = sent


class CertificateRefused(NetworkFault):
    """The other side's certificate is not to be trusted."""

    sentence = "云端的证书有问题，为了安全没有连接"
    hint = "Check the clock, the CA in the kubeconfig, and whether a proxy intercepts TLS."
    retryable = False


class ServiceFault(Unavailable):
    """The cloud says itself that something inside it failed."""

    sentence = "云端内部出错了，请稍后再试"


class UnexpectedAnswer(Unavailable):
    """What came back is not what was agreed: wrong content type, no JSON, nothing in it."""

    sentence = "云端返回的内容看不懂"
    hint = "Something between us and the cloud may have answered in its place (proxy, captive portal)."
    retryable = False


class DeadlineExceeded(CloudError):
    """No answer within the time that the whole operation was given."""

    sentence = "云端太慢，超时了"
    hint = "Ask for less at once (shorter period), or try again later."


class OutcomeUnknown(CloudError):
    """A write was sent, its answer was lost, and it may or may not have taken effect."""

    sentence = "请求发出去了，但是不确定有没有生效，请先看一下现状"
    hint = "Look at the present state before repeating; repeat with the same idempotency key."


class ToolFailed(CloudError):
    """A tool answered with an error; what it said of itself is kept.

    Args:
        tool: Which.
        code: Its stable code, e.g. not_found, plan_refused, outcome_unknown, rate_limited.
        detail: English, for the log.
        spoken: The sentence that a person hears.
        hint: What to do about it.
        retryable: Whether the same call may succeed later.
        retry_after_s: Seconds after which it makes sense to try again; None when it did not say.
    """

    def __init__(
        self,
        tool: str,
        *,
        code: str,
        detail: str,
        spoken: str,
        hint: str = "",
        retryable: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(f"{tool}: {detail}", code=code)
        self.tool = tool
        self.retryable = retryable  # type: ignore[misc]  # of this one failure, not of all of its kind
        self.hint = hint  # type: ignore[misc]
        self.retry_after_s = retry_after_s
        self._spoken = spoken

    @property
    def spoken(self) -> str:
        """What the tool says that a person hears."""
        return self._spoken
