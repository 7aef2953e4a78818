"""Incidents, plans and a healing book for tests; the cluster in view stands still."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from mcp_tencent.devops.checkpoint_records import Checkpoint, SqlCheckpointStore
from mcp_tencent.devops.healing.approval import GuardedHealing
from mcp_tencent.devops.healing.guards import Surroundings
from mcp_tencent.devops.healing.plan_records import SqlPlanStore
from mcp_tencent.devops.healing.plans import HealingPlan, PlannedCall, Target
from mcp_tencent.devops.incidents import Attempt, Incident, IncidentStatus, Rung
from mcp_tencent.devops.policy.file import FixedPolicy, PolicySource
from mcp_tencent.devops.policy.model import HealingMode, Policy
from mcp_tencent.devops.policy.modes import ModeChoice, SqlModeStore
from mcp_tencent.devops.records import SqlIncidentStore
from mcp_tencent.errors import CloudError
from mcp_tencent.tables import stable_id
from tests.mcp_tencent.devops.ward import FernetCipher

ZONE = ZoneInfo("Asia/Shanghai")
NIGHT = datetime(2026, 11, 20, 5, 0, tzinfo=ZONE)
AROUND = Surroundings(cluster_workloads=1000, replicas_wanted=3, replicas_ready=3)


@dataclass
class HandClock:
    at: datetime = NIGHT

    def now(self) -> datetime:
        return self.at

    def later(self, **duration: float) -> None:
        self.at += timedelta(**duration)


@dataclass
class StillLookout:
    """Satisfies `Lookout`: a cluster that is as it is said, or cannot be seen."""

    around: Surroundings = AROUND
    trouble: CloudError | None = None
    looked_at: list[Target] = field(default_factory=list)

    async def look(self, target: Target) -> Surroundings:
        self.looked_at.append(target)
        if self.trouble is not None:
            raise self.trouble
        return self.around


def book_on(
    engine: Engine,
    *,
    clock: HandClock | None = None,
    policy: Policy | PolicySource | None = None,
    lookout: StillLookout | None = None,
) -> GuardedHealing:
    """The healing book of one process on a database."""
    source = FixedPolicy(policy or Policy()) if isinstance(policy, Policy | None) else policy
    return GuardedHealing(
        plans=SqlPlanStore(engine),
        incidents=SqlIncidentStore(engine),
        policy=source,
        modes=SqlModeStore(engine),
        lookout=lookout or StillLookout(),
        now=(clock or HandClock()).now,
        zone=ZONE,
    )


def choose(engine: Engine, mode: HealingMode, *, namespace: str = "", at: datetime | None = None) -> None:
    chosen_at = at or NIGHT - timedelta(days=30)
    SqlModeStore(engine).choose(
        ModeChoice(namespace=namespace, mode=mode, chosen_by="负责人", chosen_at=chosen_at)
    )


def target(workload: str = "order-service", *, namespace: str = "shop", cluster: str = "cls-a") -> Target:
    return Target(cluster_id=cluster, namespace=namespace, kind="Deployment", workload=workload)


def open_incident(
    engine: Engine, name: str = "one", *, on: Target | None = None, fingerprint: str = "order-service/5xx"
) -> str:
    """Record an incident, and return its id."""
    place = on or target()
    incident = Incident(
        id=stable_id("inc", name),
        idempotency_key=name,
        fingerprint=fingerprint,
        cluster_id=place.cluster_id,
        namespace=place.namespace,
        workload_kind=place.kind,
        workload=place.workload,
        title="订单服务报错",
        score=95,
        alert_count=3,
        status=IncidentStatus.OPEN,
        opened_at=NIGHT,
        last_seen_at=NIGHT,
        policy_version="policy-1",
    )
    SqlIncidentStore(engine).open(incident)
    return incident.id


def close_incident(engine: Engine, incident_id: str) -> None:
    incidents = SqlIncidentStore(engine)
    incidents.save(replace(incidents.get(incident_id), status=IncidentStatus.HUMAN))


def restart_plan(incident_id: str, number: int = 1, *, on: Target | None = None) -> HealingPlan:
    """A checkpoint, then a restart."""
    place = on or target()
    key = f"{incident_id}/{number}"
    attempt = Attempt(
        id=stable_id("att", key),
        incident_id=incident_id,
        number=number,
        rung=Rung.RESTART,
        action=f"重启{place.workload}",
        idempotency_key=key,
        checkpoint_id=None,
        started_at=NIGHT,
    )
    with_incident = {**place.arguments, "incident": incident_id}
    return HealingPlan(
        job="night",
        attempt=attempt,
        target=place,
        calls=(
            PlannedCall(
                tool="create_checkpoint", arguments=with_incident, idempotency_key=f"{key}/checkpoint"
            ),
            PlannedCall(tool="restart_workload", arguments=place.arguments, idempotency_key=f"{key}/act"),
        ),
    )


def keep_checkpoint(engine: Engine, incident_id: str | None, on: Target | None = None, key: str = "a") -> str:
    """Record an empty checkpoint of a workload, and return its id."""
    place = on or target()
    checkpoint = Checkpoint(
        id=stable_id("cp", key),
        idempotency_key=key,
        cluster_id=place.cluster_id,
        workload_kind=place.kind,
        workload=place.workload,
        namespace=place.namespace,
        reason="重启之前",
        created_by="night",
        incident_id=incident_id,
        taken_at=NIGHT,
    )
    SqlCheckpointStore(engine, FernetCipher()).add(checkpoint, [])
    return checkpoint.id
