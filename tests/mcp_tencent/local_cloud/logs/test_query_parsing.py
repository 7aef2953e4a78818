from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.local_cloud.logs.errors import QuerySyntaxError
from mcp_tencent.local_cloud.logs.query.nodes import (
    Comparator,
    Compare,
    Exists,
    IsEmpty,
    MatchAll,
    Node,
    Not,
    Phrase,
    QuerySyntax,
    Words,
    all_of,
    any_of,
    negate,
)
from mcp_tencent.local_cloud.logs.query.parsing import parse
from mcp_tencent.local_cloud.logs.query.printing import format_query

CQL, LUCENE = QuerySyntax.CQL, QuerySyntax.LUCENE


def word(pattern: str, key: str | None = None, *, syntax: QuerySyntax = CQL) -> Words:
    return Words(key=key, pattern=pattern, any_token=syntax is LUCENE)


def lucene(pattern: str, key: str | None = None) -> Words:
    return word(pattern, key, syntax=LUCENE)


def phrase(pattern: str, key: str | None = None) -> Phrase:
    return Phrase(key=key, pattern=pattern)


def compare(key: str, comparator: str, number: str) -> Compare:
    return Compare(key=key, comparator=Comparator(comparator), number=number)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", MatchAll()),
        ("  ", MatchAll()),
        ("*", MatchAll()),
        ("error timeout", all_of([word("error"), word("timeout")])),
        ("error and timeout", all_of([word("error"), word("timeout")])),
        ("a Or b AND c", any_of([word("a"), all_of([word("b"), word("c")])])),
        ("(a or b) c", all_of([any_of([word("a"), word("b")]), word("c")])),
        ("a not b", all_of([word("a"), Not(node=word("b"))])),
        ("not not a", word("a")),
        ("level:(ERROR OR WARN)", any_of([word("ERROR", "level"), word("WARN", "level")])),
        ("level: ERROR", word("ERROR", "level")),
        ('msg:"timed out"', phrase("timed out", "msg")),
        ("'say \"hi\" *'", phrase('say "hi" \\*')),
        ('"/var/log/acc*"', phrase("/var/log/acc*")),
        ("path:/api/v1/ord*", word("/api/v1/ord*", "path")),
        ("status:>=500", compare("status", ">=", "500")),
        ("cost:< 1.5e3", compare("cost", "<", "1.5e3")),
        ("status:=200", compare("status", "=", "200")),
        ("key:*", Exists(key="key")),
        ('key:""', IsEmpty(key="key")),
        ("user\\:bob\\*", word("user:bob\\*")),
        ("__TAG__.pod_name:order-1", word("order-1", "__TAG__.pod_name")),
        ("\\and", word("and")),
        ("android orange nothing", all_of([word("android"), word("orange"), word("nothing")])),
        ("订单 超时", all_of([word("订单"), word("超时")])),
    ],
)
def test_cql_is_read_as_documented(text: str, expected: Node) -> None:
    assert parse(text, CQL) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("error timeout", any_of([lucene("error"), lucene("timeout")])),
        ("a and b", any_of([lucene("a"), lucene("and"), lucene("b")])),
        ("a AND b OR c", any_of([all_of([lucene("a"), lucene("b")]), lucene("c")])),
        ("a && b || c", any_of([all_of([lucene("a"), lucene("b")]), lucene("c")])),
        ("+a b -c", all_of([lucene("a"), negate(lucene("c"))])),
        ("a b -c", all_of([any_of([lucene("a"), lucene("b")]), negate(lucene("c"))])),
        ("NOT a", negate(lucene("a"))),
        ("!a", negate(lucene("a"))),
        ("s:[400 TO 500}", all_of([compare("s", ">=", "400"), compare("s", "<", "500")])),
        ("s:{400 TO *]", compare("s", ">", "400")),
        ("s:[* TO *]", Exists(key="s")),
        ("s:>400", compare("s", ">", "400")),
        ('"a * b"', phrase("a \\* b")),
        ("path:\\/api\\/v1", lucene("/api/v1", "path")),
        ("level:(ERROR WARN)", any_of([lucene("ERROR", "level"), lucene("WARN", "level")])),
    ],
)
def test_lucene_is_read_as_documented(text: str, expected: Node) -> None:
    assert parse(text, LUCENE) == expected


