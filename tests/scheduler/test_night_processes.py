"""Nights of several processes on one database, and of one that is killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from assistant.app import open_records
from assistant.home import find_home
from assistant.night_house import let_heal
from assistant.servers import on_local_cloud
from assistant.settings import Settings
from mcp_tencent.devops.incidents import AttemptOutcome, IncidentStatus
from mcp_tencent.devops.records import SqlIncidentStore
from mcp_tencent.gateway.audit_trail import AuditTrail
from mcp_tencent.local_cloud.server import LocalCloud
from scheduler.records import SqlJobRunStore
from tests.mcp_tencent.basic.office import MORNING
from tests.scheduler.nights import SharedClock

SPEED = 120.0
ON = "2026-11-21"


@dataclass
class Street:
    """A hurried cloud, and a home that several processes share."""

    cloud: LocalCloud
    folder: Path
    began: datetime

    async def process(self, name: str, *, dies: str | None = None) -> asyncio.subprocess.Process:
        key = self.cloud.credentials
        regions = sorted({one.region for one in self.cloud.scenario.clusters})
        orders = {
            "home": str(self.folder),
            "cloud": {
                "url": self.cloud.url,
                "secret_id": key.secret_id,
                "secret_key": key.secret_key,
                "regions": regions,
            },
            "date": ON,
            "start": MORNING.isoformat(),
            "began": self.began.isoformat(),
            "speed": SPEED,
            "executor": name,
        }
        file = self.folder / f"{name}.json"
        file.write_text(json.dumps(orders), encoding="utf-8")
        environ = {**os.environ, "PYTHONPATH": "."} | ({"NIGHT_DIES": dies} if dies else {})
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.scheduler.night_process",
            str(file),
            stdout=asyncio.subprocess.PIPE,
            env=environ,
        )

    def records(self) -> tuple[list[AttemptOutcome | None], IncidentStatus, list[str], int]:
        """Outcomes of attempts, status of the incident, acts in the audit, runs of the night."""
        installation = on_local_cloud(find_home(self.folder, {}), Settings(), {}, self.cloud)
        with open_records(installation.home, installation.settings) as database:
            incidents = SqlIncidentStore(database.engine)
            attempts = incidents.attempts_between(
                datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
            )
            (incident,) = {one.incident_id for one in attempts}
            trail = AuditTrail(database.engine, installation.home.audit_anchor_file)
            assert not trail.verify()
            done = [line.tool for line in trail.lines() if line.outcome == "done"]
            runs = SqlJobRunStore(database.engine).latest("night")
            status = incidents.get(incident).status
        return [one.outcome for one in attempts], status, done, len(runs)


@contextmanager
def street(scenario: str, folder: Path) -> Iterator[Street]:
    began = datetime.now(UTC)
    with LocalCloud(scenario, clock=SharedClock(MORNING, began, SPEED)) as cloud:
        installation = on_local_cloud(find_home(folder, {}), Settings(), {}, cloud)
        let_heal(
            installation, "act", {one.namespace for each in cloud.scenario.clusters for one in each.workloads}
        )
        yield Street(cloud, folder, began)


async def test_two_processes_on_one_database_run_a_night_once(tmp_path: Path) -> None:
    with street("bad-revision", tmp_path) as found:
        both = [await found.process("one"), await found.process("two")]
        told = await asyncio.gather(*(one.communicate() for one in both))
        assert [out.decode().strip() for out, _ in told] == ["ended succeeded"] * 2
        outcomes, status, done, runs = found.records()
    assert (outcomes, status, runs) == ([AttemptOutcome.HEALED], IncidentStatus.HEALED, 1)
    assert done.count("roll_back") == 1


async def test_another_process_goes_on_with_a_night_that_was_killed_in_the_middle_of_an_act(
    tmp_path: Path,
) -> None:
    with street("bad-revision", tmp_path) as found:
        first = await found.process("one", dies="acted:attempt-1-act:1")
        assert await first.wait() == -signal.SIGKILL
        second = await found.process("two")
        out, _ = await second.communicate()
        assert out.decode().strip() == "ended succeeded"
        outcomes, status, done, runs = found.records()
    assert (outcomes, status, runs) == ([AttemptOutcome.HEALED], IncidentStatus.HEALED, 1)
    assert done.count("create_checkpoint") == 1
