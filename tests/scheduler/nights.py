"""Nights on the real local cloud: in this process on a clock that waits move, or beside a hurried one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from assistant.home import find_home
from assistant.night_house import NightHouse, Tempo, let_heal, open_night
from assistant.servers import Installation, on_local_cloud
from assistant.settings import Settings
from mcp_tencent.cloud.calling import Calling, CallPolicy
from mcp_tencent.local_cloud.scenario.model import Scenario
from mcp_tencent.local_cloud.server import LocalCloud
from mcp_tencent.local_cloud.simulation import ManualClock
from tests.mcp_tencent.basic.office import ZONE, SteppingClock
from tests.mcp_tencent.devops.ward import calling, standing_cloud


@dataclass
class Night:
    """A cloud, and a house in which its nights are run."""

    cloud: LocalCloud
    installation: Installation
    house: NightHouse

    @property
    def today(self) -> date:
        return self.cloud.clock.now().astimezone(ZONE).date()

    def acts(self) -> list[str]:
        """Every write that the audit has, by tool."""
        reading = {"list_", "describe_", "plan_", "verify_", "diagnose", "summarize_", "log_", "detect_"}
        reading |= {"resource_usage", "pod_logs"}
        tools = [line.tool for line in self.house.trail.lines() if line.outcome == "done"]
        return [tool for tool in tools if not any(tool.startswith(one) for one in reading)]


def manual_tempo(clock: ManualClock) -> Tempo:
    """Waiting moves the world's clock."""

    async def sleep(seconds: float) -> None:
        clock.advance(timedelta(seconds=seconds))

    async def pause(seconds: float) -> None:
        clock.advance(timedelta(seconds=seconds))
        await asyncio.sleep(0.01)

    return Tempo(sleep=sleep, pause=pause, polling_s=0.05, beat_s=0.2, patience_s=2.0)


def installation_on(
    cloud: LocalCloud,
    folder: Path,
    *,
    second_account: bool = False,
    settings: Settings | None = None,
    patience_s: float = 60.0,
) -> Installation:
    """The installation of `cloud`; with `second_account` there is an account whose key is wrong."""
    found = on_local_cloud(find_home(folder, {}), settings or Settings(), {}, cloud)
    accounts = list(found.accounts)
    if second_account:
        accounts.append(replace(accounts[0], name="外包账号", secret_key="not-the-key"))
    patient = Calling(CallPolicy(total_seconds=patience_s), calling(cloud).timing)
    return replace(found, accounts=accounts, calling=patient, wall=SteppingClock())


@asynccontextmanager
async def night_at(
    scenario: Scenario | str,
    folder: Path,
    *,
    mode: str | None = "act",
    second_account: bool = False,
    settings: Settings | None = None,
    patience_s: float = 60.0,
) -> AsyncIterator[Night]:
    """Open the house onto a scenario at five in the morning; time stands still but for waits."""
    with standing_cloud(scenario) as cloud:
        assert isinstance(cloud.clock, ManualClock)
        installation = installation_on(
            cloud, folder, second_account=second_account, settings=settings, patience_s=patience_s
        )
        if mode is not None:
            workloads = [one for cluster in cloud.scenario.clusters for one in cluster.workloads]
            let_heal(installation, mode, {one.namespace for one in workloads})
        async with open_night(installation, manual_tempo(cloud.clock), executor_id="test") as house:
            yield Night(cloud=cloud, installation=installation, house=house)


class SharedClock:
    """The time of a hurried cloud, the same in every process that knows where it began."""

    def __init__(self, start: datetime, began: datetime, speed: float) -> None:
        self._start, self._began, self._speed = start, began, speed

    def now(self) -> datetime:
        return self._start + (datetime.now(self._began.tzinfo) - self._began) * self._speed
