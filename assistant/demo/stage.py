"""Where the demo plays: a local cloud, a house on it, a mail server and a group; a composition root."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from dbos import DBOS

from assistant.clock import SystemClock
from assistant.demo.actors import Actor
from assistant.demo.clock import StageClock
from assistant.demo.group_robot import GroupRobot, served
from assistant.demo.mouth import DemoMouth
from assistant.demo.post_office_aiosmtpd import PostOffice, open_post_office
from assistant.home import find_home
from assistant.house import House, open_house
from assistant.known_people import KnownVoices
from assistant.night_house import Tempo, let_heal, process_name
from assistant.recorded_conversation import RecordedConversation
from assistant.servers import on_local_cloud
from assistant.settings import Settings
from assistant.speech import open_ear, open_speakers
from assistant.speech_models import models_in_use
from mcp_tencent.local_cloud.server import LocalCloud

SPEED = 20.0
"""How fast the cloud's clock runs: a rollout of a minute takes three seconds."""
SCENARIO = "yesterday"
ACTS_IN = "pay"
"""The one namespace in which the night may act by itself; in all others it observes."""
OWNER, OWNERS_VOICE, OWNERS_MAIL = "李明", "steph", "liming@example.com"
STRANGER, STRANGERS_VOICE = "访客", "klatt2"
_BREATH_S = 0.3
"""Before time leaps over a wait: whoever waits for the same goes along."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything that the story plays with.

    Args:
        cloud: The local cloud.
        clock: Its time.
        house: The whole of 小智, as the appliance composes it.
        voices: Knows people by their voice.
        conversation: The ear, and the turns.
        mouth: Speaks.
        owner: Who is enrolled.
        stranger: Who is not.
        post_office: Where mails arrive.
        robot: Where group messages arrive.
    """

    cloud: LocalCloud
    clock: StageClock
    house: House
    voices: KnownVoices
    conversation: RecordedConversation
    mouth: DemoMouth
    owner: Actor
    stranger: Actor
    post_office: PostOffice
    robot: GroupRobot

    @property
    def zone(self) -> ZoneInfo:
        """Where the day begins at midnight."""
        return self.house.installation.zone

    def local_now(self) -> datetime:
        """Return the present on the wall clocks of the zone."""
        return self.clock.now().astimezone(self.zone)

    def wait_until(self, at: time) -> None:
        """Let today's hours pass; an hour that has passed changes nothing."""
        today = self.local_now().date()
        self.clock.forward(datetime.combine(today, at, self.zone).astimezone(UTC))


@asynccontextmanager
async def set_stage(folder: Path, *, aloud: bool, port: int = 0) -> AsyncIterator[Stage]:
    """Compose everything, and take it down again.

    Args:
        folder: For records and recordings; nothing outside it is written.
        aloud: Whether what is said is heard.
        port: Of the local cloud; 0 for any.
    """
    home = find_home(folder / "home", {})
    clock = _five_in_the_morning(ZoneInfo(Settings().night.timezone))
    post_office, robot = PostOffice(), GroupRobot(clock)
    recordings = folder / "recordings"
    recordings.mkdir()
    async with AsyncExitStack() as stack:
        smtp_port = await stack.enter_async_context(open_post_office(post_office))
        robot_url = await stack.enter_async_context(served(robot))
        settings = _settings(smtp_port, robot, robot_url)
        cloud = stack.enter_context(LocalCloud(SCENARIO, clock=clock, port=port))
        installation = on_local_cloud(home, settings, os.environ, cloud)
        let_heal(installation, "act", [ACTS_IN])
        house = await stack.enter_async_context(
            open_house(installation, _leaping(clock), executor_id=process_name("demo"))
        )
        models = models_in_use(home, settings.models)
        voices = house.voices(open_speakers(models))
        mouth = DemoMouth(aloud=aloud)
        stack.callback(mouth.close)
        yield Stage(
            cloud=cloud,
            clock=clock,
            house=house,
            voices=voices,
            conversation=RecordedConversation(
                ear=open_ear(models, settings.robot.wake_phrase),
                voices=voices,
                answering=house.conversation.take_turn,
                given_up=house.conversation.give_up,
            ),
            mouth=mouth,
            owner=Actor(name=OWNER, variant=OWNERS_VOICE, folder=recordings),
            stranger=Actor(name=STRANGER, variant=STRANGERS_VOICE, folder=recordings),
            post_office=post_office,
            robot=robot,
        )


def _five_in_the_morning(zone: ZoneInfo) -> StageClock:
    wall = SystemClock()
    today = wall.now().astimezone(zone).date()
    return StageClock(
        datetime.combine(today, Settings().night.at, zone).astimezone(UTC), speed=SPEED, wall=wall
    )


def _leaping(clock: StageClock) -> Tempo:
    """Return the tempo of a cloud whose time leaps over waits."""

    async def sleep(seconds: float) -> None:
        until = clock.now() + timedelta(seconds=seconds)
        await DBOS.sleep_async(_BREATH_S)
        clock.forward(until)

    return Tempo(sleep=sleep, pause=asyncio.sleep)


def _settings(smtp_port: int, robot: GroupRobot, robot_url: str) -> Settings:
    return Settings.model_validate(
        {
            "email": {
                "host": "127.0.0.1",
                "port": smtp_port,
                "security": "none",
                "sender": "xiaozhi@example.com",
            },
            "dingtalk": {
                "endpoint_url": robot_url,
                "robots": {"default": {"access_token": robot.token, "secret": robot.secret}},
            },
        }
    )
