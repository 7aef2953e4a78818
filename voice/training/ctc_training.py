"""Training of the acoustic network within a given time, on whatever chunks of features are there."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from torch import Tensor
from torch.nn import functional

from voice.training.mfcc import COEFFICIENTS
from voice.training.recognition_data import FeatureChunk
from voice.training.tdnn import (
    CONTEXT_FRAMES,
    FRAMES_PER_OUTPUT,
    AcousticNetwork,
    greedy_phones,
    padded_to_context,
)

_log = logging.getLogger(__name__)

_FEWEST_FRAMES, _MOST_FRAMES = 30, 1_200
_WARM_UP_STEPS = 300
_STEPS_BETWEEN_REPORTS = 100
_STEPS_BETWEEN_CHECKPOINTS = 500
_VALIDATION_UTTERANCES = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class CtcSchedule:
    """How long and how fast to learn."""

    minutes: float = 45.0
    peak_rate: float = 2.5e-3
    frames_per_batch: int = 12_000
    width: int = 384
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Where an utterance lies, and its phones."""

    chunk: FeatureChunk
    start: int
    frames: int
    labels: Sequence[int]

    def features(self) -> NDArray[np.float32]:
        """Read its features."""
        return np.asarray(self.chunk.features[self.start : self.start + self.frames], np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Examples padded to one length."""

    features: Tensor
    output_lengths: Tensor
    label_lengths: Tensor
    labels: Tensor


def examples_in(folder: Path) -> list[Example]:
    """All examples of all complete chunks that CTC can learn: not too long, steps enough for their phones."""
    examples = []
    for index in sorted(folder.glob("*.json")):
        chunk = FeatureChunk.load(index.with_suffix(""))
        for start, frames, labels in chunk.utterances:
            blanks = sum(a == b for a, b in pairwise(labels))
            if (
                _FEWEST_FRAMES <= frames <= _MOST_FRAMES
                and (len(labels) + blanks) * FRAMES_PER_OUTPUT <= frames
            ):
                examples.append(Example(chunk=chunk, start=start, frames=frames, labels=labels))
    return examples


def batches_of(
    examples: Sequence[Example], frames_per_batch: int, chance: np.random.Generator
) -> list[list[Example]]:
    """Group examples of like length, in random order."""
    order = sorted(examples, key=lambda example: example.frames + chance.integers(0, 20))
    batches: list[list[Example]] = [[]]
    for example in order:
        if batches[-1] and example.frames * (len(batches[-1]) + 1) > frames_per_batch:
            batches.append([])
        batches[-1].append(example)
    return [batches[k] for k in chance.permutation(len(batches)) if batches[k]]


def padded_batch(
    examples: Sequence[Example], mask: Callable[[NDArray[np.float32], int], None] | None = None
) -> Batch:
    """Pad examples to the longest; ``mask`` may spoil the features of each (the array, then its length)."""
    longest = max(example.frames for example in examples)
    features = np.zeros((len(examples), longest + 2 * CONTEXT_FRAMES, COEFFICIENTS), np.float32)
    for row, example in zip(features, examples, strict=True):
        padded = padded_to_context(example.features())
        row[: len(padded)] = padded
        row[len(padded) :] = padded[-1]
        if mask is not None:
            mask(row, example.frames)
    return Batch(
        features=torch.from_numpy(features),
        output_lengths=torch.tensor(
            [(e.frames + FRAMES_PER_OUTPUT - 1) // FRAMES_PER_OUTPUT for e in examples]
        ),
        label_lengths=torch.tensor([len(example.labels) for example in examples]),
        labels=torch.tensor([label for example in examples for label in example.labels], dtype=torch.long),
    )


def ctc_loss(log_probabilities: Tensor, batch: Batch) -> Tensor:
    """Sum of the examples' CTC losses."""
    return functional.ctc_loss(
        log_probabilities.float().transpose(0, 1),
        batch.labels, batch.output_lengths, batch.label_lengths,
        blank=0, reduction="sum", zero_infinity=True,
    )  # fmt: skip


class CtcTrainer:
    """Trains until the time is up; the rate rises for 300 steps, then falls on a cosine of the time gone.

    Args:
        schedule: How long and how fast.
        seconds: Clock that only goes forward.
    """

    def __init__(self, schedule: CtcSchedule, *, seconds: Callable[[], float] = time.monotonic) -> None:
        torch.set_num_threads(1)  # with a busy machine, one thread is many times as fast as two
        torch.set_flush_denormal(True)
        torch.manual_seed(schedule.seed)
        self._schedule = schedule
        self._seconds = seconds
        self._chance = np.random.default_rng(schedule.seed)
        self.network = AcousticNetwork(schedule.width)
        self._optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=schedule.peak_rate, weight_decay=1e-2, betas=(0.9, 0.98)
        )

    def train(self, chunks: Path, checkpoint: Path, *, start_from: Path | None = None) -> None:
        """Train on a folder's chunks, looked at anew each epoch, and keep the weights in ``checkpoint``."""
        examples = examples_in(chunks)
        if start_from is not None:
            self.network.load_state_dict(torch.load(start_from, weights_only=True))
        else:
            self.network.normalise_by(np.concatenate([e.features()[::29] for e in examples[::17]]))
        _log.info("%d parameters", sum(p.numel() for p in self.network.parameters()))
        began, losses, phones = self._seconds(), 0.0, 0
        for step, group in enumerate(self._epochs(chunks)):
            done = (self._seconds() - began) / (self._schedule.minutes * 60)
            if done >= 1:
                break
            loss, count = self._learn(group, self._rate(step, done))
            losses, phones = losses + loss, phones + count
            if step % _STEPS_BETWEEN_REPORTS == 99:
                _log.info(
                    "step %d, %.0f %% of the time, loss per phone %.3f", step + 1, done * 100, losses / phones
                )
                losses, phones = 0.0, 0
            if step % _STEPS_BETWEEN_CHECKPOINTS == 499:
                save_checkpoint(self.network, checkpoint)
        save_checkpoint(self.network, checkpoint)

    def _epochs(self, chunks: Path) -> Iterator[list[Example]]:
        while True:
            examples = examples_in(chunks)
            _log.info(
                "epoch over %d utterances, %.1f h", len(examples), sum(e.frames for e in examples) / 360_000
            )
            yield from batches_of(examples, self._schedule.frames_per_batch, self._chance)

    def _rate(self, step: int, done: float) -> float:
        cosine = 0.5 * (1 + math.cos(math.pi * done)) * 0.98 + 0.02
        return self._schedule.peak_rate * min(1.0, (step + 1) / _WARM_UP_STEPS) * cosine

    def _learn(self, group: Sequence[Example], rate: float) -> tuple[float, int]:
        for parameters in self._optimizer.param_groups:
            parameters["lr"] = rate
        self.network.train()
        batch = padded_batch(group, self._spoil)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            log_probabilities = self.network(batch.features)
        loss = ctc_loss(log_probabilities, batch)
        self._optimizer.zero_grad()
        (loss / int(batch.output_lengths.sum())).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self._optimizer.step()
        return float(loss.detach()), max(1, int(batch.label_lengths.sum()))

    def _spoil(self, features: NDArray[np.float32], frames: int) -> None:
        """Shift the level, and hide up to two stretches of at most 90 ms."""
        features[:, 0] += self._chance.uniform(-6, 6)
        for _ in range(2):
            width = int(self._chance.integers(0, 10))
            start = CONTEXT_FRAMES + int(self._chance.integers(0, max(1, frames - width)))
            if self._chance.random() < 0.4:
                features[start : start + width] = self.network.mean.numpy()


def save_checkpoint(network: AcousticNetwork, path: Path) -> None:
    """Write weights so that a reader never sees half of them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(network.state_dict(), partial)
    partial.replace(path)


def load_network(checkpoint: Path) -> AcousticNetwork:
    """Read a network for use; its width follows from the weights."""
    weights = torch.load(checkpoint, weights_only=True)
    network = AcousticNetwork(len(weights["output.weight"][0]))
    network.load_state_dict(weights)
    return network.eval()


def phone_error_rate(network: AcousticNetwork, examples: Sequence[Example]) -> float:
    """Edits per phone of the greedily decoded examples, without lexicon or language model."""
    edits = phones = 0
    network.eval()
    with torch.no_grad():
        for example in examples[:_VALIDATION_UTTERANCES]:
            batch = padded_batch([example])
            heard = greedy_phones(network(batch.features)[0, : int(batch.output_lengths[0])])
            edits += Levenshtein.distance(list(example.labels), heard)
            phones += len(example.labels)
    return edits / max(1, phones)
