"""Labelled Mandarin from espeak-ng: sentences, random syllables and words, the wake phrase, spelling."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from voice.training.espeak import ENGLISH, MANDARIN, Espeak, SpokenLabels, toned_syllables
from voice.training.lexicon import LETTERS, build_lexicon, english_terms, letter_pronunciations
from voice.training.mfcc import SAMPLES_PER_SECOND, Samples
from voice.training.phones import Pronunciation, phones_of_syllable
from voice.training.sentences import SentenceWriter, spoken_number
from voice.training.voices import TRAINING_VOICES

WAKE_PHRASE = "你好小智"
# Close to the wake phrase by sound, so that the network learns to keep them apart.
_NEAR_WAKE_PHRASES = """
你好小志向 你好小区 你好小姐 您好小智 你好 小智 你好吗 你好小心 小智慧 小制度 你好像知道 你好小爱 你好小度
最好小智 你好笑死 你早小智 你好消息 你好找值班 嗨小智 李好小智 你好校直 泥好 小指标 小知识 你好小车
你好小吃 你好小子 不好小智 你好小七 你好大智
"""
NEAR_WAKE_PHRASES = tuple(_NEAR_WAKE_PHRASES.split())
_WAKE_SYLLABLES = ("ni3", "hao3", "xiao3", "zhi4")
_LATIN = re.compile(r"[a-z]+")
_AUDIBLE = 200.0
_MARGIN_SAMPLES = 800
_PART_MARGIN_SAMPLES = 160
_SHORTEST_SAMPLES = 1_500


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledSpeech:
    """One utterance and the phones that were spoken."""

    samples: Samples
    """16 kHz, scale of int16."""
    phones: Pronunciation
    source: str
    """Where it is from: ``espeak/<voice>`` or ``human/<speaker>``."""


def one_syllable_off(random_source: random.Random) -> str:
    """The wake phrase in pinyin, one syllable of it replaced by one that shares its initial or its final."""
    syllables = list(_WAKE_SYLLABLES)
    place = random_source.randrange(len(syllables))
    spoken = phones_of_syllable(syllables[place]) or ()
    near = [
        syllable for syllable in toned_syllables()
        if (phones := phones_of_syllable(syllable)) and phones != spoken and set(phones) & set(spoken)
    ]  # fmt: skip
    syllables[place] = random_source.choice(near)
    return " ".join(syllables)


class TextSource:
    """Draws what is to be said; Latin letters and English terms stand between blanks."""

    def __init__(self, random_source: random.Random) -> None:
        self._random = random_source
        self._lexicon = build_lexicon()
        self._writer = SentenceWriter(self._lexicon, random_source)
        self._words = [word for word in self._lexicon.pronunciations if not word.isascii()]

    def text(self) -> str:
        """One text. Less than half are sentences, lest the network learns patterns rather than sounds."""
        kind = self._random.random()
        if kind < 0.46:
            opening = f"{WAKE_PHRASE}，" if self._random.random() < 0.08 else ""
            return opening + self._writer.sentence()
        if kind < 0.68:
            count = self._random.choice([1, 2, 3, 4, 6, 8, 10, 12])
            return " ".join(self._random.choice(toned_syllables()) for _ in range(count))
        if kind < 0.79:
            return "".join(self._random.choice(self._words) for _ in range(self._random.randint(1, 6)))
        if kind < 0.83:
            return WAKE_PHRASE
        if kind < 0.87:
            return one_syllable_off(self._random)
        if kind < 0.91:
            after = self._random.choice(self._words) if self._random.random() < 0.5 else ""
            return self._random.choice(NEAR_WAKE_PHRASES) + after
        if kind < 0.95:
            return "".join(
                spoken_number(self._random.randint(0, 9)) for _ in range(self._random.randint(1, 11))
            )
        return " ".join(self._random.choice(list(LETTERS)) for _ in range(self._random.randint(1, 6)))


class SyntheticSpeaker:
    """Says texts with one voice after another.

    Args:
        random_source: The only source of chance.
        voices: Variants to speak with, beside the voice without a variant.
    """

    def __init__(self, random_source: random.Random, voices: tuple[str, ...] = TRAINING_VOICES) -> None:
        self._random = random_source
        self._voices = voices
        self._espeak = Espeak()
        self._labels = SpokenLabels(self._espeak)
        self._texts = TextSource(random_source)
        english = {term.term: (term.spoken, term.pronunciations[0]) for term in english_terms()}
        spelled = {letter: (letter.upper(), sounds[0]) for letter, sounds in letter_pronunciations().items()}
        self._latin = english | spelled

    def utterances(self, seconds: float) -> Iterator[LabelledSpeech]:
        """Speak until this much speech is there."""
        spoken = 0
        while spoken < seconds * SAMPLES_PER_SECOND:
            voice = self._random.choice(self._voices) if self._random.random() < 0.86 else ""
            self._espeak.set_voice(MANDARIN, voice)
            self._espeak.set_delivery(
                words_per_minute=self._random.randint(105, 240),
                pitch=self._random.randint(10, 90),
                pitch_range=self._random.choice([50, self._random.randint(10, 100)]),
            )
            for _ in range(4):
                said = self.say(self._texts.text(), voice)
                if said is not None:
                    spoken += len(said.samples)
                    yield said

    def say(self, text: str, voice: str) -> LabelledSpeech | None:
        """Say one text with the voice that is set, or nothing when espeak says something unknown."""
        parts: list[Samples] = []
        phones: list[str] = []
        pieces = (
            re.split(r"(?<![a-z])([a-z]+)(?![a-z])", text)
            if _LATIN.search(text) and not _is_pinyin(text)
            else [text]
        )
        margin = _MARGIN_SAMPLES if len(pieces) == 1 else _PART_MARGIN_SAMPLES
        for piece in (piece.strip() for piece in pieces):
            if not piece:
                continue
            spoken = self._say_latin(piece, voice) if piece in self._latin else self._say_chinese(piece)
            samples = _trimmed(spoken[0], margin)
            if not spoken[1] or len(samples) < _SHORTEST_SAMPLES:
                return None
            parts += [samples] if len(pieces) == 1 else [samples, self._pause()]
            phones += spoken[1]
        speech = np.clip(np.concatenate(parts), -32767, 32767) if parts else np.zeros(0, np.float32)
        return (
            LabelledSpeech(samples=speech, phones=tuple(phones), source=f"espeak/{voice}") if parts else None
        )

    def _pause(self) -> Samples:
        return np.zeros(
            int(self._random.choice([0, self._random.random() * 0.1]) * SAMPLES_PER_SECOND), np.float32
        )

    def _say_chinese(self, text: str) -> tuple[Samples, Pronunciation]:
        phones = self._labels.of(text)
        return (self._espeak.speak(text), phones) if phones else (np.zeros(0, np.float32), ())

    def _say_latin(self, piece: str, voice: str) -> tuple[Samples, Pronunciation]:
        spoken, phones = self._latin[piece]
        self._espeak.set_voice(ENGLISH, voice)
        samples = self._espeak.speak(spoken)
        self._espeak.set_voice(MANDARIN, voice)
        return samples, phones


def _is_pinyin(text: str) -> bool:
    """Whether a text is a row of toned syllables (``ni3 hao3``), which espeak's voice reads as such."""
    return bool(re.fullmatch(r"([a-zü]+[1-5] ?)+", text))


def _trimmed(samples: Samples, margin: int) -> Samples:
    audible = np.flatnonzero(np.abs(samples) > _AUDIBLE)
    if not len(audible):
        return samples[:0]
    return samples[max(0, audible[0] - margin) : audible[-1] + margin]
