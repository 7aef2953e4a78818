"""Figures of a Vosk model on speech of voices and speakers never trained on.

``python -m voice.training.recognizer_evaluation MODEL --speech PATH`` prints them as JSON.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import vosk
from rapidfuzz.distance import Levenshtein

from voice.training.heldout_speech import HeldOutSpeaker, HeldOutUtterance
from voice.training.lexicon import UNKNOWN
from voice.training.mfcc import SAMPLES_PER_SECOND, Samples
from voice.training.recordings import HELD_OUT_SPEAKERS, clips_of, read_index, read_recording

_log = logging.getLogger(__name__)

WAKE_GRAMMAR = ("你好 小智", UNKNOWN)
_CHUNK_BYTES = 3_200
_HUMAN_TAKES = 3


@dataclass(slots=True, kw_only=True)
class Score:
    """Counts of one set."""

    utterances: int = 0
    right: int = 0
    characters: int = 0
    edits: int = 0

    def add(self, said: str, heard: str) -> None:
        """Count one utterance: exact, and by characters."""
        self.utterances += 1
        self.right += said == heard
        self.characters += len(said)
        self.edits += Levenshtein.distance(said, heard)


class Listener:
    """A Vosk model that hears whole utterances.

    Args:
        folder: The model.
    """

    def __init__(self, folder: Path) -> None:
        vosk.SetLogLevel(-1)
        self._model = vosk.Model(str(folder))

    def hear(self, samples: Samples, grammar: Iterable[str] = ()) -> str:
        """Recognise an utterance; words are joined without blanks."""
        phrases = json.dumps(list(grammar), ensure_ascii=False)
        rate = float(SAMPLES_PER_SECOND)
        recogniser = (
            vosk.KaldiRecognizer(self._model, rate, phrases)
            if grammar
            else vosk.KaldiRecognizer(self._model, rate)
        )
        pcm = np.clip(samples, -32_768, 32_767).astype("<i2").tobytes()
        heard = [
            json.loads(recogniser.Result())["text"]
            for start in range(0, len(pcm), _CHUNK_BYTES)
            if recogniser.AcceptWaveform(pcm[start : start + _CHUNK_BYTES])
        ]
        heard.append(json.loads(recogniser.FinalResult())["text"])
        return "".join(" ".join(heard).split())


def recognised(listener: Listener, said: Iterable[HeldOutUtterance], misses: list[str]) -> dict[str, Score]:
    """Free recognition, by condition and in all."""
    scores: dict[str, Score] = {}
    for one in said:
        heard = listener.hear(one.samples)
        for key in ("all", one.condition):
            scores.setdefault(key, Score()).add(one.text, heard)
        if heard != one.text:
            misses.append(f"{one.condition} {one.voice}: {one.text} → {heard}")
    return scores


def woken(listener: Listener, said: Iterable[HeldOutUtterance]) -> dict[str, Score]:
    """How many utterances wake, by condition and in all; ``right`` counts the wakings."""
    scores: dict[str, Score] = {}
    for one in said:
        wakes = "你好小智" in listener.hear(one.samples, WAKE_GRAMMAR)
        for key in ("all", one.condition):
            score = scores.setdefault(key, Score())
            score.utterances += 1
            score.right += wakes
    return scores


def human_words(listener: Listener, speech: Path) -> dict[str, Score]:
    """Recorded single words of people never trained on, each with a grammar of all twelve words."""
    scores: dict[str, Score] = {}
    for speaker in read_index(speech):
        if speaker.speaker not in HELD_OUT_SPEAKERS:
            continue
        clips = clips_of(read_recording(speech, speaker), speaker)
        grammar = sorted({word for _, word in clips if word and not word.isascii()})
        for word in grammar:
            takes = [clip for clip, spoken in clips if spoken == word][:: max(1, 20 // _HUMAN_TAKES)][
                :_HUMAN_TAKES
            ]
            for clip in takes:
                heard = listener.hear(clip * 32_000, (*grammar, UNKNOWN)).replace(UNKNOWN, "")
                scores.setdefault(speaker.speaker, Score()).add(word, heard)
    return scores


def evaluate(model: Path, speech: Path, *, share: float = 1.0) -> dict[str, dict[str, Score]]:
    """Measure everything.

    Args:
        model: Folder of the Vosk model.
        speech: Recordings.
        share: Part of the material to use, for a quick look.
    """
    listener, speaker = Listener(model), HeldOutSpeaker()
    misses: list[str] = []

    def some(said: Iterator[HeldOutUtterance]) -> Iterator[HeldOutUtterance]:
        return (one for number, one in enumerate(said) if number % 60 < 60 * share)

    figures = {
        "wake": woken(listener, some(speaker.wake(312))),
        "near misses that wake": woken(listener, some(speaker.near_misses(120))),
        "ordinary sentences that wake": woken(listener, some(speaker.ordinary(400))),
        "commands": recognised(listener, some(speaker.commands(312)), misses),
        "out of template": recognised(listener, some(speaker.out_of_template()), misses),
        "human words": human_words(listener, speech),
    }
    for miss in misses:
        _log.info("%s", miss)
    return figures


def main() -> None:
    """Print the figures of a model."""
    parser = argparse.ArgumentParser(description="Measure a Vosk model on voices never trained on.")
    parser.add_argument("model", type=Path)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--misses", action="store_true", help="log what was misheard")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO if arguments.misses else logging.WARNING, format="%(message)s")
    figures = evaluate(arguments.model, arguments.speech, share=arguments.share)
    plain = {name: {key: asdict(score) for key, score in scores.items()} for name, scores in figures.items()}
    json.dump(plain, sys.stdout, ensure_ascii=False, indent=1)


if __name__ == "__main__":
    main()
