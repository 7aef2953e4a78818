r"""DingTalk group robots, signed, over HTTP with httpx.

Wire format (DingTalk's documentation of custom robots): POST to
`…/robot/send?access_token=<token>&timestamp=<ms>&sign=<sign>`, where
sign = url-encode(base64(HMAC-SHA256(key=secret, message="<timestamp>\n<secret>"))).
An answer is HTTP 200 with `{"errcode": 0}`; every other errcode is a failure in spite of the 200.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from mcp_tencent.push.errors import (
    ChannelNotConfigured,
    SendBlocked,
    SendFailed,
    SendRefused,
    SendUnavailable,
)
from mcp_tencent.push.message import Report
from mcp_tencent.push.pacing import RateLimit
from mcp_tencent.push.senders.message_dingtalk import dingtalk_messages
from mcp_tencent.push.senders.sender import Parcel, Receipt

ENDPOINT = "https://oapi.dingtalk.com"
ROBOT_LIMIT = RateLimit(messages=18, per_s=60.0)
"""The provider allows 20 a minute and blocks for ten after the 21st; two are left for clocks that differ."""
BLOCKED_FOR_S = 600.0
TIMEOUT_S = 15.0

_RATE_CODES = frozenset({130101, 410100})
_TEMPORARY_CODES = frozenset({-1})
_SPOKEN = {
    300001: "钉钉机器人的令牌不对。",
    310000: "钉钉机器人没有通过安全校验，请检查加签密钥、关键词和 IP 白名单。",
    400013: "钉钉群已经解散。",
    400101: "钉钉机器人的令牌不存在。",
    400102: "钉钉机器人已经停用。",
    400106: "钉钉机器人不存在。",
    430101: "钉钉说消息里有不安全的链接。",
    430102: "钉钉说消息里有不合适的文字。",
    430104: "钉钉说消息里有不合适的内容。",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DingTalkRobot:
    """A robot of one group. Token and secret are credentials: they appear in no text that we write."""

    access_token: str = field(repr=False)
    secret: str = field(repr=False)
    keyword: str | None = None
    """The word that every message must contain, when the group's owner chose one."""


def sign(secret: str, timestamp_ms: int) -> str:
    """Return the signature of a request at `timestamp_ms`, base64, not yet URL-encoded."""
    message = f"{timestamp_ms}\n{secret}".encode()
    return base64.b64encode(hmac.digest(secret.encode(), message, hashlib.sha256)).decode()


class DingTalkSender:
    """Posts reports to the robots that the settings name.

    Args:
        robots: by the name that people use for the group.
        now: the wall clock; the provider refuses timestamps more than an hour off.
        endpoint: address of the DingTalk API.
        limit: messages that one robot may send.
    """

    def __init__(
        self,
        robots: Mapping[str, DingTalkRobot],
        *,
        now: Callable[[], datetime],
        endpoint: str = ENDPOINT,
        limit: RateLimit = ROBOT_LIMIT,
    ) -> None:
        self._robots = robots
        self._now = now
        self._endpoint = endpoint
        self._limit = limit
        _mask_request_log()

    def limit(self) -> RateLimit | None:
        """Return the robot's limit."""
        return self._limit

    def part_count(self, report: Report) -> int:
        """Return the number of messages that the report's length needs."""
        return len(dingtalk_messages(report))

    async def send(self, parcel: Parcel) -> Receipt:
        """Post one message to the robot that is the parcel's only recipient."""
        (name,) = parcel.recipients
        robot = self._robots.get(name)
        if robot is None:
            raise ChannelNotConfigured(
                f"no DingTalk robot is named {name!r}", spoken=f"没有叫{name}的钉钉机器人。"
            )
        body = dingtalk_messages(parcel.report, keyword=robot.keyword)[parcel.part]
        timestamp_ms = int(self._now().timestamp() * 1000)
        query = {
            "access_token": robot.access_token,
            "timestamp": str(timestamp_ms),
            "sign": sign(robot.secret, timestamp_ms),
        }
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
                response = await client.post(
                    f"{self._endpoint}/robot/send",
                    params=query,
                    content=body.encode(),
                    headers={"Content-Type": "application/json; charset=utf-8"},
                )
        except httpx.HTTPError as exc:
            raise SendUnavailable(
                f"no connection to DingTalk: {_without_secrets(str(exc), robot)}", spoken="暂时连不上钉钉。"
            ) from exc
        if (failure := _failure(response, robot)) is not None:
            raise failure
        return Receipt()


def _failure(response: httpx.Response, robot: DingTalkRobot) -> SendFailed | None:
    """Return what went wrong according to the provider's answer, or None when it took the message."""
    if response.status_code in {408, 429} or response.status_code >= 500:
        return SendUnavailable(f"DingTalk answered HTTP {response.status_code}", spoken="钉钉暂时不可用。")
    if response.status_code != 200:
        return SendRefused(f"DingTalk answered HTTP {response.status_code}", spoken="钉钉拒绝了请求。")
    try:
        answer = json.loads(response.content)
        code, text = int(answer["errcode"]), _without_secrets(str(answer.get("errmsg", "")), robot)
    except (ValueError, KeyError, TypeError):
        return SendUnavailable("DingTalk's answer is not its usual JSON", spoken="钉钉的回答看不懂。")
    if code == 0:
        return None
    reason = f"DingTalk errcode {code}: {text}"
    if code in _RATE_CODES:
        return SendBlocked(reason, spoken="钉钉限流了，稍后会接着发。", blocked_for_s=BLOCKED_FOR_S)
    if code == 310000 and "timestamp" in text.lower():
        # A device without a clock battery: right again as soon as it has asked a time server.
        return SendUnavailable(reason, spoken="设备时间不准，钉钉不收，时间对准后会再发。")
    if code in _TEMPORARY_CODES or code not in _SPOKEN:
        return SendUnavailable(reason, spoken=f"钉钉返回错误 {code}。")
    return SendRefused(reason, spoken=_SPOKEN[code])


def _without_secrets(text: str, robot: DingTalkRobot) -> str:
    for secret in (robot.access_token, robot.secret):
        text = text.replace(secret, "***")
    return " ".join(text.split())[:200]


_QUERY_SECRET = re.compile(r"(access_token|sign)=[^&\s\"']+")


class _QuerySecretFilter(logging.Filter):
    """Masks tokens in httpx's own log line of each request, which has the whole URL."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        masked = _QUERY_SECRET.sub(r"\1=***", message)
        if masked != message:
            record.msg, record.args = masked, ()
        return True


def _mask_request_log() -> None:
    logger = logging.getLogger("httpx")
    if not any(isinstance(existing, _QuerySecretFilter) for existing in logger.filters):
        logger.addFilter(_QuerySecretFilter())
