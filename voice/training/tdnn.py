"""The acoustic network: a time-delay network with one output every 30 ms, trained with CTC."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from voice.training.mfcc import COEFFICIENTS
from voice.training.phones import PHONES

BATCH_NORM_EPSILON = 1e-3
FRAMES_PER_OUTPUT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Splice:
    """Which frames a layer sees: how many, how far apart (in its own steps), and how many it moves on."""

    frames: int
    spacing: int
    stride: int = 1

    def offsets(self, frames_per_step: int) -> tuple[int, ...]:
        """Offsets of the spliced frames in frames of the input (10 ms)."""
        return tuple((k - self.frames // 2) * self.spacing * frames_per_step for k in range(self.frames))


LAYERS = (
    Splice(frames=9, spacing=1, stride=FRAMES_PER_OUTPUT),
    Splice(frames=3, spacing=1),
    Splice(frames=3, spacing=1),
    Splice(frames=3, spacing=2),
    Splice(frames=3, spacing=2),
    Splice(frames=3, spacing=1),
)
CONTEXT_FRAMES = 4 + FRAMES_PER_OUTPUT * (1 + 1 + 2 + 2 + 1)
"""Frames of input needed on either side of the frame that is judged."""


class AcousticNetwork(nn.Module):
    """Six spliced affine layers with ReLU and batch norm, then the phones' log probabilities.

    Args:
        width: Outputs of each hidden layer.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        inputs = [COEFFICIENTS] + [width] * (len(LAYERS) - 1)
        self.affines = [
            nn.Linear(size * layer.frames, width) for size, layer in zip(inputs, LAYERS, strict=True)
        ]
        self.norms = [nn.BatchNorm1d(width, eps=BATCH_NORM_EPSILON) for _ in LAYERS]
        # Registered under these names; the typed lists above are what is used.
        self.affine, self.norm = nn.ModuleList(self.affines), nn.ModuleList(self.norms)
        self.dropout = nn.Dropout(0.1)
        self.output = nn.Linear(width, len(PHONES))
        self.register_buffer("mean", torch.zeros(COEFFICIENTS))
        self.register_buffer("deviation", torch.ones(COEFFICIENTS))

    def normalise_by(self, features: NDArray[np.float32]) -> None:
        """Take mean and deviation of the input from a sample of features."""
        self.mean.copy_(torch.from_numpy(features.mean(axis=0)))
        self.deviation.copy_(torch.from_numpy(features.std(axis=0)))

    def forward(self, features: Tensor) -> Tensor:
        """Map (batch, frames + 2 × context, 40) to log probabilities (batch, frames / 3, phones)."""
        hidden = (features - self.mean) / self.deviation
        for layer, affine, norm in zip(LAYERS, self.affines, self.norms, strict=True):
            steps = (hidden.shape[1] - (layer.frames - 1) * layer.spacing - 1) // layer.stride + 1
            # One matrix product instead of Conv1d: several times as fast on a CPU.
            spliced = torch.cat(
                [
                    hidden[:, start : start + (steps - 1) * layer.stride + 1 : layer.stride]
                    for start in range(0, layer.frames * layer.spacing, layer.spacing)
                ],
                dim=-1,
            )
            flat = torch.relu(affine(spliced.flatten(0, 1)))
            hidden = self.dropout(norm(flat)).unflatten(0, (len(features), steps))
        return torch.log_softmax(self.output(hidden), dim=-1)


def padded_to_context(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Repeat the first and last frame as context, as Kaldi does."""
    return np.pad(features, ((CONTEXT_FRAMES, CONTEXT_FRAMES), (0, 0)), mode="edge")


def greedy_phones(log_probabilities: Tensor) -> list[int]:
    """Best phone of each step with repetitions and blanks taken out."""
    best = [int(phone) for phone in log_probabilities.argmax(dim=-1)]
    return [phone for phone, before in zip(best, [0, *best], strict=False) if phone not in (0, before)]
