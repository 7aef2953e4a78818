"""From a sentence to a query, by rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.basic.query_writing import split_statement, statement_in, write_query
from mcp_tencent.local_cloud.logs.query.nodes import QuerySyntax
from mcp_tencent.local_cloud.logs.query.parsing import parse
from mcp_tencent.models.logs import FieldType, IndexField


def field(name: str, kind: FieldType = FieldType.TEXT) -> IndexField:
    return IndexField(name=name, type=kind, tokenizer="", analysable=True, chinese=False)


FIELDS = [field("level"), field("workload"), field("status"), field("latency_ms", FieldType.LONG)]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("最近的错误日志", "level:ERROR"),
        ("状态码503", "status:503"),
        ("状态码为 503 的日志", "status:503"),
        ("502或504的错误", "(status:502 OR status:504) AND level:ERROR"),
        (
            "order-service 里包含“库存不足”的错误日志",
            'workload:"order-service" AND "库存不足" AND level:ERROR',
        ),
        ("不包含“健康检查”的警告", 'NOT "健康检查" AND level:WARN'),
        ("status:500 and NOT level:INFO", "status:500 AND NOT level:INFO"),
        ("latency_ms大于500的日志", "latency_ms:>500"),
        ("提到支付超时的日志", '"支付超时"'),
        ("NullPointerException in order-service", '"NullPointerException" AND workload:"order-service"'),
        (
            "find errors with status 503 from item-service",
            'level:ERROR AND status:503 AND workload:"item-service"',
        ),
        ("返回状态码不是200的请求", "* AND NOT status:200"),
        ("10.0.0.4 的日志", '"10.0.0.4"'),
        ("错误或警告，但不含 DEBUG", "(level:ERROR OR level:WARN) AND NOT level:DEBUG"),
        ("证书即将过期", '"证书即将过期"'),
        ("5xx", "status:5*"),
        ("查一下所有日志", "*"),
        ('包含"a \\" 的', '"a \\\\"'),
    ],
)
def test_sentences_become_searches(text: str, query: str) -> None:
    assert write_query(text, FIELDS).query == query


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("有多少错误", "select count(*) as count"),
        ("按服务统计错误数量", 'group by "workload" order by count desc limit 100'),
        ("5xx最多的前5个服务", 'group by "workload" order by count desc limit 5'),
        ("每小时有多少错误", "interval 1 hour"),
        ("哪个服务报错最多", "limit 10"),
    ],
)
def test_questions_for_numbers_become_selects(text: str, sql: str) -> None:
    assert sql in write_query(text, FIELDS).sql


def test_a_numeric_status_is_compared_and_a_missing_field_is_searched_as_text() -> None:
    assert write_query("5xx", [field("status", FieldType.LONG)]).query == "(status:>=500 AND status:<600)"
    assert write_query("503 的错误", []).query == "503 AND ERROR"


def test_numbers_of_things_are_no_status_codes() -> None:
    assert "500" not in write_query("有多少条500毫秒的", FIELDS).query
    assert write_query("最近100条错误", FIELDS).query == "level:ERROR"


def test_what_was_not_understood_is_said() -> None:
    written = write_query("order-service 的错误跟月亮有关", FIELDS)
    assert written.query == 'workload:"order-service" AND level:ERROR'
    assert "月亮" in written.not_understood
    assert write_query("状态码503的错误", FIELDS).not_understood == ""


@given(st.text(max_size=200))
def test_whatever_is_said_the_query_parses(text: str) -> None:
    if any(char == "\0" or "\ud800" <= char <= "\udfff" for char in text):
        return
    parse(write_query(text, FIELDS).query, QuerySyntax.CQL)


@given(
    st.lists(
        st.sampled_from(
            ["错误", "503", "或", "不含", "“a b”", "order-service", "status:500", "超时", "5xx", "10.0.0.1",
             "latency_ms>5", "OR", "not", '"x\\"', "'y'", "警告",
             "包含库存", "按服务统计", "|", "前3个服务", "(", "、"]
        ),
        max_size=8,
    )
)  # fmt: skip
def test_whatever_is_put_together_the_query_parses(parts: list[str]) -> None:
    parse(write_query(" ".join(parts), FIELDS).query, QuerySyntax.CQL)


def test_the_service_s_answer_holds_a_statement() -> None:
    answer = "检索分析语句如下：\n\n```sql\nlevel:ERROR | select count(*) as n\n```\n\n识别到：级别。"
    assert statement_in(answer) == ("level:ERROR", "select count(*) as n")
    assert statement_in("```\nstatus:503\n```") == ("status:503", "")
    assert statement_in("我不知道\n怎么写") is None
    assert statement_in("") is None


def test_a_bar_within_quotes_parts_nothing() -> None:
    assert split_statement("\"a|b\" AND 'c|d' | select 1") == ("\"a|b\" AND 'c|d'", "select 1")
    assert split_statement(r"a\|b") == (r"a\|b", "")
