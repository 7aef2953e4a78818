"""Tables of healing plans and of the workloads they hold, and the claims upon them.

All claims of all processes stand in one line: each transaction first takes the same lock, then counts,
decides and writes. That is slow only where hundreds would act at once, which the guards forbid anyway.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta, tzinfo

from sqlalchemy import Column, Engine, Text, and_, delete, distinct, func, or_, update
from sqlmodel import Field, Session, SQLModel, col, select

from mcp_tencent.devops.checkpoint_records import CheckpointRow
from mcp_tencent.devops.errors import CheckpointUnknown, PlanUnsound
from mcp_tencent.devops.healing.guards import Guard, History, Refusal
from mcp_tencent.devops.healing.plans import HealingPlan, PlannedCall, Target
from mcp_tencent.devops.incidents import AttemptOutcome, IncidentStatus, Rung
from mcp_tencent.devops.policy.model import Policy
from mcp_tencent.devops.records import AttemptRow, IncidentRow
from mcp_tencent.tables import UtcDateTime, changed_rows, insert_once, reading, writing

LEASE = timedelta(hours=1)
"""A workload is held so long after the last sign of life of its incident: longer than any act and its
verification take."""
REMEMBERED = timedelta(hours=48)
"""So long a rung that did not help is not tried again against the same trouble: last night counts."""
JUST_NOW = timedelta(hours=2)
"""So long it is not tried again at the same workload for other trouble either: it was verified, in vain."""
OWN_CHANGE = timedelta(minutes=2)
"""What an attempt changed may show so long after its end: pods follow their revision."""
_FAILED = (
    AttemptOutcome.NOT_BETTER_RESTORED.value,
    AttemptOutcome.WORSE_RESTORED.value,
    AttemptOutcome.RESTORE_FAILED.value,
)
_JUDGED = (*_FAILED, AttemptOutcome.HEALED.value, AttemptOutcome.BETTER_KEPT.value)
_CLAIMS = "claims"


class HealingPlanRow(SQLModel, table=True):
    """One registered plan."""

    __tablename__ = "healing_plans"

    id: str = Field(primary_key=True, max_length=64)
    attempt_id: str = Field(foreign_key="attempts.id", max_length=64, unique=True)
    incident_id: str = Field(foreign_key="incidents.id", max_length=64, index=True)
    job: str = Field(max_length=128)
    cluster_id: str = Field(max_length=64)
    namespace: str = Field(max_length=253)
    workload_kind: str = Field(max_length=64)
    workload: str = Field(max_length=253)
    calls_json: str = Field(sa_column=Column(Text, nullable=False))
    claimed_at: datetime | None = Field(
        default=None, sa_column=Column(UtcDateTime, nullable=True, index=True)
    )
    replicas_before: int | None = Field(default=None)
    taken_back_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))


class HeldWorkloadRow(SQLModel, table=True):
    """Which incident acts on a workload."""

    __tablename__ = "healing_held_workloads"

    cluster_id: str = Field(primary_key=True, max_length=64)
    namespace: str = Field(primary_key=True, max_length=253)
    workload_kind: str = Field(primary_key=True, max_length=64)
    workload: str = Field(primary_key=True, max_length=253)
    incident_id: str = Field(max_length=64, index=True)
    expires_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class HealingLockRow(SQLModel, table=True):
    """What a transaction locks to be the only one that claims."""

    __tablename__ = "healing_locks"

    name: str = Field(primary_key=True, max_length=16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A plan as it stands recorded."""

    id: str
    attempt_id: str
    incident_id: str
    job: str
    rung: Rung
    target: Target
    calls: tuple[PlannedCall, ...]
    checkpoint_id: str | None
    attempt_ended: bool
    incident_open: bool
    claimed_at: datetime | None
    replicas_before: int | None
    taken_back_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When and by which policy a claim is judged.

    Args:
        now: The present.
        zone: In which nights are meant.
        policy: In force.
        trusted_since: Failures before it are forgotten: a person has chosen modes then. None: never.
        fallen_back: Why the device observes only, in Chinese; empty when it does not.
    """

    now: datetime
    zone: tzinfo
    policy: Policy
    trusted_since: datetime | None
    fallen_back: str


Decide = Callable[[Registered, History], Refusal | None]


def night_began(now: datetime, zone: tzinfo) -> datetime:
    """Return when the night of `now` began: at the last noon, so that no night is cut in two."""
    local = now.astimezone(zone)
    noon = datetime.combine(local.date(), time(12), tzinfo=zone)
    if local >= noon:
        return noon
    return datetime.combine(local.date() - timedelta(days=1), time(12), tzinfo=zone)


class SqlPlanStore:
    """Keeps plans and claims in the database. Calls block; they are made off the event loop."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def register(self, plan: HealingPlan) -> None:
        """Record attempt and plan together, once.

        Raises:
            PlanUnsound: the attempt was registered before as something else, or its number is taken.
        """
        attempt, target = plan.attempt, plan.target
        row = HealingPlanRow(
            id=plan.id,
            attempt_id=attempt.id,
            incident_id=attempt.incident_id,
            job=plan.job,
            cluster_id=target.cluster_id,
            namespace=target.namespace,
            workload_kind=target.kind,
            workload=target.workload,
            calls_json=_calls_json(plan.calls),
        )
        with writing(self._engine) as session:
            _lock(session)
            standing = session.get(HealingPlanRow, plan.id)
            if standing is not None:
                given = row.model_dump(exclude={"claimed_at", "replicas_before", "taken_back_at"})
                if any(getattr(standing, name) != value for name, value in given.items()):
                    raise PlanUnsound(f"attempt {attempt.id} was registered before with another plan")
                return
            if _attempt_stands(session, attempt.incident_id, attempt.number):
                raise PlanUnsound(f"{attempt.incident_id} has an attempt {attempt.number} already")
            session.add(AttemptRow(**asdict(attempt)))
            session.flush()
            session.add(row)

    def get(self, plan_id: str) -> Registered | None:
        """Return a plan, or None."""
        with reading(self._engine) as session:
            return _registered(session, plan_id)

    def claim(self, plan_id: str, moment: Moment, decide: Decide, *, replicas_now: int) -> Refusal | None:
        """Decide, and when nothing speaks against it take workload and budget, all in one moment.

        A plan that has its share takes nothing more; its hold on the workload is renewed.

        Args:
            plan_id: Whose.
            moment: When, and by which policy.
            decide: Called with what stands recorded at that moment.
            replicas_now: Kept with the first claim, as what the workload had before.
        """
        with writing(self._engine) as session:
            _lock(session)
            plan = _registered(session, plan_id)
            if plan is None:
                return unknown_plan(plan_id)
            refusal = decide(plan, _history(session, plan, moment))
            if refusal is not None:
                return refusal
            if plan.claimed_at is None:
                _change(session, plan_id, claimed_at=moment.now, replicas_before=replicas_now)
            _hold(session, plan, until=moment.now + LEASE)
            return None

    def begin_taking_back(self, plan_id: str, moment: Moment, decide: Decide) -> Refusal | None:
        """Decide on taking the plan's change back; takes no budget."""
        with writing(self._engine) as session:
            _lock(session)
            plan = _registered(session, plan_id)
            if plan is None:
                return unknown_plan(plan_id)
            refusal = decide(plan, _history(session, plan, moment))
            if refusal is None:
                if plan.taken_back_at is None:
                    _change(session, plan_id, taken_back_at=moment.now)
                _hold(session, plan, until=moment.now + LEASE)
            return refusal

    def note_checkpoint(self, plan_id: str, checkpoint_id: str) -> None:
        """Record the checkpoint of an attempt, once; raises PlanUnsound and CheckpointUnknown."""
        with writing(self._engine) as session:
            plan = _registered(session, plan_id)
            if plan is None:
                raise PlanUnsound(f"no plan has the id {plan_id}")
            kept = session.get(CheckpointRow, checkpoint_id)
            if kept is None:
                raise CheckpointUnknown(f"no checkpoint has the id {checkpoint_id}")
            if target_of(kept) != plan.target or kept.incident_id != plan.incident_id:
                raise PlanUnsound(f"{checkpoint_id} is not of the workload and incident of {plan_id}")
            if plan.checkpoint_id not in (None, checkpoint_id):
                raise PlanUnsound(f"{plan_id} has the checkpoint {plan.checkpoint_id}")
            attempt = update(AttemptRow).where(col(AttemptRow.id) == plan.attempt_id)
            changed_rows(session, attempt.values(checkpoint_id=checkpoint_id))

    def checkpoint_target(self, checkpoint_id: str) -> Target | None:
        """Return what a checkpoint is of, or None when there is no such checkpoint."""
        with reading(self._engine) as session:
            kept = session.get(CheckpointRow, checkpoint_id)
            return None if kept is None else target_of(kept)

    def history(self, plan_id: str, moment: Moment) -> History:
        """Return what the guards judge a plan by."""
        with reading(self._engine) as session:
            plan = _registered(session, plan_id)
            return History() if plan is None else _history(session, plan, moment)

    def release(self, incident_id: str) -> None:
        """Give back every workload that an incident holds."""
        with writing(self._engine) as session:
            statement = delete(HeldWorkloadRow).where(col(HeldWorkloadRow.incident_id) == incident_id)
            changed_rows(session, statement)

    def failed_before(
        self, incident_id: str, now: datetime, changes: Sequence[datetime] = ()
    ) -> frozenset[Rung]:
        """Return the rungs that lately did not help the same trouble, or just now this workload.

        Args:
            incident_id: The trouble.
            now: The present.
            changes: When the workload was released or configured lately. What failed before somebody else's
                change may help after it; what an attempt itself changed counts for nothing.
        """
        with reading(self._engine) as session:
            incident = session.get(IncidentRow, incident_id)
            if incident is None:
                return frozenset()
            alike = col(IncidentRow.fingerprint) == incident.fingerprint
            here = and_(
                col(IncidentRow.cluster_id) == incident.cluster_id,
                col(IncidentRow.namespace) == incident.namespace,
                col(IncidentRow.workload_kind) == incident.workload_kind,
                col(IncidentRow.workload) == incident.workload,
            )
            statement = (
                select(AttemptRow, IncidentRow)
                .join(IncidentRow, col(IncidentRow.id) == col(AttemptRow.incident_id))
                .where(or_(alike, here), col(AttemptRow.finished_at) >= now - REMEMBERED)
            )
            lately = [
                _Tried(
                    rung=Rung(attempt.rung),
                    began_at=attempt.started_at,
                    ended_at=attempt.finished_at or now,
                    counts=attempt.outcome in _FAILED
                    and one.id != incident_id
                    and (one.fingerprint == incident.fingerprint or _since(attempt, now - JUST_NOW)),
                )
                for attempt, one in session.exec(statement)
            ]
        return _still_failed(lately, changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    """An attempt of late at the same trouble or workload."""

    rung: Rung
    began_at: datetime
    ended_at: datetime
    counts: bool
    """It did not help, and that tells something of the trouble asked about."""


def _since(attempt: AttemptRow, start: datetime) -> bool:
    return attempt.finished_at is not None and attempt.finished_at >= start


def _still_failed(lately: Sequence[_Tried], changes: Sequence[datetime]) -> frozenset[Rung]:
    """Return the rungs that failed with nobody having changed anything since (pure)."""
    others = [
        at for at in changes if not any(one.began_at <= at <= one.ended_at + OWN_CHANGE for one in lately)
    ]
    return frozenset(one.rung for one in lately if one.counts and not any(at > one.ended_at for at in others))


def unknown_plan(plan_id: str) -> Refusal:
    """Return the refusal of a plan that nobody registered."""
    return Refusal(
        guard=Guard.PLAN,
        reason="没有登记过这个自动处理计划",
        hint=f"No plan has the id {plan_id[:80]}: register it first.",
    )


def target_of(kept: CheckpointRow) -> Target:
    """Return the workload that a checkpoint is of."""
    return Target(
        cluster_id=kept.cluster_id,
        namespace=kept.namespace,
        kind=kept.workload_kind,
        workload=kept.workload,
    )


def _lock(session: Session) -> None:
    # On SQLite `writing` holds the only write lock already.
    insert_once(session, HealingLockRow(name=_CLAIMS), unique=["name"])
    session.exec(select(HealingLockRow).where(HealingLockRow.name == _CLAIMS).with_for_update()).one()


def _calls_json(calls: Sequence[PlannedCall]) -> str:
    plain = [{"tool": c.tool, "arguments": dict(c.arguments), "key": c.idempotency_key} for c in calls]
    return json.dumps(plain, ensure_ascii=False, sort_keys=True)


def _attempt_stands(session: Session, incident_id: str, number: int) -> bool:
    wanted = select(AttemptRow).where(AttemptRow.incident_id == incident_id, AttemptRow.number == number)
    return session.exec(wanted).first() is not None


def _change(session: Session, plan_id: str, **values: object) -> None:
    changed_rows(session, update(HealingPlanRow).where(col(HealingPlanRow.id) == plan_id).values(**values))


def _hold(session: Session, plan: Registered, *, until: datetime) -> None:
    target = plan.target
    session.merge(
        HeldWorkloadRow(
            cluster_id=target.cluster_id,
            namespace=target.namespace,
            workload_kind=target.kind,
            workload=target.workload,
            incident_id=plan.incident_id,
            expires_at=until,
        )
    )


def _registered(session: Session, plan_id: str) -> Registered | None:
    row = session.get(HealingPlanRow, plan_id)
    if row is None:
        return None
    attempt = session.get_one(AttemptRow, row.attempt_id)
    incident = session.get_one(IncidentRow, row.incident_id)
    return Registered(
        id=row.id,
        attempt_id=row.attempt_id,
        incident_id=row.incident_id,
        job=row.job,
        rung=Rung(attempt.rung),
        target=Target(
            cluster_id=row.cluster_id,
            namespace=row.namespace,
            kind=row.workload_kind,
            workload=row.workload,
        ),
        calls=tuple(
            PlannedCall(tool=one["tool"], arguments=one["arguments"], idempotency_key=one["key"])
            for one in json.loads(row.calls_json)
        ),
        checkpoint_id=attempt.checkpoint_id,
        attempt_ended=attempt.outcome is not None,
        incident_open=incident.status == IncidentStatus.OPEN,
        claimed_at=row.claimed_at,
        replicas_before=row.replicas_before,
        taken_back_at=row.taken_back_at,
    )


def _history(session: Session, plan: Registered, moment: Moment) -> History:
    now, guards = moment.now, moment.policy.guards
    clusters = _workloads_since(session, plan, night_began(now, moment.zone))
    breaker = guards.failure_breaker
    since = now - timedelta(hours=breaker.within_hours)
    if moment.trusted_since is not None:
        since = max(since, moment.trusted_since)
    return History(
        workloads_tonight=len(clusters),
        workloads_tonight_in_cluster=clusters.count(plan.target.cluster_id),
        actions_last_hour=_actions_since(session, plan, now - timedelta(hours=1)),
        healed_lately=_healed_since(session, plan, now - timedelta(hours=guards.loop_breaker.within_hours)),
        held_by=_held_by(session, plan, now),
        failures=_ended_since(session, since, _FAILED),
        judged=_ended_since(session, since, _JUDGED),
        fallen_back=moment.fallen_back,
    )


def _workloads_since(session: Session, plan: Registered, since: datetime) -> Sequence[str]:
    """Return the cluster of each other workload acted on since then."""
    place = (
        col(HealingPlanRow.cluster_id),
        col(HealingPlanRow.namespace),
        col(HealingPlanRow.workload_kind),
        col(HealingPlanRow.workload),
    )
    target = plan.target
    own = (target.cluster_id, target.namespace, target.kind, target.workload)
    statement = select(*place).where(col(HealingPlanRow.claimed_at) >= since).distinct()
    return [row[0] for row in session.exec(statement) if tuple(row) != own]


def _actions_since(session: Session, plan: Registered, since: datetime) -> int:
    statement = select(func.count(distinct(col(HealingPlanRow.id)))).where(
        col(HealingPlanRow.claimed_at) > since, col(HealingPlanRow.id) != plan.id
    )
    return session.exec(statement).one()


def _healed_since(session: Session, plan: Registered, since: datetime) -> int:
    incident = session.get_one(IncidentRow, plan.incident_id)
    statement = (
        select(func.count())
        .select_from(AttemptRow)
        .join(IncidentRow, col(IncidentRow.id) == col(AttemptRow.incident_id))
        .where(
            col(IncidentRow.fingerprint) == incident.fingerprint,
            col(AttemptRow.outcome) == AttemptOutcome.HEALED.value,
            col(AttemptRow.finished_at) > since,
        )
    )
    return session.exec(statement).one()


def _held_by(session: Session, plan: Registered, now: datetime) -> str:
    target = plan.target
    held = session.get(
        HeldWorkloadRow,
        (target.cluster_id, target.namespace, target.kind, target.workload),
    )
    other = held is not None and held.incident_id != plan.incident_id and held.expires_at > now
    return held.incident_id if held is not None and other else ""


def _ended_since(session: Session, since: datetime, outcomes: Sequence[str]) -> int:
    statement = (
        select(func.count())
        .select_from(AttemptRow)
        .where(col(AttemptRow.finished_at) > since, col(AttemptRow.outcome).in_(outcomes))
    )
    return session.exec(statement).one()
