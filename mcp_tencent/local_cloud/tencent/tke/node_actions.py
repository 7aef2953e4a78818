"""The nodes of a cluster, as both API versions list them, and the draining of virtual ones."""

from __future__ import annotations

from datetime import UTC

from mcp_tencent.local_cloud.tencent.calls import Action, Call, object_of, text_of
from mcp_tencent.local_cloud.tencent.errors import ActionError, invalid_parameter, invalid_value
from mcp_tencent.local_cloud.tencent.json_types import Json, JsonObject
from mcp_tencent.local_cloud.tencent.paging import containing, equal, matching, page
from mcp_tencent.local_cloud.tencent.ports import ClusterNodes, NodeView
from mcp_tencent.local_cloud.tencent.tke.state import Cluster, NodePool, PoolKind, TkeState, utc_time

_ROLES = frozenset({"MASTER", "WORKER", "ETCD", "MASTER_ETCD", "ALL"})


class NodeActions:
    """Answers for nodes from Kubernetes, with what TKE knows of their pools."""

    def __init__(self, state: TkeState, nodes: ClusterNodes) -> None:
        self._state = state
        self._nodes = nodes

    def table_2018(self) -> dict[str, Action]:
        """Return the actions of 2018-05-25 by name."""
        return {
            "DescribeClusterInstances": self.describe_instances_2018,
            "DrainClusterVirtualNode": self.drain_cluster_virtual_node,
        }

    def table_2022(self) -> dict[str, Action]:
        """Return the actions of 2022-05-01 by name."""
        return {"DescribeClusterInstances": self.describe_instances_2022}

    def describe_instances_2018(self, call: Call) -> JsonObject:
        """List nodes; a managed cluster shows workers only."""
        cluster = self._cluster(call)
        role = call.text("InstanceRole") or "WORKER"
        if role not in _ROLES:
            raise invalid_value("InstanceRole", role, ", ".join(sorted(_ROLES)))
        ids = call.texts("InstanceIds")
        nodes = [
            node
            for node in self._nodes.nodes(cluster.cluster_id)
            if role in {"WORKER", "ALL"} and (not ids or node.instance_id in ids)
        ]
        pools = {pool.pool_id: pool for pool in self._state.pools(cluster)}
        found = matching(
            call,
            nodes,
            {
                "nodepool-id": equal(lambda node: node.pool_id),
                "nodepool-instance-type": lambda node, values: (
                    bool(node.pool_id) and bool({"AUTOSCALING_ADDED", "ALL"} & set(values))
                ),
            },
            key="Name",
        )
        shown = [_shown_2018(node, pools.get(node.pool_id)) for node in page(call, found)]
        return {"TotalCount": len(found), "InstanceSet": shown}

    def describe_instances_2022(self, call: Call) -> JsonObject:
        """List nodes with what their kind of pool knows of them."""
        cluster = self._cluster(call)
        pools = {pool.pool_id: pool for pool in self._state.pools(cluster)}

        def kind(node: NodeView) -> str:
            pool = pools.get(node.pool_id)
            return (PoolKind.REGULAR if pool is None else pool.kind).value

        def pool_name(node: NodeView) -> str:
            pool = pools.get(node.pool_id)
            return "" if pool is None else pool.name

        found = matching(
            call,
            list(self._nodes.nodes(cluster.cluster_id)),
            {
                "InstanceIds": equal(lambda node: node.instance_id),
                "InstanceType": equal(kind),
                "VagueIpAddress": containing(lambda node: node.lan_ip),
                "VagueInstanceName": containing(lambda node: node.name),
                "InstanceStates": equal(lambda node: node.state.value),
                "Unschedulable": equal(lambda node: str(node.unschedulable).lower()),
                "NodePoolIds": equal(lambda node: node.pool_id),
                "NodePoolNames": equal(pool_name),
                "Labels": lambda node, values: any(f"{k}={v}" in values for k, v in node.labels.items()),
            },
            key="Name",
        )
        found = _sorted(call, found)
        shown = [_shown_2022(node, pools.get(node.pool_id), cluster) for node in page(call, found)]
        return {"TotalCount": len(found), "InstanceSet": shown, "Errors": []}

    def drain_cluster_virtual_node(self, call: Call) -> JsonObject:
        """Evict the pods of a super node."""
        cluster = self._cluster(call)
        name = call.text("NodeName")
        supers = {pool.pool_id for pool in self._state.pools(cluster) if pool.kind is PoolKind.SUPER}
        for node in self._nodes.nodes(cluster.cluster_id):
            if node.name == name:
                if node.pool_id not in supers:
                    raise invalid_parameter(f"`NodeName` {name[:60]} is not a virtual node.")
                self._nodes.drain(cluster.cluster_id, name)
                return {}
        message = f"The node {name[:60]} is not found."
        raise ActionError("ResourceNotFound.KubernetesResourceNotFound", message)

    def _cluster(self, call: Call) -> Cluster:
        return self._state.cluster(call.region, call.text("ClusterId"))


