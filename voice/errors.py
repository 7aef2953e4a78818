"""What can go wrong between sound and words, each with the sentence that a person hears.

VoiceError
├── SpeechModelError          the files that recognising and speaking need
│   ├── SpeechModelMissing    not there
│   │   └── SpeechLibraryMissing  there, but not what loads it
│   ├── SpeechModelDamaged    there, and of no use
│   └── ModelPullFailed       it could not be fetched
│       ├── ModelUnknown      nobody knows a model of that name
│       ├── ModelSourceFailed no mirror gave it
│       ├── ModelDiskFull     not enough room
│       ├── ModelArchiveUnsafe  files that want to lie elsewhere, or are far too large
│       └── ModelChecksumWrong  something else arrived than was expected
├── WakePhraseError           what it should be called by
│   ├── WakePhraseNotChinese  nothing to be said in it
│   ├── WakePhraseTooLong
│   └── WakePhraseUnknown     the model has no words for it
├── VoiceprintError           knowing people by their voice
│   ├── EnrolmentRefused      clips that no voiceprint should be made of; knows which
│   │   ├── TooFewClips
│   │   ├── ClipUnusable      empty, not mono, or holding what is no number
│   │   ├── ClipRateWrong     not 16 kHz
│   │   ├── ClipTooShort      too little speech
│   │   ├── ClipOverdriven    flattened peaks
│   │   ├── ClipTooNoisy
│   │   ├── ClipRepeated      one recording given twice
│   │   └── VoicesDiffer      more than one person speaks
│   ├── VoiceprintOfOtherModel  made with another model: enrol again
│   ├── VoiceprintDamaged     the stored bytes are none
│   ├── CalibrationUnusable   missing or damaged
│   │   └── CalibrationOfOtherModel
│   ├── SpeakerModelUnusable  the embedder's model is missing, damaged or of another kind
│   └── EmbeddingFailed       no embedding of this sound
├── SynthesisError            speaking
│   ├── SynthesizerMissing    no voice is installed
│   └── SynthesisFailed       the voice broke down at a sentence
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


class SpeechLibraryMissing(SpeechModelMissing):
    """The library that loads a model is not installed."""

    sentence = "这个语音模型要用的程序没有安装"
    hint = "Install it: pip install 'xiaozhi[sherpa]' or 'xiaozhi[speechbrain]'; or unset the model's name."


class SpeechModelDamaged(SpeechModelError):
    """The model's folder is incomplete or its files are broken."""

    sentence = "语音模型损坏了，读不出来"


class ModelPullFailed(SpeechModelError):
    """A model could not be fetched; what was there before is untouched."""

    sentence = "语音模型没有下载成功"
    hint = "Try again: what has arrived is kept, and the download goes on from there."


class ModelUnknown(ModelPullFailed):
    """Nobody knows a model of that name."""

    sentence = "没有这个语音模型"
    hint = "Run `xiaozhi models list`."


class ModelSourceFailed(ModelPullFailed):
    """No mirror gave the file."""

    sentence = "下载语音模型的网站连不上"
    hint = "Check the network; set models.mirrors to an address that can be reached, then try again."


class ModelDiskFull(ModelPullFailed):
    """There is not enough room for it."""

    sentence = "空间不够，放不下这个语音模型"
    hint = "Free the space that is named, then try again."


class ModelArchiveUnsafe(ModelPullFailed):
    """The archive wants to write elsewhere, or would become far larger than the model is."""

    sentence = "下载的语音模型不安全，我没有安装"
    hint = "Use another mirror; this file is not the model."


class ModelChecksumWrong(ModelPullFailed):
    """Something else arrived than was expected.

    Args:
        problem: which file, in English.
        expected_sha256: what was expected.
        arrived_sha256: what arrived.
    """

    sentence = "下载的语音模型和预期不一样，我没有安装"

    def __init__(self, problem: str, *, expected_sha256: str, arrived_sha256: str) -> None:
        super().__init__(f"{problem}: expected SHA-256 {expected_sha256}, arrived {arrived_sha256}")
        self.expected_sha256 = expected_sha256
        self.arrived_sha256 = arrived_sha256

    hint = (
        "Either the publisher has changed the file or somebody has altered it. Compare with the publisher's "
        "page; if you trust what arrived, repeat with --accept-sha256 and the arrived sum."
    )


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


