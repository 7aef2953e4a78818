"""What the gateway refuses, each with the sentence that a person hears.

    GatewayError
    ├── Refused                    policy says no; nothing was done
    │   ├── CallerUnknown          nobody we know
    │   ├── NotPermitted           known, but not allowed
    │   ├── NamespaceNotPermitted  allowed, but not there
    │   ├── InvalidArguments       wrong, missing or unknown parameters
    │   ├── ConfirmationRequired   a person must say yes first; carries the token
    │   ├── ConfirmationRefused    wrong, expired or used token, or a no
    │   └── PlanRefused            a service job without an approved plan
    ├── KeyTrouble                 the idempotency key
    │   ├── KeyReused              it was used for something else
    │   ├── CallInProgress         the first call with it is still under way
    │   └── OutcomeUnknown         the first call with it died; nobody knows what it did
    ├── NotNow                     later perhaps
    │   ├── RateLimited
    │   ├── CircuitOpen            the system behind it does not answer; not asked again for a while
    │   └── DeadlineExceeded       the call took too long and was given up
    ├── StoreUnavailable           what must be recorded cannot be; nothing was done
    └── ToolCrashed                a bug in the tool; the cause is in the log, not in the answer

`str(error)` is English for logs, `spoken` is Chinese for people; neither holds a secret or an argument's
value.
"""

# ruff: noqa: N818 - an error is named for what happened; the base class says that it is one

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar


class GatewayError(Exception):
    """The gateway could not let a call through, or not to its end."""

    sentence: ClassVar[str] = "这个操作没有成功"
    hint: ClassVar[str] = "See the log for the cause."
    retryable: ClassVar[bool] = False
    """Whether the same call may succeed later."""

    @property
    def spoken(self) -> str:
        """One short Chinese sentence, fit to be spoken."""
        return self.sentence


class Refused(GatewayError):
    """Policy says no. Nothing was done."""

    sentence = "这个操作不允许"
    hint = "Ask an administrator."


class CallerUnknown(Refused):
    """Nobody we know is calling."""

    sentence = "我还不认识您，不能回答"
    hint = "Enrol the person, or present a bearer token."


class NotPermitted(Refused):
    """The caller lacks the permission."""

    sentence = "您没有这项操作的权限"
    hint = "An administrator grants it: `xiaozhi people grant NAME PERMISSION`."


class NamespaceNotPermitted(Refused):
    """The caller has the permission, but not in that namespace."""

    sentence = "您没有这个命名空间的操作权限"
    hint = "Name a namespace that the permission covers, or ask an administrator for this one."


class InvalidArguments(Refused):
    """The arguments do not fit the tool.

    Args:
        problems: One English sentence for each, naming the parameter but not the value.
    """

    sentence = "参数不对，没有执行"
    hint = "Read the tool's input schema; each problem names its parameter."

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class ConfirmationRequired(Refused):
    """A person must hear what is about to happen and say yes.

    Args:
        read_back: The sentence to read back, Chinese.
        token: Comes back with the call once the person has confirmed; good once.
        expires_at: Until when.
    """

    sentence = "这个操作需要您确认"
    hint = "Read the sentence to the person; on a yes, repeat the call with the token in _meta."

    def __init__(self, read_back: str, *, token: str, expires_at: datetime) -> None:
        super().__init__("confirmation required")
        self.read_back = read_back
        self.token = token
        self.expires_at = expires_at

    @property
    def spoken(self) -> str:
        """What to ask the person."""
        return self.read_back


class ConfirmationRefused(Refused):
    """The token is wrong, has expired, was used, or belongs to another call; or the person said no."""

    sentence = "确认没有通过，没有执行"
    hint = "Call again without a token to get a new one; it is good once, for the same call, for a minute."


class PlanRefused(Refused):
    """A service job may act only under a plan that the guards approve at this moment.

    Args:
        detail: English, for the log.
        guard: Which guard refused, in snake case; empty when there was no plan to judge.
        spoken: What the guard says, Chinese.
    """

    sentence = "自动处理没有得到批准，没有执行"
    hint = "See the healing policy: mode, windows, budgets, protected namespaces."

    def __init__(self, detail: str, *, guard: str = "", spoken: str = "") -> None:
        super().__init__(detail)
        self.guard = guard
        self._spoken = spoken

    @property
    def spoken(self) -> str:
        """Why nothing was done."""
        return f"{self._spoken}，没有执行" if self._spoken else self.sentence


class KeyTrouble(GatewayError):
    """Something about the idempotency key."""

    sentence = "这个请求的编号有问题"


class KeyReused(KeyTrouble):
    """The key was used before, for another tool, other arguments or by somebody else."""

    sentence = "这个请求编号已经用在别的操作上了，没有执行"
    hint = "Use a fresh key for a new intent; the same key only to repeat the very same call."


class CallInProgress(KeyTrouble):
    """The first call with this key is still under way."""

    sentence = "同一个操作正在执行，请稍等"
    hint = "Ask again with the same key; the recorded result comes when it is there."
    retryable = True


class OutcomeUnknown(KeyTrouble):
    """The first call with this key ended without telling how: nobody knows whether it took effect."""

    sentence = "上一次执行中断了，不确定有没有生效，请先看一下现状"
    hint = "Look at the present state; if it must be done (again), use a fresh key."


class NotNow(GatewayError):
    """It may work later.

    Args:
        detail: English, for the log.
        retry_after_s: Seconds after which it makes sense to try again.
    """

    sentence = "现在不行，请稍后再试"
    retryable = True

    def __init__(self, detail: str, *, retry_after_s: float) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class RateLimited(NotNow):
    """Too many calls by this caller in a minute."""

    sentence = "问得太频繁了，请稍等一会儿"
    hint = "Wait for retry_after_s seconds."


class CircuitOpen(NotNow):
    """The system behind the tool failed repeatedly and is left alone for a while."""

    sentence = "对方系统暂时连不上，我过一会儿再试"
    hint = "Wait for retry_after_s seconds; `xiaozhi doctor` checks the connection."


class DeadlineExceeded(NotNow):
    """The call took longer than it was given and was cancelled."""

    sentence = "等太久了，先停下来了"
    hint = "Ask for less at once. After a write, look at the present state first."


class StoreUnavailable(GatewayError):
    """Audit or idempotency cannot be recorded, and so nothing may be changed."""

    sentence = "现在没法记录操作，为了安全没有执行"
    hint = "Check the database: disk space, permissions, connection."
    retryable = True


class ToolCrashed(GatewayError):
    """A tool raised what it should not have. The cause is in the log under the trace id."""

    sentence = "程序内部出错了"
    hint = "Report it with the trace id."


def code_of(error: Exception) -> str:
    """Return an error's stable code for machines, from its class: NotPermitted → not_permitted."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(error).__name__).lower()
