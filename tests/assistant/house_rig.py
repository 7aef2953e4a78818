"""The real house on the real local cloud, for dialogues in which time stands still until it is moved on."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from assistant.conversation.answer import Answer, Heard
from assistant.home import Home, find_home
from assistant.house import House, open_house
from assistant.night_house import hurried, process_name
from assistant.people import Grant, Person
from assistant.servers import Installation
from assistant.settings import Settings
from mcp_tencent.cloud.tencentcloud.caller import Account
from mcp_tencent.gateway.call import Permission
from mcp_tencent.local_cloud.server import LocalCloud
from voice.heard import Alternative, Hearing, SpeakerMatch

T = TypeVar("T")
SPEED = 60.0
FIVE = datetime(2026, 11, 19, 21, 0, tzinfo=UTC)
"""Five in the morning of November 20 in Shanghai."""


class Sky:
    """A clock that goes `speed` times as fast as the wall's, and can be moved on."""

    def __init__(self, start: datetime, speed: float) -> None:
        self._start, self._speed, self._began = start, speed, time.monotonic()
        self._skipped = timedelta()

    def now(self) -> datetime:
        passed = timedelta(seconds=(time.monotonic() - self._began) * self._speed)
        return self._start + passed + self._skipped

    def skip_to(self, moment: datetime) -> None:
        self._skipped += moment - self.now()

    def skip(self, **by: float) -> None:
        self._skipped += timedelta(**by)


class Rig:
    """A house in a loop of its own, and people who talk with it."""

    def __init__(self, house: House, loop: asyncio.AbstractEventLoop, wall: Sky, sky: Sky) -> None:
        self.house, self.loop, self.wall, self.sky = house, loop, wall, sky

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def person(self, name: str, *permissions: Permission, namespaces: frozenset[str] | None = None) -> Person:
        person = self.house.people.add(f"{name}{uuid.uuid4().hex[:4]}", now=self.wall.now())
        for one in permissions:
            limits = namespaces if one is Permission.ROLLBACK else None
            person = self.house.people.grant(person.id, Grant(permission=one, namespaces=limits))
        return person

    def heard(
        self, text: str, by: Person | None, *, speech_s: float = 2.5, others: tuple[str, ...] = ()
    ) -> Heard:
        match = SpeakerMatch(
            person=by.id if by else None,
            score=0.8 if by else 0.1,
            threshold=0.5,
            accepted=by is not None,
            why="" if by else "score 0.10 is below 0.50",
        )
        alternatives = tuple(Alternative(text=one, confidence=0.1) for one in others)
        hearing = Hearing(text=text, confidence=0.9, alternatives=alternatives)
        return Heard(id=uuid.uuid4().hex, hearing=hearing, speaker=match, speech_s=speech_s)

    def say(self, text: str, by: Person | None, *, speech_s: float = 2.5) -> Answer:
        """Take one turn."""
        return self.wait(self.house.answer(self.heard(text, by, speech_s=speech_s)))

    def calls(self, answer: Answer) -> list[tuple[str, dict[str, object]]]:
        return [(step.call.tool, dict(step.call.arguments)) for step in answer.steps]


@contextmanager
def house_rig(folder: Path, *, settings: Settings | None = None, seed: int = 7) -> Iterator[Rig]:
    """Open the house in a thread of its own: its contexts must be left by the task that entered them."""
    sky, wall = Sky(FIVE, SPEED), Sky(FIVE, 0.01)
    opened: Future[Rig] = Future()
    closing = threading.Event()
    with LocalCloud("yesterday", clock=sky) as cloud:
        installation = _installation(find_home(folder, {}), settings or Settings(), cloud, sky, wall)

        async def live() -> None:
            opening = open_house(
                installation, hurried(SPEED), executor_id=process_name("test"), chance=Random(seed)
            )
            async with opening as house:
                opened.set_result(Rig(house, asyncio.get_running_loop(), wall, sky))
                await asyncio.to_thread(closing.wait)

        def work() -> None:
            try:
                asyncio.run(live())
            except BaseException as error:
                if not opened.done():
                    opened.set_exception(error)
                raise

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield opened.result(60)
        finally:
            closing.set()
            thread.join()


def _installation(home: Home, settings: Settings, cloud: LocalCloud, sky: Sky, wall: Sky) -> Installation:
    regions = tuple(dict.fromkeys(cluster.region for cluster in cloud.scenario.clusters))
    key = cloud.credentials
    account = Account(
        name="local",
        secret_id=key.secret_id,
        secret_key=key.secret_key,
        regions=regions,
        endpoint=cloud.url,
    )
    return Installation(home=home, settings=settings, environ={}, clock=sky, accounts=[account], wall=wall)
