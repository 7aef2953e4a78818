"""Features, augmentation, synthetic speech and recordings that models are trained on."""

import json
import random

import numpy as np
import pytest
import soundfile

from voice.training.augmentation import Augmenter
from voice.training.errors import TrainingDataMissing
from voice.training.human_speech import human_utterances
from voice.training.mfcc import COEFFICIENTS, Samples, mfcc
from voice.training.phones import PHONES, phones_of_syllable
from voice.training.recognition_data import FeatureChunk, make_chunk
from voice.training.recordings import HELD_OUT_SPEAKERS, read_index
from voice.training.speaker_batches import SpeakerBatches, read_people
from voice.training.speaker_evaluation import equal_error_rate
from voice.training.synthetic_speech import LabelledSpeech, SyntheticSpeaker, one_syllable_off
from voice.training.voices import HELD_OUT_VOICES, TRAINING_VOICES


def _tone(seconds: float, hertz: float = 300.0) -> Samples:
    times = np.arange(int(seconds * 16_000)) / 16_000
    return np.asarray(8_000 * np.sin(2 * np.pi * hertz * times), np.float32)


def test_no_voice_is_both_trained_on_and_measured_with():
    assert not {v.lower() for v in TRAINING_VOICES} & {v.lower() for v in HELD_OUT_VOICES}


def test_features_have_a_row_for_each_whole_frame():
    assert mfcc(_tone(1.0)).shape == (98, COEFFICIENTS)
    assert mfcc(np.zeros(399, np.float32)).shape == (0, COEFFICIENTS)


def test_louder_speech_moves_only_the_first_coefficient():
    quiet, loud = mfcc(_tone(0.5)), mfcc(np.asarray(_tone(0.5) * 2, np.float32))
    difference = (loud - quiet).mean(axis=0)
    assert difference[0] == pytest.approx(np.log(4) * np.sqrt(COEFFICIENTS), rel=0.01)
    assert np.abs(difference[1:]).max() < 0.05


def test_augmented_speech_stays_within_sixteen_bits_and_depends_on_the_seed_only():
    def heavy(seed: int) -> np.ndarray:
        augmenter = Augmenter(np.random.default_rng(seed), _tone(30), speeds=(17, 23))
        return np.concatenate([augmenter.heavily(_tone(1.0)) for _ in range(8)])

    first = heavy(1)
    assert np.array_equal(first, np.round(first))
    assert np.abs(first).max() <= 32_768
    assert np.array_equal(first, heavy(1))


def test_synthetic_speech_is_labelled_with_what_was_said():
    speaker = SyntheticSpeaker(random.Random(5))
    said = list(speaker.utterances(20))
    assert all(set(one.phones) <= set(PHONES) and one.source.startswith("espeak/") for one in said)
    wake, mixed = speaker.say("你好小智", ""), speaker.say("重新部署 nginx", "")
    assert wake is not None
    assert mixed is not None
    assert wake.phones == ("n", "i", "h", "ao", "x", "iao", "zh", "ir")
    assert 0.5 < len(wake.samples) / 16_000 < 2.5
    assert mixed.phones[-6:] == ("en", "j", "in", "ai", "k", "s")


def test_chunks_come_back_as_they_were_written(tmp_path):
    said = [LabelledSpeech(samples=_tone(1.0), phones=("n", "i"), source="espeak/")] * 3
    augmenter = Augmenter(np.random.default_rng(2), _tone(30), speeds=(20, 20))
    chunk = make_chunk(said, augmenter, copies=2, seed=1)
    spoken = [labels for _, _, labels in chunk.utterances if labels]
    assert spoken == [[PHONES.index("n"), PHONES.index("i")]] * 6
    assert sum(rows for _, rows, _ in chunk.utterances) == len(chunk.features)
    chunk.save(tmp_path / "chunk")
    read = FeatureChunk.load(tmp_path / "chunk")
    assert np.array_equal(read.features, chunk.features)
    assert read.utterances == chunk.utterances


@pytest.fixture
def recordings(tmp_path):
    chance = np.random.default_rng(4)
    speakers = []
    names = [
        ("mandarin00", "mandarin_words", "北京"),
        (HELD_OUT_SPEAKERS[0], "mandarin_words", "上海"),
        ("gsc001", "speech_commands_v002", "go"),
        ("gsc005", "speech_commands_v002", "stop"),
    ]
    for name, group, word in names:
        clips = []
        sound = np.zeros(0, np.float32)
        for _ in range(4):
            clips.append([len(sound), 16_000, word])
            quiet = np.zeros(4_000, np.float32)
            sound = np.concatenate(
                [sound, quiet, 0.3 * chance.standard_normal(8_000).astype(np.float32), quiet]
            )
        soundfile.write(tmp_path / f"{name}.flac", sound, 16_000)
        speakers.append(
            {"speaker": name, "group": group, "file": f"{name}.flac", "clips": clips, "licence": "MIT"}
        )
    (tmp_path / "index.json").write_text(json.dumps({"sample_rate_hz": 16_000, "speakers": speakers}))
    return tmp_path


def test_people_kept_for_measuring_are_never_trained_on(recordings):
    trained = {person.name for person in read_people(recordings, kept_for_measuring=False)}
    kept = {person.name for person in read_people(recordings, kept_for_measuring=True)}
    assert trained == {"mandarin00", "gsc001"}
    assert kept == {HELD_OUT_SPEAKERS[0], "gsc005"}
    strung = list(human_utterances(recordings, random.Random(1)))
    assert {said.source for said in strung} == {"human/mandarin00"}
    assert sum(len(said.phones) for said in strung) == 4 * 4


def test_a_folder_without_recordings_is_refused(tmp_path):
    with pytest.raises(TrainingDataMissing, match=r"index\.json"):
        read_index(tmp_path)


def test_batches_hold_level_crops_of_known_classes(recordings):
    people = read_people(recordings, kept_for_measuring=False)
    batches = SpeakerBatches(people, [], size=12, seed=3, voices_each=3)
    crops, labels = next(iter(batches))
    assert batches.classes == 6
    assert crops.shape[0] == 12
    assert crops.shape[1] in (16_000, 24_000, 32_000)
    assert set(labels) <= set(range(6))
    levels_db = 10 * np.log10((crops.astype(np.float64) ** 2).mean(axis=1))
    assert levels_db.min() > -34
    assert levels_db.max() < -13


def test_equal_error_rate_of_known_scores():
    strangers = np.linspace(0, 0.5, 1_000)
    assert equal_error_rate(np.linspace(0.6, 1, 100), strangers) == 0
    assert equal_error_rate(strangers, strangers) == pytest.approx(0.5, abs=0.01)
    assert equal_error_rate(np.linspace(0.4, 0.9, 1_000), strangers) == pytest.approx(0.1, abs=0.01)


def test_a_deliberate_near_miss_is_one_sound_away_from_the_wake_phrase():
    phrase = [("n", "i"), ("h", "ao"), ("x", "iao"), ("zh", "ir")]
    for seed in range(60):
        said = [phones_of_syllable(one) or () for one in one_syllable_off(random.Random(seed)).split()]
        ((wrong, right),) = [(a, b) for a, b in zip(said, phrase, strict=True) if a != b]
        assert set(wrong) & set(right)
