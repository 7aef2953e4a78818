"""The four MCP servers, composed: clouds, names, records, gateway, tools."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dbos import DBOSConfig
from sqlalchemy import Engine

from assistant.app import database_url, open_records
from assistant.clock import SystemClock
from assistant.home import Home
from assistant.people_records import SqlPeopleStore
from assistant.reports import KeptReports, LastAnswers
from assistant.sealing import Sealer, open_sealer
from assistant.server_name import ServerName
from assistant.settings import DingtalkSettings, Settings
from mcp_tencent.analytics import server as analytics
from mcp_tencent.analytics.desk import AnalyticsDesk
from mcp_tencent.basic import server as basic
from mcp_tencent.basic.desk import BasicDesk, Bounds
from mcp_tencent.cloud.accounts import TencentClouds
from mcp_tencent.cloud.calling import Calling
from mcp_tencent.cloud.no_account import NoClouds
from mcp_tencent.cloud.tencentcloud.caller import Account
from mcp_tencent.devops import server as devops
from mcp_tencent.devops.alerts.desk import AlertDesk
from mcp_tencent.devops.alerts.feedback import SqlFeedbackStore
from mcp_tencent.devops.checkpoint_records import SqlCheckpointStore
from mcp_tencent.devops.healing.approval import GuardedHealing
from mcp_tencent.devops.healing.desk import HealingDesk
from mcp_tencent.devops.healing.plan_records import SqlPlanStore
from mcp_tencent.devops.healing.surroundings import ClusterLookout
from mcp_tencent.devops.policy.file import PolicyFile, ProtectedNamespaces
from mcp_tencent.devops.policy.modes import SqlModeStore
from mcp_tencent.devops.records import SqlIncidentStore
from mcp_tencent.durable_dbos import Engine as DurableEngine
from mcp_tencent.durable_dbos import engine_config, running_engine
from mcp_tencent.gateway.call import Caller, Clock
from mcp_tencent.gateway.gateway import Gateway
from mcp_tencent.naming.inventory import Inventory
from mcp_tencent.naming.naming import Naming
from mcp_tencent.ports import Clouds
from mcp_tencent.push.channels import DEFAULT_ROBOT, Channel
from mcp_tencent.push.delivery_queue_dbos import DbosDeliveryQueue
from mcp_tencent.push.delivery_steps import DeliverySteps
from mcp_tencent.push.desk import PushDesk
from mcp_tencent.push.dispatch import Dispatch
from mcp_tencent.push.errors import PersonUnknown
from mcp_tencent.push.recipients import House
from mcp_tencent.push.records import SqlDeliveryStore, SqlPreferenceStore
from mcp_tencent.push.retry import RetryPolicy
from mcp_tencent.push.senders.sender import Sender
from mcp_tencent.push.senders.sender_aiosmtplib import Security, SmtpSender, SmtpSettings
from mcp_tencent.push.senders.sender_dingtalk import DingTalkRobot, DingTalkSender
from mcp_tencent.push.server import push_server
from mcp_tencent.push.trial import ChannelTrial
from mcp_tencent.serving.declare import DeclaredTool
from mcp_tencent.serving.intent import key_of_act
from mcp_tencent.serving.server import GatewayServer
from scheduler.records import SqlDigestStore

if TYPE_CHECKING:
    from mcp_tencent.local_cloud.server import LocalCloud


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What the servers are composed from.

    Args:
        home: Where everything lies.
        settings: What is configured.
        environ: Where systemd's credentials are found.
        clock: The present; of the local cloud, where one is embedded.
        accounts: Cloud accounts; of the local cloud, where one is embedded.
        calling: How long and how often clouds are asked.
        wall: The device's own time.
    """

    home: Home
    settings: Settings
    environ: Mapping[str, str]
    clock: Clock
    accounts: Sequence[Account]
    calling: Calling = field(default_factory=Calling)
    wall: Clock = field(default_factory=SystemClock)

    @property
    def zone(self) -> ZoneInfo:
        """Where days begin at midnight."""
        return ZoneInfo(self.settings.night.timezone)


def configured(home: Home, settings: Settings, environ: Mapping[str, str]) -> Installation:
    """Return the installation on the configured accounts and the device's clock."""
    accounts = [
        Account(
            name=name,
            secret_id=account.secret_id.get_secret_value(),
            secret_key=account.secret_key.get_secret_value(),
            regions=account.regions,
            endpoint=account.endpoint_url or "",
        )
        for name, account in settings.cloud.accounts.items()
    ]
    return Installation(home=home, settings=settings, environ=environ, clock=SystemClock(), accounts=accounts)


def on_local_cloud(
    home: Home, settings: Settings, environ: Mapping[str, str], cloud: LocalCloud
) -> Installation:
    """Return the installation on an embedded local cloud and its clock."""
    key = cloud.credentials
    account = Account(
        name="local",
        secret_id=key.secret_id,
        secret_key=key.secret_key,
        regions=tuple(dict.fromkeys(cluster.region for cluster in cloud.scenario.clusters)),
        endpoint=cloud.url,
    )
    return Installation(home=home, settings=settings, environ=environ, clock=cloud.clock, accounts=[account])


