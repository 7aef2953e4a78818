import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.push.channels import Channel, Target
from mcp_tencent.push.delivery import (
    Delivery,
    DeliveryStatus,
    Outcome,
    Progress,
    deliver,
    judge,
)
from mcp_tencent.push.delivery_steps import DeliverySteps
from mcp_tencent.push.dispatch import DispatchStore, delivery_id
from mcp_tencent.push.errors import DeliveryUnknown
from mcp_tencent.push.message import Report
from mcp_tencent.push.pacing import Pace, take_turn
from mcp_tencent.push.retry import RetryPolicy
from mcp_tencent.push.senders.sender import Sender
from mcp_tencent.push.senders.sender_aiosmtplib import Security, SmtpSender, SmtpSettings
from mcp_tencent.push.senders.sender_dingtalk import ROBOT_LIMIT, DingTalkRobot, DingTalkSender
from tests.mcp_tencent.push.dingtalk_robot import SECRET, TOKEN, GroupRobot, serving
from tests.mcp_tencent.push.in_memory_store import InMemoryDeliveryStore
from tests.mcp_tencent.push.sample_reports import DIGEST, SHORT
from tests.mcp_tencent.push.smtp_server import USERNAME, Mailbox, smtp_server
from tests.mcp_tencent.push.stores import sql_stores
from tests.mcp_tencent.push.virtual_time import START, ForgetfulEngine, VirtualTime

OPS = Target(channel=Channel.EMAIL, recipients=("ops@example.com",))
GROUP = Target(channel=Channel.DINGTALK, recipients=("default",))
ROBOT = DingTalkRobot(access_token=TOKEN, secret=SECRET)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DispatchStore]:
    if request.param == "memory":
        yield InMemoryDeliveryStore()
        return
    with sql_stores(tmp_path / "push.db") as (deliveries, _):
        yield deliveries


@pytest.fixture(autouse=True)
async def settled() -> AsyncIterator[None]:
    yield
    await asyncio.sleep(0)  # a connection that was closed last still has to let go of its socket


@pytest.fixture
def time() -> VirtualTime:
    return VirtualTime()


class Desk:
    """Deliveries with virtual time in front of real servers."""

    def __init__(self, store: DispatchStore, time: VirtualTime) -> None:
        self.store = store
        self.time = time
        self.senders: dict[Channel, Sender] = {}

    def walk(self, report: Report = SHORT, target: Target = OPS) -> Coroutine[Any, Any, DeliveryStatus]:
        now = self.time.now()
        wanted = Delivery(
            id=delivery_id(report, target),
            report=report,
            target=target,
            person=None,
            created_at=now,
            updated_at=now,
        )
        assert self.store.add(wanted)
        steps = DeliverySteps(store=self.store, senders=self.senders, policy=RetryPolicy(), now=self.time.now)
        return deliver(wanted.id, steps, ForgetfulEngine(self.time))

    def found(self, report: Report = SHORT, target: Target = OPS) -> Delivery:
        delivery = self.store.find(delivery_id(report, target))
        assert delivery is not None
        return delivery

    def mail_to(self, port: int) -> None:
        self.senders[Channel.EMAIL] = SmtpSender(
            SmtpSettings(
                host="127.0.0.1", port=port, sender=USERNAME, security=Security.PLAIN, timeout_s=60.0
            )
        )


@pytest.fixture
def desk(store: DispatchStore, time: VirtualTime) -> Desk:
    return Desk(store, time)


@pytest.fixture
def mailbox(desk: Desk) -> Iterator[Mailbox]:
    box = Mailbox()
    with smtp_server(box) as port:
        desk.mail_to(port)
        yield box


@pytest.fixture
def group(desk: Desk) -> Iterator[GroupRobot]:
    robot = GroupRobot(now=desk.time.now)
    with serving(robot) as endpoint:
        desk.senders[Channel.DINGTALK] = DingTalkSender(
            {"default": ROBOT}, now=desk.time.now, endpoint=endpoint
        )
        yield robot


async def test_a_mail_is_sent_and_recorded_as_sent(desk: Desk, mailbox: Mailbox) -> None:
    assert await desk.time.run(desk.walk()) == [DeliveryStatus.SENT]
    assert len(mailbox.messages) == 1
    assert desk.found().status is DeliveryStatus.SENT
    assert desk.found().attempts == 1
    assert desk.found().reason is None


async def test_a_mail_server_that_is_down_for_an_hour_gets_it_afterwards(
    desk: Desk, time: VirtualTime
) -> None:
    mailbox = Mailbox()
    with smtp_server(mailbox) as port:
        pass
    desk.mail_to(port)
    with ExitStack() as running:

        async def down_for_an_hour() -> None:
            await time.sleep(3600)
            running.enter_context(smtp_server(mailbox, port=port))

        await time.run(desk.walk(), down_for_an_hour())
    assert len(mailbox.messages) == 1
    delivery = desk.found()
    assert delivery.status is DeliveryStatus.SENT
    assert 5 <= delivery.attempts <= 10, "it was tried again and again, but not all the time"
    assert timedelta(hours=1) <= time.now() - START <= timedelta(hours=2, minutes=30)


