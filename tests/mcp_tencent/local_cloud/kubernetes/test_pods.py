"""Pods start, fail and end as their behaviour says."""

from __future__ import annotations

from itertools import pairwise

import pytest

from mcp_tencent.local_cloud.conditions import ContainerExit, KubernetesObject, PodBehaviour
from tests.mcp_tencent.local_cloud.kubernetes.laboratory import Laboratory, deployment, pod_template


def _container(lab: Laboratory) -> KubernetesObject:
    found: KubernetesObject = lab.pods("web")[0]["status"]["containerStatuses"][0]
    return found


def test_a_pod_is_ready_only_when_its_probe_succeeds(lab: Laboratory):
    lab.behaviours.decide = lambda _: PodBehaviour(ready_after_seconds=20)
    lab.cluster.apply(deployment(replicas=1))
    lab.run(15)
    assert (_container(lab)["ready"], "running" in _container(lab)["state"]) == (False, True)
    lab.run(15)
    assert _container(lab)["ready"]


def test_a_crashing_container_is_restarted_with_growing_back_off(lab: Laboratory):
    ending = ContainerExit(after_seconds=1, code=137, reason="OOMKilled")
    lab.behaviours.decide = lambda _: PodBehaviour(exit=ending)
    lab.cluster.apply(deployment(replicas=1))
    starts: list[float] = []

    def look(kind: str, _namespace: str, name: str) -> None:
        if kind == "Event" and "Started" in [
            event["reason"] for event in lab.cluster.list("Event") if event["metadata"]["name"] == name
        ]:
            starts.append((lab.simulation.now - first).total_seconds())

    first = lab.simulation.now
    lab.cluster.on_change(look)
    lab.run(3600)
    waits = [round(after - before) for before, after in pairwise(starts)]
    assert waits[:7] == pytest.approx([2, 12, 22, 42, 82, 162, 302], abs=2)
    assert waits[-1] == pytest.approx(302, abs=2)
    status = _container(lab)
    assert status["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert status["lastState"]["terminated"]["reason"] == "OOMKilled"
    assert status["restartCount"] == len(starts) - 1
    assert "BackOff" in lab.reasons("web")


def test_a_container_that_ran_for_long_starts_again_with_little_delay(lab: Laboratory):
    lab.behaviours.decide = lambda _: PodBehaviour(
        exit=ContainerExit(after_seconds=700, code=1, reason="Error")
    )
    lab.cluster.apply(deployment(replicas=1))
    lab.run(7200)
    assert _container(lab)["restartCount"] >= 9


def test_a_missing_image_backs_off_and_is_pulled_when_it_appears(lab: Laboratory):
    missing = [True]
    lab.behaviours.decide = lambda _: PodBehaviour(image_error="not found") if missing[0] else PodBehaviour()
    lab.cluster.apply(deployment(replicas=1))
    lab.run(30)
    assert _container(lab)["state"]["waiting"]["reason"] in {"ErrImagePull", "ImagePullBackOff"}
    missing.clear()
    missing.append(False)
    lab.run(60)
    assert _container(lab)["ready"]


def test_a_config_map_is_read_at_the_start_only(lab: Laboratory):
    workload = deployment(replicas=1)
    workload["spec"]["template"]["spec"]["containers"][0]["envFrom"] = [{"configMapRef": {"name": "conf"}}]
    lab.cluster.apply(workload)
    lab.run(20)
    assert _container(lab)["state"]["waiting"] == {
        "reason": "CreateContainerConfigError",
        "message": 'configmap "conf" not found',
    }
    conf = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "conf", "namespace": "shop"}}
    lab.cluster.apply({**conf, "data": {"a": "1"}})
    lab.run(20)
    uid = lab.pods("web")[0]["metadata"]["uid"]
    lab.cluster.apply({**conf, "data": {"a": "2"}})
    lab.run(600)
    assert lab.cluster.kubelet.configuration(uid)["ConfigMap", "conf"]["data"] == {"a": "1"}
    lab.cluster.delete("Pod", "shop", lab.pods("web")[0]["metadata"]["name"])
    lab.run(60)
    uid = lab.pods("web")[0]["metadata"]["uid"]
    assert lab.cluster.kubelet.configuration(uid)["ConfigMap", "conf"]["data"] == {"a": "2"}


def test_reconsidering_makes_running_pods_unready_and_ready_again(lab: Laboratory):
    lab.cluster.apply(deployment(replicas=2))
    lab.run(30)
    lab.behaviours.decide = lambda _: PodBehaviour(ready_after_seconds=None)
    lab.cluster.reconsider("shop")
    lab.run(5)
    assert lab.get("Deployment", "web")["status"].get("readyReplicas", 0) == 0
    assert "Unhealthy" in lab.reasons("web")
    lab.behaviours.decide = lambda _: PodBehaviour()
    lab.cluster.reconsider()
    lab.run(5)
    assert lab.get("Deployment", "web")["status"]["readyReplicas"] == 2


