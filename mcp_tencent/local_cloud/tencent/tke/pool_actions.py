"""Regular node pools (TKE 2018-05-25): autoscaling groups of ordinary machines."""

from __future__ import annotations

import json
from dataclasses import replace

from mcp_tencent.local_cloud.tencent.calls import Action, Call, integer_of, text_of
from mcp_tencent.local_cloud.tencent.errors import ActionError, RequestError, invalid_parameter
from mcp_tencent.local_cloud.tencent.json_types import Json, JsonObject
from mcp_tencent.local_cloud.tencent.paging import containing, equal, matching
from mcp_tencent.local_cloud.tencent.ports import ClusterNodes, NodeState
from mcp_tencent.local_cloud.tencent.tke.state import Cluster, NodePool, PoolKind, TkeState

_SETTINGS = ("OsCustomizeType", "UserScript", "PreStartUserScript", "DockerGraphPath", "ExtraArgs", "GPUArgs")


class PoolActions:
    """Answers for regular node pools; scaling goes to the nodes."""

    def __init__(self, state: TkeState, nodes: ClusterNodes) -> None:
        self._state = state
        self._nodes = nodes

    def table(self) -> dict[str, Action]:
        """Return the actions by name."""
        return {
            "DescribeClusterNodePools": self.describe_cluster_node_pools,
            "DescribeClusterNodePoolDetail": self.describe_cluster_node_pool_detail,
            "CreateClusterNodePool": self.create_cluster_node_pool,
            "ModifyClusterNodePool": self.modify_cluster_node_pool,
            "DeleteClusterNodePool": self.delete_cluster_node_pool,
            "ModifyNodePoolDesiredCapacityAboutAsg": self.modify_desired_capacity,
        }

    def describe_cluster_node_pools(self, call: Call) -> JsonObject:
        """List the cluster's regular pools."""
        cluster = self._cluster(call)
        pools = [pool for pool in self._state.pools(cluster) if pool.kind is PoolKind.REGULAR]
        found = matching(
            call,
            pools,
            {
                "NodePoolsName": containing(lambda pool: pool.name),
                "NodePoolsId": equal(lambda pool: pool.pool_id),
                "Tags": lambda pool, values: any(_tag_text(tag) in values for tag in pool.tags),
            },
            key="Name",
        )
        return {"NodePoolSet": [self._shown(pool) for pool in found], "TotalCount": len(found)}

    def describe_cluster_node_pool_detail(self, call: Call) -> JsonObject:
        """Show one regular pool."""
        return {"NodePool": self._shown(self._pool(call, self._cluster(call), call.text("NodePoolId")))}

    def create_cluster_node_pool(self, call: Call) -> JsonObject:
        """Create a pool and let its nodes come up."""
        cluster = self._cluster(call)
        group = _json_parameter(call, "AutoScalingGroupPara")
        machine = _json_parameter(call, "LaunchConfigurePara")
        name = call.text("Name") or "未命名"
        if any(pool.name == name for pool in self._state.pools(cluster)):
            message = f"The node pool {name[:60]} exists already."
            raise ActionError("ResourceInUse.ResourceExistAlready", message)
        pool = NodePool(
            pool_id=self._state.identifiers.short("np-"),
            cluster_id=cluster.cluster_id,
            name=name,
            created_at=self._state.clock.now(),
            desired=integer_of(group, "DesiredCapacity", integer_of(group, "MinSize")),
            minimum=integer_of(group, "MinSize"),
            maximum=integer_of(group, "MaxSize"),
            autoscaling=call.flag("EnableAutoscale"),
            labels=_labels(call),
            taints=tuple(call.objects("Taints")),
            tags=tuple(call.objects("Tags")),
            annotations=tuple(call.objects("Annotations")),
            deletion_protection=call.flag("DeletionProtection"),
            instance_types=(text_of(machine, "InstanceType", "S5.LARGE8"),),
            settings=call.subset(("OsCustomizeType",)),
        )
        self._state.check_size(cluster, pool, pool.desired)
        self._state.add_pool(pool)
        self._nodes.resize(cluster.cluster_id, pool.pool_id, pool.desired)
        return {"NodePoolId": pool.pool_id}

    def modify_cluster_node_pool(self, call: Call) -> JsonObject:
        """Change a pool's name, bounds, labels, taints or protection."""
        cluster = self._cluster(call)
        pool = self._pool(call, cluster, call.text("NodePoolId"))
        minimum = call.integer("MinNodesNum", pool.minimum)
        maximum = call.integer("MaxNodesNum", pool.maximum)
        if not 0 <= minimum <= maximum:
            raise invalid_parameter("`MinNodesNum` must be at least 0 and at most `MaxNodesNum`.")
        desired = min(max(pool.desired, minimum), maximum)
        changed = replace(
            pool,
            name=call.text("Name", pool.name),
            minimum=minimum,
            maximum=maximum,
            desired=desired,
            autoscaling=call.flag("EnableAutoscale", default=pool.autoscaling),
            labels=_labels(call) if call.has("Labels") else pool.labels,
            taints=tuple(call.objects("Taints")) if call.has("Taints") else pool.taints,
            tags=tuple(call.objects("Tags")) if call.has("Tags") else pool.tags,
            annotations=tuple(call.objects("Annotations")) if call.has("Annotations") else pool.annotations,
            deletion_protection=call.flag("DeletionProtection", default=pool.deletion_protection),
            unschedulable=bool(call.integer("Unschedulable", int(pool.unschedulable))),
            settings={**pool.settings, **call.subset(_SETTINGS)},
        )
        self._state.check_size(cluster, changed, desired)
        self._state.add_pool(changed)
        if desired != pool.desired:
            self._nodes.resize(cluster.cluster_id, pool.pool_id, desired)
        return {}

    def delete_cluster_node_pool(self, call: Call) -> JsonObject:
        """Delete pools; their nodes go, too, unless KeepInstance keeps them in the cluster."""
        cluster = self._cluster(call)
        pools = [self._pool(call, cluster, pool_id) for pool_id in dict.fromkeys(call.texts("NodePoolIds"))]
        for pool in pools:
            if pool.deletion_protection:
                raise ActionError(
                    "OperationDenied", f"The node pool {pool.pool_id} is protected from deletion."
                )
        for pool in pools:
            self._state.remove_pool(pool)
            if not call.flag("KeepInstance"):
                self._nodes.resize(cluster.cluster_id, pool.pool_id, 0)
        return {}

    def modify_desired_capacity(self, call: Call) -> JsonObject:
        """Scale a pool."""
        cluster = self._cluster(call)
        pool = self._pool(call, cluster, call.text("NodePoolId"))
        desired = call.integer("DesiredCapacity")
        self._state.check_size(cluster, pool, desired)
        self._state.add_pool(replace(pool, desired=desired))
        self._nodes.resize(cluster.cluster_id, pool.pool_id, desired)
        return {}

    def _cluster(self, call: Call) -> Cluster:
        return self._state.cluster(call.region, call.text("ClusterId"))

    def _pool(self, call: Call, cluster: Cluster, pool_id: str) -> NodePool:
        pool = self._state.pool(cluster, pool_id)
        if pool.kind is not PoolKind.REGULAR:
            message = f"`{call.action}` is for regular node pools; {pool_id} is {pool.kind.value}."
            raise RequestError("UnsupportedOperation", message)
        return pool

    def _shown(self, pool: NodePool) -> JsonObject:
        return {
            "NodePoolId": pool.pool_id,
            "Name": pool.name,
            "ClusterInstanceId": pool.cluster_id,
            "LifeState": "normal",
            "LaunchConfigurationId": f"asc-{pool.suffix}",
            "AutoscalingGroupId": f"asg-{pool.suffix}",
            "Labels": [{"Name": key, "Value": value} for key, value in pool.labels.items()],
            "Taints": list(pool.taints),
            "Annotations": list(pool.annotations),
            "NodeCountSummary": node_counts(pool, self._nodes),
            "AutoscalingGroupStatus": "enabled" if pool.autoscaling else "disabled",
            "MaxNodesNum": pool.maximum,
            "MinNodesNum": pool.minimum,
            "DesiredNodesNum": pool.desired,
            "RuntimeConfig": {"RuntimeType": "containerd", "RuntimeVersion": "1.6.9"},
            "NodePoolOs": "tlinux3.1x86_64",
            "OsCustomizeType": text_of(pool.settings, "OsCustomizeType", "GENERAL"),
            "ImageId": "",
            "DesiredPodNum": 64,
            "UserScript": text_of(pool.settings, "UserScript"),
            "Tags": list(pool.tags),
            "DeletionProtection": pool.deletion_protection,
            "ExtraArgs": pool.settings.get("ExtraArgs", {"Kubelet": []}),
            "GPUArgs": pool.settings.get("GPUArgs"),
            "DockerGraphPath": text_of(pool.settings, "DockerGraphPath"),
            "DataDisks": None,
            "Unschedulable": int(pool.unschedulable),
            "PreStartUserScript": text_of(pool.settings, "PreStartUserScript"),
        }


