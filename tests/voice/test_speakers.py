"""Who speaks: real recordings of real people through the real model that ships."""

from __future__ import annotations

import csv
from collections import defaultdict
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest
import soundfile

from hardware.audio import RATE_HZ, AudioClip, from_float
from voice.calibration import read_calibration
from voice.challenge import ChallengeOutcome, answer, digits_in, new_challenge
from voice.embedder_onnx import CALIBRATION_FILE, OnnxEmbedder
from voice.errors import (
    CalibrationOfOtherModel,
    ClipOverdriven,
    ClipRateWrong,
    ClipRepeated,
    ClipTooNoisy,
    ClipTooShort,
    ClipUnusable,
    EmbeddingFailed,
    SpeakerModelUnusable,
    TooFewClips,
    VoicesDiffer,
)
from voice.heard import Hearing, SpeakerMatch
from voice.replay import ReplayGuard, difference, fingerprint
from voice.speakers import SpeakerCheck
from voice.voiceprint import Enrolment, Level, Sound

TESTPACK = Path(__file__).parent / "testpack"
MODEL = Path(__file__).parents[2] / "voice" / "models" / "ecapa-small"
NOW = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)


def sounds_of(speaker: str) -> list[Sound]:
    return [soundfile.read(file, dtype="float32")[0] for file in sorted((TESTPACK / speaker).glob("*.flac"))]


def clip(*sounds: Sound) -> AudioClip:
    return AudioClip(samples=from_float(np.concatenate(sounds)))


def enrolment_clips(speaker: str) -> list[AudioClip]:
    """Five clips of four of the five sentences: the fourth is cut in two."""
    sounds = sounds_of(speaker)
    return [clip(one) for one in (*sounds[:3], *np.array_split(sounds[3], 2))]


def in_noise(sound: Sound, *, snr_db: float, seed: int = 3) -> Sound:
    noise = np.random.default_rng(seed).normal(size=len(sound))
    level = np.sqrt((sound**2).mean() / 10 ** (snr_db / 10))
    return np.asarray(sound + level * noise, dtype=np.float32)


READERS = sorted(folder.name for folder in TESTPACK.glob("libri-*"))


@pytest.fixture(scope="module")
def embedder() -> OnnxEmbedder:
    return OnnxEmbedder(MODEL)


@pytest.fixture
def check(embedder: OnnxEmbedder) -> SpeakerCheck:
    calibration = read_calibration(MODEL / CALIBRATION_FILE, model=embedder.model)
    return SpeakerCheck(embedder, calibration, ReplayGuard())


@pytest.fixture(scope="module")
def readers(embedder: OnnxEmbedder) -> dict[str, Enrolment]:
    """People enrolled with four of their five sentences; the fifth is kept back."""
    calibration = read_calibration(MODEL / CALIBRATION_FILE, model=embedder.model)
    check = SpeakerCheck(embedder, calibration, ReplayGuard())
    known = {}
    for reader in READERS:
        with suppress(VoicesDiffer):  # the small model is not sure of everybody
            known[reader] = check.enrol(reader, enrolment_clips(reader))
    assert len(known) >= 8
    return known


def kept_back(reader: str) -> AudioClip:
    return clip(sounds_of(reader)[4])


def test_most_people_are_known_by_what_they_say_next_and_nobody_for_another(
    check: SpeakerCheck, readers: dict[str, Enrolment]
):
    found = {
        reader: check.identify(kept_back(reader), list(readers.values()), Level.QUESTION, speech_s=3.0)
        for reader in readers
    }
    taken_for_another = [name for name, match in found.items() if match.accepted and match.person != name]
    assert taken_for_another == []
    accepted = [name for name, match in found.items() if match.accepted]
    assert len(accepted) >= 0.7 * len(readers), {name: match.why for name, match in found.items()}


def test_strangers_are_refused(check: SpeakerCheck, readers: dict[str, Enrolment]):
    wrong = []
    for reader in READERS:
        others = [one for name, one in readers.items() if name != reader]
        match = check.identify(kept_back(reader), others, Level.QUESTION, speech_s=3.0)
        wrong += [reader] if match.accepted else []
    assert len(wrong) <= 2, wrong


