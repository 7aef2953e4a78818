"""The table of what a night must come to, as it stands in expectations.yaml."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict

from mcp_tencent.local_cloud.scenario.model import ApiFaults, Scenario
from mcp_tencent.local_cloud.scenario.reading import load_scenario


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ExpectedIncident(_Part):
    """One incident: what was tried, how it ended, how it is told."""

    workload: str
    cluster: str = ""
    end: str
    cause: str | None = None
    attempts: list[str] = []
    standing: str
    may_end_otherwise: bool = False
    """Its second look falls where the waits of other heals have moved the one clock: it may come too late."""


class Expectation(_Part):
    """One night."""

    name: str
    scenario: str
    kubernetes_faults_of: str = ""
    policy: dict[str, Any] = {}
    impatient: bool = False
    throttled: float | None = None
    next_morning: bool = False
    any_order: bool = False
    outcome: str = "succeeded"
    quiet: bool = False
    incidents: list[ExpectedIncident] = []
    acts: list[str] | Literal["any"] = []
    well: list[str] | None = None
    changed: list[str] = []
    recovered: list[str] = []
    anomalies: list[str] = []
    gaps: list[str] = []
    says: list[str] = []
    never_says: list[str] = []

    def world(self) -> Scenario:
        """The scenario, with the faults of another one's API where the case wants them."""
        scenario = load_scenario(self.scenario)
        if self.kubernetes_faults_of:
            faults = load_scenario(self.kubernetes_faults_of).api_faults
            scenario = scenario.model_copy(update={"api_faults": ApiFaults(kubernetes=faults.kubernetes)})
        changes: dict[str, object] = {}
        if self.impatient:
            changes["delay"] = timedelta(seconds=4)
        if self.throttled is not None:
            changes["share"] = self.throttled
        tencent = tuple(one.model_copy(update=changes) for one in scenario.api_faults.tencent)
        faults = scenario.api_faults.model_copy(update={"tencent": tencent})
        return scenario.model_copy(update={"api_faults": faults})

    @property
    def open_ended(self) -> set[tuple[str, str]]:
        """Workloads, with their clusters, whose end the night's order of events decides."""
        return {(one.workload, one.cluster) for one in self.incidents if one.may_end_otherwise}

    @property
    def healed(self) -> list[str]:
        """Workloads that an attempt healed, by acting on themselves."""
        return [
            one.workload
            for one in self.incidents
            if any(each.endswith("healed") and "@" not in each for each in one.attempts)
        ]


def expectations() -> list[Expectation]:
    """The whole table."""
    told = yaml.safe_load((Path(__file__).parent / "expectations.yaml").read_text(encoding="utf-8"))
    return [
        Expectation.model_validate({"name": name, "scenario": name} | (case or {}))
        for name, case in told.items()
    ]
