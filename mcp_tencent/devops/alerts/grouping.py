"""Alerts to groups of one root cause each (pure).

1. Alerts of one fingerprint that follow each other within the far window are one episode; a repeat while the
   symptom lasts, and its recovery, belong to it.
2. Three episodes of one fingerprint in a day are one trouble that comes and goes.
3. What begins at the same workload within the near window is one trouble, whatever alarm raised it.
4. What begins at a workload within the near window of trouble at one that it needs follows from that.
5. A node that is down mutes the workloads that had pods on it.

Rules 3 and 4 look at when trouble first began, not at its repeats: an old trouble that is still open does not
swallow whatever else breaks later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from mcp_tencent.devops.alerts.alert import Alert, AlertGroup, GroupState, Subject, Topology
from mcp_tencent.devops.policy.model import Grouping

_ROUNDING = timedelta(minutes=1)
"""The service gives durations in whole minutes."""


@dataclass(slots=True)
class _Trouble:
    """Alerts of one fingerprint that belong together."""

    alerts: list[Alert]
    ended_at: datetime
    episodes: int = 1

    @property
    def began_at(self) -> datetime:
        return self.alerts[0].raised_at

    @property
    def subject(self) -> Subject:
        return self.alerts[0].subject


def group_alerts(
    alerts: Iterable[Alert], *, windows: Grouping, topology: Topology | None = None
) -> list[AlertGroup]:
    """Return the groups, the one that began first first; every alert is in exactly one.

    Args:
        alerts: in any order; a record that comes twice counts once.
        windows: how close alerts must be.
        topology: who depends on whom; None: nothing is known.
    """
    known = topology or Topology()
    troubles = _troubles({alert.record.record_id: alert for alert in alerts}.values(), windows)
    near = timedelta(minutes=windows.near_minutes)
    ties = _Ties(len(troubles))
    for cause, effect in (
        *_same_workload(troubles, near),
        *_dependants(troubles, near, known),
        *_muted_by_nodes(troubles, near, known),
    ):
        ties.tie(cause, effect)
    groups = [_group([troubles[one] for one in members], known) for members in ties.sets()]
    return sorted(groups, key=lambda group: (group.raised_at, group.id))


def _troubles(alerts: Iterable[Alert], windows: Grouping) -> list[_Trouble]:
    """Return the alerts by fingerprint, parted where a long quiet time lies between them."""
    by_fingerprint: defaultdict[str, list[Alert]] = defaultdict(list)
    for alert in sorted(alerts, key=lambda one: (one.raised_at, one.record.record_id)):
        by_fingerprint[alert.fingerprint].append(alert)
    far = timedelta(minutes=windows.far_minutes)
    return [
        trouble
        for same in by_fingerprint.values()
        for trouble in _recurring(list(_episodes(same, far)), windows)
    ]


def _episodes(same: Sequence[Alert], far: timedelta) -> Iterator[_Trouble]:
    current: _Trouble | None = None
    for alert in same:
        if current is not None and alert.raised_at <= current.ended_at + far + _ROUNDING:
            if alert.raised_at > current.ended_at + _ROUNDING:
                current.episodes += 1
            current.alerts.append(alert)
            current.ended_at = max(current.ended_at, alert.ended_at)
            continue
        if current is not None:
            yield current
        current = _Trouble(alerts=[alert], ended_at=alert.ended_at)
    if current is not None:
        yield current


def _recurring(episodes: list[_Trouble], windows: Grouping) -> list[_Trouble]:
    """Join episodes that come so often that they are one trouble that comes and goes."""
    times, within = windows.recurring_times, timedelta(hours=windows.recurring_hours)
    joined = [False] * len(episodes)
    """Whether each belongs with the one before it."""
    for last in range(times - 1, len(episodes)):
        first = last - times + 1
        if episodes[last].began_at - episodes[first].began_at <= within:
            joined[first + 1 : last + 1] = [True] * (times - 1)
    result: list[_Trouble] = []
    for episode, with_last in zip(episodes, joined, strict=True):
        if not with_last:
            result.append(episode)
            continue
        result[-1].alerts.extend(episode.alerts)
        result[-1].ended_at = max(result[-1].ended_at, episode.ended_at)
        result[-1].episodes += episode.episodes
    return result


def _same_workload(troubles: Sequence[_Trouble], near: timedelta) -> Iterator[tuple[int, int]]:
    at_subject: defaultdict[Subject, list[int]] = defaultdict(list)
    for number, trouble in enumerate(troubles):
        if trouble.subject.known:
            at_subject[trouble.subject].append(number)
    for numbers in at_subject.values():
        for first, second in pairwise(sorted(numbers, key=lambda one: troubles[one].began_at)):
            if troubles[second].began_at - troubles[first].began_at <= near:
                yield first, second


def _dependants(
    troubles: Sequence[_Trouble], near: timedelta, topology: Topology
) -> Iterator[tuple[int, int]]:
    in_order = sorted(range(len(troubles)), key=lambda number: troubles[number].began_at)
    for place, first in enumerate(in_order):
        one = troubles[first]
        for second in in_order[place + 1 :]:
            other = troubles[second]
            if other.began_at - one.began_at > near:
                break
            if other.subject in topology.needs.get(one.subject, ()):
                yield second, first
            elif one.subject in topology.needs.get(other.subject, ()):
                yield first, second


def _muted_by_nodes(
    troubles: Sequence[_Trouble], near: timedelta, topology: Topology
) -> Iterator[tuple[int, int]]:
    for number, node in enumerate(troubles):
        hosted = topology.hosts.get(node.subject)
        if not hosted:
            continue
        for other, trouble in enumerate(troubles):
            during = node.began_at - near <= trouble.began_at <= node.ended_at + near
            if trouble.subject in hosted and during:
                yield number, other


class _Ties:
    """Numbers that belong together (union-find)."""

    def __init__(self, count: int) -> None:
        self._parents = list(range(count))

    def tie(self, one: int, other: int) -> None:
        self._parents[self._root(other)] = self._root(one)

    def sets(self) -> list[list[int]]:
        found: defaultdict[int, list[int]] = defaultdict(list)
        for number in range(len(self._parents)):
            found[self._root(number)].append(number)
        return list(found.values())

    def _root(self, number: int) -> int:
        while self._parents[number] != number:
            self._parents[number] = self._parents[self._parents[number]]
            number = self._parents[number]
        return number


def _group(troubles: list[_Trouble], topology: Topology) -> AlertGroup:
    cause = _cause(troubles, topology)
    alerts = sorted(
        (alert for trouble in troubles for alert in trouble.alerts),
        key=lambda alert: (alert.raised_at, alert.record.record_id),
    )
    episodes = max(trouble.episodes for trouble in troubles)
    return AlertGroup(
        fingerprint=cause.alerts[0].fingerprint,
        subject=cause.subject,
        alerts=tuple(alerts),
        muted=frozenset(alert.record.record_id for alert in alerts if alert.subject != cause.subject),
        episodes=episodes,
        state=_state(alerts, episodes),
    )


def _state(alerts: Sequence[Alert], episodes: int) -> GroupState:
    if any(alert.open for alert in alerts):
        return GroupState.OPEN
    return GroupState.FLAPPING if episodes > 1 else GroupState.RECOVERED


def _cause(troubles: Sequence[_Trouble], topology: Topology) -> _Trouble:
    """Return the trouble that explains most others: a node before its pods, the needed before its callers."""

    def explains(trouble: _Trouble) -> int:
        return sum(
            trouble.subject in topology.needs.get(other.subject, ())
            or other.subject in topology.hosts.get(trouble.subject, ())
            for other in troubles
            if other is not trouble
        )

    def explained(trouble: _Trouble) -> bool:
        needed = topology.needs.get(trouble.subject, frozenset())
        return any(
            other.subject in needed or trouble.subject in topology.hosts.get(other.subject, ())
            for other in troubles
        )

    return min(
        troubles,
        key=lambda one: (explained(one), -explains(one), one.began_at, one.alerts[0].fingerprint),
    )
