"""Keywords: what a period is about, not what stands in every line."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mcp_tencent.analytics.keywords_jieba import Document, keywords, words

ROUTINE = [
    "收到请求 method=GET path=/api/v1/items user=1",
    "request completed status=200 cost=3ms",
    "缓存命中 item",
]


def test_what_comes_up_in_few_slices_beats_routine() -> None:
    documents = [Document(texts=ROUTINE * 20) for _ in range(10)]
    documents[4] = Document(texts=[*ROUTINE * 20, *["证书即将过期 host=pay.shop.example"] * 10])
    best = [keyword.word for keyword in keywords(documents, 4)]
    assert {"证书", "过期"} <= set(best)
    assert "缓存" not in best


def test_english_terms_stay_whole_and_values_are_no_words() -> None:
    found = list(
        words("order-service: java.lang.NullPointerException at 10.0.0.1 trace=0af7651916cd43dd status=500")
    )
    assert found == ["order-service", "java.lang.NullPointerException"]


def test_chinese_is_parted_into_words_without_stop_words() -> None:
    found = list(words("连接池已经耗尽，支付渠道触发熔断"))
    assert {"连接池", "耗尽", "支付", "渠道", "熔断"} <= set(found)
    assert "已经" not in found
    assert all(len(word) > 1 for word in found)


def test_weights_count() -> None:
    light = keywords([Document(texts=["死锁"]), Document(texts=["超时"])], 2)
    heavy = keywords([Document(texts=["死锁"]), Document(texts=["超时"], weight=50.0)], 2)
    assert light[0].score == light[1].score
    assert heavy[0].word == "超时"
    assert heavy[0].count == 50.0


def test_nothing_gives_nothing() -> None:
    assert keywords([], 5) == []
    assert keywords([Document(texts=["", "12345"])], 5) == []


def test_no_dictionary_is_left_in_the_shared_temporary_folder() -> None:
    before = set(Path(tempfile.gettempdir()).glob("jieba*"))
    assert list(words("证书过期"))
    assert set(Path(tempfile.gettempdir()).glob("jieba*")) == before
