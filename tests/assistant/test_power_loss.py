"""The power is cut while the digest is being spoken: a real process is killed, and another one starts."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from assistant.conversation.answer import TurnOutcome
from assistant.house import open_house
from assistant.night_house import process_name, real_time
from tests.assistant.power_cut_process import greeted, installation


@pytest.mark.parametrize(
    ("spoken_s", "outcome"),
    [(40.0, [TurnOutcome.DIGEST, TurnOutcome.GREETED]), (61.0, [TurnOutcome.GREETED, TurnOutcome.GREETED])],
)
def test_a_digest_is_told_again_only_when_its_first_minute_was_not_heard(
    tmp_path: Path, spoken_s: float, outcome: list[TurnOutcome]
) -> None:
    command = [sys.executable, "-m", "tests.assistant.power_cut_process", str(tmp_path), str(spoken_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "speaking\n"
        process.kill()

    async def after_the_restart() -> list[TurnOutcome]:
        async with open_house(installation(tmp_path), real_time(), executor_id=process_name("on")) as house:
            return [(await greeted(house)).outcome for _ in range(2)]

    assert asyncio.run(after_the_restart()) == outcome
