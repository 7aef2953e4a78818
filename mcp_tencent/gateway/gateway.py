"""The order of the policies: one list, outermost first."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from mcp_tencent.gateway.arguments import Check, CheckArguments
from mcp_tencent.gateway.audit import Audit, AuditStart
from mcp_tencent.gateway.audit_trail import AuditTrail
from mcp_tencent.gateway.authorise import authorise
from mcp_tencent.gateway.breaker import Breaker
from mcp_tencent.gateway.cache import ReadCache
from mcp_tencent.gateway.call import Chain, Clock
from mcp_tencent.gateway.confirm import Confirm, Confirmations, NoPlans, PlanApproval
from mcp_tencent.gateway.deadline import deadline
from mcp_tencent.gateway.idempotency import Idempotency, KeyStore
from mcp_tencent.gateway.observe import Observe
from mcp_tencent.gateway.rate_limit import RateLimit
from mcp_tencent.gateway.redact import Redact, masked_arguments


class Gateway:
    """Policy around every tool of one process; its servers share it, and with it limits, breakers and cache.

    Args:
        engine: Where confirmations, keys and the audit are kept.
        clock: Tells the time to every policy.
        metrics: Where calls are counted.
        plans: The guards that approve what service jobs do.
        anchor: File that keeps the end of the audit chain outside the database.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        *,
        metrics: CollectorRegistry | None = None,
        plans: PlanApproval | None = None,
        anchor: Path | None = None,
    ) -> None:
        self.clock = clock
        self.engine = engine
        self.metrics = metrics or CollectorRegistry()
        self.trail = AuditTrail(engine, anchor)
        self.breaker = Breaker(clock)
        observe = Observe(self.metrics)
        audit = Audit(self.trail, clock, masked=masked_arguments, lost=observe.audit_line_lost)
        idempotency = Idempotency(KeyStore(engine, clock), clock)
        self._checks: dict[str, Check] = {}
        self.chain = Chain(
            (
                observe,
                audit,
                authorise,
                CheckArguments(self._checks),
                Confirm(Confirmations(engine, clock), plans or NoPlans(), idempotency.settled),
                idempotency,
                ReadCache(clock),
                RateLimit(clock),
                self.breaker,
                AuditStart(audit),
                deadline,
                Redact(),
            )
        )

    def learn(self, checks: Mapping[str, Check]) -> None:
        """Take in how the arguments of further tools are checked.

        Raises:
            ValueError: Two tools of one process have the same name.
        """
        for name in checks:
            if name in self._checks:
                raise ValueError(f"two tools are called {name}: give one server a prefix")
        self._checks.update(checks)
