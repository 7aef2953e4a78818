"""Node pools of every kind (TKE 2022-05-01); creating, changing and scaling is for native ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

from mcp_tencent.local_cloud.tencent.calls import (
    Action,
    Call,
    integer_of,
    object_of,
    objects_of,
    text_of,
    texts_of,
)
from mcp_tencent.local_cloud.tencent.errors import ActionError, RequestError, invalid_parameter, invalid_value
from mcp_tencent.local_cloud.tencent.json_types import Json, JsonObject
from mcp_tencent.local_cloud.tencent.paging import containing, equal, matching, page
from mcp_tencent.local_cloud.tencent.ports import ClusterNodes, NodeState
from mcp_tencent.local_cloud.tencent.tke.pool_actions import node_counts
from mcp_tencent.local_cloud.tencent.tke.state import Cluster, NodePool, PoolKind, TkeState

_SHOWN_NATIVE = (
    "SubnetIds",
    "SecurityGroupIds",
    "UpgradeSettings",
    "AutoRepair",
    "InstanceChargeType",
    "InstanceChargePrepaid",
    "SystemDisk",
    "KeyIds",
    "Management",
    "HealthCheckPolicyName",
    "HostNamePattern",
    "KubeletArgs",
    "Lifecycle",
    "RuntimeRootDir",
    "InternetAccessible",
    "DataDisks",
    "MachineType",
    "CustomImage",
)


class NativePoolActions:
    """Answers for node pools of the newer API."""

    def __init__(self, state: TkeState, nodes: ClusterNodes) -> None:
        self._state = state
        self._nodes = nodes

    def table(self) -> dict[str, Action]:
        """Return the actions by name."""
        return {
            "DescribeNodePools": self.describe_node_pools,
            "CreateNodePool": self.create_node_pool,
            "ModifyNodePool": self.modify_node_pool,
            "ScaleNodePool": self.scale_node_pool,
        }

    def describe_node_pools(self, call: Call) -> JsonObject:
        """List the cluster's pools of every kind."""
        cluster = self._cluster(call)
        found = matching(
            call,
            self._state.pools(cluster),
            {
                "NodePoolsName": containing(lambda pool: pool.name),
                "NodePoolsId": equal(lambda pool: pool.pool_id),
                "tags": lambda pool, values: any(f"{k}:{v}" in values for k, v in _tags(pool).items()),
            },
            key="Name",
            tags=_tags,
        )
        return {"NodePools": [self._shown(pool) for pool in page(call, found)], "TotalCount": len(found)}

    def create_node_pool(self, call: Call) -> JsonObject:
        """Create a native pool and let its nodes come up."""
        cluster = self._cluster(call)
        if call.text("Type") != PoolKind.NATIVE:
            raise invalid_value("Type", call.text("Type"), "Native")
        native = call.object("Native")
        if native is None:
            raise invalid_parameter("A pool of type Native needs the parameter `Native`.")
        name = call.text("Name")
        if not 1 <= len(name) <= 64 or any(pool.name == name for pool in self._state.pools(cluster)):
            message = f"The name {name[:60]!r} is taken or not 1 to 64 characters long."
            raise RequestError("InvalidParameter", message)
        scaling = object_of(native, "Scaling") or {}
        minimum, maximum = integer_of(scaling, "MinReplicas"), integer_of(scaling, "MaxReplicas", 10)
        pool = NodePool(
            pool_id=self._state.identifiers.short("np-"),
            cluster_id=cluster.cluster_id,
            name=name,
            kind=PoolKind.NATIVE,
            created_at=self._state.clock.now(),
            desired=integer_of(native, "Replicas", minimum),
            minimum=minimum,
            maximum=maximum,
            autoscaling=native.get("EnableAutoscaling") is True,
            labels=_labels(call),
            taints=tuple(call.objects("Taints")),
            tags=tuple(call.objects("Tags")),
            annotations=tuple(call.objects("Annotations")),
            deletion_protection=call.flag("DeletionProtection"),
            unschedulable=call.flag("Unschedulable"),
            instance_types=tuple(texts_of(native, "InstanceTypes")),
            settings=native,
        )
        self._state.check_size(cluster, pool, pool.desired)
        self._state.add_pool(pool)
        self._nodes.resize(cluster.cluster_id, pool.pool_id, pool.desired)
        return {"NodePoolId": pool.pool_id}

    def modify_node_pool(self, call: Call) -> JsonObject:
        """Change a pool; the bounds and the size of a native one, too."""
        cluster = self._cluster(call)
        pool = self._state.pool(cluster, call.text("NodePoolId"))
        native = call.object("Native") or {}
        if native and pool.kind is not PoolKind.NATIVE:
            raise invalid_parameter(f"`Native` does not apply to a {pool.kind.value} pool.")
        scaling = object_of(native, "Scaling") or {}
        minimum = integer_of(scaling, "MinReplicas", pool.minimum)
        maximum = integer_of(scaling, "MaxReplicas", pool.maximum)
        if not 0 <= minimum <= maximum:
            raise invalid_parameter("`MinReplicas` must be at least 0 and at most `MaxReplicas`.")
        wanted = integer_of(native, "Replicas", min(max(pool.desired, minimum), maximum))
        changed = replace(
            pool,
            name=call.text("Name", pool.name),
            minimum=minimum,
            maximum=maximum,
            desired=wanted,
            autoscaling=native.get("EnableAutoscaling", pool.autoscaling) is True,
            labels=_labels(call) if call.has("Labels") else pool.labels,
            taints=tuple(call.objects("Taints")) if call.has("Taints") else pool.taints,
            tags=tuple(call.objects("Tags")) if call.has("Tags") else pool.tags,
            annotations=tuple(call.objects("Annotations")) if call.has("Annotations") else pool.annotations,
            deletion_protection=call.flag("DeletionProtection", default=pool.deletion_protection),
            unschedulable=call.flag("Unschedulable", default=pool.unschedulable),
            instance_types=tuple(texts_of(native, "InstanceTypes")) or pool.instance_types,
            settings={**pool.settings, **native},
        )
        self._state.check_size(cluster, changed, wanted)
        self._state.add_pool(changed)
        if wanted != pool.desired:
            self._nodes.resize(cluster.cluster_id, pool.pool_id, wanted)
        return {}

    def scale_node_pool(self, call: Call) -> JsonObject:
        """Scale a native pool."""
        cluster = self._cluster(call)
        pool = self._state.pool(cluster, call.text("NodePoolId"))
        if pool.kind is not PoolKind.NATIVE:
            message = f"ScaleNodePool is for native node pools; {pool.pool_id} is {pool.kind.value}."
            raise ActionError("UnsupportedOperation", message)
        replicas = call.integer("Replicas")
        self._state.check_size(cluster, pool, replicas)
        self._state.add_pool(replace(pool, desired=replicas))
        self._nodes.resize(cluster.cluster_id, pool.pool_id, replicas)
        return {}

    def _cluster(self, call: Call) -> Cluster:
        return self._state.cluster(call.region, call.text("ClusterId"))

    def _shown(self, pool: NodePool) -> JsonObject:
        return {
            "ClusterId": pool.cluster_id,
            "NodePoolId": pool.pool_id,
            "Tags": list(pool.tags) if pool.kind is PoolKind.NATIVE else [],
            "Taints": list(pool.taints),
            "DeletionProtection": pool.deletion_protection,
            "Unschedulable": pool.unschedulable,
            "Type": pool.kind.value,
            "Labels": [{"Name": key, "Value": value} for key, value in pool.labels.items()],
            "LifeState": "Running" if pool.kind is PoolKind.NATIVE else "normal",
            "CreatedAt": pool.created_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S +0000 UTC"),
            "Name": pool.name,
            "Native": self._native(pool) if pool.kind is PoolKind.NATIVE else None,
            "Annotations": list(pool.annotations),
            "Super": {"SubnetIds": [], "SecurityGroupIds": []} if pool.kind is PoolKind.SUPER else None,
            "Regular": self._regular(pool) if pool.kind is PoolKind.REGULAR else None,
            "External": None,
        }

    def _native(self, pool: NodePool) -> JsonObject:
        nodes = [node for node in self._nodes.nodes(pool.cluster_id) if node.pool_id == pool.pool_id]
        scaling = object_of(pool.settings, "Scaling") or {}
        shown: dict[str, Json] = {name: pool.settings.get(name) for name in _SHOWN_NATIVE}
        return {
            **shown,
            "Scaling": {
                "CreatePolicy": "ZoneEquality",
                **scaling,
                "MinReplicas": pool.minimum,
                "MaxReplicas": pool.maximum,
            },
            "EnableAutoscaling": pool.autoscaling,
            "InstanceTypes": list(pool.instance_types),
            "Replicas": pool.desired,
            "ReadyReplicas": sum(1 for node in nodes if node.state is NodeState.RUNNING),
        }

    def _regular(self, pool: NodePool) -> JsonObject:
        return {
            "LaunchConfigurationId": f"asc-{pool.suffix}",
            "AutoscalingGroupId": f"asg-{pool.suffix}",
            "NodeCountSummary": node_counts(pool, self._nodes),
            "AutoscalingGroupStatus": "enabled" if pool.autoscaling else "disabled",
            "MaxNodesNum": pool.maximum,
            "MinNodesNum": pool.minimum,
            "DesiredNodesNum": pool.desired,
            "NodePoolOs": "tlinux3.1x86_64",
            "InstanceAdvancedSettings": None,
        }


def _labels(call: Call) -> dict[str, str]:
    return {text_of(label, "Name"): text_of(label, "Value") for label in call.objects("Labels")}


def _tags(pool: NodePool) -> dict[str, str]:
    """Return a pool's tags; native pools group them by resource type."""
    flat = [tag for group in pool.tags for tag in (objects_of(group, "Tags") or [group])]
    return {text_of(tag, "Key"): text_of(tag, "Value") for tag in flat if "Key" in tag}