def test_the_same_recording_again_is_a_replay(check: SpeakerCheck, readers: dict[str, Enrolment]):
    reader = max(readers, key=lambda name: min(readers[name].own_scores))
    people = [readers[reader]]
    assert check.identify(kept_back(reader), people, Level.QUESTION, speech_s=3.0).accepted
    again = check.identify(kept_back(reader), people, Level.QUESTION, speech_s=3.0)
    assert not again.accepted
    assert "replay" in again.why


@pytest.mark.parametrize(
    ("audio", "why"),
    [
        (AudioClip(samples=np.zeros(0, np.int16)), "no sound"),
        (AudioClip(samples=np.zeros(48_000, np.int16)), "no sound"),
        (AudioClip(samples=np.ones(100, np.int16)), "no sound"),
        (AudioClip(samples=np.ones((48_000, 2), np.int16)), "not mono"),
        (AudioClip(samples=np.ones(48_000, np.int16), rate_hz=8_000), "8000 Hz"),
    ],
)
def test_whatever_cannot_be_judged_is_a_stranger(
    audio: AudioClip, why: str, check: SpeakerCheck, readers: dict[str, Enrolment]
):
    match = check.identify(audio, list(readers.values()), Level.GREETING)
    assert (match.accepted, match.person) == (False, None)
    assert why in match.why


def test_a_voiceprint_of_another_model_makes_a_stranger_and_says_so(
    check: SpeakerCheck, readers: dict[str, Enrolment]
):
    old = Enrolment(
        person="a", model="old@1", clips=next(iter(readers.values())).clips, own_scores=(0.5,) * 6
    )
    match = check.identify(kept_back(READERS[0]), [old], Level.GREETING)
    assert not match.accepted
    assert "old@1" in match.why


def test_four_clips_are_too_few(check: SpeakerCheck):
    with pytest.raises(TooFewClips):
        check.enrol("a", enrolment_clips(READERS[0])[:4])


def test_two_people_cannot_enrol_as_one(check: SpeakerCheck):
    refused = 0
    for first, second in pairwise(READERS):
        try:
            check.enrol("a", [*enrolment_clips(first)[:3], *enrolment_clips(second)[:2]])
        except VoicesDiffer as error:
            refused += error.clip is not None
    assert refused >= 7


def test_each_fault_of_a_clip_is_named(check: SpeakerCheck):
    sounds = sounds_of(READERS[0])
    good = [clip(one) for one in sounds]

    def with_third(bad: AudioClip) -> list[AudioClip]:
        return [*good[:2], bad, *good[2:]]

    loud = np.clip(sounds[2] * 6 / np.abs(sounds[2]).max(), -1, 1).astype(np.float32)
    faults = {
        ClipOverdriven: clip(loud),
        ClipTooNoisy: clip(in_noise(sounds[2], snr_db=3)),
        ClipUnusable: AudioClip(samples=np.zeros(16_000, np.int16)),
        ClipRateWrong: AudioClip(samples=good[2].samples, rate_hz=44_100),
        ClipRepeated: good[0],
    }
    for fault, bad in faults.items():
        with pytest.raises(fault, match="clip 3") as raised:
            check.enrol("a", with_third(bad))
        assert raised.value.spoken
    blip = np.concatenate([np.zeros(8_000), 0.3 * np.sin(np.arange(1600)), np.zeros(8_000)])
    with pytest.raises(ClipTooShort, match="clip 3"):
        check.enrol("a", with_third(clip(blip.astype(np.float32))))


def test_recordings_from_outside_pass_the_checks_that_noise_does_not():
    from voice.clip_quality import MIN_SNR_DB, measure_clip

    for reader in READERS:
        for sound in sounds_of(reader):
            quality = measure_clip(sound, rate_hz=RATE_HZ)
            assert quality.snr_db > MIN_SNR_DB
            assert quality.speech_s > 1
            noisy = measure_clip(in_noise(sound, snr_db=3), rate_hz=RATE_HZ)
            assert noisy.snr_db < MIN_SNR_DB


def test_a_recording_played_in_a_room_is_recognised_and_new_speech_of_the_same_person_is_not():
    chance = np.random.default_rng(8)
    caught = 0
    for reader in READERS:
        sounds = sounds_of(reader)
        tail = chance.normal(size=4_000) * np.exp(-np.arange(4_000) / 1_000) * 0.02
        tail[0] = 1
        played = np.convolve(sounds[0], tail)[1_000 : 1_000 + len(sounds[0])].astype(np.float32)
        guard = ReplayGuard(remembered=2)
        guard.remember(reader, fingerprint(sounds[0]))
        caught += guard.is_replay(reader, fingerprint(in_noise(played, snr_db=25)))
        assert not guard.is_replay("somebody else", fingerprint(played))
        assert not any(guard.is_replay(reader, fingerprint(other)) for other in sounds[1:])
        guard.forget(reader)
        assert not guard.is_replay(reader, fingerprint(sounds[0]))
    assert caught >= 8


