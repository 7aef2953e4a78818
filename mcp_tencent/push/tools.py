"""The tools of mcp-notification-push."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import Context
from pydantic import Field

from mcp_tencent.gateway.call import Caller, Permission, PersonalData
from mcp_tencent.periods import parse_period
from mcp_tencent.push.answers import (
    DeliveriesAnswer,
    PreferenceLine,
    PreferencesAnswer,
    SendAnswer,
    TestAnswer,
    deliveries_summary,
    delivery_line,
    preferences_summary,
    sending_summary,
    where,
)
from mcp_tencent.push.channels import CHANNEL_NAMES, Channel
from mcp_tencent.push.delivery import Delivery, DeliveryStatus
from mcp_tencent.push.desk import PushDesk
from mcp_tencent.push.errors import TargetInvalid
from mcp_tencent.push.recipients import Choice, House, recipients
from mcp_tencent.push.records import DeliveryPreference
from mcp_tencent.serving.declare import DeclaredTool, DryRun, ToolSet
from mcp_tencent.serving.identity import caller_of

PAGE = 20

_SHOWS = frozenset({PersonalData.EMAIL, PersonalData.MOBILE})
_STATUSES = {
    "all": tuple(DeliveryStatus),
    "sent": (DeliveryStatus.SENT,),
    "failed": (DeliveryStatus.DEAD,),
    "pending": (DeliveryStatus.QUEUED, DeliveryStatus.SENDING, DeliveryStatus.FAILED),
}

ChannelName = Annotated[Literal["email", "dingtalk"], Field(description="E-mail or DingTalk group robot.")]
PersonName = Annotated[
    str | None,
    Field(description="Whose, by name; the caller's own when left out. Of others: needs `configure`."),
]


CallerOf = Callable[[Context[Any, Any]], Caller]


def push_tools(desk: PushDesk, *, otherwise: Caller | None = None) -> Sequence[DeclaredTool]:
    """Return the declared tools; `otherwise` is who calls when nobody is named."""
    tools = ToolSet(outside="push")

    def who(context: Context[Any, Any]) -> Caller:
        return caller_of(context.request_context, otherwise)

    _declare_sending(tools, desk, who)
    _declare_settings(tools, desk, who)
    _declare_log(tools, desk, who)
    return tools.tools


def _declare_sending(tools: ToolSet, desk: PushDesk, who: CallerOf) -> None:
    @tools.write("发送报告", shows=_SHOWS, knows_its_key=True)
    async def send_report(
        context: Context[Any, Any],
        report: Annotated[
            str,
            Field(
                description="`digest` (the latest), `last_answer`, or the id of an incident.", max_length=100
            ),
        ],
        channel: Annotated[
            Literal["email", "dingtalk", "all"],
            Field(
                description="`all`: wherever the caller has reports sent; a job's report goes to everybody "
                "who has copies come by themselves."
            ),
        ],
        to: Annotated[
            str | None,
            Field(
                description="E-mail addresses, or a DingTalk robot's name and mobile numbers to mention; the "
                "caller's own when left out.",
                max_length=500,
            ),
        ] = None,
        dry_run: DryRun = False,
    ) -> SendAnswer:
        """Send a report to people by e-mail or to a DingTalk group.

        For “把日报发到我邮箱”, “这个结果发到运维群”. The report goes into a durable queue and arrives
        even if the mail server is down for hours; the answer says that it is on its way, list_deliveries says
        what came of it. Not for changing where reports usually go: that is set_delivery.

        Example: send_report(report="digest", channel="email", to="ops@example.com").
        """
        caller = who(context)
        everybody = await desk.audience(Choice(channel), to, caller)
        targets = [one.target for one in everybody.recipients]
        found = await desk.reports.report(report, caller=caller)
        deliveries: list[Delivery] = []
        if not dry_run:
            key = desk.sending_key(report, caller)
            deliveries = [
                await desk.dispatch.send(found, one.target, key=key, person=one.person)
                for one in everybody.recipients
            ]
        return SendAnswer(
            summary=sending_summary(targets, title=found.title, dry_run=dry_run),
            dry_run=dry_run,
            targets=[where(target) for target in targets],
            deliveries=[delivery_line(delivery) for delivery in deliveries],
            skipped=list(everybody.skipped),
        )

    @tools.write("测试推送渠道", shows=_SHOWS, deadline_s=150.0)
    async def test_channel(
        context: Context[Any, Any], channel: ChannelName, dry_run: DryRun = False
    ) -> TestAnswer:
        """Send a short test message to the caller's own target now, once, and say whether it was taken.

        For “测试一下邮件能不能发”. Fails with the provider's reason (wrong password, bad robot secret,
        unknown address). Nothing is queued or tried again.

        Example: test_channel(channel="dingtalk").
        """
        (target,) = recipients(Choice(channel), None, await desk.preferences_of(who(context)), desk.house)
        if not dry_run:
            await desk.trial.send(target)
        return TestAnswer(
            summary=f"{'试运行：会发一条测试消息到' if dry_run else '测试消息已发到'}{where(target)}。",
            dry_run=dry_run,
            channel=channel,
            target=target.text,
        )


def _declare_settings(tools: ToolSet, desk: PushDesk, who: CallerOf) -> None:
    @tools.write("设置接收方式", naturally_idempotent=True, shows=_SHOWS)
    async def set_delivery(
        context: Context[Any, Any],
        channel: ChannelName,
        target: Annotated[
            str | None,
            Field(
                description="E-mail addresses, or a DingTalk robot's name and mobile numbers. Left out: "
                "unchanged.",
                max_length=500,
            ),
        ] = None,
        enabled: Annotated[
            bool | None, Field(description="Whether copies come by themselves. Unchanged when left out.")
        ] = None,
        person: PersonName = None,
        dry_run: DryRun = False,
    ) -> PreferencesAnswer:
        """Set where somebody gets reports on one channel, or switch the automatic copies on or off.

        For “以后日报发到我的邮箱 ops@example.com”, “别再往钉钉发了”. Not for sending something now: that is
        send_report. Robot tokens and passwords do not belong here but into the settings.

        Example: set_delivery(channel="email", target="ops@example.com").
        """
        caller = who(context)
        whose = await desk.whose(person, caller)
        known = await asyncio.to_thread(desk.preferences.of, whose)
        wanted = _changed(whose, Channel(channel), target, enabled, known, desk.house)
        if not dry_run:
            await asyncio.to_thread(desk.preferences.set, wanted)
        others = [one for one in known if one.channel is not wanted.channel]
        return _preferences_answer(
            person or caller.name, sorted([*others, wanted], key=_by_channel), dry_run=dry_run
        )

    @tools.read("查看接收方式", shows=_SHOWS)
    async def get_delivery(context: Context[Any, Any], person: PersonName = None) -> PreferencesAnswer:
        """Say where somebody gets reports, and on which channels copies come by themselves.

        For “我的日报发到哪里”.

        Example: get_delivery().
        """
        caller = who(context)
        known = await asyncio.to_thread(desk.preferences.of, await desk.whose(person, caller))
        return _preferences_answer(person or caller.name, known, dry_run=False)


def _declare_log(tools: ToolSet, desk: PushDesk, who: CallerOf) -> None:
    @tools.read("查看推送记录", shows=_SHOWS)
    async def list_deliveries(
        context: Context[Any, Any],
        period: Annotated[
            str,
            Field(description='"15m" "24h" "7d", "today", "yesterday", a date, or start/end in ISO 8601.'),
        ] = "24h",
        status: Annotated[
            Literal["all", "sent", "failed", "pending"],
            Field(
                description="failed: given up; pending: waiting, being sent, or waiting to be tried again."
            ),
        ] = "all",
        cursor: Annotated[
            str | None, Field(description="From the answer before, for the next page.", pattern=r"^\d{1,6}$")
        ] = None,
    ) -> DeliveriesAnswer:
        """List what was sent, to whom, what came of it and why something failed; newest first.

        For “昨天的日报发出去了吗”. Without the right `configure` only one's own deliveries are listed.

        Example: list_deliveries(period="24h", status="failed").
        """
        caller = who(context)
        person = None if caller.may(Permission.CONFIGURE) else await desk.key_of(caller)
        meant = parse_period(period, now=desk.now(), zone=desk.zone)
        statuses, offset = _STATUSES[status], int(cursor or 0)
        page = await asyncio.to_thread(
            desk.log.between,
            meant.start,
            meant.end,
            statuses=statuses,
            person=person,
            offset=offset,
            limit=PAGE,
        )
        total = await asyncio.to_thread(
            desk.log.count, meant.start, meant.end, statuses=statuses, person=person
        )
        behind = offset + len(page)
        return DeliveriesAnswer(
            summary=deliveries_summary(page, total),
            deliveries=[delivery_line(delivery) for delivery in page],
            left_out=max(0, total - behind),
            cursor=str(behind) if behind < total else None,
        )


def _changed(
    person: str,
    channel: Channel,
    target: str | None,
    enabled: bool | None,
    known: Sequence[DeliveryPreference],
    house: House,
) -> DeliveryPreference:
    """Return the preference after the change; raises TargetInvalid where nothing, or nobody, is named."""
    if target is None and enabled is None:
        raise TargetInvalid("give target or enabled", spoken="要改什么？请说地址，或者打开、关闭。")
    before = next((one for one in known if one.channel is channel), None)
    if target is None and before is None:
        raise TargetInvalid(
            f"no target for {channel.value} is known",
            spoken=f"{CHANNEL_NAMES[channel]}还没有设置地址，请先说地址。",
        )
    text = house.target(channel, target).text if target is not None else before.target if before else ""
    was_enabled = before.enabled if before is not None else True
    return DeliveryPreference(
        person=person,
        channel=channel,
        target=text,
        enabled=was_enabled if enabled is None else enabled,
    )


def _preferences_answer(
    person: str, preferences: Sequence[DeliveryPreference], *, dry_run: bool
) -> PreferencesAnswer:
    return PreferencesAnswer(
        summary=preferences_summary(person, preferences, dry_run=dry_run),
        person=person,
        dry_run=dry_run,
        channels=[
            PreferenceLine(channel=one.channel.value, target=one.target, enabled=one.enabled)
            for one in preferences
        ],
    )


def _by_channel(preference: DeliveryPreference) -> str:
    return preference.channel.value
