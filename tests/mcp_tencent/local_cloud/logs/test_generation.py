from __future__ import annotations

import itertools
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_tencent.local_cloud.conditions import Condition, LogPattern, Timeline
from mcp_tencent.local_cloud.logs.errors import TemplateError
from mcp_tencent.local_cloud.logs.generation.season import Season
from mcp_tencent.local_cloud.logs.generation.slots import SLOTS, check_pattern
from mcp_tencent.local_cloud.logs.generation.workload import WorkloadLogSource
from mcp_tencent.local_cloud.logs.lines import LogLine
from mcp_tencent.local_cloud.logs.topics import to_milliseconds
from tests.mcp_tencent.local_cloud.logs.order_day import PATTERNS, PODS, START, made_source, made_timeline

FLAT = Season(peak_hours=(), weekend_factor=1.0)
HOUR = timedelta(hours=1)


def hour_of(source: WorkloadLogSource, hours: float = 0, length: timedelta = HOUR) -> list[LogLine]:
    start = START + timedelta(hours=hours)
    return list(source.lines(start, start + length))


def test_the_same_seed_gives_the_same_bytes_in_any_order_of_asking(timeline: Timeline) -> None:
    one, other = made_source(timeline), made_source(timeline)
    later = hour_of(other, 5)
    assert hour_of(one) == hour_of(other)
    assert hour_of(one, 5) == later
    assert hour_of(made_source(timeline, seed=8)) != hour_of(one)


@settings(max_examples=40, deadline=None)
@given(
    start=st.integers(0, 180),
    cuts=st.lists(st.integers(1, 60), min_size=1, max_size=4),
    changes=st.lists(
        st.tuples(st.integers(0, 14_000), st.sampled_from([0.0, 0.3, 1.0]), st.sampled_from([0.5, 2.0])),
        max_size=5,
    ),
)
def test_blocks_cut_on_minutes_join_without_a_seam(
    start: int, cuts: list[int], changes: list[tuple[int, float, float]]
) -> None:
    timeline = made_timeline()
    for second, failed, traffic in sorted(changes):
        timeline.record(
            START + timedelta(seconds=second), Condition(pods=PODS, error_ratio=failed, traffic=traffic)
        )
    source = made_source(timeline)
    edges = [START + timedelta(minutes=start)]
    for cut in cuts:
        edges.append(edges[-1] + timedelta(minutes=cut))
    whole = list(source.lines(edges[0], edges[-1]))
    parts = [line for low, high in itertools.pairwise(edges) for line in source.lines(low, high)]
    assert parts == whole
    stamps = [line.timestamp_ms for line in whole]
    assert stamps == sorted(stamps)
    assert not whole or to_milliseconds(edges[0]) <= stamps[0] <= stamps[-1] < to_milliseconds(edges[-1])


@settings(max_examples=40, deadline=None)
@given(
    now_ms=st.integers(1, 59_999), failed=st.floats(0, 1), pods=st.lists(st.sampled_from("xyz"), unique=True)
)
def test_what_happens_later_in_a_minute_changes_nothing_written_before(
    now_ms: int, failed: float, pods: list[str]
) -> None:
    timeline = made_timeline()
    source = made_source(timeline)
    now = START + timedelta(minutes=7, milliseconds=now_ms)
    before = list(source.lines(START + timedelta(minutes=7), now))
    timeline.record(
        now,
        Condition(
            pods=tuple(pods),
            error_ratio=failed,
            patterns=(LogPattern(template="new {uuid}", level="WARN", per_minute=600),),
        ),
    )
    after = list(source.lines(START + timedelta(minutes=7), START + timedelta(minutes=8)))
    assert after[: len(before)] == before


def test_rates_follow_patterns_traffic_and_season(timeline: Timeline) -> None:
    timeline.record(START + 10 * HOUR, Condition(pods=PODS, traffic=3.0))
    source = made_source(timeline, season=FLAT)
    normal, busy = len(hour_of(source, 0, 10 * HOUR)) / 600, len(hour_of(source, 10, 10 * HOUR)) / 600
    assert normal == pytest.approx(26, rel=0.05)
    assert busy == pytest.approx(78, rel=0.05)
    night = peak = made_source(made_timeline())
    assert len(hour_of(night, -4 + 24)) < 0.5 * len(hour_of(peak, 7))  # 04:00 and 15:00 in Shanghai


