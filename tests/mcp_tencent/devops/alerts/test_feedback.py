"""Feedback is kept, the latest word of each person, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest

from mcp_tencent.devops.alerts.feedback import Feedback, SqlFeedbackStore, Verdict
from mcp_tencent.devops.alerts.scoring import Factors
from mcp_tencent.devops.alerts.weights import LessonKind

NOW = datetime(2026, 11, 20, 5, tzinfo=UTC)


def said(verdict, person="值班员", group_id="alert-1", minutes=0):
    return Feedback(
        group_id=group_id,
        person=person,
        fingerprint="fp",
        verdict=verdict,
        score=71.5,
        factors=Factors(impact=80, severity=70, importance=50, urgency=60),
        given_at=NOW + timedelta(minutes=minutes),
    )


@pytest.fixture
def feedback(database):
    return SqlFeedbackStore(database.engine)


def test_what_was_said_comes_back_as_it_was(feedback):
    one = said(Verdict.IMPORTANT)
    feedback.give(one)
    assert feedback.all() == [one]


def test_a_later_word_of_the_same_person_replaces_the_earlier(feedback):
    feedback.give(said(Verdict.IMPORTANT))
    feedback.give(said(Verdict.FALSE_ALARM, minutes=5))
    feedback.give(said(Verdict.UNIMPORTANT, person="负责人", minutes=9))
    assert [(one.person, one.verdict) for one in feedback.all()] == [
        ("值班员", Verdict.FALSE_ALARM),
        ("负责人", Verdict.UNIMPORTANT),
    ]


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_is_a_lesson(verdict):
    lesson = said(verdict).lesson
    assert lesson.kind is LessonKind(verdict.value)
    assert lesson.factors.impact == 80
