"""The picture that evidence gives: what changed when, when the trouble began, what pods show (pure)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from mcp_tencent.devops.diagnosis.bursts import Burst, Bursts, error_bursts, warning_bursts
from mcp_tencent.devops.diagnosis.evidence import ConfigEvidence, Evidence
from mcp_tencent.devops.diagnosis.log_signs import LogSign, shares
from mcp_tencent.models.workloads import Pod, PodPhase, Revision

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
IMAGE_REASONS = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"}
)
CONFIG_REASONS = frozenset({"CreateContainerConfigError", "CreateContainerError"})
CRASH_REASONS = frozenset({"CrashLoopBackOff", "Error", "RunContainerError", "StartError"})
OUT_OF_MEMORY = "OOMKilled"
RECENT_CRASH = timedelta(minutes=30)
NEARBY = timedelta(minutes=25)
"""What a change brings shows within this time: a rolling update takes minutes."""
NO_BURSTS = Bursts(usual_share=0.0, found=())


class ChangeKind(StrEnum):
    """What somebody did to the workload."""

    RELEASE = "release"
    RESTART = "restart"
    CONFIGURATION = "configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadChange:
    """Something that was changed on purpose."""

    kind: ChangeKind
    at: datetime
    what: str
    """In Chinese, fit to be spoken: 版本 v2.8.0, 配置 order-config."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What the evidence comes to."""

    evidence: Evidence
    errors: Bursts
    warnings: Bursts
    changes: tuple[WorkloadChange, ...]
    """Latest first."""
    signs: Mapping[LogSign, float]
    """Share of the recent bad lines that speak of each kind of trouble."""
    earlier_signs: Mapping[LogSign, float]
    image_pods: tuple[Pod, ...]
    """Those whose image cannot be pulled."""
    crashing: tuple[Pod, ...]
    """Those whose container ends again and again."""
    killed: tuple[Pod, ...]
    """Those whose container was last killed for want of memory."""
    unready: tuple[Pod, ...]
    old_revision_pods: tuple[Pod, ...]
    """Those that still run another revision than the current one."""

    @property
    def onset(self) -> datetime | None:
        """When the trouble began that still goes on; None when none does, or nobody knows."""
        burst = self.errors.current
        return burst.start if burst is not None and burst.known_start else None

    @property
    def error_share(self) -> float:
        """Errors of all lines in the burst that goes on, 0 to 1."""
        burst = self.errors.current
        return burst.share if burst is not None else 0.0

    @property
    def troubled(self) -> bool:
        """Whether something is the matter at this moment."""
        return self.errors.current is not None or bool(
            self.image_pods or self.crashing or self.unready or self.killed
        )

    @property
    def seen(self) -> bool:
        """Whether logs over time could be read at all."""
        return self.evidence.logs is not None and self.evidence.logs.history is not None

    def share(self, sign: LogSign) -> float:
        """Return which share of the recent bad lines speaks of `sign`, beyond what did before."""
        return max(0.0, self.signs.get(sign, 0.0) - self.earlier_signs.get(sign, 0.0))

    @property
    def slack(self) -> timedelta:
        """How much earlier than it is an onset may seem, for the buckets of the history are that wide."""
        logs = self.evidence.logs
        interval = logs.history.interval if logs is not None and logs.history is not None else timedelta()
        return interval + timedelta(minutes=2)

    def change_before(self, kind: ChangeKind, at: datetime, *, within: timedelta) -> WorkloadChange | None:
        """Return the latest change of a kind in the time `within` before `at`, give or take a bucket."""
        for change in self.changes:
            if change.kind is kind and -self.slack <= at - change.at <= within:
                return change
        return None

    @property
    def changed_nearby(self) -> bool:
        """Whether anything was changed shortly before the trouble that goes on."""
        onset = self.onset
        return onset is not None and any(
            self.change_before(kind, onset, within=NEARBY) for kind in ChangeKind
        )

    def ago(self, at: datetime) -> str:
        """Return how long ago `at` was, in Chinese."""
        return spoken_length(self.evidence.at - at) + "前"


def picture_of(evidence: Evidence) -> Picture:
    """Return what `evidence` comes to."""
    logs = evidence.logs
    history = logs.history if logs is not None else None
    pods = [pod for pod in evidence.pods if not pod.deleting]
    image_pods = tuple(pod for pod in pods if pod.reason in IMAGE_REASONS)
    crashing = tuple(pod for pod in pods if _crashes(pod, evidence.at))
    return Picture(
        evidence=evidence,
        errors=error_bursts(history) if history else NO_BURSTS,
        warnings=warning_bursts(history) if history else NO_BURSTS,
        changes=_changes(evidence),
        signs=shares(logs.recent) if logs else {},
        earlier_signs=shares(logs.earlier) if logs else {},
        image_pods=image_pods,
        crashing=crashing,
        killed=tuple(pod for pod in pods if pod.last_end and pod.last_end.reason == OUT_OF_MEMORY),
        unready=tuple(pod for pod in pods if not pod.ready and pod.phase is not PodPhase.SUCCEEDED),
        old_revision_pods=_old_revision_pods(evidence, pods),
    )


