"""A house that lives for a week on one home and one cloud, in virtual time, and may be opened again."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from assistant.conversation.answer import Answer, Heard
from assistant.house import House, open_house
from assistant.night_house import process_name
from assistant.people import Grant, Person
from mcp_tencent.gateway.audit_trail import Entry
from mcp_tencent.gateway.call import Permission
from mcp_tencent.local_cloud.faults.surroundings import DependencyDown
from mcp_tencent.local_cloud.scenario.model import ApiFaults, KubernetesFault, Scenario, TencentFault
from mcp_tencent.local_cloud.scenario.reading import load_scenario
from mcp_tencent.local_cloud.server import LocalCloud
from mcp_tencent.local_cloud.simulation import ManualClock
from tests.mcp_tencent.basic.office import ZONE
from tests.scheduler.nights import installation_on, manual_tempo
from voice.heard import Hearing, SpeakerMatch


class DeviceClock:
    """The device's own time: a little later with each look, and never behind the cloud's day."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        self._now += timedelta(milliseconds=50)
        return self._now

    def skip_to(self, moment: datetime) -> None:
        self._now = max(self._now, moment)


def a_weeks_trouble() -> Scenario:
    """A release with a bug; a dependency down in the second night; in the fourth, no API answers for 6 h."""
    gone: dict[str, Any] = {"start": "+71h", "end": "+77h"}
    everything = ("GET", "POST", "PUT", "PATCH", "DELETE")
    faults = ApiFaults(
        tencent=(TencentFault.model_validate({"effect": "bad_gateway", **gone}),),
        kubernetes=(KubernetesFault.model_validate({"methods": everything, "status": 503, **gone}),),
    )
    scenario = load_scenario("bad-revision")
    down = DependencyDown.model_validate(
        {
            "kind": "dependency_down",
            "dependency": "coupon-center",
            "dependants": ("cls-shop0001/shop/order-service",),
            "start": "+22h",
            "end": "+26h",
        }
    )
    return scenario.model_copy(update={"api_faults": faults, "faults": (*scenario.faults, down)})


@dataclass
class Week:
    """One home, one cloud; the house that is open at the moment; what people said."""

    cloud: LocalCloud
    folder: Path
    device: DeviceClock
    turns: list[str] = field(default_factory=list)
    _house: House | None = None

    @property
    def house(self) -> House:
        assert self._house is not None
        return self._house

    @property
    def clock(self) -> ManualClock:
        assert isinstance(self.cloud.clock, ManualClock)
        return self.cloud.clock

    @property
    def today(self) -> date:
        return self.clock.now().astimezone(ZONE).date()

    def wait_until(self, hour: int, *, days: int = 0) -> None:
        """Let time pass, for the cloud and for the device."""
        local = self.clock.now().astimezone(ZONE) + timedelta(days=days)
        moment = local.replace(hour=hour, minute=0, second=0, microsecond=0)
        self.clock.advance(moment - self.clock.now())
        self.device.skip_to(moment)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[House]:
        """Start the appliance on the files that lie there."""
        installation = replace(installation_on(self.cloud, self.folder, patience_s=20.0), wall=self.device)
        tempo = manual_tempo(self.clock)
        async with open_house(
            installation, tempo, executor_id=process_name("week"), chance=Random(7)
        ) as house:
            self._house = house
            yield house
        self._house = None

    def person(self, name: str, *permissions: Permission) -> Person:
        person = self.house.people.add(name, now=self.device.now())
        for one in permissions:
            person = self.house.people.grant(person.id, Grant(permission=one))
        return person

    def heard(self, text: str, by: Person) -> Heard:
        match = SpeakerMatch(person=by.id, score=0.8, threshold=0.5, accepted=True)
        return Heard(id=uuid.uuid4().hex, hearing=Hearing(text=text), speaker=match, speech_s=2.5)

    async def say(self, text: str, by: Person) -> Answer:
        """Take one turn, while the cloud's time goes on."""
        heard = self.heard(text, by)
        async with self._passing():
            answer = await self.house.answer(heard)
        self.turns.append(heard.id)
        return answer

    @asynccontextmanager
    async def _passing(self) -> AsyncIterator[None]:
        async def pass_by() -> None:
            while True:
                await asyncio.sleep(0.02)
                self.clock.advance(timedelta(seconds=2))

        passing = asyncio.create_task(pass_by())
        try:
            yield
        finally:
            passing.cancel()
            with suppress(asyncio.CancelledError):
                await passing

    def changes(self) -> Counter[str]:
        """Return how often each workload's specification has been changed, as the cluster counts."""
        (cluster,) = self.cloud.world.clusters.values()
        found = cluster.kubernetes.list("Deployment", "shop")
        return Counter({one["metadata"]["name"]: int(one["metadata"]["generation"]) for one in found})


@contextmanager
def full_disk(house: House) -> Iterator[None]:
    """Let the records' database grow no further; fill the last pages of its audit and its digest claims."""
    engine = house.night.engine

    def limit(connection: Any, _record: object, _proxy: object) -> None:
        # A value below the present count means the present count.
        connection.execute("PRAGMA max_page_count = 1")

    def lift(connection: Any, _record: object, _proxy: object) -> None:
        connection.execute("PRAGMA max_page_count = 1073741823")

    event.listen(engine, "checkout", limit)
    try:
        with suppress(OperationalError):
            while True:
                house.night.trail.append(_filling(house))
        now = house.installation.wall.now()
        with suppress(OperationalError):
            for number in count():
                house.claims.claim(f"filling-{number}", now.date(), device="filling", now=now)
        yield
    finally:
        event.remove(engine, "checkout", limit)
        event.listen(engine, "checkout", lift)


def _filling(house: House) -> Entry:
    return Entry(
        at=house.installation.wall.now(),
        trace_id="filling",
        person="",
        kind="person",
        tool="conversation",
        risk="R",
        arguments="{}",
        outcome="ok",
    )
