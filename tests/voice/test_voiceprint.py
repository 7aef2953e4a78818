"""Comparison of voiceprints as such: thresholds, margin, learning, bytes. On made-up embeddings."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.calibration import Calibration, Scores, calibration_json, read_calibration
from voice.errors import (
    CalibrationOfOtherModel,
    CalibrationUnusable,
    TooFewClips,
    VoiceprintDamaged,
    VoiceprintOfOtherModel,
    VoicesDiffer,
)
from voice.voiceprint import (
    LEVELS,
    MAX_LEARNED,
    Embedding,
    Enrolment,
    Level,
    Probe,
    enrol,
    learn,
    own_threshold,
    unlearn,
    verify,
)
from voice.voiceprint_bytes import read_voiceprint, voiceprint_bytes

NOW = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
MODEL = "made-up@1"
CALIBRATION = Calibration(
    model=MODEL,
    made_from="made up",
    scores=(
        Scores(
            speech_seconds=1.0,
            thresholds={0.1: 0.3, 0.01: 0.5, 0.001: 0.6},
            genuine_mean=0.6,
            genuine_deviation=0.1,
        ),
        Scores(
            speech_seconds=3.0,
            thresholds={0.1: 0.25, 0.01: 0.45, 0.001: 0.55},
            genuine_mean=0.7,
            genuine_deviation=0.1,
        ),
    ),
)
SIZE = 16


def axis(number: int) -> Embedding:
    vector = np.zeros(SIZE, dtype=np.float32)
    vector[number] = 1
    return vector


def leaning(towards: Embedding, likeness: float, *, off: int = SIZE - 1) -> Embedding:
    """An embedding with this cosine to `towards`."""
    return (likeness * towards + math.sqrt(1 - likeness**2) * axis(off)).astype(np.float32)


def person(name: str, number: int, *, model: str = MODEL) -> Enrolment:
    return Enrolment(person=name, model=model, clips=(axis(number),) * 5, own_scores=(0.5,) * 5)


def probe(embedding: Embedding, *, speech_s: float = 3.5, model: str = MODEL) -> Probe:
    return Probe(embedding=embedding, speech_s=speech_s, model=model)


def test_the_enrolled_person_is_accepted_and_nobody_else_is():
    people = [person("a", 0), person("b", 1)]
    own = verify(probe(leaning(axis(0), 0.8)), people, CALIBRATION, Level.QUESTION)
    assert (own.accepted, own.person, own.why) == (True, "a", "")
    stranger = verify(probe(axis(5)), people, CALIBRATION, Level.QUESTION)
    assert not stranger.accepted
    assert "below" in stranger.why


def test_with_nobody_enrolled_everybody_is_a_stranger():
    match = verify(probe(axis(0)), [], CALIBRATION, Level.GREETING)
    assert (match.accepted, match.person) == (False, None)


def test_two_people_who_sound_alike_are_not_told_apart_by_guessing():
    between = ((axis(0) + axis(1)) / math.sqrt(2)).astype(np.float32)
    match = verify(probe(between), [person("a", 0), person("b", 1)], CALIBRATION, Level.QUESTION)
    assert match.score > match.threshold
    assert not match.accepted
    assert "above the next person" in match.why


def test_a_question_needs_a_second_of_speech_and_a_greeting_does_not():
    short = probe(axis(0), speech_s=0.9)
    assert verify(short, [person("a", 0)], CALIBRATION, Level.GREETING).accepted
    assert not verify(short, [person("a", 0)], CALIBRATION, Level.QUESTION).accepted


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_matches_nobody(broken: float):
    vector = axis(0)
    vector[3] = broken
    assert not verify(probe(vector), [person("a", 0)], CALIBRATION, Level.GREETING).accepted
    assert not verify(
        probe(axis(0), speech_s=math.nan), [person("a", 0)], replace(CALIBRATION), Level.GREETING
    ).accepted


def test_opposite_clips_leave_no_voice_that_could_match():
    both = Enrolment(person="a", model=MODEL, clips=(axis(0), -axis(0)) * 3, own_scores=(0.5,) * 6)
    assert not verify(probe(axis(0)), [both], CALIBRATION, Level.GREETING).accepted


@given(likeness=st.floats(-1, 1), more=st.floats(0, 1), level=st.sampled_from(Level))
def test_a_better_score_never_turns_acceptance_into_refusal(likeness: float, more: float, level: Level):
    people = [person("a", 0), person("b", 1)]
    better = min(1.0, likeness + more)
    worse_match = verify(probe(leaning(axis(0), likeness)), people, CALIBRATION, level)
    better_match = verify(probe(leaning(axis(0), better)), people, CALIBRATION, level)
    assert better_match.accepted or not worse_match.accepted


@given(
    score=st.floats(-1, 1),
    other=st.floats(-1, 1),
    speech_s=st.floats(0, 20),
    level=st.sampled_from(Level),
)
def test_whoever_is_accepted_reached_threshold_margin_and_length(
    score: float, other: float, speech_s: float, level: Level
):
    rest = 1 - score**2 - other**2
    vector = score * axis(0) + other * axis(1) + math.sqrt(max(rest, 0)) * axis(9)
    vector = (vector / np.linalg.norm(vector)).astype(np.float32)
    match = verify(probe(vector, speech_s=speech_s), [person("a", 0), person("b", 1)], CALIBRATION, level)
    wanted = LEVELS[level]
    assert match.runner_up is not None
    reached = (
        match.score >= match.threshold
        and match.score - match.runner_up >= wanted.margin
        and speech_s >= wanted.min_speech_s
    )
    assert match.accepted == reached
    assert match.threshold >= CALIBRATION.threshold(
        speech_seconds=speech_s, false_accepts=wanted.false_accepts
    )


@given(first=st.floats(0.0005, 0.5), second=st.floats(0.0005, 0.5), seconds=st.floats(0.1, 10))
def test_fewer_strangers_need_a_higher_threshold(first: float, second: float, seconds: float):
    stricter, looser = sorted((first, second))
    assert (
        CALIBRATION.threshold(speech_seconds=seconds, false_accepts=stricter)
        >= CALIBRATION.threshold(speech_seconds=seconds, false_accepts=looser) - 1e-9
    )


@given(own=st.lists(st.floats(-1, 1), min_size=5, max_size=12))
def test_own_scores_make_it_stricter_within_bounds_and_never_looser(own: list[float]):
    enrolment = Enrolment(person="a", model=MODEL, clips=(axis(0),) * len(own), own_scores=tuple(own))
    found = own_threshold(enrolment, CALIBRATION, speech_s=3.0, false_accepts=0.01)
    assert 0.45 <= found <= 0.55


def test_enrolment_wants_five_clips_of_one_voice():
    clips = [leaning(axis(0), 0.9, off=3 + at) for at in range(5)]
    made = enrol("a", clips, speech_s=[1.0] * 5, calibration=CALIBRATION)
    assert (made.person, made.model, len(made.clips)) == ("a", MODEL, 5)
    with pytest.raises(TooFewClips):
        enrol("a", clips[:4], speech_s=[1.0] * 4, calibration=CALIBRATION)
    with pytest.raises(VoicesDiffer, match="clip 3"):
        enrol("a", [*clips[:2], axis(9), *clips[2:]], speech_s=[1.0] * 6, calibration=CALIBRATION)
    with pytest.raises(VoicesDiffer):
        enrol("a", [np.full(SIZE, np.nan, dtype=np.float32)] * 5, speech_s=[1.0] * 5, calibration=CALIBRATION)


def test_only_a_sure_match_is_learned_from_and_it_can_be_undone():
    enrolled = person("a", 0)
    heard = probe(leaning(axis(0), 0.9))
    match = verify(heard, [enrolled], CALIBRATION, Level.QUESTION)
    once = learn(enrolled, heard, match, now=NOW)
    assert len(once.learned) == 1
    later = learn(once, heard, match, now=NOW + timedelta(days=1))
    assert unlearn(later, since=NOW + timedelta(hours=1)) == once
    assert unlearn(later) == enrolled

    barely = probe(leaning(axis(0), 0.52))
    near_miss = verify(barely, [enrolled], CALIBRATION, Level.QUESTION)
    assert near_miss.accepted
    assert learn(enrolled, barely, near_miss, now=NOW) == enrolled
    refused = replace(match, accepted=False)
    assert learn(enrolled, heard, refused, now=NOW) == enrolled
    assert learn(enrolled, heard, replace(match, person="b"), now=NOW) == enrolled


@given(st.lists(st.tuples(st.floats(0.6, 1), st.integers(1, SIZE - 1)), max_size=12))
def test_whatever_is_learned_the_voice_stays_near_its_enrolment(heard: list[tuple[float, int]]):
    enrolled = person("a", 0)
    for at, (likeness, off) in enumerate(heard):
        one = probe(leaning(axis(0), likeness, off=off))
        match = verify(one, [enrolled], CALIBRATION, Level.QUESTION)
        enrolled = learn(enrolled, one, match, now=NOW + timedelta(minutes=at))
    assert len(enrolled.learned) <= MAX_LEARNED
    assert float(enrolled.centre() @ axis(0)) >= 0.9 - 1e-6


def test_voiceprints_of_another_model_are_refused_by_name():
    with pytest.raises(VoiceprintOfOtherModel, match=r"old@7.*in use is made-up@1"):
        verify(probe(axis(0)), [person("a", 0, model="old@7")], CALIBRATION, Level.GREETING)
    with pytest.raises(CalibrationOfOtherModel):
        verify(probe(axis(0), model="old@7"), [person("a", 0)], CALIBRATION, Level.GREETING)


def test_a_voiceprint_survives_being_stored():
    enrolled = person("a", 0)
    heard = probe(leaning(axis(0), 0.9))
    kept = learn(enrolled, heard, verify(heard, [enrolled], CALIBRATION, Level.QUESTION), now=NOW)
    back = read_voiceprint(voiceprint_bytes(kept), model=MODEL)
    assert (back.person, back.own_scores) == (kept.person, kept.own_scores)
    assert back.learned[0].at == NOW
    assert np.array_equal(back.centre(), kept.centre())


def test_stored_bytes_that_are_no_voiceprint_are_refused():
    whole = voiceprint_bytes(person("a", 0))
    with pytest.raises(VoiceprintOfOtherModel, match="made with made-up@1, in use is new@2"):
        read_voiceprint(whole, model="new@2")
    for damaged in (b"", b"{}", whole[:-5], whole.replace(b'"version":1', b'"version":2'), b"\xff" * 40):
        with pytest.raises(VoiceprintDamaged):
            read_voiceprint(damaged, model=MODEL)


def test_a_calibration_survives_its_file_and_a_damaged_one_is_refused(tmp_path):
    file = tmp_path / "calibration.json"
    with pytest.raises(CalibrationUnusable, match="cannot be read"):
        read_calibration(file, model=MODEL)
    file.write_text(calibration_json(CALIBRATION))
    assert read_calibration(file, model=MODEL) == CALIBRATION
    with pytest.raises(CalibrationOfOtherModel, match="in use is other"):
        read_calibration(file, model="other")
    file.write_text(calibration_json(CALIBRATION).replace("0.6", "0.06"))
    with pytest.raises(CalibrationUnusable, match="higher threshold"):
        read_calibration(file, model=MODEL)
