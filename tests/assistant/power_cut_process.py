"""An appliance that loses power while it speaks the digest; killed by the test when it says `speaking`."""

from __future__ import annotations

import asyncio
import sys
import threading
from datetime import UTC, date, datetime
from pathlib import Path

from assistant.conversation.answer import Answer, Heard
from assistant.home import find_home
from assistant.house import House, open_house
from assistant.known_people import CONSOLE
from assistant.night_house import process_name, real_time
from assistant.servers import Installation
from assistant.settings import Settings
from scheduler.digest import build_digest
from scheduler.digest_facts import NightFacts
from scheduler.digest_rendering import rendered
from voice.heard import Hearing, SpeakerMatch

MORNING = date(2026, 11, 20)
SEVEN = datetime(2026, 11, 19, 23, 0, tzinfo=UTC)
"""Seven in the morning of that day in Shanghai, inside the window."""


class StandingClock:
    """It is seven in the morning."""

    def now(self) -> datetime:
        return SEVEN


def installation(folder: Path) -> Installation:
    clock = StandingClock()
    return Installation(
        home=find_home(folder, {}), settings=Settings(), environ={}, clock=clock, accounts=[], wall=clock
    )


async def greeted(house: House) -> Answer:
    match = SpeakerMatch(person=CONSOLE.id, score=1.0, threshold=0.0, accepted=True)
    heard = Heard(id="greeting", hearing=Hearing(text=""), speaker=match, speech_s=2.0)
    return await house.conversation.take_turn(heard)


async def speak_until_the_power_is_cut(folder: Path, spoken_s: float) -> None:
    async with open_house(installation(folder), real_time(), executor_id=process_name("cut")) as house:
        house.night.digests.write(
            rendered(build_digest(NightFacts(date=MORNING, alert_records=0)), written_at=SEVEN)
        )
        answer = await greeted(house)
        assert answer.claim is not None
        house.claims.report(answer.claim, spoken_seconds=spoken_s, now=SEVEN)
        print("speaking", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    asyncio.run(speak_until_the_power_is_cut(Path(sys.argv[1]), float(sys.argv[2])))
