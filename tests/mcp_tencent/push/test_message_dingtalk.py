import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.push.message import Link, Report
from mcp_tencent.push.senders.message_dingtalk import (
    MAX_PARTS,
    MAX_TEXT_BYTES,
    dingtalk_messages,
    split_lines,
)
from tests.mcp_tencent.push.sample_reports import DIGEST, SHORT, WITH_BUTTON


def markdown_of(body: str) -> str:
    return str(json.loads(body)["markdown"]["text"])


def test_a_short_report_is_one_markdown_message_that_calls_by_name() -> None:
    (body,) = dingtalk_messages(SHORT)
    message = json.loads(body)
    assert message["msgtype"] == "markdown"
    assert message["markdown"]["title"] == "支付服务异常"
    assert message["at"] == {"atMobiles": ["13800138000"], "isAtAll": False}
    assert "@13800138000" in message["markdown"]["text"], "only then the group sees the name"


def test_something_to_click_makes_an_action_card() -> None:
    (body,) = dingtalk_messages(WITH_BUTTON)
    card = json.loads(body)
    assert card["msgtype"] == "actionCard"
    assert card["actionCard"]["singleTitle"] == "查看事件"
    assert card["actionCard"]["singleURL"] == "https://console.example.com/incidents/43"


def test_several_links_are_several_buttons() -> None:
    more = replace(WITH_BUTTON, links=(*WITH_BUTTON.links, Link(title="回滚", url="https://example.com/r")))
    card = json.loads(dingtalk_messages(more)[0])["actionCard"]
    assert [button["title"] for button in card["btns"]] == ["查看事件", "回滚"]


def test_mentions_win_over_buttons_because_a_card_cannot_call_anybody() -> None:
    (body,) = dingtalk_messages(replace(WITH_BUTTON, mentions=("13800138000",)))
    assert json.loads(body)["msgtype"] == "markdown"
    assert "[查看事件](https://console.example.com/incidents/43)" in markdown_of(body)


def test_tables_become_lists_and_code_becomes_quotes() -> None:
    text = markdown_of(dingtalk_messages(DIGEST)[0])
    assert (
        "- 事件：镜像拉不下来；集群：生产-广州；工作负载：order-service；评分：82；结果：回滚后自愈" in text
    )
    assert "|" not in text
    assert "```" not in text
    assert "> 2026-11-20T18:14:03.221Z ERROR payment" in text


def test_a_line_of_bars_without_a_rule_below_is_left_alone() -> None:
    text = markdown_of(dingtalk_messages(replace(SHORT, markdown="| 不是表格"))[0])
    assert "| 不是表格" in text


def test_the_robots_keyword_is_added_only_where_it_is_missing() -> None:
    (body,) = dingtalk_messages(SHORT, keyword="小智")
    assert markdown_of(body).count("小智") == 1
    (body,) = dingtalk_messages(SHORT, keyword="支付")
    assert markdown_of(body).count("支付") == markdown_of(dingtalk_messages(SHORT)[0]).count("支付")


def test_a_long_report_becomes_numbered_messages_below_the_limit() -> None:
    long = replace(DIGEST, markdown="\n".join(f"- 第 {n} 条：" + "日志" * 40 for n in range(200)))
    bodies = dingtalk_messages(long, keyword="小智")
    assert len(bodies) > 1
    assert all(len(body.encode()) <= 20_000 for body in bodies)
    assert json.loads(bodies[0])["markdown"]["title"].endswith(f"（1/{len(bodies)}）")
    joined = "\n".join(markdown_of(body) for body in bodies)
    assert all(f"第 {n} 条：" in joined for n in range(200)), "nothing is lost"
    assert all("小智" in markdown_of(body) for body in bodies)


def test_mentions_are_made_once() -> None:
    long = replace(SHORT, markdown="- 一行\n" * 4000)
    mentioned = [json.loads(body)["at"]["atMobiles"] for body in dingtalk_messages(long)]
    assert mentioned[0] == ["13800138000"]
    assert all(not later for later in mentioned[1:])


def test_what_is_beyond_the_last_part_is_counted_not_sent() -> None:
    endless = replace(SHORT, mentions=(), markdown="\n".join("x" * 1000 for _ in range(200)))
    bodies = dingtalk_messages(endless)
    assert len(bodies) == MAX_PARTS
    shown = sum(markdown_of(body).count("x" * 1000) for body in bodies)
    assert f"后面还有 {200 - shown} 行" in markdown_of(bodies[-1])


@given(st.text(), st.integers(min_value=4, max_value=50))
def test_pieces_fit_and_lose_no_character(text: str, limit: int) -> None:
    pieces = split_lines(text, limit)
    assert all(len(piece.encode()) <= limit for piece in pieces)
    assert "".join(pieces).replace("\n", "") == text.replace("\n", "")


@given(st.lists(st.text(alphabet="ab中", max_size=8), min_size=1), st.integers(min_value=30, max_value=60))
def test_short_lines_are_never_cut(lines: list[str], limit: int) -> None:
    text = "\n".join(lines)
    assert "\n".join(split_lines(text, limit)) == text


@given(st.text(max_size=3000), st.text(min_size=1).filter(str.strip))
def test_any_report_gives_valid_messages_below_the_limit(markdown: str, title: str) -> None:
    report = Report(reference="r", title=title[:100], spoken="摘要", markdown=markdown)
    for body in dingtalk_messages(report):
        assert json.loads(body)["markdown"]["text"]
        assert len(body.encode()) <= 20_000
    assert MAX_TEXT_BYTES < 20_000