@asynccontextmanager
async def open_server(
    name: ServerName, installation: Installation, *, otherwise: Caller | None = None
) -> AsyncIterator[GatewayServer]:
    """Compose one server with all that it needs, and take it down again at the end.

    Args:
        name: Which one.
        installation: From what.
        otherwise: Who calls when nobody is named, such as over stdio.
    """
    async with AsyncExitStack() as stack:
        database = stack.enter_context(open_records(installation.home, installation.settings))
        durable = None
        if name is ServerName.PUSH:
            # Two processes on one database must not take each other's deliveries for left behind.
            durable = await stack.enter_async_context(
                running_engine(durable_config(installation, f"push-{uuid.uuid4().hex[:8]}"))
            )
        opened = await stack.enter_async_context(
            open_servers([name], installation, database.engine, durable=durable, otherwise=otherwise)
        )
        if durable is not None:
            await durable.launch()
        yield opened.servers[name]


def durable_config(installation: Installation, executor_id: str) -> DBOSConfig:
    """Return the settings of the durable engine: its tables lie in the database of the records."""
    return engine_config(
        database_url=database_url(installation.home, installation.settings), executor_id=executor_id
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenServers:
    """Servers behind one gateway.

    Args:
        servers: By name.
        gateway: In front of all of them; further servers share it.
        healing: The guards that approve what service jobs do; also the book in which they register it.
        inventory: Everything that can be named.
    """

    servers: Mapping[ServerName, GatewayServer]
    gateway: Gateway
    healing: GuardedHealing
    inventory: Inventory


@asynccontextmanager
async def open_servers(
    names: Iterable[ServerName],
    installation: Installation,
    engine: Engine,
    *,
    durable: DurableEngine | None = None,
    otherwise: Caller | None = None,
    answers: LastAnswers | None = None,
) -> AsyncIterator[OpenServers]:
    """Compose several servers behind one gateway.

    Args:
        names: Which.
        installation: From what.
        engine: Of the database of the records.
        durable: The process's durable engine, not yet launched; the push server needs it.
        otherwise: Who calls when nobody is named.
        answers: What people were told last, where this process talks with people.
    """
    servers: dict[ServerName, GatewayServer] = {}
    async with _clouds(installation) as clouds:
        healing = _guarded_healing(installation, clouds, engine)
        # People confirm, and limits are counted, in the device's time, whatever the time of the cloud.
        gateway = Gateway(
            engine, installation.wall, anchor=installation.home.audit_anchor_file, plans=healing
        )
        for name in names:
            if name is ServerName.PUSH:
                if durable is None:
                    raise ValueError("the push server needs the durable engine")
                desk = _push_desk(installation, engine, durable, answers)
                servers[name] = push_server(desk, gateway, otherwise=otherwise)
                continue
            tools = _TOOLS[name](installation, clouds, engine, otherwise)
            title, instructions = _TITLES[name]
            servers[name] = GatewayServer(
                title, tools, gateway, otherwise=otherwise, instructions=instructions
            )
        yield OpenServers(
            servers=servers,
            gateway=gateway,
            healing=healing,
            inventory=Inventory(clouds, installation.clock),
        )


@asynccontextmanager
async def _clouds(installation: Installation) -> AsyncIterator[Clouds]:
    """Open the configured accounts; without one everything but the cloud works."""
    if not installation.accounts:
        yield NoClouds()
        return
    async with TencentClouds(installation.accounts, installation.calling) as clouds:
        yield clouds


def _guarded_healing(installation: Installation, clouds: Clouds, engine: Engine) -> GuardedHealing:
    return GuardedHealing(
        plans=SqlPlanStore(engine),
        incidents=SqlIncidentStore(engine),
        policy=PolicyFile(installation.home.policy_file),
        modes=SqlModeStore(engine),
        lookout=ClusterLookout(_basic_desk(installation, clouds)),
        now=installation.clock.now,
        zone=installation.zone,
    )


def _basic_desk(installation: Installation, clouds: Clouds) -> BasicDesk:
    cloud = installation.settings.cloud
    naming = Naming(
        clouds,
        Inventory(clouds, installation.clock),
        default_cluster=cloud.default_cluster or "",
        default_topic=cloud.default_topic or "",
    )
    protected = ProtectedNamespaces(PolicyFile(installation.home.policy_file))
    return BasicDesk(
        clouds=clouds,
        naming=naming,
        clock=installation.clock,
        zone=installation.zone,
        bounds=Bounds(protected_namespaces=protected),
    )


def _basic(
    installation: Installation, clouds: Clouds, engine: Engine, otherwise: Caller | None
) -> Sequence[DeclaredTool]:
    return basic.basic_tools(_basic_desk(installation, clouds))


def _devops(
    installation: Installation, clouds: Clouds, engine: Engine, otherwise: Caller | None
) -> Sequence[DeclaredTool]:
    desk = _basic_desk(installation, clouds)
    incidents = SqlIncidentStore(engine)
    healing = HealingDesk(
        basic=desk,
        checkpoints=SqlCheckpointStore(engine, _sealer(installation)),
        incidents=incidents,
        otherwise=otherwise,
    )
    alerts = AlertDesk(
        basic=desk,
        policy=PolicyFile(installation.home.policy_file),
        feedback=SqlFeedbackStore(engine),
        incidents=incidents,
        modes=SqlModeStore(engine),
        otherwise=otherwise,
    )
    return devops.devops_tools(healing, alerts)


def _analytics(
    installation: Installation, clouds: Clouds, engine: Engine, otherwise: Caller | None
) -> Sequence[DeclaredTool]:
    desk = _basic_desk(installation, clouds)
    return analytics.analytics_tools(
        AnalyticsDesk(
            clouds=clouds,
            naming=desk.naming,
            incidents=SqlIncidentStore(engine),
            clock=desk.clock,
            zone=desk.zone,
        )
    )


_TOOLS: Mapping[
    ServerName,
    Callable[[Installation, Clouds, Engine, Caller | None], Sequence[DeclaredTool]],
] = {
    ServerName.BASIC: _basic,
    ServerName.DEVOPS: _devops,
    ServerName.ANALYTICS: _analytics,
}
_TITLES = {
    ServerName.BASIC: (basic.NAME, basic.INSTRUCTIONS),
    ServerName.DEVOPS: (devops.NAME, devops.INSTRUCTIONS),
    ServerName.ANALYTICS: (analytics.NAME, analytics.INSTRUCTIONS),
}


def _sealer(installation: Installation) -> Sealer:
    return open_sealer(installation.home, installation.environ, create=True)


def _push_desk(
    installation: Installation, engine: Engine, durable: DurableEngine, answers: LastAnswers | None
) -> PushDesk:
    """Compose the desk of the push tools upon the durable engine, which is launched afterwards."""
    store, senders = SqlDeliveryStore(engine), _senders(installation)
    now = installation.clock.now
    queue = durable.add(
        DbosDeliveryQueue(DeliverySteps(store=store, senders=senders, policy=RetryPolicy(), now=now))
    )
    dispatch = Dispatch(store=store, queue=queue, now=now)
    durable.add(_Resuming(dispatch))
    dingtalk, email = installation.settings.dingtalk, installation.settings.email
    return PushDesk(
        dispatch=dispatch,
        trial=ChannelTrial(store=store, senders=senders, now=now, new_key=key_of_act),
        reports=KeptReports(
            SqlIncidentStore(engine), SqlDigestStore(engine), installation.zone, answers=answers
        ),
        people=_KnownPeople(SqlPeopleStore(engine, _sealer(installation))),
        preferences=SqlPreferenceStore(engine),
        log=store,
        house=House(
            channels=frozenset(senders),
            robots=frozenset(dingtalk.robots),
            allowed_domains=frozenset(email.allowed_domains) if email else frozenset(),
            defaults={Channel.DINGTALK: DEFAULT_ROBOT} if DEFAULT_ROBOT in dingtalk.robots else {},
            copies={
                Channel.EMAIL: email.house_recipients if email else (),
                Channel.DINGTALK: _house_robots(dingtalk),
            },
        ),
        now=now,
        zone=installation.zone,
        new_key=key_of_act,
    )


def _house_robots(dingtalk: DingtalkSettings) -> Sequence[str]:
    """Return the groups that get what a job sends: as set, else the one called default, if there is one."""
    if dingtalk.house_robots is not None:
        return dingtalk.house_robots
    return [name for name in dingtalk.robots if name == DEFAULT_ROBOT]


class _Resuming:
    """Puts deliveries that were recorded, but not queued, into the queue once it is open."""

    def __init__(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch

    async def listen(self) -> None:
        await self._dispatch.resume()


def _senders(installation: Installation) -> Mapping[Channel, Sender]:
    """Return the channels that are set up."""
    senders: dict[Channel, Sender] = {}
    if (email := installation.settings.email) is not None:
        senders[Channel.EMAIL] = SmtpSender(
            SmtpSettings(
                host=email.host,
                port=email.port,
                sender=email.sender,
                security=Security(email.security),
                username=email.username,
                password=email.password.get_secret_value() if email.password else None,
                ca_file=Path(email.ca_file) if email.ca_file else None,
            )
        )
    if (dingtalk := installation.settings.dingtalk).robots:
        robots = {
            name: DingTalkRobot(
                access_token=robot.access_token.get_secret_value(),
                secret=robot.secret.get_secret_value(),
                keyword=robot.keyword,
            )
            for name, robot in dingtalk.robots.items()
        }
        senders[Channel.DINGTALK] = DingTalkSender(
            robots, now=installation.clock.now, endpoint=dingtalk.endpoint_url
        )
    return senders


class _KnownPeople:
    """Satisfies the push desk's `People` by the people that the device knows."""

    def __init__(self, people: SqlPeopleStore) -> None:
        self._people = people

    async def identify(self, name: str) -> str:
        for person in await asyncio.to_thread(self._people.everybody):
            if name in (person.name, person.id):
                return person.id
        raise PersonUnknown(f"nobody is called {name!r}", spoken=f"我不认识{name}。")
