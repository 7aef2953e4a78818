"""The Mandarin recogniser, from nothing to a Vosk model folder: ``python -m voice.training.recognizer``.

    python -m voice.training.recognizer --speech PATH --out voice/models/vosk-synth-cn --work /tmp/recogniser

Four stages, the first two skipped when their results are in the work folder already: chunks of features
(processes of their own), training, graph, export.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from voice.training.ctc_training import CtcSchedule, CtcTrainer, load_network
from voice.training.decoding_graph import write_graph
from voice.training.errors import TrainingToolMissing
from voice.training.language_model import LanguageModel, LanguageModelSettings
from voice.training.lexicon import GENERAL_WORDS, build_lexicon
from voice.training.recognizer_export import export_recognizer
from voice.training.recordings import HELD_OUT_SPEAKERS, MANDARIN_GROUP, read_index
from voice.training.sentences import Segmenter, SentenceWriter
from voice.training.voices import HELD_OUT_VOICES, TRAINING_VOICES

_log = logging.getLogger(__name__)

METADATA_FILE = "training.json"
_ATTEMPTS = 3
_RATE_OF_FURTHER_RUNS = 1.5e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognizerPlan:
    """What goes into the model."""

    synthetic_chunks: int = 20
    """Half hours of synthetic speech, each augmented twice."""
    human_chunks: int = 3
    """Passes over the recorded words, each augmented anew."""
    sentences: int = 300_000
    """Sentences the language model is counted from."""
    general_words: int = GENERAL_WORDS


def make_chunks(plan: RecognizerPlan, speech: Path, folder: Path) -> None:
    """Make the feature chunks that are missing; a process that crashes is replaced, with another seed.

    Raises:
        TrainingToolMissing: A chunk fails again and again.
    """
    wanted = [(f"human{k}", 900 + k, ["--human", "--copies", "1"]) for k in range(plan.human_chunks)]
    wanted += [(f"synthetic{k}", 100 + k, []) for k in range(plan.synthetic_chunks)]
    for name, seed, extra in wanted:
        if (folder / f"{name}.json").exists():
            continue
        for attempt in range(_ATTEMPTS):
            options = ["--seed", str(seed + 1_000 * attempt), "--out", str(folder / name), *extra]
            module = [sys.executable, "-m", "voice.training.recognition_data", "--speech", str(speech)]
            if subprocess.run([*module, *options], check=False).returncode == 0:  # noqa: S603 - our own
                break
        else:
            raise TrainingToolMissing(f"chunk {name}", "espeak-ng failed three times; see its messages above")
        _log.info("chunk %s", name)


def build_graph(plan: RecognizerPlan, folder: Path) -> None:
    """Write the lexicon and the language model as the decoding graph."""
    lexicon = build_lexicon(general_words=plan.general_words)
    chance = random.Random(11)  # noqa: S311 - sentences, no secrets
    writer, segmenter = SentenceWriter(lexicon, chance), Segmenter(lexicon)
    text = (segmenter.words(writer.sentence()) for _ in range(plan.sentences))
    write_graph(lexicon, LanguageModel(text, lexicon.counts, LanguageModelSettings()), folder)


def write_metadata(plan: RecognizerPlan, schedule: CtcSchedule, speech: Path, folder: Path) -> None:
    """Write down what the model was made of, so that measurements can keep away from it."""
    trained = [
        s.speaker for s in read_index(speech)
        if s.group == MANDARIN_GROUP and s.speaker not in HELD_OUT_SPEAKERS
    ]  # fmt: skip
    facts = {
        "espeak_ng_language": "cmn-latn-pinyin",
        "training_voices": ["", *TRAINING_VOICES],
        "held_out_voices": list(HELD_OUT_VOICES),
        "training_speakers": trained,
        "held_out_speakers": list(HELD_OUT_SPEAKERS),
        "plan": asdict(plan),
        "schedule": asdict(schedule),
    }
    (folder / METADATA_FILE).write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n")


def main() -> None:
    """Make the recogniser."""
    parser = argparse.ArgumentParser(
        description="Train the small Mandarin recogniser and write it as a Vosk model."
    )
    parser.add_argument("--speech", type=Path, required=True, help="folder of recordings (index.json)")
    parser.add_argument("--out", type=Path, required=True, help="model folder to write")
    parser.add_argument("--work", type=Path, required=True, help="folder for chunks and checkpoints (2 GB)")
    parser.add_argument("--minutes", type=float, default=45.0, help="time for the training proper")
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--again", action="store_true", help="train even if there is a checkpoint")
    parser.add_argument("--go-on", action="store_true", help="train the checkpoint that is there further")
    parser.add_argument(
        "--graph-only", action="store_true", help="write only lexicon and language model anew"
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    plan = RecognizerPlan()
    schedule = CtcSchedule(minutes=arguments.minutes, width=arguments.width)
    if arguments.go_on:
        schedule = replace(schedule, peak_rate=_RATE_OF_FURTHER_RUNS, seed=schedule.seed + 1)
    chunks, checkpoint = arguments.work / "chunks", arguments.work / "network.pt"
    if arguments.go_on and not checkpoint.exists():
        parser.error(f"--go-on: there is no {checkpoint}; leave the option out to begin")
    build_graph(plan, arguments.out / "graph")
    if arguments.graph_only:
        return
    make_chunks(plan, arguments.speech, chunks)
    if arguments.again or arguments.go_on or not checkpoint.exists():
        start_from = checkpoint if arguments.go_on else None
        CtcTrainer(schedule).train(chunks, checkpoint, start_from=start_from)
    export_recognizer(load_network(checkpoint), arguments.out)
    write_metadata(plan, schedule, arguments.speech, arguments.out)


if __name__ == "__main__":
    main()
