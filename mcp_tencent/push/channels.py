"""Channels and targets: what people say, checked and brought into one form (pure)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Set
from dataclasses import dataclass
from enum import StrEnum

from mcp_tencent.push.errors import ChannelNotConfigured, TargetInvalid

DEFAULT_ROBOT = "default"

_MOBILE = re.compile(r"(?:\+?86-?)?(1[3-9]\d{9})")
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]")
_CREDENTIAL = re.compile(r"(?i)access_token|https?://|^SEC[0-9a-f]{16,}$|^[0-9a-f]{32,}$")


class Channel(StrEnum):
    """The ways out that exist."""

    EMAIL = "email"
    DINGTALK = "dingtalk"


CHANNEL_NAMES = {Channel.EMAIL: "邮件", Channel.DINGTALK: "钉钉"}
"""As spoken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a report goes on one channel, in canonical form: equal targets are equal texts."""

    channel: Channel
    recipients: tuple[str, ...]
    """E-mail addresses, sorted and distinct, or the one robot's name."""
    mentions: tuple[str, ...] = ()
    """Mobile numbers to be called by name in the group."""

    @property
    def text(self) -> str:
        """The target as it is stored and shown; `parse_target` reads it back."""
        return ",".join(self.recipients + tuple(f"@{mobile}" for mobile in self.mentions))

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that stand for the target in ids, which must not carry addresses."""
        return hashlib.sha256(f"{self.channel}\n{self.text}".encode()).hexdigest()[:12]


def parse_target(
    channel: Channel, text: str, *, robots: Set[str], allowed_domains: Set[str] = frozenset()
) -> Target:
    """Return the target that a text names.

    Args:
        channel: what it is a target of.
        text: for e-mail one or more addresses; for DingTalk a robot's name and mobile numbers to mention (the
            number alone means the default robot). Separated by comma, semicolon, 、 or blank.
        robots: the robots that are configured.
        allowed_domains: where mail may go (a domain covers its subdomains); empty = anywhere.

    Raises:
        TargetInvalid: it is not one; the message never repeats what may be a credential.
        ChannelNotConfigured: it names a robot that is not configured.
    """
    words = [word for word in re.split(r"[,，;；、\s]+", text.strip()) if word]
    if not words:
        raise TargetInvalid("the target is empty", spoken="要发给谁？请说一个地址。")
    if any(_CREDENTIAL.search(word) for word in words):
        raise TargetInvalid(
            "a robot's address or token is no target: put it into the settings and name the robot here",
            spoken="机器人的地址和密钥请写在配置里，这里只说机器人的名字。",
        )
    if channel is Channel.EMAIL:
        addresses = {_email(word, allowed_domains) for word in words}
        return Target(channel=channel, recipients=tuple(sorted(addresses)))
    return _dingtalk(words, robots)


def _email(word: str, allowed_domains: Set[str]) -> str:
    local, at, domain = word.rpartition("@")
    valid = at and len(local) <= 64 and len(word) <= 254
    if not (valid and _LOCAL_PART.fullmatch(local) and _DOMAIN.fullmatch(domain)):
        raise TargetInvalid(
            f"{word[:80]!r} is not an e-mail address", spoken=f"{word[:40]}不是有效的邮箱地址。"
        )
    domain = domain.lower()
    if allowed_domains and not any(domain == own or domain.endswith(f".{own}") for own in allowed_domains):
        raise TargetInvalid(
            f"mail to {domain} is not allowed: allowed are {', '.join(sorted(allowed_domains))}",
            spoken=f"不允许把报告发到{domain}。",
        )
    return f"{local}@{domain}"


def _dingtalk(words: Iterable[str], robots: Set[str]) -> Target:
    names: list[str] = []
    mobiles: set[str] = set()
    for word in words:
        if mobile := _MOBILE.fullmatch(word.removeprefix("@")):
            mobiles.add(mobile[1])
        elif word.removeprefix("@").isdigit():
            raise TargetInvalid(
                "a mobile number has 11 digits and begins with 13 to 19",
                spoken="手机号要有十一位，请再说一遍。",
            )
        else:
            names.append(word)
    if len(names) > 1:
        raise TargetInvalid("one robot at a time", spoken="一次只能发到一个钉钉群。")
    name = names[0] if names else DEFAULT_ROBOT
    if name not in robots:
        known = "、".join(sorted(robots)) or "无"
        raise ChannelNotConfigured(
            f"no DingTalk robot is named {name[:40]!r}: configured are {known}",
            spoken=f"没有叫{name[:20]}的钉钉机器人，已配置的有：{known}。"
            if robots
            else "还没有配置钉钉机器人。",
        )
    return Target(channel=Channel.DINGTALK, recipients=(name,), mentions=tuple(sorted(mobiles)))