class VoiceprintError(VoiceError):
    """Somebody cannot be known by the voice."""

    sentence = "声纹识别出了点问题"
    hint = "Run `xiaozhi people list`; whoever cannot be recognised is treated as a stranger."


class EnrolmentRefused(VoiceprintError):
    """These clips must not become a voiceprint.

    Args:
        problem: what is wrong, in English.
        clip: which clip, counted from 0; None where no single one is at fault.
    """

    sentence = "这些录音做不了声纹，请再录一次"
    hint = "Record at least five sentences in a quiet room, each of one second of speech or more."

    def __init__(self, problem: str, *, clip: int | None = None) -> None:
        super().__init__(problem if clip is None else f"clip {clip + 1}: {problem}")
        self.clip = clip


class TooFewClips(EnrolmentRefused):
    """Fewer clips than a voiceprint needs."""

    sentence = "录音不够，至少要五段"


class ClipUnusable(EnrolmentRefused):
    """A clip is empty, not mono, or holds samples that are no numbers."""

    sentence = "有一段录音是坏的，请重录这一段"
    hint = "Give mono recordings with sound in them."


class ClipRateWrong(EnrolmentRefused):
    """A clip has not the sample rate that the models hear."""

    sentence = "录音的采样率不对"
    hint = "Resample it to 16 kHz first."


class ClipTooShort(EnrolmentRefused):
    """A clip holds too little speech."""

    sentence = "有一段说得太短，请说长一点"
    hint = "Speak the wake phrase or a whole sentence in each clip."


class ClipOverdriven(EnrolmentRefused):
    """The loudest parts of a clip are cut off."""

    sentence = "声音太大了，录得失真，请离麦克风远一点"
    hint = "Lower the gain of the microphone, or step back."


class ClipTooNoisy(EnrolmentRefused):
    """A clip's speech hardly stands out from its background."""

    sentence = "周围太吵了，请换个安静的地方再录"
    hint = "Record in a quiet room, nearer to the microphone."


class ClipRepeated(EnrolmentRefused):
    """Two clips are one recording."""

    sentence = "有两段录音是一样的，每段都要重新说"
    hint = "Give a different recording for each clip."


class VoicesDiffer(EnrolmentRefused):
    """The clips do not sound like one person."""

    sentence = "录音里好像不止一个人，请同一个人来录"
    hint = "Let one person speak all clips, in the same voice and from the same place."


class VoiceprintOfOtherModel(VoiceprintError):
    """A voiceprint was made with another model, and cannot be compared with this one."""

    sentence = "声纹模型换过了，请重新录入声纹"
    hint = "Enrol the person again: `xiaozhi people enrol NAME FILES…`."


class VoiceprintDamaged(VoiceprintError):
    """Stored bytes hold no voiceprint."""

    sentence = "保存的声纹损坏了，请重新录入"
    hint = "Enrol the person again: `xiaozhi people enrol NAME FILES…`."


class CalibrationUnusable(VoiceprintError):
    """A speaker model has no calibration that could be read, so nobody may be accepted by it."""

    sentence = "声纹模型没有校准好，暂时认不出人"
    hint = "Put the model's calibration.json back: `xiaozhi models verify` tells what is missing."


class CalibrationOfOtherModel(CalibrationUnusable):
    """The calibration was made with another speaker model."""


class SpeakerModelUnusable(VoiceprintError):
    """The speaker model is missing, damaged, or takes and gives something else than expected."""

    sentence = "声纹模型用不了"
    hint = "Run `xiaozhi models verify`; `xiaozhi models pull` fetches it anew."


class EmbeddingFailed(VoiceprintError):
    """The speaker model made nothing of this sound."""

    sentence = "刚才的声音太短或者听不清，请再说一遍"
    hint = "Speak for a second at least."


class SynthesisError(VoiceError):
    """Something cannot be said."""

    sentence = "我现在说不出话"
    hint = "Run `xiaozhi doctor`."


class SynthesizerMissing(SynthesisError):
    """The voice or its library is not installed."""

    sentence = "没有安装语音合成"
    hint = "Install the system package espeak-ng (on Debian: apt install espeak-ng)."


class SynthesisFailed(SynthesisError):
    """The voice broke down at this sentence, or took too long; it has been started anew."""
