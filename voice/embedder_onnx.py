"""ECAPA-TDNN on onnxruntime: sound in, embedding out, with the front end inside the model. The default."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from onnxruntime.capi import onnxruntime_pybind11_state as failures  # type: ignore[import-untyped]

from voice.errors import EmbeddingFailed, SpeakerModelUnusable
from voice.voiceprint import Embedding, Sound

ENCODER_FILE = "encoder.onnx"
CALIBRATION_FILE = "calibration.json"
MIN_SAMPLES = 8_000
"""Half a second at 16 kHz; less says nothing about a voice."""

_RUNTIME_FAILURES = (failures.Fail, failures.InvalidArgument, failures.RuntimeException)
_LOADING_FAILURES = (*_RUNTIME_FAILURES, failures.InvalidProtobuf, failures.NoSuchFile, failures.InvalidGraph)


class OnnxEmbedder:
    """An encoder that takes `(batch, samples)` at 16 kHz and gives `(batch, values)`.

    Args:
        folder: holds `encoder.onnx`.
        threads: how many cores one embedding may use.

    Raises:
        SpeakerModelUnusable: there is no such file, or it is no such encoder.
    """

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        file = folder / ENCODER_FILE
        try:
            content = file.read_bytes()
        except OSError as error:
            raise SpeakerModelUnusable(f"{file} cannot be read: {error.strerror}") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except _LOADING_FAILURES as error:
            raise SpeakerModelUnusable(f"{file} is no model that onnxruntime could load") from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(inputs[0].shape) != 2 or not outputs or len(outputs[0].shape) != 2:
            raise SpeakerModelUnusable(f"{file} is no speaker encoder: it wants something else than sound")
        self._input = inputs[0].name
        self._model = f"{folder.name}@{hashlib.sha256(content).hexdigest()[:12]}"

    @property
    def model(self) -> str:
        """Folder name and fingerprint of the file."""
        return self._model

    def embed(self, sound: Sound) -> Embedding:
        """Return the embedding of speech, of length 1; raises EmbeddingFailed."""
        require_sound(sound)
        try:
            (found,) = self._session.run(None, {self._input: sound[np.newaxis].astype(np.float32)})[:1]
        except _RUNTIME_FAILURES as error:
            raise EmbeddingFailed("the speaker model failed on this sound") from error
        return unit_embedding(found[0])


def require_sound(sound: Sound) -> None:
    """Refuse what no embedding can be made of; raises EmbeddingFailed."""
    if sound.ndim != 1 or len(sound) < MIN_SAMPLES:
        raise EmbeddingFailed(f"an embedding needs mono sound of {MIN_SAMPLES} samples or more")
    if not np.isfinite(sound).all():
        raise EmbeddingFailed("the sound holds samples that are no numbers")
    if not sound.any():
        raise EmbeddingFailed("the sound is silence")


def unit_embedding(vector: Embedding) -> Embedding:
    """Return the vector with length 1; raises EmbeddingFailed where it has no direction."""
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length) or length == 0:
        raise EmbeddingFailed("the speaker model gave no usable vector")
    return (np.asarray(vector, dtype=np.float64) / length).astype(np.float32)
