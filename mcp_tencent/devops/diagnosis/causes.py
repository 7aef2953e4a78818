"""What can be the matter with a workload, and which rung of the ladder would help against it (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from mcp_tencent.devops.incidents import Rung


class CauseKind(StrEnum):
    """What is the matter."""

    BAD_IMAGE = "bad_image"
    BAD_RELEASE = "bad_release"
    BAD_CONFIGURATION = "bad_configuration"
    STALE_CONFIGURATION = "stale_configuration"
    MEMORY_LEAK = "memory_leak"
    OVERLOAD = "overload"
    QUOTA_EXHAUSTED = "quota_exhausted"
    NO_ROOM = "no_room"
    COLD_CACHE = "cold_cache"
    STUCK = "stuck"
    DEPENDENCY_DOWN = "dependency_down"
    NOISY_NEIGHBOUR = "noisy_neighbour"
    NODE_DOWN = "node_down"
    FLAPPING = "flapping"
    STORAGE_FULL = "storage_full"
    CRASHING = "crashing"
    ISOLATED = "isolated"
    UNUSUAL_LOGS = "unusual_logs"
    ALREADY_RECOVERED = "already_recovered"
    NOTHING_WRONG = "nothing_wrong"
    UNKNOWN = "unknown"


CAUSE_NAMES: Mapping[CauseKind, str] = {
    CauseKind.BAD_IMAGE: "镜像拉取失败",
    CauseKind.BAD_RELEASE: "新版本有问题",
    CauseKind.BAD_CONFIGURATION: "配置改错了",
    CauseKind.STALE_CONFIGURATION: "配置已改但没有生效",
    CauseKind.MEMORY_LEAK: "内存泄漏",
    CauseKind.OVERLOAD: "流量过载",
    CauseKind.QUOTA_EXHAUSTED: "过载而且配额用完",
    CauseKind.NO_ROOM: "节点资源不够，排不下",
    CauseKind.COLD_CACHE: "缓存还没有热起来",
    CauseKind.STUCK: "进程卡死",
    CauseKind.DEPENDENCY_DOWN: "依赖的服务故障",
    CauseKind.NOISY_NEIGHBOUR: "同节点的邻居抢资源",
    CauseKind.NODE_DOWN: "节点故障",
    CauseKind.FLAPPING: "反复抖动",
    CauseKind.STORAGE_FULL: "磁盘写满",
    CauseKind.CRASHING: "容器反复崩溃",
    CauseKind.ISOLATED: "已被隔离",
    CauseKind.UNUSUAL_LOGS: "出现新的异常日志，业务未受影响",
    CauseKind.ALREADY_RECOVERED: "已经自行恢复",
    CauseKind.NOTHING_WRONG: "没有发现异常",
    CauseKind.UNKNOWN: "原因不明",
}


class Help(StrEnum):
    """What a rung would do against a cause."""

    HELPS = "helps"
    MAY_HELP = "may_help"
    CANNOT_HELP = "cannot_help"
    WORSENS = "worsens"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """What one rung would do, and why."""

    rung: Rung
    help: Help
    why: str
    """In Chinese, fit to be spoken."""
    target: str = ""
    """Another workload that it must be done to; empty for the one in trouble."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """One piece of evidence for or against a cause."""

    text: str
    """In Chinese, fit to be spoken."""
    weight: float
    """0 to 1; negative when it speaks against the cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Something that may be the matter."""

    kind: CauseKind
    confidence: float
    """0 to 1."""
    signs: tuple[Sign, ...]
    """Strongest first."""
    prospects: tuple[Prospect, ...]
    """One for every rung, in the order of the ladder."""
    culprit: str = ""
    """What else is to blame: a dependency, a neighbour, a node, a configuration."""


class Suspicion:
    """Gathers the signs of one cause: independent ones for it add up, those against it cut it down."""

    def __init__(self, kind: CauseKind) -> None:
        self.kind = kind
        self._signs: list[Sign] = []

    def add(self, weight: float, text: str) -> None:
        """Note a sign for the cause; `weight` is how sure it would make us alone."""
        if weight > 0:
            self._signs.append(Sign(text=text, weight=min(0.99, weight)))

    def doubt(self, weight: float, text: str) -> None:
        """Note a sign against the cause; at weight 1 it would rule the cause out."""
        if weight > 0:
            self._signs.append(Sign(text=text, weight=-min(1.0, weight)))

    @property
    def confidence(self) -> float:
        """How sure all signs together make us: 1 - ∏(1 - for), times ∏(1 - against)."""
        missed, left = 1.0, 1.0
        for sign in self._signs:
            if sign.weight > 0:
                missed *= 1 - sign.weight
            else:
                left *= 1 + sign.weight
        return (1 - missed) * left

    @property
    def signs(self) -> tuple[Sign, ...]:
        """All signs, strongest first."""
        return tuple(sorted(self._signs, key=lambda sign: -abs(sign.weight)))
