"""The whole house in one process: records, gateway, servers, night, conversation; a composition root."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from random import Random, SystemRandom

import httpx2
from mcp.client import Client
from mcp.shared.exceptions import MCPError

from assistant.app import open_records
from assistant.clock import LocalClock
from assistant.controls import HouseControls
from assistant.conversation.answer import Answer, Heard
from assistant.conversation.greeting import Greeting, MorningWindow
from assistant.conversation.placing import all_placed
from assistant.conversation.toolbox import Toolbox
from assistant.conversation.turn import Conversation, Names
from assistant.device.desk import DeviceDesk, HealthNote
from assistant.device.server import device_server
from assistant.digest_copies import DigestCopies
from assistant.journal import SqlJournal, TurnLatencies
from assistant.kept_digests import KeptDigests
from assistant.known_people import DevicePeople, KeptPeople, KnownVoices, people_store
from assistant.live_names import LiveNames, NoNames
from assistant.night_house import NightHouse, Tempo, open_night
from assistant.people import Person
from assistant.people_records import SqlPeopleStore
from assistant.planner.plan import Outcome, Plan, TurnContext
from assistant.planner.planner import Planner
from assistant.reports import LastAnswers
from assistant.sealing import open_sealer
from assistant.servers import Installation
from assistant.settings import McpServerSettings, ToolRisk
from assistant.witness import HouseWitness, turn_of
from hardware.device_health import Weight, judge, read_device
from mcp_tencent.cloud.accounts import TencentClouds
from mcp_tencent.errors import CloudError
from mcp_tencent.gateway.call import Clock, Risk
from mcp_tencent.gateway.errors import StoreUnavailable
from mcp_tencent.gateway.stores import in_store
from mcp_tencent.naming.inventory import Inventory
from mcp_tencent.push.records import SqlPreferenceStore
from mcp_tencent.serving.server import GatewayServer
from mcp_tencent.serving.third_party import ThirdPartyServer, mounted
from mcp_tencent.serving.tokens import TokenStore
from scheduler.digest_claims import Ending, SqlDigestClaimStore
from scheduler.night import night_id
from scheduler.records import JobOutcome
from voice.speakers import SpeakerCheck

_THIRD_PARTY_PATIENCE_S = 20.0
_RISKS = {ToolRisk.READ: Risk.READ, ToolRisk.WRITE: Risk.WRITE, ToolRisk.DANGEROUS: Risk.DANGEROUS}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Everything that talking with people needs, put together.

    Args:
        installation: From what it was composed.
        night: The night, its servers and its records.
        conversation: Takes the turns.
        toolbox: All tools.
        names: What can be named.
        people: Whom the device knows.
        controls: What can be turned; an appliance is attached to it.
        claims: Who has heard which digest.
        copies: Sends everybody's copy of the digest.
        journal: The memory of turns.
    """

    installation: Installation
    night: NightHouse
    conversation: Conversation
    toolbox: Toolbox
    names: LiveNames
    people: SqlPeopleStore
    controls: HouseControls
    claims: SqlDigestClaimStore
    copies: DigestCopies
    journal: SqlJournal

    @property
    def clock(self) -> Clock:
        """The time of the cloud that is talked about, in its zone."""
        return LocalClock(self.installation.clock, self.installation.zone)

    def voices(self, check: SpeakerCheck) -> KnownVoices:
        """Return the people by their voice, with this speaker model."""
        return KnownVoices(self.people, check, self.installation.wall.now)

    async def answer(self, heard: Heard) -> Answer:
        """Take a turn that nobody speaks aloud: its answer counts as heard, and goes into the journal."""
        answer = await self.conversation.take_turn(heard)
        if answer.claim is not None:
            claim, now = answer.claim, self.installation.wall.now()
            try:
                await in_store(lambda: self.claims.end(claim, Ending.FINISHED, spoken_seconds=0.0, now=now))
            except StoreUnavailable as error:
                _log.error("that the digest was told could not be put on record: %s", error)
        latencies = TurnLatencies(planning_ms=answer.planning_ms, tools_ms=answer.tools_ms)
        await self.write_down(heard, answer, latencies)
        return answer

    async def write_down(self, heard: Heard, answer: Answer, latencies: TurnLatencies | None = None) -> None:
        """Keep a turn in the journal; an answer is not lost because the disk is full."""
        at = self.installation.wall.now()
        turn = turn_of(heard, answer, at=at, latencies=latencies or TurnLatencies())
        try:
            await in_store(lambda: self.journal.write(turn))
        except StoreUnavailable as error:
            _log.error("a turn is missing from the journal: %s", error)

    async def forget_old_turns(self) -> int:
        """Delete the turns that are older than the settings say; return how many."""
        keep_days = self.installation.settings.journal.keep_days
        now = self.installation.wall.now()
        return await in_store(lambda: self.journal.forget_older(keep_days=keep_days, now=now))

    async def send_copies(self) -> int:
        """Send the digest to everybody whose window is open and who has not had a copy; return how many."""
        return await self.copies.send_due(
            self.installation.clock.now(), self.controls.window, self.people.everybody
        )


