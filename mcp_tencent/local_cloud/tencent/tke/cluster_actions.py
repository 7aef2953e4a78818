"""Clusters, their state, endpoints and credentials (TKE 2018-05-25)."""

from __future__ import annotations

from mcp_tencent.local_cloud.tencent.calls import Action, Call
from mcp_tencent.local_cloud.tencent.errors import ActionError, invalid_parameter
from mcp_tencent.local_cloud.tencent.json_types import Json, JsonObject
from mcp_tencent.local_cloud.tencent.paging import containing, equal, matching, page
from mcp_tencent.local_cloud.tencent.ports import ClusterNodes, NodeState
from mcp_tencent.local_cloud.tencent.regions import REGIONS
from mcp_tencent.local_cloud.tencent.tke.kubeconfig import cluster_url, kubeconfig
from mcp_tencent.local_cloud.tencent.tke.state import Cluster, TkeState, utc_time

_MAX_IDS = 100


class ClusterActions:
    """Answers for clusters from the state and from their nodes."""

    def __init__(self, state: TkeState, nodes: ClusterNodes) -> None:
        self._state = state
        self._nodes = nodes

    def table(self) -> dict[str, Action]:
        """Return the actions by name."""
        return {
            "DescribeClusters": self.describe_clusters,
            "DescribeClusterStatus": self.describe_cluster_status,
            "DescribeClusterEndpoints": self.describe_cluster_endpoints,
            "DescribeClusterEndpointStatus": self.describe_cluster_endpoint_status,
            "DescribeClusterKubeconfig": self.describe_cluster_kubeconfig,
            "DescribeClusterSecurity": self.describe_cluster_security,
            "DescribeRegions": self.describe_regions,
        }

    def describe_clusters(self, call: Call) -> JsonObject:
        """List the region's clusters."""
        clusters = self._named(call)
        kind = call.text("ClusterType")
        if kind:
            clusters = [cluster for cluster in clusters if cluster.kind == kind]
        found = matching(
            call,
            clusters,
            {
                "ClusterName": containing(lambda cluster: cluster.name),
                "ClusterType": equal(lambda cluster: cluster.kind),
                "ClusterStatus": equal(lambda cluster: cluster.status),
                "vpc-id": equal(lambda cluster: cluster.vpc_id),
                "tag-key": lambda cluster, values: any(value in cluster.tags for value in values),
                "tag-value": lambda cluster, values: any(v in cluster.tags.values() for v in values),
                "Tags": lambda cluster, values: any(f"{k}:{v}" in values for k, v in cluster.tags.items()),
            },
            key="Name",
        )
        shown = [_shown(cluster, len(self._nodes.nodes(cluster.cluster_id))) for cluster in page(call, found)]
        return {"TotalCount": len(found), "Clusters": shown}

    def describe_cluster_status(self, call: Call) -> JsonObject:
        """Tell how the clusters and their nodes are."""
        clusters = self._named(call)
        return {
            "ClusterStatusSet": [self._status(cluster) for cluster in clusters],
            "TotalCount": len(clusters),
        }

    def describe_cluster_endpoints(self, call: Call) -> JsonObject:
        """Tell where the API server is."""
        cluster = self._cluster(call)
        url = cluster_url(call.base_url, cluster.cluster_id)
        domain = f"{cluster.cluster_id}.ccs.tencent-cloud.com"
        return {
            "CertificationAuthority": "",
            "ClusterExternalEndpoint": url if cluster.extranet else "",
            "ClusterIntranetEndpoint": url if cluster.intranet else "",
            "ClusterDomain": domain,
            "ClusterExternalACL": [],
            "ClusterExternalDomain": domain if cluster.extranet else "",
            "ClusterIntranetDomain": domain if cluster.intranet else "",
            "SecurityGroup": "",
            "ClusterIntranetSubnetId": cluster.subnet_id if cluster.intranet else "",
            "IntranetSecurityGroup": "",
        }

    def describe_cluster_endpoint_status(self, call: Call) -> JsonObject:
        """Tell whether an endpoint is open."""
        return {"Status": "Created" if _is_open(self._cluster(call), call) else "NotFound", "ErrorMsg": ""}

    def describe_cluster_kubeconfig(self, call: Call) -> JsonObject:
        """Hand out the kubeconfig of an open endpoint."""
        cluster = self._cluster(call)
        if not _is_open(cluster, call):
            message = "This endpoint of the cluster is not open."
            raise ActionError("ResourceUnavailable.ClusterState", message)
        return {"Kubeconfig": kubeconfig(call.base_url, cluster.cluster_id, self._state.token(cluster))}

    def describe_cluster_security(self, call: Call) -> JsonObject:
        """Hand out everything that opens the cluster."""
        cluster = self._cluster(call)
        token = self._state.token(cluster)
        url = cluster_url(call.base_url, cluster.cluster_id)
        return {
            "UserName": "admin",
            "Password": token,
            "CertificationAuthority": "",
            "ClusterExternalEndpoint": url if cluster.extranet else "",
            "Domain": f"{cluster.cluster_id}.ccs.tencent-cloud.com",
            "PgwEndpoint": url if cluster.intranet else "",
            "SecurityPolicy": [],
            "Kubeconfig": kubeconfig(call.base_url, cluster.cluster_id, token),
            "JnsGwEndpoint": "",
        }

    def describe_regions(self, call: Call) -> JsonObject:
        """List the regions."""
        regions: list[Json] = [
            {
                "RegionName": region.name,
                "RegionId": region.number,
                "Status": "alluser",
                "FeatureGates": "{}",
                "Alias": region.alias,
                "Remark": "",
            }
            for region in REGIONS.values()
        ]
        return {"TotalCount": len(regions), "RegionInstanceSet": regions}

    def _cluster(self, call: Call) -> Cluster:
        return self._state.cluster(call.region, call.text("ClusterId"))

    def _named(self, call: Call) -> list[Cluster]:
        """Return the clusters that `ClusterIds` names, all without it."""
        ids = call.texts("ClusterIds")
        if len(ids) > _MAX_IDS:
            raise invalid_parameter(f"`ClusterIds` may have at most {_MAX_IDS} entries, got {len(ids)}.")
        if not ids:
            return self._state.clusters(call.region)
        return [self._state.cluster(call.region, cluster_id) for cluster_id in dict.fromkeys(ids)]

    def _status(self, cluster: Cluster) -> JsonObject:
        states = [node.state for node in self._nodes.nodes(cluster.cluster_id)]
        failed = states.count(NodeState.FAILED)
        return {
            "ClusterId": cluster.cluster_id,
            "ClusterState": cluster.status,
            "ClusterInstanceState": _instance_state(states),
            "ClusterBMonitor": True,
            "ClusterInitNodeNum": states.count(NodeState.INITIALIZING),
            "ClusterRunningNodeNum": states.count(NodeState.RUNNING),
            "ClusterFailedNodeNum": failed,
            "ClusterClosedNodeNum": 0,
            "ClusterClosingNodeNum": 0,
            "ClusterDeletionProtection": cluster.deletion_protection,
            "ClusterAuditEnabled": self._state.switches(cluster).audit.enabled,
        }


