"""A small state of the imitated services, served by a real server to the real SDK."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import uvicorn
from starlette.requests import Request
from starlette.types import Receive, Scope, Send
from tencentcloud.cls.v20201016.cls_client import ClsClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.monitor.v20180724.monitor_client import MonitorClient
from tencentcloud.tke.v20180525.tke_client import TkeClient as TkeClient2018
from tencentcloud.tke.v20220501.tke_client import TkeClient as TkeClient2022

from mcp_tencent.local_cloud.logs.lines import LogLine, LogOrigin
from mcp_tencent.local_cloud.logs.store import LogStore
from mcp_tencent.local_cloud.simulation import ManualClock, WallClock
from mcp_tencent.local_cloud.tencent.api import TencentApi
from mcp_tencent.local_cloud.tencent.api_faults import ApiFaults
from mcp_tencent.local_cloud.tencent.cls.log_index import topic_index
from mcp_tencent.local_cloud.tencent.cls.service import cls_actions
from mcp_tencent.local_cloud.tencent.cls.state import AlarmShield, ClsState, key_value_rule
from mcp_tencent.local_cloud.tencent.identifiers import Identifiers
from mcp_tencent.local_cloud.tencent.limits import RequestLimits
from mcp_tencent.local_cloud.tencent.monitor.service import monitor_actions
from mcp_tencent.local_cloud.tencent.ports import (
    AlarmLevel,
    AlertRecord,
    Dimensions,
    MetricAlert,
    MetricDescription,
    NodeView,
)
from mcp_tencent.local_cloud.tencent.specification import Product
from mcp_tencent.local_cloud.tencent.tke.service import tke_2018_actions, tke_2022_actions
from mcp_tencent.local_cloud.tencent.tke.state import (
    Cluster,
    LogSwitch,
    LogSwitches,
    NodePool,
    PoolKind,
    TkeState,
)

SECRET_ID = "AKIDlocal"
SECRET_KEY = "local-secret-key"
REGION = "ap-guangzhou"
START = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)
CLUSTER = "cls-shop0001"
LOGSET = "11111111-1111-4111-8111-111111111111"
TOPIC = "22222222-2222-4222-8222-222222222222"
ORIGIN = LogOrigin(source="10.0.0.4", filename="/var/log/app.log", hostname="node-1")


@dataclass
class InMemoryNodes:
    """Nodes that come and go at once."""

    by_cluster: dict[str, list[NodeView]] = field(default_factory=dict)

    def nodes(self, cluster_id: str) -> Sequence[NodeView]:
        return self.by_cluster.get(cluster_id, [])

    def resize(self, cluster_id: str, pool_id: str, nodes: int) -> None:
        others = [node for node in self.nodes(cluster_id) if node.pool_id != pool_id]
        mine = [node for node in self.nodes(cluster_id) if node.pool_id == pool_id][:nodes]
        mine += [node_view(f"{pool_id}-{index}", pool_id) for index in range(len(mine), nodes)]
        self.by_cluster[cluster_id] = others + mine

    def drain(self, cluster_id: str, node_name: str) -> None:
        self.by_cluster[cluster_id] = [
            replace(node, drained=True, unschedulable=True) if node.name == node_name else node
            for node in self.nodes(cluster_id)
        ]


def node_view(name: str, pool_id: str) -> NodeView:
    number = sum(name.encode()) % 250 + 1
    return NodeView(
        name=name,
        instance_id=f"ins-{name}",
        lan_ip=f"10.0.0.{number}",
        pool_id=pool_id,
        created_at=START,
        labels={"node.kubernetes.io/instance-type": "S5.LARGE8"},
        taints=(("dedicated", "shop", "NoSchedule"),),
    )


class OneMetric:
    """CPU of two pods, a straight line."""

    def metrics(self, namespace: str) -> Sequence[MetricDescription]:
        if namespace != "QCE/TKE2":
            return []
        dimensions = ("tke_cluster_instance_id", "namespace", "pod_name")
        return [
            MetricDescription(
                name="K8sPodCpuCoreUsed",
                unit="核",
                chinese_name="Pod CPU 使用量",
                english_name="CPU used",
                dimensions=dimensions,
            )
        ]

    def instances(
        self, namespace: str, metric: str, conditions: Mapping[str, Sequence[str]]
    ) -> Sequence[Dimensions]:
        pods = [
            {"tke_cluster_instance_id": CLUSTER, "namespace": "shop", "pod_name": name}
            for name in ("pay-1", "pay-2")
        ]
        return [pod for pod in pods if all(pod.get(k) in values for k, values in conditions.items())]

    def series(
        self,
        namespace: str,
        metric: str,
        dimensions: Dimensions,
        start: datetime,
        end: datetime,
        period_seconds: int,
    ) -> list[tuple[datetime, float]]:
        count = int((end - start).total_seconds()) // period_seconds + 1
        return [(start + index * timedelta(seconds=period_seconds), 0.5) for index in range(count)]


@dataclass
class ToldAlarms:
    """Alerts that a scenario tells of."""

    told: list[AlertRecord] = field(default_factory=list)
    metric: list[MetricAlert] = field(default_factory=list)

    def records(self, start: datetime, end: datetime) -> Sequence[AlertRecord]:
        return [record for record in self.told if start <= record.started_at < end]

    def alerts(self, start: datetime, end: datetime) -> Sequence[MetricAlert]:
        return [alert for alert in self.metric if start <= alert.started_at <= end]


class SimulatedCloud:
    """The imitated services and the server before them."""

    def __init__(self, *, limits: RequestLimits | None = None) -> None:
        self.clock = ManualClock(START)
        self.logs = LogStore(clock=self.clock)
        identifiers = Identifiers(7)
        self.cls = ClsState(clock=self.clock, identifiers=identifiers)
        self.tke = TkeState(clock=self.clock, identifiers=identifiers)
        self.nodes = InMemoryNodes()
        self.alarms = ToldAlarms()
        self.faults = ApiFaults(seed=1)
        self.slept: list[float] = []
        self.responses: list[bytes] = []
        self.failures: list[BaseException] = []
        self.api = TencentApi(
            credentials={SECRET_ID: SECRET_KEY},
            services={
                Product("cls", "2020-10-16"): cls_actions(self.cls, self.logs, self.alarms),
                Product("tke", "2018-05-25"): tke_2018_actions(self.tke, self.nodes, self.cls, self.logs),
                Product("tke", "2022-05-01"): tke_2022_actions(self.tke, self.nodes),
                Product("monitor", "2018-07-24"): monitor_actions(self.clock, OneMetric(), self.alarms),
            },
            wall_clock=WallClock(),
            world_clock=self.clock,
            faults=self.faults,
            limits=limits or RequestLimits(default_per_second=100_000),
            sleep=self._sleep,
        )
        self._populate()
        self._listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._listening.bind(("127.0.0.1", 0))
        self.endpoint = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self._server = uvicorn.Server(
            uvicorn.Config(self, log_level="critical", lifespan="off", access_log=False)
        )
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listening]}, daemon=True
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def recorded(message: Any) -> None:
            if message["type"] == "http.response.body":
                self.responses.append(message.get("body", b""))
            await send(message)

        try:
            response = await self.api.handle(Request(scope, receive))
            await response(scope, receive, recorded)
        except BaseException as error:
            self.failures.append(error)
            raise

    def start(self) -> None:
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._listening.close()

    def profile(self) -> ClientProfile:
        return ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=self.endpoint, reqTimeout=30))

    def client(self, kind: type, region: str = REGION, *, key: str = SECRET_KEY) -> Any:
        return kind(Credential(SECRET_ID, key), region, self.profile())

    def call(
        self, kind: type, action: str, parameters: Mapping[str, Any], region: str = REGION
    ) -> dict[str, Any]:
        answer = self.client(kind, region).call_json(action, dict(parameters))
        response: dict[str, Any] = answer["Response"]
        return response

    def last_response(self) -> dict[str, Any]:
        response: dict[str, Any] = json.loads(b"".join(self.responses[-1:]))["Response"]
        return response

    def write(self, *lines: tuple[int, str, dict[str, str]], topic: str = TOPIC) -> None:
        """Append lines: minutes after the start, text, key-values."""
        self.logs.append(
            topic,
            [
                LogLine(milliseconds(START + timedelta(minutes=minute)), text, tuple(fields.items()), ORIGIN)
                for minute, text, fields in lines
            ],
        )

    def _populate(self) -> None:
        self.cls.add_logset(REGION, "shop", logset_id=LOGSET)
        rule = key_value_rule({"level": "text", "status": "long", "service": "text"})
        self.cls.add_topic(REGION, LOGSET, "shop-app", topic_id=TOPIC, index_rule=rule)
        self.logs.add_topic(TOPIC, topic_index(rule))
        self.tke.add_cluster(
            Cluster(cluster_id=CLUSTER, region=REGION, name="shop", created_at=START, tags={"team": "pay"}),
            token="local-token",
            switches=LogSwitches(
                log=LogSwitch(enabled=True, logset_id=LOGSET, topic_id=TOPIC, topic_region=REGION)
            ),
        )
        for pool_id, kind in (("np-regular1", PoolKind.REGULAR), ("np-native01", PoolKind.NATIVE)):
            pool = NodePool(
                pool_id=pool_id, cluster_id=CLUSTER, name=pool_id, kind=kind, created_at=START, desired=2
            )
            self.tke.add_pool(pool)
            self.nodes.resize(CLUSTER, pool_id, 2)
        self.tke.add_pool(
            NodePool(
                pool_id="np-super001",
                cluster_id=CLUSTER,
                name="super",
                kind=PoolKind.SUPER,
                created_at=START,
                desired=1,
            )
        )
        self.nodes.by_cluster[CLUSTER].append(node_view("eklet-subnet-1", "np-super001"))


def milliseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)


def alert(number: int, started_at: datetime, ended_at: datetime | None = None, **changes: Any) -> AlertRecord:
    record = AlertRecord(
        record_id=f"record-{number}",
        alarm_id="alarm-told",
        alarm_name="支付错误",
        topic_id=TOPIC,
        topic_name="shop-app",
        region=REGION,
        trigger="$1.errors > 10",
        level=AlarmLevel.CRITICAL,
        started_at=started_at,
        ended_at=ended_at,
    )
    return replace(record, **changes)


def shield(notice_id: str) -> AlarmShield:
    return AlarmShield(
        task_id="task-1", notice_id=notice_id, start=START, end=START + timedelta(hours=1), created_at=START
    )


CLIENTS: dict[str, type] = {
    "cls@2020-10-16": ClsClient,
    "tke@2018-05-25": TkeClient2018,
    "tke@2022-05-01": TkeClient2022,
    "monitor@2018-07-24": MonitorClient,
}
