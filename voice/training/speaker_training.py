"""Training of a small ECAPA-TDNN with additive angular margin, within a given time."""

# ruff: noqa: I001 - the embedder mends torchaudio before anything imports speechbrain

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from voice import embedder_speechbrain  # noqa: F401
from speechbrain.lobes.features import Fbank  # type: ignore[import-untyped]
from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN, Classifier  # type: ignore[import-untyped]
from speechbrain.nnet.CNN import Conv1d  # type: ignore[import-untyped]
from speechbrain.nnet.losses import AdditiveAngularMargin, LogSoftmaxWrapper  # type: ignore[import-untyped]
from voice.training.speaker_batches import SpeakerBatches

_log = logging.getLogger(__name__)

MEL_BANDS = 80
EMBEDDING_SIZE = 192
CHANNELS = (256, 256, 256, 256, 768)
_SCALE = 30.0
_FIRST_MARGIN, _LAST_MARGIN = 0.05, 0.2
_MARGIN_RISES_UNTIL = 0.3
_WARM_UP_STEPS = 60
_STEPS_BETWEEN_REPORTS = 50
_MASKED_SHARE = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerSchedule:
    """How long and how fast to learn."""

    minutes: float = 45.0
    peak_rate: float = 2e-3
    seed: int = 1


def new_encoder() -> torch.nn.Module:
    """Build the network: 2.05 million parameters, 80 mel bands in, 192 values out."""
    encoder: torch.nn.Module = ECAPA_TDNN(
        MEL_BANDS,
        lin_neurons=EMBEDDING_SIZE,
        channels=list(CHANNELS),
        kernel_sizes=[5, 3, 3, 3, 1],
        dilations=[1, 2, 3, 4, 1],
        attention_channels=128,
        res2net_scale=8,
        se_channels=128,
    )
    for module in encoder.modules():
        if isinstance(module, Conv1d) and module.kernel_size == 1:
            module.padding = "valid"  # the same result without a copy for nothing: a fifth of the time
    return encoder


class _FeatureBatches(IterableDataset[tuple[Tensor, Tensor]]):
    """Batches as log-mel features, made in a process of their own."""

    def __init__(self, batches: SpeakerBatches, seed: int) -> None:
        self._batches = batches
        self._seed = seed

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        torch.set_num_threads(1)
        chance = np.random.default_rng(self._seed)
        front_end = Fbank(n_mels=MEL_BANDS)
        for crops, labels in self._batches:
            with torch.no_grad():
                features = front_end(torch.from_numpy(crops))
                features = features - features.mean(1, keepdim=True)
            if chance.random() < _MASKED_SHARE:
                low = int(chance.integers(0, MEL_BANDS - 8))
                features[:, :, low : low + int(chance.integers(2, 9))] = 0
            yield features, torch.from_numpy(labels)


class SpeakerTrainer:
    """Trains until the time is up; rate and margin follow the time gone.

    Args:
        batches: Where crops and classes come from.
        schedule: How long and how fast.
        seconds: Clock that only goes forward.
    """

    def __init__(
        self,
        batches: SpeakerBatches,
        schedule: SpeakerSchedule,
        *,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        torch.set_num_threads(1)
        torch.manual_seed(schedule.seed)
        self._batches = batches
        self._schedule = schedule
        self._seconds = seconds
        self.encoder = new_encoder()
        self._classifier = Classifier(EMBEDDING_SIZE, out_neurons=batches.classes)
        self._parameters = [*self.encoder.parameters(), *self._classifier.parameters()]
        self._optimizer = torch.optim.AdamW(self._parameters, lr=schedule.peak_rate, weight_decay=2e-4)

    def train(self, checkpoint: Path, *, start_from: Path | None = None) -> None:
        """Train, keeping the encoder's weights in ``checkpoint`` every 50 steps."""
        if start_from is not None:
            self.encoder.load_state_dict(torch.load(start_from, weights_only=True))
        source = DataLoader(
            _FeatureBatches(self._batches, self._schedule.seed),
            batch_size=None,
            num_workers=1,
            prefetch_factor=4,
        )
        began, losses, right = self._seconds(), 0.0, 0.0
        for step, (features, labels) in enumerate(source):
            done = (self._seconds() - began) / (self._schedule.minutes * 60)
            if done >= 1:
                break
            loss, hits = self._learn(features, labels, step, done)
            losses, right = losses + loss, right + hits
            if step % _STEPS_BETWEEN_REPORTS == _STEPS_BETWEEN_REPORTS - 1:
                mean_loss, mean_right = losses / _STEPS_BETWEEN_REPORTS, right / _STEPS_BETWEEN_REPORTS
                _log.info(
                    "step %d, %.0f %% of the time, loss %.3f, %.2f right",
                    step + 1,
                    done * 100,
                    mean_loss,
                    mean_right,
                )
                losses = right = 0.0
                save_encoder(self.encoder, checkpoint)
        save_encoder(self.encoder, checkpoint)

    def _learn(self, features: Tensor, labels: Tensor, step: int, done: float) -> tuple[float, float]:
        rate = (
            self._schedule.peak_rate
            * min(1.0, (step + 1) / _WARM_UP_STEPS)
            * 0.5
            * (1 + math.cos(math.pi * done))
        )
        for group in self._optimizer.param_groups:
            group["lr"] = rate + 1e-6
        margin = _FIRST_MARGIN + (_LAST_MARGIN - _FIRST_MARGIN) * min(1.0, done / _MARGIN_RISES_UNTIL)
        criterion = LogSoftmaxWrapper(AdditiveAngularMargin(margin=margin, scale=_SCALE))
        self.encoder.train()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            embeddings = self.encoder(features)
        scores = self._classifier(embeddings.float())
        loss = criterion(scores, labels.unsqueeze(1))
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._parameters, 5.0)
        self._optimizer.step()
        right = (scores.detach().squeeze(1).argmax(1) == labels).float().mean()
        return float(loss.detach()), float(right)


def save_encoder(encoder: torch.nn.Module, path: Path) -> None:
    """Write weights so that a reader never sees half of them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(encoder.state_dict(), partial)
    partial.replace(path)
