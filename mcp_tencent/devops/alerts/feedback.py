"""What people say of alerts: whether they mattered, kept in the database with the factors of that moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from sqlalchemy import Column, Engine
from sqlmodel import Field, SQLModel, col, select

from mcp_tencent.devops.alerts.scoring import Factors
from mcp_tencent.devops.alerts.weights import Lesson, LessonKind
from mcp_tencent.tables import UtcDateTime, reading, writing


class Verdict(StrEnum):
    """What somebody says of an alert."""

    IMPORTANT = "important"
    UNIMPORTANT = "unimportant"
    FALSE_ALARM = "false_alarm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What one person said of one group of alerts; saying something else replaces it."""

    group_id: str
    person: str
    fingerprint: str
    verdict: Verdict
    score: float
    """0 to 100, as it was."""
    factors: Factors
    """As they were."""
    given_at: datetime

    @property
    def lesson(self) -> Lesson:
        """What the weights learn from it."""
        return Lesson(
            id=f"{self.group_id}/{self.person}",
            kind=LessonKind(self.verdict.value),
            at=self.given_at,
            factors=self.factors,
        )


class FeedbackStore(Protocol):
    """The memory of feedback. Calls block; they are made off the event loop."""

    def give(self, feedback: Feedback) -> None:
        """Record what somebody says; it replaces what the same person said of the same group."""
        ...

    def all(self) -> Sequence[Feedback]:
        """Return all feedback, oldest first."""
        ...


class AlertFeedbackRow(SQLModel, table=True):
    """What one person said of one group of alerts."""

    __tablename__ = "alert_feedback"

    group_id: str = Field(primary_key=True, max_length=64)
    person: str = Field(primary_key=True, max_length=128)
    fingerprint: str = Field(max_length=128, index=True)
    verdict: str = Field(max_length=16)
    score: float
    impact: float
    severity: float
    importance: float
    urgency: float
    given_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


class SqlFeedbackStore:
    """Keeps feedback in the database; satisfies `FeedbackStore`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def give(self, feedback: Feedback) -> None:
        """Record what somebody says; it replaces what the same person said of the same group."""
        row = AlertFeedbackRow(
            group_id=feedback.group_id,
            person=feedback.person,
            fingerprint=feedback.fingerprint,
            verdict=feedback.verdict,
            score=feedback.score,
            given_at=feedback.given_at,
            **asdict(feedback.factors),
        )
        with writing(self._engine) as session:
            session.merge(row)

    def all(self) -> Sequence[Feedback]:
        """Return all feedback, oldest first."""
        statement = select(AlertFeedbackRow).order_by(
            col(AlertFeedbackRow.given_at), col(AlertFeedbackRow.group_id), col(AlertFeedbackRow.person)
        )
        with reading(self._engine) as session:
            return [_feedback(row) for row in session.exec(statement)]


def _feedback(row: AlertFeedbackRow) -> Feedback:
    return Feedback(
        group_id=row.group_id,
        person=row.person,
        fingerprint=row.fingerprint,
        verdict=Verdict(row.verdict),
        score=row.score,
        factors=Factors(
            impact=row.impact, severity=row.severity, importance=row.importance, urgency=row.urgency
        ),
        given_at=row.given_at,
    )
