"""Which speaker model is in use, opened: a composition root for commands that know people by their voice."""

from __future__ import annotations

from pathlib import Path

import voice
from voice.calibration import read_calibration
from voice.embedder_onnx import CALIBRATION_FILE, OnnxEmbedder
from voice.replay import ReplayGuard
from voice.speakers import SpeakerCheck

EMBEDDED_MODEL = Path(voice.__file__).parent / "models" / "ecapa-small"


def open_speaker_check(folder: Path = EMBEDDED_MODEL) -> SpeakerCheck:
    """Open a speaker model with its calibration; the embedded one by default.

    Args:
        folder: holds `encoder.onnx` and `calibration.json`.

    Raises:
        SpeakerModelUnusable: the model is missing or damaged.
        CalibrationUnusable: its calibration is missing, damaged or that of another model.
    """
    embedder = OnnxEmbedder(folder)
    calibration = read_calibration(folder / CALIBRATION_FILE, model=embedder.model)
    return SpeakerCheck(embedder, calibration, ReplayGuard())
