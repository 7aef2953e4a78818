"""Which speech models this installation uses."""

from __future__ import annotations

from importlib.util import find_spec

from assistant.home import Home
from assistant.settings import ModelSettings
from voice.model_catalogue import ModelFormat
from voice.models import ChosenModel, choose_models, look_at_models

_OPTIONAL = {
    ModelFormat.SPEECHBRAIN: ("speechbrain", "speechbrain"),
    ModelFormat.SHERPA_ONNX: ("sherpa_onnx", "sherpa"),
}
"""Formats that an optional library loads: its module, and the extra of 小智 that brings it."""


def models_in_use(home: Home, settings: ModelSettings) -> tuple[ChosenModel, ...]:
    """Return the model for every use that there is one for.

    SpeechBrain is slow to load and heavy, so its models are used only when the settings name one.

    Raises:
        SpeechModelMissing: a model that the settings name cannot be used, or none recognises speech.
    """
    formats = {one for one in ModelFormat if missing_extra(one) is None}
    if not settings.speaker:
        formats.discard(ModelFormat.SPEECHBRAIN)
    wanted = {name for name in (settings.recognizer, settings.speaker, settings.wake) if name}
    return choose_models(look_at_models(home.models_dir), formats=formats, wanted=wanted)


def missing_extra(needed: ModelFormat) -> str | None:
    """Return the extra that must be installed before models of a format can be loaded; None when they can."""
    module, extra = _OPTIONAL.get(needed, (None, None))
    return extra if module is not None and find_spec(module) is None else None
