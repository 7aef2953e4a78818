"""`xiaozhi hear`, `ask` and `turns`: the real commands, on real sound and an embedded cloud."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from assistant.cli import main
from hardware.audio import AudioClip
from hardware.recordings import write_recording
from tests.assistant.test_run import ENROLMENT, noisy
from tests.voice.speech import one_after_the_other, silence, spoken

STRANGER = "f2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What a command printed."""

    stdout: str
    stderr: str


def command(*words: str, home: Path, expect: int = 0) -> Ended:
    """Run a command to its end in this process: loading everything anew takes longer than the test."""
    stdout, stderr = StringIO(), StringIO()
    with (
        mock.patch.dict(os.environ, XIAOZHI_HOME=str(home)),
        mock.patch.object(sys, "argv", ["xiaozhi", *words]),
        redirect_stdout(stdout),
        redirect_stderr(stderr),
        pytest.raises(SystemExit) as end,
    ):
        main()
    assert end.value.code == expect, stdout.getvalue() + stderr.getvalue()
    return Ended(stdout=stdout.getvalue(), stderr=stderr.getvalue())


def told(*words: str, home: Path, expect: int = 0) -> Any:
    return json.loads(command(*words, "--json", home=home, expect=expect).stdout)


def recorded(clip: AudioClip, file: Path) -> str:
    write_recording(file, noisy(clip))
    return str(file)


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Take back what the command sets for its whole process."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the owner is known by voice, and a reader by name only."""
    home, clips = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("clips")
    for name, permission in (("张敏", "admin"), ("李雷", "read")):
        command("people", "add", name, home=home)
        command("people", "grant", name, permission, home=home)
    command("people", "grant", "张敏", "read", home=home)
    files = [recorded(spoken(one, clips), clips / f"{number}.wav") for number, one in enumerate(ENROLMENT)]
    command("people", "enrol", "张敏", *files, home=home)
    return home


def test_recordings_are_one_conversation_with_whom_it_knows(home: Path, tmp_path: Path) -> None:
    greeting = recorded(spoken("你好，小智", tmp_path, words_per_minute=150), tmp_path / "greeting.wav")
    both = one_after_the_other(
        spoken("你好小智，订单服务有没有在重启的容器", tmp_path, words_per_minute=155),
        silence(3.0),
        spoken("支付服务有几个副本", tmp_path, words_per_minute=160),
    )
    question = recorded(both, tmp_path / "question.wav")
    first, second = told("hear", greeting, question, "--scenario", "yesterday", home=home)
    assert set(first) >= {"file", "wake", "speaker", "text", "plan", "spoken", "timings_ms"}
    assert (first["wake"], first["speaker"]["accepted"], first["speaker"]["name"]) == (True, True, "张敏")
    assert first["spoken"] == "我在。"
    assert second["speaker"]["accepted"]
    assert second["plan"][0]["arguments"]["workload"] == "payment-service"
    assert second["spoken"]
    turns = told("turns", "--limit", "3", home=home)
    assert [turn["person"] for turn in turns] == ["张敏"] * 3


def test_a_stranger_hears_nothing_and_the_command_ends_with_four(home: Path, tmp_path: Path) -> None:
    clip = spoken("你好小智，昨天有哪些告警", tmp_path, variant=STRANGER, words_per_minute=150)
    file = recorded(clip, tmp_path / "stranger.wav")
    (heard,) = told("hear", file, "--scenario", "yesterday", home=home, expect=4)
    assert (heard["speaker"]["accepted"], heard["speaker"]["name"], heard["plan"]) == (False, None, [])
    assert "没认出" in heard["spoken"]


def test_a_dry_run_only_plans(home: Path, tmp_path: Path) -> None:
    clip = spoken("你好小智，昨天有哪些告警", tmp_path, words_per_minute=158)
    (heard,) = told("hear", recorded(clip, tmp_path / "plan.wav"), "--dry-run", home=home)
    assert [call["tool"] for call in heard["plan"]] == ["list_alerts"]
    assert heard["spoken"] == ""


def test_a_file_that_is_no_sound_is_named(home: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.wav").write_bytes(b"no sound")
    done = command("hear", str(tmp_path / "broken.wav"), "--dry-run", home=home, expect=1)
    assert "broken.wav" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wake_phrase_that_cannot_be_listened_for_is_refused_in_a_sentence(
    home: Path, tmp_path: Path
) -> None:
    file = recorded(silence(1), tmp_path / "silence.wav")
    done = command("hear", file, "--wake-phrase", "hello", "--scenario", "yesterday", home=home, expect=1)
    assert done.stderr.startswith("error: the wake phrase 'hello' is not Chinese")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["有哪些集群"], 0),
        (["天上有几颗星星呀"], 1),
        (["有哪些集群", "--now", "2026-11-20T08:00:00+08:00"], 2),
        (["重启订单服务", "--as", "李雷"], 3),
    ],
)
def test_ask_ends_with_what_came_of_it(home: Path, words: list[str], status: int) -> None:
    command("ask", *words, "--scenario", "yesterday", home=home, expect=status)
