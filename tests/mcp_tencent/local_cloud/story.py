"""A local cloud seen as its clients see it: by the real SDK and lightkube, with time in the test's hands."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx
import lightkube
import yaml
from lightkube.config.kubeconfig import KubeConfig
from lightkube.models.meta_v1 import LabelSelector, ObjectMeta
from lightkube.models.networking_v1 import NetworkPolicySpec
from lightkube.resources.apps_v1 import Deployment, ReplicaSet
from lightkube.resources.core_v1 import ConfigMap, Pod
from lightkube.resources.networking_v1 import NetworkPolicy
from tencentcloud.cls.v20201016 import models as cls_models
from tencentcloud.cls.v20201016.cls_client import ClsClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.monitor.v20180724 import models as monitor_models
from tencentcloud.monitor.v20180724.monitor_client import MonitorClient

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.server import LocalCloud
from mcp_tencent.local_cloud.simulation import ManualClock
from mcp_tencent.local_cloud.tencent.limits import RequestLimits

START = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)
"""Five in the morning in Shanghai, a Saturday."""


class Story:
    """One cluster and namespace of a scenario, and what a person could do there."""

    def __init__(self, cloud: LocalCloud, clock: ManualClock, *, namespace: str = "shop") -> None:
        self.cloud = cloud
        self.clock = clock
        self.namespace = namespace
        config = KubeConfig.from_dict(yaml.safe_load(cloud.kubeconfig()))
        self.kubernetes = lightkube.Client(config=config, namespace=namespace)

    # Time.

    def later(self, **duration: float) -> None:
        """Let time pass, in steps, as clients that look now and then would see it."""
        self.clock.advance(timedelta(**duration))
        httpx.get(f"{self.cloud.url}/healthz")
        self.pods("nothing-of-this-name")

    # Looking.

    def pods(self, workload: str) -> list[KubernetesObject]:
        return [pod.to_dict() for pod in self.kubernetes.list(Pod, labels={"app": workload})]

    def ready(self, workload: str) -> int:
        return sum(
            condition["type"] == "Ready" and condition["status"] == "True"
            for pod in self.pods(workload)
            for condition in pod["status"].get("conditions", ())
        )

    def _containers(self, workload: str) -> list[KubernetesObject]:
        return [found for pod in self.pods(workload) for found in pod["status"].get("containerStatuses", ())]

    def waiting_reasons(self, workload: str) -> set[str]:
        states = [container.get("state", {}) for container in self._containers(workload)]
        return {state["waiting"]["reason"] for state in states if "waiting" in state}

    def terminations(self, workload: str) -> set[str]:
        states = [container.get("lastState", {}) for container in self._containers(workload)]
        return {state["terminated"]["reason"] for state in states if "terminated" in state}

    def restarts(self, workload: str) -> int:
        return sum(container["restartCount"] for container in self._containers(workload))

    def topic_id(self, name: str = "业务日志", region: str | None = None) -> str:
        request = cls_models.DescribeTopicsRequest()
        request.from_json_string(json.dumps({"Filters": [{"Key": "topicName", "Values": [name]}]}))
        return str(self._client(ClsClient, region).DescribeTopics(request).Topics[0].TopicId)

    def count(
        self,
        query: str,
        *,
        minutes: float = 10,
        topic: str = "业务日志",
        ago_minutes: float = 0,
        region: str | None = None,
    ) -> int:
        """Return how many lines of the last minutes match, as the analysis half of CLS counts them."""
        end = int(self.clock.now().timestamp() * 1000) - int(ago_minutes * 60_000)
        request = cls_models.SearchLogRequest()
        request.from_json_string(
            json.dumps(
                {
                    "TopicId": self.topic_id(topic, region),
                    "From": end - int(minutes * 60_000),
                    "To": end,
                    "QueryString": f"{query} | select count(*) as lines",
                    "QuerySyntax": 1,
                    "UseNewAnalysis": True,
                }
            )
        )
        answer = self._client(ClsClient, region).SearchLog(request)
        return int(json.loads(answer.AnalysisRecords[0])["lines"])

    def errors(self, workload: str, *, minutes: float = 10, ago_minutes: float = 0) -> int:
        return self.count(f'workload:"{workload}" AND level:ERROR', minutes=minutes, ago_minutes=ago_minutes)

    def alerts(
        self, *, hours: float = 24 * 3, status: int | None = None
    ) -> list[cls_models.AlertHistoryRecord]:
        now = int(self.clock.now().timestamp() * 1000)
        filters = [] if status is None else [{"Key": "status", "Values": [str(status)]}]
        found: list[cls_models.AlertHistoryRecord] = []
        while True:
            request = cls_models.DescribeAlertRecordHistoryRequest()
            request.from_json_string(
                json.dumps(
                    {
                        "From": now - int(hours * 3_600_000),
                        "To": now + 1,
                        "Offset": len(found),
                        "Limit": 100,
                        "Filters": filters,
                    }
                )
            )
            answer = self.cls.DescribeAlertRecordHistory(request)
            found += answer.Records
            if len(found) >= answer.TotalCount:
                return found

    def open_alerts(self) -> set[str]:
        return {record.AlarmName for record in self.alerts(status=0)}

    def metric(
        self, name: str, workload: str, *, minutes: float = 10, kind: str = "Deployment"
    ) -> list[float]:
        start, end = self.clock.now() - timedelta(minutes=minutes), self.clock.now()
        request = monitor_models.DescribeStatisticDataRequest()
        conditions = {
            "tke_cluster_instance_id": self.cloud.cluster_ids[0],
            "namespace": self.namespace,
            "workload_kind": kind,
            "workload_name": workload,
        }
        request.from_json_string(
            json.dumps(
                {
                    "Module": "monitor",
                    "Namespace": "QCE/TKE2",
                    "MetricNames": [name],
                    "Conditions": [
                        {"Key": key, "Operator": "=", "Value": [value]} for key, value in conditions.items()
                    ],
                    "Period": 60,
                    "StartTime": start.isoformat(),
                    "EndTime": end.isoformat(),
                }
            )
        )
        answer = self._client(MonitorClient).DescribeStatisticData(request)
        return [value.Value for point in answer.Data[0].Points for value in point.Values]

    @property
    def cls(self) -> ClsClient:
        return self._client(ClsClient)

    def _client(self, kind, region: str | None = None):
        account = self.cloud.credentials
        profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=self.cloud.endpoint))
        return kind(Credential(account.secret_id, account.secret_key), region or self.cloud.region, profile)

    # Acting.

    def restart(self, workload: str) -> None:
        annotation = {"kubectl.kubernetes.io/restartedAt": self.clock.now().isoformat()}
        patch = {"spec": {"template": {"metadata": {"annotations": annotation}}}}
        self.kubernetes.patch(Deployment, workload, patch)

    def scale(self, workload: str, replicas: int) -> None:
        self.kubernetes.patch(Deployment, workload, {"spec": {"replicas": replicas}})

    def roll_back(self, workload: str) -> None:
        """Do what `kubectl rollout undo` does: put back the template of the revision before."""
        owned = [found.to_dict() for found in self.kubernetes.list(ReplicaSet, labels={"app": workload})]
        by_revision = sorted(
            owned,
            key=lambda found: int(found["metadata"]["annotations"]["deployment.kubernetes.io/revision"]),
        )
        template = by_revision[-2]["spec"]["template"]
        template["metadata"]["labels"].pop("pod-template-hash", None)
        replace = [{"op": "replace", "path": "/spec/template", "value": template}]
        self.kubernetes.patch(Deployment, workload, replace, patch_type=lightkube.types.PatchType.JSON)

    def isolate(self, workload: str) -> None:
        self.kubernetes.create(
            NetworkPolicy(
                metadata=ObjectMeta(name=f"isolate-{workload}", namespace=self.namespace),
                spec=NetworkPolicySpec(
                    podSelector=LabelSelector(matchLabels={"app": workload}),
                    policyTypes=["Ingress", "Egress"],
                ),
            )
        )

    def set_config(self, name: str, key: str, value: str) -> None:
        self.kubernetes.patch(ConfigMap, name, {"data": {key: value}})


def play(scenario, **options) -> tuple[LocalCloud, ManualClock]:
    """Return a local cloud, not yet entered, whose clock stands at START."""
    clock = ManualClock(START)
    limits = RequestLimits(default_per_second=1000)
    return LocalCloud(scenario, clock=clock, limits=limits, **options), clock
