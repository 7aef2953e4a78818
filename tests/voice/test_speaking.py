"""The mouth with the real voice and a loudspeaker that keeps what it plays."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from hardware.audio import AudioClip
from hardware.errors import AudioUnavailable
from hardware.loudspeaker import Playback
from hardware.recordings import RecordingLoudspeaker
from voice.errors import SynthesisFailed
from voice.speaking import Mouth, Progress, Sentence, SpeakingEnd, louder
from voice.synthesizer_pyttsx3 import Pyttsx3Synthesizer
from voice.tones import Tone, earcon

SENTENCES = ("一号告警。", "二号告警。", "三号告警。")
LONG = "订单服务昨天夜里重启了三次，现在已经恢复正常，今天没有新的告警。"


@pytest.fixture(scope="module")
def voice():
    synthesizer = Pyttsx3Synthesizer()
    yield synthesizer
    synthesizer.close()


@pytest.fixture
def loudspeaker():
    speaker = RecordingLoudspeaker()
    yield speaker
    speaker.close()


@pytest.fixture
def slow_loudspeaker():
    speaker = RecordingLoudspeaker(real_time=True)
    yield speaker
    speaker.close()


@pytest.fixture
def mouth(voice, loudspeaker):
    mouth = Mouth(voice, loudspeaker, volume_percent=100)
    yield mouth
    mouth.close()


@pytest.fixture
def slow_mouth(voice, slow_loudspeaker):
    mouth = Mouth(voice, slow_loudspeaker)
    yield mouth
    mouth.close()


class HeardSentence:
    """Waits until a certain sentence is being heard."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.begun = threading.Event()

    def __call__(self, progress: Progress) -> None:
        if progress.text == self._text:
            self.begun.set()

    def wait(self) -> None:
        assert self.begun.wait(30)


def test_sentences_are_heard_whole_and_in_order(mouth, loudspeaker, voice):
    told: list[Progress] = []
    speaking = mouth.say(SENTENCES, on_progress=told.append)
    assert speaking.wait(30) is SpeakingEnd.FINISHED
    lengths = [voice.synthesize(one).duration_s for one in SENTENCES]
    assert loudspeaker.recorded.duration_s == pytest.approx(sum(lengths), rel=0.1)
    assert speaking.progress.spoken_s == pytest.approx(loudspeaker.recorded.duration_s, abs=0.01)
    assert list(dict.fromkeys(one.text for one in told if one.text)) == list(SENTENCES)
    assert speaking.remaining() == ()


def test_the_first_sentence_is_heard_before_the_last_is_known(slow_mouth):
    first = HeardSentence("我在想。")
    speaking = slow_mouth.say([Sentence(text="我在想。")], more_follows=True, on_progress=first)
    first.wait()
    speaking.add(Sentence(text="好了。"))
    speaking.complete()
    assert speaking.wait(30) is SpeakingEnd.FINISHED
    assert speaking.progress.sentence == 2


def test_stop_is_silence_within_a_moment_and_tells_what_was_heard(slow_mouth, slow_loudspeaker):
    first = HeardSentence(LONG)
    speaking = slow_mouth.say([LONG, "第二句。"], on_progress=first)
    first.wait()
    began = time.monotonic()
    assert slow_mouth.stop() is speaking
    assert time.monotonic() - began < 0.15
    assert slow_loudspeaker.playing is None
    assert speaking.end is SpeakingEnd.STOPPED
    assert speaking.progress.spoken_s < 3
    assert [one.text for one in speaking.remaining()] == [LONG, "第二句。"]


def test_it_goes_on_from_the_beginning_of_the_sentence_that_was_stopped(slow_mouth):
    second = HeardSentence(LONG)
    speaking = slow_mouth.say(["好。", LONG, "完。"], on_progress=second)
    second.wait()
    slow_mouth.stop()
    told: list[Progress] = []
    resumed = slow_mouth.resume(speaking, on_progress=told.append)
    assert resumed is not None
    slow_mouth.stop()
    assert [one.text for one in resumed.remaining()] == [LONG, "完。"]


def test_nothing_is_left_to_go_on_with_after_the_end(mouth):
    speaking = mouth.say(["好。"])
    speaking.wait(30)
    assert mouth.resume(speaking) is None


def test_the_next_item_skips_the_rest_of_this_one(slow_mouth):
    items = [
        Sentence(text=LONG, item=0),
        Sentence(text="还是第一条。", item=0),
        Sentence(text="第二条。", item=1),
    ]
    first = HeardSentence(LONG)
    speaking = slow_mouth.say(items, on_progress=first)
    first.wait()
    skipped = slow_mouth.next_item(speaking)
    assert skipped is not None
    assert speaking.end is SpeakingEnd.STOPPED
    assert skipped.wait(30) is SpeakingEnd.FINISHED
    assert skipped.progress.sentence == 1


