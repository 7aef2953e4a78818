"""What the push tools answer, and the sentences to it (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, Field

from mcp_tencent.push.channels import CHANNEL_NAMES, Target
from mcp_tencent.push.delivery import Delivery, DeliveryStatus
from mcp_tencent.push.records import DeliveryPreference

STATUS_WORDS = {
    DeliveryStatus.QUEUED: "排队中",
    DeliveryStatus.SENDING: "发送中",
    DeliveryStatus.FAILED: "等待重试",
    DeliveryStatus.SENT: "已送达",
    DeliveryStatus.DEAD: "发送失败",
}


class DeliveryLine(BaseModel):
    """One delivery."""

    id: str
    report: str = Field(description="Which report, e.g. digest-2026-11-20.")
    title: str
    channel: str
    target: str = Field(description="E-mail addresses, or the robot's name and @mobile numbers.")
    status: DeliveryStatus = Field(description="queued, sending, failed (tried again), sent or dead.")
    attempts: int
    reason: str | None = Field(description="Why it failed or did not reach everybody.")
    created_at: datetime
    next_attempt_at: datetime | None


class SendAnswer(BaseModel):
    """What became of a request to send a report."""

    summary: str
    dry_run: bool
    targets: list[str]
    deliveries: list[DeliveryLine] = Field(description="Empty when it was only checked.")
    skipped: list[str] = Field(default_factory=list, description="Why somebody's wish could not be met.")


class PreferenceLine(BaseModel):
    """Where somebody gets reports on one channel."""

    channel: str
    target: str
    enabled: bool = Field(description="Whether copies come by themselves, e.g. of the daily digest.")


class PreferencesAnswer(BaseModel):
    """Where somebody gets reports."""

    summary: str
    person: str
    dry_run: bool = False
    channels: list[PreferenceLine]


class TestAnswer(BaseModel):
    """Whether a channel works."""

    __test__ = False  # not a test case, in spite of its name

    summary: str
    dry_run: bool
    channel: str
    target: str


class DeliveriesAnswer(BaseModel):
    """Deliveries, newest first."""

    summary: str
    deliveries: list[DeliveryLine]
    left_out: int = Field(description="How many more there are.")
    cursor: str | None = Field(description="Pass it on to get the next ones.")


def delivery_line(delivery: Delivery) -> DeliveryLine:
    """Return a delivery as it is shown."""
    return DeliveryLine(
        id=delivery.id,
        report=delivery.report.reference,
        title=delivery.report.title,
        channel=delivery.target.channel.value,
        target=delivery.target.text,
        status=delivery.status,
        attempts=delivery.attempts,
        reason=delivery.reason,
        created_at=delivery.created_at,
        next_attempt_at=delivery.next_attempt_at,
    )


def where(target: Target) -> str:
    """Return a target as it is spoken of: 邮件（ops@example.com）."""
    return f"{CHANNEL_NAMES[target.channel]}（{target.text}）"


def sending_summary(targets: Sequence[Target], *, title: str, dry_run: bool) -> str:
    """Say where a report is going; that it is on its way is all that is known at this moment."""
    places = "、".join(where(target) for target in targets)
    return f"试运行：会把《{title}》发到{places}。" if dry_run else f"正在把《{title}》发到{places}。"


def preferences_summary(person: str, preferences: Sequence[DeliveryPreference], *, dry_run: bool) -> str:
    """Say where a person gets reports."""
    if not preferences:
        return f"{person}还没有设置接收方式。"
    lines = "，".join(
        f"{CHANNEL_NAMES[one.channel]}：{one.target}{'' if one.enabled else '（已关闭）'}"
        for one in preferences
    )
    return f"{'试运行：' if dry_run else ''}{person}的接收方式，{lines}。"


def deliveries_summary(deliveries: Sequence[Delivery], total: int) -> str:
    """Say how many there were and what came of them, the failures first."""
    if total == 0:
        return "这段时间没有推送。"
    counts = {
        status: sum(one.status is status for one in deliveries)
        for status in (DeliveryStatus.DEAD, DeliveryStatus.FAILED, DeliveryStatus.QUEUED,
                       DeliveryStatus.SENDING, DeliveryStatus.SENT)
    }  # fmt: skip
    words = "，".join(f"{STATUS_WORDS[status]}{count}条" for status, count in counts.items() if count)
    shown = f"，最近{len(deliveries)}条中" if total > len(deliveries) else "，"
    return f"共{total}条推送{shown}{words}。"