def _instance_state(states: list[NodeState]) -> str:
    if not states:
        return "Empty"
    if all(state is NodeState.RUNNING for state in states):
        return "AllNormal"
    return "AllAbnormal" if NodeState.RUNNING not in states else "PartialAbnormal"


def _is_open(cluster: Cluster, call: Call) -> bool:
    return cluster.extranet if call.flag("IsExtranet") else cluster.intranet


def _shown(cluster: Cluster, nodes: int) -> JsonObject:
    tags: list[Json] = [{"Key": key, "Value": value} for key, value in cluster.tags.items()]
    return {
        "ClusterId": cluster.cluster_id,
        "ClusterName": cluster.name,
        "ClusterDescription": cluster.description,
        "ClusterVersion": cluster.version,
        "ClusterOs": "tlinux3.1x86_64",
        "ClusterType": cluster.kind,
        "ClusterNetworkSettings": {
            "ClusterCIDR": cluster.pod_cidr,
            "IgnoreClusterCIDRConflict": False,
            "MaxNodePodNum": 64,
            "MaxClusterServiceNum": 4096,
            "Ipvs": False,
            "VpcId": cluster.vpc_id,
            "Cni": True,
            "KubeProxyMode": "iptables",
            "ServiceCIDR": cluster.service_cidr,
            "Subnets": None,
            "IgnoreServiceCIDRConflict": False,
            "IsDualStack": False,
            "Ipv6ServiceCIDR": "",
            "CiliumMode": "",
            "SubnetId": cluster.subnet_id,
            "DataPlaneV2": False,
        },
        "ClusterNodeNum": nodes,
        "ProjectId": cluster.project_id,
        "TagSpecification": [{"ResourceType": "cluster", "Tags": tags}] if tags else [],
        "ClusterStatus": cluster.status,
        "Property": '{"NodeNameType":"lan-ip","NetworkType":"GR"}',
        "ClusterMaterNodeNum": 0,
        "ImageId": "",
        "OsCustomizeType": "GENERAL",
        "ContainerRuntime": "containerd",
        "CreatedTime": utc_time(cluster.created_at),
        "DeletionProtection": cluster.deletion_protection,
        "EnableExternalNode": False,
        "ClusterLevel": cluster.level,
        "AutoUpgradeClusterLevel": cluster.auto_upgrade_level,
        "QGPUShareEnable": False,
        "RuntimeVersion": "1.6.9",
        "ClusterEtcdNodeNum": 0,
        "CdcId": "",
        "IsHighAvailability": True,
        "ClusterCategory": "",
        "SecurityModeConfig": None,
    }
