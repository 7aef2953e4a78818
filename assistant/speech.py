"""Ear and speaker check, composed from the speech models of this installation; a composition root."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from assistant.speaker_model import open_speaker_check
from voice.activity_silero import SileroActivity
from voice.errors import SpeechModelMissing
from voice.listening import Ear, EarSettings
from voice.model_catalogue import ModelUse
from voice.models import ChosenModel
from voice.recognizer_vosk import VoskRecognizer
from voice.speakers import SpeakerCheck
from voice.vosk_model import VoskModel
from voice.wake import WakeDecision, WakeSpotter
from voice.wake_pair import SpotterPair
from voice.wake_sherpa_onnx import SherpaOnnxSpotter
from voice.wake_vosk import VoskSpotter

GREETING_AFTER_S = 0.9
"""Who calls it by name and says nothing more for so long has greeted it."""


def model_folder(models: Sequence[ChosenModel], use: ModelUse) -> Path:
    """Return the folder of the model that is used for something.

    Raises:
        SpeechModelMissing: there is none.
    """
    folder = _folder(models, use)
    if folder is None:
        raise SpeechModelMissing(f"no speech model for {use.value} is installed")
    return folder


def open_ear(
    models: Sequence[ChosenModel],
    phrase: str,
    *,
    being_said: Callable[[], str | None] = lambda: None,
    whole_command: Callable[[str], bool] | None = None,
) -> Ear:
    """Compose the ear on Vosk and Silero, and sherpa-onnx where a model for the wake phrase is in use.

    Args:
        models: Those in use.
        phrase: The wake phrase.
        being_said: What the loudspeaker says at the moment.
        whole_command: Whether words make a command by themselves; None: only their end tells.

    Raises:
        VoiceError: a model or the phrase cannot be used.
    """
    model = VoskModel(model_folder(models, ModelUse.RECOGNIZER))
    by_vosk = VoskSpotter(model, phrase)
    return Ear(
        detector=SileroActivity(),
        spotter=_with_wake_model(models, by_vosk),
        recognizer=VoskRecognizer(model),
        decision=WakeDecision(by_vosk.phrase.phrase),
        being_said=being_said,
        whole_command=whole_command,
        settings=EarSettings(question_s=GREETING_AFTER_S),
    )


def _with_wake_model(models: Sequence[ChosenModel], by_vosk: VoskSpotter) -> WakeSpotter:
    """Return Vosk's spotter, helped by the model for the wake phrase where there is one."""
    folder, phrase = _folder(models, ModelUse.WAKE), by_vosk.phrase.phrase
    if folder is None:
        return by_vosk
    return SpotterPair(caller=SherpaOnnxSpotter(folder, phrase), others=by_vosk, phrase=phrase)


def _folder(models: Sequence[ChosenModel], use: ModelUse) -> Path | None:
    return next((one.folder for one in models if one.model.use is use), None)


def open_speakers(models: Sequence[ChosenModel]) -> SpeakerCheck:
    """Compose the speaker check.

    Raises:
        VoiceError: the model or its calibration cannot be used.
    """
    return open_speaker_check(model_folder(models, ModelUse.SPEAKER))
