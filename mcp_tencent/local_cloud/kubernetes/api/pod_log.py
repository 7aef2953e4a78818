"""GET …/pods/<name>/log: what a container wrote, cut to one of its runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.api.request import ApiRequest
from mcp_tencent.local_cloud.kubernetes.api.streams import Stream
from mcp_tencent.local_cloud.kubernetes.cluster import KubernetesCluster
from mcp_tencent.local_cloud.kubernetes.errors import BadRequestError
from mcp_tencent.local_cloud.kubernetes.instants import from_text
from mcp_tencent.local_cloud.kubernetes.kubelet.containers import Run

_ROTATED_AT_BYTES = 10 * 2**20
"""The kubelet rotates a container's log at this size; older lines cannot be read any more."""
_FIRST_WINDOW = timedelta(minutes=5)
_FOLLOW_SECONDS = 4 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """Which lines are wanted."""

    namespace: str
    pod: str
    uid: str
    container: str
    previous: bool
    run: Run
    since: datetime | None
    tail: int | None
    limit_bytes: int | None
    timestamps: bool


def log_query(cluster: KubernetesCluster, request: ApiRequest, pod: KubernetesObject) -> LogQuery | None:
    """Return what a log request asks for; None when the container has written nothing yet.

    Raises:
        BadRequestError: there is no such container, or it has no such log.
    """
    metadata = pod["metadata"]
    names = [item["name"] for item in pod["spec"]["containers"]]
    container = request.query.get("container", "") or (names[0] if len(names) == 1 else "")
    if not container:
        raise BadRequestError(
            f"a container name must be specified for pod {metadata['name']}, choose one of: "
            f"[{' '.join(names)}]"
        )
    init = [item["name"] for item in pod["spec"].get("initContainers") or ()]
    if container not in names and container not in init:
        raise BadRequestError(f"container {container[:100]} is not valid for pod {metadata['name']}")
    if container in init:
        return None
    previous = request.flag("previous")
    run = cluster.kubelet.run(metadata["uid"], container, previous=previous)
    if run is None:
        raise BadRequestError(_why_no_log(pod, container, previous=previous))
    return LogQuery(
        namespace=metadata["namespace"],
        pod=metadata["name"],
        uid=metadata["uid"],
        container=container,
        previous=previous,
        run=run,
        since=_since(request, cluster.simulation.now),
        tail=request.number("tailLines"),
        limit_bytes=request.number("limitBytes"),
        timestamps=request.flag("timestamps"),
    )


def read_log(cluster: KubernetesCluster, query: LogQuery) -> bytes:
    """Return the wanted lines, up to now."""
    start = max(query.run.start, query.since) if query.since is not None else query.run.start
    end = min(query.run.end or cluster.simulation.now, cluster.simulation.now)
    lines = _newest(cluster, query, start, end)
    if query.tail is not None:
        lines = lines[len(lines) - query.tail :] if query.tail < len(lines) else lines
    text = b"".join(_written(lines, timestamps=query.timestamps))
    return text if query.limit_bytes is None else text[: query.limit_bytes]


def follow_log(cluster: KubernetesCluster, query: LogQuery) -> Stream:
    """Return the stream of the wanted lines and of those to come, until the run ends."""
    return Stream(content_type="text/plain", pieces=_Follower(cluster, query).pieces, seconds=_FOLLOW_SECONDS)


class _Follower:
    """Reads on where it stopped."""

    def __init__(self, cluster: KubernetesCluster, query: LogQuery) -> None:
        self._cluster = cluster
        self._query = query
        self._read_until: datetime | None = None

    def pieces(self) -> Iterator[bytes] | None:
        """Return what was written since the last call; None when the run is over and read to its end."""
        cluster, query = self._cluster, self._query
        if self._read_until is None:
            self._read_until = cluster.simulation.now
            return iter([read_log(cluster, query)])
        run = cluster.kubelet.run(query.uid, query.container, previous=False)
        is_same = run is not None and run.start == query.run.start
        is_over = not is_same or (run is not None and run.end is not None)
        begin, end = self._read_until, cluster.simulation.now
        if is_same and run is not None and run.end is not None:
            end = min(run.end, end)
        if end <= begin:
            return None if is_over else iter(())
        self._read_until = end
        lines = _physical_lines(cluster, query, begin, end)
        return _written(lines, timestamps=query.timestamps)


def _newest(
    cluster: KubernetesCluster, query: LogQuery, start: datetime, end: datetime
) -> list[tuple[datetime, str]]:
    """Return the newest lines in [start, end): enough for the tail, at most one unrotated file.

    Walks back in growing windows, so that a short tail of a pod that has run for days costs little.
    """
    found: list[tuple[datetime, str]] = []
    size, window = 0, _FIRST_WINDOW
    while end > start and size < _ROTATED_AT_BYTES and (query.tail is None or len(found) < query.tail):
        begin = max(start, end - window)
        lines = list(_physical_lines(cluster, query, begin, end))
        size += sum(len(text) + 1 for _, text in lines)
        found = lines + found
        end, window = begin, window * 2
    return found


def _physical_lines(
    cluster: KubernetesCluster, query: LogQuery, begin: datetime, end: datetime
) -> Iterator[tuple[datetime, str]]:
    """Yield what stands in the container's file: a stack trace is many lines there, each with its time."""
    for at, text in cluster.pod_logs.lines(query.namespace, query.pod, query.container, begin, end):
        for line in text.split("\n"):
            yield at, line


def _written(lines: Iterable[tuple[datetime, str]], *, timestamps: bool) -> Iterator[bytes]:
    for at, text in lines:
        prefix = f"{at:%Y-%m-%dT%H:%M:%S.%f}000Z " if timestamps else ""
        yield f"{prefix}{text}\n".encode("utf-8", "replace")


def _since(request: ApiRequest, now: datetime) -> datetime | None:
    seconds, text = request.number("sinceSeconds"), request.query.get("sinceTime", "")
    if seconds is not None and text:
        raise BadRequestError("at most one of `sinceTime` or `sinceSeconds` may be specified")
    if seconds is not None:
        return now - timedelta(seconds=min(seconds, 10 * 365 * 86_400))
    if not text:
        return None
    try:
        return from_text(text)
    except (ValueError, OverflowError):
        raise BadRequestError(f'parsing time "{text[:60]}": it must be an RFC 3339 instant') from None


def _why_no_log(pod: KubernetesObject, container: str, *, previous: bool) -> str:
    name = pod["metadata"]["name"]
    if previous:
        return f'previous terminated container "{container}" in pod "{name}" not found'
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    state = next((item.get("state") or {} for item in statuses if item["name"] == container), {})
    reason = (state.get("waiting") or {}).get("reason", "ContainerCreating")
    if reason in {"ErrImagePull", "ImagePullBackOff"}:
        reason = "trying and failing to pull image"
    return f'container "{container}" in pod "{name}" is waiting to start: {reason}'
