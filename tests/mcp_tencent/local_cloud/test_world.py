"""The same scenario and clock make the same world to the byte; every shipped one shows its truth."""

import json
from datetime import timedelta

import pytest

from mcp_tencent.local_cloud.scenario.reading import load_scenario, parse_scenario, shipped_scenarios
from mcp_tencent.local_cloud.simulation import ManualClock
from mcp_tencent.local_cloud.world import World, scenario_clock
from tests.mcp_tencent.local_cloud.story import START

KINDS = (
    "Namespace",
    "Node",
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "Pod",
    "ConfigMap",
    "Service",
    "Event",
)
PLAYED = [name for name in shipped_scenarios() if name != "large"]


def a_world(name, *, looks=()):
    clock = ManualClock(START)
    world = World(load_scenario(name), clock)
    for minutes in looks:
        clock.advance(timedelta(minutes=minutes))
        world.catch_up()
    return world


def all_ready(world):
    conditions = [life.timeline.at(world.clock.now()) for life in world.lives.values()]
    return all(condition is not None and condition.ready_ratio == 1.0 for condition in conditions)


def fingerprint(world):
    """Everything that clients could see, as text."""
    now = world.clock.now()
    objects = {
        cluster_id: {kind: cluster.kubernetes.list(kind) for kind in KINDS}
        for cluster_id, cluster in world.clusters.items()
    }
    lines = {
        str(ref): [
            (line.timestamp_ms, line.text, line.fields, line.origin.hostname)
            for line in source.lines(now - timedelta(hours=1), now)
        ]
        for ref, source in world.log_sources.items()
    }
    events = {
        cluster_id: [line.text for line in cluster.events.lines(world.beginning, now)]
        for cluster_id, cluster in world.clusters.items()
    }
    alerts = [repr(record) for record in world.alarms.records(world.beginning, now)]
    return json.dumps([objects, lines, events, alerts], ensure_ascii=False, default=str)


@pytest.mark.parametrize("name", ["quiet", "memory-leak", "flapping", "yesterday"])
def test_two_worlds_of_one_scenario_and_clock_are_equal_to_the_byte(name):
    assert fingerprint(a_world(name)) == fingerprint(a_world(name))


@pytest.mark.parametrize("name", ["overload", "flapping"])
def test_looking_often_or_once_makes_no_difference(name):
    often = a_world(name, looks=[0.5] * 60)
    once = a_world(name, looks=[30])
    assert fingerprint(often) == fingerprint(once)


def test_another_seed_makes_another_world():
    text = (load_scenario("quiet")).model_dump_json(exclude_none=True, exclude_defaults=True)
    other = parse_scenario(text.replace('"name":"quiet"', '"seed":99,"name":"quiet"'))
    assert fingerprint(World(other, ManualClock(START))) != fingerprint(a_world("quiet"))


@pytest.mark.parametrize("name", PLAYED)
def test_the_truth_of_every_shipped_scenario_shows(name):
    """Open incidents have an open alert, closed ones a closed one; where the truth is silent, no alert is."""
    world = a_world(name)
    records = world.alarms.records(world.beginning, START)
    explained = set()
    for truth in world.scenario.truth:
        own = {alerts.alarm for alerts in truth.alerts}
        explained |= own
        of_truth = [record for record in records if record.alarm_name in own]
        assert {record.alarm_name for record in of_truth} == own, truth.id
        if truth.open and truth.cause != "flapping":
            assert all(any(r.ended_at is None for r in of_truth if r.alarm_name == alarm) for alarm in own), (
                truth.id
            )
        if not truth.open:
            assert all(record.ended_at is not None for record in of_truth), truth.id
    assert {record.alarm_name for record in records} <= explained


@pytest.mark.parametrize("name", PLAYED)
def test_healthy_workloads_of_every_scenario_are_ready_and_quiet(name):
    world = a_world(name)
    afflicted = {ref for run in world.runs for ref in run.fault.concerns()}
    for ref, life in world.lives.items():
        if ref in afflicted:
            continue
        condition = life.timeline.at(START)
        assert condition is not None, ref
        assert (condition.ready_ratio, condition.error_ratio, condition.patterns) == (1.0, 0.0, ()), ref
        assert len(life.pods) == life.spec.replicas, ref


def test_the_faults_cures_are_those_that_the_truth_names():
    for name in PLAYED:
        scenario = load_scenario(name)
        by_kind = {fault.kind: fault for fault in scenario.faults}
        for truth in scenario.truth:
            if truth.cause in by_kind:
                assert set(truth.cures) <= by_kind[truth.cause].cures(), (name, truth.id)


def test_a_world_without_history_starts_with_its_pods_already_there():
    text = load_scenario("quiet").model_dump_json(exclude_none=True, exclude_defaults=True)
    young = World(parse_scenario(text.replace('"history":"2d"', '"history":"1m"')), ManualClock(START))
    assert all_ready(young)


def test_a_fixed_clock_starts_where_the_scenario_says_and_runs_at_its_speed():
    text = load_scenario("quiet").model_dump_json(exclude_none=True, exclude_defaults=True)
    clock = '"clock":{"mode":"fixed","start":"2026-11-20T21:00:00+00:00","speed":60},"name":"quiet"'
    wall = ManualClock(START + timedelta(days=100))
    fast = scenario_clock(parse_scenario(text.replace('"name":"quiet"', clock)), wall)
    assert fast.now() == START
    wall.advance(timedelta(minutes=1))
    assert fast.now() == START + timedelta(hours=1)
    assert scenario_clock(parse_scenario(text), wall) is wall


def test_a_pool_grows_after_its_boot_time_and_shrinks_at_once():
    clock = ManualClock(START)
    world = World(load_scenario("quiet"), clock)
    cluster, pool = "cls-quiet001", "np-quiet01"
    world.nodes.resize(cluster, pool, 4)
    assert [str(node.state) for node in world.nodes.nodes(cluster)] == ["running"] * 2 + ["initializing"] * 2
    clock.advance(timedelta(minutes=2))
    world.catch_up()
    assert [str(node.state) for node in world.nodes.nodes(cluster)] == ["running"] * 4
    assert len(world.clusters[cluster].kubernetes.list("Node")) == 4
    world.nodes.resize(cluster, pool, 1)
    clock.advance(timedelta(minutes=2))
    world.catch_up()
    assert len(world.nodes.nodes(cluster)) == 1
    assert len(world.clusters[cluster].kubernetes.list("Node")) == 1
    assert all_ready(world)


def test_a_drained_node_keeps_no_pods_and_takes_no_new_ones():
    clock = ManualClock(START)
    world = World(load_scenario("quiet"), clock)
    kubernetes = world.clusters["cls-quiet001"].kubernetes
    drained = world.nodes.nodes("cls-quiet001")[0].name
    world.nodes.drain("cls-quiet001", drained)
    clock.advance(timedelta(minutes=5))
    world.catch_up()
    assert all(pod["spec"]["nodeName"] != drained for pod in kubernetes.list("Pod"))
    assert world.nodes.nodes("cls-quiet001")[0].unschedulable
    assert all_ready(world)
