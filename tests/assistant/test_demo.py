"""The demo tells only what happened: its numbers come from the cloud that it ran on."""

from __future__ import annotations

import json

from assistant.demo import run_demo


def said(out) -> list[str]:
    told = json.loads((out / "transcript.json").read_text(encoding="utf-8"))
    return [entry["said"] for entry in told if "said" in entry]


def test_a_bad_release_is_found_confirmed_rolled_back_and_verified(tmp_path, capsys):
    assert run_demo(tmp_path, "bad-revision")
    told = said(tmp_path)
    assert any("订单服务应该是新版本有问题" in sentence for sentence in told)
    assert any(sentence.endswith("回滚到上一个版本，确认吗？") for sentence in told)
    assert any(sentence.startswith("订单服务已经恢复") for sentence in told)
    assert "没有改动的痕迹" in told[-1]
    assert told[-1] in capsys.readouterr().out


def test_where_nothing_is_wrong_nothing_is_rolled_back(tmp_path):
    assert run_demo(tmp_path, "quiet")
    assert said(tmp_path)[-1] == "没有可以靠回滚解决的问题。"


def test_a_dead_dependency_is_not_answered_with_a_rollback(tmp_path):
    assert run_demo(tmp_path, "dependency-down")
    assert not any("确认吗" in sentence for sentence in said(tmp_path))
