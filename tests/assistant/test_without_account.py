"""The appliance before anybody has entered a cloud account."""

from __future__ import annotations

import asyncio
from pathlib import Path

from assistant.clock import SystemClock
from assistant.conversation.answer import Answer, Heard, TurnOutcome
from assistant.home import find_home
from assistant.house import open_house
from assistant.known_people import CONSOLE
from assistant.night_house import process_name, real_time
from assistant.servers import Installation
from assistant.settings import Settings
from voice.heard import Hearing, SpeakerMatch

SAYINGS = ("你好", "你会做什么", "订单服务现在有几个副本", "昨天有哪些告警", "有哪些集群")


def test_it_greets_and_knows_itself_and_says_that_no_cloud_is_configured(tmp_path: Path) -> None:
    async def talk() -> list[Answer]:
        home = find_home(tmp_path, {})
        installation = Installation(
            home=home, settings=Settings(), environ={}, clock=SystemClock(), accounts=[]
        )
        opening = open_house(installation, real_time(), executor_id=process_name("test"), triggered=True)
        async with opening as house:
            return [await house.answer(typed(one)) for one in SAYINGS]

    greeting, name, *cloud = asyncio.run(talk())
    assert greeting.spoken == "我在。"
    assert "小智" in name.spoken
    for answer in cloud:
        assert answer.outcome in (TurnOutcome.FAILED, TurnOutcome.NOT_UNDERSTOOD), answer
    assert "还没有配置云账号" in cloud[1].spoken
    assert "还没有配置云账号" in cloud[2].spoken


def typed(text: str) -> Heard:
    match = SpeakerMatch(person=CONSOLE.id, score=1.0, threshold=0.0, accepted=True)
    return Heard(id=text, hearing=Hearing(text=text), speaker=match, speech_s=float("inf"))
