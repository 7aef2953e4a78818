"""Counts and times for Prometheus, and attributes for a trace when OpenTelemetry is on.

The MCP SDK opens a span for each message through the OpenTelemetry API, which does nothing until the optional
`otel` extra is installed and configured. Labels are tool names and outcomes only: no person, no argument.
"""

from __future__ import annotations

import time

from opentelemetry import trace
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from mcp_tencent.gateway.call import Proceed, Result, ToolCall
from mcp_tencent.gateway.errors import code_of
from mcp_tencent.gateway.failures import foreseen

SECONDS = (0.005, 0.02, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 120.0, 300.0)


class Observe:
    """Counts every call by tool and outcome.

    Args:
        registry: Where the metrics are kept; one for each process.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls = Counter(
            "xiaozhi_tool_calls",
            "Tool calls by outcome.",
            ("tool", "risk", "outcome", "origin"),
            registry=registry,
        )
        self._seconds = Histogram(
            "xiaozhi_tool_call_seconds",
            "Time a tool call took.",
            ("tool",),
            buckets=SECONDS,
            registry=registry,
        )
        self._under_way = Gauge(
            "xiaozhi_tool_calls_under_way", "Tool calls now under way.", registry=registry
        )
        self._audit_lost = Counter(
            "xiaozhi_audit_lines_lost", "Audit lines that could not be written.", registry=registry
        )

    async def __call__(self, call: ToolCall, proceed: Proceed) -> Result:
        """Apply the policy to `call`."""
        begun = time.perf_counter()
        outcome, origin = "cancelled", ""
        self._under_way.inc()
        try:
            result = await proceed(call)
            outcome, origin = result.outcome, result.origin.value
        except Exception as error:
            outcome = code_of(error) if foreseen(error) else "crashed"
            raise
        finally:
            self._under_way.dec()
            self._calls.labels(call.tool.name, call.tool.risk.value, outcome, origin).inc()
            self._seconds.labels(call.tool.name).observe(time.perf_counter() - begun)
            span = trace.get_current_span()
            if span.is_recording():
                span.set_attribute("xiaozhi.outcome", outcome)
                span.set_attribute("xiaozhi.trace_id", call.trace_id)
        return result

    def audit_line_lost(self, call: ToolCall) -> None:
        """Count an audit line that could not be written."""
        self._audit_lost.inc()
