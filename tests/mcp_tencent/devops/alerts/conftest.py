"""Alerts of the shipped scenarios with their true causes, read through the real adapters."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from mcp_tencent.devops.alerts.alert import Alert, Topology
from mcp_tencent.devops.alerts.reading import AlertReader
from mcp_tencent.devops.policy.model import Policy
from mcp_tencent.local_cloud.scenario.model import Scenario
from mcp_tencent.local_cloud.scenario.reading import load_scenario, shipped_scenarios
from tests.mcp_tencent.basic.office import office_at, standing

_LOOK_BACK = timedelta(hours=48)
_NO_ALERTS = {"quiet", "large", "log-anomaly"}
_CLOUD_IN_TROUBLE = {"api-outage", "api-throttling", "wrong-credentials"}
"""What they show has its tests elsewhere; nothing, or little, can be read there."""


@dataclass(frozen=True)
class LabelledDay:
    """What one scenario raised, and why."""

    scenario: str
    alerts: Sequence[Alert]
    labels: Mapping[str, str]
    topology: Topology


@pytest.fixture(scope="session")
def scenario_alerts(tmp_path_factory: pytest.TempPathFactory) -> Sequence[LabelledDay]:
    """Read every shipped scenario once."""
    wanted = [name for name in shipped_scenarios() if name not in _NO_ALERTS | _CLOUD_IN_TROUBLE]
    return [asyncio.run(_read(name, tmp_path_factory.mktemp(name))) for name in wanted]


async def _read(name: str, folder: Path) -> LabelledDay:
    with standing(name) as cloud:
        async with office_at(cloud, folder) as office:
            now = office.desk.now()
            reading = await AlertReader(office.desk, Policy()).read(now - _LOOK_BACK, now)
    causes = _causes(load_scenario(name))
    labels = {
        alert.record.record_id: causes[alert.record.alarm_name]
        for alert in reading.alerts
        if alert.record.alarm_name in causes
    }
    return LabelledDay(name, reading.alerts, labels, reading.topology)


def _causes(scenario: Scenario) -> dict[str, str]:
    """Return the true cause of each alarm; noise has none that its alerts could share."""
    return {
        alerts.alarm: truth.id
        for truth in scenario.truth
        if truth.cause != "noise"
        for alerts in truth.alerts
    }
