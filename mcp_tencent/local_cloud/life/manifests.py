"""The Kubernetes objects that a scenario describes, as an admin would apply them. Pure."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.scenario.model import Config, ConfigVersion, Namespace, Revision, Workload

ALIAS = "xiaozhi/alias"
"""Annotation: what people call a thing, comma-separated."""
DEPENDS_ON = "xiaozhi/depends-on"
"""Annotation: what a workload calls, comma-separated."""
POOL_LABEL = "tke.cloud.tencent.com/nodepool-id"
_CHANGE_CAUSE = "kubernetes.io/change-cause"
_RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


def namespace_manifest(namespace: Namespace) -> KubernetesObject:
    """Return a Namespace."""
    annotations = {ALIAS: ",".join(namespace.aliases)} if namespace.aliases else {}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": namespace.name, "annotations": annotations},
    }


def config_manifest(config: Config, version: ConfigVersion) -> KubernetesObject:
    """Return a ConfigMap or Secret with the content of `version`."""
    data: Mapping[str, str] = version.data
    if config.kind == "Secret":
        data = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {
        "apiVersion": "v1",
        "kind": config.kind,
        "metadata": {"name": config.name, "namespace": config.namespace},
        "data": dict(data),
    }


def workload_manifest(
    workload: Workload,
    revision: Revision,
    *,
    config_kinds: Mapping[str, str],
    replicas: int,
    restarted_at: datetime | None = None,
) -> KubernetesObject:
    """Return the Deployment or StatefulSet of `workload` at `revision`.

    Args:
        workload: what it is.
        revision: the release that it runs.
        config_kinds: kind by name of the ConfigMaps and Secrets of its namespace.
        replicas: pods wanted.
        restarted_at: when a rolling restart was asked for, if one was.
    """
    annotations = {}
    if workload.aliases:
        annotations[ALIAS] = ",".join(workload.aliases)
    if workload.depends_on:
        annotations[DEPENDS_ON] = ",".join(workload.depends_on)
    if revision.cause:
        annotations[_CHANGE_CAUSE] = revision.cause
    spec: KubernetesObject = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": workload.name}},
        "template": _template(workload, revision, config_kinds, restarted_at),
    }
    if workload.kind == "Deployment":
        spec["strategy"] = {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
        }
        spec["progressDeadlineSeconds"] = workload.progress_deadline_seconds
        spec["revisionHistoryLimit"] = 10
    else:
        spec["serviceName"] = workload.name
    return {
        "apiVersion": "apps/v1",
        "kind": workload.kind,
        "metadata": {
            "name": workload.name,
            "namespace": workload.namespace,
            "labels": {"app": workload.name},
            "annotations": annotations,
        },
        "spec": spec,
    }


def _template(
    workload: Workload, revision: Revision, config_kinds: Mapping[str, str], restarted_at: datetime | None
) -> KubernetesObject:
    limits = {}
    if workload.cpu_limit_millicores is not None:
        limits["cpu"] = f"{workload.cpu_limit_millicores}m"
    if workload.memory_limit_mib is not None:
        limits["memory"] = f"{workload.memory_limit_mib}Mi"
    container: KubernetesObject = {
        "name": workload.name,
        "image": revision.image,
        "ports": [{"containerPort": workload.port, "protocol": "TCP"}],
        "env": [{"name": name, "value": value} for name, value in revision.env.items()],
        "envFrom": [
            {"secretRef" if config_kinds[name] == "Secret" else "configMapRef": {"name": name}}
            for name in workload.configs
        ],
        "resources": {
            "requests": {"cpu": f"{workload.cpu_millicores * 2}m", "memory": f"{workload.memory_mib}Mi"},
            "limits": limits,
        },
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": workload.port}, "periodSeconds": 5},
    }
    spec: KubernetesObject = {"containers": [container]}
    if workload.pool is not None:
        spec["nodeSelector"] = {POOL_LABEL: workload.pool}
    metadata: KubernetesObject = {"labels": {"app": workload.name}}
    if restarted_at is not None:
        metadata["annotations"] = {_RESTARTED_AT: restarted_at.isoformat(timespec="seconds")}
    return {"metadata": metadata, "spec": spec}


def companion_manifests(workload: Workload) -> list[KubernetesObject]:
    """Return the Service, the HorizontalPodAutoscaler and the PodDisruptionBudget that go with a workload."""
    named = {"name": workload.name, "namespace": workload.namespace, "labels": {"app": workload.name}}
    selector = {"app": workload.name}
    found: list[KubernetesObject] = [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": dict(named),
            "spec": {
                "selector": selector,
                "ports": [{"port": 80, "targetPort": workload.port, "protocol": "TCP"}],
            },
        }
    ]
    if workload.autoscaling is not None:
        found.append(_autoscaler(workload, named))
    if workload.min_available is not None:
        found.append(
            {
                "apiVersion": "policy/v1",
                "kind": "PodDisruptionBudget",
                "metadata": dict(named),
                "spec": {"minAvailable": workload.min_available, "selector": {"matchLabels": selector}},
            }
        )
    return found


def _autoscaler(workload: Workload, named: Mapping[str, object]) -> KubernetesObject:
    autoscaling = workload.autoscaling
    if autoscaling is None:
        raise ValueError(f"{workload.name} has no autoscaling")
    target = {"type": "Utilization", "averageUtilization": autoscaling.cpu_percent}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": dict(named),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": workload.kind, "name": workload.name},
            "minReplicas": autoscaling.min_replicas,
            "maxReplicas": autoscaling.max_replicas,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    }