def test_behind_the_last_item_comes_nothing_and_it_goes_on(slow_mouth):
    only = HeardSentence("只有一条。")
    speaking = slow_mouth.say([Sentence(text="只有一条。", item=4)], on_progress=only)
    only.wait()
    assert slow_mouth.next_item(speaking) is None
    assert speaking.wait(30) is SpeakingEnd.FINISHED


def test_a_new_thing_to_say_silences_the_old(slow_mouth, voice, slow_loudspeaker):
    old = HeardSentence(LONG)
    first = slow_mouth.say([LONG], on_progress=old)
    old.wait()
    second = slow_mouth.say(["好。"])
    assert first.end is SpeakingEnd.STOPPED
    assert second.wait(30) is SpeakingEnd.FINISHED
    assert slow_mouth.speaking is None


def test_a_stop_from_the_progress_report_does_not_lock_up(mouth):
    speaking = mouth.say(SENTENCES, on_progress=lambda progress: mouth.stop() and None)
    assert speaking.wait(30) is SpeakingEnd.STOPPED


def test_the_gate_sees_what_is_heard_right_now(slow_mouth):
    first = HeardSentence(LONG)
    slow_mouth.say([LONG], on_progress=first)
    first.wait()
    assert slow_mouth.reference.text == LONG
    slow_mouth.stop()
    assert slow_mouth.reference is None


def test_signs_without_a_sound_are_passed_over(mouth):
    speaking = mouth.say(["……", "好。", "！"])
    assert speaking.wait(30) is SpeakingEnd.FINISHED
    assert speaking.progress.sentence == 3


class BreakingVoice:
    """A voice that breaks down at its second sentence; satisfies `Synthesizer`."""

    def synthesize(self, sentence: str, *, speed_percent: int = 100) -> AudioClip:
        if sentence == "坏。":
            raise SynthesisFailed("broken")
        return AudioClip(samples=np.full(1_600, 1_000, np.int16))

    def close(self) -> None:
        """Nothing to close."""


def test_a_voice_that_breaks_down_is_heard_until_then_and_told(loudspeaker):
    mouth = Mouth(BreakingVoice(), loudspeaker)
    speaking = mouth.say(["好。", "坏。", "好。"])
    assert speaking.wait(30) is SpeakingEnd.FAILED
    assert isinstance(speaking.error, SynthesisFailed)
    assert [one.text for one in speaking.remaining()] == ["坏。", "好。"]
    assert speaking.progress.spoken_s == pytest.approx(0.1)
    mouth.close()


class MissingLoudspeaker(RecordingLoudspeaker):
    """A loudspeaker that cannot be opened."""

    def play(self, clip: AudioClip, text: str = "") -> Playback:
        raise AudioUnavailable("no sound")


def test_without_a_loudspeaker_nothing_was_spoken():
    loudspeaker = MissingLoudspeaker()
    mouth = Mouth(BreakingVoice(), loudspeaker)
    speaking = mouth.say(["好。"])
    assert speaking.wait(30) is SpeakingEnd.FAILED
    assert isinstance(speaking.error, AudioUnavailable)
    assert speaking.progress.spoken_s == 0
    mouth.close()
    loudspeaker.close()


def test_half_volume_is_a_quarter_of_the_amplitude_and_zero_is_silence():
    samples = np.array([20_000, -20_000], np.int16)
    assert louder(samples, 100).tolist() == [20_000, -20_000]
    assert louder(samples, 50).tolist() == [5_000, -5_000]
    assert not louder(samples, 0).any()


@pytest.mark.parametrize("tone", Tone)
def test_tones_are_short_soft_at_the_edges_and_never_clip(tone):
    clip = earcon(tone)
    assert 0.1 <= clip.duration_s <= 0.5
    assert 3_000 < np.abs(clip.samples).max() < 16_384
    assert np.abs(clip.samples[:20]).max() < 1_500
    assert np.abs(clip.samples[-20:]).max() < 1_500


def test_no_two_tones_sound_alike():
    sounds = {earcon(tone).samples.tobytes() for tone in Tone}
    assert len(sounds) == len(Tone)


def test_a_tone_is_played_at_the_set_volume(mouth, loudspeaker):
    mouth.set_volume(50)
    assert mouth.tone(Tone.WOKEN).wait(30)
    assert np.abs(loudspeaker.recorded.samples).max() == pytest.approx(
        np.abs(earcon(Tone.WOKEN).samples).max() / 4, rel=0.05
    )
