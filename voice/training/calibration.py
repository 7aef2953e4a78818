"""Measure what strangers score with a speaker model, and write its `calibration.json`.

    python -m voice.training.calibration MODEL_FOLDER --speakers FOLDER [--only FILE]

FOLDER holds `index.json` as the training data does: speakers with their clips in one sound file each. The
thresholds hold only if the model has not been trained on these speakers: `--only` names a file with the ids
of those that were held out, one a line. Strangers are compared within one corpus, as a device hears everybody
through one microphone: across corpora the different sound of the recordings would flatter the model.
Takes a minute or two on one core.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from pydantic import BaseModel

from hardware.audio import RATE_HZ
from voice.calibration import Calibration, Scores, calibration_json
from voice.clip_quality import speech_only
from voice.embedder_onnx import CALIBRATION_FILE, OnnxEmbedder
from voice.voiceprint import MIN_CLIPS, Embedder, Embedding, Sound

_log = logging.getLogger(__name__)

LENGTHS_S = (0.5, 1.0, 2.0, 3.0)
SHARES = (0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005)
LONGEST_CLIP_S = 2
PROBES = 3
"""Utterances of each speaker and length: one as recorded, the others in noise of 5 to 25 dB."""


class _Speaker(BaseModel):
    speaker: str
    group: str
    file: str
    clips: list[tuple[int, int] | tuple[int, int, str]]


class _Index(BaseModel):
    speakers: list[_Speaker]


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One speaker: the corpus, and the clips cut down to speech."""

    group: str
    clips: tuple[Sound, ...]


def read_voices(folder: Path, *, only: frozenset[str] | None) -> list[Voice]:
    """Read the speakers of `index.json`, those named or all, that have clips enough."""
    index = _Index.model_validate_json((folder / "index.json").read_bytes())
    voices = []
    for one in index.speakers:
        if one.group == "noise" or (only is not None and one.speaker not in only):
            continue
        sound, rate_hz = soundfile.read(folder / one.file, dtype="float32")
        if rate_hz != RATE_HZ:
            sys.exit(f"{one.file} is at {rate_hz} Hz, not {RATE_HZ} Hz")
        cut = [speech_only(sound[start : start + length]) for start, length, *_ in one.clips]
        pieces = [piece for clip in cut for piece in _pieces(clip)]
        clips = tuple(piece for piece in pieces if len(piece) >= RATE_HZ // 4)
        if len(clips) > MIN_CLIPS:
            voices.append(Voice(group=one.group, clips=clips))
    return voices


def _pieces(clip: Sound) -> list[Sound]:
    """Cut read sentences into pieces as long as an enrolment clip; single words stay whole."""
    return np.array_split(clip, max(1, len(clip) // (LONGEST_CLIP_S * RATE_HZ)))


def calibrate(
    voices: Sequence[Voice], noise: Sound, embedder: Embedder, *, seed: int, made_from: str
) -> Calibration:
    """Enrol every speaker with five clips, and score everybody of the same corpus against it."""
    chance = np.random.default_rng(seed)
    orders = [chance.permutation(len(voice.clips)) for voice in voices]
    centres = np.stack(
        [
            _enrolled(embedder, [voice.clips[at] for at in order[:MIN_CLIPS]])
            for voice, order in zip(voices, orders, strict=True)
        ]
    )
    groups = np.array([voice.group for voice in voices])
    scores = []
    for seconds in LENGTHS_S:
        genuine, quiet = [], []
        strangers: dict[str, list[float]] = defaultdict(list)
        for at, (voice, order) in enumerate(zip(voices, orders, strict=True)):
            for noisy in range(PROBES):
                spare = _utterance(voice, chance.permutation(order[MIN_CLIPS:]), seconds)
                probe = spare if spare is not None else _utterance(voice, chance.permutation(order), seconds)
                if probe is None:
                    continue
                heard = probe if noisy == 0 else _in_noise(probe, noise, chance)
                reached = centres @ embedder.embed(heard)
                if spare is not None:
                    genuine.append(reached[at])
                    if noisy == 0:
                        quiet.append(reached[at])
                others = (groups == voice.group) & (np.arange(len(voices)) != at)
                strangers[voice.group].extend(reached[others])
        # The corpus whose strangers come nearest decides: the next room may be like that one.
        levels = np.max(
            [np.quantile(reached_by, [1 - share for share in SHARES]) for reached_by in strangers.values()],
            axis=0,
        )
        scores.append(
            Scores(
                speech_seconds=seconds,
                thresholds=dict(zip(SHARES, map(float, levels), strict=True)),
                genuine_mean=float(np.mean(quiet)),
                genuine_deviation=float(np.std(quiet)),
            )
        )
        missed = " ".join(
            f"FA {share:.3f}: {level:.2f} FR {np.mean(np.array(genuine) < level):.3f};"
            for share, level in zip(SHARES, levels, strict=True)
        )
        _log.info(
            "%s s: %d genuine, %d strangers; %s",
            seconds,
            len(genuine),
            sum(map(len, strangers.values())),
            missed,
        )
    return Calibration(model=embedder.model, made_from=made_from, scores=tuple(scores))


def _enrolled(embedder: Embedder, clips: Sequence[Sound]) -> Embedding:
    middle = np.mean([embedder.embed(_lasting(clip)) for clip in clips], axis=0)
    return np.asarray(middle / np.linalg.norm(middle), dtype=np.float32)


def _lasting(clip: Sound) -> Sound:
    """Repeat a single short word until a model takes it."""
    return np.resize(clip, max(len(clip), RATE_HZ // 2))


def _utterance(voice: Voice, order: NDArray[np.int64], seconds: float) -> Sound | None:
    wanted = int(seconds * RATE_HZ)
    joined = np.concatenate([voice.clips[at] for at in order]) if len(order) else np.zeros(0, np.float32)
    return np.asarray(joined[:wanted], dtype=np.float32) if len(joined) >= wanted else None


def _in_noise(speech: Sound, noise: Sound, chance: np.random.Generator) -> Sound:
    start = int(chance.integers(len(noise) - len(speech)))
    behind = noise[start : start + len(speech)]
    snr_db = chance.uniform(5, 25)
    gain = np.sqrt((speech**2).mean() / max(float((behind**2).mean()), 1e-9) / 10 ** (snr_db / 10))
    return np.asarray(speech + gain * behind, dtype=np.float32)


def main() -> None:
    """Calibrate one model."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("model", type=Path, help="folder of the model; calibration.json goes there")
    arguments.add_argument("--speakers", type=Path, required=True, help="folder with index.json")
    arguments.add_argument("--only", type=Path, help="file of the speakers' ids to be used, one a line")
    arguments.add_argument("--seed", type=int, default=5)
    given = arguments.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    only = frozenset(given.only.read_text(encoding="utf-8").split()) if given.only else None
    voices = read_voices(given.speakers, only=only)
    noise, _ = soundfile.read(given.speakers / "noise" / "background_noise.opus", dtype="float32")
    groups = ", ".join(sorted({voice.group for voice in voices}))
    seen = "held out of training" if only is not None else "of the training data, so too optimistic"
    made_from = f"{len(voices)} speakers {seen}: {groups}"
    found = calibrate(voices, noise, OnnxEmbedder(given.model), seed=given.seed, made_from=made_from)
    (given.model / CALIBRATION_FILE).write_text(calibration_json(found), encoding="utf-8")
    _log.info("%s: %s", given.model / CALIBRATION_FILE, made_from)


if __name__ == "__main__":
    main()
