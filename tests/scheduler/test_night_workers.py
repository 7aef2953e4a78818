"""A night on PostgreSQL that three processes share, one of which is killed in the middle of a ladder."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from assistant.app import open_records
from assistant.home import find_home
from assistant.night_house import let_heal
from assistant.servers import on_local_cloud
from assistant.settings import Settings
from mcp_tencent.devops.incidents import AttemptOutcome, IncidentStatus, Rung
from mcp_tencent.devops.records import SqlIncidentStore
from mcp_tencent.gateway.audit_trail import AuditTrail
from mcp_tencent.local_cloud.kubernetes.store import Change
from mcp_tencent.local_cloud.server import LocalCloud
from mcp_tencent.local_cloud.tencent.limits import RequestLimits
from scheduler.records import JobOutcome, SqlJobRunStore
from tests.mcp_tencent.basic.office import MORNING
from tests.postgres import PostgresServer
from tests.scheduler.nights import SharedClock

SPEED = 60.0
ON = "2026-11-21"
TROUBLES = Path(__file__).with_name("three_troubles.yaml")
POLICY = "guards:\n  percent_of_cluster: 100\n"
EVER = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))


class Templates:
    """Counts how often somebody gave a deployment another template."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.changed: Counter[str] = Counter()
        for cluster in cloud.world.clusters.values():
            cluster.kubernetes.store.observe(self._observe)

    def _observe(self, change: Change) -> None:
        if change.kind != "Deployment" or change.previous is None:
            return
        if change.previous["spec"]["template"] != change.object["spec"]["template"]:
            self.changed[change.name] += 1


async def process(
    cloud: LocalCloud, folder: Path, url: str, began: datetime, name: str, *, works: bool = False
) -> asyncio.subprocess.Process:
    """Start a process; the first of all that has acted is killed before it is on record."""
    key = cloud.credentials
    orders = {
        "home": str(folder),
        "cloud": {
            "url": cloud.url,
            "secret_id": key.secret_id,
            "secret_key": key.secret_key,
            "regions": [cloud.region],
        },
        "database_url": url,
        "date": ON,
        "start": MORNING.isoformat(),
        "began": began.isoformat(),
        "speed": SPEED,
        "executor": name,
        "works": works,
    }
    file = folder / f"{name}.json"
    file.write_text(json.dumps(orders), encoding="utf-8")
    dies = {"NIGHT_DIES": "acted:attempt-1-act:1", "NIGHT_DIES_ONCE": str(folder / "died")}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.scheduler.night_process",
        str(file),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": ".", **dies},
    )


async def test_nothing_is_lost_and_nothing_is_done_twice_when_one_of_three_workers_dies(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    url = postgres_server.create_database()
    settings = Settings.model_validate({"database_url": url})
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    began = datetime.now(UTC)
    clock = SharedClock(MORNING, began, SPEED)
    limits = RequestLimits(default_per_second=1000)
    with LocalCloud(str(TROUBLES), clock=clock, limits=limits) as cloud:
        changed = Templates(cloud).changed
        installation = on_local_cloud(find_home(tmp_path, {}), settings, {}, cloud)
        let_heal(installation, "act", ["shop"])
        starting = [await process(cloud, tmp_path, url, began, name) for name in ("one", "two")]
        worker = await process(cloud, tmp_path, url, began, "three", works=True)
        told = await asyncio.gather(*(one.communicate() for one in starting))
        if worker.returncode is None:
            worker.terminate()
        await worker.wait()

        codes = [one.returncode for one in (*starting, worker)]
        assert codes.count(-signal.SIGKILL) == 1
        ended = [out.decode().strip() for out, _ in told]
        assert set(ended) <= {"ended succeeded", ""}
        assert "ended succeeded" in ended
        with open_records(installation.home, settings) as database:
            incidents = SqlIncidentStore(database.engine)
            attempts = incidents.attempts_between(*EVER)
            healed = sorted((incidents.get(one.incident_id).workload, one.rung) for one in attempts)
            statuses = {incidents.get(one.incident_id).status for one in attempts}
            trail = AuditTrail(database.engine, installation.home.audit_anchor_file)
            assert not trail.verify()
            acts = Counter(
                line.tool
                for line in trail.lines()
                if line.risk != "R" and (line.outcome, line.origin) == ("done", "fresh")
            )
            (run,) = SqlJobRunStore(database.engine).latest("night")
    assert healed == [
        ("item-service", Rung.RESTART),
        ("order-service", Rung.ROLL_BACK),
        ("pay-service", Rung.RESTART),
    ]
    assert {one.outcome for one in attempts} == {AttemptOutcome.HEALED}
    assert statuses == {IncidentStatus.HEALED}
    assert run.outcome is JobOutcome.SUCCEEDED
    assert changed == {"item-service": 1, "order-service": 1, "pay-service": 1}
    assert acts == {"create_checkpoint": 3, "restart_workload": 2, "roll_back": 1}
