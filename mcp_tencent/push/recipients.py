"""To whom a report goes: the target named, else the person's own, else the house's (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum

from mcp_tencent.push.channels import CHANNEL_NAMES, Channel, Target, parse_target
from mcp_tencent.push.errors import ChannelNotConfigured, TargetInvalid
from mcp_tencent.push.records import DeliveryPreference


class Choice(StrEnum):
    """Channels as they are asked for."""

    EMAIL = "email"
    DINGTALK = "dingtalk"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What the settings say about the channels.

    Args:
        channels: Those that are set up.
        robots: Names of the DingTalk robots.
        allowed_domains: Where mail may go; empty = anywhere.
        defaults: Where reports go that are nobody's in particular.
    """

    channels: Set[Channel]
    robots: Set[str] = frozenset()
    allowed_domains: Set[str] = frozenset()
    defaults: Mapping[Channel, str]

    def target(self, channel: Channel, text: str) -> Target:
        """Return the target that a text names; see `parse_target` for the errors."""
        return parse_target(channel, text, robots=self.robots, allowed_domains=self.allowed_domains)


def recipients(
    choice: Choice, to: str | None, preferences: Sequence[DeliveryPreference], house: House
) -> Sequence[Target]:
    """Return the targets of a report, at least one.

    A channel that is named is used even where its automatic copies are switched off; `all` means those that
    are switched on.

    Raises:
        ChannelNotConfigured: the channel, or every channel, is not set up.
        TargetInvalid: the target is none, or nobody has said where to.
    """
    if choice is Choice.ALL:
        if to is not None:
            raise TargetInvalid(
                "channel=all takes no target: name the channel", spoken="请说明是发邮件还是发钉钉。"
            )
        found = [
            target
            for channel in sorted(house.channels)
            if (target := _usual(channel, preferences, house, automatic=True)) is not None
        ]
        if not found:
            raise TargetInvalid(
                "no channel has a target", spoken="还没有设置接收方式，请先告诉我邮箱或钉钉群。"
            )
        return found
    channel = Channel(choice.value)
    name = CHANNEL_NAMES[channel]
    if channel not in house.channels:
        raise ChannelNotConfigured(f"{channel.value} is not set up", spoken=f"{name}还没有配置。")
    target = (
        house.target(channel, to) if to is not None else _usual(channel, preferences, house, automatic=False)
    )
    if target is None:
        raise TargetInvalid(
            f"no target for {channel.value} is known", spoken=f"{name}要发给谁？请说一个地址。"
        )
    return [target]


def _usual(
    channel: Channel, preferences: Sequence[DeliveryPreference], house: House, *, automatic: bool
) -> Target | None:
    """Return where reports usually go on a channel, or None; a person's word stands before the house's."""
    for preference in preferences:
        if preference.channel is channel:
            if automatic and not preference.enabled:
                return None
            return house.target(channel, preference.target)
    default = house.defaults.get(channel)
    return None if default is None else house.target(channel, default)
