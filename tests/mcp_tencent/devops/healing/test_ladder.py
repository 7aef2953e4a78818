"""Whatever the diagnosis says and whatever the attempts come to, the ladder keeps its rules."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.devops.diagnosis.causes import Help
from mcp_tencent.devops.healing.ladder import (
    Climb,
    End,
    Option,
    Past,
    Stop,
    Trouble,
    next_step,
    spent,
)
from mcp_tencent.devops.incidents import AttemptOutcome, Rung
from mcp_tencent.devops.policy.model import Manner, Policy, Tier
from mcp_tencent.models.workloads import WorkloadKind

POLICY = Policy()
NOT_BETTER = AttemptOutcome.NOT_BETTER_RESTORED
HEALS = {rung: Option(rung=rung, help=Help.HELPS, why="有用") for rung in Rung}

scores = st.floats(min_value=0, max_value=100)
helps = st.sampled_from([*Help, None])
options = st.fixed_dictionaries(
    {
        rung: st.builds(Option, rung=st.just(rung), help=helps, possible=st.booleans())
        for rung in Rung
        if rung is not Rung.HAND_OVER
    }
)
going_on = st.sampled_from(
    [
        AttemptOutcome.BETTER_KEPT,
        AttemptOutcome.NOT_BETTER_RESTORED,
        AttemptOutcome.WORSE_RESTORED,
        AttemptOutcome.ABANDONED,
        AttemptOutcome.BLOCKED_BY_POLICY,
    ]
)


def trouble(score: float = 95, **changes) -> Trouble:
    plain = Trouble(
        tier=POLICY.tier(score),
        rungs=POLICY.rungs,
        options=HEALS,
        past=(),
        kind=WorkloadKind.DEPLOYMENT,
    )
    return replace(plain, **changes)


def climbed(start: Trouble, outcomes) -> tuple[list[Climb], Stop]:
    """Climb until the ladder ends; each attempt ends as `outcomes` says."""
    steps: list[Climb] = []
    now = start
    for outcome in outcomes:
        step = next_step(now)
        if isinstance(step, Stop):
            return steps, step
        steps.append(step)
        blocked = outcome is AttemptOutcome.BLOCKED_BY_POLICY
        now = replace(now, past=(*now.past, Past(rung=step.rung, outcome=outcome, of_rung_only=blocked)))
    raise AssertionError("the ladder does not end")


endings = st.lists(going_on, min_size=20, max_size=20)
kinds = st.sampled_from(WorkloadKind)


@given(scores, options, endings, kinds, st.frozensets(st.sampled_from(Rung)))
def test_it_ends_within_the_budget_and_goes_up_only(score, said, outcomes, kind, failed):
    start = trouble(score, options=said, kind=kind, failed_before=failed)

    steps, end = climbed(start, outcomes)

    places = [POLICY.rungs.index(step.rung) for step in steps]
    assert places == sorted(places)
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    past = [Past(rung=step.rung, outcome=one) for step, one in zip(steps, outcomes, strict=False)]
    assert spent(past) <= start.tier.attempts
    assert end.hand_over


@given(scores, options, endings, kinds, st.frozensets(st.sampled_from(Rung)))
def test_what_cannot_help_is_never_climbed_and_nothing_is_tried_twice_but_what_was_abandoned(
    score, said, outcomes, kind, failed
):
    steps, _ = climbed(trouble(score, options=said, kind=kind, failed_before=failed), outcomes)

    for step in steps:
        assert said[step.rung].possible
        assert said[step.rung].help not in (Help.CANNOT_HELP, Help.WORSENS)
        assert step.rung not in failed
        assert not (step.rung is Rung.SCALE and kind is WorkloadKind.DAEMON_SET)
        assert step.rung not in {one.rung for one in step.passed}
    for rung in Rung:
        tries = [one for step, one in zip(steps, outcomes, strict=False) if step.rung is rung]
        assert len(tries) <= 2
        assert all(one is AttemptOutcome.ABANDONED for one in tries[:-1])


@given(scores, scores, options, going_on)
def test_a_higher_score_never_gets_fewer_attempts(one, other, said, outcome):
    low, high = sorted((one, other))

    fewer, _ = climbed(trouble(low, options=said), [outcome] * 20)
    more, _ = climbed(trouble(high, options=said), [outcome] * 20)

    assert len(fewer) <= len(more)


@given(scores, scores)
def test_tiers_rise_with_the_score(one, other):
    low, high = sorted((one, other))

    assert POLICY.tier(low).attempts <= POLICY.tier(high).attempts


@given(options)
def test_a_bolder_manner_tries_all_that_a_milder_one_does(said):
    tried = [
        {
            step.rung
            for step in climbed(
                trouble(options=said, tier=Tier(from_score=0, attempts=10, manner=manner)), [NOT_BETTER] * 20
            )[0]
        }
        for manner in Manner
    ]

    assert all(bolder >= milder for bolder, milder in itertools.pairwise(tried))


@pytest.mark.parametrize(
    ("outcome", "end", "hand_over"),
    [
        (AttemptOutcome.HEALED, End.HEALED, False),
        (AttemptOutcome.ALREADY_RECOVERED, End.ALREADY_RECOVERED, False),
        (AttemptOutcome.RESTORE_FAILED, End.RESTORE_FAILED, True),
        (AttemptOutcome.OUT_OF_BUDGET, End.OUT_OF_BUDGET, True),
        (AttemptOutcome.BLOCKED_BY_POLICY, End.BLOCKED_BY_POLICY, True),
    ],
)
def test_what_ends_the_ladder_at_once(outcome, end, hand_over):
    stop = next_step(trouble(past=(Past(rung=Rung.RESTART, outcome=outcome),)))

    assert isinstance(stop, Stop)
    assert (stop.end, stop.hand_over) == (end, hand_over)
    assert stop.reason


def test_what_has_recovered_is_left_alone():
    stop = next_step(trouble(recovered=True))

    assert isinstance(stop, Stop)
    assert stop.end is End.ALREADY_RECOVERED


def test_a_rung_that_a_guard_of_its_own_refuses_costs_nothing_and_the_next_is_tried():
    blocked = Past(rung=Rung.RESTART, outcome=AttemptOutcome.BLOCKED_BY_POLICY, of_rung_only=True)

    step = next_step(trouble(10, past=(blocked,)))

    assert isinstance(step, Climb)
    assert (step.rung, step.number) == (Rung.SCALE, 2)


def test_rungs_that_are_passed_over_say_why():
    said = {**HEALS, Rung.RESTART: Option(rung=Rung.RESTART, help=Help.CANNOT_HELP, why="同一个镜像")}

    step = next_step(trouble(options=said))

    assert isinstance(step, Climb)
    assert step.rung is Rung.SCALE
    assert [(one.rung, one.why) for one in step.passed] == [(Rung.RESTART, "同一个镜像")]


def test_the_budget_ends_before_the_ladder_does():
    steps, end = climbed(trouble(55), [NOT_BETTER] * 20)

    assert [step.rung for step in steps] == [Rung.RESTART, Rung.SCALE, Rung.ROLL_BACK]
    assert (end.end, end.reason) == (End.OUT_OF_BUDGET, "试了3次没有恢复")


def test_a_tier_without_attempts_hands_over_at_once():
    stop = next_step(trouble(tier=Tier(from_score=0, attempts=0, manner=Manner.DIGEST)))

    assert isinstance(stop, Stop)
    assert stop.end is End.OUT_OF_BUDGET
