"""The speaker encoder, from nothing to a model folder: ``python -m voice.training.voiceprint``.

    python -m voice.training.voiceprint --speech PATH --out voice/models/ecapa-small --work /tmp/encoder

Afterwards ``python -m voice.training.calibration`` measures the thresholds of the new model, with the people
kept for measuring (``held_out.txt`` in the model folder).
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import numpy as np

from voice.training.mfcc import SAMPLES_PER_SECOND, Samples
from voice.training.recordings import read_index
from voice.training.speaker_batches import (
    GROUP_SHARES,
    SPEEDS,
    Person,
    SpeakerBatches,
    held_out,
    read_noises,
    read_people,
)
from voice.training.speaker_export import write_onnx, write_speechbrain_folder
from voice.training.speaker_training import SpeakerSchedule, SpeakerTrainer

HELD_OUT_FILE = "held_out.txt"
_EXAMPLE_SAMPLES = 2 * SAMPLES_PER_SECOND


def examples_of(people: list[Person], count: int, *, seed: int = 9) -> list[Samples]:
    """Stretches of 2 s of random people."""
    chance = np.random.default_rng(seed)
    examples: list[Samples] = []
    for _ in range(count):
        clips = people[chance.integers(len(people))].clips
        picked = [clips[k] for k in chance.integers(len(clips), size=4)]
        examples.append(np.asarray(np.resize(np.concatenate(picked), _EXAMPLE_SAMPLES) / 32_768, np.float32))
    return examples


def main() -> None:
    """Make the speaker encoder."""
    parser = argparse.ArgumentParser(description="Train the small speaker encoder and export it.")
    parser.add_argument("--speech", type=Path, required=True, help="folder of recordings (index.json)")
    parser.add_argument("--out", type=Path, required=True, help="model folder to write")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints")
    parser.add_argument("--minutes", type=float, default=45.0, help="time for the training proper")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--voices-each", type=int, default=1, choices=range(1, len(SPEEDS) + 1))
    parser.add_argument("--again", action="store_true", help="train even if there is a checkpoint")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    schedule = SpeakerSchedule(minutes=arguments.minutes)
    people = read_people(arguments.speech, kept_for_measuring=False)
    checkpoint = arguments.work / "encoder.ckpt"
    if arguments.again or not checkpoint.exists():
        batches = SpeakerBatches(
            people, read_noises(arguments.speech),
            size=arguments.batch, seed=schedule.seed, voices_each=arguments.voices_each,
        )  # fmt: skip
        SpeakerTrainer(batches, schedule).train(checkpoint)
    write_speechbrain_folder(checkpoint, arguments.out)
    write_onnx(arguments.out, examples_of(people, 400))
    kept = [s.speaker for s in read_index(arguments.speech) if s.group in GROUP_SHARES and held_out(s)]
    (arguments.out / HELD_OUT_FILE).write_text("\n".join(kept) + "\n")


if __name__ == "__main__":
    main()
