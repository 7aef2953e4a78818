"""Ranking causes from evidence that no shipped scenario shows, and what always holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.devops.diagnosis.causes import Cause, CauseKind, Help, Suspicion
from mcp_tencent.devops.diagnosis.evidence import (
    Comparison,
    ConfigEvidence,
    Evidence,
    LogBucket,
    LogEvidence,
    LogHistory,
    UsageEvidence,
)
from mcp_tencent.devops.diagnosis.picture import picture_of
from mcp_tencent.devops.diagnosis.prospects import prospects
from mcp_tencent.devops.diagnosis.ranking import diagnose
from mcp_tencent.devops.healing.planning import steps
from mcp_tencent.devops.incidents import Rung
from mcp_tencent.models.workloads import (
    Autoscaler,
    ConfigKind,
    ContainerEnd,
    ContainerImage,
    Event,
    EventKind,
    Pod,
    PodPhase,
    Workload,
    WorkloadKind,
    WorkloadRef,
)

NOW = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)
REF = WorkloadRef(namespace="shop", kind=WorkloadKind.DEPLOYMENT, name="order-service")
IMAGE = (ContainerImage(container="app", image="registry.example/order:v1"),)
WORKLOAD = Workload(
    ref=REF,
    replicas_wanted=2,
    replicas_ready=2,
    replicas_updated=2,
    replicas_available=2,
    images=IMAGE,
    revision=1,
    paused=False,
    change_cause="",
    selector={"app": "order-service"},
    conditions=(),
    config=(),
    restarted_at=None,
    created_at=NOW - timedelta(days=9),
)
POD = Pod(
    namespace="shop",
    name="order-service-1",
    owner="order-service",
    node="node-1",
    phase=PodPhase.RUNNING,
    reason="",
    message="",
    ready=True,
    containers_ready=1,
    containers=1,
    restarts=0,
    last_end=None,
    images=IMAGE,
    revision_hash="a",
    deleting=False,
    created_at=NOW - timedelta(days=2),
    started_at=NOW - timedelta(days=2),
)


def logs(errors_now: int) -> LogEvidence:
    width = timedelta(minutes=2)
    buckets = tuple(
        LogBucket(start=NOW - (180 - i) * width, lines=60, errors=errors_now if i >= 150 else 0, warnings=0)
        for i in range(180)
    )
    return LogEvidence(history=LogHistory(interval=width, buckets=buckets), recent=(), earlier=())


CALM = Evidence(
    at=NOW,
    cluster_id="cls-1",
    workload=WORKLOAD,
    alias="订单服务",
    revisions=(),
    pods=(POD, replace(POD, name="order-service-2")),
    events=(),
    nodes=(),
    logs=logs(0),
    usage=None,
    node_cpu_percent={},
    configs=(),
    dependencies=(),
    neighbours=(),
    quotas=(),
    autoscaler=None,
    isolated=False,
)
FLOODED = replace(
    CALM,
    logs=logs(20),
    usage=UsageEvidence(
        cpu_cores=Comparison(before=1.0, after=2.0),
        traffic_bytes_per_second=Comparison(before=100.0, after=300.0),
        memory=(),
        memory_limit_bytes=None,
    ),
)


def first(evidence: Evidence) -> CauseKind:
    return diagnose(evidence).first.kind


def helped(evidence: Evidence, rung: Rung) -> Help:
    return next(p.help for p in diagnose(evidence).first.prospects if p.rung is rung)


def test_a_calm_workload_has_nothing_wrong() -> None:
    assert first(CALM) is CauseKind.NOTHING_WRONG


def test_errors_that_nothing_explains_are_unknown_and_not_guessed() -> None:
    found = diagnose(replace(CALM, logs=logs(20)))

    assert found.first.kind is CauseKind.UNKNOWN
    assert found.first.confidence < 0.2


def test_pods_that_find_no_node_have_no_room() -> None:
    waiting = replace(
        POD, name="order-service-3", node="", phase=PodPhase.PENDING, ready=False, reason="Unschedulable"
    )

    assert first(replace(CALM, pods=(*CALM.pods, waiting))) is CauseKind.NO_ROOM


def test_a_missing_config_map_is_a_bad_configuration() -> None:
    stuck = replace(POD, phase=PodPhase.PENDING, ready=False, reason="CreateContainerConfigError")
    missing = ConfigEvidence(kind=ConfigKind.CONFIG_MAP, name="order-config", changed_at=None, missing=True)

    found = diagnose(replace(CALM, pods=(stuck,), configs=(missing,)))

    assert found.first.kind is CauseKind.BAD_CONFIGURATION
    assert "order-config" in found.first.signs[0].text


def test_containers_killed_for_memory_leak_even_without_metrics() -> None:
    end = ContainerEnd(
        container="app", reason="OOMKilled", exit_code=137, ended_at=NOW - timedelta(minutes=5)
    )

    assert first(replace(CALM, pods=(replace(POD, restarts=3, last_end=end),))) is CauseKind.MEMORY_LEAK


def test_a_crash_loop_without_any_change_is_named_as_such() -> None:
    end = ContainerEnd(container="app", reason="Error", exit_code=2, ended_at=NOW - timedelta(minutes=1))
    crashing = replace(POD, ready=False, reason="CrashLoopBackOff", restarts=8, last_end=end)

    found = diagnose(replace(CALM, pods=(crashing,)))

    assert found.first.kind is CauseKind.CRASHING
    assert "退出码 2" in found.first.signs[0].text


def test_a_workload_that_we_cut_off_is_said_to_be_isolated() -> None:
    assert first(replace(CALM, isolated=True)) is CauseKind.ISOLATED


def test_refused_pods_tell_of_a_full_quota() -> None:
    refused = Event(
        namespace="shop", object_kind="ReplicaSet", object_name="order-service-a", kind=EventKind.WARNING,
        reason="FailedCreate", message='pods "x" is forbidden: exceeded quota: team', count=3,
        first_at=NOW, last_at=NOW,
    )  # fmt: skip

    assert first(replace(FLOODED, events=(refused,))) is CauseKind.QUOTA_EXHAUSTED


def test_more_traffic_is_an_overload_that_scaling_helps() -> None:
    assert first(FLOODED) is CauseKind.OVERLOAD
    assert helped(FLOODED, Rung.SCALE) is Help.HELPS
    assert helped(FLOODED, Rung.RESTART) is Help.WORSENS


def test_an_autoscaler_at_its_limit_keeps_scaling_from_helping() -> None:
    scaler = Autoscaler(
        namespace="shop", name="s", target=REF, replicas_min=1, replicas_max=2, replicas_now=2
    )

    assert helped(replace(FLOODED, autoscaler=scaler), Rung.SCALE) is Help.CANNOT_HELP


def test_a_daemon_set_cannot_be_scaled() -> None:
    daemon = replace(WORKLOAD, ref=replace(REF, kind=WorkloadKind.DAEMON_SET))

    assert helped(replace(FLOODED, workload=daemon), Rung.SCALE) is Help.CANNOT_HELP


@pytest.mark.parametrize(("sure", "tried"), [(0.9, set()), (0.6, {Rung.SCALE})])
def test_what_surely_only_a_person_can_remove_leaves_nothing_to_try(sure: float, tried: set[Rung]) -> None:
    flooded = diagnose(FLOODED)
    down = Cause(
        kind=CauseKind.DEPENDENCY_DOWN,
        confidence=sure,
        signs=(),
        prospects=prospects(CauseKind.DEPENDENCY_DOWN, flooded.picture),
    )
    found = replace(flooded, causes=(down, replace(flooded.first, confidence=0.55)))

    plan = steps(found, [], most_replicas=100)

    assert {step.prospect.rung for step in plan if step.tool is not None} == tried


def test_the_plan_scales_with_the_traffic_and_within_the_house_limit() -> None:
    found = diagnose(FLOODED)

    scale = {step.prospect.rung: step for step in steps(found, [], most_replicas=100)}[Rung.SCALE]
    bounded = {step.prospect.rung: step for step in steps(found, [], most_replicas=2)}[Rung.SCALE]

    assert scale.arguments["replicas"] == 6
    assert bounded.tool is None
    assert bounded.prospect.help is Help.CANNOT_HELP


@pytest.mark.parametrize("kind", list(CauseKind))
def test_every_cause_has_a_word_on_every_rung(kind: CauseKind) -> None:
    found = prospects(kind, picture_of(CALM), culprit="report-job")

    assert [prospect.rung for prospect in found] == list(Rung)
    assert all(prospect.why for prospect in found)


weights = st.lists(st.floats(0.01, 1), max_size=6)


@given(weights, weights, st.floats(0.01, 1))
def test_signs_for_add_up_and_signs_against_cut_down_within_bounds(
    signs: list[float], doubts: list[float], one_more: float
) -> None:
    suspicion = Suspicion(CauseKind.STUCK)
    for weight in signs:
        suspicion.add(weight, "for")
    for weight in doubts:
        suspicion.doubt(weight, "against")
    before = suspicion.confidence

    suspicion.add(one_more, "for")
    more = suspicion.confidence
    suspicion.doubt(one_more, "against")

    assert 0 <= before <= more <= 1
    assert suspicion.confidence <= more
