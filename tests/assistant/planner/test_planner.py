"""Sentences and what becomes of them."""

from datetime import datetime

import pytest

from assistant.planner.inventory import Inventory, Thing
from assistant.planner.plan import Clarification, NoPlan, Plan, PlannedCall, TurnContext
from assistant.planner.planner import Planner

NOW = datetime.fromisoformat("2026-10-12T10:30:00+08:00")
THINGS = Inventory(
    things=(
        Thing(kind="cluster", id="cls-a", names=("甲集群",)),
        Thing(kind="workload", id="pay-gateway", names=("支付网关",), place="trade"),
        Thing(kind="workload", id="pay-callback", names=("支付回调",), place="trade"),
        Thing(kind="workload", id="mail", names=("邮差服务",), place="shop"),
        Thing(kind="workload", id="mail-2", names=("邮差服务",), place="trade"),
        Thing(kind="topic", id="pay-log", names=("支付日志",)),
    ),
    default_cluster="cls-a",
)


@pytest.fixture(scope="module")
def plan():
    planner = Planner()

    def planned(say, context=None):
        return planner.plan(say, inventory=THINGS, now=NOW, context=context)

    return planned


def calls(outcome):
    assert isinstance(outcome, Plan), outcome
    return [(call.tool, dict(call.arguments)) for call in outcome.calls]


def test_a_name_misheard_with_the_same_sound_is_good_enough_to_act(plan):
    assert calls(plan("把支付网管重启一下")) == [("restart_workload", {"workload": "pay-gateway"})]


def test_a_name_that_only_sounds_alike_is_asked_back_before_an_act(plan):
    outcome = plan("把支付网光重启一下")
    assert isinstance(outcome, Plan | Clarification)
    if isinstance(outcome, Plan):
        assert calls(outcome) == [("restart_workload", {"workload": "pay-gateway"})]


def test_a_part_of_two_names_restarts_neither(plan):
    assert not isinstance(plan("重启支付"), Plan)


def test_two_things_of_one_name_are_asked_back_with_their_places(plan):
    outcome = plan("重启邮差服务")
    assert isinstance(outcome, Clarification)
    assert [choice.calls[0].arguments["workload"] for choice in outcome.choices] == ["mail", "mail-2"]
    assert len(outcome.choices) <= 3


@pytest.mark.parametrize(
    "say",
    [
        "千万别重启支付网关",
        "不要重启支付网关",
        "支付网关先别重启",
        "支付网关不能重启",
        "不用重启支付网关了",
        "别再重启支付网关了",
        "要是支付网关挂了就重启它",
        "等会儿重启支付网关",
        "明天重启支付网关",
        "支付网关要不要重启",
        "支付网关重启会不会有影响",
        "为什么重启支付网关",
        "支付网关扩三四个",
        "支付网关扩一下",
        "支付网关再加两个副本",
        "支付网关多几个副本",
        "删掉支付网关",
    ],
)
def test_prohibitions_conditions_and_half_wishes_are_no_acts(plan, say):
    outcome = plan(say)
    acts = {"restart_workload", "scale_workload", "delete_pod", "roll_back", "isolate_workload"}
    assert not isinstance(outcome, Plan) or acts.isdisjoint(call.tool for call in outcome.calls)


def test_a_no_can_be_spoken(plan):
    outcome = plan("千万别重启支付网关")
    assert isinstance(outcome, NoPlan)
    assert outcome.reason == "forbidden"
    assert outcome.spoken


def test_a_missing_argument_is_one_question(plan):
    outcome = plan("把支付网关扩一下")
    assert isinstance(outcome, Clarification)
    assert outcome.missing == "replicas"


def test_several_requests_are_planned_in_order_and_share_the_name(plan):
    assert calls(plan("看看支付回调的日志，然后重启它")) == [
        ("pod_logs", {"workload": "pay-callback"}),
        ("restart_workload", {"workload": "pay-callback"}),
    ]


def test_a_correction_puts_another_name_in_the_last_call(plan):
    last = PlannedCall(tool="pod_logs", arguments={"workload": "pay-callback", "tail": 50})
    context = TurnContext(previous_say="支付回调的日志", last_call=last, last_workload="pay-callback")
    assert calls(plan("不是，是支付网关", context)) == [("pod_logs", {"workload": "pay-gateway", "tail": 50})]


@pytest.fixture
def after_a_restart():
    last = PlannedCall(tool="restart_workload", arguments={"workload": "pay-callback"})
    return TurnContext(previous_say="重启支付回调", last_call=last, last_workload="pay-callback")


@pytest.mark.parametrize(
    "say", ["不对，我说的是支付网关", "听错了我指的是支付网关", "不是支付回调，我说的是支付网关"]
)
def test_an_act_is_corrected_by_its_object_alone(plan, after_a_restart, say):
    assert calls(plan(say, after_a_restart)) == [("restart_workload", {"workload": "pay-gateway"})]


