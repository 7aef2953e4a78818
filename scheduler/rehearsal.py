"""The night as it would be: collected and planned like the real one; nothing is opened, taken or changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from mcp_tencent.client import Place
from mcp_tencent.devops.diagnosis_answers import RUNG_NAMES
from mcp_tencent.devops.healing.guards import Refusal
from mcp_tencent.devops.healing.ladder import Passed, Stop, Trouble, next_step
from mcp_tencent.devops.healing.plans import Target
from mcp_tencent.devops.incidents import Rung
from mcp_tencent.errors import CloudError
from mcp_tencent.models.workloads import WorkloadKind
from scheduler.digest_facts import Gap
from scheduler.healing_readings import options_of, sight_of
from scheduler.healing_steps import within_bounds
from scheduler.night import Candidate
from scheduler.night_steps import DeskNight, NightDesk


class Foresight(Protocol):
    """The guards, asked without taking anything."""

    async def foresee(
        self, target: Target, rung: Rung, *, replicas: int | None, before: Sequence[Target]
    ) -> Refusal | None:
        """Return what would hold an act back, had the night acted on all of `before`; takes nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WouldDo:
    """What the night would begin with at one trouble."""

    title: str
    score: float
    cause: str
    """In Chinese: what the diagnosis says."""
    rung: Rung | None
    """None: nothing would be tried."""
    act: str
    """In Chinese; empty when nothing would be tried."""
    because: str
    """In Chinese: why this, or why nothing."""
    refused: str
    """In Chinese: what the guards would say; empty when they would let it pass."""
    passed: tuple[str, ...]
    """Rungs that would be passed over, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """A night as it would be."""

    date: date
    alert_records: int
    groups: int
    would_do: tuple[WouldDo, ...]
    unread: tuple[Gap, ...]


async def rehearse(on: date, desk: NightDesk, foresight: Foresight) -> Rehearsal:
    """Collect and plan the night that ends on the morning of `on`, and change nothing."""
    seen = await DeskNight(desk).alerts(on)
    acted: list[Target] = []
    would_do = [await _would_do(one, desk, foresight, acted) for one in seen.candidates]
    return Rehearsal(
        date=on,
        alert_records=seen.records,
        groups=len(seen.alerts),
        would_do=tuple(would_do),
        unread=seen.unread,
    )


async def _would_do(one: Candidate, desk: NightDesk, foresight: Foresight, acted: list[Target]) -> WouldDo:
    alert = one.alert
    place = Place(workload=alert.workload, namespace=alert.namespace, cluster=alert.cluster_id)
    try:
        answer = await desk.ward.tools.plan_remediation(place)
    except CloudError as error:
        return _nothing(one, "", f"看不了：{error.spoken}", ())
    sight, policy = sight_of(answer), desk.ward.policy.current().policy
    decision = next_step(
        Trouble(
            tier=policy.tier(alert.score),
            rungs=policy.rungs,
            options=options_of(sight),
            past=(),
            kind=WorkloadKind(one.kind),
            recovered=sight.quiet,
        )
    )
    if isinstance(decision, Stop):
        return _nothing(one, answer.summary, decision.reason, decision.passed)
    step = next(step for step in answer.steps if step.rung == decision.rung.value)
    target = _target(one, step.arguments, step.kind)
    arguments = dict(step.arguments)
    if decision.rung is Rung.SCALE:
        arguments = await within_bounds(desk.ward.tools, place, arguments, policy.guards.replicas)
    replicas = arguments.get("replicas")
    refusal = await foresight.foresee(
        target, decision.rung, replicas=replicas if isinstance(replicas, int) else None, before=acted
    )
    if refusal is None and target not in acted:
        acted.append(target)
    return WouldDo(
        title=alert.title,
        score=alert.score,
        cause=answer.summary,
        rung=decision.rung,
        act=f"{RUNG_NAMES[decision.rung]}{step.name or target.workload}",
        because=decision.why,
        refused="" if refusal is None else refusal.reason,
        passed=_told(decision.passed),
    )


def _nothing(one: Candidate, cause: str, because: str, passed: Sequence[Passed]) -> WouldDo:
    return WouldDo(
        title=one.alert.title,
        score=one.alert.score,
        cause=cause,
        rung=None,
        act="",
        because=because,
        refused="",
        passed=_told(passed),
    )


def _told(passed: Sequence[Passed]) -> tuple[str, ...]:
    return tuple(f"{RUNG_NAMES[one.rung]}：{one.why}" for one in passed)


def _target(one: Candidate, arguments: Mapping[str, object], kind: str) -> Target:
    workload, namespace = arguments.get("workload"), arguments.get("namespace")
    return Target(
        cluster_id=one.alert.cluster_id,
        namespace=namespace if isinstance(namespace, str) else one.alert.namespace,
        kind=kind or one.kind,
        workload=workload if isinstance(workload, str) else one.alert.workload,
    )
