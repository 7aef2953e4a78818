"""SpeechBrain and onnxruntime give the same embeddings, of the shipped model and of a fresh export."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from voice.embedder_onnx import OnnxEmbedder
from voice.errors import EmbeddingFailed, SpeakerModelUnusable

if importlib.util.find_spec("speechbrain") is None or importlib.util.find_spec("torch") is None:
    pytest.skip("SpeechBrain is not installed: only a torch with CUDA was to be had", allow_module_level=True)

if TYPE_CHECKING:
    from voice.embedder_speechbrain import SpeechBrainEmbedder

# Deprecations inside torch and speechbrain are not ours to mend.
pytestmark = [pytest.mark.speechbrain, pytest.mark.filterwarnings("ignore")]

MODEL = Path(__file__).parents[2] / "voice" / "models" / "ecapa-small"
CLIPS = sorted((Path(__file__).parent / "testpack").glob("*/*.flac"))[::6]
SAME = 0.999


@pytest.fixture(scope="module")
def reference() -> SpeechBrainEmbedder:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from voice.embedder_speechbrain import SpeechBrainEmbedder

        return SpeechBrainEmbedder(MODEL)


def likeness(left: OnnxEmbedder, right: SpeechBrainEmbedder) -> float:
    sounds = [soundfile.read(file, dtype="float32")[0] for file in CLIPS]
    return min(float(left.embed(sound) @ right.embed(sound)) for sound in sounds)


def test_the_shipped_encoder_is_that_of_the_checkpoint(reference: SpeechBrainEmbedder):
    assert likeness(OnnxEmbedder(MODEL), reference) >= SAME


def test_an_export_gives_the_embeddings_of_its_checkpoint(reference: SpeechBrainEmbedder, tmp_path: Path):
    exported = reference.export_onnx(tmp_path / "exported")
    assert exported.model.startswith("exported@")
    assert likeness(exported, reference) >= SAME


def test_sound_that_is_none_is_refused_as_by_the_other(reference: SpeechBrainEmbedder):
    for bad in (np.zeros(16_000, np.float32), np.full(16_000, np.nan, np.float32), np.ones(9, np.float32)):
        with pytest.raises(EmbeddingFailed):
            reference.embed(bad)


def test_a_folder_without_a_whole_model_is_refused(tmp_path: Path):
    from voice.embedder_speechbrain import SpeechBrainEmbedder

    with pytest.raises(SpeakerModelUnusable, match=r"hyperparams.yaml is missing"):
        SpeechBrainEmbedder(tmp_path)
    shutil.copy(MODEL / "hyperparams.yaml", tmp_path)
    (tmp_path / "embedding_model.ckpt").write_bytes((MODEL / "embedding_model.ckpt").read_bytes()[:5_000])
    with pytest.raises(SpeakerModelUnusable, match="could load"):
        SpeechBrainEmbedder(tmp_path)
