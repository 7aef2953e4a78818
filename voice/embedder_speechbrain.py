"""ECAPA-TDNN through SpeechBrain: the official checkpoint and our own, and their export to ONNX.

Slower and three times as large in memory as onnxruntime, so it is not used while listening: it is the
reference that the exported models are held to, and the way by which they are made. Imports torch and
speechbrain, which the extra `speechbrain` brings.
"""

from __future__ import annotations

import copy
import hashlib
import importlib
import os
import sys
import types
from pathlib import Path

import numpy as np

from voice.embedder_onnx import ENCODER_FILE, OnnxEmbedder, require_sound, unit_embedding
from voice.errors import SpeakerModelUnusable
from voice.voiceprint import Embedding, Sound


def _import_torchaudio() -> None:
    """Import torchaudio where its extension wants CUDA libraries that are not there: its Python is enough."""
    try:
        importlib.import_module("torchaudio")
    except OSError:
        for name in [one for one in sys.modules if one.split(".")[0] == "torchaudio"]:
            del sys.modules[name]
        stub = types.ModuleType("torchaudio._extension")
        for switch in ("_IS_TORCHAUDIO_EXT_AVAILABLE", "_IS_RIR_AVAILABLE", "_IS_ALIGN_AVAILABLE"):
            setattr(stub, switch, False)
        stub.fail_if_no_align = lambda function: function  # type: ignore[attr-defined]
        sys.modules["torchaudio._extension"] = stub
        importlib.import_module("torchaudio")


os.environ.setdefault("HF_HUB_OFFLINE", "1")
_import_torchaudio()

import torch  # noqa: E402 - torchaudio has to be mended before speechbrain imports it
from speechbrain.inference.speaker import EncoderClassifier  # type: ignore[import-untyped] # noqa: E402
from speechbrain.lobes.features import Fbank  # type: ignore[import-untyped] # noqa: E402
from speechbrain.utils.fetching import FetchConfig, LocalStrategy  # type: ignore[import-untyped] # noqa: E402

CHECKPOINT_FILE = "embedding_model.ckpt"
_LOADING_FAILURES = (OSError, RuntimeError, ValueError, TypeError, KeyError, AttributeError, EOFError)


class SpeechBrainEmbedder:
    """The encoder of a folder with `hyperparams.yaml` and `embedding_model.ckpt`. Loads nothing from afar.

    The official model is what `speechbrain/spkrec-ecapa-voxceleb` holds: `xiaozhi models pull` brings it.

    Args:
        folder: of the model.
        threads: how many cores torch may use, in this whole process; more than are idle makes it crawl.

    Raises:
        SpeakerModelUnusable: a file is missing or damaged, or it is another kind of model.
    """

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        torch.set_num_threads(threads)
        for name in ("hyperparams.yaml", CHECKPOINT_FILE):
            if not (folder / name).is_file():
                raise SpeakerModelUnusable(f"{folder / name} is missing")
        try:
            self._classifier = EncoderClassifier.from_hparams(
                source=str(folder),
                savedir=str(folder),
                overrides={"pretrained_path": str(folder)},
                local_strategy=LocalStrategy.NO_LINK,
                fetch_config=FetchConfig(allow_network=False),
            ).eval()
        except _LOADING_FAILURES as error:
            raise SpeakerModelUnusable(
                f"{folder} holds no speaker model that SpeechBrain could load"
            ) from error
        digest = hashlib.sha256((folder / CHECKPOINT_FILE).read_bytes()).hexdigest()
        self._model = f"{folder.name}@{digest[:12]}"

    @property
    def model(self) -> str:
        """Folder name and fingerprint of the checkpoint."""
        return self._model

    def embed(self, sound: Sound) -> Embedding:
        """Return the embedding of speech, of length 1; raises EmbeddingFailed."""
        require_sound(sound)
        with torch.inference_mode():
            found = self._classifier.encode_batch(torch.from_numpy(sound.astype(np.float32))[None])
        return unit_embedding(found.reshape(-1).numpy())

    def export_onnx(self, folder: Path) -> OnnxEmbedder:
        """Write the encoder with its front end as `encoder.onnx` into a folder, and open it.

        Raises:
            SpeakerModelUnusable: the exported file cannot be used.
        """
        encoder = _SoundToEmbedding(self._classifier).eval()
        folder.mkdir(parents=True, exist_ok=True)
        torch.onnx.export(
            encoder,
            (torch.randn(1, 48_000) * 0.05,),
            str(folder / ENCODER_FILE),
            input_names=["wav"],
            output_names=["emb"],
            dynamic_axes={"wav": {0: "b", 1: "n"}, "emb": {0: "b"}},
            opset_version=17,
            dynamo=False,
        )
        return OnnxEmbedder(folder)


