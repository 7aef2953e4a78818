"""Files in place of devices: a microphone that reads a recording, a loudspeaker that keeps what it plays."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr

from hardware.audio import RATE_HZ, AudioChunk, AudioClip, Samples, from_float
from hardware.errors import RecordingEmpty, RecordingNotFound, RecordingUnreadable
from hardware.levels import LevelMeter
from hardware.loudspeaker import Playback, PlaybackState
from hardware.microphone import DeviceState, MicrophoneHealth

_BLOCK_S = 0.032
_LOWEST_RATE_HZ, _HIGHEST_RATE_HZ = 4_000, 768_000


class RecordingMicrophone:
    """Hears a sound file of any rate, width and number of channels, piece by piece: length costs no memory.

    Args:
        file: What soundfile reads: WAV, FLAC, Ogg, MP3 …
        silence_after_s: Silence behind the end, so that the last words are followed by a pause.
        starts_at_s: What the clock shows at its beginning, when it is one of several in a row.
    """

    def __init__(self, file: Path, *, silence_after_s: float = 0.0, starts_at_s: float = 0.0) -> None:
        self._file = file
        self._silence_after_s = silence_after_s
        self._starts_at_s = starts_at_s
        self._meter = LevelMeter()
        self._state = DeviceState.CLOSED
        self._closed = False

    def chunks(self) -> Iterator[AudioChunk]:
        """Yield the recording as 16 kHz, one channel; channels are averaged.

        Raises:
            RecordingError: there is no such file, it is no audio, damaged or empty.
        """
        with _opened(self._file) as sound:
            self._state = DeviceState.OPEN
            heard = 0
            try:
                for samples in self._resampled(sound):
                    if self._closed:
                        return
                    self._meter.add(samples)
                    yield AudioChunk(samples=samples, captured_at_s=self._starts_at_s + heard / RATE_HZ)
                    heard += len(samples)
            except soundfile.SoundFileError as error:
                raise RecordingUnreadable(f"{self._file}: {error}") from error
            finally:
                self._state = DeviceState.CLOSED
            if not heard:
                raise RecordingEmpty(f"{self._file} holds no sample")
        yield from self._silence(heard)

    def _resampled(self, sound: soundfile.SoundFile) -> Iterator[Samples]:
        resampler = soxr.ResampleStream(sound.samplerate, RATE_HZ, 1, dtype="float32")
        block = max(1, round(sound.samplerate * _BLOCK_S))
        for frames in sound.blocks(block, dtype="float32", always_2d=True):
            mono = np.nan_to_num(frames, posinf=0.0, neginf=0.0).mean(axis=1)
            if len(samples := from_float(resampler.resample_chunk(mono))):
                yield samples
        if len(rest := from_float(resampler.resample_chunk(np.zeros(0, np.float32), last=True))):
            yield rest

    def _silence(self, heard: int) -> Iterator[AudioChunk]:
        block = round(RATE_HZ * _BLOCK_S)
        for start in range(heard, heard + round(self._silence_after_s * RATE_HZ), block):
            if self._closed:
                return
            at_s = self._starts_at_s + start / RATE_HZ
            yield AudioChunk(samples=np.zeros(block, np.int16), captured_at_s=at_s)

    @property
    def health(self) -> MicrophoneHealth:
        """Loudness and clipping of the second last read."""
        level = self._meter.level
        return MicrophoneHealth(
            state=self._state,
            level_db=level.level_db,
            clipped_share=level.clipped_share,
            silent=level.silent,
        )

    def close(self) -> None:
        """End `chunks` at the next piece."""
        self._closed = True


def read_recording(file: Path) -> AudioClip:
    """Return a whole recording at 16 kHz; for clips of seconds.

    Raises:
        RecordingError: there is no such file, it is no audio, damaged or empty.
    """
    pieces = [chunk.samples for chunk in RecordingMicrophone(file).chunks()]
    return AudioClip(samples=np.concatenate(pieces))


def write_recording(file: Path, clip: AudioClip) -> None:
    """Write a clip as 16 bit WAV."""
    soundfile.write(file, clip.samples, clip.rate_hz, subtype="PCM_16", format="WAV")


def _opened(file: Path) -> soundfile.SoundFile:
    if not file.is_file():
        raise RecordingNotFound(f"{file}: no such file")
    if file.stat().st_size == 0:
        raise RecordingEmpty(f"{file} is an empty file")
    try:
        sound = soundfile.SoundFile(file)
    except soundfile.SoundFileError as error:
        raise RecordingUnreadable(f"{file}: {error}") from error
    except PermissionError as error:
        raise RecordingNotFound(f"{file}: {error}") from error
    if not _LOWEST_RATE_HZ <= sound.samplerate <= _HIGHEST_RATE_HZ:
        sound.close()
        raise RecordingUnreadable(f"{file}: a rate of {sound.samplerate} Hz is not that of speech")
    return sound


class RecordingLoudspeaker:
    """Keeps what it plays, in real time as a device would, or at once.

    Args:
        real_time: Take as long as the sound lasts; else it is over at once.
    """

    def __init__(self, *, real_time: bool = False) -> None:
        self._real_time = real_time
        self._waiting: deque[Playback] = deque()
        self._pieces: list[Samples] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._work = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="recording-loudspeaker", daemon=True)
        self._thread.start()

    def play(self, clip: AudioClip, text: str = "") -> Playback:
        """Queue a piece of sound."""
        playback = Playback(clip, text)
        with self._lock:
            self._waiting.append(playback)
        self._work.set()
        return playback

    def stop(self) -> None:
        """Silence it and forget what is waiting."""
        with self._lock:
            dropped = list(self._waiting)
            self._waiting.clear()
            self._stopping.set()
        for playback in dropped:
            playback.end(PlaybackState.STOPPED)

    @property
    def playing(self) -> Playback | None:
        """The first that is not over."""
        with self._lock:
            return self._waiting[0] if self._waiting else None

    @property
    def state(self) -> DeviceState:
        """Open until closed."""
        return DeviceState.CLOSED if self._closed else DeviceState.OPEN

    def close(self) -> None:
        """Stop, and end its thread."""
        self.stop()
        self._closed = True
        self._work.set()
        self._thread.join()

    @property
    def recorded(self) -> AudioClip:
        """Everything heard so far, one after the other, at 16 kHz."""
        with self._lock:
            return AudioClip(samples=np.concatenate([np.zeros(0, np.int16), *self._pieces]))

    def _run(self) -> None:
        while not self._closed:
            self._work.wait()
            with self._lock:
                current = self._waiting[0] if self._waiting else None
                self._stopping.clear()
                if current is None:
                    self._work.clear()
            if current is not None:
                self._play_one(current)

    def _play_one(self, playback: Playback) -> None:
        clip = playback.clip
        samples = soxr.resample(clip.samples, clip.rate_hz, RATE_HZ)
        block = round(RATE_HZ * _BLOCK_S)
        for start in range(0, len(samples), block):
            if self._stopping.wait(_BLOCK_S if self._real_time else 0):
                return
            piece = samples[start : start + block]
            with self._lock:
                self._pieces.append(piece)
            playback.advance((start + len(piece)) / RATE_HZ)
        with self._lock:
            if self._waiting and self._waiting[0] is playback:
                self._waiting.popleft()
        playback.end(PlaybackState.FINISHED)
