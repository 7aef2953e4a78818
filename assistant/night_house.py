"""The night, composed: the servers in memory, the night's own identity, the durable engine, the records."""

from __future__ import annotations

import asyncio
import socket
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from dbos import DBOS
from mcp.client import Client
from sqlalchemy import Engine

from assistant.app import open_records
from assistant.clock import SystemClock
from assistant.llm_openai import LlmEndpoint, LlmFactorAdviser, LlmOpeningWriter, OpenAiModel
from assistant.reports import LastAnswers
from assistant.server_name import ServerName
from assistant.servers import Installation, OpenServers, durable_config, open_servers
from assistant.settings import Settings
from mcp_tencent.client import CloudTools, Pause, ToolCaller
from mcp_tencent.devops.healing.approval import GuardedHealing
from mcp_tencent.devops.healing.guards import Facts, Guard, History, Refusal, judge
from mcp_tencent.devops.healing.plans import Target
from mcp_tencent.devops.incidents import Rung
from mcp_tencent.devops.policy.file import PolicyFile
from mcp_tencent.devops.policy.model import HealingMode
from mcp_tencent.devops.policy.modes import ModeChoice, SqlModeStore
from mcp_tencent.devops.records import SqlIncidentStore
from mcp_tencent.durable_dbos import Sleep, running_engine
from mcp_tencent.durable_presence import BEAT_S, PATIENCE_S, Presence
from mcp_tencent.errors import CloudError
from mcp_tencent.gateway.audit_trail import AuditTrail
from mcp_tencent.gateway.call import Caller, CallerKind, Permission
from mcp_tencent.gateway.stores import in_store
from mcp_tencent.local_cloud.simulation import Clock, ScaledClock
from scheduler.clock import NightTimes
from scheduler.engine_dbos import DbosNights
from scheduler.healing_steps import Waits, Ward, WardHealing
from scheduler.night_steps import DeskNight, NightDesk
from scheduler.records import SqlDigestStore, SqlJobRunStore
from scheduler.rehearsal import Rehearsal, rehearse
from scheduler.triggers_apscheduler import NightTrigger

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
        beat_s: How often this process shows that it is alive.
        patience_s: After how long of silence another process counts as dead.
    """

    sleep: Sleep
    pause: Pause
    waits: Waits = field(default_factory=Waits)
    polling_s: float = 0.2
    beat_s: float = BEAT_S
    patience_s: float = PATIENCE_S


def real_time() -> Tempo:
    """Return the tempo of a real cloud."""
    return Tempo(sleep=DBOS.sleep_async, pause=asyncio.sleep)


def hurried(speed: float) -> Tempo:
    """Return the tempo of an embedded cloud whose clock runs `speed` times as fast as the wall's."""

    async def sleep(seconds: float) -> None:
        await DBOS.sleep_async(seconds / speed)

    return Tempo(sleep=sleep, pause=asyncio.sleep)


def five_in_the_morning(settings: Settings, *, speed: float) -> Clock:
    """Return the clock of an embedded cloud: it begins when the night is due today."""
    zone = ZoneInfo(settings.night.timezone)
    now = SystemClock().now()
    start = datetime.combine(now.astimezone(zone).date(), settings.night.at, zone).astimezone(UTC)
    return ScaledClock(start, speed=speed, reference=SystemClock())


def let_heal(installation: Installation, mode: str, namespaces: Iterable[str]) -> None:
    """Choose the healing mode of an embedded cloud's namespaces."""
    with open_records(installation.home, installation.settings) as database:
        modes = SqlModeStore(database.engine)
        for namespace in sorted(namespaces):
            modes.choose(
                ModeChoice(
                    namespace=namespace,
                    mode=HealingMode(mode),
                    chosen_by="console",
                    chosen_at=installation.clock.now(),
                )
            )


def process_name(role: str) -> str:
    """Return a name that no process ever had: what it leaves unfinished is told apart by it."""
    return f"{role}-{socket.gethostname()}-{uuid.uuid4().hex[:8]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NightHouse:
    """Everything that a night runs in; whoever talks with people builds upon it.

    Args:
        engine: Of the database of the records.
        opened: The servers, behind one gateway.
        clients: Of the servers, connected.
    """

    engine: Engine
    opened: OpenServers
    clients: Sequence[Client]
    nights: DbosNights
    desk: NightDesk
    incidents: SqlIncidentStore
    digests: SqlDigestStore
    runs: SqlJobRunStore
    trail: AuditTrail


