"""The demo, played once for real: what it leaves behind, and what must have happened in it."""

from __future__ import annotations

import json
from email import message_from_bytes, policy
from email.message import EmailMessage
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from assistant.demo.actors import Actor
from assistant.demo.performing import perform
from assistant.demo.stage import OWNER, OWNERS_MAIL, STRANGER
from hardware.recordings import read_recording

Entry = dict[str, object]


class Played:
    """What a demo has left behind."""

    def __init__(self, out: Path, shown: str) -> None:
        self.out, self.shown = out, shown
        self.told: list[Entry] = json.loads((out / "transcript.json").read_text(encoding="utf-8"))

    def all(self, event: str) -> list[Entry]:
        return [one for one in self.told if one["event"] == event]

    def one(self, event: str) -> Entry:
        (entry,) = self.all(event)
        return entry


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    out = tmp_path_factory.mktemp("demo")
    console = Console(file=StringIO(), width=120)
    perform(out, console=console)
    assert isinstance(console.file, StringIO)
    return Played(out, console.file.getvalue())


def tools_of(turn: Entry) -> list[str]:
    tools = turn["tools"]
    assert isinstance(tools, list)
    return [str(one["tool"]) for one in tools]


def test_the_night_heals_where_it_may_and_only_there(played):
    incidents = played.one("night")["incidents"]
    healed = {one["title"] for one in incidents if one["result"] == "已恢复"}
    assert healed
    assert healed <= {"风控服务错误率过高", "结算任务超时", "支付服务错误率过高"}, "only pay may act"
    assert any("只观察" in one["why"] for one in incidents)


def test_the_digest_is_spoken_once_and_is_the_real_one(played):
    told = [one for one in played.all("turn") if one["digest"]]
    assert len(told) == 1
    assert told[0]["recognised"] == OWNER
    assert read_recording(played.out / "digest.wav").duration_s == pytest.approx(
        played.one("digest_spoken")["seconds"], abs=0.1
    )
    assert 10 <= played.one("digest_spoken")["seconds"] <= 90
    assert "风控服务" in (played.out / "digest.html").read_text(encoding="utf-8")


def test_the_second_greeting_gets_no_second_digest(played):
    last = played.all("turn")[-1]
    assert (last["outcome"], last["spoken"]) == ("greeted", "我在。")


def test_three_questions_are_answered_from_the_cloud(played):
    looks = [one for one in played.all("turn") if one["outcome"] == "answered" and tools_of(one)]
    tools = {tool for one in looks for tool in tools_of(one)}
    assert len(looks) >= 4, "three questions and the roll-back"
    assert {"diagnose", "roll_back"} <= tools


def test_the_roll_back_is_read_back_confirmed_by_digits_and_verified(played):
    turns = played.all("turn")
    done = next(at for at, one in enumerate(turns) if "roll_back" in tools_of(one))
    read_back, asked = turns[done - 2], turns[done - 1]
    assert read_back["spoken"].endswith("回滚到上一个版本，确认吗？")
    assert asked["spoken"].startswith("请读出这几个数字")
    assert turns[done]["recognised"] == OWNER
    assert not any("roll_back" in tools_of(one) for one in turns[:done])
    assert played.one("verified")["verdict"] == "healed"


def test_a_stranger_is_refused_and_hears_nothing(played):
    (turn,) = [one for one in played.all("turn") if one["who"] == STRANGER][-1:]
    assert turn["recognised"] is None
    assert turn["outcome"] == "refused"
    assert tools_of(turn) == []
    assert "支付" not in turn["spoken"]
    assert played.one("stranger_refused")["audit_lines"] >= 1


def test_the_copies_arrive_by_mail_and_signed_in_the_group(played):
    mail = message_from_bytes((played.out / "mail.eml").read_bytes(), policy=policy.default)
    assert isinstance(mail, EmailMessage)
    assert mail["Subject"] == played.one("mail")["subject"]
    assert OWNERS_MAIL in str(mail["To"])
    assert {part.get_content_type() for part in mail.walk()} >= {"text/plain", "text/html"}
    assert played.one("dingtalk")["refused"] == []
    assert any("日报" in title for title in played.one("dingtalk")["titles"])


def test_what_is_told_on_the_terminal_is_what_happened(played):
    shown = "".join(played.shown.split())
    for turn in played.all("turn"):
        assert "".join(str(turn["heard"]).split()) in shown
    assert played.one("audit")["faults"] == 0


def test_nobody_says_a_thing_twice_exactly_alike(tmp_path):
    actor = Actor(name="甲", variant="steph", folder=tmp_path)
    first, second = (read_recording(actor.record("你好小智")) for _ in range(2))
    assert first.duration_s != second.duration_s
