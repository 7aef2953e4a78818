"""Whether it was called: what the spotter heard against the wake phrase (pure), and the spotter's port."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from hardware.audio import Samples
from voice.errors import WakePhraseNotChinese, WakePhraseTooLong, WakePhraseUnknown
from voice.pinyin import find, likeness

UNKNOWN = "?"
"""What the spotter writes for words that are not its own."""
STOP_WORDS = ("停", "停下", "别说了", "不要说了", "闭嘴")
_LONGEST_PHRASE = 12
_SHORT_PHRASE = 3
_EVERYDAY = (
    "你好",
    "您好",
    "早上好",
    "晚上好",
    "谢谢",
    "好的",
    "可以",
    "没问题",
    "知道了",
    "怎么样",
    "为什么",
)
_ECHO_LIKENESS = 0.75
"""Echoes come distorted: what the loudspeaker says needs to be less alike to count as its own voice."""


class WakeSpotter(Protocol):
    """Listens for the wake phrase and stop words among everything else. Used from one thread."""

    def accept(self, samples: Samples) -> None:
        """Take the next piece of sound, 16 kHz.

        Raises:
            VoiceError: it cannot be decoded.
        """
        ...

    def partial(self) -> str:
        """Return what it seems to be so far: a hint, wrong ten times as often as the result."""
        ...

    def finish(self) -> str:
        """Return what was said, others' words as UNKNOWN, without spaces; be ready for the next stretch."""
        ...

    def listen_for(self, phrase: str) -> WakePhrase:
        """Change the wake phrase from the next stretch on; return it as it is listened for.

        Raises:
            WakePhraseError: it cannot be called by that.
        """
        ...

    def reset(self) -> None:
        """Forget what was said so far."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WakePhrase:
    """What it is called by, ready to be listened for.

    Args:
        phrase: Chinese characters only.
        words: The same in words that the model knows.
        warnings: Why it may wake too often, in Chinese, to be said to whoever chose it.
    """

    phrase: str
    words: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def plan_wake_phrase(phrase: str, knows: Callable[[str], bool]) -> WakePhrase:
    """Check a wake phrase and cut it into as few words of the vocabulary as possible.

    Args:
        phrase: As the user wrote it; punctuation and spaces do not matter.
        knows: Whether the model has a word.

    Raises:
        WakePhraseError: nothing in it can be said, it is too long, or the model lacks a character of it.
    """
    plain = re.sub(r"[\s，。！？、,.!?·]+", "", phrase)
    if not re.fullmatch(r"[\u4e00-\u9fff]+", plain):
        raise WakePhraseNotChinese(f"the wake phrase {phrase!r} is not Chinese")
    if len(plain) > _LONGEST_PHRASE:
        raise WakePhraseTooLong(f"the wake phrase {plain!r} has {len(plain)} characters")
    words = segment(plain, knows)
    if words is None:
        missing = "".join(char for char in plain if not knows(char))
        raise WakePhraseUnknown(f"the model knows no word for {missing or plain!r} in {plain!r}")
    return WakePhrase(phrase=plain, words=words, warnings=_warnings(plain))


def segment(text: str, knows: Callable[[str], bool]) -> tuple[str, ...] | None:
    """Cut a text into the fewest words that are known, the longest first; None when it cannot be done."""
    best: list[tuple[str, ...] | None] = [()] + [None] * len(text)
    for end in range(1, len(text) + 1):
        for start in range(end):
            before, word = best[start], text[start:end]
            current = best[end]
            if before is None or not knows(word):
                continue
            if current is None or len(before) + 1 < len(current):
                best[end] = (*before, word)
    return best[-1]


def _warnings(phrase: str) -> tuple[str, ...]:
    found = []
    if len(phrase) < _SHORT_PHRASE:
        found.append("唤醒词太短，容易误唤醒，最好三个字以上")
    if any(likeness(phrase, common) > 0.9 for common in _EVERYDAY):
        found.append("这是一句常用的话，平时聊天也会唤醒我")
    if len(set(phrase)) == 1 and len(phrase) > 1:
        found.append("重复的字不容易听准，最好换一个")
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeSettings:
    """How sure it must be.

    Args:
        least_likeness: What the second pass understood must sound so much like the phrase, 0 to 1.
        refractory_s: It is not woken again so soon.
    """

    least_likeness: float = 0.9
    refractory_s: float = 1.0


class WakeDecision:
    """Decides, from two passes over the same sound, whether it was called.

    Args:
        phrase: The wake phrase.
        settings: How sure it must be.
    """

    def __init__(self, phrase: str, settings: WakeSettings | None = None) -> None:
        self.phrase = phrase
        self._settings = settings or WakeSettings()
        self._woken_at_s: float | None = None

    def hinted(self, spotted: str) -> bool:
        """Return whether the first pass heard the phrase."""
        return self.phrase in spotted

    def begins(self, understood: str) -> bool:
        """Return whether a sentence begins with the phrase; for when a question is expected anyway."""
        found = find(self.phrase, understood[: len(self.phrase) + 1])
        return found.likeness >= self._settings.least_likeness

    def decide(self, *, spotted: str, understood: str, now_s: float, being_said: str = "") -> float | None:
        """Return how alike what was said is to the phrase when it was called, else None.

        Args:
            spotted: The first pass: the spotter's result.
            understood: The second pass: free recognition of the same sound.
            now_s: The microphone's clock.
            being_said: What its own loudspeaker says meanwhile.
        """
        if not self.hinted(spotted) or is_own_voice(self.phrase, being_said):
            return None
        alike = find(self.phrase, understood).likeness
        if alike < self._settings.least_likeness:
            return None
        if self._woken_at_s is not None and now_s - self._woken_at_s < self._settings.refractory_s:
            return None
        self._woken_at_s = now_s
        return alike


def stop_word(spotted: str, being_said: str, words: Sequence[str] = STOP_WORDS) -> str | None:
    """Return the stop word that was said and nothing else, unless its own loudspeaker says it.

    Args:
        spotted: The spotter's result.
        being_said: What the loudspeaker says.
        words: What stops it.
    """
    if spotted not in words or is_own_voice(spotted, being_said):
        return None
    return spotted


def is_own_voice(words: str, being_said: str) -> bool:
    """Return whether the loudspeaker says something that sounds like these words."""
    return bool(being_said) and find(words, being_said).likeness >= _ECHO_LIKENESS


def without_phrase(phrase: str, text: str, least_likeness: float = 0.75) -> str:
    """Return what follows the wake phrase in a text, or all of it when the phrase is not at its beginning.

    Args:
        phrase: The wake phrase.
        text: What was understood, without spaces.
        least_likeness: From where on it is the phrase.
    """
    found = find(phrase, text[: 2 * len(phrase) + 2])
    return text[found.end :].lstrip("，。 ") if found.likeness >= least_likeness else text
