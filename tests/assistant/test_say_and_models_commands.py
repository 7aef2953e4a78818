"""`xiaozhi say` and `xiaozhi models …` as a user types them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from assistant.cli import app
from assistant.errors import NothingToSay, RecordingNotWritten
from assistant.speakable import sentences_of
from voice.errors import ModelUnknown, SpeechModelMissing


def run(*arguments: str, home) -> str:
    result = CliRunner().invoke(app, [*arguments, "--home", str(home)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_say_writes_what_it_says(tmp_path):
    out = tmp_path / "said.wav"
    run("say", "昨天有三条告警。CPU 使用率 95%。", "--out", str(out), home=tmp_path)
    samples, rate_hz = soundfile.read(out, dtype="int16")
    assert 3 < len(samples) / rate_hz < 8
    assert np.abs(samples).max() > 3_000


def test_volume_and_speed_of_the_settings_are_heard(tmp_path):
    plain, changed = tmp_path / "plain.wav", tmp_path / "changed.wav"
    run("say", "订单服务已经恢复", "--out", str(plain), home=tmp_path)
    (tmp_path / "config.toml").write_text("[audio]\nvolume_percent = 20\nspeed_percent = 160\n")
    run("say", "订单服务已经恢复", "--out", str(changed), home=tmp_path)
    (before, _), (after, _) = soundfile.read(plain, dtype="int16"), soundfile.read(changed, dtype="int16")
    assert len(after) < 0.8 * len(before)
    assert np.abs(after).max() < 0.2 * np.abs(before).max()


def test_say_refuses_what_cannot_be_said_or_written(tmp_path):
    with pytest.raises(NothingToSay):
        run("say", "……", home=tmp_path)
    with pytest.raises(RecordingNotWritten, match="No such file"):
        run("say", "好", "--out", str(tmp_path / "no" / "x.wav"), home=tmp_path)


def test_a_text_is_cut_behind_its_marks():
    assert sentences_of("第一句。第二句！\n第三句，还是第三句") == (
        "第一句。",
        "第二句！",
        "第三句，还是第三句",
    )
    assert sentences_of("。。！") == ()


def test_models_list_says_which_are_used(tmp_path):
    told = {one["name"]: one for one in json.loads(run("models", "list", "--json", home=tmp_path))}
    assert (told["vosk-synth-cn"]["state"], told["vosk-synth-cn"]["used"]) == ("embedded", True)
    assert (told["vosk-model-small-cn-0.22"]["state"], told["vosk-model-small-cn-0.22"]["used"]) == (
        "absent",
        False,
    )


def test_models_verify_finds_the_embedded_ones_sound(tmp_path):
    assert json.loads(run("models", "verify", "--json", home=tmp_path)) == {
        "vosk-synth-cn": [],
        "ecapa-small": [],
    }


def test_a_model_that_nobody_knows_or_that_is_embedded_is_not_pulled(tmp_path):
    with pytest.raises(ModelUnknown, match="vosk-model-small-cn"):
        run("models", "pull", "whisper", home=tmp_path)
    with pytest.raises(ModelUnknown, match="embedded"):
        run("models", "pull", "ecapa-small", home=tmp_path)


def test_settings_that_name_an_absent_model_are_told_so(tmp_path):
    (tmp_path / "config.toml").write_text('[models]\nrecognizer = "vosk-model-small-cn-0.22"\n')
    with pytest.raises(SpeechModelMissing, match="not here"):
        run("models", "list", home=tmp_path)
