"""What the outcomes of attempts teach the weights, and the facts that an incident keeps for that."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from mcp_tencent.devops.alerts.scoring import Factors, ScoredAlert
from mcp_tencent.devops.alerts.weights import Lesson, lesson_kind_of
from mcp_tencent.devops.incidents import IncidentStore


class _KeptFactors(BaseModel):
    model_config = ConfigDict(extra="ignore")

    impact: float
    severity: float
    importance: float
    urgency: float


class _KeptFacts(BaseModel):
    model_config = ConfigDict(extra="ignore")

    factors: _KeptFactors


def facts_json(scored: ScoredAlert) -> str:
    """Return what `Incident.facts_json` keeps of a score: factors, reasons, version of the weights."""
    return kept_facts(
        asdict(scored.factors),
        [
            {"text": reason.text, "factor": reason.factor, "points": reason.points}
            for reason in scored.reasons
        ],
        scored.weights_version,
    )


def kept_facts(factors: Mapping[str, float], reasons: Sequence[JsonValue], weights_version: str) -> str:
    """Return what `Incident.facts_json` keeps, for whoever knows a score from the tools' answers only.

    Args:
        factors: Values of impact, severity, importance and urgency, each 0 to 100.
        reasons: Chinese sentences, or objects with such a `text`.
        weights_version: Of the weights that made the score.
    """
    kept = {"factors": dict(factors), "reasons": list(reasons), "weights_version": weights_version}
    return json.dumps(kept, ensure_ascii=False)


def lessons_of_outcomes(store: IncidentStore, since: datetime, until: datetime) -> Sequence[Lesson]:
    """Return what attempts started within [since, until) teach; blocks.

    An incident whose facts hold no factors teaches nothing.
    """
    lessons: list[Lesson] = []
    for attempt in store.attempts_between(since, until):
        kind = lesson_kind_of(attempt.outcome) if attempt.outcome is not None else None
        if kind is None:
            continue
        try:
            kept = _KeptFacts.model_validate_json(store.get(attempt.incident_id).facts_json)
        except ValidationError:
            continue
        lessons.append(
            Lesson(
                id=attempt.id,
                kind=kind,
                at=attempt.finished_at or attempt.started_at,
                factors=Factors(**kept.factors.model_dump()),
            )
        )
    return lessons
