"""Rooms, microphones and noise laid over clean speech, drawn at random."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.signal import butter, fftconvolve, lfilter, resample_poly

from voice.training.mfcc import SAMPLES_PER_SECOND, Samples

_NOISE_SECONDS = 12
_PEAK = 30_000.0


def room_responses(random: np.random.Generator, count: int) -> list[Samples]:
    """Synthetic rooms: a direct path, a few early reflections, a tail that decays within 0.08 to 0.5 s."""
    responses = []
    for _ in range(count):
        decay_s = random.uniform(0.08, 0.5)
        times = np.arange(int(SAMPLES_PER_SECOND * decay_s)) / SAMPLES_PER_SECOND
        tail = random.standard_normal(len(times)) * np.exp(-6.9 * times / decay_s)
        tail[: int(random.uniform(20, 120))] = 0
        tail *= 10 ** (-random.uniform(0, 14) / 20) / (np.sqrt((tail**2).sum()) + 1e-9)
        tail[0] = 1.0
        for _ in range(random.integers(0, 4)):
            tail[random.integers(30, min(len(tail), 600))] += random.uniform(-0.5, 0.5)
        responses.append(np.asarray(tail / np.sqrt((tail**2).sum()), np.float32))
    return responses


def _brown(random: np.random.Generator, length: int) -> Samples:
    return np.asarray(lfilter([1], [1, -0.98], random.standard_normal(length)))


def _pink(random: np.random.Generator, length: int) -> Samples:
    poles = ((0.99, 0.3), (0.9, 0.5), (0.5, 0.6))
    return np.asarray(sum(lfilter([1], [1, -a], random.standard_normal(length)) * b for a, b in poles))


def _band(random: np.random.Generator, length: int) -> Samples:
    low = random.uniform(100, 2000) / 8000
    b, a = butter(2, [low, min(0.95, low * random.uniform(1.5, 4))], "band")
    white = random.standard_normal(length)
    return np.asarray(lfilter(b, a, white) * 3 + 0.2 * random.standard_normal(length))


def _hum(random: np.random.Generator, length: int) -> Samples:
    times = np.arange(length) / SAMPLES_PER_SECOND
    base_hz = random.choice([50.0, 100.0, random.uniform(60, 600)])
    noise = 0.15 * random.standard_normal(length)
    for harmonic in range(1, 9):
        noise += (
            np.sin(2 * np.pi * base_hz * harmonic * times + random.uniform(0, 6)) * random.random() / harmonic
        )
    if random.random() < 0.5:
        noise *= 1 + 0.8 * np.sin(2 * np.pi * random.uniform(0.3, 4) * times)
    return np.asarray(noise)


def _white(random: np.random.Generator, length: int) -> Samples:
    return np.asarray(random.standard_normal(length))


_NOISES: tuple[Callable[[np.random.Generator, int], Samples], ...] = (_white, _brown, _pink, _band, _hum)


def synthetic_noises(random: np.random.Generator, count: int) -> list[Samples]:
    """Noises of 12 s and unit power: white, brown, pink, band-limited and hum in turn."""
    noises = [_NOISES[k % len(_NOISES)](random, SAMPLES_PER_SECOND * _NOISE_SECONDS) for k in range(count)]
    return [np.asarray(noise / noise.std(), np.float32) for noise in noises]


class Augmenter:
    """Changes clean speech as rooms and microphones would.

    Args:
        random: The only source of chance.
        babble: A long stretch of speech from which murmuring crowds are mixed.
        speeds: Smallest and largest speed change in twentieths (17 to 23: 0.87 to 1.18 times as fast).
        noises: Recorded noises at 16 kHz, used beside the synthetic ones.
    """

    def __init__(
        self,
        random: np.random.Generator,
        babble: Samples,
        *,
        speeds: tuple[int, int],
        noises: list[Samples] | None = None,
    ) -> None:
        self._random = random
        self._babble = babble
        self._speeds = speeds
        self._rooms = room_responses(random, 150)
        self._noises = synthetic_noises(random, 40) + (noises or [])

    def noise(self, length: int) -> Samples:
        """A stretch of noise of unit power, sometimes swelling and fading."""
        source = self._noises[self._random.integers(len(self._noises))]
        start = self._random.integers(0, max(1, len(source) - length))
        noise = np.resize(source[start : start + length], length)
        if self._random.random() < 0.3:
            swell = np.interp(np.arange(length), np.linspace(0, length, 6), self._random.uniform(0.2, 1.5, 6))
            noise = np.asarray(noise * swell, np.float32)
        return np.asarray(noise / (noise.std() + 1e-9), np.float32)

    def _crowd(self, length: int) -> Samples:
        crowd = np.zeros(length, np.float32)
        for _ in range(self._random.choice([1, 3, 5, 8])):
            start = self._random.integers(0, max(1, len(self._babble) - length))
            crowd += np.resize(self._babble[start : start + length], length) * self._random.uniform(0.4, 1)
        return np.asarray(crowd / (crowd.std() + 1e-3), np.float32)

    def lightly(self, speech: Samples) -> Samples:
        """Speed, pauses around, level: what a good microphone in a quiet room still changes."""
        return self._levelled(self._padded(self._paced(speech, probability=0.3)), quietest_db=14)

    def heavily(self, speech: Samples) -> Samples:
        """Everything: also room, tone of the microphone, and mostly noise."""
        changed = self._padded(self._paced(speech, probability=1.0))
        changed = self._toned(changed / (np.abs(changed).max() + 1e-3))
        if self._random.random() < 0.8:
            power = np.sqrt((changed**2).mean()) + 1e-4
            if self._random.random() < 0.3:
                noise, ratio_db = self._crowd(len(changed)), self._random.uniform(5, 30)
            else:
                noise, ratio_db = self.noise(len(changed)), self._random.uniform(0, 30)
            changed = changed + noise * power * 10 ** (-ratio_db / 20)
        return self._levelled(changed, quietest_db=30)

    def _paced(self, speech: Samples, *, probability: float) -> Samples:
        twentieths = int(self._random.integers(self._speeds[0], self._speeds[1] + 1))
        if twentieths == 20 or self._random.random() >= probability:
            return speech
        return np.asarray(resample_poly(speech, twentieths, 20), np.float32)

    def _padded(self, speech: Samples) -> Samples:
        before, after = self._random.uniform(0, 0.45), self._random.uniform(0.05, 0.55)
        silences = [np.zeros(int(seconds * SAMPLES_PER_SECOND), np.float32) for seconds in (before, after)]
        return np.concatenate([silences[0], speech, silences[1]])

    def _toned(self, speech: Samples) -> Samples:
        random = self._random
        if random.random() < 0.5:
            speech = fftconvolve(speech, self._rooms[random.integers(len(self._rooms))])[: len(speech)]
        if random.random() < 0.25:
            b, a = butter(1, [random.uniform(50, 300) / 8000, random.uniform(3000, 7600) / 8000], "band")
            speech = lfilter(b, a, speech)
        if random.random() < 0.2:  # telephones and dull microphones
            b, a = butter(6, random.uniform(2600, 6500) / 8000)
            speech = lfilter(b, a, speech)
        if random.random() < 0.2:  # tilted spectrum
            speech = lfilter([1, random.uniform(-0.6, 0.6)], [1], speech)
        return np.asarray(speech / (np.abs(speech).max() + 1e-6), np.float32)

    def _levelled(self, speech: Samples, *, quietest_db: float) -> Samples:
        """Bring the peak to a random level, quantised as int16; some clip, most hiss a little."""
        gain = 10 ** (-self._random.uniform(0, quietest_db) / 20) * _PEAK
        level = gain / max(1e-3, float(np.abs(speech).max()))
        if self._random.random() < 0.05:
            level *= self._random.uniform(1, 2)
        levelled = speech * level
        if self._random.random() < 0.6:
            levelled = levelled + self._random.standard_normal(len(levelled)) * self._random.choice(
                [0.4, 1, 3, 10]
            )
        return np.asarray(np.clip(np.round(levelled), -32768, 32767), np.float32)
