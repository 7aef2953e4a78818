"""What is seen of a cluster's objects, as real API servers write them."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from mcp_tencent.models.workloads import (
    ConfigKind,
    ConfigUse,
    ContainerImage,
    PodPhase,
    WorkloadKind,
    WorkloadRef,
)
from tests.mcp_tencent.cloud.lightkube.test_connection import Inside
from tests.mcp_tencent.cloud.scripted_server import Asked, Reply, scripted, status_object

NOON = "2026-11-20T12:00:00Z"
ORDER = WorkloadRef(namespace="shop", kind=WorkloadKind.DEPLOYMENT, name="order-service")


def pod(**changes: Any) -> dict[str, Any]:
    whole = {
        "metadata": {
            "name": "order-service-7d9f8b6c5d-x2x2x",
            "namespace": "shop",
            "creationTimestamp": NOON,
            "labels": {"app": "order", "pod-template-hash": "7d9f8b6c5d"},
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "ReplicaSet",
                    "name": "order-service-7d9f8b6c5d",
                    "uid": "rs",
                    "controller": True,
                }
            ],
        },
        "spec": {"nodeName": "10.0.0.4", "containers": [{"name": "app", "image": "order:4"}]},
        "status": {"phase": "Running", "startTime": NOON},
    }
    return {**whole, **changes}


def container(**changes: Any) -> dict[str, Any]:
    return {"name": "app", "image": "order:4", "imageID": "", "ready": True, "restartCount": 0, **changes}


def serving(**items_by_plural: list[dict[str, Any]]):
    def script(asked: Asked) -> Reply:
        plural = asked.target.split("?")[0].rsplit("/", 1)[1]
        if plural not in items_by_plural:
            return status_object(404, "NotFound", asked.target)
        return Reply(
            json.dumps({"metadata": {"resourceVersion": "1"}, "items": items_by_plural[plural]}).encode()
        )

    return script


async def seen_pod(item: dict[str, Any]) -> Any:
    async with scripted(serving(pods=[item])) as server, Inside(server.url) as inside:
        (found,) = await inside.workloads.pods()
    return found


async def test_a_running_pod():
    found = await seen_pod(
        pod(status={"phase": "Running", "startTime": NOON, "containerStatuses": [container()]})
    )
    assert (found.name, found.owner, found.node) == (
        "order-service-7d9f8b6c5d-x2x2x",
        "order-service",
        "10.0.0.4",
    )
    assert (found.phase, found.reason, found.ready) == (PodPhase.RUNNING, "", True)
    assert (found.containers_ready, found.containers, found.restarts) == (1, 1, 0)
    assert found.created_at == datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert found.images == (ContainerImage(container="app", image="order:4"),)


async def test_a_pod_that_crashes_says_why_and_how_it_last_ended():
    ended = {"exitCode": 137, "reason": "OOMKilled", "finishedAt": NOON}
    state = container(
        ready=False,
        restartCount=7,
        state={"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}},
        lastState={"terminated": ended},
    )
    found = await seen_pod(pod(status={"phase": "Running", "containerStatuses": [state]}))
    assert (found.reason, found.message, found.ready, found.restarts) == (
        "CrashLoopBackOff",
        "back-off 5m0s",
        False,
        7,
    )
    assert (found.last_end.reason, found.last_end.exit_code) == ("OOMKilled", 137)


@pytest.mark.parametrize(
    ("status", "phase", "reason"),
    [
        (
            {
                "phase": "Pending",
                "containerStatuses": [
                    container(ready=False, state={"waiting": {"reason": "ImagePullBackOff"}})
                ],
            },
            PodPhase.PENDING,
            "ImagePullBackOff",
        ),
        (
            {
                "phase": "Pending",
                "containerStatuses": [
                    container(ready=False, state={"waiting": {"reason": "ContainerCreating"}})
                ],
            },
            PodPhase.PENDING,
            "",
        ),
        (
            {
                "phase": "Pending",
                "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}],
            },
            PodPhase.PENDING,
            "Unschedulable",
        ),
        ({"phase": "Failed", "reason": "Evicted", "message": "low on memory"}, PodPhase.FAILED, "Evicted"),
        (
            {
                "phase": "Pending",
                "initContainerStatuses": [container(ready=False, state={"terminated": {"exitCode": 1}})],
            },
            PodPhase.PENDING,
            "Error",
        ),
        ({}, PodPhase.UNKNOWN, ""),
    ],
)
async def test_what_keeps_a_pod_from_running_is_named(status, phase, reason):
    found = await seen_pod(pod(status=status))
    assert (found.phase, found.reason) == (phase, reason)


async def test_a_pod_of_a_stateful_set_and_one_on_its_own_know_their_owner():
    meta = {"name": "redis-0", "namespace": "shop", "labels": {"controller-revision-hash": "redis-5f"}}
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "redis", "uid": "s", "controller": True}
    owned = await seen_pod(pod(metadata={**meta, "ownerReferences": [owner]}))
    alone = await seen_pod(pod(metadata=meta))
    assert (owned.owner, owned.revision_hash, alone.owner) == ("redis", "redis-5f", "")


def deployment(**changes: Any) -> dict[str, Any]:
    return {
        "metadata": {
            "name": "order-service",
            "namespace": "shop",
            "uid": "d",
            "generation": 2,
            "annotations": {"deployment.kubernetes.io/revision": "4", "kubernetes.io/change-cause": "v4"},
        },
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "order"}},
            "template": {
                "metadata": {
                    "annotations": {"kubectl.kubernetes.io/restartedAt": "2026-11-20T20:00:00+08:00"}
                },
                "spec": {
                    "containers": [
                        {
                            "name": "app",
                            "image": "order:4",
                            "envFrom": [
                                {"configMapRef": {"name": "order-config"}},
                                {"secretRef": {"name": "db"}},
                            ],
                            "env": [
                                {"name": "K", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "k"}}},
                                {
                                    "name": "F",
                                    "valueFrom": {"configMapKeyRef": {"name": "flags", "key": "f"}},
                                },
                            ],
                        }
                    ],
                    "volumes": [
                        {"name": "v", "configMap": {"name": "order-config"}},
                        {"name": "s", "secret": {"secretName": "tls"}},
                    ],
                },
            },
        },
        "status": {
            "observedGeneration": 2,
            "replicas": 3,
            "readyReplicas": 3,
            "updatedReplicas": 3,
            "availableReplicas": 3,
        },
        **changes,
    }


async def test_workloads_of_all_kinds_are_listed_by_namespace_and_name():
    daemon = {
        "metadata": {"name": "agent", "namespace": "kube-system", "uid": "x"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {}},
        "status": {
            "currentNumberScheduled": 3,
            "desiredNumberScheduled": 3,
            "numberMisscheduled": 0,
            "numberReady": 2,
        },
    }
    script = serving(deployments=[deployment()], statefulsets=[], daemonsets=[daemon])
    async with scripted(script) as server, Inside(server.url) as inside:
        agent, order = await inside.workloads.workloads()
    assert (agent.ref.kind, agent.replicas_wanted, agent.replicas_ready) == (WorkloadKind.DAEMON_SET, 3, 2)
    assert not agent.healthy
    assert (order.ref, order.revision, order.change_cause, order.healthy) == (ORDER, 4, "v4", True)
    assert order.restarted_at == datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert order.config == (
        ConfigUse(kind=ConfigKind.CONFIG_MAP, name="flags"),
        ConfigUse(kind=ConfigKind.CONFIG_MAP, name="order-config"),
        ConfigUse(kind=ConfigKind.SECRET, name="db"),
        ConfigUse(kind=ConfigKind.SECRET, name="keys"),
        ConfigUse(kind=ConfigKind.SECRET, name="tls"),
    )


async def test_a_secret_comes_without_its_values():
    value = "hunter2 is the password"
    data = {"password": base64.b64encode(value.encode()).decode(), "empty": "", "two": "YWI="}
    secret = {"metadata": {"name": "db", "namespace": "shop"}, "data": data}
    async with scripted(serving(secrets=[secret])) as server, Inside(server.url) as inside:
        (found,) = await inside.workloads.configs(ConfigKind.SECRET, namespace="shop")
    assert {entry.key: entry.size_bytes for entry in found.entries} == {
        "password": len(value),
        "empty": 0,
        "two": 2,
    }
    assert {entry.value for entry in found.entries} == {None}


async def test_lists_are_read_chunk_by_chunk():
    def script(asked: Asked) -> Reply:
        first = "continue=" not in asked.target
        items = [{"metadata": {"name": f"ns-{'a' if first else 'b'}"}}]
        return Reply(json.dumps({"metadata": {"continue": "more"} if first else {}, "items": items}).encode())

    async with scripted(script) as server, Inside(server.url) as inside:
        found = await inside.workloads.namespaces()
    assert [namespace.name for namespace in found] == ["ns-a", "ns-b"]
    assert "limit=500" in server.asked[0].target


async def test_a_node_says_what_it_has():
    node = {
        "metadata": {"name": "10.0.0.4"},
        "spec": {"providerID": "qcloud:///100003/ins-1a2b3c4d", "unschedulable": True},
        "status": {
            "allocatable": {"cpu": "3920m", "memory": "6Gi", "pods": "61"},
            "addresses": [{"type": "InternalIP", "address": "10.0.0.4"}],
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": NOON}],
        },
    }
    async with scripted(serving(nodes=[node])) as server, Inside(server.url) as inside:
        (found,) = await inside.workloads.nodes()
    assert (found.cpu_millicores, found.memory_bytes, found.pods_max) == (3920, 6 * 2**30, 61)
    assert (found.instance_id, found.ready, found.schedulable) == ("ins-1a2b3c4d", True, False)


async def test_events_of_both_kinds_come_latest_first_and_old_ones_are_left_out():
    about = {"kind": "Pod", "name": "p", "namespace": "shop"}
    old = {
        "metadata": {"name": "1"},
        "involvedObject": about,
        "lastTimestamp": "2026-11-20T10:00:00Z",
        "type": "Normal",
    }
    classic = {
        "metadata": {"name": "2"},
        "involvedObject": about,
        "lastTimestamp": "2026-11-20T12:00:00Z",
        "type": "Warning",
        "reason": "BackOff",
        "count": 9,
    }
    newer = {
        "metadata": {"name": "3"},
        "involvedObject": about,
        "eventTime": "2026-11-20T12:30:00.123456Z",
        "series": {"count": 4, "lastObservedTime": "2026-11-20T12:40:00.000000Z"},
        "type": "Warning",
        "reason": "FailedScheduling",
    }
    async with scripted(serving(events=[old, classic, newer])) as server, Inside(server.url) as inside:
        found = await inside.workloads.events(since=datetime(2026, 11, 20, 11, tzinfo=UTC))
    assert [(event.reason, event.count) for event in found] == [("FailedScheduling", 4), ("BackOff", 9)]


async def test_a_log_is_asked_for_by_container_with_bounds_and_its_lines_are_timed():
    text = "2026-11-20T12:00:00.123456789Z 订单超时\n2026-11-20T12:00:01Z \nno time at all\n"

    def script(asked: Asked) -> Reply:
        if asked.target.split("?")[0].endswith("/log"):
            return Reply(text.encode(), content_type="text/plain")
        return Reply(json.dumps(pod()).encode())

    async with scripted(script) as server, Inside(server.url) as inside:
        log = await inside.workloads.pod_log("shop", "order-service-7d9f8b6c5d-x2x2x", tail=3, previous=True)
    assert [line.text for line in log.lines] == ["订单超时", "", "no time at all"]
    assert log.lines[0].at == datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)
    assert log.container == "app"
    target = server.asked[-1].target
    assert "container=app&tailLines=3&previous=true&timestamps=true&limitBytes=1048576" in target
