"""Speech to measure with: voices never trained on, in rooms and noise never trained on.

Also a command, for benchmarks: ``python -m voice.training.heldout_speech --out FOLDER`` writes WAV files with
a ``manifest.jsonl`` (file, what was said, kind, voice, condition).
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import fftconvolve

from voice.training.augmentation import room_responses, synthetic_noises
from voice.training.espeak import MANDARIN, Espeak, SpokenLabels
from voice.training.lexicon import build_lexicon, text_lines
from voice.training.mfcc import SAMPLES_PER_SECOND, Samples
from voice.training.sentences import SentenceWriter
from voice.training.synthetic_speech import NEAR_WAKE_PHRASES, WAKE_PHRASE
from voice.training.voices import HELD_OUT_VOICES

SEED = 4_242
_LEAD_SECONDS, _TAIL_SECONDS = 0.4, 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What lies between mouth and microphone."""

    name: str
    noise_db: float | None = None
    """Speech over noise."""
    in_room: bool = False
    crowd: bool = False


CONDITIONS = (
    Condition(name="clean"),
    Condition(name="20 dB", noise_db=20),
    Condition(name="10 dB", noise_db=10),
    Condition(name="5 dB", noise_db=5),
    Condition(name="room, 15 dB", noise_db=15, in_room=True),
    Condition(name="crowd, 15 dB", noise_db=15, crowd=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutUtterance:
    """One utterance to be recognised."""

    samples: Samples
    """16 kHz, scale of int16."""
    text: str
    kind: str
    """``wake``, ``near miss``, ``command``, ``out of template`` or ``ordinary``."""
    voice: str
    condition: str


class HeldOutSpeaker:
    """Says what is wanted with voices that were kept out of training.

    Args:
        seed: Of all chance; the same seed gives the same material.
    """

    def __init__(self, seed: int = SEED) -> None:
        self._random = random.Random(seed)  # noqa: S311 - sentences, no secrets
        self._chance = np.random.default_rng(seed)
        self._espeak = Espeak()
        self._labels = SpokenLabels(self._espeak)
        self._rooms = room_responses(self._chance, 40)
        self._noises = synthetic_noises(self._chance, 20)
        self._crowd = self._murmur()
        self._writer = SentenceWriter(build_lexicon(), self._random)

    def _murmur(self) -> Samples:
        voices = [
            self._said("今天天气不错我们一起去吃饭吧然后再回来开会讨论一下这个问题", v)
            for v in HELD_OUT_VOICES
        ]
        whole = np.zeros(30 * SAMPLES_PER_SECOND, np.float32)
        for voice in voices:
            whole += np.roll(np.resize(voice, len(whole)), int(self._chance.integers(len(whole))))
        return np.asarray(whole / whole.std(), np.float32)

    def _said(self, text: str, voice: str) -> Samples:
        self._espeak.set_voice(MANDARIN, voice)
        self._espeak.set_delivery(
            words_per_minute=self._random.randint(115, 225), pitch=self._random.randint(20, 80)
        )
        return self._espeak.speak(text)

    def utterances(self, texts: Sequence[str], kind: str) -> Iterator[HeldOutUtterance]:
        """Say each text, voices and conditions taking turns so that each meets each."""
        for number, text in enumerate(texts):
            condition = CONDITIONS[number % len(CONDITIONS)]
            voice = HELD_OUT_VOICES[(number // len(CONDITIONS)) % len(HELD_OUT_VOICES)]
            yield HeldOutUtterance(
                samples=self.heard_through(self._said(text, voice), condition),
                text=text, kind=kind, voice=voice, condition=condition.name,
            )  # fmt: skip

    def heard_through(self, speech: Samples, condition: Condition) -> Samples:
        """Add silence around, room and noise; the level is drawn between −1 and −18 dB."""
        lead, tail = (
            np.zeros(int(s * SAMPLES_PER_SECOND), np.float32) for s in (_LEAD_SECONDS, _TAIL_SECONDS)
        )
        heard = np.concatenate([lead, speech / (np.abs(speech).max() + 1e-6), tail])
        power = np.sqrt((heard[np.abs(heard) > 0.02] ** 2).mean())
        if condition.in_room:
            heard = fftconvolve(heard, self._rooms[self._chance.integers(len(self._rooms))])[: len(heard)]
        if condition.noise_db is not None:
            source = (
                self._crowd if condition.crowd else self._noises[self._chance.integers(len(self._noises))]
            )
            noise = np.resize(np.roll(source, int(self._chance.integers(len(source)))), len(heard))
            heard = heard + noise * power * 10 ** (-condition.noise_db / 20)
        level = 32_000 * 10 ** (-self._chance.uniform(1, 18) / 20)
        return np.asarray(heard / max(1e-6, float(np.abs(heard).max())) * level, np.float32)

    def wake(self, count: int) -> Iterator[HeldOutUtterance]:
        """The wake phrase."""
        return self.utterances([WAKE_PHRASE] * count, "wake")

    def near_misses(self, count: int) -> Iterator[HeldOutUtterance]:
        """Phrases that sound much like the wake phrase, but are not it; homophones are left out."""
        spoken = self._sounds(WAKE_PHRASE)
        phrases = [phrase for phrase in NEAR_WAKE_PHRASES if spoken not in self._sounds(phrase)]
        return self.utterances([phrases[k % len(phrases)] for k in range(count)], "near miss")

    def _sounds(self, text: str) -> str:
        self._espeak.set_voice(MANDARIN)
        return " ".join(self._labels.of(text) or ())

    def commands(self, count: int) -> Iterator[HeldOutUtterance]:
        """Sentences of the patterns the language model was made of, in Chinese characters only."""
        return self.utterances([self._chinese_sentence() for _ in range(count)], "command")

    def _chinese_sentence(self) -> str:
        while True:
            sentence = self._writer.operations_sentence()
            if not any("a" <= character <= "z" for character in sentence):
                return sentence

    def out_of_template(self) -> Iterator[HeldOutUtterance]:
        """Sentences written apart from the patterns, each in every condition."""
        texts = [text for text in text_lines("out_of_template.txt") for _ in CONDITIONS]
        return self.utterances(texts, "out of template")

    def ordinary(self, count: int) -> Iterator[HeldOutUtterance]:
        """Ordinary sentences without the wake phrase."""
        spoken = self._sounds(WAKE_PHRASE)
        texts: list[str] = []
        while len(texts) < count:
            text = self._chinese_sentence()
            if spoken not in self._sounds(text):
                texts.append(text)
        return self.utterances(texts, "ordinary")


def main() -> None:
    """Write material for benchmarks."""
    parser = argparse.ArgumentParser(
        description="Write speech of voices never trained on, as WAV and manifest."
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--wake", type=int, default=312)
    parser.add_argument("--near", type=int, default=120)
    parser.add_argument("--commands", type=int, default=312)
    arguments = parser.parse_args()
    speaker = HeldOutSpeaker(arguments.seed)
    arguments.out.mkdir(parents=True, exist_ok=True)
    sources = (
        speaker.wake(arguments.wake),
        speaker.near_misses(arguments.near),
        speaker.commands(arguments.commands),
        speaker.out_of_template(),
    )
    with (arguments.out / "manifest.jsonl").open("w") as manifest:
        for number, said in enumerate(said for source in sources for said in source):
            name = f"{number:05d}.wav"
            soundfile.write(arguments.out / name, said.samples.astype(np.int16), SAMPLES_PER_SECOND)
            row = {
                "file": name,
                "text": said.text,
                "kind": said.kind,
                "voice": said.voice,
                "condition": said.condition,
            }
            manifest.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
