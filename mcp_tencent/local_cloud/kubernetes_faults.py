"""Faults of a Kubernetes API itself: requests that a scenario has the server refuse, whatever they ask for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_tencent.local_cloud.scenario.model import KubernetesFault
from mcp_tencent.local_cloud.simulation import Clock

_RESOURCE_PATH = re.compile(
    r"/(?:api/v1|apis/[^/]+/[^/]+)(?:/namespaces/(?P<namespace>[^/]+))?/(?P<resource>[^/]+)"
    r"(?:/(?P<name>[^/]+))?(?:/[^/]+)?"
)


@dataclass(slots=True, kw_only=True)
class RefusalRule:
    """A KubernetesFault with its times made instants, and how many requests it has met."""

    fault: KubernetesFault
    begins: datetime | None
    ends: datetime | None
    met: int = field(default=0)

    def refuses(self, method: str, path: str, now: datetime) -> bool:
        """Return whether this request is refused, and count it if it is of the kind."""
        if (self.begins is not None and now < self.begins) or (self.ends is not None and now >= self.ends):
            return False
        found = _RESOURCE_PATH.fullmatch(path)
        if found is None or method not in self.fault.methods:
            return False
        wanted = (self.fault.namespace, self.fault.resource, self.fault.name)
        given = (found["namespace"] or "", found["resource"], found["name"] or "")
        if not all(want in ("*", got) for want, got in zip(wanted, given, strict=True)):
            return False
        self.met += 1
        return self.met > self.fault.lets_through


class RefusingApi:
    """An ASGI application in front of one cluster's API."""

    def __init__(self, api: ASGIApp, rules: Sequence[RefusalRule], clock: Clock) -> None:
        self._api = api
        self._rules = rules
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            # A dry run changes nothing, so it neither counts nor is it refused.
            dry = b"dryRun=" in scope.get("query_string", b"")
            for rule in self._rules:
                if not dry and rule.refuses(scope["method"], path, self._clock.now()):
                    await _refusal(rule.fault)(scope, receive, send)
                    return
        await self._api(scope, receive, send)


def _refusal(fault: KubernetesFault) -> JSONResponse:
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": fault.message,
        "reason": fault.reason,
        "code": fault.status,
    }
    return JSONResponse(status, status_code=fault.status)
