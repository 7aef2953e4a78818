"""Weights learn from what people say and what came of attempts, within bounds, and can say why."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.devops.alerts.scoring import Factors
from mcp_tencent.devops.alerts.weights import FACTORS, Lesson, LessonKind, learn, lesson_kind_of
from mcp_tencent.devops.incidents import AttemptOutcome
from mcp_tencent.devops.policy.model import Learning, Weights

DEFAULT = Weights()
NOW = datetime(2026, 11, 20, tzinfo=UTC)
_VALUE = st.floats(0, 100)


def lesson(number=0, kind=LessonKind.UNIMPORTANT, impact=90.0, severity=20.0, importance=20.0, urgency=20.0):
    return Lesson(
        id=f"lesson-{number}",
        kind=kind,
        at=NOW + timedelta(minutes=number),
        factors=Factors(impact=impact, severity=severity, importance=importance, urgency=urgency),
    )


LESSONS = st.lists(
    st.builds(lesson, st.integers(0, 10_000), st.sampled_from(LessonKind), _VALUE, _VALUE, _VALUE, _VALUE),
    max_size=60,
)


@given(LESSONS, st.floats(0, 0.1), st.floats(0.001, 0.05))
def test_no_lessons_whatever_lead_out_of_the_bounds(lessons, bound, step):
    for version in learn(DEFAULT, lessons, Learning(bound=bound, step=step)):
        for factor in FACTORS:
            difference = getattr(version.weights, factor) - getattr(DEFAULT, factor)
            assert abs(difference) <= bound + 2e-6
        assert sum(version.weights.model_dump().values()) == pytest.approx(1, abs=1e-9)


@given(LESSONS)
def test_the_same_lessons_in_any_order_give_the_same_weights_and_version(lessons):
    assert learn(DEFAULT, lessons, Learning())[-1] == learn(DEFAULT, lessons[::-1], Learning())[-1] or len(
        {(one.at, one.id) for one in lessons}
    ) < len(lessons)


def test_without_lessons_the_policy_holds():
    (only,) = learn(DEFAULT, [], Learning())
    assert (only.version, only.weights) == ("w0", DEFAULT)


def test_unimportant_moves_weight_away_from_what_made_the_score_high():
    after = learn(DEFAULT, [lesson()], Learning())[-1]
    assert after.weights.impact < DEFAULT.impact
    assert after.weights.severity > DEFAULT.severity


def test_important_moves_weight_towards_it():
    after = learn(DEFAULT, [lesson(kind=LessonKind.IMPORTANT)], Learning())[-1]
    assert after.weights.impact > DEFAULT.impact


def test_what_a_person_says_counts_more_than_an_outcome():
    said = learn(DEFAULT, [lesson()], Learning())[-1]
    happened = learn(DEFAULT, [lesson(kind=LessonKind.PASSED_BY_ITSELF)], Learning())[-1]
    assert said.weights.impact < happened.weights.impact < DEFAULT.impact


def test_many_lessons_stop_at_the_bound():
    after = learn(DEFAULT, [lesson(number) for number in range(200)], Learning())[-1]
    assert after.weights.impact == pytest.approx(DEFAULT.impact - 0.10, abs=1e-5)


def test_each_version_says_what_changed_and_why():
    versions = learn(DEFAULT, [lesson(0), lesson(1, LessonKind.IMPORTANT)], Learning())
    assert len({version.version for version in versions}) == 3
    assert "有人说这条不重要" in versions[1].explanation
    assert "影响范围从40.0%变为" in versions[1].explanation


def test_outcomes_teach_only_where_they_tell_how_much_an_alert_mattered():
    assert lesson_kind_of(AttemptOutcome.ALREADY_RECOVERED) is LessonKind.PASSED_BY_ITSELF
    assert lesson_kind_of(AttemptOutcome.OUT_OF_BUDGET) is LessonKind.NEEDED_A_PERSON
    assert lesson_kind_of(AttemptOutcome.HEALED) is None
    assert lesson_kind_of(AttemptOutcome.BLOCKED_BY_POLICY) is None