class _Pooling(torch.nn.Module):
    """SpeechBrain's attentive statistics pooling over whole utterances, without the mask that ONNX lacks."""

    def __init__(self, pooling: torch.nn.Module) -> None:
        super().__init__()
        self.tdnn, self.conv, self.eps = pooling.tdnn, pooling.conv, float(pooling.eps)  # type: ignore[arg-type]

    def forward(self, frames: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
        mean = frames.mean(2, keepdim=True)
        deviation = ((frames - mean) ** 2).mean(2, keepdim=True).clamp(min=self.eps).sqrt()
        context = torch.cat([frames, mean.expand_as(frames), deviation.expand_as(frames)], 1)
        weights = torch.softmax(self.conv(torch.tanh(self.tdnn(context))), 2)  # type: ignore[operator]
        mean = (weights * frames).sum(2)
        spread = (weights * (frames - mean.unsqueeze(2)) ** 2).sum(2).clamp(min=self.eps).sqrt()
        return torch.cat([mean, spread], 1).unsqueeze(2)


class _SoundToEmbedding(torch.nn.Module):
    """Sound to embedding in operations that ONNX has: the spectrum is a convolution with waves."""

    def __init__(self, classifier: torch.nn.Module) -> None:
        super().__init__()
        self.encoder = copy.deepcopy(classifier.mods.embedding_model)  # type: ignore[union-attr]
        self.encoder.asp = _Pooling(self.encoder.asp)  # type: ignore[union-attr, arg-type]
        bank: Fbank = copy.deepcopy(classifier.mods.compute_features)  # type: ignore[union-attr]
        window = bank.compute_STFT.window.double()
        size = len(window)
        turns = torch.arange(size // 2 + 1).double()[:, None] * torch.arange(size).double()[None]
        angles = 2 * torch.pi * turns / size
        self.register_buffer("cosines", (torch.cos(angles) * window).float()[:, None])
        self.register_buffer("sines", (-torch.sin(angles) * window).float()[:, None])
        bank.compute_fbanks.log_mel = False
        self.register_buffer("filters", bank.compute_fbanks(torch.eye(size // 2 + 1)[None])[0].clone())
        self.size, self.hop = size, int(bank.compute_STFT.hop_length)

    def forward(self, wav: torch.Tensor) -> torch.Tensor:
        padded = torch.nn.functional.pad(wav, (self.size // 2, self.size // 2)).unsqueeze(1)
        real = torch.nn.functional.conv1d(padded, self.cosines, stride=self.hop)  # type: ignore[arg-type]
        imaginary = torch.nn.functional.conv1d(padded, self.sines, stride=self.hop)  # type: ignore[arg-type]
        power = (real * real + imaginary * imaginary).transpose(1, 2) @ self.filters  # type: ignore[operator]
        level = 10 * torch.log10(power.clamp(min=1e-10))
        level = torch.maximum(level, level.amax((1, 2), keepdim=True) - 80)
        embedding = self.encoder(level - level.mean(1, keepdim=True))  # type: ignore[operator]
        return torch.as_tensor(embedding).squeeze(1)
