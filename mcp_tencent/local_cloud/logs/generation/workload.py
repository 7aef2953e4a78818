"""The log lines of one workload, made from its timeline.

Each pattern is a Poisson process whose rate follows the timeline. Its events come from a random generator of
their own, seeded by workload, minute and pattern, and a line depends on nothing that happens after it. So a
minute can be made in any order and in parts, and the running minute can be read up to now.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import itemgetter

from mcp_tencent.local_cloud.conditions import Condition, LogPattern, Stretch, Timeline
from mcp_tencent.local_cloud.logs.generation.season import Season
from mcp_tencent.local_cloud.logs.generation.slots import Scene, Template
from mcp_tencent.local_cloud.logs.lines import LogLine, LogOrigin

_MINUTE_MS = 60_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_MASK = 2**64 - 1
_GOLDEN = 0x9E3779B97F4A7C15
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


@dataclass(slots=True)
class _Process:
    """One pattern within one minute."""

    template: Template
    seed: int
    pieces: list[_Piece] = field(default_factory=list)


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
        first = start_ms // _MINUTE_MS
        whole = _EPOCH + first * _MINUTE_MS * _MILLISECOND
        stretches = self._timeline.stretches(whole, _EPOCH + end_ms * _MILLISECOND)
        for minute in range(first, -(-end_ms // _MINUTE_MS)):
            for line in self._minute(minute, stretches, end_ms):
                if line.timestamp_ms >= start_ms:
                    yield line

    def pod_lines(self, pod: str, start: datetime, end: datetime) -> Iterator[LogLine]:
        """Return those lines that `pod` wrote."""
        origin = self._origin(pod)
        return (line for line in self.lines(start, end) if line.origin is origin)

    def _minute(self, minute: int, stretches: Iterable[Stretch], end_ms: int) -> list[LogLine]:
        processes: dict[tuple[LogPattern, int], _Process] = {}
        minute_start = minute * _MINUTE_MS
        season = self._season.factor(_EPOCH + minute_start * _MILLISECOND)
        for stretch in stretches:
            low = max((stretch.start - _EPOCH) / _MILLISECOND, minute_start)
            high = min((stretch.end - _EPOCH) / _MILLISECOND, minute_start + _MINUTE_MS)
            if low < high and stretch.condition.pods:
                for name, per_minute in self._rates(stretch.condition, season):
                    process = processes.get(name)
                    if process is None:
                        template = self._template(name[0])
                        kind = self._seed ^ template.fingerprint
                        seed = _mixed(kind + name[1] + minute * _GOLDEN)
                        process = processes[name] = _Process(template, seed)
                    process.pieces.append(_Piece(low, high, per_minute / _MINUTE_MS, stretch.condition))
        lines: list[tuple[int, int, LogLine]] = []
        for process in processes.values():
            lines.extend(self._events(process, end_ms))
        lines.sort(key=itemgetter(0, 1))
        return [line for _, _, line in lines]

    def _rates(self, condition: Condition, season: float) -> Iterator[tuple[tuple[LogPattern, int], float]]:
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
            yield (pattern, 1 + same), pattern.per_minute

    def _events(self, process: _Process, end_ms: int) -> list[tuple[int, int, LogLine]]:
        """Walk along the pieces from event to event, until `end_ms`; return (ms, tie-breaker, line)."""
        events: list[tuple[int, int, LogLine]] = []
        # The first gap is a plain hash: most patterns are rare, and seeding a generator is what costs most.
        gap = -math.log(1.0 - _unit(process.seed))
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


def _mixed(number: int) -> int:
    """Scatter the bits of `number` (the finaliser of splitmix64)."""
    number &= _MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _MASK
    return number ^ (number >> 31)


def _unit(seed: int) -> float:
    """Return a number in [0, 1) that only `seed` decides."""
    return (_mixed(seed + 1) >> 11) / 2**53
