"""The push tools as a client sees them: through the protocol and the gateway, onto real servers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from mcp.client import Client
from mcp_types import CallToolResult
from sqlalchemy import create_engine, event
from sqlmodel import SQLModel

from mcp_tencent.gateway.call import Caller, CallerKind, Permission
from mcp_tencent.gateway.gateway import Gateway
from mcp_tencent.gateway.records import TABLES as GATEWAY_TABLES
from mcp_tencent.push.channels import Channel
from mcp_tencent.push.delivery import DeliveryStatus, deliver
from mcp_tencent.push.delivery_steps import DeliverySteps
from mcp_tencent.push.desk import PushDesk
from mcp_tencent.push.dispatch import Dispatch
from mcp_tencent.push.errors import PersonUnknown, ReportUnknown
from mcp_tencent.push.message import Report
from mcp_tencent.push.recipients import House
from mcp_tencent.push.records import DeliveryPreference, SqlDeliveryStore, SqlPreferenceStore
from mcp_tencent.push.retry import RetryPolicy
from mcp_tencent.push.senders.sender import Sender
from mcp_tencent.push.senders.sender_aiosmtplib import Security, SmtpSender, SmtpSettings
from mcp_tencent.push.senders.sender_dingtalk import DingTalkRobot, DingTalkSender
from mcp_tencent.push.server import push_server
from mcp_tencent.push.trial import ChannelTrial
from mcp_tencent.serving.identity import acting_as
from mcp_tencent.serving.server import GatewayServer
from tests.mcp_tencent.push.dingtalk_robot import SECRET, TOKEN, GroupRobot, serving
from tests.mcp_tencent.push.sample_reports import DIGEST, SHORT
from tests.mcp_tencent.push.smtp_server import USERNAME, Mailbox, smtp_server
from tests.mcp_tencent.push.stores import sql_stores
from tests.mcp_tencent.push.virtual_time import ForgetfulEngine, VirtualTime

CONTRACT = Path(__file__).parents[1] / "tool_contract.yaml"
WATCH = Caller(
    name="值班员",
    kind=CallerKind.PERSON,
    permissions=frozenset({Permission.READ, Permission.OPERATE}),
)
OWNER = Caller(name="负责人", kind=CallerKind.PERSON, permissions=frozenset(Permission))
NIGHT = Caller(
    name="night",
    kind=CallerKind.SERVICE_JOB,
    permissions=frozenset({Permission.READ, Permission.OPERATE}),
    standing_writes=frozenset({"send_report"}),
)


class FixedReports:
    """Two reports."""

    async def report(self, name: str, *, caller: Caller) -> Report:
        reports = {"digest": DIGEST, "incident-42": SHORT}
        if name not in reports:
            raise ReportUnknown("no such report", spoken="没有这份报告。")
        return reports[name]


class TwoPeople:
    """Knows two people."""

    async def identify(self, name: str) -> str:
        if name not in {"值班员", "负责人"}:
            raise PersonUnknown("nobody is called that", spoken="没有这个人。")
        return name


@dataclass
class InlineQueue:
    """Walks each delivery when it is told to."""

    steps: DeliverySteps
    time: VirtualTime
    waiting: list[str] = field(default_factory=list)

    async def put(self, delivery_id: str) -> None:
        self.waiting.append(delivery_id)

    async def walk(self) -> None:
        waiting, self.waiting = self.waiting, []
        engine = ForgetfulEngine(self.time)
        await self.time.run(*(deliver(one, self.steps, engine) for one in waiting))


@dataclass
class Office:
    """The tools in front of a mail server and a robot, and what they lead to."""

    time: VirtualTime
    mailbox: Mailbox
    group: GroupRobot
    queue: InlineQueue
    desk: PushDesk
    server: GatewayServer
    caller: Caller = WATCH

    async def call(self, tool: str, **arguments: object) -> dict[str, Any]:
        result = await self.result(tool, **arguments)
        assert not result.is_error, result.content
        assert isinstance(result.structured_content, dict)
        return dict(result.structured_content)

    async def refused(self, tool: str, **arguments: object) -> dict[str, Any]:
        result = await self.result(tool, **arguments)
        assert result.is_error
        assert isinstance(result.structured_content, dict)
        return dict(result.structured_content["error"])

    async def result(self, tool: str, **arguments: object) -> CallToolResult:
        self.time.jump(timedelta(seconds=1))
        with acting_as(self.caller):
            async with Client(self.server) as client:
                result = await client.call_tool(tool, arguments)
        assert isinstance(result, CallToolResult)
        return result


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    time, mailbox = VirtualTime(), Mailbox()
    group = GroupRobot(now=time.now)
    keys = (f"key-{number}" for number in range(1000))
    engine = create_engine(f"sqlite:///{tmp_path / 'gateway.db'}")
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 10000"))
    SQLModel.metadata.create_all(
        engine, tables=[SQLModel.metadata.tables[row.__tablename__] for row in GATEWAY_TABLES]
    )
    with (
        sql_stores(tmp_path / "push.db") as (deliveries, preferences),
        smtp_server(mailbox) as port,
        serving(group) as endpoint,
    ):
        senders = _senders(port, endpoint, time)
        steps = DeliverySteps(store=deliveries, senders=senders, policy=RetryPolicy(), now=time.now)
        queue = InlineQueue(steps, time)
        desk = _desk(deliveries, preferences, queue, senders, time, lambda: next(keys))
        server = push_server(desk, Gateway(engine, time))
        yield Office(time, mailbox, group, queue, desk, server)
    engine.dispose()


def _senders(port: int, endpoint: str, time: VirtualTime) -> dict[Channel, Sender]:
    settings = SmtpSettings(
        host="127.0.0.1", port=port, sender=USERNAME, security=Security.PLAIN, timeout_s=5.0
    )
    robot = DingTalkRobot(access_token=TOKEN, secret=SECRET)
    return {
        Channel.EMAIL: SmtpSender(settings),
        Channel.DINGTALK: DingTalkSender({"default": robot}, now=time.now, endpoint=endpoint),
    }


def _desk(
    deliveries: SqlDeliveryStore,
    preferences: SqlPreferenceStore,
    queue: InlineQueue,
    senders: dict[Channel, Sender],
    time: VirtualTime,
    new_key: Callable[[], str],
) -> PushDesk:
    return PushDesk(
        dispatch=Dispatch(store=deliveries, queue=queue, now=time.now),
        trial=ChannelTrial(store=deliveries, senders=senders, now=time.now, new_key=new_key),
        reports=FixedReports(),
        people=TwoPeople(),
        preferences=preferences,
        log=deliveries,
        house=House(
            channels=frozenset(Channel),
            robots=frozenset({"default"}),
            defaults={Channel.DINGTALK: "default"},
            copies={Channel.EMAIL: ("ops@example.com",), Channel.DINGTALK: ("default",)},
        ),
        now=time.now,
        zone=ZoneInfo("Asia/Shanghai"),
        new_key=new_key,
    )


async def test_the_tools_are_those_of_the_contract(office: Office) -> None:
    contract = yaml.safe_load(CONTRACT.read_text())["servers"]["push"]
    async with Client(office.server) as client:
        offered = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(offered) == set(contract)
    for name, promised in contract.items():
        schema = offered[name].input_schema
        acting = {"dry_run", "idempotency_key"} if promised["risk"] in {"W", "D"} else set()
        paging = {"cursor"} if name == "list_deliveries" else set()
        assert set(schema["properties"]) == set(promised["parameters"]) | acting | paging, name
        for parameter, rule in promised["parameters"].items():
            required = rule == "required" or (isinstance(rule, dict) and rule.get("required") is True)
            assert (parameter in schema.get("required", [])) == required, (name, parameter)
            if isinstance(rule, dict) and "default" in rule:
                assert schema["properties"][parameter]["default"] == rule["default"]
            if isinstance(rule, dict) and "choices" in rule:
                assert schema["properties"][parameter]["enum"] == rule["choices"]
        annotations = offered[name].annotations
        assert annotations is not None
        assert annotations.read_only_hint == (promised["risk"] == "R")
        assert "Example:" in (offered[name].description or "")


async def test_a_report_sent_to_an_address_arrives(office: Office) -> None:
    answer = await office.call("send_report", report="digest", channel="email", to="ops@example.com")
    assert answer["summary"] == f"正在把《{DIGEST.title}》发到邮件（ops@example.com）。"
    assert answer["deliveries"][0]["status"] == "queued"
    await office.queue.walk()
    assert office.mailbox.recipients == [["ops@example.com"]]
    listed = await office.call("list_deliveries")
    assert listed["deliveries"][0]["status"] == "sent"
    assert listed["deliveries"][0]["id"] == answer["deliveries"][0]["id"]


async def test_the_same_key_sends_once_and_says_the_same(office: Office) -> None:
    request = {
        "report": "digest",
        "channel": "email",
        "to": "ops@example.com",
        "idempotency_key": "morning-1",
    }
    first = await office.call("send_report", **request)
    second = await office.call("send_report", **request)
    assert first == second
    await office.queue.walk()
    assert len(office.mailbox.messages) == 1


async def test_asked_for_again_without_a_key_it_is_sent_again(office: Office) -> None:
    for _ in range(2):
        await office.call("send_report", report="digest", channel="email", to="ops@example.com")
    await office.queue.walk()
    assert len(office.mailbox.messages) == 2


async def test_a_dry_run_sends_nothing_and_changes_nothing(office: Office) -> None:
    sent = await office.call(
        "send_report", report="digest", channel="email", to="a@example.com", dry_run=True
    )
    assert sent["summary"].startswith("试运行")
    assert sent["deliveries"] == []
    await office.call("set_delivery", channel="email", target="a@example.com", dry_run=True)
    assert (await office.call("get_delivery"))["channels"] == []
    await office.call("test_channel", channel="dingtalk", dry_run=True)
    assert office.group.shown == []
    assert office.queue.waiting == []


async def test_a_person_s_own_settings_say_where_to(office: Office) -> None:
    answer = await office.call("set_delivery", channel="email", target="Me@Example.com")
    assert answer["summary"] == "值班员的接收方式，邮件：Me@example.com。"
    await office.call("send_report", report="digest", channel="email")
    await office.call("send_report", report="digest", channel="all")
    await office.queue.walk()
    assert office.mailbox.recipients == [["Me@example.com"]] * 2
    assert office.group.shown == [], "nothing is posted to a group that nobody has named"
    await office.call("send_report", report="digest", channel="dingtalk")
    await office.queue.walk()
    assert len(office.group.shown) == 1, "the one called default is meant without a name"


async def test_a_channel_that_is_switched_off_gets_no_copies_but_may_still_be_named(office: Office) -> None:
    await office.call("set_delivery", channel="email", target="me@example.com")
    switched = await office.call("set_delivery", channel="email", enabled=False)
    assert switched["channels"] == [{"channel": "email", "target": "me@example.com", "enabled": False}]
    await office.refused("send_report", report="digest", channel="all")
    await office.queue.walk()
    assert office.mailbox.messages == []
    await office.call("send_report", report="digest", channel="email")
    await office.queue.walk()
    assert len(office.mailbox.messages) == 1


async def wishes(office: Office, **targets: str) -> None:
    for name, (channel, target) in {name: text.split(" ", 1) for name, text in targets.items()}.items():
        await asyncio.to_thread(
            office.desk.preferences.set,
            DeliveryPreference(person=name, channel=Channel(channel), target=target),
        )


async def test_a_job_s_report_reaches_everybody_who_wants_copies_and_the_house(office: Office) -> None:
    await wishes(office, 值班员="email duty@example.com", 负责人="email boss@example.com")
    muted = DeliveryPreference(
        person="实习生", channel=Channel.EMAIL, target="new@example.com", enabled=False
    )
    await asyncio.to_thread(office.desk.preferences.set, muted)
    office.caller = NIGHT
    await office.call("send_report", report="incident-42", channel="all")
    await office.queue.walk()
    reached = sorted(address for one in office.mailbox.recipients for address in one)
    assert reached == ["boss@example.com", "duty@example.com", "ops@example.com"]
    assert len(office.mailbox.messages) == 3, "nobody learns who else got it"
    assert len(office.group.shown) == 1


async def test_of_a_job_s_report_each_address_and_each_group_gets_one(office: Office) -> None:
    await wishes(office, 值班员="email Ops@example.com,duty@example.com", 负责人="email duty@example.com")
    await wishes(office, 值班员="dingtalk default,@13900139000", 负责人="dingtalk default")
    office.caller = NIGHT
    await office.call("send_report", report="incident-42", channel="all")
    await office.queue.walk()
    reached = sorted(address for one in office.mailbox.recipients for address in one)
    assert reached == ["Ops@example.com", "duty@example.com"]
    (shown,) = office.group.shown
    assert "13900139000" in shown["at"]["atMobiles"]


async def test_a_day_s_digest_goes_to_each_target_once_whichever_job_sends_it(office: Office) -> None:
    await wishes(office, 值班员="email duty@example.com")
    office.caller = NIGHT
    await office.call("send_report", report="digest", channel="all", idempotency_key="night-digest")
    await office.queue.walk()
    office.caller = replace(NIGHT, name="digest-copies")
    again = {"report": "digest", "channel": "email", "to": "duty@example.com"}
    await office.call("send_report", **again, idempotency_key="digest-copy-1")
    await office.queue.walk()
    await office.call("send_report", **again, idempotency_key="digest-copy-2")
    await office.queue.walk()
    assert sorted(one[0] for one in office.mailbox.recipients) == ["duty@example.com", "ops@example.com"]


async def test_a_wish_that_cannot_be_met_does_not_keep_the_others_from_theirs(office: Office) -> None:
    await wishes(office, 值班员="dingtalk 旧群", 负责人="email boss@example.com")
    office.caller = NIGHT
    answer = await office.call("send_report", report="incident-42", channel="all")
    await office.queue.walk()
    assert "没有叫旧群" in answer["skipped"][0]
    assert ["boss@example.com"] in office.mailbox.recipients


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"report": "digest", "channel": "email"}, "邮件要发给谁"),
        ({"report": "digest", "channel": "email", "to": "不是地址"}, "不是有效的邮箱"),
        ({"report": "digest", "channel": "all", "to": "a@example.com"}, "请说明是发邮件还是发钉钉"),
        ({"report": "incident-99", "channel": "dingtalk"}, "没有这份报告"),
        ({"report": "digest", "channel": "dingtalk", "to": "财务群"}, "没有叫财务群"),
        ({"report": "digest", "channel": "dingtalk", "to": TOKEN}, "写在配置里"),
    ],
)
async def test_what_cannot_be_sent_is_refused_with_a_sentence(
    office: Office, arguments: dict[str, object], words: str
) -> None:
    error = await office.refused("send_report", **arguments)
    assert words in error["message"]
    assert error["hint"]
    assert TOKEN not in json.dumps(error)
    assert office.queue.waiting == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"report": "digest", "channel": "wecom"},
        {"report": 42, "channel": "email"},
        {"channel": "email"},
        {"report": "digest", "channel": "email", "copies": 3},
    ],
)
async def test_wrong_arguments_are_refused_before_anything_happens(
    office: Office, arguments: dict[str, object]
) -> None:
    assert (await office.refused("send_report", **arguments))["code"] == "invalid_arguments"
    assert office.queue.waiting == []


async def test_the_delivery_of_others_needs_the_right_to_configure(office: Office) -> None:
    for tool, arguments in (
        ("set_delivery", {"channel": "email", "target": "evil@example.com", "person": "负责人"}),
        ("get_delivery", {"person": "负责人"}),
    ):
        assert (await office.refused(tool, **arguments))["code"] == "not_permitted"
    office.caller = OWNER
    await office.call("set_delivery", channel="email", target="watch@example.com", person="值班员")
    assert (await office.refused("get_delivery", person="陌生人"))["message"] == "没有这个人。"
    office.caller = WATCH
    assert (await office.call("get_delivery"))["channels"][0]["target"] == "watch@example.com"


async def test_a_setting_without_a_target_is_asked_for(office: Office) -> None:
    assert "要改什么" in (await office.refused("set_delivery", channel="email"))["message"]
    assert (
        "还没有设置地址" in (await office.refused("set_delivery", channel="email", enabled=True))["message"]
    )


async def test_a_test_message_is_sent_at_once(office: Office) -> None:
    await office.call("set_delivery", channel="email", target="me@example.com")
    assert (await office.call("test_channel", channel="email"))["summary"] == (
        "测试消息已发到邮件（me@example.com）。"
    )
    assert office.mailbox.messages[0]["Subject"] == "小智测试消息"
    await office.call("test_channel", channel="dingtalk")
    assert office.group.shown[0]["markdown"]["title"] == "小智测试消息"


async def test_a_test_that_fails_says_the_provider_s_reason_and_is_not_repeated(office: Office) -> None:
    await office.call("set_delivery", channel="email", target="gone@example.com")
    office.mailbox.refuse = {"gone@example.com": "550 no such user"}
    error = await office.refused("test_channel", channel="email")
    assert error["message"] == "收件人被拒收。"
    assert "550 no such user" in error["detail"]
    assert error["retryable"] is False
    assert office.queue.waiting == []


async def test_a_test_does_not_wait_for_a_busy_robot(office: Office) -> None:
    office.caller = replace(WATCH, name="测试员")
    for _ in range(5):
        await office.call("test_channel", channel="dingtalk")
    office.group.blocked_until = office.time.now() + timedelta(minutes=10)
    first = await office.refused("test_channel", channel="dingtalk")
    second = await office.refused("test_channel", channel="dingtalk")
    assert "限流" in first["message"]
    assert "请过10分钟再试" in second["message"]
    assert office.group.refused == [130101], "the second one did not even ask"


async def test_the_list_is_one_s_own_pages_and_filters(office: Office) -> None:
    for number in range(23):
        office.time.jump(timedelta(minutes=1))
        to = f"u{number}@example.com"
        office.caller = replace(WATCH, name="负责人" if number == 0 else "值班员")
        await office.desk.dispatch.send(
            DIGEST, office.desk.house.target(Channel.EMAIL, to), person=office.caller.name
        )
    await office.queue.walk()
    page = await office.call("list_deliveries", period="24h")
    assert len(page["deliveries"]) == 20
    assert page["left_out"] == 2
    rest = await office.call("list_deliveries", period="24h", cursor=page["cursor"])
    assert [line["target"] for line in rest["deliveries"]] == ["u2@example.com", "u1@example.com"]
    assert rest["cursor"] is None
    office.caller = OWNER
    assert (await office.call("list_deliveries"))["left_out"] == 3, "who may configure sees all"
    nothing = await office.call("list_deliveries", status="failed")
    assert nothing["summary"] == "这段时间没有推送。"
    assert (await office.refused("list_deliveries", period="gestern"))["message"]


async def test_failed_and_pending_deliveries_are_told_apart(office: Office) -> None:
    office.mailbox.refuse = {"gone@example.com": "550 no such user"}
    await office.call("send_report", report="digest", channel="email", to="gone@example.com")
    await office.queue.walk()
    await office.call("send_report", report="digest", channel="email", to="ops@example.com")
    (failed,) = (await office.call("list_deliveries", status="failed"))["deliveries"]
    (pending,) = (await office.call("list_deliveries", status="pending"))["deliveries"]
    assert failed["target"] == "gone@example.com"
    assert "550 no such user" in failed["reason"]
    assert pending["status"] == DeliveryStatus.QUEUED
    summary = (await office.call("list_deliveries"))["summary"]
    assert summary == "共2条推送，发送失败1条，排队中1条。"
