"""The ear, on espeak-ng's voices through the real detector, spotter and recogniser."""

from pathlib import Path

import numpy as np
import pytest

from hardware.audio import AudioClip
from tests.voice.sherpa_model import write_sherpa_model
from tests.voice.speech import EMBEDDED_RECOGNIZER, in_chunks, one_after_the_other, silence, spoken
from voice.activity_silero import SileroActivity
from voice.heard import UtteranceEnd, Wake
from voice.listening import Ear, NothingSaid, PartlyUnderstood, StopHeard, Understood
from voice.recognizer_vosk import VoskRecognizer
from voice.vosk_model import VoskModel
from voice.wake import WakeDecision, WakeSpotter
from voice.wake_pair import SpotterPair
from voice.wake_sherpa_onnx import SherpaOnnxSpotter
from voice.wake_vosk import VoskSpotter


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp("speech")
    return lambda text, **how: spoken(text, folder, **how)


@pytest.fixture(scope="module")
def model():
    return VoskModel(EMBEDDED_RECOGNIZER)


@pytest.fixture(scope="module", params=["vosk", "sherpa-onnx"])
def parts(model, request, tmp_path_factory):
    spotter: WakeSpotter = VoskSpotter(model, "你好，小智")
    if request.param == "sherpa-onnx":
        caller = SherpaOnnxSpotter(write_sherpa_model(tmp_path_factory.mktemp("model")), "你好，小智")
        spotter = SpotterPair(caller=caller, others=spotter, phrase="你好小智")
    return spotter, VoskRecognizer(model)


class Saying:
    """What the loudspeaker says."""

    def __init__(self) -> None:
        self.text: str | None = None

    def __call__(self) -> str | None:
        return self.text


@pytest.fixture
def saying():
    return Saying()


@pytest.fixture
def ear(parts, saying):
    spotter, recognizer = parts
    spotter.listen_for("你好小智")
    return Ear(
        detector=SileroActivity(),
        spotter=spotter,
        recognizer=recognizer,
        decision=WakeDecision("你好小智"),
        being_said=saying,
    )


def told(ear, *clips, from_s=0.0):
    sound = one_after_the_other(silence(0.8), *clips)
    events = [event for chunk in in_chunks(sound, from_s) for event in ear.hear(chunk)]
    return [event for event in events if not isinstance(event, PartlyUnderstood)]


def kinds(events):
    return [type(event) for event in events]


@pytest.mark.parametrize("variant", ["m3", "f2", "m7", "f5"])
def test_it_wakes_soon_after_the_wake_phrase(ear, speech, variant):
    phrase = speech("你好小智", variant=variant)
    events = told(ear, phrase, silence(0.6))
    assert kinds(events) == [Wake]
    assert events[0].at_s - (0.8 + phrase.duration_s) < 0.25
    assert events[0].audio.duration_s > 0.5


def test_question_in_one_breath_is_understood_without_the_wake_phrase(ear, speech):
    events = told(ear, speech("你好小智，订单服务怎么样"), silence(1.2))
    assert kinds(events) == [Wake, Understood]
    assert events[1].hearing.text == "订单服务怎么样"
    assert events[1].utterance.after_wake
    assert events[1].utterance.ended_by is UtteranceEnd.PAUSE
    assert events[1].pause_s <= 0.5


def test_question_may_follow_after_a_pause(ear, speech):
    events = told(ear, speech("你好小智"), silence(1.5), speech("订单服务怎么样"), silence(1.2))
    assert kinds(events) == [Wake, Understood]
    assert events[1].hearing.text == "订单服务怎么样"


def test_chatter_noise_and_near_misses_do_not_wake_it(ear, speech):
    hiss = np.random.default_rng(1).normal(scale=800, size=32_000).astype(np.int16)
    chatter = [speech(text) for text in ("你好小鸡", "订单服务怎么样", "今天天气不错", "你好", "小智")]
    parted = [piece for clip in chatter for piece in (clip, silence(0.9))]
    assert told(ear, *parted, AudioClip(samples=hiss), silence(1)) == []


def test_phrase_after_other_words_wakes_it_too(ear, speech):
    assert Wake in kinds(told(ear, speech("今天天气不错你好小智"), silence(1)))


