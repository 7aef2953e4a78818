"""Faults of a Kubernetes API itself: requests that a scenario has the server refuse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mcp_tencent.local_cloud.kubernetes.ports import ApiCall, Refusal
from mcp_tencent.local_cloud.scenario.model import KubernetesFault
from mcp_tencent.local_cloud.simulation import Clock


@dataclass(slots=True, kw_only=True)
class RefusalRule:
    """A KubernetesFault with its times made instants, and how many requests it has met."""

    fault: KubernetesFault
    begins: datetime | None
    ends: datetime | None
    met: int = field(default=0)

    def refuses(self, call: ApiCall, now: datetime) -> bool:
        """Return whether `call` is refused, and count it if it is of the kind; a dry run is neither."""
        if call.dry_run:
            return False
        if (self.begins is not None and now < self.begins) or (self.ends is not None and now >= self.ends):
            return False
        wanted = (self.fault.namespace, self.fault.resource, self.fault.name)
        given = (call.namespace, call.resource.partition("/")[0], call.name)
        if call.method not in self.fault.methods:
            return False
        if not all(want in ("*", got) for want, got in zip(wanted, given, strict=True)):
            return False
        self.met += 1
        return self.met > self.fault.lets_through


class ScenarioRequestFaults:
    """The RequestFaults of one cluster."""

    def __init__(self, rules: Sequence[RefusalRule], clock: Clock) -> None:
        self._rules = rules
        self._clock = clock

    def refusal(self, call: ApiCall) -> Refusal | None:
        """Return how to refuse `call`, or None to let it through."""
        now = self._clock.now()
        for rule in self._rules:
            if rule.refuses(call, now):
                fault = rule.fault
                return Refusal(status=fault.status, reason=fault.reason, message=fault.message)
        return None
