"""Equal error rates of a speaker encoder on people never trained on, within each corpus.

``python -m voice.training.speaker_evaluation MODEL --speech PATH [--testpack PATH]`` prints them as JSON.
Three clips enrol, all other people of the same corpus are strangers: within one corpus everybody speaks
through like microphones, across corpora the recordings themselves would give strangers away.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from voice.embedder_onnx import OnnxEmbedder
from voice.training.mfcc import SAMPLES_PER_SECOND, Samples
from voice.training.recordings import trimmed
from voice.training.speaker_batches import Person, read_people

LENGTHS_S = (1.0, 2.0, 3.0)
_ENROLLED, _PROBES, _REPETITIONS = 3, 4, 3
_FEWEST_CLIPS = 4
"""People with fewer clips are left out: half of the clips enrol, the others probe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationFigures:
    """How well one corpus is told apart at one length."""

    people: int
    genuine: int
    strangers: int
    equal_error_rate: float
    threshold_at_one_percent: float
    """Cosine that one stranger in a hundred exceeds."""
    rejected_at_one_percent: float
    """Share of genuine speech below that threshold."""


def equal_error_rate(genuine: NDArray[np.float64], strangers: NDArray[np.float64]) -> float:
    """Share of errors at the threshold where owners are refused as often as strangers are let in."""
    thresholds = np.sort(np.concatenate([genuine, strangers]))
    refused = np.searchsorted(np.sort(genuine), thresholds, side="left") / len(genuine)
    accepted = 1 - np.searchsorted(np.sort(strangers), thresholds, side="left") / len(strangers)
    meeting = int(np.argmin(np.abs(refused - accepted)))
    return float((refused[meeting] + accepted[meeting]) / 2)


def _segments(
    clips: Sequence[Samples], length: int, count: int, chance: np.random.Generator
) -> list[Samples]:
    """Stretches of speech out of clips put together in random order."""
    found = []
    for _ in range(count):
        joined = np.concatenate([clips[k] for k in chance.permutation(len(clips))])
        found.append(np.resize(joined, length))
    return found


def verification_figures(
    embedder: OnnxEmbedder, people: Sequence[Person], length_s: float, *, seed: int = 5
) -> VerificationFigures:
    """Enrol and probe everybody against everybody of one corpus."""
    chance, length = np.random.default_rng(seed), int(length_s * SAMPLES_PER_SECOND)
    genuine: list[float] = []
    strangers: list[float] = []
    for _ in range(_REPETITIONS):
        enrolled, probes = [], []
        for person in people:
            clips = [clip.astype(np.float32) / 32_768 for clip in person.clips]
            order = chance.permutation(len(clips))
            first, second = order[: len(order) // 2], order[len(order) // 2 :]
            own = [embedder.embed(s) for s in _segments([clips[k] for k in first], length, _ENROLLED, chance)]
            mean = np.mean(own, axis=0)
            enrolled.append(mean / np.linalg.norm(mean))
            others = _segments([clips[k] for k in second], length, _PROBES, chance)
            probes.append([embedder.embed(segment) for segment in others])
        scores = np.einsum("ed,pkd->epk", np.array(enrolled), np.array(probes))
        own_mask = np.eye(len(people), dtype=bool)
        genuine += scores[own_mask].ravel().tolist()
        strangers += scores[~own_mask].ravel().tolist()
    right, wrong = np.array(genuine), np.array(strangers)
    threshold = float(np.quantile(wrong, 0.99))
    return VerificationFigures(
        people=len(people),
        genuine=len(right),
        strangers=len(wrong),
        equal_error_rate=equal_error_rate(right, wrong),
        threshold_at_one_percent=threshold,
        rejected_at_one_percent=float((right < threshold).mean()),
    )


def read_testpack(folder: Path) -> list[Person]:
    """Read clips with their ``manifest.csv`` (file, speaker), grouped by the corpus in the speaker's name."""
    clips: dict[str, list[NDArray[np.int16]]] = defaultdict(list)
    with (folder / "manifest.csv").open() as manifest:
        for row in csv.DictReader(manifest):
            samples, _ = soundfile.read(folder / row["file"], dtype="float32")
            speech = trimmed(np.asarray(samples, np.float32), margin=1_280)
            if speech is not None:
                clips[row["speaker"]].append(np.asarray(np.clip(speech * 32_767, -32_768, 32_767), np.int16))
    return [
        Person(name=name, group=f"testpack {name.split('-')[0]}", clips=tuple(found))
        for name, found in clips.items()
    ]


def evaluate(model: Path, people: Sequence[Person]) -> dict[str, dict[str, VerificationFigures]]:
    """Figures of each corpus at each length."""
    embedder = OnnxEmbedder(model)
    people = [person for person in people if len(person.clips) >= _FEWEST_CLIPS]
    groups = sorted({person.group for person in people})
    return {
        group: {
            f"{length_s:g} s": verification_figures(
                embedder, [p for p in people if p.group == group], length_s
            )
            for length_s in LENGTHS_S
        }
        for group in groups
    }


def main() -> None:
    """Print the figures of an encoder."""
    parser = argparse.ArgumentParser(description="Equal error rates on people never trained on.")
    parser.add_argument("model", type=Path)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--testpack", type=Path)
    arguments = parser.parse_args()
    people = read_people(arguments.speech, kept_for_measuring=True)
    if arguments.testpack:
        people += read_testpack(arguments.testpack)
    figures = evaluate(arguments.model, people)
    json.dump(
        {g: {k: asdict(v) for k, v in rows.items()} for g, rows in figures.items()}, sys.stdout, indent=1
    )


if __name__ == "__main__":
    main()
