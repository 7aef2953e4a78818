"""A real microphone through PortAudio, opened again whenever it was lost."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from hardware.audio import RATE_HZ, AudioChunk, Samples
from hardware.errors import AudioDeviceRefused, HardwareError
from hardware.levels import LevelMeter
from hardware.microphone import DeviceState, MicrophoneHealth
from hardware.portaudio_sounddevice import AUDIO_SYSTEM, AudioSystem, Device, sounddevice

_BLOCK_S = 0.032
_LATENCY_S = 0.06
"""PulseAudio delivers steadily with this (measured); with less it is no faster."""
_WAITING_BLOCKS = 64
"""Two seconds: longer than the slowest step behind the microphone takes."""
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """When a device counts as lost, and how often it is tried again.

    Args:
        lost_after_s: So long without a callback.
        first_pause_s: Before the second try.
        longest_pause_s: The pause doubles up to this.
    """

    lost_after_s: float = 1.5
    first_pause_s: float = 0.5
    longest_pause_s: float = 8.0


class SounddeviceMicrophone:
    """Hears through a sound card, found by its name.

    Args:
        name: Its name or a part of it; None for the system's default.
        recovery: How patient it is with a lost device.
        clock: Monotonic seconds.
        system: The process's PortAudio.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        recovery: Recovery | None = None,
        clock: Callable[[], float] = time.monotonic,
        system: AudioSystem = AUDIO_SYSTEM,
    ) -> None:
        self._name = name
        self._recovery = recovery or Recovery()
        self._clock = clock
        self._system = system
        self._blocks: queue.Queue[tuple[float, NDArray[np.int16]]] = queue.Queue(_WAITING_BLOCKS)
        self._closed = threading.Event()
        self._meter = LevelMeter()
        self._state = DeviceState.CLOSED
        self._last_callback_s = 0.0
        self._overruns = self._device_flags = self._reopened = 0

    def chunks(self) -> Iterator[AudioChunk]:
        """Open it and yield what it hears until it is closed; a lost device is opened again.

        Raises:
            HardwareError: it cannot be opened the first time.
        """
        stream = self._open()
        try:
            while not self._closed.is_set():
                yield from self._until_lost(stream)
                if not self._closed.is_set():
                    self._state = DeviceState.LOST
                    stream.drop()
                    stream = self._open_again(stream.generation)
        finally:
            stream.drop()
            self._state = DeviceState.CLOSED

    @property
    def health(self) -> MicrophoneHealth:
        """How it fares."""
        level = self._meter.level
        return MicrophoneHealth(
            state=self._state,
            overruns=self._overruns,
            device_flags=self._device_flags,
            reopened=self._reopened,
            level_db=level.level_db,
            clipped_share=level.clipped_share,
            silent=level.silent,
        )

    def close(self) -> None:
        """End `chunks` within a tenth of a second."""
        self._closed.set()

    def _until_lost(self, stream: _Stream) -> Iterator[AudioChunk]:
        while not self._closed.is_set():
            try:
                heard_at_s, block = self._blocks.get(timeout=_LOOK_EVERY_S)
            except queue.Empty:
                if stream.generation != self._system.generation:
                    return
                if self._clock() - self._last_callback_s > self._recovery.lost_after_s:
                    return
                continue
            samples = stream.resampled(block)
            if len(samples):
                self._meter.add(samples)
                yield AudioChunk(samples=samples, captured_at_s=heard_at_s)

    def _open_again(self, generation: int) -> _Stream:
        pause_s = self._recovery.first_pause_s
        while not self._closed.is_set():
            try:
                self._system.renew(generation)
                generation = self._system.generation
                stream = self._open()
            except HardwareError:
                self._closed.wait(pause_s)
                pause_s = min(pause_s * 2, self._recovery.longest_pause_s)
            else:
                self._reopened += 1
                return stream
        return _Stream(None, generation, None)

    def _open(self) -> _Stream:
        with self._system.lock:
            device = self._system.find("input", self._name)
            stream = _start(device, self._heard)
            generation = self._system.generation
        self._last_callback_s = self._clock()
        self._state = DeviceState.OPEN
        rate = None if device.rate_hz == RATE_HZ else device.rate_hz
        return _Stream(stream, generation, rate)

    def _heard(self, block: NDArray[np.int16], frames: int, _when: object, status: object) -> None:
        """Take a block from PortAudio's own thread: nothing here may wait."""
        now_s = self._clock()
        duration_s = min(_BLOCK_S * 2, now_s - self._last_callback_s)
        self._last_callback_s = now_s
        if status:
            self._device_flags += 1
        try:
            self._blocks.put_nowait((now_s - duration_s if frames else now_s, block.copy()))
        except queue.Full:
            self._overruns += 1


class _Stream:
    """An open stream and the resampler that belongs to it."""

    def __init__(self, stream: Any, generation: int, rate_hz: int | None) -> None:  # noqa: ANN401 - untyped library
        self._stream = stream
        self.generation = generation
        self._resampler = soxr.ResampleStream(rate_hz, RATE_HZ, 1, dtype="float32") if rate_hz else None

    def resampled(self, block: NDArray[np.int16]) -> Samples:
        """Return a block of the device as 16 kHz, one channel."""
        mono = block[:, 0] if block.shape[1] == 1 else block.mean(axis=1)
        if self._resampler is not None:
            mono = self._resampler.resample_chunk(mono.astype(np.float32))
        return np.clip(np.rint(mono), -32_768, 32_767).astype(np.int16)

    def drop(self) -> None:
        """Let the device go; one that is gone already is no matter."""
        with AUDIO_SYSTEM.lock:
            if self._stream is None or self.generation != AUDIO_SYSTEM.generation:
                return
            AUDIO_SYSTEM.let_go(self._stream)
            self._stream = None


def _start(device: Device, callback: Callable[..., None]) -> Any:  # noqa: ANN401 - untyped library
    library = sounddevice()
    refused: Exception | None = None
    for channels in dict.fromkeys((1, min(2, device.channels), device.channels)):
        try:
            stream = library.InputStream(
                device=device.index,
                samplerate=device.rate_hz,
                channels=channels,
                dtype="int16",
                blocksize=round(device.rate_hz * _BLOCK_S),
                latency=_LATENCY_S,
                callback=callback,
            )
            stream.start()
        except library.PortAudioError as error:
            refused = error
        else:
            return stream
    raise AudioDeviceRefused(f"{device.name} cannot be opened: {refused}") from refused
