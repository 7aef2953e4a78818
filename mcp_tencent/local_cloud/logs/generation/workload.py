"""The log lines of one workload, made from its timeline.

Each pattern is a Poisson process whose rate follows the timeline. Its events come from a random generator of
their own, seeded by workload, minute and pattern, and a line depends on nothing that happens after it. So a
minute can be made in any order and in parts, and the running minute can be read up to now.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from mcp_tencent.local_cloud.conditions import Condition, LogPattern, Timeline
from mcp_tencent.local_cloud.logs.generation.season import Season
from mcp_tencent.local_cloud.logs.generation.slots import Scene, Template
from mcp_tencent.local_cloud.logs.lines import LogLine, LogOrigin

_MINUTE_MS = 60_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_MINUTES_AT_ONCE = 60
_MASK = 2**64 - 1
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_A_LITTLE_MORE = 1.0 + 1e-9
"""Sums of parts may differ in the last digits from what walking along the parts finds."""
Floats = NDArray[np.float64]
Minutes = NDArray[np.int64]
Words = NDArray[np.uint64]
_ANY_ERROR = LogPattern(
    template="{time} {level} [{trace_id}] {method} {path} failed: status={error_status} cost={latency_ms}ms",
    level="ERROR",
    per_minute=0.0,
    fields=(("status", "{error_status}"), ("latency_ms", "{latency_ms}")),
)
"""Shows failing requests of workloads that have no ERROR pattern of their own."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Part of a minute in which a pattern's rate is constant."""

    start_ms: float
    end_ms: float
    per_ms: float
    condition: Condition


@dataclass(frozen=True, slots=True)
class _Rate:
    """A pattern's rate under one condition, for every minute of a block."""

    start_ms: Floats
    end_ms: Floats
    """Not later than the start where the condition does not touch the minute."""
    per_ms: Floats
    condition: Condition

    def expected(self) -> Floats:
        """Return the mean number of lines in each minute."""
        return np.asarray(np.maximum(self.end_ms - self.start_ms, 0.0) * self.per_ms)

    def piece(self, minute: int) -> _Piece:
        """Return one minute of it."""
        return _Piece(
            float(self.start_ms[minute]),
            float(self.end_ms[minute]),
            float(self.per_ms[minute]),
            self.condition,
        )


@dataclass(frozen=True, slots=True)
class _Process:
    """One pattern within one minute."""

    template: Template
    seed: int
    first_gap: float
    """To the first line, in mean gaps."""
    pieces: Sequence[_Piece]