async def test_while_it_waits_the_record_says_why_and_until_when(desk: Desk, mailbox: Mailbox) -> None:
    mailbox.answer_to_data = "451 greylisted"
    seen: list[Delivery] = []

    async def look_once() -> None:
        await desk.time.sleep(10)
        seen.append(desk.found())
        mailbox.answer_to_data = None

    await desk.time.run(desk.walk(), look_once())
    (waiting,) = seen
    assert waiting.status is DeliveryStatus.FAILED
    assert waiting.reason is not None
    assert "greylisted" in waiting.reason
    assert waiting.next_attempt_at is not None
    assert timedelta(seconds=24) <= waiting.next_attempt_at - START <= timedelta(seconds=36)
    assert desk.found().status is DeliveryStatus.SENT


async def test_a_mail_refused_for_good_is_a_dead_letter_after_one_attempt(
    desk: Desk, mailbox: Mailbox
) -> None:
    mailbox.refuse = {"ops@example.com": "550 no such user"}
    assert await desk.time.run(desk.walk()) == [DeliveryStatus.DEAD]
    assert desk.found().attempts == 1
    assert "550 no such user" in str(desk.found().reason)


async def test_after_a_day_it_is_a_dead_letter_with_both_reasons(desk: Desk, mailbox: Mailbox) -> None:
    mailbox.answer_to_data = "451 still busy"
    assert await desk.time.run(desk.walk()) == [DeliveryStatus.DEAD]
    assert mailbox.messages == []
    reason = str(desk.found().reason)
    assert "超过 24 小时" in reason
    assert "451 still busy" in reason
    assert desk.time.now() - START <= timedelta(hours=24)


async def test_only_those_who_did_not_get_it_get_it_later(desk: Desk, mailbox: Mailbox) -> None:
    three = Target(channel=Channel.EMAIL, recipients=("a@example.com", "b@example.com", "c@example.com"))
    mailbox.refuse = {"b@example.com": "452 full", "c@example.com": "550 no such user"}

    async def empty_the_mailbox() -> None:
        await desk.time.sleep(10)
        del mailbox.refuse["b@example.com"]

    await desk.time.run(desk.walk(target=three), empty_the_mailbox())
    assert mailbox.recipients == [["a@example.com"], ["b@example.com"]]
    assert len({message["Message-ID"] for message in mailbox.messages}) == 1
    delivery = desk.found(target=three)
    assert delivery.status is DeliveryStatus.SENT
    assert delivery.reason is not None
    assert delivery.reason == "没有送到：c@example.com（550 no such user）"


async def test_a_channel_without_settings_is_a_dead_letter_that_says_so(desk: Desk) -> None:
    assert await desk.time.run(desk.walk()) == [DeliveryStatus.DEAD]
    assert desk.found().reason == "邮件还没有配置"


async def test_a_delivery_closed_from_outside_is_not_sent(desk: Desk, mailbox: Mailbox) -> None:
    walk = desk.walk()
    desk.store.save(replace(desk.found(), status=DeliveryStatus.DEAD, reason="收件人已删除"))
    assert await desk.time.run(walk) == [DeliveryStatus.DEAD]
    assert mailbox.messages == []
    assert desk.found().reason == "收件人已删除"


async def test_many_reports_at_once_take_turns_and_none_is_dropped(desk: Desk, group: GroupRobot) -> None:
    reports = [replace(SHORT, reference=f"incident-{number}") for number in range(45)]
    results = await desk.time.run(*(desk.walk(report, GROUP) for report in reports))
    assert results == [DeliveryStatus.SENT] * 45
    assert len(group.shown) == 45
    assert group.refused == [], "the robot never had to say no"
    assert desk.time.now() - START == timedelta(seconds=120), "18 at once, 18 a minute later, then the rest"
    assert all(desk.found(report, GROUP).attempts == 1 for report in reports)


async def test_a_robot_that_others_have_overloaded_is_waited_for(desk: Desk, group: GroupRobot) -> None:
    group.blocked_until = START + timedelta(minutes=10)
    reports = [replace(SHORT, reference=f"incident-{number}") for number in range(3)]
    results = await desk.time.run(*(desk.walk(report, GROUP) for report in reports))
    assert results == [DeliveryStatus.SENT] * 3
    assert len(group.shown) == 3
    assert 1 <= len(group.refused) <= 3
    assert all(desk.found(report, GROUP).attempts == 1 for report in reports), "waiting is no attempt"
    assert timedelta(minutes=10) <= desk.time.now() - START <= timedelta(minutes=12)


