"""From a trained network to ``am/final.mdl``: normalisation and batch norm folded into the affine layers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from voice.training.kaldi_model import AffineLayer, Matrix, write_configuration, write_model
from voice.training.tdnn import FRAMES_PER_OUTPUT, LAYERS, AcousticNetwork


def _values(tensor: torch.Tensor | None) -> Matrix:
    if tensor is None:
        raise ValueError("the network lacks a statistic: batch norm must track them")
    return np.asarray(tensor.detach().double().numpy())


def folded_layers(network: AcousticNetwork) -> tuple[list[AffineLayer], AffineLayer]:
    """Fold scales and shifts into the next layer's weights, so that only affine and ReLU remain."""
    scale = 1 / _values(network.deviation)
    shift = -_values(network.mean) * scale
    layers: list[AffineLayer] = []
    for number, (splice, affine, norm) in enumerate(zip(LAYERS, network.affines, network.norms, strict=True)):
        weights, bias = _folded(_values(affine.weight), _values(affine.bias), scale, shift)
        unit = 1 if number == 0 else FRAMES_PER_OUTPUT
        layers.append(AffineLayer(offsets=splice.offsets(unit), weights=weights, bias=bias))
        scale = _values(norm.weight) / np.sqrt(_values(norm.running_var) + norm.eps)
        shift = _values(norm.bias) - _values(norm.running_mean) * scale
    weights, bias = _folded(_values(network.output.weight), _values(network.output.bias), scale, shift)
    return layers, AffineLayer(offsets=(0,), weights=weights, bias=bias)


def _folded(weights: Matrix, bias: Matrix, scale: Matrix, shift: Matrix) -> tuple[Matrix, Matrix]:
    frames = weights.shape[1] // len(scale)
    return weights * np.tile(scale, frames)[None, :], bias + weights @ np.tile(shift, frames)


def export_recognizer(network: AcousticNetwork, folder: Path) -> None:
    """Write ``am/`` and ``conf/`` of a Vosk model; ``graph/`` comes from ``decoding_graph``."""
    layers, output = folded_layers(network)
    write_model(folder / "am" / "final.mdl", layers, output)
    write_configuration(folder)
