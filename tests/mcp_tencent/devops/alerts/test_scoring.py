"""A score is between 0 and 100, follows its formula, and never falls when trouble is worse."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.devops.alerts.alert import GroupState
from mcp_tencent.devops.alerts.scoring import ScoreFacts, duration_in_words, score
from mcp_tencent.devops.policy.model import Weights
from mcp_tencent.models.alarms import AlarmLevel

_WORSE = [GroupState.RECOVERED, GroupState.FLAPPING, GroupState.OPEN]
_RATIO = st.floats(0, 1)

FACTS = st.builds(
    ScoreFacts,
    level=st.sampled_from(AlarmLevel),
    state=st.sampled_from(GroupState),
    active=st.timedeltas(timedelta(0), timedelta(days=30)),
    alerts=st.integers(1, 10_000),
    alarms=st.integers(1, 50),
    episodes=st.integers(1, 500),
    affected=st.integers(0, 1000),
    importance=st.floats(0, 100),
    important_name=st.just("订单服务"),
    business_hours=st.booleans(),
    quiet_for=st.timedeltas(timedelta(0), timedelta(days=2)),
    error_ratio=st.none() | _RATIO,
    restarts=st.none() | st.integers(0, 1000),
    ready_ratio=st.none() | _RATIO,
)


@st.composite
def weights_of_one(draw: st.DrawFn) -> Weights:
    shares = [draw(st.integers(0, 100)) for _ in range(4)]
    total = sum(shares)
    if total == 0:
        return Weights()
    impact, severity, importance = (share / total for share in shares[:3])
    return Weights(
        impact=impact, severity=severity, importance=importance,
        urgency=max(0.0, 1 - impact - severity - importance),
    )  # fmt: skip


def scored(facts, weights=None):
    return score(facts, weights or Weights(), weights_version="w0")


@given(FACTS, weights_of_one())
def test_score_and_factors_stay_within_their_bounds(facts, weights):
    found = scored(facts, weights)
    assert 0 <= found.score <= 100
    for factor in ("impact", "severity", "importance", "urgency"):
        assert 0 <= getattr(found.factors, factor) <= 100


@given(FACTS, weights_of_one())
def test_the_score_is_the_weighted_sum_of_its_factors(facts, weights):
    found = scored(facts, weights)
    total = (
        weights.impact * found.factors.impact
        + weights.severity * found.factors.severity
        + weights.importance * found.factors.importance
        + weights.urgency * found.factors.urgency
    )
    assert found.score == pytest.approx(total, abs=0.06)


def _more(value, most):
    return st.floats(value, most) if isinstance(value, float) else st.integers(value, most)


@given(FACTS, weights_of_one(), st.data())
def test_worse_facts_never_lower_the_score(facts, weights, data):
    worse = {
        "level": st.sampled_from([level for level in AlarmLevel if level >= facts.level]),
        "state": st.sampled_from(_WORSE[_WORSE.index(facts.state) :]),
        "active": st.timedeltas(facts.active, timedelta(days=60)),
        "alerts": st.integers(facts.alerts, 20_000),
        "alarms": st.integers(facts.alarms, 100),
        "episodes": st.integers(facts.episodes, 1000),
        "affected": st.integers(facts.affected, 2000),
        "importance": st.floats(facts.importance, 100),
        "business_hours": st.just(True),
        "quiet_for": st.timedeltas(timedelta(0), facts.quiet_for),
    }
    if facts.error_ratio is not None:
        worse["error_ratio"] = st.floats(facts.error_ratio, 1)
    if facts.restarts is not None:
        worse["restarts"] = st.integers(facts.restarts, 2000)
    if facts.ready_ratio is not None:
        worse["ready_ratio"] = st.floats(0, facts.ready_ratio)
    changed = data.draw(st.sampled_from(sorted(worse)))
    bad = replace(facts, **{changed: data.draw(worse[changed])})
    before, after = scored(facts, weights), scored(bad, weights)
    assert after.score >= before.score
    for factor in ("impact", "severity", "importance", "urgency"):
        assert getattr(after.factors, factor) >= getattr(before.factors, factor) - 1e-9


WORST = ScoreFacts(
    level=AlarmLevel.CRITICAL,
    state=GroupState.OPEN,
    active=timedelta(hours=8),
    alerts=12,
    alarms=3,
    episodes=1,
    affected=3,
    importance=95,
    important_name="订单服务",
    business_hours=True,
    quiet_for=timedelta(0),
    error_ratio=0.6,
    restarts=9,
    ready_ratio=0.25,
)
NOISE = ScoreFacts(
    level=AlarmLevel.INFO,
    state=GroupState.RECOVERED,
    active=timedelta(minutes=5),
    alerts=1,
    alarms=1,
    episodes=1,
    affected=1,
    importance=20,
    important_name="报表任务",
    business_hours=False,
    quiet_for=timedelta(hours=9),
    error_ratio=0.01,
)


def test_an_outage_of_what_matters_is_in_the_highest_tier_and_noise_in_the_lowest():
    assert scored(WORST).score >= 90
    assert scored(NOISE).score < 30


def test_reasons_are_sentences_with_the_weightiest_first():
    found = scored(WORST)
    texts = [reason.text for reason in found.reasons]
    assert "影响3个服务" in texts
    assert "订单服务的业务重要度95" in texts
    assert "仍未恢复" in texts
    assert "持续8小时" in texts
    shares = Weights().model_dump()
    contributions = [reason.points * shares[reason.factor] for reason in found.reasons]
    assert contributions == sorted(contributions, reverse=True)


def test_the_score_is_spoken_on_the_ten_point_scale():
    assert replace(scored(WORST), score=79.4).spoken == "7.9分"
    assert replace(scored(WORST), score=80.0).spoken == "8分"


@pytest.mark.parametrize(
    ("length", "words"),
    [(timedelta(seconds=20), "1分钟"), (timedelta(minutes=59), "59分钟"), (timedelta(minutes=90), "1.5小时"),
     (timedelta(hours=8), "8小时"), (timedelta(days=3), "3天")],
)  # fmt: skip
def test_durations_are_told_as_people_say_them(length, words):
    assert duration_in_words(length) == words