@pytest.mark.parametrize(
    "say",
    [
        "不是支付网关",
        "我说的不是支付网关",
        "不对，我没说支付网关",
        "不对，我说的是支付网关吗",
        "不对，我说的是看看支付网关",
        "不对，我说的是支付网关和支付回调",
        "不对，我说的是别动支付网关",
    ],
)
def test_what_is_denied_asked_or_only_looked_at_corrects_no_act(plan, after_a_restart, say):
    outcome = plan(say, after_a_restart)
    assert not isinstance(outcome, Plan) or all(tool != "restart_workload" for tool, _ in calls(outcome))


def test_it_is_the_thing_that_was_named_last_though_its_restart_is_forbidden(plan, after_a_restart):
    assert calls(plan("别重启支付网关，先看看它的日志", after_a_restart)) == [
        ("pod_logs", {"workload": "pay-gateway"})
    ]


def test_conditions_on_logs_are_joined_as_said(plan):
    assert calls(plan("支付日志里 ERROR 或者状态码五百零三的")) == [
        ("search_logs", {"topic": "pay-log", "query": "ERROR OR status:503"})
    ]


def test_every_piece_of_the_sentence_is_accounted_for(plan):
    outcome = plan("支付网关的 pod")
    assert "".join(one.text for one in outcome.explanations) == "支付网关的pod"


@pytest.mark.parametrize(
    "say",
    [
        "支付网关卡住了，重启吧",
        "支付网关太慢了，给它重启一下",
        "支付网关老报错重启一下",
        "把支付网关重启一下，它没响应了",
    ],
)
def test_why_an_act_is_wanted_is_no_request_of_its_own(plan, say):
    assert calls(plan(say)) == [("restart_workload", {"workload": "pay-gateway"})]


@pytest.mark.parametrize(
    "say",
    [
        "支付网关重启后还报错",
        "支付网关重启失败了",
        "支付网关重启完还是没响应",
        "他们说要重启支付网关",
        "听说支付网关要重启",
    ],
)
def test_what_came_of_an_act_is_no_wish_for_one(plan, say):
    outcome = plan(say)
    assert not isinstance(outcome, Plan) or "restart_workload" not in [call.tool for call in outcome.calls]


@pytest.mark.parametrize(
    ("say", "tool", "arguments"),
    [
        ("支付网关扩到五个，不对，扩到六个", "scale_workload", {"workload": "pay-gateway", "replicas": 6}),
        ("支付网关扩到五个，哦不，六个", "scale_workload", {"workload": "pay-gateway", "replicas": 6}),
        (
            "支付网关从两个扩到四个，不不不，六个",
            "scale_workload",
            {"workload": "pay-gateway", "replicas": 6},
        ),
        ("把支付往观重新启动，不是，重启支付回掉", "restart_workload", {"workload": "pay-callback"}),
        ("重启支付网关，说错了，先看看日志", "pod_logs", {"workload": "pay-gateway"}),
    ],
)
def test_a_slip_put_right_in_the_same_breath_is_planned_as_meant(plan, say, tool, arguments):
    outcome = plan(say)
    assert isinstance(outcome, Plan)
    assert [(call.tool, dict(call.arguments)) for call in outcome.calls] == [(tool, arguments)]


@pytest.mark.parametrize(
    "say",
    ["重启支付网关和支付回调，不对，是支付回调", "重启支付网关，不对", "重启支付网关，不对，别重启了"],
)
def test_a_slip_that_leaves_open_what_is_meant_is_no_act(plan, say):
    assert not isinstance(plan(say), Plan)


@pytest.mark.parametrize(
    ("say", "tools"),
    [
        ("支付网关不用重启，看看日志就行", ["pod_logs"]),
        ("支付网关出个修复方案就行，先别动手", ["plan_remediation"]),
        ("安静二十分钟，我开会", ["mute"]),
        ("支付网关重启过了，跟你说一声", []),
        ("重启支付网关，哈哈开玩笑的", []),
        ("等流量下去再重启支付网关", []),
        ("支付网关扩到负三个", []),
    ],
)
def test_clauses_that_ask_for_nothing_are_left_out_and_change_no_meaning(plan, say, tools):
    outcome = plan(say)
    assert [call.tool for call in outcome.calls] == tools if isinstance(outcome, Plan) else tools == []


def test_an_unknown_name_is_answered_with_those_that_sound_nearest(plan):
    asked = plan("重启网关支付")
    assert isinstance(asked, Clarification)
    assert 1 <= len(asked.choices) <= 3


@pytest.mark.parametrize(
    "say", ["什么是 pod", "节点池是什么意思", "回滚和重启有什么区别", "如果支付网关挂了怎么办"]
)
def test_definitions_and_suppositions_ask_no_tool(plan, say):
    assert isinstance(plan(say), NoPlan)


def test_a_text_that_nobody_speaks_in_one_breath_is_refused(plan):
    assert isinstance(plan("看看支付网关的日志然后" * 30), NoPlan)


@pytest.mark.parametrize("say", ["", " ", "。。。", "啊" * 5000, "\0", "🤖", "select" * 100])
def test_any_text_gets_an_answer(plan, say):
    assert plan(say).explanations is not None
