"""From a diagnosis to the rungs worth climbing, in the order of the ladder (pure)."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pydantic import JsonValue

from mcp_tencent.devops.checkpoint_records import Checkpoint
from mcp_tencent.devops.diagnosis.causes import Cause, CauseKind, Help, Prospect
from mcp_tencent.devops.diagnosis.picture import ChangeKind, Picture
from mcp_tencent.devops.diagnosis.ranking import Diagnosis
from mcp_tencent.devops.diagnosis.revisions import last_good, version_of
from mcp_tencent.devops.incidents import Rung
from mcp_tencent.models.workloads import Workload

ALSO_LIKELY = 0.5
SURELY_A_PERSONS = 0.75
"""From this confidence on, a cause that only a person can remove leaves nothing to try against another."""
NEARLY_AS_LIKELY = 0.6
MORE_PODS = 1.5
"""Times as many pods, for a load that is too much."""
_HOLDS = {CauseKind.QUOTA_EXHAUSTED: CauseKind.OVERLOAD}
"""Causes that hold another within them: what would help against that one alone does not help here."""
UNDONE_WITHIN = timedelta(hours=2)
"""A change longer before the trouble than this is not what a checkpoint is looked for to undo."""
USEFUL = frozenset({Help.HELPS, Help.MAY_HELP})
_ORDER = (Help.WORSENS, Help.HELPS, Help.MAY_HELP, Help.CANNOT_HELP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rung for this trouble."""

    prospect: Prospect
    tool: str | None
    """None when the rung should not be climbed."""
    arguments: Mapping[str, JsonValue]


def steps(
    diagnosis: Diagnosis,
    checkpoints: Sequence[Checkpoint],
    *,
    most_replicas: int,
    protected: Container[str] = frozenset(),
) -> tuple[Step, ...]:
    """Return every rung with what it would do, and how to climb those that may help.

    Args:
        diagnosis: What is the matter.
        checkpoints: Those that are kept of the workload, newest first.
        most_replicas: The house's bound.
        protected: Namespaces in which nothing is changed.
    """
    causes = _worth_treating(diagnosis.causes)
    found = []
    for rung in Rung:
        prospect = _together([p for cause in causes for p in cause.prospects if p.rung is rung])
        if rung is Rung.RESTORE and prospect.help in USEFUL:
            found.append(_restoring(prospect, diagnosis.picture, checkpoints))
        else:
            found.append(_step(prospect, diagnosis.picture, most_replicas))
    own = diagnosis.picture.evidence.workload.ref.namespace
    return tuple(_allowed(step, own, protected) for step in found)


def _allowed(step: Step, own: str, protected: Container[str]) -> Step:
    if step.tool is None or step.arguments.get("namespace", own) not in protected:
        return step
    why = "受保护的系统命名空间，不能在这里改动"
    prospect = replace(step.prospect, help=Help.CANNOT_HELP, why=why)
    return Step(prospect=prospect, tool=None, arguments={})


def _worth_treating(causes: Sequence[Cause]) -> Sequence[Cause]:
    """Return the first cause, and others that are nearly as likely."""
    first = causes[0]
    helps = any(one.help in USEFUL for one in first.prospects if one.rung is not Rung.HAND_OVER)
    if first.confidence >= SURELY_A_PERSONS and not helps:
        return [first]
    others = [
        cause
        for cause in causes[1:]
        if cause.confidence >= max(ALSO_LIKELY, NEARLY_AS_LIKELY * first.confidence)
        and cause.kind is not _HOLDS.get(first.kind)
    ]
    return [first, *others]


def _together(prospects: Sequence[Prospect]) -> Prospect:
    """Return the one that counts: what would harm first, then what helps most."""
    return min(prospects, key=lambda prospect: _ORDER.index(prospect.help))


def _step(prospect: Prospect, picture: Picture, most_replicas: int) -> Step:
    nothing = Step(prospect=prospect, tool=None, arguments={})
    if prospect.help not in USEFUL or prospect.rung is Rung.HAND_OVER:
        return nothing
    workload = picture.evidence.workload
    named: dict[str, JsonValue] = {
        "workload": prospect.target or workload.ref.name,
        "namespace": workload.ref.namespace,
        "cluster": picture.evidence.cluster_id,
    }
    match prospect.rung:
        case Rung.RESTART:
            return replace(nothing, tool="restart_workload", arguments=named)
        case Rung.SCALE:
            replicas = more_pods(workload, picture, most_replicas)
            if replicas <= workload.replicas_wanted:
                why = f"已经有{workload.replicas_wanted}个副本，到上限了"
                return replace(nothing, prospect=replace(prospect, help=Help.CANNOT_HELP, why=why))
            return replace(nothing, tool="scale_workload", arguments={**named, "replicas": replicas})
        case Rung.ROLL_BACK:
            target = last_good(picture.evidence.revisions)
            if target is None:
                return replace(
                    nothing, prospect=replace(prospect, help=Help.CANNOT_HELP, why="没有保留更早的版本")
                )
            why = f"{prospect.why}，回到{version_of(target)}"
            return Step(
                prospect=replace(prospect, why=why),
                tool="roll_back",
                arguments={**named, "revision": target.number},
            )
        case Rung.ISOLATE:
            if not prospect.target:
                why = "没有找到抢资源的邻居"
                return replace(nothing, prospect=replace(prospect, help=Help.CANNOT_HELP, why=why))
            return replace(nothing, tool="isolate_workload", arguments=_isolating(named, picture, prospect))
        case _:
            return nothing


def _isolating(
    named: Mapping[str, JsonValue], picture: Picture, prospect: Prospect
) -> Mapping[str, JsonValue]:
    for neighbour in picture.evidence.neighbours:
        if neighbour.workload.name == prospect.target:
            return {**named, "namespace": neighbour.workload.namespace}
    return named


def more_pods(workload: Workload, picture: Picture, most: int) -> int:
    """Return how many pods the load asks for: as traffic has grown, at least half as many more."""
    usage = picture.evidence.usage
    traffic = usage.traffic_bytes_per_second if usage is not None else None
    factor = MORE_PODS if traffic is None else min(4.0, max(MORE_PODS, traffic.ratio))
    wanted = max(workload.replicas_wanted + 1, round(workload.replicas_wanted * factor + 0.4))
    scaler = picture.evidence.autoscaler
    return min(wanted, most, scaler.replicas_max if scaler is not None else most)


def _restoring(prospect: Prospect, picture: Picture, checkpoints: Sequence[Checkpoint]) -> Step:
    """Choose the newest checkpoint from before the change that is to be undone."""
    before = _to_be_undone(picture)
    chosen = next((c for c in checkpoints if before is None or c.taken_at < before), None)
    if chosen is None:
        why = "没有出问题之前的备份点"
        return Step(prospect=replace(prospect, help=Help.CANNOT_HELP, why=why), tool=None, arguments={})
    return Step(prospect=prospect, tool="restore_checkpoint", arguments={"checkpoint": chosen.id})


def _to_be_undone(picture: Picture) -> datetime | None:
    """Return when the change was made after which the trouble began; else when it began."""
    onset = picture.onset
    if onset is None:
        return next((change.at for change in picture.changes), None)
    for kind in (ChangeKind.CONFIGURATION, ChangeKind.RELEASE):
        change = picture.change_before(kind, onset, within=UNDONE_WITHIN)
        if change is not None:
            return change.at
    return onset
