from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_tencent.local_cloud.conditions import Timeline
from mcp_tencent.local_cloud.logs.answers import Analysis, Cell, Window
from mcp_tencent.local_cloud.logs.errors import AnalysisFailed, AnalysisTooExpensive, SqlSyntaxError
from mcp_tencent.local_cloud.logs.lines import LogLine
from mcp_tencent.local_cloud.logs.query.nodes import QuerySyntax
from mcp_tencent.local_cloud.logs.store import LogStore
from mcp_tencent.local_cloud.logs.topics import to_datetime
from mcp_tencent.local_cloud.simulation import ManualClock
from tests.mcp_tencent.local_cloud.logs.order_day import INDEX, START, made_source

Ask = Callable[[str], Analysis]
Windows = Callable[[float, float], Window]


@pytest.fixture
def ask(store: LogStore, window: Windows) -> Ask:
    return lambda statement: store.analyze(("shop",), statement, QuerySyntax.CQL, window(1, 4))


@pytest.fixture
def written(timeline: Timeline) -> list[LogLine]:
    return list(made_source(timeline).lines(START + timedelta(hours=1), START + timedelta(hours=4)))


def fields(lines: list[LogLine], key: str) -> list[str]:
    return [dict(line.fields)[key] for line in lines if key in dict(line.fields)]


def one(analysis: Analysis) -> Cell:
    assert len(analysis.rows) == 1
    return analysis.rows[0][0]


def test_groups_are_counted_by_name_alias_and_ordinal(ask: Ask, written: list[LogLine]) -> None:
    expected = tuple(Counter(fields(written, "level")).most_common())
    for group in ("level", "kind", "1"):
        assert (
            ask(f"* | SELECT level AS kind, count(*) AS c GROUP BY {group} ORDER BY c DESC").rows == expected
        )


def test_numbers_are_aggregated_as_numbers(ask: Ask, written: list[LogLine]) -> None:
    latencies = [int(value) for value in fields(written, "latency_ms")]
    row = ask(
        "* | select sum(latency_ms), min(latency_ms), max(latency_ms), avg(latency_ms), count(latency_ms), "
        "approx_percentile(latency_ms, 0.5), count_if(latency_ms > 100), approx_distinct(status)"
    ).rows[0]
    assert row[:3] == (sum(latencies), min(latencies), max(latencies))
    assert row[3] == pytest.approx(sum(latencies) / len(latencies))
    assert row[4] == len(latencies)
    assert row[5] == pytest.approx(sorted(latencies)[len(latencies) // 2], rel=0.05)
    assert row[6] == sum(value > 100 for value in latencies)
    assert row[7] == len(set(fields(written, "status")))


def test_the_search_half_filters(ask: Ask, written: list[LogLine]) -> None:
    expected = sum(value == "404" for value in fields(written, "status"))
    assert one(ask("status:404 | select count(*) as c")) == expected
    assert one(ask("* | select count(*) as c from log where status = 404")) == expected


def test_unnamed_columns_have_prestos_names(ask: Ask) -> None:
    columns = ask("* | select level, count(*), max(latency_ms) as m group by level").columns
    assert [(column.name, column.type) for column in columns] == [
        ("level", "varchar"),
        ("_col1", "bigint"),
        ("m", "bigint"),
    ]


def test_a_histogram_counts_by_the_clock_of_utc8(ask: Ask, written: list[LogLine]) -> None:
    expected = Counter(
        (to_datetime(line.timestamp_ms) + timedelta(hours=8)).strftime("%Y-%m-%d %H:00:00.000")
        for line in written
    )
    for time in ("__TIMESTAMP__", "cast(__TIMESTAMP__ as timestamp)"):
        analysis = ask(
            f"* | select histogram({time}, interval 1 hour) as t, count(*) as c group by t order by t"
        )
        assert {row[0]: row[1] for row in analysis.rows} == expected
        assert analysis.columns[0].type == "timestamp"


def test_a_time_series_fills_in_steps_without_logs(store: LogStore, window: Windows) -> None:
    analysis = store.analyze(
        ("shop",),
        "level:ERROR | select time_series(__TIMESTAMP__, '1m', '%H:%i', '0') as t, count(*) as c "
        "group by t order by t",
        QuerySyntax.CQL,
        window(1, 2),
    )
    assert [row[0] for row in analysis.rows] == [f"09:{minute:02d}" for minute in range(60)]
    counts = [row[1] for row in analysis.rows]
    assert 0 in counts
    assert sum(count for count in counts if isinstance(count, int)) == store.count(
        ("shop",), "level:ERROR", QuerySyntax.CQL, window(1, 2)
    )


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("7/2", 3),
        ("7/2.0", 3.5),
        ("from_unixtime(0)", "1970-01-01 00:00:00.000"),
        ("from_unixtime(1.5, 'Asia/Shanghai')", "1970-01-01 08:00:01.500"),
        ("date_format(from_unixtime(60), '%Y-%m-%d %H:%i:%s')", "1970-01-01 00:01:00"),
        ("date_trunc('hour', from_unixtime(7199))", "1970-01-01 01:00:00.000"),
        ("to_unixtime(from_unixtime(5))", 5.0),
        ("date_diff('second', from_unixtime(1), from_unixtime(61))", 60),
        ("cast('12' as bigint)", 12),
        ("try_cast('x' as bigint)", None),
        ("regexp_like('order 42', '\\d+')", True),
        ("regexp_extract('order 42', '(\\d)(\\d)', 2)", "2"),
        ("'a_b' like '%b'", True),
        ("case when 1 > 2 then 'a' else 'b' end", "b"),
        ("if(1 > 2, 'a', 'b')", "b"),
        ("coalesce(null, 'x')", "x"),
        ("concat('订', '单')", "订单"),
        ("substr('abcdef', 2, 3)", "bcd"),
        ("split_part('a/b/c', '/', 2)", "b"),
        ("lower('ABC') || upper('d')", "abcD"),
        ("round(2.345, 2)", 2.35),
        ("json_extract_scalar('{\"a\": {\"b\": 7}}', '$.a.b')", "7"),
        ("length('订单')", 2),
        ("now()", "2026-11-20 06:20:31.250"),
        ("current_date", "2026-11-20"),
        ("array_join(array['a','b'], '-')", "a-b"),
        ("approx_distinct(1)", 1),
    ],
)
def test_functions_answer_as_prestos_do(ask: Ask, expression: str, expected: Cell) -> None:
    found = ask(f"* | select {expression} as x limit 1").rows[0][0]
    assert found == (pytest.approx(expected) if isinstance(expected, float) else expected)


