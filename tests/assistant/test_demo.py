"""The demo tells only what happened: its numbers come from the cloud that it ran on."""

from __future__ import annotations

import json

from assistant.demo import run_demo


def said(out) -> list[str]:
    told = json.loads((out / "transcript.json").read_text(encoding="utf-8"))
    return [entry["said"] for entry in told if "said" in entry]


def test_a_bad_release_is_found_rolled_back_and_verified(tmp_path, capsys):
    assert run_demo(tmp_path, "bad-revision")
    told = said(tmp_path)
    assert any("订单服务" in sentence and "发布之后" in sentence for sentence in told)
    assert any("回滚到第2版" in sentence for sentence in told)
    assert told[-1] == "验证通过，问题解决了。"
    assert told[-1] in capsys.readouterr().out


def test_where_nothing_was_released_nothing_is_rolled_back(tmp_path):
    assert run_demo(tmp_path, "quiet")
    assert not any("回滚" in sentence and "不需要" not in sentence for sentence in said(tmp_path))


def test_a_rollback_that_heals_nothing_is_told_as_a_failure(tmp_path):
    """A release that coincides with a dead dependency: the errors stay, and the demo says so."""
    scenario = tmp_path / "coincidence.yaml"
    scenario.write_text(COINCIDENCE, encoding="utf-8")
    assert not run_demo(tmp_path, str(scenario))
    assert said(tmp_path)[-1] == "错误没有明显减少，需要人工处理。"


COINCIDENCE = """
name: coincidence
title: 巧合
seed: 7
history: 1d
clusters:
  - id: cls-test0001
    name: 测试集群
    region: ap-guangzhou
    node_pools: [{id: np-test0001, name: 默认节点池, nodes: 2}]
    namespaces: [{name: shop}]
    workloads:
      - name: cart-service
        namespace: shop
        replicas: 2
        revisions:
          - {image: "ccr.ccs.tencentyun.com/shop/cart-service:v1", cause: 第一版}
          - {image: "ccr.ccs.tencentyun.com/shop/cart-service:v2", at: -2h, cause: 第二版}
        logs: {topic: 日志, profile: java-web, per_minute: 10}
logsets:
  - name: 日志集
    region: ap-guangzhou
    cluster: cls-test0001
    topics: [{name: 日志}]
faults:
  - kind: dependency_down
    dependency: order-db
    dependants: [cls-test0001/shop/cart-service]
    start: -2h
    error_ratio: 0.5
"""
