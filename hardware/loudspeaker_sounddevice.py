"""A real loudspeaker through PortAudio: queued sound, silent within a block when stopped."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from hardware.audio import AudioClip, Samples
from hardware.errors import AudioDeviceRefused
from hardware.loudspeaker import Playback, PlaybackState
from hardware.microphone import DeviceState
from hardware.portaudio_sounddevice import AUDIO_SYSTEM, AudioSystem, sounddevice

_BLOCK_S = 0.01
_LATENCY_S = 0.04
"""What the device may hold back: it is still heard after a stop. PulseAudio keeps it without a gap (measured
beside a thread that never rests), and falls silent 50 ms after a stop; 95 ms with twice as much."""
_LOST_AFTER_S = 1.5
_LOOK_EVERY_S = 0.25


class SounddeviceLoudspeaker:
    """Plays through a sound card, found by its name; open only while there is something to play.

    Args:
        name: Its name or a part of it; None for the system's default.
        clock: Monotonic seconds.
        system: The process's PortAudio.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        system: AudioSystem = AUDIO_SYSTEM,
    ) -> None:
        self._name = name
        self._clock = clock
        self._system = system
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Playback, Samples]] = deque()
        self._position = 0
        self._stream: Any = None
        self._generation = -1
        self._rate_hz = 0
        self._last_callback_s = 0.0
        self._state = DeviceState.CLOSED
        self._closed = threading.Event()
        self._watch: threading.Thread | None = None

    def play(self, clip: AudioClip, text: str = "") -> Playback:
        """Queue a piece of sound behind what is waiting, and return at once.

        Raises:
            HardwareError: the device cannot be opened.
        """
        playback = Playback(clip, text)
        with self._system.lock:
            self._open()
            samples = soxr.resample(clip.samples, clip.rate_hz, self._rate_hz)
            with self._lock:
                self._waiting.append((playback, samples))
        if self._watch is None or not self._watch.is_alive():
            self._watch = threading.Thread(target=self._watching, name="loudspeaker-watch", daemon=True)
            self._watch.start()
        return playback

    def stop(self) -> None:
        """Silence it within one block and forget what is waiting."""
        self._drop(PlaybackState.STOPPED)

    @property
    def playing(self) -> Playback | None:
        """What is to be heard right now."""
        with self._lock:
            return self._waiting[0][0] if self._waiting else None

    @property
    def state(self) -> DeviceState:
        """LOST until the next piece finds a device that works."""
        return self._state

    def close(self) -> None:
        """Stop and let the device go."""
        self._closed.set()
        self.stop()
        self._release(DeviceState.CLOSED)
        if self._watch is not None and self._watch is not threading.current_thread():
            self._watch.join()

    def _open(self) -> None:
        if self._stream is not None and self._generation == self._system.generation:
            return
        self._stream = None
        if self._state is DeviceState.LOST:
            self._system.renew(self._generation)
        device = self._system.find("output", self._name)
        library = sounddevice()
        try:
            self._stream = library.OutputStream(
                device=device.index,
                samplerate=device.rate_hz,
                channels=1,
                dtype="int16",
                blocksize=round(device.rate_hz * _BLOCK_S),
                latency=_LATENCY_S,
                callback=self._fill,
            )
            self._last_callback_s = self._clock()
            self._stream.start()
        except library.PortAudioError as error:
            self._stream = None
            raise AudioDeviceRefused(f"{device.name} cannot be opened: {error}") from error
        self._generation = self._system.generation
        self._rate_hz = device.rate_hz
        self._state = DeviceState.OPEN

    def _fill(self, out: NDArray[np.int16], frames: int, _when: object, _status: object) -> None:
        """Give PortAudio its next block, in its own thread: nothing here may wait for long."""
        self._last_callback_s = self._clock()
        filled = 0
        with self._lock:
            while filled < frames and self._waiting:
                playback, samples = self._waiting[0]
                piece = samples[self._position : self._position + frames - filled]
                out[filled : filled + len(piece), 0] = piece
                filled += len(piece)
                self._position += len(piece)
                playback.advance(self._position / self._rate_hz)
                if self._position >= len(samples):
                    self._waiting.popleft()
                    self._position = 0
                    playback.end(PlaybackState.FINISHED)
        out[filled:] = 0

    def _watching(self) -> None:
        """Notice a device that has died, and let it go a while after the last sound."""
        idle_s = 0.0
        while not self._closed.wait(_LOOK_EVERY_S):
            if self._clock() - self._last_callback_s > _LOST_AFTER_S:
                self._release(DeviceState.LOST)
                self._drop(PlaybackState.FAILED)
                return
            idle_s = 0.0 if self.playing else idle_s + _LOOK_EVERY_S
            if idle_s >= 1.0 and self._let_go():
                return

    def _let_go(self) -> bool:
        with self._system.lock:
            if self.playing:
                return False
            self._release(DeviceState.CLOSED)
            self._watch = None
            return True

    def _drop(self, state: PlaybackState) -> None:
        with self._lock:
            dropped = [playback for playback, _ in self._waiting]
            self._waiting.clear()
            self._position = 0
        for playback in dropped:
            playback.end(state)

    def _release(self, state: DeviceState) -> None:
        with self._system.lock:
            if self._stream is not None and self._generation == self._system.generation:
                self._system.let_go(self._stream)
            self._stream = None
            self._state = state
