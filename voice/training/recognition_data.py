"""Chunks of features and labels for the recogniser, each made by a process of its own.

``python -m voice.training.recognition_data --seed 3 --seconds 1800 --out chunks/syn003`` makes one chunk;
libespeak-ng is not stable for longer (see ``espeak.py``), and a chunk lost is made again with another seed.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voice.training.augmentation import Augmenter
from voice.training.espeak import label_indices
from voice.training.human_speech import human_utterances
from voice.training.mfcc import COEFFICIENTS, SAMPLES_PER_SECOND, Samples, mfcc
from voice.training.recordings import NOISE_GROUP, read_index, read_recording
from voice.training.synthetic_speech import LabelledSpeech, SyntheticSpeaker

_BABBLE_SECONDS = 400
_BABBLE_POWER = 3_000.0
_PURE_NOISE_SHARE = 0.02
_LIGHT_SHARE = 0.25
_SYNTHETIC_SPEEDS, _HUMAN_SPEEDS = (17, 23), (16, 25)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureChunk:
    """Features of many utterances, one after another, and where each lies."""

    features: NDArray[np.float16]
    """Rows of 40 MFCC, one every 10 ms."""
    utterances: list[tuple[int, int, list[int]]]
    """First row, number of rows, phone numbers spoken (none in noise)."""

    def save(self, path: Path) -> None:
        """Write ``<path>.npy`` and, last of all, ``<path>.json``, so that a chunk with its index is whole."""
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path.with_suffix(".npy"), self.features)
        path.with_suffix(".json").write_text(json.dumps(self.utterances))

    @staticmethod
    def load(path: Path) -> FeatureChunk:
        """Map a chunk into memory."""
        rows = json.loads(path.with_suffix(".json").read_text())
        return FeatureChunk(
            features=np.load(path.with_suffix(".npy"), mmap_mode="r"),
            utterances=[(start, length, labels) for start, length, labels in rows],
        )


def make_chunk(
    speech: Iterable[LabelledSpeech], augmenter: Augmenter, *, copies: int, seed: int
) -> FeatureChunk:
    """Augment utterances, each as many times as asked, with a little pure noise between them."""
    chance = np.random.default_rng(seed)
    rows: list[NDArray[np.float16]] = []
    utterances: list[tuple[int, int, list[int]]] = []

    def add(samples: Samples, labels: list[int]) -> None:
        start = utterances[-1][0] + utterances[-1][1] if utterances else 0
        rows.append(mfcc(samples).astype(np.float16))
        utterances.append((start, len(rows[-1]), labels))

    for said in speech:
        for _ in range(copies):
            light = chance.random() < _LIGHT_SHARE
            add(
                augmenter.lightly(said.samples) if light else augmenter.heavily(said.samples),
                label_indices(said.phones),
            )
        if chance.random() < _PURE_NOISE_SHARE * copies:
            noise = augmenter.noise(int(chance.uniform(0.5, 3) * SAMPLES_PER_SECOND))
            add(
                np.asarray(
                    np.clip(np.round(noise * 10 ** chance.uniform(0, 3.3)), -32768, 32767), np.float32
                ),
                [],
            )
    features = np.concatenate(rows) if rows else np.zeros((0, COEFFICIENTS), np.float16)
    return FeatureChunk(features=features, utterances=utterances)


def _babble_of(speech: Iterable[LabelledSpeech]) -> Samples:
    return np.asarray(np.concatenate([said.samples for said in speech]) / _BABBLE_POWER, np.float32)


def _recorded_noises(speech: Path) -> list[Samples]:
    """Recorded background noise, in stretches of 12 s and unit power."""
    stretches: list[Samples] = []
    length = 12 * SAMPLES_PER_SECOND
    for speaker in read_index(speech):
        if speaker.group == NOISE_GROUP:
            samples = read_recording(speech, speaker)
            stretches += [
                samples[start : start + length] for start in range(0, len(samples) - length, length)
            ]
    return [np.asarray(s / (s.std() + 1e-9), np.float32) for s in stretches if s.std() > 1e-5]


def main() -> None:
    """Make one chunk."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=1_800.0, help="clean synthetic speech in the chunk")
    parser.add_argument("--copies", type=int, default=2, help="augmented copies of each utterance")
    parser.add_argument("--speech", type=Path, required=True, help="folder of recordings (index.json)")
    parser.add_argument("--human", action="store_true", help="recorded words instead of synthetic speech")
    parser.add_argument("--out", type=Path, required=True, help="chunk to write, without suffix")
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)  # noqa: S311 - sentences, no secrets
    speaker = SyntheticSpeaker(chance)
    augmenter = Augmenter(
        np.random.default_rng(arguments.seed),
        _babble_of(speaker.utterances(_BABBLE_SECONDS)),
        speeds=_HUMAN_SPEEDS if arguments.human else _SYNTHETIC_SPEEDS,
        noises=_recorded_noises(arguments.speech),
    )
    said = (
        human_utterances(arguments.speech, chance)
        if arguments.human
        else speaker.utterances(arguments.seconds)
    )
    make_chunk(said, augmenter, copies=arguments.copies, seed=arguments.seed).save(arguments.out)


if __name__ == "__main__":
    main()
