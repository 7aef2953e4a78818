"""Trying a channel out: one message, now, no second try."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

from mcp_tencent.push.channels import CHANNEL_NAMES, Channel, Target
from mcp_tencent.push.delivery import DeliveryStore
from mcp_tencent.push.delivery_steps import limited_by
from mcp_tencent.push.errors import ChannelNotConfigured, SendBlocked, SendRefused
from mcp_tencent.push.message import Report
from mcp_tencent.push.pacing import block, take_turn
from mcp_tencent.push.senders.sender import Parcel, Sender

TEST_REPORT = Report(
    reference="channel-test",
    title="小智测试消息",
    spoken="这是一条测试消息，收到说明推送正常。",
    markdown="收到这条消息，说明**推送正常**，无需处理。",
)


class ChannelTrial:
    """Sends test messages.

    Args:
        store: Keeps the pace of limited targets, which a test message counts towards.
        senders: The channels that are configured.
        now: The wall clock.
        new_key: Gives an id that was never given before.
    """

    def __init__(
        self,
        *,
        store: DeliveryStore,
        senders: Mapping[Channel, Sender],
        now: Callable[[], datetime],
        new_key: Callable[[], str],
    ) -> None:
        self._store = store
        self._senders = senders
        self._now = now
        self._new_key = new_key

    async def send(self, target: Target) -> None:
        """Send a test message; that it returns means that the provider took it for every recipient.

        Raises:
            SendFailed: it did not; the subclass and its words say why.
            ChannelNotConfigured: there is nothing to send with.
        """
        sender = self._senders.get(target.channel)
        if sender is None:
            raise ChannelNotConfigured(
                f"{target.channel.value} is not set up", spoken=f"{CHANNEL_NAMES[target.channel]}还没有配置。"
            )
        await self._take_turn(target, sender)
        parcel = Parcel(
            report=TEST_REPORT, recipients=target.recipients, part=0, key=self._new_key(), at=self._now()
        )
        try:
            receipt = await sender.send(parcel)
        except SendBlocked as exc:
            until = exc.blocked_for_s
            await asyncio.to_thread(
                self._store.change_pace, limited_by(target), lambda pace: block(pace, self._now(), until)
            )
            raise
        if receipt.refused:
            reasons = "; ".join(f"{one.recipient}: {one.reason}" for one in receipt.refused)
            raise SendRefused(f"not taken for {reasons}", spoken="有收件人被拒收，请检查地址。")

    async def _take_turn(self, target: Target, sender: Sender) -> None:
        """Take a turn under the provider's limit; one that is not now is refused: a test does not queue."""
        if (limit := sender.limit()) is None:
            return
        now = self._now()
        pace = await asyncio.to_thread(self._store.change_pace, limited_by(target), lambda pace: pace)
        wait_s = (take_turn(pace, limit, now)[1] - now).total_seconds()
        if wait_s > 0:
            raise SendBlocked(
                f"{target.channel.value} takes no message for {wait_s:.0f} s",
                spoken=f"{CHANNEL_NAMES[target.channel]}消息太多，请过{max(1, round(wait_s / 60))}分钟再试。",
                blocked_for_s=wait_s,
            )
        await asyncio.to_thread(
            self._store.change_pace, limited_by(target), lambda pace: take_turn(pace, limit, now)[0]
        )
