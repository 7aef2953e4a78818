"""What can go wrong between sound and words, each with the sentence that a person hears.

VoiceError
├── SpeechModelError          the files that recognising and speaking need
│   ├── SpeechModelMissing    not there
│   └── SpeechModelDamaged    there, and of no use
├── WakePhraseError           what it should be called by
│   ├── WakePhraseNotChinese  nothing to be said in it
│   ├── WakePhraseTooLong
│   └── WakePhraseUnknown     the model has no words for it
└── RecognizerFailed          the recogniser gave up on a piece of sound

Errors of libraries become one of these in the adapter, with `raise … from`.
"""

# ruff: noqa: N818 - an error is named for what happened; the base class says that it is one

from __future__ import annotations

from typing import ClassVar


class VoiceError(Exception):
    """Ear or mouth do not work as they should. `str(error)` is English, for logs."""

    sentence: ClassVar[str] = "语音部分出了点问题"
    hint: ClassVar[str] = "See the log; `xiaozhi doctor` checks the speech models."

    @property
    def spoken(self) -> str:
        """One short Chinese sentence, fit to be spoken."""
        return self.sentence


class SpeechModelError(VoiceError):
    """A speech model cannot be used."""

    sentence = "语音模型用不了"
    hint = "Run `xiaozhi models verify`; `xiaozhi models pull` fetches it anew."


class SpeechModelMissing(SpeechModelError):
    """There is no model where one should be."""

    sentence = "没有找到语音模型"
    hint = "Run `xiaozhi models pull`, or unset audio settings that point to another folder."


class SpeechModelDamaged(SpeechModelError):
    """The model's folder is incomplete or its files are broken."""

    sentence = "语音模型损坏了，读不出来"


class WakePhraseError(VoiceError):
    """It cannot be called by that phrase."""

    sentence = "这个唤醒词不能用"
    hint = "Choose three to six common Chinese characters."


class WakePhraseNotChinese(WakePhraseError):
    """The phrase holds nothing that could be said in Chinese."""

    sentence = "唤醒词要用汉字"


class WakePhraseTooLong(WakePhraseError):
    """Nobody says that much to wake something."""

    sentence = "唤醒词太长了，最好是三到六个字"


class WakePhraseUnknown(WakePhraseError):
    """The model's vocabulary lacks words of the phrase, or has no word for anything else."""

    sentence = "这个唤醒词里有我听不懂的字，换一个吧"
    hint = "Choose other characters, or another speech model (`xiaozhi models list`)."


class RecognizerFailed(VoiceError):
    """The recogniser could not take a piece of sound."""

    sentence = "刚才没听清，请再说一遍"
