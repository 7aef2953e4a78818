"""Watches: what was written since a resource version, as it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.api.conversion import to_served
from mcp_tencent.local_cloud.kubernetes.api.reading import Chosen, chosen_by, encode, select
from mcp_tencent.local_cloud.kubernetes.api.request import ApiRequest, Target, answer_form
from mcp_tencent.local_cloud.kubernetes.api.streams import Stream
from mcp_tencent.local_cloud.kubernetes.api.tables import table
from mcp_tencent.local_cloud.kubernetes.cluster import KubernetesCluster
from mcp_tencent.local_cloud.kubernetes.errors import BadRequestError, ExpiredError
from mcp_tencent.local_cloud.kubernetes.store import Change

_DEFAULT_SECONDS = 1800.0
_INITIAL_END = "k8s.io/initial-events-end"


def watch(cluster: KubernetesCluster, request: ApiRequest, target: Target) -> Stream:
    """Return the stream of a watch request.

    Raises:
        BadRequestError: a selector or the resource version cannot be read.
    """
    text = request.query.get("resourceVersion", "")
    if not (text.isascii() and (text.isdigit() or not text) and len(text) <= 19):
        raise BadRequestError(
            f'Invalid value: "{text[:40]}": strconv.ParseUint: parsing "{text[:40]}": invalid syntax'
        )
    initial = request.flag("sendInitialEvents")
    watcher = _Watcher(
        cluster=cluster,
        target=target,
        chosen=chosen_by(request, target),
        write=_writer(cluster, request, target),
        version=int(text or 0),
        bookmarks=request.flag("allowWatchBookmarks"),
        first=select(cluster, request, target) if text in {"", "0"} or initial else None,
        tells_end=initial,
    )
    seconds = request.number("timeoutSeconds")
    return Stream(
        content_type="application/json",
        pieces=watcher.pieces,
        seconds=float(min(seconds, 86_400)) if seconds else _DEFAULT_SECONDS,
        last=watcher.last_bookmark,
    )


def _writer(
    cluster: KubernetesCluster, request: ApiRequest, target: Target
) -> Callable[[KubernetesObject], KubernetesObject]:
    form = answer_form(request.headers.get("accept", ""))
    whole = request.query.get("includeObject", "Metadata")

    def write(stored: KubernetesObject) -> KubernetesObject:
        if form.kind == "Table":
            version = {"resourceVersion": stored["metadata"]["resourceVersion"]}
            return table(target.resource.kind, [stored], cluster.simulation.now, version, whole=whole)
        if form.kind:
            return {
                "kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": stored["metadata"],
            }
        return to_served(target.resource, stored)

    return write


@dataclass(slots=True, kw_only=True)
class _Watcher:
    cluster: KubernetesCluster
    target: Target
    chosen: Chosen
    write: Callable[[KubernetesObject], KubernetesObject]
    version: int
    bookmarks: bool
    first: list[KubernetesObject] | None
    """Objects to tell of before anything else; None when the watch goes on from a version."""
    tells_end: bool
    ended: bool = False

    def pieces(self) -> Iterator[bytes] | None:
        """Return the events since the last call; None after an error event."""
        if self.ended:
            return None
        return self._events()

    def last_bookmark(self) -> bytes:
        """Return the bookmark with which the watch ends, where the client wants one."""
        return self._bookmark({}) if self.bookmarks else b""

    def _events(self) -> Iterator[bytes]:
        if self.first is not None:
            first, self.first = self.first, None
            self.version = self.cluster.store.version
            for item in first:
                yield self._event("ADDED", self.write(item))
            if self.tells_end:
                yield self._bookmark({"annotations": {_INITIAL_END: "true"}})
        changes = self.cluster.store.changes_since(self.version)
        if changes is None:
            self.ended = True
            error = ExpiredError(f"too old resource version: {self.version} ({self.cluster.store.version})")
            yield self._event("ERROR", error.status())
            return
        for change in changes:
            self.version = change.version
            event = self._seen(change)
            if event is not None:
                yield self._event(event, self.write(change.object))

    def _seen(self, change: Change) -> str | None:
        """Return how a change looks through the selectors, or None when it cannot be seen."""
        if change.kind != self.target.resource.kind:
            return None
        if self.target.namespace and change.namespace != self.target.namespace:
            return None
        before = change.previous is not None and self.chosen(change.previous)
        now = change.type != "DELETED" and self.chosen(change.object)
        if now:
            return "MODIFIED" if before else "ADDED"
        return "DELETED" if before else None

    def _bookmark(self, metadata: KubernetesObject) -> bytes:
        resource = self.target.resource
        body = {
            "kind": resource.kind,
            "apiVersion": resource.api_version,
            "metadata": {"resourceVersion": str(self.version), "creationTimestamp": None, **metadata},
        }
        return self._event("BOOKMARK", body)

    def _event(self, kind: str, body: KubernetesObject) -> bytes:
        return encode({"type": kind, "object": body}) + b"\n"
