"""Tools by which the appliance tells of itself and is set."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from pydantic import Field

from assistant.device.answers import Capabilities, Changed, Health, HealthLine, Identity, Said
from assistant.device.desk import PERMISSION_WORDS, DeviceDesk
from mcp_tencent.gateway.call import Permission
from mcp_tencent.serving.declare import DeclaredTool, DryRun, ToolSet
from mcp_tencent.serving.identity import caller_of

_EXAMPLES = (
    "生产集群现在怎么样",
    "订单服务有没有在重启的 pod",
    "搜一下最近一小时的报错日志",
    "昨天有哪些告警",
    "诊断一下订单服务",
    "把订单服务扩到五个副本",
    "把日报发到我邮箱",
    "再播一遍日报",
)
_TIME = r"^([01]\d|2[0-3]):[0-5]\d$"


def setting_tools(desk: DeviceDesk) -> Sequence[DeclaredTool]:
    """Return the declared tools."""
    tools = ToolSet()
    _declare_looks(tools, desk)
    _declare_settings(tools, desk)
    _declare_jobs(tools, desk)
    return tools.tools


def _declare_looks(tools: ToolSet, desk: DeviceDesk) -> None:
    @tools.read("重播日报")
    async def replay_digest() -> Said:
        """Speak today's digest again, whatever the hour. For “再播一遍日报”, “刚才的日报再说一次”."""
        return Said(summary=await desk.digest() or "今天还没有日报。")

    @tools.read("我是谁")
    async def who_am_i(context: Context[Any, Any]) -> Identity:
        """Tell whom the device takes the speaker for and what they may do. For “我是谁”, “我有什么权限”."""
        caller = caller_of(context.request_context, desk.otherwise)
        held = [one for one in Permission if one in caller.permissions]
        words = "、".join(PERMISSION_WORDS[one] for one in held) or "没有任何权限"
        return Identity(
            summary=f"你是{caller.name}，可以：{words}。" if held else f"你是{caller.name}，{words}。",
            name=caller.name,
            permissions=[one.value for one in held],
            namespaces=None if caller.namespaces is None else sorted(caller.namespaces),
        )

    @tools.read("能做什么")
    async def capabilities() -> Capabilities:
        """Tell what one can ask for. For “你会做什么”, “怎么用”."""
        return Capabilities(
            summary=f"我是{desk.robot_name()}。可以查集群、日志和告警，诊断故障，扩缩、重启、回滚服务，"
            f"还能把报告发出去。比如说：{_EXAMPLES[1]}？",
            examples=list(_EXAMPLES),
        )

    @tools.read("设备状态")
    async def device_health() -> Health:
        """Tell how the appliance itself fares: temperature, disk, memory, clock. For “你自己还好吗”."""
        lines = [HealthLine(what=one.what, value=one.value, well=one.well) for one in desk.health()]
        bad = [f"{one.what}{one.value}" for one in lines if not one.well]
        good = "，".join(f"{one.what}{one.value}" for one in lines[:3])
        summary = f"要留意：{'，'.join(bad)}。" if bad else f"我一切正常{f'，{good}' if good else ''}。"
        return Health(summary=summary, well=not bad, lines=lines)


def _declare_settings(tools: ToolSet, desk: DeviceDesk) -> None:
    configure = Permission.CONFIGURE

    @tools.write("修改唤醒词", permission=configure, naturally_idempotent=True)
    async def set_wake_word(
        phrase: Annotated[str, Field(description="Three to six Chinese characters.", max_length=20)],
        dry_run: DryRun = False,
    ) -> Changed:
        """Answer to another wake phrase, at once. For “把唤醒词改成小蓝小蓝”."""
        warnings = [] if dry_run else list(await desk.controls.set_wake_phrase(phrase))
        caution = f"不过{'；'.join(warnings)}。" if warnings else ""
        return Changed(
            summary=_told(f"以后叫我“{phrase}”就行。", dry_run) + caution, dry_run=dry_run, warnings=warnings
        )

    @tools.write("修改名字", permission=configure, naturally_idempotent=True)
    async def set_name(
        name: Annotated[str, Field(description="In Chinese.", min_length=1, max_length=10)],
        dry_run: DryRun = False,
    ) -> Changed:
        """Call itself something else, at once. For “以后你叫小蓝”."""
        await _unless(dry_run, lambda: desk.controls.set_name(name))
        return Changed(summary=_told(f"好的，我以后叫{name}。", dry_run), dry_run=dry_run)

    @tools.write("调整音量", permission=Permission.READ, naturally_idempotent=True)
    async def set_volume(percent: Annotated[int, Field(ge=0, le=100)], dry_run: DryRun = False) -> Changed:
        """Speak louder or softer. For “音量调到百分之六十”."""
        await _unless(dry_run, lambda: desk.controls.set_volume(percent))
        return Changed(summary=_told(f"音量调到{percent}%了。", dry_run), dry_run=dry_run)

    @tools.write("修改日报时段", permission=configure, naturally_idempotent=True)
    async def set_digest_window(
        start: Annotated[str, Field(pattern=_TIME, description="HH:MM")],
        end: Annotated[str, Field(pattern=_TIME, description="HH:MM")],
        dry_run: DryRun = False,
    ) -> Changed:
        """Speak the digest unasked between other times of the day. For “日报改到七点到九点播”."""
        await _unless(dry_run, lambda: desk.controls.set_digest_window(start, end))
        return Changed(summary=_told(f"日报改在{start}到{end}之间播。", dry_run), dry_run=dry_run)

    @tools.write("静音", permission=Permission.READ, naturally_idempotent=True)
    async def mute(
        minutes: Annotated[
            int | None, Field(ge=1, le=1440, description="Left out: until the button is pressed.")
        ] = None,
        dry_run: DryRun = False,
    ) -> Changed:
        """Stop listening for a while. For “静音半小时”, “别听了”."""
        await _unless(dry_run, lambda: desk.controls.mute(minutes))
        until = f"{minutes}分钟" if minutes else "，按一下按钮再叫我"
        return Changed(summary=_told(f"好的，静音{until}。", dry_run), dry_run=dry_run)


def _declare_jobs(tools: ToolSet, desk: DeviceDesk) -> None:
    @tools.dangerous(
        "运行夜间任务",
        read_back="现在就运行夜间任务，它会按策略尝试修复",
        permission=Permission.ADMIN,
        naturally_idempotent=True,
    )
    async def run_night_job(dry_run: DryRun = False) -> Changed:
        """Run the night job now: collect, score, heal by policy, write the digest; at most once a date."""
        said = (
            "试运行：会收集告警、按策略修复，再写日报。" if dry_run else await desk.controls.start_night_job()
        )
        return Changed(summary=said, dry_run=dry_run)


def _told(sentence: str, dry_run: bool) -> str:
    return f"试运行，没有真的改：{sentence}" if dry_run else sentence


async def _unless(dry_run: bool, change: Callable[[], Awaitable[None]]) -> None:
    if not dry_run:
        await change()
