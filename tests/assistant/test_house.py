"""Dialogues with the real house: real planner, real servers and gateway, real local cloud, virtual time."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlmodel import Session, select

from assistant.conversation.answer import Awaiting, TurnOutcome
from assistant.conversation.words import Steer
from assistant.people import Person
from assistant.settings import CloudSettings, EmailSettings, Settings
from assistant.witness import STRANGER
from mcp_tencent.gateway.call import Permission
from mcp_tencent.gateway.records import AuditRow
from scheduler.digest import build_digest
from scheduler.digest_claims import ClaimState, Ending
from scheduler.digest_facts import IncidentFacts, NightFacts, Standing
from scheduler.digest_rendering import rendered
from tests.assistant.house_rig import FIVE, Rig, house_rig
from tests.mcp_tencent.push.smtp_server import Mailbox, smtp_server

MAILBOX = Mailbox()
MORNING = date(2026, 11, 20)
ORDERS = IncidentFacts(
    id="inc-orders",
    alert_id="alert-orders",
    title="订单服务错误率过高",
    name="订单服务",
    score=87.2,
    standing=Standing.HEALED,
    cluster_id="cls-gzprod01",
    namespace="trade",
    workload="order-service",
    alerts=12,
)
PAYMENT = replace(
    ORDERS,
    id="inc-payment",
    alert_id="alert-payment",
    title="支付服务超时",
    name="支付服务",
    score=93.4,
    standing=Standing.NEEDS_HUMAN,
    workload="payment-service",
)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with (
        smtp_server(MAILBOX) as port,
        house_rig(
            tmp_path_factory.mktemp("house"),
            settings=Settings(
                cloud=CloudSettings(default_cluster="生产集群"),
                email=EmailSettings(
                    host="127.0.0.1", port=port, security="none", sender="xiaozhi@example.com"
                ),
            ),
        ) as rig,
    ):
        facts = NightFacts(date=MORNING, alert_records=24, incidents=(ORDERS, PAYMENT))
        rig.house.night.digests.write(rendered(build_digest(facts), written_at=FIVE))
        rig.sky.skip_to(FIVE + timedelta(hours=2))
        yield rig


@pytest.fixture
def owner(rig: Rig) -> Person:
    return rig.person("张敏", *Permission)


@pytest.fixture
def reader(rig: Rig) -> Person:
    return rig.person("李雷", Permission.READ)


def test_a_follow_up_and_a_correction_need_not_say_everything_again(rig: Rig, owner: Person) -> None:
    first = rig.say("订单服务有没有在重启的容器", owner)
    assert rig.calls(first) == [("list_pods", {"workload": "order-service", "status": "restarting"})]
    second = rig.say("它现在有几个副本", owner)
    assert [call for call, _ in rig.calls(second)] == ["describe_workload"]
    assert second.steps[0].call.arguments["workload"] == "order-service"
    corrected = rig.say("不是，是支付服务", owner)
    assert rig.calls(corrected) == [("describe_workload", {"workload": "payment-service"})]


def test_scaling_is_read_back_with_names_and_effect_and_done_after_a_yes(rig: Rig, owner: Person) -> None:
    asked = rig.say("把购物车服务扩到四个副本", owner)
    assert asked.awaiting is Awaiting.CONFIRMATION
    assert re.fullmatch(r"把生产集群的购物车服务从\d个副本扩到4个，确认吗？", asked.spoken)
    assert asked.steps == ()
    done = rig.say("确认", owner, speech_s=0.6)
    assert done.outcome is TurnOutcome.ANSWERED
    assert rig.calls(done) == [("scale_workload", {"workload": "cart-service", "replicas": 4})]
    assert "4" in rig.say("购物车服务有几个副本", owner).spoken


@pytest.mark.parametrize("reply", ["不", "取消", "等等", "嗯"])
def test_everything_but_a_yes_leaves_things_as_they_are(rig: Rig, owner: Person, reply: str) -> None:
    assert rig.say("把库存服务重启一下", owner).awaiting is Awaiting.CONFIRMATION
    answer = rig.say(reply, owner)
    assert answer.outcome is TurnOutcome.CANCELLED
    assert answer.steps == ()
    assert rig.say("确认", owner).outcome is not TurnOutcome.ANSWERED


def test_silence_and_a_late_yes_mean_no(rig: Rig, owner: Person) -> None:
    rig.say("把库存服务重启一下", owner)

    async def silence() -> Awaiting:
        return rig.house.conversation.give_up()

    assert rig.wait(silence()) is Awaiting.CONFIRMATION
    assert rig.say("确认", owner).steps == ()
    rig.say("把库存服务重启一下", owner)
    rig.wall.skip(seconds=46)
    assert rig.say("确认", owner).steps == ()


def test_another_person_cannot_confirm(rig: Rig, owner: Person) -> None:
    other = rig.person("韩梅", *Permission)
    rig.say("把库存服务重启一下", owner)
    assert rig.say("确认", other).steps == ()
    assert rig.say("确认", owner).steps == ()


def test_a_correction_of_what_was_read_back_is_read_back_again(rig: Rig, owner: Person) -> None:
    rig.say("把库存服务重启一下", owner)
    again = rig.say("不是，是商品服务", owner)
    assert again.awaiting is Awaiting.CONFIRMATION
    assert "商品服务" in again.spoken


def test_a_voice_that_was_heard_too_shortly_reads_digits(rig: Rig, owner: Person) -> None:
    rig.say("重启商品服务", owner, speech_s=1.4)
    asked = rig.say("确认", owner, speech_s=0.5)
    assert asked.awaiting is Awaiting.DIGITS


def _digits(spoken: str) -> str:
    return "".join(re.findall(r"[零一二三四五六七八九]", spoken.partition("：")[2]))


def test_rolling_back_wants_digits_that_a_recording_cannot_know(rig: Rig, owner: Person) -> None:
    asked = rig.say("把订单服务回滚到上一个版本", owner)
    assert asked.spoken == "把生产集群的订单服务回滚到上一个版本，确认吗？"
    digits = rig.say("确认", owner)
    assert digits.awaiting is Awaiting.DIGITS
    assert len(_digits(digits.spoken)) == 4
    wrong = rig.say("零零零零", owner)
    assert (wrong.outcome, wrong.spoken) == (TurnOutcome.CANCELLED, "数字不对，什么都没动。")
    rig.say("把订单服务回滚到上一个版本", owner)
    late = rig.say("确认", owner)
    rig.wall.skip(seconds=31)
    assert rig.say(_digits(late.spoken), owner).spoken == "等得太久了，什么都没动。"
    rig.say("把订单服务回滚到上一个版本", owner)
    foreign = rig.say("确认", owner)
    assert rig.say(_digits(foreign.spoken), None).outcome is TurnOutcome.REFUSED
    assert rig.say(_digits(foreign.spoken), owner).steps == ()
    rig.say("把订单服务回滚到上一个版本", owner)
    right = rig.say("确认", owner)
    done = rig.say(_digits(right.spoken), owner)
    assert [call for call, _ in rig.calls(done)] == ["roll_back"]
    assert done.outcome is TurnOutcome.ANSWERED, done


def test_who_may_only_read_changes_nothing(rig: Rig, reader: Person) -> None:
    refused = rig.say("重启订单服务", reader)
    assert refused.outcome is TurnOutcome.REFUSED
    assert refused.awaiting is Awaiting.NOTHING


def _audit(rig: Rig) -> list[AuditRow]:
    with Session(rig.house.night.engine) as session:
        return list(session.exec(select(AuditRow)))


def test_unknown_speaker_hears_no_cluster_data_and_leaves_an_audit_line(rig: Rig) -> None:
    before = len(_audit(rig))
    answer = rig.say("生产集群现在怎么样", None)
    assert answer.outcome is TurnOutcome.REFUSED
    assert answer.steps == ()
    assert answer.planned == ()
    assert answer.spoken == "抱歉，我没认出你的声音，不能告诉你集群里的事。"
    (line,) = _audit(rig)[before:]
    assert (line.outcome, line.person) == (STRANGER, "")
    assert "生产" not in line.arguments


def test_a_stranger_does_not_inherit_what_somebody_was_talking_of(rig: Rig, owner: Person) -> None:
    rig.say("把库存服务重启一下", owner)
    rig.say("确认", None)
    assert rig.say("确认", owner).steps == ()


def test_twenty_greetings_at_once_speak_the_digest_once(rig: Rig, owner: Person) -> None:
    async def crowd() -> list[TurnOutcome]:
        heard = [rig.heard("", owner) for _ in range(20)]
        answers = await asyncio.gather(*(rig.house.conversation.take_turn(one) for one in heard))
        return [answer.outcome for answer in answers]

    outcomes = rig.wait(crowd())
    assert outcomes.count(TurnOutcome.DIGEST) == 1
    assert outcomes.count(TurnOutcome.GREETED) == 19


def test_a_digest_cut_off_early_is_told_again_and_a_heard_one_is_not(rig: Rig, owner: Person) -> None:
    async def greet(spoken_s: float, ending: Ending) -> ClaimState | None:
        answer = await rig.house.conversation.take_turn(rig.heard("", owner))
        if answer.claim is None:
            return None
        return rig.house.claims.end(answer.claim, ending, spoken_seconds=spoken_s, now=rig.wall.now())

    assert rig.wait(greet(20, Ending.CUT_OFF)) is ClaimState.CUT_OFF
    assert rig.wait(greet(30, Ending.STOPPED_BY_LISTENER)) is ClaimState.DELIVERED
    assert rig.wait(greet(90, Ending.FINISHED)) is None


def test_the_digest_can_be_steered_and_asked_about(rig: Rig, owner: Person) -> None:
    told = rig.say("早上好", owner)
    assert told.outcome is TurnOutcome.DIGEST
    assert told.digest is not None
    assert len(told.digest.details) >= 2
    for words, steer in (("停", Steer.STOP), ("继续", Steer.GO_ON), ("下一条", Steer.NEXT)):
        steered = rig.say(words, owner)
        assert steered.steering is not None
        assert steered.steering.steer is steer
    assert rig.say("详细说说第二条", owner).parts == (told.digest.details[1],)
    assert rig.say("再播一遍日报", owner).parts == told.parts
    assert rig.say("你好", owner).spoken == "我在。"


def test_a_tool_that_is_not_here_is_answered_honestly(rig: Rig, owner: Person) -> None:
    answer = rig.say("把日报做成一个分享链接", owner)
    assert answer.outcome is TurnOutcome.UNABLE
    assert answer.spoken == "这个我还不会。"


def test_a_new_name_holds_at_once_and_after_a_restart(rig: Rig, owner: Person) -> None:
    assert "小蓝" in rig.say("以后你叫小蓝", owner).spoken
    assert "小蓝" in rig.say("你会做什么", owner).spoken
    assert 'name = "小蓝"' in rig.house.installation.home.config_file.read_text()


def test_what_was_not_understood_is_asked_back_once_and_then_given_up(rig: Rig, owner: Person) -> None:
    asked = rig.say("把购物车服务扩一下", owner)
    assert asked.awaiting is Awaiting.CHOICE
    assert rig.say("天上有几颗星星呀", owner).awaiting is Awaiting.NOTHING


def test_turns_are_kept_in_the_journal_but_no_words_of_strangers(rig: Rig, reader: Person) -> None:
    rig.wall.skip(seconds=1)
    rig.say("昨天有哪些告警", reader)
    rig.wall.skip(seconds=1)
    rig.say("昨天有哪些告警", None)
    stranger, known = rig.house.journal.latest(limit=2)
    assert (stranger.person_id, stranger.heard) == (None, "")
    assert (known.person_id, known.heard) == (reader.id, "昨天有哪些告警")
    assert "list_alerts" in known.plan_json


def _mails(rig: Rig, to: str, *, at_least: int) -> list[str]:
    """Wait until as many mails to somebody have come; return their subjects."""
    deadline = time.monotonic() + 20
    while True:
        found = [mail["Subject"] for mail in MAILBOX.messages if mail["To"] == to]
        if len(found) >= at_least or time.monotonic() > deadline:
            return found
        threading.Event().wait(0.05)


def test_the_digest_is_sent_when_asked_and_its_copy_comes_once_a_day(rig: Rig, owner: Person) -> None:
    assert rig.say("以后把日报发到我的邮箱 ops1@example.com", owner).awaiting is Awaiting.CONFIRMATION
    told = rig.say("对", owner)
    assert told.outcome is TurnOutcome.ANSWERED, told
    assert rig.say("你好", owner).outcome is TurnOutcome.DIGEST
    assert len(_mails(rig, "ops1@example.com", at_least=1)) == 1
    assert rig.wait(rig.house.send_copies()) == 0
    assert rig.say("把日报发到我邮箱", owner).outcome is TurnOutcome.ANSWERED
    assert len(_mails(rig, "ops1@example.com", at_least=2)) == 2


def test_the_last_answer_can_be_sent_on(rig: Rig, owner: Person) -> None:
    rig.say("以后把日报发到我的邮箱 ops2@example.com", owner)
    rig.say("确认", owner)
    rig.say("订单服务有几个副本", owner)
    assert rig.say("把这个结果发到我邮箱", owner).outcome is TurnOutcome.ANSWERED
    (subject,) = _mails(rig, "ops2@example.com", at_least=1)
    assert "订单服务有几个副本" in subject


def test_a_spoken_address_is_stored_only_once_its_letters_were_called_right(rig: Rig, owner: Person) -> None:
    asked = rig.say("以后日报发到 z h a n g 点 s a n 艾特 example 点 com", owner)
    assert asked.spoken == "以后发到 z h a n g 点 s a n 艾特 e x a m p l e 点 c o m，对吗？"
    assert asked.steps == ()
    assert "zhang" not in rig.say("我的日报发到哪里", owner).spoken
    rig.say("以后日报发到 z h a n g 点 s a n 艾特 example 点 com", owner)
    corrected = rig.say("不对，是 l i s i 下划线 九 艾特 example 点 com", owner)
    assert corrected.spoken == "以后发到 l i s i 下划线 9 艾特 e x a m p l e 点 c o m，对吗？"
    done = rig.say("没错", owner)
    assert rig.calls(done) == [("set_delivery", {"channel": "email", "target": "lisi_9@example.com"})]
    assert "lisi_9@example.com" in rig.say("我的日报发到哪里", owner).spoken


@pytest.mark.parametrize("reply", ["不对", "取消", "天上有几颗星星呀"])
def test_without_a_yes_a_spoken_address_is_not_used(rig: Rig, owner: Person, reply: str) -> None:
    asked = rig.say("把日报发到 张三 艾特 example 点 com", owner)
    assert asked.spoken.startswith("以后发到 z h a n g s a n 艾特")
    answer = rig.say(reply, owner)
    assert (answer.outcome, answer.steps) == (TurnOutcome.CANCELLED, ())
    assert rig.say("对", owner).steps == ()


def test_what_was_typed_need_not_be_spelled(rig: Rig, owner: Person) -> None:
    told = rig.say("以后把日报发到我的邮箱 typed@example.com", owner, speech_s=float("inf"))
    assert told.outcome is TurnOutcome.ANSWERED
