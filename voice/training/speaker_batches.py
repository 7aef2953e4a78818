"""Batches for the speaker encoder: crops of many people, each through another room, microphone and noise."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from voice.training.mfcc import SAMPLES_PER_SECOND, Samples
from voice.training.recordings import (
    HELD_OUT_SPEAKERS,
    NOISE_GROUP,
    Speaker,
    clips_of,
    read_index,
    read_recording,
    trimmed,
)

GROUP_SHARES: Mapping[str, float] = {
    "speech_commands_v002": 0.40,
    "librispeech_train_clean": 0.28,
    "mandarin_words": 0.22,
    "arabic_commands": 0.10,
}
"""How often a crop is taken from each corpus; Mandarin more often than its 18 speakers would give."""

SPEEDS = ((1, 1), (10, 9), (9, 10))
"""Resampled up and down by these factors a voice becomes another one: up to three classes for each person."""

_CROP_SECONDS, _CROP_SHARES = (1.0, 1.5, 2.0), (0.4, 0.35, 0.25)
_RESPONSE_SAMPLES = 9_600
_EQUALISER_HZ = (0, 150, 400, 900, 1800, 3200, 5000, 8000)


def held_out(speaker: Speaker) -> bool:
    """Whether a person is kept for measuring: five Mandarin speakers, every twelfth of most others.

    Of LibriSpeech's speakers one utterance each is there, too little to measure with.
    """
    if speaker.speaker in HELD_OUT_SPEAKERS:
        return True
    if speaker.group not in ("speech_commands_v002", "arabic_commands"):
        return False
    number = int("".join(character for character in speaker.speaker if character.isdigit()))
    return number % 12 == 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What was recorded of one speaker, as int16 to save memory."""

    name: str
    group: str
    clips: tuple[NDArray[np.int16], ...]


def _as_int16(samples: Samples) -> NDArray[np.int16]:
    return np.asarray(np.clip(np.round(samples * 32_767), -32_768, 32_767), np.int16)


def read_people(speech: Path, *, kept_for_measuring: bool) -> list[Person]:
    """Read the speakers that are trained on, or those that are not, without silence around their words."""
    people = []
    for speaker in read_index(speech):
        if speaker.group not in GROUP_SHARES or held_out(speaker) != kept_for_measuring:
            continue
        clips = (
            trimmed(clip, margin=1_280) for clip, _ in clips_of(read_recording(speech, speaker), speaker)
        )
        spoken = tuple(_as_int16(clip) for clip in clips if clip is not None)
        if spoken:
            people.append(Person(name=speaker.speaker, group=speaker.group, clips=spoken))
    return people


def read_noises(speech: Path) -> list[Samples]:
    """Read the recorded background noises."""
    return [read_recording(speech, one) for one in read_index(speech) if one.group == NOISE_GROUP]


