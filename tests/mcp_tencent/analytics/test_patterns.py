"""Log templates: lines that differ in their values only are one."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.analytics.patterns_drain3 import PatternMiner, masked, readable
from mcp_tencent.local_cloud.conditions import LogPattern
from mcp_tencent.local_cloud.logs.generation.slots import Scene, Template

PROFILES = Path(__file__).parents[3] / "mcp_tencent" / "local_cloud" / "log_profiles.yaml"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("用户123456登录失败，剩余3次", "用户<NUM>登录失败，剩余<NUM>次"),
        ("2026年11月20日03:04 证书将在3天后过期", "<TIME> 证书将在<DUR>后过期"),
        ("[2026-11-20T03:04:05.678+08:00] 启动", "[<TIME>] 启动"),
        ("订单SO0123456789支付成功", "订单<ID>支付成功"),
        ("耗时1.5秒，内存512MiB，占用85%", "耗时<DUR>，内存<SIZE>，占用<NUM>"),
        ("商品“蓝牙耳机”缺货", "商品<STR>缺货"),
        ("user 'bob' denied, can't continue", "user <STR> denied, can't continue"),
        ("来自10.0.0.1:8080的请求", "来自<IP>的请求"),
        ("trace=0af7651916cd43dd8448eb211c80319c", "trace=<HEX>"),
        ("id 123e4567-e89b-12d3-a456-426614174000 gone", "id <UUID> gone"),
        ("驱逐 order-service-7d9f8c6b5d-x2k4p", "驱逐 order-service<POD>"),
        ("状态码503，重试第2次", "状态码503，重试第<NUM>次"),
        ("status=502 cost=45ms", "status=502 cost=<DUR>"),
        ("v2.7.1 发布", "v2.7.1 发布"),
        ("utf8 http2 s3", "utf8 http2 s3"),
    ],
)
def test_values_are_masked_even_between_chinese_characters(line: str, expected: str) -> None:
    assert masked(line) == expected


def test_a_stack_trace_is_named_by_its_exception() -> None:
    text = "处理请求异常 user=42\njava.lang.IllegalStateException: unexpected\n\tat com.shop.A.b(A.java:61)"
    assert masked(text) == "处理请求异常 user=<NUM> java.lang.IllegalStateException"


def test_every_kind_of_line_of_the_local_cloud_is_found_again() -> None:
    profiles = yaml.safe_load(PROFILES.read_text(encoding="utf-8"))
    rng = Random(3)
    scene = Scene(namespace="shop", workload="w", container="app", timezone="Asia/Shanghai")
    scene.timestamp_ms = 1_795_000_000_000
    kinds = [one for profile in profiles.values() for half in profile.values() for one in half]
    miner = PatternMiner()
    for one in kinds:
        template = Template(
            LogPattern(template=one["template"], level=one.get("level", "ERROR"), per_minute=1.0)
        )
        for _ in range(25):
            miner.add(template.fill(rng, scene)[0])
    patterns = miner.patterns()
    assert len(kinds) - 2 <= len(patterns) <= len(kinds)
    assert sum(pattern.count for pattern in patterns) == 25 * len(kinds)


def test_different_status_codes_are_different_messages() -> None:
    miner = PatternMiner()
    for number in range(20):
        miner.add(f'10.0.0.{number} - - "POST /api/orders HTTP/1.1" 200 {number} "-" rt={number}ms')
        miner.add(f'10.0.0.{number} - - "POST /api/orders HTTP/1.1" 502 {number} "-" rt={number}ms')
    assert sorted(pattern.count for pattern in miner.patterns()) == [20, 20]


def test_weights_count_for_the_lines_they_stand_for() -> None:
    miner = PatternMiner()
    miner.add("连接超时 1ms", 40.0)
    miner.add("连接超时 2ms", 2.5)
    (pattern,) = miner.patterns()
    assert pattern.count == 42.5
    assert pattern.example == "连接超时 1ms"


def test_memory_is_bounded_and_what_is_forgotten_is_counted() -> None:
    miner = PatternMiner(most_patterns=50)
    words = [f"{a}{b}" for a in "甲乙丙丁戊己庚辛壬癸" for b in "子丑寅卯辰巳午未申酉戌亥"]
    for word in words:
        miner.add(f"{word} {word} {word}")
    kept = miner.patterns()
    assert len(kept) <= 50
    assert sum(pattern.count for pattern in kept) + miner.forgotten == len(words)


def test_a_miner_knows_lines_like_those_it_has_seen_only() -> None:
    miner = PatternMiner()
    miner.add_all(["慢查询 耗时 12 毫秒", "缓存命中 key=item:SO00001"])
    assert miner.knows("慢查询 耗时 99 毫秒")
    assert not miner.knows("证书将在 3 天后过期 host=a")


def test_a_template_is_read_out_without_its_places() -> None:
    assert readable("<TIME> INFO 证书将在 <DUR>后过期 host=<*>") == "证书将在 …后过期 host=…"
    assert readable("<*>") == "…"


@given(st.text(max_size=300))
def test_any_text_can_be_masked_and_mined(text: str) -> None:
    miner = PatternMiner(most_patterns=5)
    miner.add(text)
    assert len(miner.patterns()) == 1
