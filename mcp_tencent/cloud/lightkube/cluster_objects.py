"""Namespaces, nodes, services and configuration, as models of ours (pure)."""

from __future__ import annotations

from decimal import Decimal

from lightkube.resources.core_v1 import ConfigMap, ResourceQuota, Secret
from lightkube.resources.core_v1 import Namespace as KubeNamespace
from lightkube.resources.core_v1 import Node as KubeNode
from lightkube.resources.core_v1 import Service as KubeService
from lightkube.utils.quantity import parse_quantity

from mcp_tencent.cloud.lightkube.object_parts import aliases_of, conditions_of, meta_of
from mcp_tencent.models.workloads import (
    Config,
    ConfigEntry,
    ConfigKind,
    Namespace,
    Node,
    Quota,
    QuotaLimit,
    Service,
    ServicePort,
)


def namespace_of(item: KubeNamespace) -> Namespace:
    """Return a namespace."""
    meta = meta_of(item.metadata)
    phase = (item.status.phase if item.status else None) or "Active"
    return Namespace(
        name=meta.name or "",
        phase=phase,
        created_at=meta.creationTimestamp,
        aliases=aliases_of(meta.annotations),
    )


def node_of(item: KubeNode) -> Node:
    """Return a node."""
    meta, spec, status = meta_of(item.metadata), item.spec, item.status
    conditions = conditions_of(status.conditions if status else None)
    capacity = (status.allocatable or status.capacity or {}) if status else {}
    addresses = {a.type: a.address for a in (status.addresses or ())} if status else {}
    provider = (spec.providerID or "") if spec else ""
    return Node(
        name=meta.name or "",
        ready=any(c.kind == "Ready" and c.status == "True" for c in conditions),
        schedulable=not (spec.unschedulable if spec else False),
        address=addresses.get("InternalIP", ""),
        instance_id=provider.rsplit("/", 1)[-1],
        kubelet_version=status.nodeInfo.kubeletVersion if status and status.nodeInfo else "",
        cpu_millicores=int(_quantity(capacity.get("cpu")) * 1000),
        memory_bytes=int(_quantity(capacity.get("memory"))),
        pods_max=int(_quantity(capacity.get("pods"))),
        conditions=conditions,
        created_at=meta.creationTimestamp,
    )


def service_of(item: KubeService) -> Service:
    """Return a service."""
    meta, spec, status = meta_of(item.metadata), item.spec, item.status
    ingress = (status.loadBalancer.ingress or ()) if status and status.loadBalancer else ()
    outside = [entry.ip or entry.hostname or "" for entry in ingress]
    return Service(
        namespace=meta.namespace or "",
        name=meta.name or "",
        kind=(spec.type or "ClusterIP") if spec else "ClusterIP",
        cluster_address=(spec.clusterIP or "") if spec else "",
        external_addresses=(*outside, *((spec.externalIPs or ()) if spec else ())),
        ports=tuple(
            ServicePort(
                name=port.name or "",
                port=port.port,
                target=str(port.targetPort if port.targetPort is not None else port.port),
                protocol=port.protocol or "TCP",
            )
            for port in ((spec.ports or ()) if spec else ())
        ),
        selector=dict((spec.selector or {}) if spec else {}),
        created_at=meta.creationTimestamp,
    )


def config_of(item: ConfigMap | Secret) -> Config:
    """Return a ConfigMap, or a Secret of which only keys and sizes are taken along."""
    meta = meta_of(item.metadata)
    if isinstance(item, Secret):
        entries = [
            ConfigEntry(key=key, size_bytes=_decoded_size(value), value=None)
            for key, value in (item.data or {}).items()
        ]
    else:
        entries = [
            ConfigEntry(key=key, size_bytes=len(value.encode()), value=value)
            for key, value in (item.data or {}).items()
        ]
        entries += [
            ConfigEntry(key=key, size_bytes=_decoded_size(value), value=None)
            for key, value in (item.binaryData or {}).items()
        ]
    written = [entry.time for entry in meta.managedFields or () if entry.time]
    return Config(
        namespace=meta.namespace or "",
        name=meta.name or "",
        kind=ConfigKind.SECRET if isinstance(item, Secret) else ConfigKind.CONFIG_MAP,
        entries=tuple(sorted(entries, key=lambda entry: entry.key)),
        immutable=bool(item.immutable),
        changed_at=max(written, default=None),
        created_at=meta.creationTimestamp,
    )


def _quantity(text: str | None) -> Decimal:
    return parse_quantity(text) or Decimal(0)


def _decoded_size(encoded: str) -> int:
    return max(0, len(encoded) * 3 // 4 - encoded.count("=", -2))


def quota_of(item: ResourceQuota) -> Quota:
    """Return how much the pods of a namespace may use together."""
    meta, status = meta_of(item.metadata), item.status
    used = (status.used or {}) if status else {}
    most = ((status.hard if status else None) or (item.spec.hard if item.spec else None)) or {}
    return Quota(
        namespace=meta.namespace or "",
        name=meta.name or "",
        limits=tuple(
            QuotaLimit(
                resource=resource,
                used=used.get(resource, "0"),
                most=limit,
                exhausted=(parse_quantity(used.get(resource, "0")) or 0) >= (parse_quantity(limit) or 0),
            )
            for resource, limit in sorted(most.items())
        ),
    )