def node_counts(pool: NodePool, nodes: ClusterNodes) -> JsonObject:
    """Return the NodeCountSummary of a pool; nodes still to come count as joining."""
    states = [node.state for node in nodes.nodes(pool.cluster_id) if node.pool_id == pool.pool_id]
    none: Json = {"Joining": 0, "Initializing": 0, "Normal": 0, "Total": 0}
    joining = max(0, pool.desired - len(states))
    return {
        "ManuallyAdded": none,
        "AutoscalingAdded": {
            "Joining": joining,
            "Initializing": states.count(NodeState.INITIALIZING),
            "Normal": states.count(NodeState.RUNNING),
            "Total": len(states) + joining,
        },
    }


def _labels(call: Call) -> dict[str, str]:
    return {text_of(label, "Name"): text_of(label, "Value") for label in call.objects("Labels")}


def _tag_text(tag: JsonObject) -> str:
    return f"{text_of(tag, 'Key')}:{text_of(tag, 'Value')}"


def _json_parameter(call: Call, name: str) -> JsonObject:
    """Return a parameter that is itself JSON text, as the autoscaling API takes it."""
    try:
        parsed = json.loads(call.text(name))
    except (ValueError, RecursionError) as error:
        raise RequestError("InvalidParameter.Param", f"`{name}` must be a JSON object.") from error
    if not isinstance(parsed, dict):
        raise RequestError("InvalidParameter.Param", f"`{name}` must be a JSON object.")
    return parsed
