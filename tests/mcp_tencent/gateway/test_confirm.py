from __future__ import annotations

from dataclasses import replace

import pytest

from assistant.database import Database
from mcp_tencent.gateway.call import Risk, ToolCall
from mcp_tencent.gateway.confirm import Approval, Confirm, Confirmations, NoPlans, read_back
from mcp_tencent.gateway.errors import ConfirmationRefused, ConfirmationRequired, PlanRefused
from tests.mcp_tencent.gateway.calls import (
    DANGER,
    NIGHT,
    OWNER,
    READ,
    WATCH,
    WRITE,
    HandClock,
    Tool,
    a_call,
    with_policy,
)
from tests.races import race


class Guards:
    """Approves one plan, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[ToolCall] = []

    async def approve(self, call: ToolCall) -> Approval:
        self.asked.append(call)
        good = call.plan == "incident-7"
        return Approval(approved=good, reason="" if good else "outside its window")


async def never_settled(call: ToolCall) -> bool:
    return False


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def confirmations(database: Database, clock: HandClock):
    return Confirmations(database.engine, clock)


@pytest.fixture
def confirm(confirmations):
    return Confirm(confirmations, Guards(), never_settled)


async def ask(confirm, call) -> ConfirmationRequired:
    with pytest.raises(ConfirmationRequired) as asked:
        await confirm(call, Tool())
    return asked.value


@pytest.mark.parametrize("policy", [READ, WRITE])
async def test_a_person_reads_and_writes_without_being_asked(confirm, policy):
    tool = Tool()
    await confirm(a_call(policy), tool)
    assert len(tool.calls) == 1


async def test_a_dangerous_act_is_read_back_first_and_done_on_a_yes(confirm):
    question = await ask(confirm, a_call(DANGER, workload="订单服务"))
    assert question.spoken == "重启订单服务，确认吗？"
    tool = Tool()
    await confirm(a_call(DANGER, workload="订单服务", confirmation=question.token), tool)
    assert len(tool.calls) == 1


async def test_a_yes_counts_once(confirm):
    question = await ask(confirm, a_call(DANGER, workload="orders"))
    yes = a_call(DANGER, workload="orders", confirmation=question.token)
    await confirm(yes, Tool())
    with pytest.raises(ConfirmationRefused):
        await confirm(yes, Tool())


async def test_a_yes_counts_for_a_minute(confirm, clock):
    question = await ask(confirm, a_call(DANGER, workload="orders"))
    clock.advance(60)
    with pytest.raises(ConfirmationRefused):
        await confirm(a_call(DANGER, workload="orders", confirmation=question.token), Tool())


@pytest.mark.parametrize(
    "other",
    [
        a_call(DANGER, workload="payments"),
        a_call(DANGER, workload="orders", namespace="shop"),
        a_call(DANGER, workload="orders", caller=replace(OWNER, name="另一位")),
        a_call(with_policy(DANGER, name="isolate_workload"), workload="orders"),
    ],
    ids=["other workload", "more arguments", "other person", "other tool"],
)
async def test_a_yes_to_one_act_is_no_yes_to_another(confirm, other):
    question = await ask(confirm, a_call(DANGER, workload="orders"))
    tool = Tool()
    with pytest.raises(ConfirmationRefused):
        await confirm(replace(other, confirmation=question.token), tool)
    assert tool.calls == []


@pytest.mark.parametrize("token", ["", "guess", "x" * 10_000, "\ud800"])
async def test_an_invented_token_confirms_nothing(confirm, token):
    with pytest.raises(ConfirmationRefused):
        await confirm(a_call(DANGER, workload="orders", confirmation=token), Tool())


async def test_of_two_that_use_a_token_at_once_one_succeeds(confirmations):
    call = a_call(DANGER, workload="orders")
    token, _ = confirmations.issue(call)
    assert sorted(race([lambda: confirmations.redeem(call, token)] * 4)) == [False, False, False, True]


async def test_a_rehearsal_needs_no_yes(confirm):
    tool = Tool()
    await confirm(a_call(DANGER, workload="orders", dry_run=True), tool)
    assert len(tool.calls) == 1


async def test_a_tool_that_promises_no_rehearsal_is_confirmed_whatever_it_is_told(confirm):
    await ask(confirm, a_call(with_policy(DANGER, has_dry_run=False), dry_run=True))


async def test_what_is_settled_is_not_asked_again(confirmations):
    async def settled(call: ToolCall) -> bool:
        return True

    await Confirm(confirmations, NoPlans(), settled)(a_call(DANGER, workload="orders"), Tool())


@pytest.mark.parametrize("policy", [WRITE, DANGER])
async def test_a_job_acts_under_an_approved_plan(confirm, policy):
    tool = Tool()
    await confirm(a_call(policy, caller=NIGHT, plan="incident-7"), tool)
    assert len(tool.calls) == 1


@pytest.mark.parametrize("plan", [None, "incident-8"])
@pytest.mark.parametrize("policy", [WRITE, DANGER])
async def test_a_job_without_an_approved_plan_changes_nothing(confirm, policy, plan):
    tool = Tool()
    with pytest.raises(PlanRefused):
        await confirm(a_call(policy, caller=NIGHT, plan=plan), tool)
    assert tool.calls == []


async def test_a_job_cannot_confirm_as_a_person_does(confirm, confirmations):
    token, _ = confirmations.issue(a_call(DANGER, caller=NIGHT, workload="orders"))
    with pytest.raises(PlanRefused):
        await confirm(a_call(DANGER, caller=NIGHT, workload="orders", confirmation=token), Tool())


async def test_a_person_cannot_use_a_plan_instead_of_a_yes(confirm):
    await ask(confirm, a_call(DANGER, workload="orders", plan="incident-7"))


async def test_what_stands_allowed_to_a_job_needs_no_plan_unless_it_is_dangerous(confirm):
    sender = replace(NIGHT, standing_writes=frozenset({WRITE.name, DANGER.name}))
    await confirm(a_call(WRITE, caller=sender), Tool())
    with pytest.raises(PlanRefused):
        await confirm(a_call(DANGER, caller=sender), Tool())


async def test_a_server_without_guards_approves_nothing(confirmations):
    with pytest.raises(PlanRefused):
        await Confirm(confirmations, NoPlans(), never_settled)(a_call(WRITE, caller=NIGHT, plan="p"), Tool())


def test_everything_that_will_be_done_is_said():
    call = a_call(DANGER, workload="orders", namespace="shop", replicas=0, force=True, note="{workload}")
    assert (
        read_back(call)
        == "重启orders（namespace：shop，replicas：0，force：true，note：{workload}），确认吗？"
    )


def test_a_value_is_no_template():
    assert (
        read_back(a_call(DANGER, workload="{namespace}", namespace="x"))
        == "重启{namespace}（namespace：x），确认吗？"
    )


def test_a_tool_can_say_long_arguments_in_its_own_words():
    policy = with_policy(
        DANGER, read_back=lambda arguments: f"应用{len(str(arguments['manifest']))}个字的清单"
    )
    assert read_back(a_call(policy, manifest="k" * 500)) == "应用500个字的清单，确认吗？"


def test_watchers_and_risks_are_what_the_tests_think():
    assert READ.risk is Risk.READ
    assert not WATCH.may(DANGER.permission)