@asynccontextmanager
async def open_house(
    installation: Installation,
    tempo: Tempo,
    *,
    executor_id: str,
    triggered: bool = False,
    chance: Random | None = None,
) -> AsyncIterator[House]:
    """Compose everything, and take it down again in the opposite order.

    Args:
        installation: From what.
        tempo: How the night waits.
        executor_id: Names this process among those that share the database.
        triggered: Whether the night starts by itself when it is due.
        chance: Where challenge digits come from.
    """
    answers = LastAnswers()
    async with AsyncExitStack() as stack:
        # Without a cloud there is nothing to read at night.
        due = triggered and bool(installation.accounts)
        night = await stack.enter_async_context(
            open_night(installation, tempo, executor_id=executor_id, triggered=due, answers=answers)
        )
        background = await stack.enter_async_context(_background())
        sealer = open_sealer(installation.home, installation.environ, create=True)
        people = people_store(night.engine, sealer)
        digests = KeptDigests(
            night.digests, installation.zone, max_seconds=installation.settings.digest.max_seconds
        )
        controls = _controls(installation, night)
        desk = _device_desk(installation, night, people, digests, controls)
        further = [device_server(desk, night.opened.gateway)]
        further += [one async for one in _third_parties(stack, installation, night)]
        clients = [await stack.enter_async_context(Client(server)) for server in further]
        toolbox = Toolbox([*night.clients, *clients])
        await toolbox.discover()
        claims = SqlDigestClaimStore(night.engine)
        await _settled(claims, installation.wall.now())
        copies = DigestCopies(
            toolbox=toolbox,
            preferences=SqlPreferenceStore(night.engine),
            digests=night.digests,
            zone=installation.zone,
        )
        names = _names(installation, night.opened.inventory, people)

        def told(person: Person, on: date) -> None:
            background.start(copies.send(person, on))

        conversation = Conversation(
            people=KeptPeople(people),
            planner=Planner(),
            names=names,
            toolbox=toolbox,
            greeting=Greeting(
                digests=digests,
                claims=claims,
                window=lambda: controls.window,
                device=socket.gethostname(),
                wall=installation.wall,
                told=told,
            ),
            witness=HouseWitness(night.trail, answers, installation.wall.now),
            clock=LocalClock(installation.clock, installation.zone),
            wall=installation.wall,
            chance=chance or SystemRandom(),
        )
        yield House(
            installation=installation,
            night=night,
            conversation=conversation,
            toolbox=toolbox,
            names=names,
            people=people,
            controls=controls,
            claims=claims,
            copies=copies,
            journal=SqlJournal(night.engine),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What understanding alone needs: nothing can be done in it.

    Args:
        planner: Understands sentences.
        names: What can be named.
        people: Whom the device knows.
        clock: The time of the cloud that is talked about.
        wall: The device's own time.
    """

    planner: Planner
    names: Names
    people: SqlPeopleStore
    clock: Clock
    wall: Clock

    def voices(self, check: SpeakerCheck) -> KnownVoices:
        """Return the people by their voice, with this speaker model."""
        return KnownVoices(self.people, check, self.wall.now)

    async def plan(self, say: str, context: TurnContext | None = None) -> Outcome:
        """Return what a sentence would lead to."""
        inventory = await self.names.inventory()
        outcome = self.planner.plan(say, inventory=inventory, now=self.clock.now(), context=context)
        if isinstance(outcome, Plan):
            return replace(outcome, calls=all_placed(outcome.calls, inventory))
        return outcome


@asynccontextmanager
async def open_study(installation: Installation) -> AsyncIterator[Study]:
    """Compose what a dry run needs: names and people; no gateway, no durable engine, no tools."""
    async with AsyncExitStack() as stack:
        database = stack.enter_context(open_records(installation.home, installation.settings))
        sealer = open_sealer(installation.home, installation.environ, create=True)
        people = people_store(database.engine, sealer)
        names: Names = NoNames()
        if installation.accounts:
            opening = TencentClouds(installation.accounts, installation.calling)
            clouds = await stack.enter_async_context(opening)
            names = _names(installation, Inventory(clouds, installation.clock), people)
        yield Study(
            planner=Planner(),
            names=names,
            people=people,
            clock=LocalClock(installation.clock, installation.zone),
            wall=installation.wall,
        )


async def _settled(claims: SqlDigestClaimStore, now: datetime) -> None:
    """Settle what this device was saying when it lost power; a full disk does not keep it from starting."""
    try:
        await in_store(lambda: claims.settle(socket.gethostname(), now=now))
    except StoreUnavailable as error:
        _log.error("what was being said at the last power cut is settled later: %s", error)


def _names(installation: Installation, inventory: Inventory, people: SqlPeopleStore) -> LiveNames:
    default = installation.settings.cloud.default_cluster or ""
    return LiveNames(inventory, people.everybody, default_cluster=default)


class _Background:
    """Work that nobody waits for, until the end."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()

    def start(self, work: Coroutine[object, object, object]) -> None:
        """Begin it."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finished(self) -> None:
        """Wait for all of it."""
        for outcome in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                _log.error("work in the background failed", exc_info=outcome)


@asynccontextmanager
async def _background() -> AsyncIterator[_Background]:
    background = _Background()
    try:
        yield background
    finally:
        await background.finished()


def _controls(installation: Installation, night: NightHouse) -> HouseControls:
    settings = installation.settings

    async def start_night() -> str:
        today = installation.clock.now().astimezone(installation.zone).date()
        runs = await asyncio.to_thread(night.runs.latest, "night", limit=1)
        if runs and runs[0].id == night_id(today):
            return _NIGHT_WORDS[runs[0].outcome]
        await night.nights.start(today)
        return "好，夜间任务已经开始，完成后日报就能听了。"

    return HouseControls(
        home=installation.home,
        environ=installation.environ,
        name=settings.robot.name,
        window=MorningWindow(
            start=settings.digest.window_start, end=settings.digest.window_end, zone=installation.zone
        ),
        start_night=start_night,
    )


_NIGHT_WORDS = {
    None: "夜间任务正在跑。",
    JobOutcome.SUCCEEDED: "今天的夜间任务已经跑完了。",
    JobOutcome.PARTIAL: "今天的夜间任务跑过了，有些东西没有读到。",
    JobOutcome.FAILED: "今天的夜间任务跑过了，但是失败了。",
    JobOutcome.MISSED: "今天的夜间任务错过了时间。",
    JobOutcome.ABANDONED: "今天的夜间任务中途停掉了。",
}


def _device_desk(
    installation: Installation,
    night: NightHouse,
    people: SqlPeopleStore,
    digests: KeptDigests,
    controls: HouseControls,
) -> DeviceDesk:
    async def digest() -> str | None:
        spoken = await digests.of(installation.clock.now())
        return None if spoken is None else "".join(spoken.parts)

    return DeviceDesk(
        controls=controls,
        people=DevicePeople(people, TokenStore(night.engine, installation.wall)),
        digest=digest,
        health=lambda: tuple(_health(installation)),
        robot_name=lambda: controls.name,
        now=installation.wall.now,
    )


_SUBJECTS = {"temperature": "温度", "power": "供电", "disk": "磁盘", "memory": "内存", "clock": "时钟"}


def _health(installation: Installation) -> Iterator[HealthNote]:
    reading = read_device(installation.home.data_dir)
    gib = 1024**3
    values = {
        "temperature": f"{reading.temperature_celsius:.0f}度" if reading.temperature_celsius else "",
        "disk": f"剩余{reading.disk_free_bytes / gib:.1f}GB",
        "memory": f"剩余{reading.memory_available_bytes / gib:.1f}GB",
    }
    for finding in judge(reading):
        well = finding.weight is Weight.FINE
        yield HealthNote(
            what=_SUBJECTS[finding.subject],
            value=values.get(finding.subject) or ("正常" if well else "有问题"),
            well=well,
        )


async def _third_parties(
    stack: AsyncExitStack, installation: Installation, night: NightHouse
) -> AsyncIterator[GatewayServer]:
    """Mount the servers of other people that the settings name; one that cannot be reached is left out."""
    for name, settings in installation.settings.mcp_servers.items():
        if settings.disabled:
            continue
        prefix = settings.prefix or name
        try:
            async with asyncio.timeout(_THIRD_PARTY_PATIENCE_S):
                tools = await stack.enter_async_context(mounted(prefix, _server(settings)))
        except (MCPError, CloudError, OSError, httpx2.HTTPError, TimeoutError, ExceptionGroup) as error:
            _log.warning("the MCP server %s is left out, it cannot be reached: %s", name, error)
            continue
        yield GatewayServer(name, tools, night.opened.gateway)


def _server(settings: McpServerSettings) -> ThirdPartyServer:
    """Return a server of the settings as it is mounted."""
    return ThirdPartyServer(
        command=settings.command,
        args=tuple(one.get_secret_value() for one in settings.args),
        env={name: value.get_secret_value() for name, value in settings.env.items()},
        url=settings.url.get_secret_value() if settings.url else None,
        headers={name: value.get_secret_value() for name, value in settings.headers.items()},
        risks={tool: _RISKS[risk] for tool, risk in settings.tool_risks.items()},
    )
