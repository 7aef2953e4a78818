"""A language model's second look at the worst alerts: asked of few, bounded, and no more than advice.

What it says moves factors within the bounds of `alerts.advice`, so an incident gets at most one tier more of
attempts. What the weights learn from stays what the rules gave.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from mcp_tencent.basic.workload_answers import PodLogAnswer
from mcp_tencent.client import CloudTools, Place
from mcp_tencent.devops.alerts.advice import FactorAdviser, FactorQuestion, advised
from mcp_tencent.devops.alerts.scoring import Factors, ScoredAlert
from mcp_tencent.devops.policy.model import Policy, Weights
from mcp_tencent.errors import CloudError
from scheduler.digest_facts import FactorProposal
from scheduler.night import Candidate

MOST_ASKED = 5
"""Of the worst troubles; each question may take as long as the model's deadline."""
_AT_ONCE = 2
_LINES = 20


async def second_look(
    candidates: Sequence[Candidate],
    weights: Weights,
    *,
    adviser: FactorAdviser,
    tools: CloudTools,
    policy: Policy,
) -> list[Candidate]:
    """Return the candidates, the worst of them scored with the adviser's advice; in their order.

    Args:
        candidates: Worst first.
        weights: That they were scored with.
        adviser: Who is asked.
        tools: For the log lines that it gets to see.
        policy: Whose tiers bound a rise.
    """
    turns = asyncio.Semaphore(_AT_ONCE)

    async def look(one: Candidate) -> Candidate:
        async with turns:
            return await _looked_at(one, weights, adviser, tools, policy)

    seen = await asyncio.gather(*map(look, candidates[:MOST_ASKED]))
    return [*seen, *candidates[MOST_ASKED:]]


async def _looked_at(
    one: Candidate, weights: Weights, adviser: FactorAdviser, tools: CloudTools, policy: Policy
) -> Candidate:
    alert, factors = one.alert, Factors(**dict(one.factors))
    advice = await adviser.advise(
        FactorQuestion(
            title=alert.title,
            factors=factors,
            reasons=alert.because,
            log_lines=await _error_lines(one, tools),
        )
    )
    scored = ScoredAlert(score=alert.score, factors=factors, reasons=(), weights_version=one.weights_version)
    found = advised(scored, advice, policy, weights)
    if not found.taken:
        return one
    score = found.scored.score
    proposals = tuple(
        FactorProposal(
            factor=each.factor,
            rule_value=getattr(factors, each.factor),
            value=each.value,
            reason=each.reason,
        )
        for each in found.taken
    )
    priority = policy.notices.priority(score).value
    return replace(one, alert=replace(alert, score=score, priority=priority, proposals=proposals))


async def _error_lines(one: Candidate, tools: CloudTools) -> tuple[str, ...]:
    """Return the workload's latest errors, redacted by the gateway; nothing where they cannot be read."""
    place = Place(workload=one.alert.workload, namespace=one.alert.namespace, cluster=one.alert.cluster_id)
    try:
        log = await tools.call(
            "pod_logs", {**place.arguments, "tail": 500, "contains": "ERROR"}, PodLogAnswer
        )
    except CloudError:
        return ()
    return tuple(line.text for line in log.lines[-_LINES:])
