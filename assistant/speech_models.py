"""Which speech models this installation uses."""

from __future__ import annotations

from importlib.util import find_spec

from assistant.home import Home
from assistant.settings import ModelSettings
from voice.model_catalogue import ModelFormat
from voice.models import ChosenModel, choose_models, look_at_models


def models_in_use(home: Home, settings: ModelSettings) -> tuple[ChosenModel, ...]:
    """Return the model for every use that there is one for.

    SpeechBrain is slow to load and heavy, so its models are used only when the settings name one.

    Raises:
        SpeechModelMissing: a model that the settings name cannot be used, or none recognises speech.
    """
    formats = {ModelFormat.VOSK, ModelFormat.ONNX_ENCODER}
    wanted = {name for name in (settings.recognizer, settings.speaker) if name}
    if settings.speaker and find_spec("speechbrain") is not None:
        formats.add(ModelFormat.SPEECHBRAIN)
    return choose_models(look_at_models(home.models_dir), formats=formats, wanted=wanted)
