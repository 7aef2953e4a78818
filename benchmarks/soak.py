"""Hours of sound through the ear, faster than real time: memory, handles and threads stay flat.

    python benchmarks/soak.py [--hours 8]

A simulated microphone is unplugged and plugged in again every minute; in turn the ear is muted, unmuted,
woken while the loudspeaker speaks, and asked. Prints a line for each tenth, and ends with 1 when memory grew
by more than 10 MB, or handles at all, after the first tenth.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from assistant.speech import open_ear
from hardware.audio import RATE_HZ, AudioChunk, Samples
from hardware.recordings import read_recording
from voice.listening import Ear
from voice.model_catalogue import ModelFormat
from voice.models import choose_models, look_at_models

SAYINGS = (
    "今天天气不错，我们开个会",
    "你好小智，订单服务怎么样",
    "停",
    "你好小智",
    "把昨天的日志发给我看看",
    "支付服务有几个副本",
)
MOST_GROWTH_MB = 10.0
TENTHS = 10
_BLOCK = 512


@dataclass(slots=True)
class Soak:
    """An ear, what it is told, and what came of it."""

    ear: Ear
    sayings: list[Samples]
    saying: str | None = None
    clock_s: float = 0.0
    events: Counter[str] = field(default_factory=Counter)

    def minute(self, number: int) -> None:
        """Let a minute of sound pass, in whose middle something is done to the ear."""
        # Unplugged: the clock goes on, no sound comes, and what comes next begins anywhere in a block.
        self.clock_s += 2.0 + (number % 7) / 100
        deeds = (self._mute, self._speak, self._ask, self._nothing)
        for at, block in enumerate(self._sound(number)):
            if at == 400:
                deeds[number % len(deeds)]()
            chunk = AudioChunk(samples=block, captured_at_s=self.clock_s)
            self.events.update(type(event).__name__ for event in self.ear.hear(chunk))
            self.clock_s += len(block) / RATE_HZ
        self.ear.muted, self.saying = False, None

    def _sound(self, number: int) -> Iterator[Samples]:
        chance = np.random.default_rng(number)
        sound = chance.normal(scale=25, size=58 * RATE_HZ)
        for start in range(RATE_HZ, len(sound) - 6 * RATE_HZ, 7 * RATE_HZ):
            said = self.sayings[int(chance.integers(len(self.sayings)))][: 5 * RATE_HZ]
            sound[start : start + len(said)] += said * chance.uniform(0.1, 0.9)
        whole = np.clip(sound, -32_768, 32_767).astype(np.int16)
        size = _BLOCK - number % 3
        return (whole[start : start + size] for start in range(0, len(whole), size))

    def _mute(self) -> None:
        self.ear.muted = True

    def _speak(self) -> None:
        self.saying = "昨晚一切正常，没有需要处理的事"

    def _ask(self) -> None:
        self.ear.follow_up()

    def _nothing(self) -> None:
        self.ear.stop_waiting()


def new_soak() -> Soak:
    """Compose the ear as `xiaozhi run` does."""
    models = choose_models(
        look_at_models(Path("/nonexistent")),
        formats={ModelFormat.VOSK, ModelFormat.ONNX_ENCODER},
        wanted=set(),
    )
    said: list[Soak] = []
    ear = open_ear(models, "你好小智", being_said=lambda: said[0].saying)
    said.append(Soak(ear=ear, sayings=[_spoken(text) for text in SAYINGS]))
    return said[0]


def _spoken(text: str) -> Samples:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "said.wav"
        subprocess.run(["espeak-ng", "-v", "cmn-latn-pinyin+m3", "-w", str(file), text], check=True)
        return read_recording(file).samples


def main() -> None:
    """Soak, and judge."""
    parser = argparse.ArgumentParser(description="Hours of sound through the ear.")
    parser.add_argument("--hours", type=float, default=8.0)
    minutes = max(TENTHS, round(parser.parse_args().hours * 60))
    soak, process = new_soak(), psutil.Process()
    first: tuple[float, int, int] | None = None
    now = (0.0, 0, 0)
    for minute in range(minutes):
        soak.minute(minute)
        if (minute + 1) % (minutes // TENTHS) == 0:
            now = (process.memory_info().rss / 2**20, process.num_fds(), process.num_threads())
            first = first or now
            print(
                f"{(minute + 1) / 60:5.2f} h: {now[0]:.0f} MB, {now[1]} handles, {now[2]} threads, "
                f"{dict(soak.events)}",
                flush=True,
            )
    assert first is not None
    flat = now[0] - first[0] <= MOST_GROWTH_MB and now[1:] == first[1:]
    print("pass: flat" if flat else "FAIL: it grows")
    sys.exit(not flat)


if __name__ == "__main__":
    main()
