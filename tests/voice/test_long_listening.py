"""Listening for long: what happens to ear and microphone meanwhile neither blocks it nor wears it out."""

import asyncio
from pathlib import Path

import numpy as np
import psutil

from assistant.appliance.listening_thread import ListeningThread, SoundEnded
from hardware.audio import AudioChunk
from hardware.microphone import DeviceState, MicrophoneHealth
from tests.voice.speech import embedded_ear, silence, spoken
from voice.heard import Wake
from voice.listening import NothingSaid, PartlyUnderstood, Understood


class LooseMicrophone:
    """Loses its device again and again: sound stops, and goes on a minute later in the middle of a block."""

    def __init__(self, sound, losses: int) -> None:
        self._sound, self._losses = sound, losses
        self._closed = False

    def chunks(self):
        clock_s = 0.0
        for loss in range(self._losses):
            whole = self._sound[: len(self._sound) - 1_000 * (loss % 5)]
            for start in range(0, len(whole), 500):
                if self._closed:
                    return
                yield AudioChunk(samples=whole[start : start + 500], captured_at_s=clock_s)
                clock_s += 500 / 16_000
            clock_s += 60.0

    @property
    def health(self) -> MicrophoneHealth:
        return MicrophoneHealth(state=DeviceState.OPEN)

    def close(self) -> None:
        self._closed = True


async def heard(microphone, meddle=lambda thread, event: None):
    thread = ListeningThread(microphone, embedded_ear(), asyncio.get_running_loop())
    thread.start()
    events = []
    try:
        async with asyncio.timeout(120):
            while not isinstance(event := await thread.events.get(), SoundEnded):
                events.append(event)
                meddle(thread, event)
    finally:
        thread.stop()
    return events


def question(folder: Path):
    call = spoken("你好小智，订单服务怎么样", folder).samples
    return np.concatenate([silence(0.5).samples, call, silence(1.2).samples])


def test_it_hears_after_every_loss_of_its_device_and_grows_no_more(tmp_path: Path):
    process = psutil.Process()
    sizes: list[tuple[int, int]] = []

    def measure(_thread, event):
        if isinstance(event, Wake):
            sizes.append((process.memory_info().rss, process.num_fds()))

    kinds = [type(event) for event in asyncio.run(heard(LooseMicrophone(question(tmp_path), 30), measure))]
    assert kinds.count(Wake) == 30
    assert kinds.count(Understood) == 30
    settled, last = sizes[len(sizes) // 2], sizes[-1]
    assert last[0] - settled[0] < 5 * 2**20
    assert last[1] <= settled[1]


def test_muted_and_unmuted_whenever_it_is_called_it_goes_on_hearing(tmp_path: Path):
    def meddle(thread, event):
        if isinstance(event, Wake):
            thread.order(lambda ear: setattr(ear, "muted", True))
            thread.order(lambda ear: ear.follow_up())
            thread.order(lambda ear: setattr(ear, "muted", False))
            thread.order(lambda ear: ear.stop_waiting())

    events = asyncio.run(heard(LooseMicrophone(question(tmp_path), 8), meddle))
    kinds = [type(event) for event in events if not isinstance(event, PartlyUnderstood | NothingSaid)]
    assert kinds.count(Wake) >= 6
