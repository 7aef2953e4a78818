"""Which model is used."""

from __future__ import annotations

from pathlib import Path

import pytest

from voice.errors import ModelUnknown, SpeechModelMissing
from voice.model_catalogue import CATALOGUE, EMBEDDED, ModelFormat, ModelUse
from voice.models import ModelState, ModelStatus, choose_models, look_at_models, model_named

BUILT_IN, EMBEDDED_SPEAKER = EMBEDDED
OFFICIAL, OFFICIAL_SPEAKER = CATALOGUE[:2]
DEFAULT_FORMATS = {ModelFormat.VOSK, ModelFormat.ONNX_ENCODER}


def status(model, state) -> ModelStatus:
    return ModelStatus(model=model, state=state, folder=Path(model.name))


EMBEDDED_HERE = status(BUILT_IN, ModelState.EMBEDDED)


def chosen(*statuses, wanted=(), formats=DEFAULT_FORMATS) -> dict[ModelUse, str]:
    return {one.model.use: one.model.name for one in choose_models(statuses, formats=formats, wanted=wanted)}


def test_the_embedded_models_are_here_and_used_on_a_fresh_machine(tmp_path):
    used = choose_models(look_at_models(tmp_path), formats=DEFAULT_FORMATS)
    assert {one.model for one in used} == set(EMBEDDED)
    assert {one.why for one in used} == {"embedded"}


def test_a_pulled_model_is_preferred():
    assert chosen(EMBEDDED_HERE, status(OFFICIAL, ModelState.PULLED)) == {ModelUse.RECOGNIZER: OFFICIAL.name}


def test_a_damaged_model_is_passed_over():
    found = chosen(EMBEDDED_HERE, status(OFFICIAL, ModelState.DAMAGED))
    assert found == {ModelUse.RECOGNIZER: BUILT_IN.name}


def test_the_settings_have_the_last_word():
    found = chosen(EMBEDDED_HERE, status(OFFICIAL, ModelState.PULLED), wanted=[BUILT_IN.name])
    assert found == {ModelUse.RECOGNIZER: BUILT_IN.name}


@pytest.mark.parametrize("state", [ModelState.ABSENT, ModelState.DAMAGED])
def test_a_model_that_is_asked_for_and_cannot_be_used_is_an_error(state):
    with pytest.raises(SpeechModelMissing, match=OFFICIAL.name):
        chosen(EMBEDDED_HERE, status(OFFICIAL, state), wanted=[OFFICIAL.name])


def test_a_model_that_nothing_here_loads_is_not_chosen():
    pulled, small = status(OFFICIAL_SPEAKER, ModelState.PULLED), status(EMBEDDED_SPEAKER, ModelState.EMBEDDED)
    assert chosen(EMBEDDED_HERE, pulled, small)[ModelUse.SPEAKER] == EMBEDDED_SPEAKER.name
    with pytest.raises(SpeechModelMissing, match="speechbrain"):
        chosen(EMBEDDED_HERE, pulled, small, wanted=[OFFICIAL_SPEAKER.name])


def test_without_any_recognizer_there_is_no_choice():
    with pytest.raises(SpeechModelMissing):
        chosen(status(EMBEDDED_SPEAKER, ModelState.EMBEDDED))


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ModelUnknown, match=OFFICIAL.name):
        model_named("whisper")
