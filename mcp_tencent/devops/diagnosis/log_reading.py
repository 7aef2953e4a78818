"""Reads what a workload wrote: counts over time and samples from the log service, else from its pods."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mcp_tencent.devops.diagnosis.bursts import Burst, error_bursts, warning_bursts
from mcp_tencent.devops.diagnosis.evidence import LogBucket, LogEvidence, LogHistory, SampleLine
from mcp_tencent.devops.diagnosis.log_signs import sign_of
from mcp_tencent.errors import CloudError
from mcp_tencent.models.clusters import Cluster, Place
from mcp_tencent.models.logs import Histogram, LogLine, SortOrder, TopicIndex
from mcp_tencent.models.workloads import Pod, WorkloadRef
from mcp_tencent.ports import Clouds, LogService, Workloads

CLOSE = (timedelta(hours=6), timedelta(minutes=2))
"""Looked at first: length and width of a bucket."""
FAR = (timedelta(hours=48), timedelta(minutes=15))
"""Looked at when the trouble began before that, or none is found there."""
SAMPLES = 150
EARLIER_SAMPLES = 80
EARLIER = timedelta(hours=3)
LATELY = timedelta(hours=1)
MOST_TOPICS = 12
PODS_READ = 3
POD_TAIL = 200

_NAMES = (
    "workload", "workload_name", "app", "service", "pod_label_app", "container_name",
)  # fmt: skip
_NAMESPACES = ("namespace", "namespace_name")
_LEVELS = ("level", "severity", "log_level", "loglevel")
_TAG = "__TAG__."
_ERRORS = ("ERROR", "FATAL", "CRITICAL")
_WARNINGS = ("WARN", "WARNING")
_WORDS_OF_ERROR = "(ERROR OR FATAL OR Exception OR Traceback OR panic)"
_WORDS_OF_WARNING = "(WARN OR WARNING)"
_DEPENDENCIES = ("dependency", "peer.service", "peer_service", "upstream", "downstream", "remote_service")
_BAD = re.compile(
    r"\b(error|fatal|warn(ing)?|exception|panic|traceback)\b|失败|异常|错误|超时", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogScope:
    """Where one workload's lines are, and how to tell them from others."""

    topic_id: str
    own: str
    """Matches every line of the workload."""
    errors: str
    """Matches lines that are errors, in terms of the topic's index."""
    warnings: str

    @property
    def bad(self) -> str:
        """Matches the workload's errors and warnings."""
        return f"{self.own} AND ({self.errors} OR {self.warnings})"


def scope_of(index: TopicIndex, ref: WorkloadRef) -> LogScope | None:
    """Return how a topic tells a workload's lines, or None when its index has no field for that (pure)."""
    known = {field.name for field in index.fields}
    name = _indexed(known, _NAMES)
    if name is None:
        return None
    own = f'{name}:"{ref.name}"'
    namespace = _indexed(known, _NAMESPACES)
    if namespace is not None:
        own = f'{own} AND {namespace}:"{ref.namespace}"'
    level = _indexed(known, _LEVELS)
    return LogScope(
        topic_id=index.topic_id,
        own=own,
        errors=_one_of(level, _ERRORS) if level else _WORDS_OF_ERROR,
        warnings=_one_of(level, _WARNINGS) if level else _WORDS_OF_WARNING,
    )


def _indexed(known: set[str], names: Sequence[str]) -> str | None:
    return next((n for name in names for n in (name, _TAG + name) if n in known), None)


def _one_of(key: str, values: Sequence[str]) -> str:
    return "(" + " OR ".join(f'{key}:"{value}"' for value in values) + ")"


