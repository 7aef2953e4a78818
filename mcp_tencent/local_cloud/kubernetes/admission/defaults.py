"""The values that the API fills in where a client left them out. Pure: every function returns a copy."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.quantities import canonical_quantity

_DEFAULT_TOLERATION_SECONDS = 300
_OMITTED_WHEN_EMPTY = frozenset(
    {"args", "command", "env", "envFrom", "ports", "volumeDevices", "volumeMounts"}
)
"""Lists of a container that the API does not keep when they are empty."""


def with_defaults(kind: str, subject: KubernetesObject) -> KubernetesObject:
    """Return `subject`, an object of `kind`, with its defaults."""
    complete = _DEFAULTS.get(kind)
    return complete(subject) if complete is not None else subject


def _with_spec(
    complete: Callable[[KubernetesObject], KubernetesObject],
) -> Callable[[KubernetesObject], KubernetesObject]:
    return lambda subject: {**subject, "spec": complete(subject.get("spec") or {})}


def _default(values: KubernetesObject, defaults: Mapping[str, object]) -> KubernetesObject:
    missing = {key: value for key, value in defaults.items() if key not in values}
    return {**values, **missing} if missing else values


def default_pod_spec(spec: KubernetesObject) -> KubernetesObject:
    """Return a pod spec with its defaults, its containers' included."""
    spec = _default(
        spec,
        {
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "schedulerName": "default-scheduler",
            "securityContext": {},
        },
    )
    spec = dict(spec)
    for key in ("containers", "initContainers"):
        if isinstance(spec.get(key), list):
            spec[key] = [_container(item) for item in spec[key]]
    if spec.get("volumes"):
        spec["volumes"] = [_volume(item) for item in spec["volumes"]]
    if "serviceAccountName" in spec:
        spec.setdefault("serviceAccount", spec["serviceAccountName"])
    return spec


def _container(container: KubernetesObject) -> KubernetesObject:
    image = str(container.get("image", ""))
    tag = image.rpartition("/")[2].partition(":")[2]
    latest = (not tag or tag == "latest") and "@" not in image
    container = _default(
        container,
        {
            "resources": {},
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
            "imagePullPolicy": "Always" if latest else "IfNotPresent",
        },
    )
    container = dict(container)
    if container.get("ports"):
        container["ports"] = [_default(port, {"protocol": "TCP"}) for port in container["ports"]]
    if container.get("env"):
        container["env"] = [_environment(variable) for variable in container["env"]]
    for key in _OMITTED_WHEN_EMPTY & container.keys():
        if container[key] == []:
            del container[key]
    container["resources"] = _resources(container["resources"])
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if probe in container:
            container[probe] = _probe(container[probe])
    return container


def _resources(resources: KubernetesObject) -> KubernetesObject:
    """Write quantities as the API stores them: otherwise a rollback would not find its old template again."""
    stored = dict(resources)
    for key in ("limits", "requests"):
        if isinstance(stored.get(key), dict):
            amounts = stored[key].items()
            stored[key] = {name: canonical_quantity(str(amount)) for name, amount in amounts}
    if stored.get("limits"):
        stored["requests"] = {**stored["limits"], **stored.get("requests", {})}
    return stored


def _environment(variable: KubernetesObject) -> KubernetesObject:
    reference = variable.get("valueFrom", {}).get("fieldRef")
    if reference is None:
        return variable
    return {
        **variable,
        "valueFrom": {**variable["valueFrom"], "fieldRef": _default(reference, {"apiVersion": "v1"})},
    }