def test_a_pod_without_room_waits_until_there_is_some(lab: Laboratory):
    workload = deployment(replicas=1)
    workload["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "12"}}
    lab.cluster.apply(workload)
    lab.run(30)
    condition = lab.pods("web")[0]["status"]["conditions"][0]
    assert (condition["reason"], condition["message"]) == (
        "Unschedulable",
        "0/3 nodes are available: 3 Insufficient cpu.",
    )
    lab.cluster.add_node("large", cpu_cores=16, memory_bytes=2**35)
    lab.run(30)
    assert lab.pods("web")[0]["spec"]["nodeName"] == "large"


def test_a_silent_node_loses_its_pods_after_five_minutes_and_they_are_replaced(lab: Laboratory):
    lab.cluster.apply(deployment(replicas=3))
    lab.run(30)
    lost = lab.pods("web")[0]
    node = lost["spec"]["nodeName"]
    lab.cluster.set_node_ready(node, ready=False)
    lab.run(60)
    assert lab.get("Deployment", "web")["status"]["readyReplicas"] == 2
    lab.run(400)
    assert lab.get("Deployment", "web")["status"]["readyReplicas"] == 3
    assert any("deletionTimestamp" in pod["metadata"] for pod in lab.pods("web"))
    lab.cluster.set_node_ready(node, ready=True)
    lab.run(30)
    assert len(lab.pods("web")) == 3
    assert lost["metadata"]["uid"] not in {pod["metadata"]["uid"] for pod in lab.pods("web")}


def test_stateful_pods_start_in_order_and_update_from_the_last(lab: Laboratory):
    body: KubernetesObject = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "db", "namespace": "shop"},
        "spec": {
            "replicas": 3,
            "serviceName": "db",
            "selector": {"matchLabels": {"app": "db"}},
            "template": pod_template("db", "db:1"),
        },
    }
    lab.cluster.apply(body)
    lab.run(8)
    assert [pod["metadata"]["name"] for pod in lab.pods("db")] == ["db-0", "db-1"]
    lab.run(60)
    gone: list[str] = []
    lab.cluster.on_change(
        lambda kind, _, name: (
            gone.append(name) if kind == "Pod" and lab.cluster.get("Pod", "shop", name) is None else None
        )
    )
    lab.cluster.apply({**body, "spec": {**body["spec"], "template": pod_template("db", "db:2")}})
    lab.run(120)
    assert gone == ["db-2", "db-1", "db-0"]
    assert {pod["spec"]["containers"][0]["image"] for pod in lab.pods("db")} == {"db:2"}


def test_the_autoscaler_grows_with_load_and_shrinks_after_five_minutes(lab: Laboratory):
    busy = [True]
    lab.behaviours.decide = lambda _: PodBehaviour(cpu_millicores=180 if busy[0] else 10)
    lab.cluster.apply(deployment(replicas=2))
    target = {"type": "Utilization", "averageUtilization": 60}
    spec = {
        "minReplicas": 2,
        "maxReplicas": 7,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
    }
    lab.cluster.apply(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": spec,
        }
    )
    lab.run(180)
    assert lab.get("Deployment", "web")["spec"]["replicas"] == 7
    busy[0] = False
    lab.cluster.reconsider("shop")
    lab.run(200)
    assert lab.get("Deployment", "web")["spec"]["replicas"] == 7
    lab.run(300)
    assert lab.get("Deployment", "web")["spec"]["replicas"] == 2


def test_a_quota_stops_a_rollout_and_lets_it_go_on_when_raised(lab: Laboratory):
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "q", "namespace": "shop"},
        "spec": {"hard": {"pods": "2"}},
    }
    lab.cluster.apply(quota)
    lab.cluster.apply(deployment(replicas=4))
    lab.run(30)
    assert len(lab.pods("web")) == 2
    assert "FailedCreate" in lab.reasons("web")
    assert lab.get("ResourceQuota", "q")["status"]["used"] == {"pods": "2"}
    lab.cluster.apply({**quota, "spec": {"hard": {"pods": "10"}}})
    lab.run(30)
    assert len(lab.pods("web")) == 4


def test_a_pod_that_no_longer_matches_is_released_and_replaced(lab: Laboratory):
    lab.cluster.apply(deployment(replicas=2))
    lab.run(30)
    freed = lab.pods("web")[0]
    lab.cluster.apply(
        {
            **freed,
            "metadata": {
                "name": freed["metadata"]["name"],
                "namespace": "shop",
                "labels": {"app": "quarantine"},
            },
        }
    )
    lab.run(30)
    assert len(lab.pods("web")) == 2
    assert "ownerReferences" not in lab.pods("quarantine")[0]["metadata"]


def test_the_same_seed_gives_the_same_history():
    histories = []
    for _ in range(2):
        lab = Laboratory(seed=7)
        lab.cluster.apply(deployment())
        lab.run(3600)
        histories.append([lab.cluster.store.encoded("Pod", pod) for pod in lab.pods()])
    assert histories[0] == histories[1]


def test_events_are_forgotten_after_an_hour(lab: Laboratory):
    lab.cluster.apply(deployment())
    lab.run(4000)
    lab.cluster.expire_events()
    assert lab.reasons("web") == []
