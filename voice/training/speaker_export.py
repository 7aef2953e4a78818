"""The trained encoder as SpeechBrain's folder and as ONNX, convolutions in 8 bits where that is safe."""

from __future__ import annotations

import importlib.resources
import logging
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import torch
from onnxruntime.quantization import (  # type: ignore[import-untyped]
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process  # type: ignore[import-untyped]

from voice.embedder_onnx import ENCODER_FILE, OnnxEmbedder
from voice.embedder_speechbrain import CHECKPOINT_FILE, SpeechBrainEmbedder
from voice.training.mfcc import Samples

_log = logging.getLogger(__name__)

SMALLEST_LIKENESS = 0.9995
"""Mean cosine to the full model below which 8 bits are given up."""
_ENCODER_PREFIX = "/encoder/"
_KEPT_IN_FULL = ("/asp", "/fc")  # pooling and last layer decide, and cost little


def write_speechbrain_folder(checkpoint: Path, folder: Path) -> None:
    """Write ``hyperparams.yaml`` and ``embedding_model.ckpt``; matrices in 16 bits, which halves the file.

    SpeechBrain copies weights into 32-bit parameters on loading, so nothing else changes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = torch.load(checkpoint, weights_only=True)
    halved = {
        name: value.half() if value.is_floating_point() and value.ndim > 1 else value
        for name, value in weights.items()
    }  # fmt: skip
    torch.save(halved, folder / CHECKPOINT_FILE)
    recipe = importlib.resources.files("voice.training").joinpath("texts", "ecapa_hyperparams.yaml")
    (folder / "hyperparams.yaml").write_text(recipe.read_text("utf-8"))


def write_onnx(folder: Path, examples: Sequence[Samples]) -> float:
    """Write ``encoder.onnx`` from SpeechBrain's files beside it.

    Args:
        folder: The model.
        examples: Speech of 2 s each; the first half calibrates the 8-bit ranges, the rest checks them.

    Returns:
        Mean cosine between the file's embeddings and the full model's (1.0 when it is the full model).
    """
    with TemporaryDirectory() as scratch:
        work = Path(scratch)
        full = SpeechBrainEmbedder(folder).export_onnx(work)
        small = work / "small"
        small.mkdir()
        half = len(examples) // 2
        _quantise(work / ENCODER_FILE, small / ENCODER_FILE, examples[:half])
        quantised = OnnxEmbedder(small)
        likeness = float(np.mean([full.embed(one) @ quantised.embed(one) for one in examples[half:]]))
        _log.info("8 bits: mean cosine %.5f to the full model", likeness)
        safe = likeness >= SMALLEST_LIKENESS
        chosen = small / ENCODER_FILE if safe else work / ENCODER_FILE
        (folder / ENCODER_FILE).write_bytes(chosen.read_bytes())
        return likeness if safe else 1.0


class _Examples(CalibrationDataReader):  # type: ignore[misc]
    """Feeds speech to the calibration, one utterance at a time."""

    def __init__(self, examples: Sequence[Samples]) -> None:
        self._left = iter(examples)

    def get_next(self) -> dict[str, Samples] | None:
        """Return the next utterance, or None at the end."""
        example = next(self._left, None)
        return None if example is None else {"wav": example[None]}


def _quantise(source: Path, target: Path, examples: Sequence[Samples]) -> None:
    """Put the convolutions of the encoder proper into 8 bits; front end, pooling and last layer stay."""
    prepared = target.with_suffix(".prepared")
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    names = [node.name for node in onnx.load(str(prepared)).graph.node]
    kept = [n for n in names if not n.startswith(_ENCODER_PREFIX) or any(part in n for part in _KEPT_IN_FULL)]
    quantize_static(
        str(prepared), str(target), _Examples(examples),
        quant_format=QuantFormat.QDQ, per_channel=True, activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8, op_types_to_quantize=["Conv"], nodes_to_exclude=kept,
        extra_options={"ActivationSymmetric": False},
    )  # fmt: skip
    prepared.unlink()
