"""What the appliance costs: its start, its memory, and the time from a question to its first sentence.

Budgets: process start to listening at most 3 s, at most 350 MB resident; the planner at most 20 ms with 2,000
names; a question to the first sentence as sound at most 200 ms, besides what tools take, the pause that ends
the question and telling the speaker (see `voiceprint.py`). Start is also shown as a ratio to a bare Python.
Run: `python benchmarks/appliance.py`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime

import psutil

from assistant.conversation.answer import Heard
from assistant.house import House, open_house
from assistant.installing import installed
from assistant.known_people import CONSOLE
from assistant.night_house import process_name, real_time
from assistant.planner.inventory import Inventory, Thing
from assistant.planner.planner import Planner
from assistant.speakable import sentences_of, speakable
from mcp_tencent.serving.masking import log_to_stderr
from voice.heard import Hearing, SpeakerMatch
from voice.synthesizer_pyttsx3 import Pyttsx3Synthesizer

START_S, RSS_MB, PLANNER_MS, FIRST_SENTENCE_MS = 3.0, 350.0, 20.0, 200.0
LISTENING = "stop with Ctrl-C"
QUESTIONS = ("订单服务现在有几个副本", "昨天有哪些告警", "有哪些集群", "你好")


def verdict(what: str, value: float, budget: float, unit: str, beside: str = "") -> bool:
    """Print one line; return whether the budget is kept."""
    kept = value <= budget
    print(f"{'pass' if kept else 'FAIL'}  {what}: {value:.1f} {unit} (budget {budget:g}) {beside}")
    return kept


def start(home: str) -> tuple[float, float, float]:
    """Start the appliance; return seconds, CPU seconds, and resident megabytes."""
    environ = {**os.environ, "XIAOZHI_HOME": home, "PULSE_SERVER": "none"}
    began = time.perf_counter()
    command = [sys.executable, "-m", "assistant", "run"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stderr is not None
        if not any(LISTENING in line for line in process.stderr):
            raise RuntimeError("the appliance did not begin to listen")
        seconds = time.perf_counter() - began
        running = psutil.Process(process.pid)
        resident, times = running.memory_info().rss / 2**20, running.cpu_times()
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    return seconds, times.user + times.system, resident


def starts() -> list[tuple[float, float, float]]:
    """Start it three times in a home whose tables have been made by a start before."""
    with tempfile.TemporaryDirectory() as home:
        print(f"      the very first start, which makes the tables: {start(home)[0]:.1f} s")
        return [start(home) for _ in range(3)]


def bare_python() -> float:
    """Return what a Python takes that does nothing, in seconds."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.perf_counter() - began


def planning_ms() -> float:
    """Return the median of planning a question with 2,000 known names."""
    names = Inventory(
        things=tuple(
            Thing(kind="workload", id=f"service-{number}", names=(f"第{number}号订单服务",))
            for number in range(2000)
        )
    )
    planner, now = Planner(), datetime.now(UTC)
    planner.plan("有哪些集群", inventory=names, now=now)  # builds the index, once per inventory
    taken = []
    for number in range(0, 400, 10):
        began = time.perf_counter()
        planner.plan(f"第{number}号订单服务的日志", inventory=names, now=now)
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


async def first_sentence_ms(house: House) -> float:
    """Return the median from a question to its first sentence as sound, besides tools."""
    synthesizer = Pyttsx3Synthesizer()
    taken = []
    try:
        for question in QUESTIONS * 4:
            await house.conversation.prepare()  # done while the question is still being asked
            began = time.perf_counter()
            answer = await house.answer(_typed(question))
            first = speakable(next(iter(sentences_of(answer.spoken))))
            await asyncio.to_thread(synthesizer.synthesize, first)
            taken.append((time.perf_counter() - began) * 1000 - answer.tools_ms)
    finally:
        synthesizer.close()
    return statistics.median(taken[len(QUESTIONS) :])


def _typed(text: str) -> Heard:
    match = SpeakerMatch(person=CONSOLE.id, score=1.0, threshold=0.0, accepted=True)
    return Heard(
        id=uuid.uuid4().hex,
        hearing=Hearing(text=text),
        speaker=match,
        speech_s=float("inf"),
        device="console",
    )


async def conversing() -> float:
    """Measure answers upon an embedded local cloud."""
    with installed(None, "yesterday") as installation:
        async with open_house(installation, real_time(), executor_id=process_name("bench")) as house:
            return await first_sentence_ms(house)


def main() -> int:
    """Measure everything; return 1 when a budget is broken."""
    log_to_stderr(logging.ERROR)
    started = starts()
    seconds, cpu_s, _ = min(started)  # what else the machine does only adds
    beside = f"{cpu_s:.1f} s of CPU, {seconds / bare_python():.0f} x bare Python"
    kept = [
        verdict("start to listening", seconds, START_S, "s", beside),
        verdict("resident memory", max(one for _, _, one in started), RSS_MB, "MB"),
        verdict("planner, 2,000 names", planning_ms(), PLANNER_MS, "ms"),
        verdict("question to first sentence", asyncio.run(conversing()), FIRST_SENTENCE_MS, "ms"),
    ]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