class WorkloadLogSource:
    """A LogSource for one container of one workload."""

    def __init__(
        self,
        *,
        seed: int,
        cluster_id: str,
        namespace: str,
        workload: str,
        container: str,
        timeline: Timeline,
        patterns: Sequence[LogPattern],
        season: Season,
        node_of: Callable[[str], tuple[str, str]] | None = None,
    ) -> None:
        """`node_of` maps a pod's name to its node's (name, IP address); by default both are made up.

        Raises:
            TemplateError: a pattern has a slot that nobody fills.
        """
        identity = f"{seed}/{cluster_id}/{namespace}/{workload}/{container}"
        self._seed = int.from_bytes(hashlib.blake2b(identity.encode(), digest_size=8).digest(), "big")
        self._cluster_id = cluster_id
        self._scene = Scene(
            namespace=namespace, workload=workload, container=container, timezone=season.timezone
        )
        self._timeline = timeline
        self._season = season
        self._node_of = node_of or _made_up_node
        self._origins: dict[str, LogOrigin] = {}
        self._templates: dict[LogPattern, Template] = {}
        self._requests = tuple(pattern for pattern in patterns if pattern.level != "ERROR")
        self._errors = tuple(pattern for pattern in patterns if pattern.level == "ERROR")
        self._request_rate = sum(pattern.per_minute for pattern in self._requests)
        for pattern in patterns:
            self._template(pattern)

    def lines(self, start: datetime, end: datetime) -> Iterator[LogLine]:
        """Return the lines of all pods within [start, end), oldest first."""
        start_ms, end_ms = (start - _EPOCH) // _MILLISECOND, (end - _EPOCH) // _MILLISECOND
        first, after = start_ms // _MINUTE_MS, -(-end_ms // _MINUTE_MS)
        for block in range(first, after, _MINUTES_AT_ONCE):
            for minute in self._busy_minutes(block, min(block + _MINUTES_AT_ONCE, after)):
                for line in self._written(minute, end_ms):
                    if line.timestamp_ms >= start_ms:
                        yield line

    def pod_lines(self, pod: str, start: datetime, end: datetime) -> Iterator[LogLine]:
        """Return those lines that `pod` wrote."""
        origin = self._origin(pod)
        return (line for line in self.lines(start, end) if line.origin is origin)

    def _busy_minutes(self, first: int, after: int) -> Iterator[list[_Process]]:
        """Yield the processes of each minute within [first, after) in which anything is written.

        Most patterns are rare, so which of them write at all is worked out for all minutes at once.
        """
        minutes = np.arange(first, after, dtype=np.int64)
        found: dict[int, list[_Process]] = defaultdict(list)
        for (pattern, number), rates in self._rates_within(minutes).items():
            template = self._template(pattern)
            base = (self._seed ^ template.fingerprint) + number
            seeds = _mixed((minutes.astype(np.uint64) * _GOLDEN) + np.uint64(base & _MASK))
            gaps = _first_gap(seeds)
            expected = np.sum([rate.expected() for rate in rates], axis=0)
            for index in np.flatnonzero(gaps < expected * _A_LITTLE_MORE).tolist():
                pieces = [rate.piece(index) for rate in rates if rate.start_ms[index] < rate.end_ms[index]]
                process = _Process(template, int(seeds[index]), float(gaps[index]), pieces)
                found[index].append(process)
        for index in sorted(found):
            yield found[index]

    def _rates_within(self, minutes: Minutes) -> dict[tuple[LogPattern, int], list[_Rate]]:
        """Return each pattern's rates, in the order of time."""
        first, after = int(minutes[0]), int(minutes[-1]) + 1
        season = np.array([self._season.factor(_instant(minute)) for minute in range(first, after)])
        starts = minutes * float(_MINUTE_MS)
        rates: dict[tuple[LogPattern, int], list[_Rate]] = defaultdict(list)
        for stretch in self._timeline.stretches(_instant(first), _instant(after)):
            if not stretch.condition.pods:
                continue
            low = np.maximum((stretch.start - _EPOCH) / _MILLISECOND, starts)
            high = np.minimum((stretch.end - _EPOCH) / _MILLISECOND, starts + _MINUTE_MS)
            for name, per_minute in self._rates(stretch.condition, season):
                rates[name].append(_Rate(low, high, per_minute / _MINUTE_MS, stretch.condition))
        return rates

    def _written(self, processes: Iterable[_Process], end_ms: int) -> list[LogLine]:
        """Return the lines of one minute in the order of time."""
        lines: list[tuple[int, int, LogLine]] = []
        for process in processes:
            lines.extend(self._events(process, end_ms))
        lines.sort(key=itemgetter(0, 1))
        return [line for _, _, line in lines]

    def _rates(self, condition: Condition, season: Floats) -> Iterator[tuple[tuple[LogPattern, int], Floats]]:
        """Yield each pattern with its lines a minute; equal patterns are told apart by a number."""
        load = condition.traffic * season * condition.ready_ratio
        failed = condition.error_ratio
        for pattern in self._requests:
            yield (pattern, 0), pattern.per_minute * load * (1.0 - failed)
        errors = self._errors or ((_ANY_ERROR,) if failed else ())
        weight = sum(pattern.per_minute for pattern in errors)
        for pattern in errors:
            share = pattern.per_minute / weight if weight else 1.0 / len(errors)
            yield (pattern, 0), (pattern.per_minute + failed * self._request_rate * share) * load
        for number, pattern in enumerate(condition.patterns, start=1):
            same = condition.patterns[: number - 1].count(pattern)
            yield (pattern, 1 + same), np.full_like(season, pattern.per_minute)

    def _events(self, process: _Process, end_ms: int) -> list[tuple[int, int, LogLine]]:
        """Walk along the pieces from event to event, until `end_ms`; return (ms, tie-breaker, line)."""
        events: list[tuple[int, int, LogLine]] = []
        gap = process.first_gap
        rng: random.Random | None = None
        scene, template = self._scene, process.template
        scene.level = template.level
        for piece in process.pieces:
            at, per_ms, pods = piece.start_ms, piece.per_ms, piece.condition.pods
            scene.latency = piece.condition.latency
            while gap < (piece.end_ms - at) * per_ms:
                at += gap / per_ms
                stamp = int(at)
                if stamp >= end_ms:
                    return events
                rng = rng or random.Random(process.seed)  # noqa: S311 - made-up logs
                scene.timestamp_ms = stamp
                scene.pod = pods[int(rng.random() * len(pods))]
                text, fields = template.fill(rng, scene)
                events.append((stamp, process.seed, LogLine(stamp, text, fields, self._origin(scene.pod))))
                gap = -math.log(1.0 - rng.random())
            gap -= (piece.end_ms - at) * per_ms
        return events

    def _template(self, pattern: LogPattern) -> Template:
        template = self._templates.get(pattern)
        if template is None:
            template = self._templates[pattern] = Template(pattern)
        return template

    def _origin(self, pod: str) -> LogOrigin:
        origin = self._origins.get(pod)
        if origin is None:
            origin = self._origins[pod] = self._new_origin(pod)
        return origin

    def _new_origin(self, pod: str) -> LogOrigin:
        node, address = self._node_of(pod)
        scene = self._scene
        number = int.from_bytes(hashlib.blake2b(pod.encode(), digest_size=3).digest(), "big")
        return LogOrigin(
            source=address,
            filename=f"/var/log/pods/{scene.namespace}_{pod}/{scene.container}/0.log",
            hostname=node,
            tags=(
                ("cluster_id", self._cluster_id),
                ("container_name", scene.container),
                ("namespace", scene.namespace),
                ("pod_ip", f"172.16.{number >> 8 & 255}.{number & 255}"),
                ("pod_label_app", scene.workload),
                ("pod_name", pod),
            ),
        )


def _made_up_node(pod: str) -> tuple[str, str]:
    number = hashlib.blake2b(pod.encode(), digest_size=1).digest()[0] % 4
    return f"node-{number + 1}", f"10.0.0.{number + 11}"


def _instant(minute: int) -> datetime:
    return _EPOCH + minute * _MINUTE_MS * _MILLISECOND


def _mixed(numbers: Words) -> Words:
    """Scatter the bits of `numbers` (the finaliser of splitmix64)."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


def _first_gap(seeds: Words) -> Floats:
    """Return draws from the exponential distribution of mean 1 that only the seeds decide.

    A plain hash will do: seeding a generator is what costs most, and most patterns are rare.
    """
    unit = (_mixed(seeds + np.uint64(1)) >> np.uint64(11)) / 2.0**53
    return np.asarray(-np.log(1.0 - unit))
