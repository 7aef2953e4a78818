"""Which of a cluster's logs go to CLS, and where."""

from __future__ import annotations

from mcp_tencent.local_cloud.logs.store import LogStore
from mcp_tencent.local_cloud.tencent.calls import Action, Call
from mcp_tencent.local_cloud.tencent.cls.log_index import topic_index
from mcp_tencent.local_cloud.tencent.cls.state import ClsState, key_value_rule
from mcp_tencent.local_cloud.tencent.errors import ActionError, ApiError, invalid_value
from mcp_tencent.local_cloud.tencent.json_types import JsonObject
from mcp_tencent.local_cloud.tencent.regions import REGIONS
from mcp_tencent.local_cloud.tencent.tke.state import Cluster, LogSwitch, TkeState

_INDEXED_KEYS = {"clusterId": "text", "event": "text", "verb": "text", "objectRef": "text"}


class LogSwitchActions:
    """Answers for log switches; creates the topics in CLS that a switch needs."""

    def __init__(self, state: TkeState, cls_state: ClsState, logs: LogStore) -> None:
        self._state = state
        self._cls = cls_state
        self._logs = logs

    def table(self) -> dict[str, Action]:
        """Return the actions by name."""
        return {
            "DescribeLogSwitches": self.describe_log_switches,
            "EnableEventPersistence": self.enable_event_persistence,
            "EnableClusterAudit": self.enable_cluster_audit,
        }

    def describe_log_switches(self, call: Call) -> JsonObject:
        """Tell where the clusters' logs go."""
        clusters = [
            self._state.cluster(call.region, name) for name in dict.fromkeys(call.texts("ClusterIds"))
        ]
        shown: list[JsonObject] = []
        for cluster in clusters:
            switches = self._state.switches(cluster)
            shown.append(
                {
                    "ClusterId": cluster.cluster_id,
                    "Audit": _shown(switches.audit),
                    "Event": _shown(switches.event),
                    "Log": _shown(switches.log),
                    "MasterLog": _shown(switches.master_log),
                }
            )
        return {"SwitchSet": shown}

    def enable_event_persistence(self, call: Call) -> JsonObject:
        """Send a cluster's events to CLS."""
        cluster = self._state.cluster(call.region, call.text("ClusterId"))
        self._state.switch_event(cluster, self._switch(call, cluster, "event"))
        return {}

    def enable_cluster_audit(self, call: Call) -> JsonObject:
        """Send a cluster's audit log to CLS."""
        cluster = self._state.cluster(call.region, call.text("ClusterId"))
        self._state.switch_audit(cluster, self._switch(call, cluster, "audit"))
        return {}

    def _switch(self, call: Call, cluster: Cluster, kind: str) -> LogSwitch:
        """Return a switch to the topic that was named, or to one that is made for it."""
        region = call.text("TopicRegion") or call.region
        if region not in REGIONS:
            raise invalid_value("TopicRegion", region, "a region such as ap-guangzhou")
        place = self._cls.region(region)
        logset_id, topic_id = call.text("LogsetId"), call.text("TopicId")
        if topic_id:
            topic = place.topics.get(topic_id)
            if topic is None or (logset_id and topic.logset_id != logset_id):
                message = f"The topic {topic_id[:60]} does not exist."
                raise ActionError("ResourceNotFound.LogCollectorClsLogTopicNotExists", message)
            return LogSwitch(enabled=True, logset_id=topic.logset_id, topic_id=topic_id, topic_region=region)
        try:
            if not logset_id:
                logset_id = self._cls.add_logset(region, f"TKE-{cluster.cluster_id}-{kind}").logset_id
            rule = key_value_rule(_INDEXED_KEYS)
            name = f"tke-{kind}-{cluster.cluster_id}"
            topic = self._cls.add_topic(region, logset_id, name, index_rule=rule)
        except ApiError as error:
            raise ActionError("FailedOperation.CreateClsTopic", error.message) from error
        self._logs.add_topic(topic.topic_id, topic_index(rule))
        return LogSwitch(enabled=True, logset_id=logset_id, topic_id=topic.topic_id, topic_region=region)


def _shown(switch: LogSwitch) -> JsonObject:
    return {
        "Enable": switch.enabled,
        "ErrorMsg": "",
        "LogsetId": switch.logset_id,
        "Status": "opened" if switch.enabled else "closed",
        "TopicId": switch.topic_id,
        "TopicRegion": switch.topic_region,
        "UpgradeAble": False,
        "Version": "",
    }
