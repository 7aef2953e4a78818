"""Which rung of the ladder comes next, or why there is none (pure).

One rung an attempt, bottom first. What cannot help is passed over and costs nothing. The budget comes from
the score. Whoever climbs asks again after every attempt, with the outcomes so far; the same facts give the
same answer, so that a process that was killed goes on where it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mcp_tencent.devops.diagnosis.causes import Help
from mcp_tencent.devops.incidents import AttemptOutcome, Rung
from mcp_tencent.devops.policy.model import Manner, Tier
from mcp_tencent.models.workloads import WorkloadKind

MOST_TRIES_OF_A_RUNG = 2
"""A rung whose attempt was abandoned before it did anything is worth one more; any other is done with."""

_WORTH: Mapping[Manner, frozenset[Help | None]] = {
    Manner.AGGRESSIVE: frozenset({Help.HELPS, Help.MAY_HELP, None}),
    Manner.STANDARD: frozenset({Help.HELPS, Help.MAY_HELP, None}),
    Manner.CONSERVATIVE: frozenset({Help.HELPS, Help.MAY_HELP}),
    Manner.BRIEF: frozenset({Help.HELPS, Help.MAY_HELP}),
    Manner.DIGEST: frozenset({Help.HELPS}),
}
"""What a manner tries; None is what the diagnosis says nothing of. A bolder one tries all that a milder one
does."""
_IN_VAIN = "前不久试过，没有用"
_FREE = frozenset({AttemptOutcome.BLOCKED_BY_POLICY, AttemptOutcome.ALREADY_RECOVERED})
"""Nothing was done: it costs no attempt."""


class End(StrEnum):
    """Why nothing more is tried."""

    HEALED = "healed"
    ALREADY_RECOVERED = "already_recovered"
    RESTORE_FAILED = "restore_failed"
    """The workload is not as it was found: a person must look at once."""
    BLOCKED_BY_POLICY = "blocked_by_policy"
    OUT_OF_BUDGET = "out_of_budget"
    NOTHING_HELPS = "nothing_helps"
    """No rung is left that might help."""


_SOLVED = frozenset({End.HEALED, End.ALREADY_RECOVERED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """What is known of one rung for this trouble."""

    rung: Rung
    help: Help | None
    """None when the diagnosis says nothing of it."""
    why: str = ""
    """In Chinese, fit to be spoken."""
    possible: bool = True
    """Whether there is a tool call that climbs it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """An attempt that has ended."""

    rung: Rung
    outcome: AttemptOutcome
    of_rung_only: bool = False
    """For a blocked one: whether the guard refused only this rung (see `guards.OF_RUNG_ONLY`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """All that the next decision depends on.

    Args:
        tier: The incident's budget and manner; see `Policy.tier`.
        rungs: The ladder of the policy, bottom first.
        options: What the diagnosis says, by rung; a rung that is missing is unknown and has no call.
        past: The attempts so far, oldest first.
        kind: Of the workload.
        failed_before: Rungs that did not help against the same trouble not long ago, e.g. last night.
        recovered: Whether it was found well before anything was tried.
    """

    tier: Tier
    rungs: Sequence[Rung]
    options: Mapping[Rung, Option]
    past: Sequence[Past]
    kind: WorkloadKind
    failed_before: frozenset[Rung] = frozenset()
    recovered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A rung that is not climbed."""

    rung: Rung
    why: str
    """In Chinese."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """Try this rung now."""

    rung: Rung
    number: int
    """Of the attempt within the incident, from 1; those that were blocked count here, but cost nothing."""
    why: str
    passed: tuple[Passed, ...]
    """Rungs below it that are not worth climbing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Try nothing more."""

    end: End
    reason: str
    """In Chinese, fit to be spoken."""
    passed: tuple[Passed, ...] = ()

    @property
    def hand_over(self) -> bool:
        """Whether a person must take over."""
        return self.end not in _SOLVED


def spent(past: Sequence[Past]) -> int:
    """Return how many attempts have been used up."""
    return sum(attempt.outcome not in _FREE for attempt in past)


def next_step(trouble: Trouble) -> Climb | Stop:
    """Return the rung to climb now, or why there is none."""
    ended = _ended(trouble)
    if ended is not None:
        return ended
    begin = max((_place(trouble, one.rung) for one in trouble.past), default=0)
    passed: list[Passed] = []
    for rung in trouble.rungs[begin:]:
        if rung is Rung.HAND_OVER:
            continue
        against = _against(rung, trouble)
        if against is None:
            if spent(trouble.past) >= trouble.tier.attempts:
                return Stop(end=End.OUT_OF_BUDGET, reason=_tried(trouble), passed=tuple(passed))
            why = trouble.options[rung].why
            return Climb(rung=rung, number=len(trouble.past) + 1, why=why, passed=tuple(passed))
        if all(one.rung is not rung for one in trouble.past):
            passed.append(Passed(rung=rung, why=against))
    return Stop(end=End.NOTHING_HELPS, reason=_helpless(trouble, passed), passed=tuple(passed))


def _ended(trouble: Trouble) -> Stop | None:
    if not trouble.past:
        if trouble.recovered:
            return Stop(end=End.ALREADY_RECOVERED, reason="已经自己恢复了")
        return None
    last = trouble.past[-1]
    match last.outcome:
        case AttemptOutcome.HEALED:
            return Stop(end=End.HEALED, reason="已经恢复正常")
        case AttemptOutcome.ALREADY_RECOVERED:
            return Stop(end=End.ALREADY_RECOVERED, reason="已经自己恢复了")
        case AttemptOutcome.RESTORE_FAILED:
            return Stop(end=End.RESTORE_FAILED, reason="处理没有见效，也没能恢复原样，请马上看一下")
        case AttemptOutcome.OUT_OF_BUDGET:
            return Stop(end=End.OUT_OF_BUDGET, reason=_tried(trouble))
        case AttemptOutcome.BLOCKED_BY_POLICY if not last.of_rung_only:
            return Stop(end=End.BLOCKED_BY_POLICY, reason="自愈策略不允许自动处理")
        case _:
            return None


def _against(rung: Rung, trouble: Trouble) -> str | None:
    """Return, in Chinese, why a rung is not climbed; None when it is worth it."""
    tries = [one.outcome for one in trouble.past if one.rung is rung]
    if tries and (len(tries) >= MOST_TRIES_OF_A_RUNG or tries[-1] is not AttemptOutcome.ABANDONED):
        return "已经试过了"
    if rung is Rung.SCALE and trouble.kind is WorkloadKind.DAEMON_SET:
        return "守护进程集每个节点一个，不能调副本"
    if rung in trouble.failed_before:
        return _IN_VAIN
    option = trouble.options.get(rung)
    if option is None or not option.possible:
        return option.why if option is not None and option.why else "没有能用的办法"
    if option.help not in _WORTH[trouble.tier.manner]:
        return option.why or "没有把握"
    return None


def _place(trouble: Trouble, rung: Rung) -> int:
    return trouble.rungs.index(rung) if rung in trouble.rungs else 0


def _helpless(trouble: Trouble, passed: Sequence[Passed]) -> str:
    if spent(trouble.past):
        return f"{_tried(trouble)}，没有别的办法了"
    if any(one.why == _IN_VAIN for one in passed):
        return "能用的办法前不久试过，没有用"
    return "没有能自动处理的办法"


def _tried(trouble: Trouble) -> str:
    count = spent(trouble.past)
    return f"试了{count}次没有恢复" if count else "这个级别的故障不自动处理"