def test_failing_requests_become_error_lines(timeline: Timeline) -> None:
    timeline.record(START + HOUR, Condition(pods=PODS, error_ratio=0.4))
    levels = Counter(
        dict(line.fields)["level"] for line in hour_of(made_source(timeline, season=FLAT), 1, 5 * HOUR)
    )
    assert levels["ERROR"] / levels.total() == pytest.approx(0.4, abs=0.05)


def test_failing_requests_show_even_without_a_pattern_for_errors() -> None:
    timeline = Timeline()
    timeline.record(START, Condition(pods=PODS, error_ratio=1.0))
    source = WorkloadLogSource(
        seed=1, cluster_id="c", namespace="n", workload="w", container="a", timeline=timeline,
        patterns=PATTERNS[:1], season=FLAT,
    )  # fmt: skip
    lines = hour_of(source)
    assert {dict(line.fields)["level"] for line in lines} == {"ERROR"}
    assert len(lines) == pytest.approx(1200, rel=0.15)


def test_without_ready_pods_only_the_patterns_of_the_condition_speak(timeline: Timeline) -> None:
    crash = LogPattern(template="{time} panic {go_trace}", level="ERROR", per_minute=30)
    timeline.record(START + HOUR, Condition(pods=("order-z",), ready_ratio=0.0, patterns=(crash, crash)))
    timeline.record(START + 2 * HOUR, Condition(pods=()))
    lines = hour_of(made_source(timeline), 1)
    assert lines
    assert all(" panic " in line.text and dict(line.origin.tags)["pod_name"] == "order-z" for line in lines)
    assert len({(line.timestamp_ms, line.text) for line in lines}) == len(lines), (
        "two equal patterns are two processes"
    )
    assert hour_of(made_source(timeline), 2) == []


def test_nothing_is_written_before_the_first_record() -> None:
    assert hour_of(made_source(made_timeline()), -1) == []


def test_latency_follows_its_factor(timeline: Timeline) -> None:
    timeline.record(START + HOUR, Condition(pods=PODS, latency=20.0))

    def mean(lines: list[LogLine]) -> float:
        found = [int(dict(line.fields)["latency_ms"]) for line in lines if "latency_ms" in dict(line.fields)]
        return sum(found) / len(found)

    source = made_source(timeline)
    assert mean(hour_of(source, 1)) == pytest.approx(20 * mean(hour_of(source)), rel=0.2)


def test_a_pods_lines_are_its_share_of_the_workloads(timeline: Timeline) -> None:
    source = made_source(timeline)
    shares = [list(source.pod_lines(pod, START, START + HOUR)) for pod in PODS]
    assert sorted(
        (line for share in shares for line in share), key=lambda line: line.timestamp_ms
    ) == hour_of(source)
    assert all(
        {dict(line.origin.tags)["pod_name"] for line in share} == {pod}
        for pod, share in zip(PODS, shares, strict=True)
    )


def test_one_slot_has_one_value_in_a_line_and_its_fields(timeline: Timeline) -> None:
    for line in hour_of(made_source(timeline)):
        fields = dict(line.fields)
        if "status" in fields:
            assert f"status={fields['status']} cost={fields['latency_ms']}ms" in line.text


def test_every_slot_fills_and_stack_traces_have_lines_of_their_own() -> None:
    timeline = made_timeline()
    every = LogPattern(
        template='{"json": 100%} '
        + " ".join(f"<{{{name}}}>" for name in SLOTS)
        + " {int:5:5} {choice:甲|甲}",
        level="INFO",
        per_minute=5,
    )
    source = WorkloadLogSource(
        seed=1,
        cluster_id="c",
        namespace="n",
        workload="w",
        container="a",
        timeline=timeline,
        patterns=[every],
        season=FLAT,
    )
    for line in hour_of(source):
        assert line.text.startswith('{"json": 100%} <')
        assert line.text.endswith("> 5 甲")
        assert "{" not in line.text[1:]
        assert "\n\tat " in line.text
        assert "\nTraceback" in line.text or "<Traceback" in line.text


@pytest.mark.parametrize(
    ("template", "hint"),
    [
        ("{order_ids}", "order_id"),
        ("{int:9:1}", "LOW:HIGH"),
        ("{ip:4}", "ip"),
        ("{choice}", "choice"),
        ("{zzz}", "known"),
    ],
)
def test_an_unknown_slot_is_refused_with_a_hint(template: str, hint: str) -> None:
    with pytest.raises(TemplateError, match=hint):
        check_pattern(LogPattern(template=template, level="INFO", per_minute=1))
