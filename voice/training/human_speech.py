"""Recorded single Mandarin words, strung together to short utterances of one speaker."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from voice.training.lexicon import pronunciations_of
from voice.training.mfcc import SAMPLES_PER_SECOND, Samples
from voice.training.phones import Pronunciation
from voice.training.recordings import (
    HELD_OUT_SPEAKERS,
    MANDARIN_GROUP,
    clips_of,
    read_index,
    read_recording,
    trimmed,
)
from voice.training.synthetic_speech import LabelledSpeech

_LONGEST_WORD_SECONDS = 3
_FADE_SAMPLES = 240


def human_utterances(speech: Path, random_source: random.Random) -> Iterator[LabelledSpeech]:
    """Give every Mandarin word of every training speaker once, alone or in strings of up to four."""
    for speaker in read_index(speech):
        if speaker.group != MANDARIN_GROUP or speaker.speaker in HELD_OUT_SPEAKERS:
            continue
        words = labelled_words(clips_of(read_recording(speech, speaker), speaker))
        random_source.shuffle(words)
        while words:
            count = random_source.choice([1, 1, 2, 3, 4])
            chosen, words = words[:count], words[count:]
            yield _strung(chosen, f"human/{speaker.speaker}", random_source)


def labelled_words(clips: list[tuple[Samples, str]]) -> list[tuple[Samples, Pronunciation]]:
    """Trim the Mandarin words among clips, bring them to one level and label them."""
    words = []
    for samples, word in clips:
        if not word or word.isascii():
            continue
        speech = trimmed(samples)
        peak = 0.0 if speech is None else float(np.abs(speech).max())
        if speech is None or peak < 1e-3 or len(speech) > _LONGEST_WORD_SECONDS * SAMPLES_PER_SECOND:
            continue
        (phones,) = pronunciations_of(word)
        words.append((np.asarray(speech * (0.5 / peak), np.float32), phones))
    return words


def _strung(
    words: list[tuple[Samples, Pronunciation]], source: str, random_source: random.Random
) -> LabelledSpeech:
    parts: list[Samples] = []
    for samples, _ in words:
        if parts:
            pause_s = random_source.choice(
                [0.0, 0.0, random_source.random() * 0.12, random_source.random() * 0.3]
            )
            parts.append(np.zeros(int(pause_s * SAMPLES_PER_SECOND), np.float32))
        part = samples
        if len(words) > 1:
            part = samples[
                random_source.randint(300, 800) : len(samples) - random_source.randint(300, 800)
            ].copy()
            fade = min(_FADE_SAMPLES, len(part) // 2)
            part[:fade] *= np.linspace(0, 1, fade)
            part[len(part) - fade :] *= np.linspace(1, 0, fade)
        parts.append(np.asarray(part * 10 ** (random_source.uniform(-4, 4) / 20), np.float32))
    joined = np.asarray(np.clip(np.concatenate(parts), -1, 1) * 30_000, np.float32)
    return LabelledSpeech(
        samples=joined, phones=tuple(p for _, phones in words for p in phones), source=source
    )
