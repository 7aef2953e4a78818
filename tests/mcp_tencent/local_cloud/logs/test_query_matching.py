from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_tencent.local_cloud.logs.answers import SearchQuestion, Window
from mcp_tencent.local_cloud.logs.errors import FieldNotIndexed, QuerySyntaxError
from mcp_tencent.local_cloud.logs.indexing import KeyIndex, TextIndex, TopicIndex, ValueType
from mcp_tencent.local_cloud.logs.lines import LogLine, LogOrigin
from mcp_tencent.local_cloud.logs.query.nodes import (
    Comparator,
    Compare,
    Exists,
    IsEmpty,
    MatchAll,
    Node,
    Phrase,
    QuerySyntax,
    Words,
    all_of,
    any_of,
    negate,
)
from mcp_tencent.local_cloud.logs.query.printing import format_query
from mcp_tencent.local_cloud.logs.store import LogStore
from mcp_tencent.local_cloud.simulation import ManualClock
from tests.mcp_tencent.local_cloud.logs import naive

CQL = QuerySyntax.CQL
EVER = Window(from_ms=0, to_ms=2**40)
ATOMS = [
    "error",
    "Error",
    "errorMessage",
    "err",
    "timeout",
    "api",
    "v1",
    "a",
    "订",
    "单",
    "订单",
    "a*b",
    "x\\y",
    "[7]",
    "~",
]
GLUE = [" ", "/", ":", ",", "", "-", "\n", "=", "  "]
VALUES = ["", "ERROR", "warn", "error/timeout", "订单 a", "7", "12", "12.5", "-3", "1e3", "nan?"]


def _random_text(rng: random.Random) -> str:
    return "".join(rng.choice(ATOMS) + rng.choice(GLUE) for _ in range(rng.randint(0, 6)))


def _lines() -> list[LogLine]:
    rng = random.Random(3)
    tags: list[tuple[tuple[str, str], ...]] = [
        (),
        (("pod", "order-1"),),
        (("pod", "order-2"), ("zone", "订单 error")),
    ]
    origins = [
        LogOrigin(source=f"10.0.0.{n}", filename=f"/var/log/{n}.log", hostname=f"node-{n}", tags=each)
        for n, each in enumerate(tags)
    ]
    return [
        LogLine(
            1000 + number,
            _random_text(rng),
            tuple(
                (key, rng.choice(VALUES)) for key in ("level", "code", "cost", "other") if rng.random() < 0.6
            ),
            rng.choice(origins),
        )
        for number in range(250)
    ]


def _index(text: TextIndex) -> TopicIndex:
    keys = dict.fromkeys(("level", "__TAG__.pod", "__TAG__.zone"), KeyIndex(text=text))
    keys |= {
        "code": KeyIndex(type=ValueType.LONG),
        "cost": KeyIndex(type=ValueType.DOUBLE),
        "never": KeyIndex(),
    }
    return TopicIndex(full_text=text, keys=keys)


INDEXES = [
    _index(TextIndex()),
    _index(TextIndex(case_sensitive=True)),
    _index(TextIndex(contain_zh=False)),
    _index(TextIndex(tokenizer="", contain_zh=False)),
    _index(TextIndex(tokenizer="", contain_zh=True)),
    _index(TextIndex(tokenizer="/-", contain_zh=True)),
]
LINES = [
    line for line in _lines() if not {"12.5", "1e3"} & {value for key, value in line.fields if key == "code"}
]
"""Without fractions in whole-number keys: what the real service makes of them is not documented."""


@pytest.fixture(scope="module")
def full_store() -> LogStore:
    store = LogStore(clock=ManualClock(datetime(2026, 1, 1, tzinfo=UTC)))
    store.add_topic("t", INDEXES[0])
    store.append("t", LINES)
    return store


def _found(store: LogStore, query: str, syntax: QuerySyntax = CQL) -> set[int]:
    question = SearchQuestion(topic_ids=("t",), query=query, window=EVER, syntax=syntax, limit=1000)
    return {log.line.timestamp_ms for log in store.search(question).logs}


_PATTERNS = st.builds(
    lambda first, rest: first + "".join(rest),
    st.sampled_from(
        ["error", "err", "Error", "订", "单a", "api", "\\*", "x\\\\y", "v1", "[7]", "a\\*b", "7", "order"]
    ),
    st.lists(st.sampled_from(["*", "?", "/", " ", "error", "订单", "-1", "timeout", "b", ":"]), max_size=3),
)
_TEXT_KEYS = st.sampled_from(
    [None, "level", "__TAG__.pod", "__TAG__.zone", "__CONTENT__", "__HOSTNAME__", "__FILENAME__", "never"]
)
_NUMBERS = st.sampled_from(["7", "12", "-3", "0", "12.5", "999", "99999999999999999999"])


