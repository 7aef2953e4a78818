"""What is to be said, as the mouth takes it: sentences in words, each knowing its paragraph. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.speakable import sentences_of, speakable
from voice.speaking import Sentence


def spoken_sentences(parts: Sequence[str]) -> list[Sentence]:
    """Return the sentences of some paragraphs; a paragraph is an item, so that one can be skipped."""
    return [
        Sentence(text=speakable(one), item=item)
        for item, part in enumerate(parts)
        for one in sentences_of(part)
    ]
