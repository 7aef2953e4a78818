"""What is remembered of trouble: incidents, the attempts to heal them, and what happened when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class IncidentStatus(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    HEALED = "healed"
    HUMAN = "human"
    """Handed to a person: the ladder has ended without healing it, or may not begin."""


class Rung(StrEnum):
    """One rung of the ladder, in the order in which they are climbed."""

    RESTART = "restart"
    SCALE = "scale"
    ROLL_BACK = "roll_back"
    ISOLATE = "isolate"
    RESTORE = "restore"
    HAND_OVER = "hand_over"


class AttemptOutcome(StrEnum):
    """How an attempt ended."""

    HEALED = "healed"
    BETTER_KEPT = "better_kept"
    """Clearly less trouble than before, but not none: what was done stays, and the ladder goes on."""
    NOT_BETTER_RESTORED = "not_better_restored"
    WORSE_RESTORED = "worse_restored"
    RESTORE_FAILED = "restore_failed"
    BLOCKED_BY_POLICY = "blocked_by_policy"
    OUT_OF_BUDGET = "out_of_budget"
    ABANDONED = "abandoned"
    ALREADY_RECOVERED = "already_recovered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One trouble with one workload."""

    id: str
    idempotency_key: str
    """Names the trouble: opening it twice opens it once."""
    fingerprint: str
    """Same root cause, same fingerprint, also on another day."""
    cluster_id: str
    namespace: str
    workload_kind: str
    workload: str
    title: str
    score: float
    """0 to 100."""
    alert_count: int
    status: IncidentStatus
    opened_at: datetime
    last_seen_at: datetime
    closed_at: datetime | None = None
    policy_version: str
    """The policy that shaped the decisions about it."""
    facts_json: str = "{}"
    """Reasons for the score and findings of the diagnosis, as one JSON object."""
    version: int = 1
    """Counts savings; a save succeeds only upon the version that was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEvent:
    """One thing that happened in the course of an incident."""

    at: datetime
    kind: str
    """Short word in snake case: alert, diagnosis, checkpoint, action, verification, notice."""
    text: str
    """What happened, in Chinese, fit to be read out."""
    evidence_json: str = "{}"
    """What shows it, as one JSON object, redacted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to heal an incident."""

    id: str
    incident_id: str
    number: int
    """From 1 within the incident."""
    rung: Rung
    action: str
    """What is done to what, in Chinese."""
    idempotency_key: str
    checkpoint_id: str | None
    started_at: datetime
    finished_at: datetime | None = None
    outcome: AttemptOutcome | None = None
    reason: str = ""
    """Why it ended so, in Chinese."""
    evidence_json: str = "{}"
    """What the verification saw, as one JSON object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentQuery:
    """Which incidents are wanted, newest first."""

    since: datetime
    until: datetime
    """Opened at or after `since` and before `until`."""
    status: IncidentStatus | None = None
    limit: int = 50
    after_id: str | None = None
    """The last id of the page before."""


class IncidentStore(Protocol):
    """The memory of incidents. Calls block; they are made off the event loop."""

    def open(self, incident: Incident) -> bool:
        """Record a new incident; False, and nothing changed, when its idempotency key exists."""
        ...

    def find_by_key(self, idempotency_key: str) -> Incident | None:
        """Return the incident that was opened with this key, or None."""
        ...

    def get(self, incident_id: str) -> Incident:
        """Return an incident; raises IncidentUnknown."""
        ...

    def find(self, query: IncidentQuery) -> Sequence[Incident]:
        """Return incidents, newest first; raises IncidentUnknown for an unknown `after_id`."""
        ...

    def save(self, incident: Incident) -> Incident:
        """Replace the incident that was read by this one and return it with its new version.

        Raises:
            IncidentChanged: somebody else saved it since.
            IncidentUnknown: it was never opened.
        """
        ...

    def add_event(self, incident_id: str, event: TimelineEvent, *, key: str) -> bool:
        """Append to the timeline; False, and nothing changed, when `key` stands in it already."""
        ...

    def timeline(self, incident_id: str) -> Sequence[TimelineEvent]:
        """Return what happened, oldest first, in the order of its recording within one instant."""
        ...

    def start_attempt(self, attempt: Attempt) -> bool:
        """Record an attempt before it acts; False, and nothing changed, when its idempotency key exists."""
        ...

    def finish_attempt(
        self, attempt_id: str, outcome: AttemptOutcome, *, at: datetime, reason: str, evidence_json: str
    ) -> Attempt:
        """Record how an attempt ended, once; the same outcome again changes nothing.

        Raises:
            AttemptUnknown: it was never started.
            AttemptFinished: it ended with another outcome.
        """
        ...

    def attempts(self, incident_id: str) -> Sequence[Attempt]:
        """Return the attempts of an incident in their order."""
        ...

    def attempts_between(self, since: datetime, until: datetime) -> Sequence[Attempt]:
        """Return all attempts started at or after `since` and before `until`, oldest first."""
        ...
