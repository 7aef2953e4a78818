"""Conditions by load and faults, from facts that the test makes up."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.local_cloud.faults.exhaustion import Overload
from mcp_tencent.local_cloud.faults.fault import PodFacts
from mcp_tencent.local_cloud.faults.surroundings import Flapping
from mcp_tencent.local_cloud.life.fates import Fates, FaultRun
from mcp_tencent.local_cloud.life.workload_life import WorkloadLife
from mcp_tencent.local_cloud.scenario.fields import WorkloadRef
from mcp_tencent.local_cloud.scenario.model import Revision, Workload
from mcp_tencent.local_cloud.scenario.moments import parse_moment
from mcp_tencent.local_cloud.scenario.reading import shipped_log_profiles

REF = WorkloadRef("cls-a0001", "shop", "web")
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=3)


def a_life(*, ready, unready=0, replicas=4, started_at=LONG_AGO):
    spec = Workload(name="web", namespace="shop", revisions=(Revision(image="web:v1"),), replicas=4)
    life = WorkloadLife(
        ref=REF, spec=spec, profile=shipped_log_profiles()["java-web"], lines_per_minute=10, replicas=replicas
    )
    for number in range(ready + unready):
        pod = PodFacts(
            name=f"web-{number:03}", uid=str(number), node="n", images=("web:v1",), started_at=started_at,
            ready=number < ready, restarts=0, config={}, cpu_limit_millicores=None, memory_limit_bytes=None,
        )  # fmt: skip
        life.keep_pod(pod, NOW)
    return life


def fates_of(life, *runs, now=NOW):
    return Fates(lives={REF: life}, runs=runs, now=lambda: now)


def overload(traffic, *, ends=None):
    fault = Overload(kind="overload", workload=REF, start=parse_moment("-2h"), traffic=traffic)
    return FaultRun(fault=fault, begins=NOW - timedelta(hours=2), ends=ends)


def test_a_workload_with_its_usual_pods_and_traffic_fares_normally():
    condition = fates_of(a_life(ready=4)).condition(REF)
    assert (condition.error_ratio, condition.latency, condition.ready_ratio, condition.traffic) == (
        0,
        1,
        1,
        1,
    )
    assert len(condition.pods) == 4


@given(traffic=st.floats(1.01, 20), pods=st.integers(1, 40))
def test_one_more_pod_never_makes_an_overload_worse(traffic, pods):
    run = overload(traffic)
    fewer = fates_of(a_life(ready=pods, replicas=pods), run).condition(REF)
    more = fates_of(a_life(ready=pods + 1, replicas=pods + 1), run).condition(REF)
    assert more.error_ratio <= fewer.error_ratio
    assert more.latency <= fewer.latency


@given(traffic=st.floats(1.01, 19), more=st.floats(0.01, 5))
def test_more_traffic_never_makes_an_overload_better(traffic, more):
    life = a_life(ready=4)
    assert (
        fates_of(life, overload(traffic)).condition(REF).error_ratio
        <= fates_of(life, overload(traffic + more)).condition(REF).error_ratio
    )


@given(
    ready=st.integers(0, 10),
    unready=st.integers(0, 10),
    replicas=st.integers(0, 10),
    traffic=st.floats(1.01, 50),
)
def test_ratios_stay_within_their_bounds(ready, unready, replicas, traffic):
    condition = fates_of(
        a_life(ready=ready, unready=unready, replicas=replicas), overload(traffic)
    ).condition(REF)
    assert 0 <= condition.error_ratio <= 1
    assert 0 <= condition.ready_ratio <= 1
    assert condition.latency >= 1
    assert condition.cpu > 0


def test_pods_that_were_just_restarted_carry_less_of_an_overload():
    run = overload(2.6)
    warm = fates_of(a_life(ready=4), run).condition(REF)
    cold = fates_of(a_life(ready=4, started_at=NOW - timedelta(minutes=1)), run).condition(REF)
    assert cold.error_ratio > 2 * warm.error_ratio


def test_a_fault_that_has_ended_is_asked_nothing():
    run = overload(5, ends=NOW)
    assert fates_of(a_life(ready=4), run).condition(REF).error_ratio == 0
    assert fates_of(a_life(ready=4), run, now=NOW - timedelta(seconds=1)).condition(REF).error_ratio > 0


def test_an_isolated_workload_gets_no_traffic():
    life = a_life(ready=4)
    life.isolated = True
    condition = fates_of(life, overload(5)).condition(REF)
    assert (condition.traffic, condition.error_ratio) == (0, 0)


def test_flapping_is_down_in_the_first_part_of_each_period():
    fault = Flapping(
        kind="flapping",
        workload=REF,
        start=parse_moment("-1h"),
        period=timedelta(minutes=9),
        down=timedelta(minutes=2),
    )
    begins = NOW - timedelta(hours=1)
    down = [fault.is_down(begins + timedelta(minutes=minute), begins) for minute in range(18)]
    assert down == ([True] * 2 + [False] * 7) * 2
    assert fault.tick() == timedelta(minutes=1)


def test_restarts_are_counted_once_however_often_a_pod_is_seen():
    life = a_life(ready=1)
    pod = next(iter(life.pods.values()))
    for _ in range(3):
        life.keep_pod(replace(pod, restarts=2), NOW)
    assert life.restarts_until(NOW + timedelta(seconds=1)) == 2
    assert life.restarts_until(NOW) == 0
