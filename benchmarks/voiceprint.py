"""How well people are told apart, and at what cost: recorded speakers of the tests, none of them in training.

Each speaker is enrolled with three fifths of the clips and compared with what everybody said in the rest, at
one, two and three seconds, clean and in noise; strangers come from the same corpus. Speakers of single words
have one second. Then the default embedder against SpeechBrain, each in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from itertools import product
from pathlib import Path

import numpy as np
import psutil
import soundfile
from numpy.typing import NDArray

from assistant.speaker_model import EMBEDDED_MODEL
from hardware.audio import RATE_HZ
from voice.calibration import Calibration, read_calibration
from voice.clip_quality import speech_only
from voice.embedder_onnx import CALIBRATION_FILE, OnnxEmbedder
from voice.replay import SAME_SOUND, difference, fingerprint
from voice.voiceprint import LEVELS, Embedder, Level, Sound

TESTPACK = Path(__file__).parents[1] / "tests" / "voice" / "testpack"
EER_BUDGET = 0.05
"""At three seconds, clean."""
ENROLLED_SHARE = 0.6
ROUNDS = 4
SNRS_DB = (None, 20.0, 10.0)
REPEATS = 20


def main() -> None:
    """Print the figures."""
    if len(sys.argv) == 2:
        print(json.dumps(_cost(sys.argv[1])))
        return
    embedder = OnnxEmbedder(EMBEDDED_MODEL)
    calibration = read_calibration(EMBEDDED_MODEL / CALIBRATION_FILE, model=embedder.model)
    print(f"model {embedder.model}, calibrated on {calibration.made_from}")
    for corpus, seconds in (("gsc", 1.0), ("libri", 1.0), ("libri", 2.0), ("libri", 3.0)):
        for snr_db in SNRS_DB:
            _print_row(corpus, seconds, snr_db, embedder, calibration)
    _print_replays()
    _print_costs()


def _print_row(
    corpus: str, seconds: float, snr_db: float | None, embedder: Embedder, calibration: Calibration
) -> None:
    own, others = _scores(corpus, seconds, snr_db, embedder)
    noise = "clean" if snr_db is None else f"{snr_db:.0f} dB"
    rate, _ = equal_error(own, others)
    row = f"{corpus:5} {seconds:.0f} s {noise:6} EER {rate:5.1%} ({len(own)} own, {len(others)} strangers)"
    for level in Level:
        threshold = calibration.threshold(speech_seconds=seconds, false_accepts=LEVELS[level].false_accepts)
        accepted, refused = np.mean(others >= threshold), np.mean(own < threshold)
        row += f"  {level} {threshold:.2f}: FA {accepted:5.1%} FR {refused:5.1%}"
    if (seconds, snr_db) == (3.0, None):
        row += f"  [{'pass' if rate <= EER_BUDGET else 'FAIL'}: EER at most {EER_BUDGET:.0%}]"
    print(row, flush=True)


def _scores(
    corpus: str, seconds: float, snr_db: float | None, embedder: Embedder
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    chance = np.random.default_rng(11)
    voices = [_clips(folder) for folder in sorted(TESTPACK.glob(f"{corpus}-*"))]
    own: list[float] = []
    others: list[float] = []
    for _ in range(ROUNDS):
        centres, probes = [], []
        for clips in voices:
            order = chance.permutation(len(clips))
            split = round(len(clips) * ENROLLED_SHARE)
            centre = np.mean([embedder.embed(_long_enough(clips[at])) for at in order[:split]], axis=0)
            centres.append(centre / np.linalg.norm(centre))
            rest = np.concatenate([clips[at] for at in order[split:]])
            spoken = _long_enough(rest[: int(seconds * RATE_HZ)])
            probes.append(embedder.embed(spoken if snr_db is None else _in_noise(spoken, snr_db, chance)))
        scores = np.stack(centres) @ np.stack(probes).T
        for voice, probe in product(range(len(voices)), repeat=2):
            (own if voice == probe else others).append(float(scores[voice, probe]))
    return np.array(own), np.array(others)


def equal_error(own: NDArray[np.float64], others: NDArray[np.float64]) -> tuple[float, float]:
    """Return the rate at which as many strangers pass as owners fail, and the threshold for it."""
    places = np.unique(np.concatenate([own, others]))
    fails = np.array([np.mean(own < place) for place in places])
    passes = np.array([np.mean(others >= place) for place in places])
    at = int(np.argmin(np.abs(fails - passes)))
    return float((fails[at] + passes[at]) / 2), float(places[at])


def _clips(folder: Path) -> list[Sound]:
    return [speech_only(soundfile.read(file, dtype="float32")[0]) for file in sorted(folder.glob("*.flac"))]


def _long_enough(sound: Sound) -> Sound:
    return np.resize(sound, max(len(sound), RATE_HZ // 2))


def _in_noise(sound: Sound, snr_db: float, chance: np.random.Generator) -> Sound:
    level = np.sqrt((sound**2).mean() / 10 ** (snr_db / 10))
    return np.asarray(sound + level * chance.normal(size=len(sound)), dtype=np.float32)


def _print_replays() -> None:
    """Play each reader's clip through a loudspeaker's band in a room, and compare fingerprints."""
    chance = np.random.default_rng(12)
    clips = {folder.name: _clips(folder) for folder in sorted(TESTPACK.glob("libri-*"))}
    prints = {name: [fingerprint(clip) for clip in own] for name, own in clips.items()}
    for snr_db in (30.0, 20.0, 10.0):
        played = [
            difference(fingerprint(_played(clip, snr_db, chance)), prints[name][at])
            for name, own in clips.items()
            for at, clip in enumerate(own)
        ]
        print(f"replay in a room at {snr_db:.0f} dB: caught {np.mean(np.array(played) < SAME_SOUND):.0%}")
    fresh = [
        difference(one, other) for own in prints.values() for at, one in enumerate(own) for other in own[:at]
    ]
    print(
        f"other sentences of the same person taken for a replay: {np.mean(np.array(fresh) < SAME_SOUND):.1%}"
    )


def _played(sound: Sound, snr_db: float, chance: np.random.Generator) -> Sound:
    size = 2 * len(sound)
    hertz = np.fft.rfftfreq(size, 1 / RATE_HZ)
    low, high = chance.uniform(150, 400), chance.uniform(3_000, 7_000)
    band = 1 / np.sqrt(1 + (low / np.maximum(hertz, 1)) ** 6) / np.sqrt(1 + (hertz / high) ** 8)
    length = int(chance.uniform(0.2, 0.7) * RATE_HZ)
    room = chance.normal(size=length) * np.exp(-6.9 * np.arange(length) / length)
    room *= chance.uniform(0.2, 1) / np.linalg.norm(room)
    room[0] = 1
    heard = np.fft.irfft(np.fft.rfft(sound, size) * band * np.fft.rfft(room, size))[: len(sound)]
    start = int(chance.integers(2_000))
    return _in_noise(heard[start:].astype(np.float32), snr_db, chance)


def _print_costs() -> None:
    found = {}
    for name in ("onnx", "speechbrain"):
        done = subprocess.run([sys.executable, __file__, name], capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{name}: not measured ({done.stderr.strip().splitlines()[-1]})")
            continue
        found[name] = json.loads(done.stdout.splitlines()[-1])
        print(f"{name:11} {found[name]['ms']:.1f} ms per 3 s of speech, {found[name]['mb']:.0f} MB resident")
    if len(found) == 2:
        quicker = found["speechbrain"]["ms"] / found["onnx"]["ms"]
        smaller = found["speechbrain"]["mb"] / found["onnx"]["mb"]
        print(f"onnx against SpeechBrain: {quicker:.1f} times as quick, memory {1 / smaller:.0%} of it")


def _cost(name: str) -> dict[str, float]:
    if name == "onnx":
        embedder: Embedder = OnnxEmbedder(EMBEDDED_MODEL)
    else:
        from voice.embedder_speechbrain import SpeechBrainEmbedder

        embedder = SpeechBrainEmbedder(EMBEDDED_MODEL)
    sound = np.random.default_rng(1).normal(size=3 * RATE_HZ).astype(np.float32) * 0.1
    embedder.embed(sound)
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        embedder.embed(sound)
        taken.append(time.perf_counter() - start)
    return {"ms": 1000 * float(np.median(taken)), "mb": psutil.Process().memory_info().rss / 2**20}


if __name__ == "__main__":
    main()