def _crashes(pod: Pod, now: datetime) -> bool:
    if pod.reason in CRASH_REASONS:
        return True
    end = pod.last_end
    recent = end is not None and end.ended_at is not None and now - end.ended_at < RECENT_CRASH
    return (
        pod.restarts >= 2
        and recent
        and end is not None
        and end.exit_code != 0
        and end.reason != OUT_OF_MEMORY
        and not pod.ready
    )


def _old_revision_pods(evidence: Evidence, pods: Sequence[Pod]) -> tuple[Pod, ...]:
    """Return pods that run other images than the workload's template says."""
    wanted = {image.image for image in evidence.workload.images}
    return tuple(pod for pod in pods if {image.image for image in pod.images} - wanted)


def _changes(evidence: Evidence) -> tuple[WorkloadChange, ...]:
    found = [*_rollouts(evidence), *_config_changes(evidence.configs)]
    return tuple(sorted(found, key=lambda change: change.at, reverse=True))


def _rollouts(evidence: Evidence) -> Iterable[WorkloadChange]:
    revisions = sorted(evidence.revisions, key=lambda revision: revision.number)
    for before, after in zip([None, *revisions], revisions, strict=False):
        at = _took_effect_at(after, revisions, evidence.pods)
        if at is None or before is None:
            continue  # The first one kept: nobody knows what came before it.
        if same_program(before, after):
            yield WorkloadChange(kind=ChangeKind.RESTART, at=at, what="一次滚动重启")
        else:
            yield WorkloadChange(kind=ChangeKind.RELEASE, at=at, what=release_name(before, after))


def _took_effect_at(revision: Revision, all_of: Sequence[Revision], pods: Sequence[Pod]) -> datetime | None:
    """Return when a revision was rolled out; one that was returned to is older than those before it."""
    created = revision.created_at
    newest = max((r.created_at for r in all_of if r.created_at and r.number < revision.number), default=None)
    if created is None or newest is None or created >= newest or not revision.current:
        return created
    return min((pod.created_at for pod in pods if pod.created_at and pod.created_at >= newest), default=None)


def release_name(before: Revision, after: Revision) -> str:
    """Return how to call a release: by the tag that is new, else by its number."""
    old = {image.container: image.image for image in before.images}
    for image in after.images:
        if old.get(image.container) != image.image:
            return f"版本 {image.image.rpartition(':')[2]}"
    return f"第 {after.number} 版"


def same_program(one: Revision, other: Revision) -> bool:
    """Tell whether two revisions differ in nothing but when somebody asked for a restart."""
    return _without_restart(one.template_json) == _without_restart(other.template_json)


def _without_restart(template_json: str) -> str:
    template = json.loads(template_json)
    annotations = template.get("metadata", {}).get("annotations") or {}
    annotations.pop(RESTARTED_AT, None)
    if not annotations:
        template.get("metadata", {}).pop("annotations", None)
    return json.dumps(template, sort_keys=True)


def _config_changes(configs: Sequence[ConfigEvidence]) -> Iterable[WorkloadChange]:
    for config in configs:
        if config.changed_at is not None:
            yield WorkloadChange(
                kind=ChangeKind.CONFIGURATION, at=config.changed_at, what=f"配置 {config.name}"
            )


def container_started_at(pod: Pod) -> datetime | None:
    """Return when a pod's container last started, as far as its pod tells: it reads its environment then."""
    ended = pod.last_end.ended_at if pod.last_end is not None else None
    if ended is not None and (pod.started_at is None or ended > pod.started_at):
        return ended
    return pod.started_at or pod.created_at


def last_burst(bursts: Bursts) -> Burst | None:
    """Return the latest burst, whether or not it goes on."""
    return bursts.found[-1] if bursts.found else None


def spoken_length(length: timedelta) -> str:
    """Return a length of time in Chinese, rounded to what matters: 3分钟, 2小时, 1天."""
    minutes = max(0, round(length.total_seconds() / 60))
    if minutes < 1:
        return "不到1分钟"
    if minutes < 90:
        return f"{minutes}分钟"
    hours = round(minutes / 60)
    return f"{hours}小时" if hours < 48 else f"{round(hours / 24)}天"


def percent(share: float) -> str:
    """Return a share as percents: 35%, 0.4%."""
    return f"{share * 100:.0f}%" if share >= 0.02 else f"{share * 100:.1f}%"
