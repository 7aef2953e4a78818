"""Trigger conditions are understood before they are sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.basic.alarm_conditions import Column, columns_of
from mcp_tencent.errors import InvalidRequest
from mcp_tencent.local_cloud.tencent.cls.alarm_condition import parse_condition


@pytest.mark.parametrize(
    ("condition", "columns"),
    [
        ("$1.count > 10", {(1, "count")}),
        ("$1.count>10&&$1.errors>=3", {(1, "count"), (1, "errors")}),
        ("!($1.a == 'x') || $2.b * 100 / $1.c < 5.5", {(1, "a"), (2, "b"), (1, "c")}),
        ("[$1.错误数] > 5", {(1, "错误数")}),
        ("$1.__QUERYCOUNT__ == 0", {(1, "__QUERYCOUNT__")}),
        ("-$1.delta > 3", {(1, "delta")}),
    ],
)
def test_conditions_name_their_columns(condition: str, columns: set[tuple[int, str]]) -> None:
    assert columns_of(condition) == {Column(query=query, name=name) for query, name in columns}
    parse_condition(condition)  # the service takes it as well


@pytest.mark.parametrize(
    ("condition", "position"),
    [
        ("> 10", 0),
        ("count > 10", 0),
        ("$1.count > ", 10),
        ("$1.count", 8),
        ("$1.a > 1; drop", 8),
        ("($1.a > 1", 9),
        ("$1.a > 1)", 8),
        ("$1.a >> 1", 6),
        ("1 > 2", 0),
        ("", 0),
        ("$1.a > 1 and $1.b > 2", 9),
    ],
)
def test_a_wrong_condition_is_told_where(condition: str, position: int) -> None:
    with pytest.raises(InvalidRequest, match=rf"at character {position}:"):
        columns_of(condition)


def test_long_and_deep_conditions_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="at most 512 characters"):
        columns_of("$1.a > 1" + " && $1.a > 1" * 60)
    with pytest.raises(InvalidRequest, match="nested"):
        columns_of("(" * 30 + "$1.a > 1" + ")" * 30)


@given(st.text(alphabet="$1.ab >=<!&|()+-*/'\"[]0", max_size=40))
def test_what_we_take_the_service_takes(text: str) -> None:
    try:
        columns_of(text)
    except InvalidRequest:
        return
    parse_condition(text)
