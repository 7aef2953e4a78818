"""A small server as the real ones are declared: it reads, writes, does dangerous things, and misbehaves."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from pydantic import BaseModel, Field

from mcp_tencent.errors import NetworkFault, NotFound
from mcp_tencent.gateway.call import Permission
from mcp_tencent.serving.declare import DryRun, ToolSet

Workload = Annotated[str, Field(description="Id, name or alias of a workload, e.g. orders or 订单服务.")]


class PodList(BaseModel):
    """Pods of a workload."""

    summary: str = Field(description="Chinese, fit to be spoken.")
    pods: list[str]


class Report(BaseModel):
    """What an act came to."""

    summary: str = Field(description="Chinese, fit to be spoken.")
    acts: int


class Shop:
    """What the tools act on."""

    def __init__(self) -> None:
        self.restarts: list[str] = []
        self.looks = 0
        self.down = False


def shop_tools(shop: Shop) -> ToolSet:
    tools = ToolSet(outside="kubernetes")

    @tools.read("列出 Pod", cache_s=5.0)
    async def list_pods(
        workload: Workload | None = None, limit: Annotated[int, Field(ge=1, le=500)] = 50
    ) -> PodList:
        """List the pods of a workload. For logs use pod_logs instead. Example: {"workload": "orders"}."""
        shop.looks += 1
        if shop.down:
            raise NetworkFault("no route to host")
        return PodList(summary="订单服务有 1 个 Pod", pods=[f"{workload}-7d9f8b6c5d-x2x9z"][:limit])

    @tools.read("看日志")
    async def pod_logs(pod: str, ctx: Context[Any, Any]) -> PodList:
        """Show the last log lines of a pod."""
        await ctx.report_progress(1, 2, "read password=hunter2secret")
        return PodList(
            summary="最后一行是 token=abcdef0123", pods=["DB_PASSWORD=hunter2secret", "13812345678"]
        )

    @tools.dangerous("重启", read_back="重启{workload}")
    async def restart_workload(
        workload: Workload, namespace: str | None = None, dry_run: DryRun = False
    ) -> Report:
        """Restart all pods of a workload, one after the other."""
        if workload == "unknown":
            raise NotFound("no workload of that name", code="404")
        if not dry_run:
            shop.restarts.append(workload)
        return Report(summary=f"{'将要' if dry_run else '已经'}重启{workload}", acts=len(shop.restarts))

    @tools.write("建告警", permission=Permission.CONFIGURE)
    async def create_alarm(name: str, dry_run: DryRun = False) -> Report:
        """Create an alarm."""
        raise RuntimeError("bug with password=hunter2secret")

    @tools.read("打印")
    async def chatter() -> Report:
        """Print to standard output by every way there is."""
        print("print: this is no protocol")
        os.write(1, b"os.write: this is no protocol\n")
        child = await asyncio.create_subprocess_exec("echo", "child: this is no protocol")
        await child.wait()
        return Report(summary="说完了", acts=0)

    return tools