@asynccontextmanager
async def open_night(
    installation: Installation,
    tempo: Tempo,
    *,
    executor_id: str,
    triggered: bool = False,
    answers: LastAnswers | None = None,
) -> AsyncIterator[NightHouse]:
    """Compose and launch everything; what this process left unfinished goes on.

    Args:
        installation: From what.
        tempo: How it waits.
        executor_id: Names this process among those that share the database.
        triggered: Whether the night starts by itself when it is due.
        answers: What people were told last, where this process talks with people.
    """
    async with AsyncExitStack() as stack:
        database = stack.enter_context(open_records(installation.home, installation.settings))
        presence = Presence(database.engine, executor_id, beat_s=tempo.beat_s, patience_s=tempo.patience_s)
        stack.push_async_callback(presence.leave)
        durable = await stack.enter_async_context(running_engine(durable_config(installation, executor_id)))
        opened = await stack.enter_async_context(
            open_servers(
                tuple(ServerName),
                installation,
                database.engine,
                durable=durable,
                otherwise=NIGHT,
                answers=answers,
            )
        )
        clients = [await stack.enter_async_context(Client(one)) for one in opened.servers.values()]
        desk = await _desk(clients, installation, tempo, database.engine, opened, stack)
        ward = desk.ward
        nights = durable.add(
            DbosNights(DeskNight(desk), WardHealing(ward), sleep=tempo.sleep, polling_s=tempo.polling_s)
        )
        durable.add(presence)
        if triggered:
            night, digest = installation.settings.night, installation.settings.digest
            trigger = NightTrigger(
                times=NightTimes(at=night.at, until=digest.window_end, zone=installation.zone),
                clock=installation.clock,
                runs=desk.runs,
                start=nights.start,
            )
            durable.add(trigger)
            stack.push_async_callback(trigger.leave)
        await durable.launch()
        yield NightHouse(
            engine=database.engine,
            opened=opened,
            clients=clients,
            nights=nights,
            desk=desk,
            incidents=SqlIncidentStore(database.engine),
            digests=SqlDigestStore(database.engine),
            runs=SqlJobRunStore(database.engine),
            trail=opened.servers[ServerName.DEVOPS].gateway.trail,
        )


@asynccontextmanager
async def open_rehearsal(
    installation: Installation, tempo: Tempo
) -> AsyncIterator[Callable[[date], Awaitable[Rehearsal]]]:
    """Compose what a dry run needs: reading tools and guards, no durable engine."""
    async with AsyncExitStack() as stack:
        database = stack.enter_context(open_records(installation.home, installation.settings))
        names = (ServerName.BASIC, ServerName.DEVOPS, ServerName.ANALYTICS)
        opened = await stack.enter_async_context(
            open_servers(names, installation, database.engine, otherwise=NIGHT)
        )
        clients = [await stack.enter_async_context(Client(one)) for one in opened.servers.values()]
        desk = await _desk(clients, installation, tempo, database.engine, opened, stack)
        foresight = GuardForesight(opened.healing)
        yield lambda on: rehearse(on, desk, foresight)


async def _desk(
    clients: Sequence[Client],
    installation: Installation,
    tempo: Tempo,
    engine: Engine,
    opened: OpenServers,
    stack: AsyncExitStack,
) -> NightDesk:
    model = _language_model(installation.settings)
    if model is not None:
        stack.push_async_callback(model.close)
    sessions: dict[str, ToolCaller] = {}
    for client in clients:
        sessions |= dict.fromkeys([tool.name for tool in (await client.list_tools()).tools], client)
    return NightDesk(
        ward=Ward(
            tools=CloudTools(sessions, pause=tempo.pause),
            incidents=SqlIncidentStore(engine),
            book=opened.healing,
            policy=PolicyFile(installation.home.policy_file),
            clock=installation.clock,
            job=NIGHT.name,
            waits=tempo.waits,
        ),
        runs=SqlJobRunStore(engine),
        digests=SqlDigestStore(engine),
        modes=SqlModeStore(engine),
        zone=installation.zone,
        max_seconds=installation.settings.digest.max_seconds,
        adviser=None if model is None else LlmFactorAdviser(model),
        writer=None if model is None else LlmOpeningWriter(model),
    )


def _language_model(settings: Settings) -> OpenAiModel | None:
    """Return the model that is configured, if any; without one the rules do everything."""
    if (llm := settings.llm) is None:
        return None
    return OpenAiModel(
        LlmEndpoint(
            base_url=llm.base_url,
            model=llm.model,
            api_key=llm.api_key.get_secret_value() if llm.api_key else "",
            deadline_seconds=llm.timeout_seconds,
        )
    )


class GuardForesight:
    """Asks the guards about acts that nobody registers; satisfies `Foresight`."""

    def __init__(self, healing: GuardedHealing) -> None:
        self._healing = healing

    async def foresee(
        self, target: Target, rung: Rung, *, replicas: int | None, before: Sequence[Target]
    ) -> Refusal | None:
        """Return what would hold an act back, had the night acted on all of `before`; takes nothing."""
        healing = self._healing
        book = await in_store(healing.modes.book)
        others = [one for one in before if one != target]
        try:
            around = await healing.lookout.look(target)
        except CloudError as error:
            return Refusal(guard=Guard.UNREADABLE, reason=error.spoken, hint=str(error))
        facts = Facts(
            now=healing.now(),
            zone=healing.zone,
            cluster_id=target.cluster_id,
            namespace=target.namespace,
            workload=target.workload,
            rung=rung,
            mode=book.mode_of(target.cluster_id, target.namespace),
            around=around,
            history=History(
                workloads_tonight=len(others),
                workloads_tonight_in_cluster=sum(one.cluster_id == target.cluster_id for one in others),
                actions_last_hour=len(before),
                fallen_back=book.fallen_back.reason if book.fallen_back is not None else "",
            ),
            replicas=replicas,
        )
        return judge(healing.policy.current().policy, facts)