class LogReading:
    """Finds a workload's topic and reads from it.

    Args:
        clouds: All configured accounts and regions.
    """

    def __init__(self, clouds: Clouds) -> None:
        self._clouds = clouds

    async def read(self, cluster: Cluster, ref: WorkloadRef, now: datetime) -> LogEvidence | None:
        """Return what the log service has of a workload; None when no topic has a line of it.

        Raises:
            CloudError: The log service does not answer.
        """
        found = await self.scope(cluster, ref, now)
        if found is None:
            return None
        logs, scope = found
        history = await _history(logs, scope, now, *CLOSE)
        burst = _burst_of(history)
        if burst is None or not burst.known_start:
            history = await _history(logs, scope, now, *FAR)
            burst = _burst_of(history)
        begin, end = _trouble(burst, now)
        recent, earlier = await asyncio.gather(
            logs.search(scope.topic_id, scope.bad, max(begin, end - LATELY), end, limit=SAMPLES),
            logs.search(
                scope.topic_id, scope.bad, begin - EARLIER, begin, limit=EARLIER_SAMPLES,
                order=SortOrder.NEWEST_FIRST,
            ),
        )  # fmt: skip
        return LogEvidence(
            history=history,
            recent=tuple(sample_of(line) for line in recent.lines),
            earlier=tuple(sample_of(line) for line in earlier.lines),
        )

    async def scope(
        self, cluster: Cluster, ref: WorkloadRef, now: datetime
    ) -> tuple[LogService, LogScope] | None:
        """Return where a workload writes: the cluster's own topic, else whichever has most lines of it."""
        topics = await self._clouds.cluster_service(cluster.place).topics(cluster.cluster_id)
        place = Place(account=cluster.place.account, region=topics.topic_region or cluster.place.region)
        logs = self._clouds.logs(place)
        first = [topics.workload_topic_id] if topics.workload_topic_id else []
        found = await self._busiest(logs, first, ref, now)
        if found is None:
            others = [topic.topic_id for topic in await logs.topics() if topic.topic_id not in first]
            found = await self._busiest(logs, others[:MOST_TOPICS], ref, now)
        return None if found is None else (logs, found)

    async def _busiest(
        self, logs: LogService, topic_ids: Sequence[str], ref: WorkloadRef, now: datetime
    ) -> LogScope | None:
        indexes = await asyncio.gather(*(logs.index(topic_id) for topic_id in topic_ids))
        scopes = [scope for index in indexes if (scope := scope_of(index, ref)) is not None]
        totals = await asyncio.gather(
            *(logs.histogram(scope.topic_id, scope.own, now - LATELY * 12, now) for scope in scopes)
        )
        best = max(zip(totals, scopes, strict=True), key=lambda pair: pair[0].total, default=None)
        return best[1] if best is not None and best[0].total > 0 else None


async def _history(
    logs: LogService, scope: LogScope, now: datetime, length: timedelta, width: timedelta
) -> LogHistory:
    begin = datetime.fromtimestamp(
        (now - length).timestamp() // width.total_seconds() * width.total_seconds(), UTC
    )
    begin += width  # Whole buckets only, and no more of them than the service gives.
    every, errors, warnings = await asyncio.gather(
        logs.histogram(scope.topic_id, scope.own, begin, now, interval=width),
        logs.histogram(scope.topic_id, f"{scope.own} AND {scope.errors}", begin, now, interval=width),
        logs.histogram(scope.topic_id, f"{scope.own} AND {scope.warnings}", begin, now, interval=width),
    )
    return history_of(begin, now, width, every, errors, warnings)


def history_of(
    begin: datetime,
    now: datetime,
    width: timedelta,
    every: Histogram,
    errors: Histogram,
    warnings: Histogram,
) -> LogHistory:
    """Lay three histograms of the same stretch of time over each other (pure)."""
    counted = [_by_start(histogram, begin, width) for histogram in (every, errors, warnings)]
    buckets = int((now - begin) / width) + ((now - begin) % width > timedelta(0))
    return LogHistory(
        interval=width,
        buckets=tuple(
            LogBucket(
                start=begin + index * width,
                lines=counted[0].get(index, 0),
                errors=counted[1].get(index, 0),
                warnings=counted[2].get(index, 0),
            )
            for index in range(buckets)
        ),
    )


def _by_start(histogram: Histogram, begin: datetime, width: timedelta) -> Mapping[int, int]:
    counts: dict[int, int] = {}
    for bucket in histogram.buckets:
        # A first bucket that the service lays a little before the beginning still belongs to it.
        index = max(0, (bucket.start - begin) // width)
        counts[index] = counts.get(index, 0) + bucket.count
    return counts


def _burst_of(history: LogHistory) -> Burst | None:
    for bursts in (error_bursts(history), warning_bursts(history)):
        if bursts.found:
            return bursts.found[-1]
    return None


def _trouble(burst: Burst | None, now: datetime) -> tuple[datetime, datetime]:
    """Return from when to when the lines of the trouble are looked for."""
    if burst is None:
        return now - LATELY, now
    return burst.start, now if burst.ongoing else burst.end


def sample_of(line: LogLine) -> SampleLine:
    """Return a found line as a sample (pure)."""
    fields = {name.removeprefix(_TAG): value for name, value in line.fields.items()}
    return SampleLine(
        at=line.at,
        text=line.text,
        pod=fields.get("pod_name", ""),
        dependency=next((fields[name] for name in _DEPENDENCIES if fields.get(name)), ""),
    )


async def read_pods(inside: Workloads, pods: Sequence[Pod]) -> LogEvidence | None:
    """Return what the pods themselves remember of errors; None when none could be read."""
    chosen = [pod for pod in pods if not pod.deleting][:PODS_READ]
    samples: list[SampleLine] = []
    read = False
    for pod in chosen:
        try:
            log = await inside.pod_log(pod.namespace, pod.name, tail=POD_TAIL)
        except CloudError:
            continue  # A container that has not started has no output.
        read = True
        samples += [
            SampleLine(at=line.at, text=line.text, pod=pod.name, dependency="")
            for line in log.lines
            if _BAD.search(line.text) or sign_of(line.text) is not None
        ]
    return LogEvidence(history=None, recent=tuple(samples), earlier=()) if read else None