def _sorted(call: Call, nodes: list[NodeView]) -> list[NodeView]:
    order = object_of(call.parameters, "SortBy")
    if order is None:
        return nodes
    keys = {
        "CreatedTime": lambda node: node.created_at.isoformat(),
        "InstanceId": lambda node: node.instance_id,
        "LanIP": lambda node: node.lan_ip,
    }
    name = text_of(order, "FieldName", "CreatedTime")
    if name not in keys:
        raise invalid_value("SortBy.FieldName", name, ", ".join(keys))
    return sorted(nodes, key=keys[name], reverse=text_of(order, "OrderType").upper() == "DESC")


def _shown_2018(node: NodeView, pool: NodePool | None) -> JsonObject:
    return {
        "InstanceId": node.instance_id,
        "InstanceRole": "WORKER",
        "FailedReason": node.reason or "=Ready:True",
        "InstanceState": node.state.value,
        "DrainStatus": "drained" if node.drained else "",
        "InstanceAdvancedSettings": {
            "DesiredPodNumber": 64,
            "GPUArgs": None,
            "PreStartUserScript": "",
            "Taints": _taints(node),
            "MountTarget": "",
            "DockerGraphPath": "/var/lib/containerd",
            "UserScript": "",
            "Unschedulable": int(node.unschedulable),
            "Labels": [{"Name": key, "Value": value} for key, value in node.labels.items()],
            "DataDisks": [],
            "ExtraArgs": {"Kubelet": []},
        },
        "CreatedTime": utc_time(node.created_at),
        "LanIP": node.lan_ip,
        "NodePoolId": "" if pool is None else pool.pool_id,
        "AutoscalingGroupId": "" if pool is None else f"asg-{pool.suffix}",
    }


def _shown_2022(node: NodeView, pool: NodePool | None, cluster: Cluster) -> JsonObject:
    kind = PoolKind.REGULAR if pool is None else pool.kind
    created = node.created_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S +0000 UTC")
    return {
        "InstanceId": node.instance_id,
        "InstanceRole": "WORKER",
        "FailedReason": node.reason,
        "InstanceState": node.state.value,
        "Unschedulable": node.unschedulable,
        "CreatedTime": created,
        "LanIP": node.lan_ip,
        "NodePoolId": "" if pool is None else pool.pool_id,
        "Native": _native(node, cluster) if kind is PoolKind.NATIVE else None,
        "Regular": _regular(pool) if kind is PoolKind.REGULAR else None,
        "Super": _super(node, cluster) if kind is PoolKind.SUPER else None,
        "External": None,
        "NodeType": kind.value,
    }


def _native(node: NodeView, cluster: Cluster) -> JsonObject:
    return {
        "MachineName": node.instance_id,
        "MachineState": node.state.value.capitalize(),
        "Zone": node.zone,
        "InstanceChargeType": "POSTPAID_BY_HOUR",
        "CreatedAt": node.created_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "DisplayName": node.name,
        "CPU": node.cpu_cores,
        "GPU": 0,
        "PayMode": "POSTPAID_BY_HOUR",
        "Memory": node.memory_gib,
        "InstanceFamily": node.instance_type.split(".")[0],
        "LanIp": node.lan_ip,
        "InstanceType": node.instance_type,
        "WanIp": "",
        "KeyIds": [],
        "DataDisks": [],
        "SecurityGroupIDs": [],
        "VpcId": cluster.vpc_id,
        "SubnetId": cluster.subnet_id,
        "OsImage": "TencentOS Server 3.1",
        "MachineType": "Native",
        "InstanceId": node.instance_id,
        "Tags": [],
        "IsProtectedFromScaleIn": False,
        "IsMigrated": False,
    }


def _regular(pool: NodePool | None) -> JsonObject:
    return {
        "InstanceAdvancedSettings": {
            "DesiredPodNumber": 64,
            "PreStartUserScript": "",
            "RuntimeConfig": {"RuntimeType": "containerd", "RuntimeVersion": "1.6.9", "RuntimeRootDir": ""},
            "UserScript": "",
            "ExtraArgs": {"Kubelet": []},
        },
        "AutoscalingGroupId": "" if pool is None else f"asg-{pool.suffix}",
        "Tags": [],
    }


def _super(node: NodeView, cluster: Cluster) -> JsonObject:
    return {
        "Name": node.name,
        "CPU": node.cpu_cores,
        "Memory": node.memory_gib,
        "Zone": node.zone,
        "VpcId": cluster.vpc_id,
        "SubnetId": cluster.subnet_id,
        "NodeName": node.name,
    }


def _taints(node: NodeView) -> list[Json]:
    return [{"Key": key, "Value": value, "Effect": effect} for key, value, effect in node.taints]