class SpeakerBatches:
    """An endless source of batches.

    Args:
        people: Who is trained on.
        noises: Recorded noises.
        size: Crops in a batch.
        seed: Of all chance.
        voices_each: How many of ``SPEEDS`` are used; three pay off in long trainings only.
    """

    def __init__(
        self,
        people: Sequence[Person],
        noises: Sequence[Samples],
        *,
        size: int,
        seed: int,
        voices_each: int = 1,
    ) -> None:
        self._people = list(people)
        self._speeds = SPEEDS[:voices_each]
        self._noises = [np.asarray(noise, np.float32) for noise in noises]
        self._size = size
        self._chance = np.random.default_rng(seed)
        groups = sorted({person.group for person in people})
        shares = np.array([GROUP_SHARES[group] for group in groups])
        self._shares = shares / shares.sum()
        self._of_group = [[k for k, p in enumerate(self._people) if p.group == group] for group in groups]

    @property
    def classes(self) -> int:
        """People times speeds."""
        return len(self._people) * len(self._speeds)

    def __iter__(self) -> Iterator[tuple[Samples, NDArray[np.int64]]]:
        """Yield crops (size, samples) at −32 to −16 dB, and their classes."""
        while True:
            length = int(self._chance.choice(_CROP_SECONDS, p=_CROP_SHARES) * SAMPLES_PER_SECOND)
            drawn = [self._crop(length) for _ in range(self._size)]
            crops = self._through_rooms(np.stack([crop for crop, _ in drawn]))
            for crop in crops:
                self._add_noise(crop)
            level = 10 ** (self._chance.uniform(-32, -16, (len(crops), 1)) / 20)
            yield np.asarray(crops * level, np.float32), np.array([label for _, label in drawn], np.int64)

    def _person(self) -> int:
        group = self._of_group[self._chance.choice(len(self._of_group), p=self._shares)]
        return int(group[self._chance.integers(len(group))])

    def _speech(self, person: int, length: int) -> Samples:
        clips = self._people[person].clips
        parts: list[NDArray[np.int16]] = []
        while sum(map(len, parts)) < length:
            parts.append(clips[self._chance.integers(len(clips))])
        joined = np.concatenate(parts)
        start = self._chance.integers(0, len(joined) - length + 1)
        return np.asarray(joined[start : start + length] / 32_768, np.float32)

    def _crop(self, length: int) -> tuple[Samples, int]:
        person, speed = self._person(), int(self._chance.integers(len(self._speeds)))
        up, down = self._speeds[speed]
        speech = self._speech(person, math.ceil(length * down / up) + 4)
        if up != down:
            speech = np.asarray(resample_poly(speech, up, down), np.float32)
        return np.asarray(speech[:length] / (np.abs(speech).max() + 1e-6), np.float32), person * len(
            self._speeds
        ) + speed

    def _through_rooms(self, crops: Samples) -> Samples:
        """Convolve each crop with its own room, equaliser and band limit, all at once as spectra."""
        chance, length = self._chance, crops.shape[1]
        size = 1 << (length + _RESPONSE_SAMPLES - 1).bit_length()
        hertz = np.fft.rfftfreq(size, 1 / SAMPLES_PER_SECOND)
        responses = np.ones((len(crops), len(hertz)), np.complex64)
        for response in responses:
            if chance.random() < 0.5:
                response *= np.fft.rfft(self._room(), size)
            if chance.random() < 0.7:
                gains_db = chance.normal(0, 3.5, len(_EQUALISER_HZ))
                response *= 10 ** (np.interp(hertz, _EQUALISER_HZ, gains_db) / 20)
            if chance.random() < 0.25:
                low, high = chance.uniform(100, 350), chance.uniform(3200, 4000)
                response *= 1 / (1 + (low / np.maximum(hertz, 1)) ** 6) / (1 + (hertz / high) ** 24)
        changed = np.fft.irfft(np.fft.rfft(crops, size) * responses, size)[:, :length]
        return np.asarray(changed / (np.sqrt((changed**2).mean(axis=1, keepdims=True)) + 1e-6), np.float32)

    def _room(self) -> Samples:
        decay_s = self._chance.uniform(0.1, 0.6)
        times = np.arange(_RESPONSE_SAMPLES) / SAMPLES_PER_SECOND
        room = self._chance.standard_normal(_RESPONSE_SAMPLES) * np.exp(-6.9 * times / decay_s)
        room[: int(self._chance.uniform(0.002, 0.02) * SAMPLES_PER_SECOND)] = 0
        room *= 10 ** (-self._chance.uniform(-2, 12) / 20) / np.sqrt((room**2).sum() + 1e-9)
        room[0] = 1
        return np.asarray(room, np.float32)

    def _add_noise(self, crop: Samples) -> None:
        chance, length, kind = self._chance, len(crop), self._chance.random()
        noise: NDArray[np.floating]
        if kind < 0.25 and self._noises:
            recorded = self._noises[chance.integers(len(self._noises))]
            start = chance.integers(0, max(1, len(recorded) - length))
            noise, ratio_db = np.resize(recorded[start : start + length], length), chance.uniform(3, 22)
        elif kind < 0.45:
            spectrum = np.fft.rfft(chance.standard_normal(length))
            coloured = spectrum * np.arange(1, len(spectrum) + 1) ** -chance.uniform(0, 1.2)
            noise, ratio_db = np.fft.irfft(coloured, length), chance.uniform(3, 25)
        elif kind < 0.65:
            crowd = [
                self._speech(self._person(), length) * chance.uniform(0.5, 1)
                for _ in range(chance.integers(2, 6))
            ]
            noise, ratio_db = np.sum(crowd, axis=0), chance.uniform(7, 22)
        else:
            return
        crop += np.asarray(noise / (np.sqrt((noise**2).mean()) + 1e-9) * 10 ** (-ratio_db / 20), np.float32)