def test_a_hundred_rows_come_unless_a_limit_says_otherwise(ask: Ask) -> None:
    assert len(ask("* | select __TIMESTAMP__").rows) == 100
    assert len(ask("* | select __TIMESTAMP__ limit 150").rows) == 150
    with pytest.raises(SqlSyntaxError, match="LIMIT"):
        ask("* | select __TIMESTAMP__ limit 2000000")


def test_all_built_in_and_indexed_columns_are_there(ask: Ask) -> None:
    analysis = ask("level:ERROR | select * limit 1")
    row = dict(zip((column.name for column in analysis.columns), analysis.rows[0], strict=True))
    assert row["level"] == "ERROR"
    assert row["status"] is None
    assert "失败" in str(row["__CONTENT__"])
    assert str(row["__SOURCE__"]).startswith("10.0.0.")
    assert str(row["__TAG__.pod_name"]).startswith("order-")
    assert row["__FILENAME__"]
    assert row["__HOSTNAME__"]


def test_sub_selects_and_common_tables_work(ask: Ask, written: list[LogLine]) -> None:
    levels = Counter(fields(written, "level"))
    assert one(ask("* | select max(c) from (select level, count(*) as c group by level)")) == max(
        levels.values()
    )
    assert one(ask("* | with a as (select level from log) select count(distinct level) from a")) == len(
        levels
    )


def test_an_analysis_without_logs_has_no_groups(store: LogStore, window: Windows) -> None:
    empty = store.analyze(
        ("shop",), "* | select level, count(*) group by level", QuerySyntax.CQL, window(50, 60)
    )
    assert empty.rows == ()
    assert one(store.analyze(("shop",), "* | select count(*)", QuerySyntax.CQL, window(50, 60))) == 0


def test_two_topics_are_analysed_as_one(store: LogStore, timeline: Timeline, window: Windows) -> None:
    store.add_topic("bare", None)
    store.set_index("bare", INDEX)
    store.add_source("bare", made_source(timeline), since=START)
    statement = '* | select count(*), count(distinct "__TAG__.pod_name")'
    single = store.analyze(("shop",), statement, QuerySyntax.CQL, window(1, 2)).rows[0]
    double = store.analyze(("shop", "bare"), statement, QuerySyntax.CQL, window(1, 2)).rows[0]
    assert double[0] == 2 * int(str(single[0]))
    assert double[1] == single[1]


