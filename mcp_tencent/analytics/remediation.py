"""Counting what healing came to. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from mcp_tencent.devops.incidents import Attempt, AttemptOutcome, Incident, IncidentStatus, Rung

RUNG_WORDS = {
    Rung.RESTART: "重启",
    Rung.SCALE: "扩缩容",
    Rung.ROLL_BACK: "回滚",
    Rung.ISOLATE: "隔离",
    Rung.RESTORE: "恢复检查点",
    Rung.HAND_OVER: "转人工",
}
_NOT_TRIED = frozenset(
    {AttemptOutcome.BLOCKED_BY_POLICY, AttemptOutcome.OUT_OF_BUDGET, AttemptOutcome.ALREADY_RECOVERED}
)
"""Ends of attempts in which nothing was done, so that they say nothing about healing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemediationCounts:
    """What healing came to in a period."""

    statuses: Counter[IncidentStatus]
    outcomes: Counter[AttemptOutcome]
    rungs: Counter[Rung]
    healed_by: Counter[Rung]
    unfinished: int
    to_heal: timedelta | None
    """Median of healed incidents, from opening to closing; None without any."""

    @property
    def incidents(self) -> int:
        """How many there were."""
        return self.statuses.total()

    @property
    def attempts(self) -> int:
        """How many there were."""
        return self.rungs.total()

    @property
    def heal_rate(self) -> float | None:
        """Healed of the attempts that did something; None without any."""
        tried = sum(count for outcome, count in self.outcomes.items() if outcome not in _NOT_TRIED)
        return self.outcomes[AttemptOutcome.HEALED] / tried if tried else None

    @property
    def incident_heal_rate(self) -> float | None:
        """Healed of all incidents; None without any."""
        return self.statuses[IncidentStatus.HEALED] / self.incidents if self.incidents else None


def count_remediation(incidents: Sequence[Incident], attempts: Sequence[Attempt]) -> RemediationCounts:
    """Count incidents by status, attempts by rung and outcome."""
    lengths = [
        (one.closed_at - one.opened_at).total_seconds()
        for one in incidents
        if one.status is IncidentStatus.HEALED and one.closed_at is not None
    ]
    return RemediationCounts(
        statuses=Counter(one.status for one in incidents),
        outcomes=Counter(one.outcome for one in attempts if one.outcome is not None),
        rungs=Counter(one.rung for one in attempts),
        healed_by=Counter(one.rung for one in attempts if one.outcome is AttemptOutcome.HEALED),
        unfinished=sum(one.outcome is None for one in attempts),
        to_heal=timedelta(seconds=median(lengths)) if lengths else None,
    )


def remediation_words(counts: RemediationCounts, when: str) -> str:
    """Say it: what there was, what became of it, what helped most."""
    if not counts.incidents and not counts.attempts:
        return f"{when}没有故障，也没有做过自愈。"
    parts = [f"{when}共{counts.incidents}起故障"]
    for status, word in (
        (IncidentStatus.OPEN, "还没解决"),
        (IncidentStatus.HUMAN, "转了人工"),
        (IncidentStatus.HEALED, "自愈了"),
    ):
        if counts.statuses[status]:
            parts.append(f"{counts.statuses[status]}起{word}")
    if counts.attempts:
        rate = counts.heal_rate
        healed = counts.outcomes[AttemptOutcome.HEALED]
        share = f"，成功率{rate:.0%}" if rate is not None else ""
        parts.append(f"一共尝试{counts.attempts}次，成功{healed}次{share}")
    if counts.healed_by:
        rung, times = counts.healed_by.most_common(1)[0]
        parts.append(f"最管用的是{RUNG_WORDS[rung]}，{times}次")
    if worse := counts.outcomes[AttemptOutcome.RESTORE_FAILED]:
        parts.append(f"有{worse}次没能还原，要看一下")
    return "，".join(parts) + "。"
