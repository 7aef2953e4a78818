"""The night, composed: the servers in memory, the night's own identity, the durable engine, the records."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from mcp.client import Client

from assistant.app import open_records
from assistant.server_name import ServerName
from assistant.servers import Installation, durable_config, open_servers
from mcp_tencent.client import CloudTools, Pause, ToolCaller
from mcp_tencent.devops.policy.file import PolicyFile
from mcp_tencent.devops.records import SqlIncidentStore
from mcp_tencent.durable_dbos import Sleep, running_engine
from mcp_tencent.gateway.audit_trail import AuditTrail
from mcp_tencent.gateway.call import Caller, CallerKind, Permission
from scheduler.engine_dbos import DbosNights
from scheduler.healing_steps import Waits, Ward, WardHealing
from scheduler.night_steps import DeskNight, NightDesk
from scheduler.records import SqlDigestStore, SqlJobRunStore

NIGHT = Caller(
    name="night",
    kind=CallerKind.SERVICE_JOB,
    permissions=frozenset({Permission.READ, Permission.OPERATE, Permission.ROLLBACK}),
    standing_writes=frozenset({"send_report"}),
)
"""The appliance's own service identity: reads, heals under an approved plan, sends reports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tempo:
    """How the night waits.

    Args:
        sleep: The durable wait.
        pause: Waits before a call is made again.
        waits: How long effects take to show.
        polling_s: How often queues are looked at.
    """

    sleep: Sleep
    pause: Pause
    waits: Waits = field(default_factory=Waits)
    polling_s: float = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class NightHouse:
    """Everything that a night runs in."""

    nights: DbosNights
    desk: NightDesk
    incidents: SqlIncidentStore
    digests: SqlDigestStore
    runs: SqlJobRunStore
    trail: AuditTrail


@asynccontextmanager
async def open_night(
    installation: Installation, tempo: Tempo, *, executor_id: str
) -> AsyncIterator[NightHouse]:
    """Compose and launch everything; what this process left unfinished goes on.

    Args:
        installation: From what.
        tempo: How it waits.
        executor_id: Names this process among those that share the database.
    """
    async with AsyncExitStack() as stack:
        database = stack.enter_context(open_records(installation.home, installation.settings))
        durable = await stack.enter_async_context(running_engine(durable_config(installation, executor_id)))
        opened = await stack.enter_async_context(
            open_servers(tuple(ServerName), installation, database.engine, durable=durable, otherwise=NIGHT)
        )
        sessions: dict[str, ToolCaller] = {}
        for server in opened.servers.values():
            client = await stack.enter_async_context(Client(server))
            sessions |= dict.fromkeys([tool.name for tool in (await client.list_tools()).tools], client)
        ward = Ward(
            tools=CloudTools(sessions, pause=tempo.pause),
            incidents=SqlIncidentStore(database.engine),
            book=opened.healing,
            policy=PolicyFile(installation.home.policy_file),
            clock=installation.clock,
            job=NIGHT.name,
            waits=tempo.waits,
        )
        desk = NightDesk(
            ward=ward,
            runs=SqlJobRunStore(database.engine),
            digests=SqlDigestStore(database.engine),
            zone=installation.zone,
        )
        nights = durable.add(
            DbosNights(DeskNight(desk), WardHealing(ward), sleep=tempo.sleep, polling_s=tempo.polling_s)
        )
        await durable.launch()
        yield NightHouse(
            nights=nights,
            desk=desk,
            incidents=SqlIncidentStore(database.engine),
            digests=SqlDigestStore(database.engine),
            runs=SqlJobRunStore(database.engine),
            trail=opened.servers[ServerName.DEVOPS].gateway.trail,
        )