def test_phrase_in_the_midst_of_long_talk_wakes_it_as_soon(ear, speech):
    talk = [piece for text in ("今天天气不错", "我们开个会", "把日志发给我") for piece in
            (speech(text), silence(0.25))] * 4  # fmt: skip
    phrase = speech("你好小智")
    events = told(ear, *talk, phrase, silence(0.6))
    assert kinds(events) == [Wake]
    assert events[0].at_s - (0.8 + sum(clip.duration_s for clip in [*talk, phrase])) < 0.25
    assert events[0].audio.duration_s < 4


def test_phrase_said_haltingly_wakes_it(ear, speech):
    assert kinds(told(ear, speech("你好"), silence(0.15), speech("小智"), silence(1))) == [Wake]


def test_after_the_wake_phrase_it_waits_for_eight_seconds(ear, speech):
    events = told(ear, speech("你好小智"), silence(9))
    assert kinds(events) == [Wake, NothingSaid]
    assert events[1].after_wake


def test_follow_up_question_needs_no_wake_phrase_for_a_while(ear, speech):
    question = one_after_the_other(speech("订单服务怎么样"), silence(1))
    assert told(ear, question) == []
    ear.follow_up()
    events = told(ear, question, from_s=3)
    assert [event.hearing.text for event in events] == ["订单服务怎么样"]
    assert not events[0].utterance.after_wake
    assert told(ear, question, from_s=40) == []


def test_called_again_while_it_waits_it_wakes_again(ear, speech):
    ear.follow_up()
    events = told(ear, speech("你好小智，订单服务怎么样"), silence(1.2))
    assert kinds(events) == [Wake, Understood]
    assert events[1].hearing.text == "订单服务怎么样"


@pytest.mark.parametrize("word", ["停", "别说了"])
def test_stop_word_counts_only_while_the_loudspeaker_plays(ear, speech, saying, word):
    clip = speech(word)
    assert told(ear, clip, silence(1)) == []
    saying.text = "昨晚一切正常"
    events = told(ear, clip, silence(1), from_s=10)
    assert [type(event) for event in events] == [StopHeard]
    assert events[0].at_s - (10.8 + clip.duration_s) < 0.2


def test_it_does_not_wake_on_its_own_voice(ear, speech, saying):
    saying.text = "您可以说你好小智来叫我"
    assert told(ear, speech("您可以说你好小智来叫我"), silence(1)) == []
    saying.text = "昨晚一切正常"
    assert kinds(told(ear, speech("你好小智"), silence(1), from_s=10)) == [Wake]


def test_muted_it_hears_nothing_and_forgets_what_it_was_waiting_for(ear, speech):
    told(ear, speech("你好小智"), silence(0.5))
    ear.muted = True
    assert told(ear, speech("你好小智，订单服务怎么样"), silence(1), from_s=5) == []
    ear.muted = False
    assert told(ear, speech("订单服务怎么样"), silence(1), from_s=10) == []


def test_new_wake_phrase_counts_at_once(ear, speech):
    assert ear.call_it("大白，大白") == ()
    assert told(ear, speech("你好小智"), silence(1)) == []
    assert kinds(told(ear, speech("大白大白"), silence(1), from_s=10)) == [Wake]


def test_question_without_end_is_cut_after_ten_seconds(ear, speech):
    ear.follow_up()
    events = told(ear, *[speech("订单服务和支付服务和") for _ in range(7)])
    assert events[0].utterance.ended_by is UtteranceEnd.TOO_LONG
    assert events[0].utterance.audio.duration_s == pytest.approx(10, abs=0.1)


def test_clipped_first_syllable_is_kept_by_the_pre_roll(ear, speech):
    """The recording starts with the phrase at full level: there is not a block of silence before it."""
    sound = one_after_the_other(speech("你好小智"), silence(1))
    assert Wake in kinds([event for chunk in in_chunks(sound) for event in ear.hear(chunk)])


def test_end_of_the_sound_ends_the_question(ear, speech):
    told(ear, speech("你好小智，订单服务怎么样"))
    (understood,) = [event for event in ear.finish() if isinstance(event, Understood)]
    assert understood.hearing.text == "订单服务怎么样"
    assert understood.utterance.ended_by is UtteranceEnd.SOURCE_ENDED