def test_one_word_said_by_many_is_never_one_recording():
    words: dict[str, list[Sound]] = defaultdict(list)
    with (TESTPACK / "manifest.csv").open(encoding="utf-8") as manifest:
        for row in csv.DictReader(manifest):
            if row["speaker"].startswith("gsc"):
                words[row["text"]].append(soundfile.read(TESTPACK / row["file"], dtype="float32")[0])
    for said in words.values():
        prints = [fingerprint(sound) for sound in said]
        assert all(difference(one, other) > 0.28 for one, other in pairwise(prints))


def test_the_embedder_refuses_what_is_no_speech_sound(embedder: OnnxEmbedder):
    silence = np.zeros(16_000, np.float32)
    broken = np.full(16_000, np.nan, np.float32)
    for bad in (
        silence,
        broken,
        np.ones(10, np.float32),
        np.zeros(0, np.float32),
        np.ones((2, 9_000), np.float32),
    ):
        with pytest.raises(EmbeddingFailed):
            embedder.embed(bad)


def test_a_damaged_or_missing_model_is_said_to_be(tmp_path: Path):
    with pytest.raises(SpeakerModelUnusable, match="cannot be read"):
        OnnxEmbedder(tmp_path)
    (tmp_path / "encoder.onnx").write_bytes((MODEL / "encoder.onnx").read_bytes()[:20_000])
    with pytest.raises(SpeakerModelUnusable, match="could load"):
        OnnxEmbedder(tmp_path)


def test_a_model_without_its_own_calibration_accepts_nobody(embedder: OnnxEmbedder):
    with pytest.raises(CalibrationOfOtherModel):
        read_calibration(MODEL / CALIBRATION_FILE, model="other@1")


OWNER = SpeakerMatch(person="person-1", score=0.8, threshold=0.5, accepted=True)


def test_the_right_digits_in_the_right_voice_pass_once():
    asked = new_challenge("person-1", now=NOW, chance=Random(4))
    said = Hearing(text="".join("零幺二三四五六七八九"[int(digit)] for digit in asked.digits))
    outcome, spent = answer(asked, said, OWNER, now=NOW + timedelta(seconds=8))
    assert outcome is ChallengeOutcome.PASSED
    assert answer(spent, said, OWNER, now=NOW + timedelta(seconds=9))[0] is ChallengeOutcome.USED


def test_wrong_digits_another_voice_or_a_late_answer_fail():
    asked = new_challenge("person-1", now=NOW, chance=Random(4))
    right = Hearing(text=asked.digits)
    soon = NOW + timedelta(seconds=5)
    stranger = SpeakerMatch(person=None, score=0.1, threshold=0.5, accepted=False)
    other = SpeakerMatch(person="person-2", score=0.9, threshold=0.5, accepted=True)
    assert answer(asked, Hearing(text="不知道"), OWNER, now=soon)[0] is ChallengeOutcome.WRONG_DIGITS
    assert (
        answer(asked, Hearing(text=asked.digits + "0"), OWNER, now=soon)[0] is ChallengeOutcome.WRONG_DIGITS
    )
    assert answer(asked, right, stranger, now=soon)[0] is ChallengeOutcome.WRONG_VOICE
    assert answer(asked, right, other, now=soon)[0] is ChallengeOutcome.WRONG_VOICE
    late = answer(asked, right, OWNER, now=NOW + timedelta(minutes=1))
    assert late[0] is ChallengeOutcome.EXPIRED
    assert late[1].used


def test_challenges_differ_and_can_be_spoken():
    chance = Random(1)
    asked = [new_challenge("person-1", now=NOW, chance=chance) for _ in range(200)]
    assert len({one.digits for one in asked}) > 180
    for one in asked:
        assert len(one.digits) == 4
        assert digits_in(one.spoken) == one.digits
        assert all(left != right for left, right in zip(one.digits, one.digits[1:], strict=False))
