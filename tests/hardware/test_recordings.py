"""Recordings in place of devices: whatever soundfile reads, and whatever it should not."""

import tracemalloc
from itertools import islice

import numpy as np
import pytest
import soundfile

from hardware.audio import AudioClip
from hardware.errors import RecordingEmpty, RecordingNotFound, RecordingUnreadable
from hardware.loudspeaker import PlaybackState
from hardware.recordings import RecordingLoudspeaker, RecordingMicrophone, read_recording

SECOND = np.sin(2 * np.pi * 300 * np.arange(48_000) / 48_000) * 0.5


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "PCM_U8"])
@pytest.mark.parametrize("channels", [1, 2])
def test_every_rate_width_and_number_of_channels_becomes_the_same_sound(tmp_path, rate_hz, subtype, channels):
    tone = np.sin(2 * np.pi * 300 * np.arange(rate_hz) / rate_hz) * 0.5
    soundfile.write(tmp_path / "a.wav", np.stack([tone] * channels, axis=1), rate_hz, subtype=subtype)
    heard = read_recording(tmp_path / "a.wav")
    assert heard.duration_s == pytest.approx(1, abs=0.002)
    spectrum = np.abs(np.fft.rfft(heard.as_float[:16_000] * np.hanning(16_000)))
    assert np.argmax(spectrum) == pytest.approx(300, abs=2)
    assert heard.level_db == pytest.approx(-9, abs=0.3)


def test_not_a_number_is_heard_as_silence(tmp_path):
    broken = SECOND.copy()
    broken[10_000:20_000] = np.nan
    broken[100] = np.inf
    soundfile.write(tmp_path / "nan.wav", broken, 48_000, subtype="FLOAT")
    heard = read_recording(tmp_path / "nan.wav")
    assert heard.duration_s == pytest.approx(1, abs=0.002)
    assert not heard.samples[4_000:6_000].any()


def test_truncated_recording_is_heard_as_far_as_it_goes(tmp_path):
    soundfile.write(tmp_path / "whole.wav", SECOND, 48_000)
    (tmp_path / "half.wav").write_bytes((tmp_path / "whole.wav").read_bytes()[:50_000])
    assert read_recording(tmp_path / "half.wav").duration_s == pytest.approx(0.52, abs=0.01)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", RecordingEmpty),
        (b"RIFF", RecordingUnreadable),
        (b"this is a letter, not a sound", RecordingUnreadable),
    ],
)
def test_what_is_no_sound_is_said_to_be_none(tmp_path, content, error):
    (tmp_path / "x.wav").write_bytes(content)
    with pytest.raises(error, match=r"x\.wav"):
        read_recording(tmp_path / "x.wav")


def test_recording_without_a_sample_is_empty(tmp_path):
    soundfile.write(tmp_path / "none.wav", np.zeros(0), 16_000)
    with pytest.raises(RecordingEmpty):
        read_recording(tmp_path / "none.wav")


def test_missing_file_is_named(tmp_path):
    with pytest.raises(RecordingNotFound, match=r"gone\.wav"):
        read_recording(tmp_path / "gone.wav")


def test_three_hours_need_no_memory(tmp_path):
    with soundfile.SoundFile(tmp_path / "long.wav", "w", 8_000, 1, "PCM_U8") as file:
        for _ in range(180):
            file.write(np.zeros(8_000 * 60))
    chunks = RecordingMicrophone(tmp_path / "long.wav").chunks()
    tracemalloc.start()
    minute = sum(chunk.duration_s for chunk in islice(chunks, 1_900))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert minute > 60
    assert peak < 1_000_000


def test_gain_that_is_too_high_and_a_dead_microphone_show(tmp_path):
    soundfile.write(tmp_path / "loud.wav", np.clip(np.tile(SECOND, 2) * 20, -1, 1), 48_000)
    loud = RecordingMicrophone(tmp_path / "loud.wav")
    dead = RecordingMicrophone(tmp_path / "dead.wav")
    soundfile.write(tmp_path / "dead.wav", np.zeros(16_000 * 7), 16_000)
    for microphone in (loud, dead):
        assert list(microphone.chunks())
    assert loud.health.clipped_share > 0.3
    assert not loud.health.silent
    assert dead.health.silent


def test_loudspeaker_keeps_what_it_plays_in_turn():
    loudspeaker = RecordingLoudspeaker()
    first = loudspeaker.play(AudioClip(samples=np.full(8_000, 5, np.int16)), "一")
    second = loudspeaker.play(AudioClip(samples=np.full(8_000, 9, np.int16), rate_hz=8_000), "二")
    assert first.wait(5)
    assert second.wait(5)
    assert second.state is PlaybackState.FINISHED
    assert loudspeaker.recorded.duration_s == pytest.approx(1.5)
    assert loudspeaker.playing is None
    loudspeaker.close()


def test_stopped_loudspeaker_forgets_what_is_waiting_and_plays_on_later():
    loudspeaker = RecordingLoudspeaker(real_time=True)
    clip = AudioClip(samples=np.ones(160_000, np.int16))
    played = [loudspeaker.play(clip, text) for text in ("一", "二")]
    assert loudspeaker.playing is played[0]
    loudspeaker.stop()
    assert [one.state for one in played if one.wait(1)] == [PlaybackState.STOPPED] * 2
    later = loudspeaker.play(AudioClip(samples=np.ones(160, np.int16)))
    assert later.wait(1)
    assert later.state is PlaybackState.FINISHED
    loudspeaker.close()
