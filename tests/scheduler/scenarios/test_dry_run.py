"""A dry run shows what the night would do, and changes nothing anywhere."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from assistant.night_house import let_heal, open_rehearsal
from mcp_tencent.devops.incidents import Rung
from mcp_tencent.local_cloud.server import LocalCloud
from mcp_tencent.local_cloud.simulation import ManualClock
from tests.mcp_tencent.basic.office import ZONE
from tests.mcp_tencent.devops.ward import standing_cloud
from tests.scheduler.nights import installation_on, manual_tempo

SEEN_ONLY = {"gateway_audit", "gateway_audit_head"}
"""That somebody looked is on record."""


def kubernetes(cloud: LocalCloud) -> str:
    """Every object of every cluster with its resource version; events go by themselves after an hour."""
    stores = [one.kubernetes.store for one in cloud.world.clusters.values()]
    return json.dumps([{kind: list(store.each(kind)) for kind in KINDS} for store in stores], sort_keys=True)


KINDS = (
    "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Pod", "ConfigMap", "Secret", "NetworkPolicy",
    "HorizontalPodAutoscaler", "PodDisruptionBudget", "Service", "Namespace", "Node",
)  # fmt: skip


def tencent(cloud: LocalCloud) -> str:
    """Everything that the Tencent Cloud API keeps, but the clock."""
    kept = [vars(cloud.world.cls), vars(cloud.world.tke)]
    return "\n".join(f"{name}={value!r}" for one in kept for name, value in one.items() if name[0] != "_")


def rows(database: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with closing(sqlite3.connect(database)) as opened:
        tables = [name for (name,) in opened.execute("select name from sqlite_master where type = 'table'")]
        return {name: opened.execute(f'select * from "{name}"').fetchall() for name in tables}


async def test_a_dry_run_tells_the_first_acts_and_changes_nothing(tmp_path: Path) -> None:
    with standing_cloud("noisy-neighbour") as cloud:
        assert isinstance(cloud.clock, ManualClock)
        installation = installation_on(cloud, tmp_path)
        let_heal(installation, "act", ["shop"])
        before = kubernetes(cloud), tencent(cloud)
        kept = rows(installation.home.database_file)
        async with open_rehearsal(installation, manual_tempo(cloud.clock)) as rehearse:
            rehearsal = await rehearse(cloud.clock.now().astimezone(ZONE).date())
        assert [(one.rung, one.refused) for one in rehearsal.would_do] == [(Rung.SCALE, "")]
        assert rehearsal.would_do[0].act == "扩容商品服务"
        assert (kubernetes(cloud), tencent(cloud)) == before
        now = rows(installation.home.database_file)
        assert {name: now[name] for name in now if name not in SEEN_ONLY} == {
            name: kept[name] for name in kept if name not in SEEN_ONLY
        }