def _leaves(*, any_token: bool) -> st.SearchStrategy[Node]:
    return st.one_of(
        st.builds(MatchAll),
        st.builds(Words, key=_TEXT_KEYS, pattern=_PATTERNS, any_token=st.just(any_token)),
        st.builds(
            Phrase,
            key=_TEXT_KEYS,
            pattern=_PATTERNS if not any_token else st.sampled_from(["error timeout", "订单", "api v1"]),
        ),
        st.builds(
            Compare,
            key=st.sampled_from(["code", "cost"]),
            comparator=st.sampled_from([each for each in Comparator if each is not Comparator.EQUAL]),
            number=_NUMBERS,
        ),
        st.builds(
            Exists, key=st.sampled_from(["level", "code", "cost", "__TAG__.pod", "never", "__SOURCE__"])
        ),
        st.builds(IsEmpty, key=st.sampled_from(["level", "never", "__TAG__.pod"])),
    )


def _trees(*, any_token: bool) -> st.SearchStrategy[Node]:
    return st.recursive(
        _leaves(any_token=any_token),
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=3).map(all_of),
            st.lists(inner, min_size=2, max_size=3).map(any_of),
            inner.map(negate),
        ),
        max_leaves=5,
    )


@settings(max_examples=250, deadline=None)
@given(index=st.sampled_from(INDEXES), tree=_trees(any_token=False))
def test_cql_finds_what_a_plain_matcher_finds(full_store: LogStore, index: TopicIndex, tree: Node) -> None:
    full_store.set_index("t", index)
    expected = {line.timestamp_ms for line in LINES if naive.matches(line, tree, index)}
    assert _found(full_store, format_query(tree, CQL)) == expected


@settings(max_examples=100, deadline=None)
@given(index=st.sampled_from(INDEXES), tree=_trees(any_token=True))
def test_lucene_finds_what_a_plain_matcher_finds(full_store: LogStore, index: TopicIndex, tree: Node) -> None:
    full_store.set_index("t", index)
    expected = {line.timestamp_ms for line in LINES if naive.matches(line, tree, index)}
    assert _found(full_store, format_query(tree, QuerySyntax.LUCENE), QuerySyntax.LUCENE) == expected


def _one(text: str, query: str, index: TopicIndex | None = None, syntax: QuerySyntax = CQL) -> bool:
    store = LogStore(clock=ManualClock(datetime(2026, 1, 1, tzinfo=UTC)))
    store.add_topic("t", index or TopicIndex())
    store.append("t", [LogLine(5, text, (("level", "FATAL"),), LogOrigin(hostname="node-9"))])
    return bool(_found(store, query, syntax))


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("an errorMessage came", "error", False),
        ("an errorMessage came", "error*", True),
        ("an errorMessage came", "e?rorMess*", True),
        ("an ERROR came", "error", True),
        ("GET /online/sample HTTP/1.1;200", "sample", True),
        ("GET /online/login", "/online/login", True),
        ("GET /login/online", "/online/login", True),
        ("GET /login/online", '"/online/login"', False),
        ("GET /online/login.html", '"/online/log*"', True),
        ("GET /online/login.html", "'/online/log*'", False),
        ("支付超时了", "超时", True),
        ("支付超过时间", "超时", False),
        ("用户登录API超时", "登录 API 超时", True),
        ("plain", "fatal", True),
        ("plain", "node-9", False),
        ("plain", "__HOSTNAME__:node-9", True),
        ("a (b) [c]", '"a b c"', True),
        ("a b", "/", False),
    ],
)
def test_tokens_decide(text: str, query: str, expected: bool) -> None:
    assert _one(text, query) is expected


def test_lucene_takes_one_token_of_a_path_and_cql_wants_all() -> None:
    assert _one("GET /online/logout", "\\/online\\/login", syntax=QuerySyntax.LUCENE)
    assert not _one("GET /online/logout", "\\/online\\/login")


def test_a_key_without_index_cannot_be_asked() -> None:
    with pytest.raises(FieldNotIndexed) as caught:
        _one("x", "a AND level:ERROR")
    assert caught.value.position == 6


def test_words_need_the_full_text_index() -> None:
    with pytest.raises(QuerySyntaxError, match="full-text"):
        _one("x", "x", TopicIndex(full_text=None))


def test_a_text_cannot_be_compared_and_a_number_is_no_word() -> None:
    index = TopicIndex(keys={"level": KeyIndex(), "code": KeyIndex(type=ValueType.LONG)})
    with pytest.raises(QuerySyntaxError, match="text"):
        _one("x", "level:>3", index)
    with pytest.raises(QuerySyntaxError, match="number"):
        _one("x", "code:4*", index)
