"""How many sentences of a set are understood exactly: every tool and every argument."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.planner.errors import CasesUnusable
from assistant.planner.inventory import Inventory
from assistant.planner.plan import LogLine, Outcome, Plan, PlannedCall, TurnContext
from assistant.planner.planner import Planner


class WrittenCall(BaseModel):
    """One call, as sets and results write it."""

    tool: str
    arguments: dict[str, Any] = Field(default_factory=dict)


class WrittenContext(BaseModel):
    """What the turn before left behind, as sets write it."""

    model_config = ConfigDict(extra="ignore")
    previous_say: str = ""
    last_call: WrittenCall | None = None
    last_workload: str = ""
    last_cluster: str = ""
    last_topic: str = ""
    last_pod: str = ""
    last_alert: Any = ""
    last_alerts: list[Any] = Field(default_factory=list)
    last_incident: Any = ""
    last_log: dict[str, Any] | None = None
    last_link: Any = ""
    last_manifest: Any = ""

    def context(self) -> TurnContext:
        """Return it as the planner takes it."""
        last = self.last_call
        return TurnContext(
            previous_say=self.previous_say,
            last_call=PlannedCall(tool=last.tool, arguments=last.arguments) if last else None,
            last_workload=self.last_workload,
            last_cluster=self.last_cluster,
            last_topic=self.last_topic,
            last_pod=self.last_pod,
            last_alert=_id_of(self.last_alert),
            last_alerts=tuple(_id_of(alert) for alert in self.last_alerts),
            last_incident=_id_of(self.last_incident),
            last_log=_log_line(self.last_log, self.last_topic) if self.last_log else None,
            last_link=_id_of(self.last_link),
            last_manifest=_id_of(self.last_manifest),
        )


class Case(BaseModel):
    """One sentence and the plans that are right for it."""

    model_config = ConfigDict(extra="ignore")
    id: str
    say: str
    context: WrittenContext | None = None
    expect: list[WrittenCall]
    accept: list[list[WrittenCall]] = Field(default_factory=list)

    @property
    def intent(self) -> str:
        """What is asked for, for the table: the tools in order."""
        return " + ".join(call.tool for call in self.expect) or "(nothing)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A case and what the planner made of it."""

    case: Case
    outcome: Outcome
    exact: bool


def read_cases(path: Path) -> list[Case]:
    """Read a set of cases, one JSON object a line.

    Raises:
        CasesUnusable: It cannot be read, or a line is no case.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [Case.model_validate_json(line) for line in lines if line.strip()]
    except (OSError, ValidationError, UnicodeDecodeError) as exc:
        raise CasesUnusable(f"cannot use {path}: {exc}") from exc


def judge(cases: Iterable[Case], planner: Planner, *, inventory: Inventory, now: datetime) -> list[Judged]:
    """Plan every case and compare."""
    judged = []
    for case in cases:
        context = case.context.context() if case.context else None
        outcome = planner.plan(case.say, inventory=inventory, now=now, context=context)
        plan = written(outcome)
        right = [[call.model_dump() for call in one] for one in (case.expect, *case.accept)]
        judged.append(Judged(case=case, outcome=outcome, exact=plan in right))
    return judged


def written(outcome: Outcome) -> list[dict[str, Any]]:
    """Return a plan as results write it; empty for a question or a no."""
    calls: Sequence[PlannedCall] = outcome.calls if isinstance(outcome, Plan) else ()
    return [{"tool": call.tool, "arguments": _plain(call.arguments)} for call in calls]


def by_intent(judged: Iterable[Judged]) -> dict[str, tuple[int, int]]:
    """Return exact and all cases by intent."""
    counts: dict[str, tuple[int, int]] = {}
    for one in judged:
        exact, total = counts.get(one.case.intent, (0, 0))
        counts[one.case.intent] = (exact + one.exact, total + 1)
    return dict(sorted(counts.items()))


def result_lines(judged: Iterable[Judged]) -> list[str]:
    """Return what `--out` writes: one `{"id", "plan"}` a line."""
    return [
        json.dumps({"id": one.case.id, "plan": written(one.outcome)}, ensure_ascii=False) for one in judged
    ]


def _plain(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in arguments.items()}


def _id_of(thing: Any) -> str:  # noqa: ANN401 - sets write ids bare or in objects
    if isinstance(thing, Mapping):
        return str(
            next((thing[key] for key in ("id", "alert", "incident", "link", "name") if key in thing), "")
        )
    return str(thing or "")


def _log_line(log: Mapping[str, Any], topic: str) -> LogLine:
    return LogLine(
        topic=str(log.get("topic", topic)),
        pkg_id=str(log.get("pkg_id", "")),
        pkg_log_id=str(log.get("pkg_log_id", "")),
        time=str(log.get("time", "")),
    )
