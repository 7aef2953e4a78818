"""Tools that look for causes: diagnose, plan what would help, verify whether it has."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from mcp_tencent.basic.parameters import ClusterName, NamespaceName, WorkloadName
from mcp_tencent.basic.workload_actions import namespace_of_call
from mcp_tencent.devops.diagnosis.picture import ChangeKind
from mcp_tencent.devops.diagnosis.ranking import Diagnosis
from mcp_tencent.devops.diagnosis.ranking import diagnose as ranked
from mcp_tencent.devops.diagnosis_answers import (
    MOST_CAUSES,
    MOST_CHANGES,
    DiagnosisAnswer,
    PlanAnswer,
    StepLine,
    VerificationAnswer,
    cause_line,
    change_line,
    diagnosis_summary,
    plan_summary,
    prospect_line,
    verification_summary,
)
from mcp_tencent.devops.healing.checkpoints import Checkpoints
from mcp_tencent.devops.healing.desk import HealingDesk
from mcp_tencent.devops.healing.measuring import Measuring
from mcp_tencent.devops.healing.planning import Step, steps
from mcp_tencent.errors import InvalidRequest
from mcp_tencent.gateway.stores import in_store
from mcp_tencent.naming.located import Located
from mcp_tencent.serving.declare import DeclaredTool, ToolSet

DEADLINE_S = 90.0
"""Logs of two days of a busy workload take their time, more so while the cloud throttles."""
CHECKPOINTS_FROM = timedelta(days=30)


def diagnosis_tools(desk: HealingDesk) -> list[DeclaredTool]:
    """Return the declared tools."""
    tools = ToolSet(outside="kubernetes", namespace_of=namespace_of_call(desk.basic))
    _declare_diagnose(tools, desk)
    _declare_plan(tools, desk)
    _declare_verify(tools, desk)
    return list(tools.tools)


async def _diagnosed(desk: HealingDesk, found: Located) -> Diagnosis:
    return ranked(await desk.gathering.evidence(found, desk.basic.now()))


def _declare_diagnose(tools: ToolSet, desk: HealingDesk) -> None:
    @tools.read("诊断工作负载", cache_s=10.0, deadline_s=DEADLINE_S)
    async def diagnose(
        workload: WorkloadName, namespace: NamespaceName = None, cluster: ClusterName = None
    ) -> DiagnosisAnswer:
        """Find out what is the matter with a workload: likely causes with evidence, and what would help.

        For “订单服务怎么了”, “为什么报错”. Looks at rollouts, pods, events, logs before and after, metrics,
        configuration, dependencies, neighbours, nodes and quotas at once. Not for a plain status: that is
        describe_workload. What to do about it step by step: plan_remediation.

        Example: diagnose(workload="订单服务").
        """
        found = await desk.located(workload, namespace, cluster)
        diagnosis = await _diagnosed(desk, found)
        picture = diagnosis.picture
        evidence, ref = picture.evidence, picture.evidence.workload.ref
        return DiagnosisAnswer(
            summary=diagnosis_summary(diagnosis, found.preface),
            cluster=evidence.cluster_id,
            namespace=ref.namespace,
            kind=ref.kind.value,
            workload=ref.name,
            troubled=picture.troubled,
            since=desk.basic.told(picture.onset),
            error_share=round(picture.error_share, 4),
            replicas_ready=evidence.workload.replicas_ready,
            replicas_wanted=evidence.workload.replicas_wanted,
            restarts=sum(pod.restarts for pod in evidence.pods),
            causes=[cause_line(cause) for cause in diagnosis.causes[:MOST_CAUSES]],
            prospects=[prospect_line(prospect) for prospect in diagnosis.first.prospects],
            changes=[
                change_line(change, desk.basic.told(change.at) or "")
                for change in picture.changes[:MOST_CHANGES]
            ],
            gaps=list(evidence.gaps),
        )


def _declare_plan(tools: ToolSet, desk: HealingDesk) -> None:
    @tools.read("制定修复方案", cache_s=10.0, deadline_s=DEADLINE_S)
    async def plan_remediation(
        workload: Annotated[
            str | None, Field(description="Name or alias of a workload.", min_length=1, max_length=200)
        ] = None,
        incident: Annotated[
            str | None, Field(description="Or the id of an incident.", min_length=1, max_length=64)
        ] = None,
        namespace: NamespaceName = None,
        cluster: ClusterName = None,
    ) -> PlanAnswer:
        """Say which rungs of the ladder would help a workload, which cannot and why, in order.

        For “订单服务该怎么处理”. The ladder: restart or refresh configuration, scale, roll back, isolate,
        restore checkpoints, a person. Each useful step names the tool and its arguments; nothing is done.
        Give either a workload or an incident.

        Example: plan_remediation(workload="订单服务").
        """
        found = await _meant(desk, workload, incident, namespace, cluster)
        diagnosis = await _diagnosed(desk, found)
        now = desk.basic.now()
        kept = await Checkpoints(desk).between(
            now - CHECKPOINTS_FROM, now, found.workload.ref, found.cluster.cluster_id
        )
        bounds = desk.basic.bounds
        planned = [
            _line(step, await _acted_on(desk, found, step))
            for step in steps(
                diagnosis,
                kept,
                most_replicas=bounds.replicas_max,
                protected=bounds.protected_namespaces,
            )
        ]
        first = diagnosis.first
        return PlanAnswer(
            summary=found.preface + plan_summary(found.alias, first, planned),
            cluster=found.cluster.cluster_id,
            namespace=found.workload.ref.namespace,
            workload=found.workload.ref.name,
            incident=incident,
            cause=first.kind.value,
            culprit=first.culprit,
            confidence=round(first.confidence, 2),
            steps=planned,
            first_step=next((line.rung for line in planned if line.tool is not None), None),
            changed_at=[
                change.at.isoformat()
                for change in diagnosis.picture.changes[:MOST_CHANGES]
                if change.kind is not ChangeKind.RESTART
            ],
            gaps=list(diagnosis.picture.evidence.gaps),
        )


async def _meant(
    desk: HealingDesk, workload: str | None, incident: str | None, namespace: str | None, cluster: str | None
) -> Located:
    if (workload is None) == (incident is None):
        raise InvalidRequest("give either a workload or the id of an incident, not both or none")
    if incident is None:
        return await desk.located(workload or "", namespace, cluster)
    known = await in_store(lambda: desk.incidents.get(incident))
    return await desk.basic.naming.workload(
        known.workload, namespace=known.namespace, cluster=known.cluster_id, certain=True
    )


async def _acted_on(desk: HealingDesk, found: Located, step: Step) -> Located:
    """Return the workload that a step acts on: the one in trouble, or a neighbour of it."""
    name = step.arguments.get("workload", found.workload.ref.name)
    namespace = step.arguments.get("namespace", found.workload.ref.namespace)
    if (name, namespace) == (found.workload.ref.name, found.workload.ref.namespace):
        return found
    return await desk.basic.naming.workload(
        str(name), namespace=str(namespace), cluster=found.cluster.cluster_id, certain=True
    )


def _line(step: Step, on: Located) -> StepLine:
    return StepLine(
        rung=step.prospect.rung.value,
        help=step.prospect.help.value,
        why=step.prospect.why,
        tool=step.tool,
        arguments=dict(step.arguments),
        kind=on.workload.ref.kind.value if step.tool is not None else "",
        name=on.alias if step.tool is not None else "",
    )


def _declare_verify(tools: ToolSet, desk: HealingDesk) -> None:
    @tools.read("验证修复效果", deadline_s=DEADLINE_S)
    async def verify_workload(
        workload: WorkloadName,
        acted_at: Annotated[
            datetime,
            Field(description="When something was done to it, ISO 8601 with seconds and offset."),
        ],
        ready_before: Annotated[
            int | None, Field(description="Pods that were ready right before, if known.", ge=0)
        ] = None,
        namespace: NamespaceName = None,
        cluster: ClusterName = None,
    ) -> VerificationAnswer:
        """Tell whether an act on a workload has helped: healed, better, not better, worse, or cannot tell.

        Compares errors, pods and crashes since the act with the time before it. Ask some minutes after the
        act; before that the verdict is inconclusive. Not for finding causes: that is diagnose.

        Example: verify_workload(workload="订单服务", acted_at="2026-11-20T05:10:00+08:00").
        """
        now = desk.basic.now()
        if acted_at.tzinfo is None:
            raise InvalidRequest(f"acted_at needs an offset, got {acted_at.isoformat()}")
        if not timedelta(0) <= now - acted_at <= timedelta(days=2):
            raise InvalidRequest(f"acted_at {acted_at.isoformat()} is not within the last two days")
        found = await desk.located(workload, namespace, cluster)
        measuring = Measuring(desk.basic.clouds, desk.looks)
        verification = await measuring.verification(
            found, acted_at=acted_at, now=now, ready_before=ready_before
        )
        verdict = verification.verdict.value
        return VerificationAnswer(
            summary=found.preface + verification_summary(found.alias, verdict, verification.reasons),
            cluster=found.cluster.cluster_id,
            namespace=found.workload.ref.namespace,
            workload=found.workload.ref.name,
            verdict=verdict,
            reasons=list(verification.reasons),
            error_share_before=_rounded(verification.share_before),
            error_share_after=_rounded(verification.share_after),
            looks_good=verification.looks_good,
            looks_failed=verification.looks_failed,
            looks_unknown=verification.looks_unknown,
        )


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)