async def test_a_later_part_that_fails_does_not_repeat_the_earlier_ones(
    desk: Desk, group: GroupRobot, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = replace(DIGEST, markdown="\n".join("日志" * 100 for _ in range(60)))
    fail_once = iter([False, True, False, False, False])
    judge_message = group._judge

    def moody(request: Any, body: bytes) -> tuple[int, str]:
        return (-1, "system busy") if next(fail_once) else judge_message(request, body)

    monkeypatch.setattr(group, "_judge", moody)
    await desk.time.run(desk.walk(long, GROUP))
    titles = [message["markdown"]["title"][-5:] for message in group.shown]
    assert titles == ["（1/3）", "（2/3）", "（3/3）"]
    assert desk.found(long, GROUP).attempts == 4


async def test_people_named_in_the_target_are_called(desk: Desk, group: GroupRobot) -> None:
    called = replace(GROUP, mentions=("13900139000",))
    await desk.time.run(desk.walk(replace(SHORT, mentions=()), called))
    assert group.shown[0]["at"]["atMobiles"] == ["13900139000"]


def test_a_delivery_is_added_once(store: DispatchStore) -> None:
    delivery = Delivery(
        id="d", report=DIGEST, target=OPS, person="负责人", created_at=START, updated_at=START
    )
    assert store.add(delivery)
    assert not store.add(replace(delivery, report=SHORT, attempts=5))
    assert store.find("d") == delivery
    assert store.find("e") is None
    assert store.unfinished() == ["d"]
    store.save(replace(delivery, status=DeliveryStatus.SENT, attempts=1))
    assert store.unfinished() == []


def test_a_pace_is_kept(store: DispatchStore) -> None:
    change: Callable[[Pace], Pace] = lambda pace: take_turn(pace, ROBOT_LIMIT, START)[0]  # noqa: E731
    store.change_pace("dingtalk/a", change)
    assert store.change_pace("dingtalk/a", change).turns == (START, START)
    assert store.change_pace("dingtalk/b", change).turns == (START,)


async def test_turns_taken_at_the_same_time_are_all_counted(store: DispatchStore) -> None:
    def take(_: int) -> None:
        store.change_pace("dingtalk/a", lambda pace: take_turn(pace, ROBOT_LIMIT, START)[0])

    await asyncio.gather(*(asyncio.to_thread(take, number) for number in range(40)))
    turns = store.change_pace("dingtalk/a", lambda pace: pace).turns
    assert [(turn - START).total_seconds() for turn in turns] == [0] * 18 + [60] * 18 + [120] * 4


async def test_an_unknown_delivery_is_an_error(desk: Desk) -> None:
    steps = DeliverySteps(store=desk.store, senders={}, policy=RetryPolicy(), now=desk.time.now)
    with pytest.raises(DeliveryUnknown):
        await steps.plan("delivery-nobody")


RECIPIENTS = (0, 1, 2)


@given(
    st.lists(st.sampled_from(["accepted", "refused", "remaining"]), min_size=3, max_size=3),
    st.booleans(),
    st.integers(min_value=0, max_value=30),
    st.integers(min_value=0, max_value=30),
)
def test_every_recipient_is_reached_or_missed_or_tried_again(
    fates: list[str], last_part: bool, failures: int, age_h: int
) -> None:
    groups = {
        fate: tuple(who for who, its in zip(RECIPIENTS, fates, strict=True) if its == fate)
        for fate in ("accepted", "refused", "remaining")
    }
    outcome = Outcome(
        reason="x",
        accepted=groups["accepted"],
        refused=groups["refused"],
        remaining=groups["remaining"],
    )
    verdict = judge(
        Progress(remaining=RECIPIENTS, failures=failures),
        outcome,
        policy=RetryPolicy(),
        key="k",
        age=timedelta(hours=age_h),
        last_part=last_part,
    )
    assert set(verdict.progress.missed + verdict.progress.remaining + groups["accepted"]) == set(RECIPIENTS)
    assert (verdict.status is DeliveryStatus.FAILED) == bool(verdict.progress.remaining)
    assert (verdict.wait_s > 0) == bool(verdict.progress.remaining)
    if not verdict.progress.remaining:
        reached = DeliveryStatus.SENT if last_part else DeliveryStatus.SENDING
        assert verdict.status is (reached if groups["accepted"] else DeliveryStatus.DEAD)


def test_a_block_is_no_attempt_however_long_it_lasts() -> None:
    progress = Progress(remaining=RECIPIENTS, attempts=3, failures=2)
    verdict = judge(
        progress,
        Outcome(blocked=True, reason="对方限流"),
        policy=RetryPolicy(),
        key="k",
        age=timedelta(days=30),
        last_part=True,
    )
    assert verdict.progress == progress
    assert verdict.status is DeliveryStatus.QUEUED