@pytest.mark.parametrize(
    ("syntax", "text", "position"),
    [
        (CQL, "error AND", 9),
        (CQL, "AND error", 0),
        (CQL, "or", 0),
        (CQL, "(a OR b", 7),
        (CQL, "a)", 1),
        (CQL, 'level:"ERR', 6),
        (CQL, "*foo", 0),
        (CQL, "a b:?x", 4),
        (CQL, "a:b:c", 3),
        (CQL, "status:>x", 8),
        (CQL, "status:[400 TO 500]", 7),
        (CQL, "key:", 4),
        (CQL, "a | b", 2),
        (CQL, "a\\", 1),
        (CQL, "a \x00", 2),
        (CQL, "\ud800", 0),
        (LUCENE, "/regex/", 0),
        (LUCENE, "word~", 4),
        (LUCENE, "word^2", 4),
        (LUCENE, "a AND", 2),
        (LUCENE, "k:(a x:b)", 0),
        (LUCENE, "s:[1 TO x]", 8),
    ],
)
def test_an_error_says_where_it_is(syntax: QuerySyntax, text: str, position: int) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        parse(text, syntax)
    assert caught.value.position == position


@pytest.mark.parametrize("syntax", [CQL, LUCENE])
@pytest.mark.parametrize(
    "text",
    [
        "a" * 13_000,
        "a " * 300,
        "(a OR (b AND " * 200 + "c" + "))" * 200,
        "(" * 4_000,
        "NOT (a OR " * 200,
        "a" + "?" * 500,
    ],
)
def test_what_is_too_large_is_refused(text: str, syntax: QuerySyntax) -> None:
    with pytest.raises(QuerySyntaxError):
        parse(text, syntax)


_FRAGMENTS = st.sampled_from(
    [
        "and",
        "OR",
        "not",
        "(",
        ")",
        ":",
        "key:",
        '"',
        "'",
        "\\",
        "*",
        "?",
        ">",
        ">=",
        "[",
        "]",
        "{",
        "TO",
        " ",
        "错误",
        "x",
        "7",
    ]
)


@given(
    st.one_of(st.text(), st.lists(_FRAGMENTS).map("".join), st.lists(_FRAGMENTS).map(" ".join)),
    st.sampled_from(QuerySyntax),
)
def test_reading_anything_gives_a_tree_or_a_syntax_error_within_the_text(
    text: str, syntax: QuerySyntax
) -> None:
    try:
        parse(text, syntax)
    except QuerySyntaxError as error:
        assert 0 <= error.position <= len(text)  # noqa: PT017


def _escaped(text: str) -> str:
    return "".join("\\" + char if char in "*?\\" else char for char in text)


_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=6)
_KEYS = st.one_of(st.none(), _TEXT)
_NUMBERS = st.sampled_from(["0", "-12", "404", "1.5", "2e3"])
_WILD = st.lists(st.one_of(_TEXT.map(_escaped), st.sampled_from("*?")), max_size=3).map("".join)


def _leaves(syntax: QuerySyntax) -> st.SearchStrategy[Node]:
    comparators = [each for each in Comparator if syntax is CQL or each is not Comparator.EQUAL]
    phrases = _TEXT.map(_escaped) if syntax is LUCENE else st.builds(str.__add__, _TEXT.map(_escaped), _WILD)
    return st.one_of(
        st.builds(MatchAll),
        st.builds(
            Words,
            key=_KEYS,
            pattern=st.builds(str.__add__, _TEXT.map(_escaped), _WILD),
            any_token=st.just(syntax is LUCENE),
        ),
        st.builds(Phrase, key=_KEYS, pattern=phrases),
        st.builds(Compare, key=_TEXT, comparator=st.sampled_from(comparators), number=_NUMBERS),
        st.builds(Exists, key=_TEXT),
        st.builds(IsEmpty, key=_TEXT),
    )


def _trees(syntax: QuerySyntax) -> st.SearchStrategy[Node]:
    return st.recursive(
        _leaves(syntax),
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=3).map(all_of),
            st.lists(inner, min_size=2, max_size=3).map(any_of),
            inner.map(negate),
        ),
        max_leaves=8,
    )


@given(st.sampled_from(QuerySyntax).flatmap(lambda syntax: st.tuples(st.just(syntax), _trees(syntax))))
def test_a_tree_that_is_written_and_read_again_is_the_same(case: tuple[QuerySyntax, Node]) -> None:
    syntax, tree = case
    assert parse(format_query(tree, syntax), syntax) == tree