@pytest.mark.parametrize(
    "sql",
    [
        "attach '/tmp/x.db' as x",
        "copy log to '/tmp/x.csv'",
        "copy (select 1) to '/tmp/x.csv'",
        "pragma version",
        "set threads = 9",
        "install httpfs",
        "load httpfs",
        "call pragma_version()",
        "create table x as select 1",
        "insert into log values (1)",
        "update log set level = 'x'",
        "delete from log",
        "drop table origins",
        "alter table log add column x int",
        "explain select 1",
        "describe log",
        "show tables",
        "values (1)",
        "select 1; select 2",
        "select 1; drop table origins",
        "select * from read_csv('/etc/passwd')",
        "select * from read_csv_auto('/etc/passwd')",
        "select * from read_text('/etc/passwd')",
        "select * from read_parquet('s3://x/y')",
        "select * from read_json('http://example.com')",
        "select * from '/etc/passwd'",
        'select * from "/etc/passwd"',
        "select * from glob('*')",
        "select read_text('/etc/passwd')",
        "select * from origins",
        "select * from lines_0",
        "select * from main.origins",
        "select * from information_schema.tables",
        "select * from duckdb_settings()",
        "select * from pragma_database_list()",
        "select * from query('select 1')",
        "select * from query_table('origins')",
        "select current_setting('threads')",
        "select getenv('HOME')",
        "select nextval('x')",
        "select level into x from log",
        "select (select count(*) from origins)",
        "select level from log where level in (select hostname from origins)",
        "with origins2 as (select * from origins) select * from origins2",
        "with recursive a as (select 1 as n union all select n + 1 from a) select * from a",
        "select ?",
        "select $1",
        "select * from log tablesample (1), lines_1",
        "",
        "select",
        "foo",
    ],
)
def test_nothing_but_one_harmless_select_is_let_through(ask: Ask, sql: str) -> None:
    with pytest.raises(SqlSyntaxError):
        ask(f"* | {sql}")


def test_a_foreign_quote_does_not_leave_its_text(ask: Ask) -> None:
    assert (
        one(ask("* | select 'it''s -- ; drop table origins' as x limit 1")) == "it's -- ; drop table origins"
    )
    assert (
        ask('* | select count(*) as "a""b; drop table origins"').columns[0].name == 'a"b; drop table origins'
    )


@pytest.mark.parametrize(
    ("statement", "at"),
    [
        ("* | select count(* from log", "from"),
        ("* | select\n level,\n nosuch", "nosuch"),
        ("* | select level, frobnicate(level)", "frobnicate"),
        ("level:ERROR | select a.level from elsewhere a", "elsewhere"),
        ("* | select level +", "+"),
    ],
)
def test_a_mistake_is_pointed_at(ask: Ask, statement: str, at: str) -> None:
    with pytest.raises(SqlSyntaxError) as caught:
        ask(statement)
    assert abs(caught.value.position - statement.index(at)) <= 1


def test_failures_on_the_data_are_no_syntax_errors(ask: Ask) -> None:
    with pytest.raises(AnalysisFailed):
        ask("* | select cast(level as bigint)")
    with pytest.raises(AnalysisFailed):
        ask("* | select 1/0")


def test_too_much_memory_ends_the_analysis_and_not_the_store(timeline: Timeline, clock: ManualClock) -> None:
    store = LogStore(clock=clock, memory_limit_mb=100)
    store.add_topic("shop", INDEX)
    store.add_source("shop", made_source(timeline), since=START)
    ever = Window(from_ms=0, to_ms=2**42)
    with pytest.raises(AnalysisTooExpensive):
        store.analyze(
            ("shop",),
            "* | select cardinality(array_agg(rpad(a.level, 100000, 'x') || b.level)) from log a, log b",
            QuerySyntax.CQL,
            ever,
        )
    assert one(store.analyze(("shop",), "* | select count(*)", QuerySyntax.CQL, ever))


def test_an_analysis_without_end_is_cut_off(timeline: Timeline, clock: ManualClock) -> None:
    store = LogStore(clock=clock, timeout_seconds=0.2)
    store.add_topic("shop", INDEX)
    store.add_source("shop", made_source(timeline), since=START)
    endless = (
        "* | select count(*) from log a, log b, log c where a.__CONTENT__ < b.__CONTENT__ || c.__CONTENT__"
    )
    with pytest.raises(AnalysisTooExpensive):
        store.analyze(("shop",), endless, QuerySyntax.CQL, Window(from_ms=0, to_ms=2**42))


_PIECES = [
    *(
        "select",
        "from",
        "log",
        "count(*)",
        "level",
        ",",
        "(",
        ")",
        "'",
        '"',
        "1",
        "with",
        "a",
        "as",
        "*",
        "limit",
    ),
    *(
        "-1",
        "interval",
        "histogram(",
        "__TIMESTAMP__",
        "union",
        "join",
        "on",
        "[",
        "->",
        "case",
        "end",
        ";",
        "--",
    ),
    *("group by", "order by"),
]


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(), st.lists(st.sampled_from(_PIECES)).map(" ".join)))
def test_any_text_gives_rows_or_an_error_of_ours(text: str) -> None:
    with contextlib.suppress(SqlSyntaxError, AnalysisFailed, AnalysisTooExpensive):
        SHARED.analyze(("shop",), "* | " + text, QuerySyntax.CQL, Window(from_ms=0, to_ms=1))


def _shared() -> LogStore:
    store = LogStore(clock=ManualClock(START))
    store.add_topic("shop", INDEX)
    return store


SHARED = _shared()
