"""Voice activity: Silero's network, behind the gate by loudness."""

import numpy as np
import pytest

from hardware.audio import AudioClip
from tests.voice.speech import one_after_the_other, silence, spoken
from voice.activity import BLOCK_SAMPLES, VoiceActivity
from voice.activity_silero import NETWORK_FILE, SileroActivity
from voice.errors import SpeechModelDamaged


def share_of_voice(clip: AudioClip) -> float:
    activity = VoiceActivity(SileroActivity())
    blocks = clip.samples[: len(clip.samples) // BLOCK_SAMPLES * BLOCK_SAMPLES].reshape(-1, BLOCK_SAMPLES)
    return float(np.mean([activity.voice(block) for block in blocks]))


def test_speech_is_voice_and_the_pause_behind_it_is_not(tmp_path):
    said = spoken("订单服务怎么样", tmp_path)
    assert share_of_voice(said) > 0.8
    parted = one_after_the_other(silence(0.5), said, silence(said.duration_s))
    assert 0.3 < share_of_voice(parted) < 0.6


@pytest.mark.parametrize("kind", ["hiss", "hum", "clicks", "silence"])
def test_machines_are_no_voice(kind):
    chance, at = np.random.default_rng(1), np.arange(48_000)
    sounds = {
        "hiss": chance.normal(scale=1_500, size=48_000),
        "hum": 6_000 * np.sin(at * 2 * np.pi * 50 / 16_000),
        "clicks": 20_000.0 * (at % 4_000 < 8),
        "silence": np.zeros(48_000),
    }
    assert share_of_voice(AudioClip(samples=sounds[kind].astype(np.int16))) < 0.05


def test_what_was_before_a_reset_no_longer_counts(tmp_path):
    blocks = spoken("支付服务", tmp_path).samples[: 20 * BLOCK_SAMPLES].reshape(-1, BLOCK_SAMPLES)
    network = SileroActivity()
    first = [network.probability(block) for block in blocks]
    assert [network.probability(block) for block in blocks] != first
    network.reset()
    assert [network.probability(block) for block in blocks] == first


def test_network_that_is_missing_or_broken_is_named(tmp_path):
    with pytest.raises(SpeechModelDamaged, match="nowhere"):
        SileroActivity(tmp_path / "nowhere.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(NETWORK_FILE.read_bytes()[:100_000])
    with pytest.raises(SpeechModelDamaged, match="broken"):
        SileroActivity(broken)
