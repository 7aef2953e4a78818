"""Advice moves a score a little, says why, and never lifts it by more than one tier."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.devops.alerts.advice import FACTOR_NAMES, MOST_POINTS, FactorAdvice, advised
from mcp_tencent.devops.alerts.scoring import Factors, ScoredAlert
from mcp_tencent.devops.policy.model import Manner, Policy, Tier, Weights

WEIGHTS = Weights()
POLICY = Policy()
STEEP = Policy(
    tiers=tuple(
        Tier(from_score=at, attempts=tries, manner=Manner.DIGEST)
        for at, tries in ((64, 6), (62, 4), (60, 3), (30, 2), (0, 1))
    )
)


def scored(factors: Factors) -> ScoredAlert:
    return ScoredAlert(
        score=round(factors.weighted(WEIGHTS), 1), factors=factors, reasons=(), weights_version="w1"
    )


EVEN = scored(Factors(impact=60, severity=60, importance=60, urgency=60))


def advice(factor: str, value: float, reason: str = "支付受影响") -> FactorAdvice:
    return FactorAdvice(factor=factor, value=value, reason=reason)


def test_advice_within_bounds_moves_the_score_and_is_kept_as_a_reason():
    after = advised(EVEN, [advice("impact", 70)], POLICY, WEIGHTS)
    assert after.scored.score == 64.0
    assert after.scored.factors.impact == 70
    assert [(one.factor, one.points, one.text) for one in after.scored.reasons] == [
        ("impact", 10, "模型判断：支付受影响")
    ]


@pytest.mark.parametrize("value", [60.1 + MOST_POINTS, 59.9 - MOST_POINTS, 101, -1, math.nan, math.inf])
def test_advice_out_of_bounds_is_dropped(value):
    assert advised(EVEN, [advice("impact", value)], POLICY, WEIGHTS).scored == EVEN


def test_advice_on_what_is_no_factor_is_dropped():
    assert advised(EVEN, [advice("attempts", 60)], POLICY, WEIGHTS).taken == ()


def test_of_two_for_one_factor_the_first_counts():
    after = advised(EVEN, [advice("impact", 61), advice("impact", 75)], POLICY, WEIGHTS)
    assert after.scored.factors.impact == 61


def test_a_reason_is_one_short_line():
    after = advised(EVEN, [advice("impact", 61, "第一行\n\x1b[31m第二行" + "很长" * 100)], POLICY, WEIGHTS)
    assert after.taken[0].reason.isprintable()
    assert len(after.taken[0].reason) <= 60


def test_a_rise_ends_below_the_second_tier_above():
    after = advised(EVEN, [advice(name, 75) for name in FACTOR_NAMES], STEEP, WEIGHTS)
    assert (STEEP.tier(EVEN.score).attempts, STEEP.tier(after.scored.score).attempts) == (3, 4)


values = st.floats(0, 100)


@given(
    st.builds(Factors, impact=values, severity=values, importance=values, urgency=values),
    st.lists(st.builds(advice, st.sampled_from([*FACTOR_NAMES, "other"]), st.floats(-50, 150)), max_size=6),
    st.sampled_from([POLICY, STEEP]),
)
def test_no_advice_lifts_by_more_than_one_tier(factors, given_advice, policy):
    before = scored(factors)
    after = advised(before, given_advice, policy, WEIGHTS).scored
    borders = sorted(tier.from_score for tier in policy.tiers)
    assert 0 <= after.score <= 100
    assert sum(before.score < border <= after.score for border in borders) <= 1
