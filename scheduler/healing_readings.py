"""What the steps of healing make of plans, attempts and errors (pure)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from pydantic import JsonValue

from mcp_tencent.client import Place
from mcp_tencent.devops.diagnosis.causes import CAUSE_NAMES, CauseKind, Help
from mcp_tencent.devops.diagnosis_answers import QUIET, PlanAnswer
from mcp_tencent.devops.healing.guards import OF_RUNG_ONLY, Guard
from mcp_tencent.devops.healing.ladder import Climb, End, Option, Past, Stop
from mcp_tencent.devops.healing.plans import Target
from mcp_tencent.devops.incidents import Attempt, AttemptOutcome, Incident, Rung
from mcp_tencent.errors import CloudError, ToolFailed
from mcp_tencent.models.workloads import WorkloadKind
from scheduler.healing import Doing, Done, RungView, Sight

_UNKNOWN = frozenset(
    {
        "outcome_unknown",
        "deadline_exceeded",
        "network_fault",
        "service_fault",
        "unexpected_answer",
        "tool_crashed",
        "call_in_progress",
    }
)
"""Codes after which a write may or may not have taken effect."""


def sight_of(answer: PlanAnswer) -> Sight:
    """Return what a remediation plan shows (pure)."""
    return Sight(
        known=True,
        quiet=answer.cause in {kind.value for kind in QUIET},
        cause=answer.cause,
        culprit=answer.culprit,
        spoken=answer.summary,
        rungs=tuple(
            RungView(
                rung=Rung(step.rung),
                help=step.help,
                why=step.why,
                tool=step.tool,
                arguments_json=json.dumps(step.arguments, ensure_ascii=False),
                kind=step.kind,
                name=step.name,
            )
            for step in answer.steps
        ),
        gaps=tuple(answer.gaps),
        changed_at=tuple(answer.changed_at),
    )


def over(decision: Climb | Stop, past: Sequence[Past]) -> Stop:
    """Return how trouble has ended that is gone after attempts which had not healed it (pure)."""
    if isinstance(decision, Stop) and decision.end not in {End.NOTHING_HELPS, End.OUT_OF_BUDGET}:
        return decision
    if any(one.outcome is AttemptOutcome.BETTER_KEPT for one in past):
        return Stop(end=End.HEALED, reason="处理之后好转，现在已经恢复正常")
    return Stop(end=End.ALREADY_RECOVERED, reason="已经自己恢复了")


def options_of(sight: Sight) -> Mapping[Rung, Option]:
    """Return what a sight says of each rung (pure)."""
    return {
        one.rung: Option(rung=one.rung, help=Help(one.help), why=one.why, possible=one.tool is not None)
        for one in sight.rungs
    }


def cause_name(cause: str, culprit: str = "") -> str:
    """Return how a cause is called in Chinese, with whom it blames; empty for one that nobody found."""
    if cause not in set(CauseKind) or cause == CauseKind.UNKNOWN:
        return ""
    name = CAUSE_NAMES[CauseKind(cause)]
    return f"{name}（{culprit}）" if culprit else name


def past_of(attempt: Attempt) -> Past:
    """Return an attempt as the ladder remembers it (pure)."""
    told = json.loads(attempt.evidence_json)
    guard = told.get("guard") if isinstance(told, dict) else None
    return Past(
        rung=attempt.rung,
        outcome=cast("AttemptOutcome", attempt.outcome),
        of_rung_only=guard in {one.value for one in OF_RUNG_ONLY},
    )


def target_of(incident: Incident, arguments: Mapping[str, JsonValue], kind: str) -> Target:
    """Return what a call acts on: not always the workload in trouble."""
    workload, namespace = arguments.get("workload"), arguments.get("namespace")
    return Target(
        cluster_id=incident.cluster_id,
        namespace=namespace if isinstance(namespace, str) else incident.namespace,
        kind=kind or incident.workload_kind,
        workload=workload if isinstance(workload, str) else incident.workload,
    )


def place_of(incident: Incident) -> Place:
    """Return where an incident is, as tools take it (pure)."""
    return Place(
        workload=incident.workload,
        namespace=incident.namespace,
        cluster=incident.cluster_id,
    )


def kind_of(name: str) -> WorkloadKind:
    """Return a kind of workload by its name; a Deployment when there is no such kind (pure)."""
    try:
        return WorkloadKind(name)
    except ValueError:
        return WorkloadKind.DEPLOYMENT


def not_done(error: CloudError, at: datetime) -> Done:
    """Return what is known of an act that ended with an error (pure)."""
    code = error.code
    if code == "plan_refused":
        doing = Doing.REFUSED
    elif code in _UNKNOWN or not isinstance(error, ToolFailed):
        doing = Doing.UNKNOWN
    else:
        doing = Doing.NOT_DONE
    return Done(doing=doing, at=at.isoformat(), spoken=error.spoken)


def guard_of(attempt: Attempt) -> Guard | None:
    """Return which guard refused an attempt; None when none did."""
    told = json.loads(attempt.evidence_json)
    named = told.get("guard") if isinstance(told, dict) else None
    return Guard(named) if isinstance(named, str) else None


def proposals(attempts: Sequence[Attempt]) -> Sequence[Attempt]:
    """Return the attempts that wait for a person's yes."""
    return [one for one in attempts if guard_of(one) is Guard.PROPOSE_MODE]
