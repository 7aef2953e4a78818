"""How long list_pods takes over 2,000 pods, and how much it says: the budgets are 300 ms and 4 kB.

The whole way is measured: client, protocol, gateway with its records on disk, tool, Kubernetes client, HTTP.
The imitated cluster runs in a process of its own; what it alone takes to hand out the same bytes is measured
in the same run, as the reference. Names are measured too: 2,000 of them within a few milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import yaml
from mcp.client import Client
from sqlalchemy import create_engine
from sqlmodel import SQLModel

from assistant.clock import SystemClock
from mcp_tencent.basic.desk import BasicDesk
from mcp_tencent.basic.server import NAME, basic_tools
from mcp_tencent.cloud.accounts import TencentClouds
from mcp_tencent.cloud.calling import Calling
from mcp_tencent.cloud.tencentcloud.caller import Account
from mcp_tencent.gateway.call import Caller, CallerKind, Permission
from mcp_tencent.gateway.gateway import Gateway
from mcp_tencent.gateway.records import TABLES
from mcp_tencent.naming.inventory import Inventory
from mcp_tencent.naming.matching import Directory, Named
from mcp_tencent.naming.naming import Naming
from mcp_tencent.serving.identity import acting_as
from mcp_tencent.serving.server import GatewayServer

BUDGET_MS = 300.0
BUDGET_BYTES = 4000
NAMES_BUDGET_MS = 5.0
PODS = 2_000
REPEATS = 15
WATCH = Caller(name="watch", kind=CallerKind.PERSON, permissions=frozenset({Permission.READ}))


class StridingClock:
    """Goes on by a minute with each look, so that no answer comes from the gateway's cache of reads."""

    def __init__(self) -> None:
        self._now = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """Return a minute later than before."""
        self._now += timedelta(minutes=1)
        return self._now


@contextmanager
def local_cloud() -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "mcp_tencent.local_cloud", "--scenario", "large", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


@asynccontextmanager
async def tools_onto(cloud: dict[str, Any], folder: Path) -> AsyncIterator[GatewayServer]:
    engine = create_engine(f"sqlite:///{folder / 'gateway.db'}")
    SQLModel.metadata.create_all(
        engine, tables=[SQLModel.metadata.tables[str(row.__tablename__)] for row in TABLES]
    )
    account = Account(
        name="main",
        secret_id=cloud["secret_id"],
        secret_key=cloud["secret_key"],
        regions=(cloud["region"],),
        endpoint=cloud["url"],
    )
    clock = SystemClock()
    async with TencentClouds([account], Calling()) as clouds:
        naming = Naming(clouds, Inventory(clouds, clock))
        desk = BasicDesk(clouds=clouds, naming=naming, clock=clock, zone=UTC)
        yield GatewayServer(NAME, basic_tools(desk), Gateway(engine, StridingClock()))
    engine.dispose()


@contextmanager
def bare_client(cloud: dict[str, Any]) -> Iterator[httpx.Client]:
    """Speak to the cluster without any of what is measured."""
    config = yaml.safe_load(Path(cloud["kubeconfig"]).read_text())
    url = config["clusters"][0]["cluster"]["server"]
    token = config["users"][0]["user"].get("token", "")
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as http:
        yield http


def fill_up(cloud: dict[str, Any], pods: int) -> None:
    """Scale one workload so far up that the cluster has `pods` pods."""
    with bare_client(cloud) as http:
        there = len(http.get("/api/v1/pods").raise_for_status().json()["items"])
        path = "/apis/apps/v1/namespaces/shop/deployments/web-gateway"
        replicas = http.get(path).raise_for_status().json()["spec"]["replicas"]
        http.patch(
            path,
            json={"spec": {"replicas": replicas + max(0, pods - there)}},
            headers={"Content-Type": "application/merge-patch+json"},
        ).raise_for_status()


def bare_seconds(cloud: dict[str, Any]) -> tuple[float, int]:
    """Fetch all pods as the client does, page by page, without reading them: seconds and bytes."""
    params, size = {"limit": "500"}, 0
    with bare_client(cloud) as http:
        began = time.perf_counter()
        while True:
            answer = http.get("/api/v1/pods", params=params).raise_for_status()
            size += len(answer.content)
            more = json.loads(answer.content)["metadata"].get("continue")
            if not more:
                return time.perf_counter() - began, size
            params = {"limit": "500", "continue": more}


async def measured(server: GatewayServer) -> tuple[list[float], dict[str, Any]]:
    times: list[float] = []
    async with Client(server) as client:
        for turn in range(REPEATS + 1):
            began = time.perf_counter()
            with acting_as(WATCH):
                result = await client.call_tool("list_pods", {})
            if turn:  # the first fetches the kubeconfig
                times.append(time.perf_counter() - began)
            assert not result.is_error, result.structured_content
    content = result.structured_content
    assert isinstance(content, dict)
    return sorted(times), content


def names_milliseconds() -> float:
    """Return what the slowest of some questions takes among 2,000 workloads with two aliases each."""
    chance = random.Random(7)
    syllables = "订单商品库存支付风控结算用户登录消息网关搜索缓存报表课程直播聊天考试物流评论推荐"
    directory = Directory(
        Named(
            thing=number,
            ids=(f"shop/service-{number}",),
            name=f"service-{number}",
            aliases=(
                "".join(chance.choices(syllables, k=3)) + "服务",
                "".join(chance.choices(syllables, k=4)),
            ),
        )
        for number in range(2_000)
    )
    directory.alike("预热")  # how the names sound is worked out once
    medians: list[float] = []
    for said in ("定单副务", "上品服无", "service 17", "等录服务", "天气"):
        times: list[float] = []
        for _ in range(REPEATS):
            began = time.perf_counter()
            directory.alike(said)
            times.append(time.perf_counter() - began)
        medians.append(sorted(times)[REPEATS // 2])
    return max(medians) * 1000


async def main() -> int:
    with local_cloud() as cloud, tempfile.TemporaryDirectory() as folder:
        fill_up(cloud, PODS)
        bare = sorted(bare_seconds(cloud)[0] for _ in range(REPEATS))[REPEATS // 2] * 1000
        size = bare_seconds(cloud)[1]
        async with tools_onto(cloud, Path(folder)) as server:
            times, content = await measured(server)
    median, worst = times[len(times) // 2] * 1000, times[-1] * 1000
    answer = len(json.dumps(content, ensure_ascii=False).encode())
    names = names_milliseconds()
    print(f"pods          {content['total']} ({size / 1e6:.1f} MB from the cluster)")
    print(f"list_pods     {median:6.0f} ms (median of {REPEATS}; worst {worst:.0f} ms)")
    print(f"bare fetch    {bare:6.0f} ms (the same bytes, unread); list_pods takes {median / bare:.1f} of it")
    print(f"answer        {answer:6} bytes")
    print(f"a name of 2,000 by sound {names:.1f} ms at worst")
    met = (
        content["total"] >= PODS
        and median <= BUDGET_MS
        and answer <= BUDGET_BYTES
        and names <= NAMES_BUDGET_MS
    )
    print(
        f"budgets       {BUDGET_MS:.0f} ms, {BUDGET_BYTES} bytes, {NAMES_BUDGET_MS:.0f} ms: "
        f"{'met' if met else 'MISSED'}"
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