def _probe(probe: KubernetesObject) -> KubernetesObject:
    probe = _default(
        probe, {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
    )
    if "httpGet" in probe:
        probe = {**probe, "httpGet": _default(probe["httpGet"], {"path": "/", "scheme": "HTTP"})}
    return probe


def _volume(volume: KubernetesObject) -> KubernetesObject:
    for source in ("configMap", "secret", "projected", "downwardAPI"):
        if source in volume:
            return {**volume, source: _default(volume[source], {"defaultMode": 420})}
    if set(volume) == {"name"}:
        return {**volume, "emptyDir": {}}
    return volume


def _template(spec: KubernetesObject) -> KubernetesObject:
    template = spec.get("template") or {}
    metadata = template.get("metadata") or {}
    return {**spec, "template": {"metadata": metadata, "spec": default_pod_spec(template.get("spec") or {})}}


def _pod(subject: KubernetesObject) -> KubernetesObject:
    spec = default_pod_spec(subject.get("spec") or {})
    spec = _default(
        spec,
        {
            "enableServiceLinks": True,
            "serviceAccountName": "default",
            "priority": 0,
            "preemptionPolicy": "PreemptLowerPriority",
        },
    )
    spec = _default(spec, {"serviceAccount": spec["serviceAccountName"]})
    tolerations = list(spec.get("tolerations") or ())
    for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if not any(
            item.get("key") in {key, None} and item.get("effect") in {"NoExecute", None}
            for item in tolerations
        ):
            tolerations.append(
                {
                    "key": key,
                    "operator": "Exists",
                    "effect": "NoExecute",
                    "tolerationSeconds": _DEFAULT_TOLERATION_SECONDS,
                }
            )
    return {**subject, "spec": {**spec, "tolerations": tolerations}}


def _deployment(spec: KubernetesObject) -> KubernetesObject:
    spec = _default(
        _template(spec), {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600}
    )
    strategy = _default(spec.get("strategy") or {}, {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        rolling = _default(strategy.get("rollingUpdate") or {}, {"maxUnavailable": "25%", "maxSurge": "25%"})
        strategy = {**strategy, "rollingUpdate": rolling}
    return {**spec, "strategy": strategy}


def _replica_set(spec: KubernetesObject) -> KubernetesObject:
    return _default(_template(spec), {"replicas": 1})


def _stateful_set(spec: KubernetesObject) -> KubernetesObject:
    spec = _default(
        _template(spec),
        {
            "replicas": 1,
            "revisionHistoryLimit": 10,
            "podManagementPolicy": "OrderedReady",
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        },
    )
    strategy = _default(spec.get("updateStrategy") or {}, {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        strategy = {
            **strategy,
            "rollingUpdate": _default(strategy.get("rollingUpdate") or {}, {"partition": 0}),
        }
    return {**spec, "updateStrategy": strategy}


def _daemon_set(spec: KubernetesObject) -> KubernetesObject:
    spec = _default(_template(spec), {"revisionHistoryLimit": 10})
    strategy = _default(spec.get("updateStrategy") or {}, {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        rolling = _default(strategy.get("rollingUpdate") or {}, {"maxUnavailable": 1, "maxSurge": 0})
        strategy = {**strategy, "rollingUpdate": rolling}
    return {**spec, "updateStrategy": strategy}


def _service(spec: KubernetesObject) -> KubernetesObject:
    spec = _default(spec, {"type": "ClusterIP", "sessionAffinity": "None"})
    if spec["type"] == "ExternalName":
        return spec
    spec = _default(
        spec, {"internalTrafficPolicy": "Cluster", "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"}
    )
    ports = [
        _default(_default(port, {"protocol": "TCP"}), {"targetPort": port.get("port")})
        for port in spec.get("ports") or ()
    ]
    return {**spec, "ports": ports} if ports else spec


def _secret(subject: KubernetesObject) -> KubernetesObject:
    return _default(subject, {"type": "Opaque"})


def _autoscaler(spec: KubernetesObject) -> KubernetesObject:
    utilization = {"type": "Utilization", "averageUtilization": 80}
    return _default(
        spec,
        {
            "minReplicas": 1,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": utilization}}],
        },
    )


def _network_policy(spec: KubernetesObject) -> KubernetesObject:
    types = ["Ingress", "Egress"] if "egress" in spec else ["Ingress"]
    return _default(_default(spec, {"podSelector": {}}), {"policyTypes": types})


def _claim(spec: KubernetesObject) -> KubernetesObject:
    return _default(spec, {"volumeMode": "Filesystem", "storageClassName": "cbs"})


_DEFAULTS: Mapping[str, Callable[[KubernetesObject], KubernetesObject]] = {
    "Pod": _pod,
    "Deployment": _with_spec(_deployment),
    "ReplicaSet": _with_spec(_replica_set),
    "StatefulSet": _with_spec(_stateful_set),
    "DaemonSet": _with_spec(_daemon_set),
    "Service": _with_spec(_service),
    "Secret": _secret,
    "HorizontalPodAutoscaler": _with_spec(_autoscaler),
    "NetworkPolicy": _with_spec(_network_policy),
    "PersistentVolumeClaim": _with_spec(_claim),
}
