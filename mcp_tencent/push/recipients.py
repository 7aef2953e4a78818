"""To whom a report goes (pure).

Of a person: the target named, else their own, else the house's. Of a job: everybody who has copies come by
themselves, and whoever the settings name for the house.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from enum import StrEnum

from mcp_tencent.push.channels import CHANNEL_NAMES, Channel, Target, parse_target
from mcp_tencent.push.errors import ChannelNotConfigured, PushError, TargetInvalid
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
        defaults: Where a channel leads that is named without a target.
        copies: What gets the digest and every notice besides the people who want them, by channel.
    """

    channels: Set[Channel]
    robots: Set[str] = frozenset()
    allowed_domains: Set[str] = frozenset()
    defaults: Mapping[Channel, str] = field(default_factory=dict)
    copies: Mapping[Channel, Sequence[str]] = field(default_factory=dict)

    def target(self, channel: Channel, text: str) -> Target:
        """Return the target that a text names; see `parse_target` for the errors."""
        return parse_target(channel, text, robots=self.robots, allowed_domains=self.allowed_domains)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A target, and whose it is."""

    target: Target
    person: str | None = None
    """None: the house's, or that of several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Everybody who gets a job's report, each address and each group once."""

    recipients: tuple[Recipient, ...]
    skipped: tuple[str, ...] = ()
    """Why a wish could not be met, in Chinese; the others get theirs nevertheless."""


def audience(choice: Choice, to: str | None, wishes: Sequence[DeliveryPreference], house: House) -> Audience:
    """Return who gets a job's report; a target that is named is the only one.

    Args:
        choice: On which channel, or on all.
        to: The target named, if any.
        wishes: Of everybody.
        house: What the settings say.

    Raises:
        ChannelNotConfigured: The channel is not set up.
        TargetInvalid: Nobody wants copies, and the settings name nobody either.
    """
    if to is not None:
        (target,) = recipients(choice, to, (), house)
        owner = next(
            (one.person for one in wishes if (one.channel, one.target) == (target.channel, to)), None
        )
        return Audience(recipients=(Recipient(target=target, person=owner),))
    named = sorted(house.channels) if choice is Choice.ALL else [Channel(choice.value)]
    if choice is not Choice.ALL:
        _require(named[0], house)
    wanted = [
        *((one.channel, one.target, one.person) for one in wishes if one.enabled),
        *((channel, text, None) for channel, texts in house.copies.items() for text in texts),
    ]
    found: list[Recipient] = []
    skipped: list[str] = []
    for channel, text, person in wanted:
        if channel not in named:
            continue
        try:
            found.append(Recipient(target=house.target(channel, text), person=person))
        except PushError as error:
            skipped.append(error.spoken)
    if not found:
        raise TargetInvalid("nobody wants copies", spoken="还没有人设置接收方式。")
    return Audience(recipients=tuple(_each_once(found)), skipped=tuple(dict.fromkeys(skipped)))


def _each_once(found: Iterable[Recipient]) -> Sequence[Recipient]:
    """Leave out addresses that somebody before has; put all who share a group into one message to it."""
    served: set[str] = set()
    mails: list[Recipient] = []
    groups: dict[tuple[str, ...], Recipient] = {}
    for one in found:
        target = one.target
        if target.channel is Channel.EMAIL:
            fresh = tuple(address for address in target.recipients if address.lower() not in served)
            served |= {address.lower() for address in fresh}
            if fresh:
                mails.append(replace(one, target=replace(target, recipients=fresh)))
            continue
        before = groups.get(target.recipients)
        if before is not None:
            mentions = tuple(sorted({*before.target.mentions, *target.mentions}))
            one = Recipient(target=replace(target, mentions=mentions))
        groups[target.recipients] = one
    return [*mails, *groups.values()]


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
    _require(channel, house)
    target = (
        house.target(channel, to) if to is not None else _usual(channel, preferences, house, automatic=False)
    )
    if target is None:
        raise TargetInvalid(
            f"no target for {channel.value} is known",
            spoken=f"{CHANNEL_NAMES[channel]}要发给谁？请说一个地址。",
        )
    return [target]


def _require(channel: Channel, house: House) -> None:
    if channel not in house.channels:
        raise ChannelNotConfigured(
            f"{channel.value} is not set up", spoken=f"{CHANNEL_NAMES[channel]}还没有配置。"
        )


def _usual(
    channel: Channel, preferences: Sequence[DeliveryPreference], house: House, *, automatic: bool
) -> Target | None:
    """Return where reports usually go on a channel, or None; a person's word stands before the house's.

    What is sent on all channels goes to the person only: nothing is posted to a group that nobody has named.
    """
    for preference in preferences:
        if preference.channel is channel:
            if automatic and not preference.enabled:
                return None
            return house.target(channel, preference.target)
    default = None if automatic else house.defaults.get(channel)
    return None if default is None else house.target(channel, default)
