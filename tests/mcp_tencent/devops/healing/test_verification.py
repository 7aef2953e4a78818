"""Verification: whether an act helped, as pure decisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.devops.healing.measuring import look_spans
from mcp_tencent.devops.healing.verification import (
    ErrorCount,
    Looks,
    PodHealth,
    Verdict,
    Verification,
    verify,
)
from mcp_tencent.models.changes import RolloutState

ACTED = datetime(2026, 11, 20, 5, 10, tzinfo=UTC)
LOOKS = Looks()
WELL = PodHealth(rollout=RolloutState.COMPLETE, wanted=4, ready=4, ended=0)


def count(errors: int, lines: int = 200) -> ErrorCount:
    return ErrorCount(start=ACTED, end=ACTED + LOOKS.interval, lines=lines, errors=errors)


def verdict(
    after: list[ErrorCount],
    *,
    before: ErrorCount | None = None,
    pods: PodHealth = WELL,
    ready_before: int | None = None,
    looks: Looks = LOOKS,
    usual_share: float = 0.001,
) -> Verification:
    return verify(
        usual_share=usual_share,
        before=before if before is not None else count(80),
        after=after,
        pods=pods,
        ready_before=ready_before,
        looks=looks,
    )


def test_calm_logs_and_ready_pods_are_healed() -> None:
    assert verdict([count(0), count(1), count(0)]).verdict is Verdict.HEALED


def test_as_many_errors_as_before_are_not_better() -> None:
    found = verdict([count(78), count(82), count(80)])

    assert found.verdict is Verdict.NOT_BETTER
    assert found.reasons == ("错误占日志的比例从40.0%到40.0%",)


def test_far_fewer_errors_are_better_but_not_healed() -> None:
    assert verdict([count(20), count(22), count(20)]).verdict is Verdict.BETTER


def test_far_more_errors_are_worse() -> None:
    assert verdict([count(150), count(160), count(150)]).verdict is Verdict.WORSE


def test_fewer_ready_pods_than_before_are_worse_whatever_the_logs_say() -> None:
    fewer = PodHealth(rollout=RolloutState.FAILED, wanted=4, ready=2, ended=0)

    assert verdict([count(0)] * 3, pods=fewer, ready_before=4).verdict is Verdict.WORSE


def test_a_rollout_under_way_cannot_be_judged_yet() -> None:
    rolling = PodHealth(rollout=RolloutState.PROGRESSING, wanted=4, ready=3, ended=0)

    assert verdict([count(0)] * 3, pods=rolling, ready_before=4).verdict is Verdict.INCONCLUSIVE


def test_containers_that_end_after_the_act_are_not_healed() -> None:
    crashing = replace(WELL, ended=2)

    found = verdict([count(0)] * 3, pods=crashing)

    assert found.verdict is Verdict.NOT_BETTER
    assert "2个容器异常退出" in found.reasons[0]


def test_unreadable_logs_are_inconclusive() -> None:
    found = verify(usual_share=0.0, before=None, after=(), pods=WELL, ready_before=4, looks=LOOKS)

    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.looks_unknown == LOOKS.count


def test_silence_tells_nothing() -> None:
    assert verdict([count(0, lines=0)] * 3).verdict is Verdict.INCONCLUSIVE


def test_a_small_service_may_be_silent_for_a_while_when_errors_were_not_its_trouble() -> None:
    silent = count(0, lines=0)
    found = verdict([count(0, lines=3), silent, count(0, lines=1)], before=count(0, lines=4))
    assert found.verdict is Verdict.HEALED
    assert found.looks_unknown == 0
    assert verdict([silent, silent, silent], before=count(0, lines=4)).verdict is Verdict.INCONCLUSIVE
    before = count(3, lines=4)
    assert verdict([count(0, lines=3), silent, silent], before=before).verdict is not Verdict.HEALED


def test_too_few_looks_are_inconclusive_even_when_good() -> None:
    assert verdict([count(0)]).verdict is Verdict.INCONCLUSIVE


def test_the_failure_limit_forgives_so_many_looks() -> None:
    looks = replace(LOOKS, failure_limit=1)

    assert verdict([count(0), count(30), count(0)], looks=looks).verdict is Verdict.HEALED
    assert verdict([count(0), count(30), count(0)]).verdict is Verdict.BETTER


def test_a_deleted_workload_is_worse() -> None:
    gone = PodHealth(rollout=RolloutState.GONE, wanted=0, ready=0, ended=0)

    assert verdict([], pods=gone).verdict is Verdict.WORSE


def test_what_was_usual_in_a_long_trouble_does_not_pass_for_healed() -> None:
    found = verdict([count(70)] * 3, usual_share=0.4)

    assert found.verdict is Verdict.NOT_BETTER


@given(st.lists(st.integers(0, 200), max_size=5), st.integers(0, 4), st.integers(0, 3), st.integers(0, 4))
def test_healed_only_with_all_pods_ready_and_enough_calm_looks(
    errors: list[int], ready: int, ended: int, ready_before: int
) -> None:
    pods = PodHealth(rollout=RolloutState.COMPLETE, wanted=4, ready=ready, ended=ended)

    found = verdict([count(e) for e in errors], pods=pods, ready_before=ready_before)

    if found.verdict is Verdict.HEALED:
        assert ready == 4
        assert ended == 0
        assert found.looks_good >= LOOKS.count
        assert found.looks_failed + found.looks_unknown == 0


@given(st.integers(0, 200), st.integers(0, 200))
def test_more_errors_never_make_a_better_verdict(few: int, more: int) -> None:
    order = [Verdict.HEALED, Verdict.BETTER, Verdict.NOT_BETTER, Verdict.WORSE]
    less, greater = sorted((few, more))

    better = verdict([count(less)] * 3).verdict
    worse = verdict([count(greater)] * 3).verdict

    assert order.index(better) <= order.index(worse)


@given(st.integers(0, 3600))
def test_looks_lie_between_the_settled_act_and_now_and_do_not_overlap(seconds: int) -> None:
    now = ACTED + timedelta(seconds=seconds)

    spans = look_spans(ACTED, now, LOOKS)

    assert len(spans) <= LOOKS.count
    assert all(end - start == LOOKS.interval for start, end in spans)
    assert all(ACTED + LOOKS.settle <= start and end <= now for start, end in spans)
    assert all(first[1] <= second[0] for first, second in pairwise(spans))
