"""The speech models that are known: two embedded ones, and official ones to be pulled for real rooms.

None of the addresses could be reached while this was written; the sum of the Vosk model was published by a
third party. So whatever arrives is recorded, and a sum that differs is never accepted unasked.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

_MIB = 1024 * 1024


class ModelUse(StrEnum):
    """What a model is for."""

    RECOGNIZER = "recognizer"
    SPEAKER = "speaker"
    WAKE = "wake"


class ModelFormat(StrEnum):
    """What loads it."""

    VOSK = "vosk"
    ONNX_ENCODER = "onnxruntime"
    SPEECHBRAIN = "speechbrain"
    SHERPA_ONNX = "sherpa-onnx"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A file to be fetched.

    Args:
        path: Where it lies in the model's folder; for an archive, its name.
        addresses: Where it can be had, best first.
        sha256: What it must be; None where no trustworthy sum is known.
    """

    path: str
    addresses: tuple[str, ...]
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechModel:
    """A model.

    Args:
        name: Its name, also of its folder.
        use: What it is for.
        format: What loads it.
        licence: Of the weights.
        required_files: Without these it is damaged.
        remote_files: To be fetched: one archive, or the files themselves; none for embedded models.
        download_bytes: About so much is fetched.
        installed_bytes: About so much it takes on the disk.
        in_archive: The one remote file is an archive of the folder.
    """

    name: str
    use: ModelUse
    format: ModelFormat
    licence: str
    required_files: tuple[str, ...]
    remote_files: tuple[RemoteFile, ...] = ()
    download_bytes: int = 0
    installed_bytes: int = 0
    in_archive: bool = False

    @property
    def archive_sha256(self) -> str | None:
        """What the archive's sum must be, where it is known."""
        return self.remote_files[0].sha256 if self.in_archive else None


_VOSK_FILES = ("am/final.mdl", "conf/mfcc.conf", "conf/model.conf", "graph/HCLr.fst", "graph/Gr.fst")
_SPEAKER_FILES = ("hyperparams.yaml", "embedding_model.ckpt", "mean_var_norm_emb.ckpt")
_SHERPA_NAME = "sherpa-onnx-kws-zipformer-wenetspeech-3.3M-2024-01-01"
_SHERPA_PART = "epoch-12-avg-2-chunk-16-left-64.onnx"
SHERPA_FILES = ("tokens.txt", *(f"{part}-{_SHERPA_PART}" for part in ("encoder", "decoder", "joiner")))
"""What a keyword spotting model of sherpa-onnx is made of."""


def _hugging_face(repository: str, path: str) -> tuple[str, ...]:
    # hf-mirror.com is a public mirror that is reachable from mainland China.
    sites = ("https://huggingface.co", "https://hf-mirror.com")
    return tuple(f"{site}/{repository}/resolve/main/{path}" for site in sites)


EMBEDDED = (
    SpeechModel(
        name="vosk-synth-cn",
        use=ModelUse.RECOGNIZER,
        format=ModelFormat.VOSK,
        licence="see its model card",
        required_files=_VOSK_FILES,
    ),
    SpeechModel(
        name="ecapa-small",
        use=ModelUse.SPEAKER,
        format=ModelFormat.ONNX_ENCODER,
        licence="see its model card",
        required_files=("encoder.onnx",),
    ),
)
CATALOGUE = (
    SpeechModel(
        name="vosk-model-small-cn-0.22",
        use=ModelUse.RECOGNIZER,
        format=ModelFormat.VOSK,
        licence="Apache-2.0",
        required_files=_VOSK_FILES,
        remote_files=(
            RemoteFile(
                path="vosk-model-small-cn-0.22.zip",
                addresses=("https://alphacephei.com/vosk/models/vosk-model-small-cn-0.22.zip",),
                sha256="3af8b0e7e0f835ae9d414ce5df580237a3cfb08d586c9fbbb0f7ff29ad5b14ba",
            ),
        ),
        download_bytes=44 * _MIB,
        installed_bytes=70 * _MIB,
        in_archive=True,
    ),
    SpeechModel(
        name="spkrec-ecapa-voxceleb",
        use=ModelUse.SPEAKER,
        format=ModelFormat.SPEECHBRAIN,
        licence="Apache-2.0",
        required_files=_SPEAKER_FILES,
        remote_files=tuple(
            RemoteFile(path=path, addresses=_hugging_face("speechbrain/spkrec-ecapa-voxceleb", path))
            for path in _SPEAKER_FILES
        ),
        download_bytes=86 * _MIB,
        installed_bytes=86 * _MIB,
    ),
    SpeechModel(
        name=_SHERPA_NAME,
        use=ModelUse.WAKE,
        format=ModelFormat.SHERPA_ONNX,
        licence="Apache-2.0",
        required_files=SHERPA_FILES,
        remote_files=(
            RemoteFile(
                path=f"{_SHERPA_NAME}.tar.bz2",
                addresses=(
                    "https://github.com/k2-fsa/sherpa-onnx/releases/download/kws-models/"
                    f"{_SHERPA_NAME}.tar.bz2",
                ),
            ),
        ),
        download_bytes=32 * _MIB,
        installed_bytes=60 * _MIB,
        in_archive=True,
    ),
)
