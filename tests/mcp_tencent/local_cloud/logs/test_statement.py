from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.local_cloud.logs.answers import Window
from mcp_tencent.local_cloud.logs.query.nodes import QuerySyntax
from mcp_tencent.local_cloud.logs.statement import split_statement
from mcp_tencent.local_cloud.logs.time_series import Series, parse_step, strftime_format


@pytest.mark.parametrize(
    ("text", "query", "sql"),
    [
        ("error", "error", None),
        ("error | select 1", "error ", " select 1"),
        ("| select 'a|b'", "", " select 'a|b'"),
        ('"a | b" | select 1', '"a | b" ', " select 1"),
        ("'a | b'", "'a | b'", None),
        ("a\\|b | select 1", "a\\|b ", " select 1"),
        ('"a \\" | b" | s', '"a \\" | b" ', " s"),
    ],
)
def test_a_statement_is_cut_at_its_first_free_bar(text: str, query: str, sql: str | None) -> None:
    statement = split_statement(text)
    assert (statement.query, statement.sql) == (query, sql)


def test_in_lucene_two_bars_are_or_and_an_apostrophe_is_no_quote() -> None:
    statement = split_statement("a || can't | select 1", QuerySyntax.LUCENE)
    assert (statement.query, statement.sql) == ("a || can't ", " select 1")


@given(st.text(), st.sampled_from(QuerySyntax))
def test_both_halves_are_the_whole(text: str, syntax: QuerySyntax) -> None:
    statement = split_statement(text, syntax)
    assert statement.query + ("" if statement.sql is None else "|" + statement.sql) == text
    assert text[statement.sql_offset :] == (statement.sql or "")


@pytest.mark.parametrize(
    ("text", "step_ms"), [("30s", 30_000), ("5m", 300_000), ("1h", 3_600_000), ("1d", 86_400_000)]
)
def test_steps_are_read(text: str, step_ms: int) -> None:
    assert parse_step(text) == step_ms


@pytest.mark.parametrize("text", ["", "0m", "m", "1w", "-1m", "1 m"])
def test_what_is_no_step_is_none(text: str) -> None:
    assert parse_step(text) is None


def test_formats_are_those_of_mysql() -> None:
    assert strftime_format("%Y-%m-%d %H:%i:%s 100%%") == "%Y-%m-%d %H:%M:%S 100%%"
    assert strftime_format("%Q") is None
    assert strftime_format("50%") is None


def test_missing_steps_get_the_padding_and_the_order_is_that_of_time() -> None:
    series = Series(column=1, step_ms=60_000, format="%H:%M", padding=None)
    rows = series.filled([(7, "08:02"), (5, "08:00")], 2, Window(from_ms=0, to_ms=180_000))
    assert rows == [(5, "08:00"), (None, "08:01"), (7, "08:02")]
