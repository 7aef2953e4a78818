"""Deliveries on the real workflow engine, and what a kill leaves behind."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path

import pytest
from dbos import DBOS, WorkflowHandleAsync

from mcp_tencent.durable_dbos import engine_config
from mcp_tencent.push.channels import Channel, Target
from mcp_tencent.push.delivery import DeliveryStatus
from mcp_tencent.push.delivery_queue_dbos import DbosDeliveryQueue
from mcp_tencent.push.delivery_steps import DeliverySteps
from mcp_tencent.push.dispatch import Dispatch, delivery_id
from mcp_tencent.push.records import SqlDeliveryStore
from mcp_tencent.push.retry import RetryPolicy
from mcp_tencent.push.senders.sender import Parcel, Receipt, Sender
from mcp_tencent.push.senders.sender_aiosmtplib import Security, SmtpSender, SmtpSettings
from mcp_tencent.push.senders.sender_dingtalk import DingTalkRobot, DingTalkSender
from tests.mcp_tencent.push.dingtalk_robot import SECRET, TOKEN, GroupRobot, serving
from tests.mcp_tencent.push.sample_reports import DIGEST, SHORT
from tests.mcp_tencent.push.smtp_server import PASSWORD, USERNAME, Mailbox, make_certificate, smtp_server
from tests.mcp_tencent.push.stores import sql_stores
from tests.mcp_tencent.push.virtual_time import START, VirtualTime

OPS = Target(channel=Channel.EMAIL, recipients=("ops@example.com",))
PROCESS = Path(__file__).with_name("delivering_process.py")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlDeliveryStore]:
    with sql_stores(tmp_path / "push.db") as (deliveries, _):
        yield deliveries


def mail_sender(port: int) -> SmtpSender:
    return SmtpSender(
        SmtpSettings(host="127.0.0.1", port=port, sender=USERNAME, security=Security.PLAIN, timeout_s=60.0)
    )


@asynccontextmanager
async def engine(
    tmp_path: Path, store: SqlDeliveryStore, senders: Mapping[Channel, Sender], time: VirtualTime
) -> AsyncIterator[Dispatch]:
    steps = DeliverySteps(store=store, senders=senders, policy=RetryPolicy(), now=time.now)
    config = engine_config(database_url=f"sqlite:///{tmp_path / 'engine.db'}")
    config["notification_listener_polling_interval_sec"] = 0.01  # what destroy waits for
    config["scheduler_polling_interval_sec"] = 0.01
    DBOS(config=config)
    try:
        queue = DbosDeliveryQueue(steps, sleep=time.sleep, polling_s=0.02)
        DBOS.launch()
        await queue.listen()
        yield Dispatch(store=store, queue=queue, now=time.now)
    finally:
        await asyncio.to_thread(DBOS.destroy, destroy_registry=True)


@asynccontextmanager
async def running(
    tmp_path: Path, store: SqlDeliveryStore, port: int, time: VirtualTime
) -> AsyncIterator[Dispatch]:
    async with engine(tmp_path, store, {Channel.EMAIL: mail_sender(port)}, time) as dispatch:
        yield dispatch


async def ended(delivery: str) -> str:
    handle: WorkflowHandleAsync[str] = await DBOS.retrieve_workflow_async(delivery)
    return await handle.get_result(polling_interval_sec=0.02)


async def test_a_delivery_is_sent_and_its_workflow_has_its_id(
    tmp_path: Path, store: SqlDeliveryStore
) -> None:
    mailbox, time = Mailbox(), VirtualTime()
    with smtp_server(mailbox) as port:
        async with running(tmp_path, store, port, time) as dispatch:
            delivery = await dispatch.send(DIGEST, OPS)
            assert delivery.id == delivery_id(DIGEST, OPS)
            assert await ended(delivery.id) == "sent"
            assert (await dispatch.find(delivery.id)).status is DeliveryStatus.SENT
    assert len(mailbox.messages) == 1


async def test_a_mail_server_with_tls_and_login_and_a_group_robot_get_their_deliveries(
    tmp_path: Path, store: SqlDeliveryStore
) -> None:
    mailbox, time = Mailbox(), VirtualTime()
    robot = GroupRobot(now=time.now)
    certificate = make_certificate(tmp_path)
    group = Target(channel=Channel.DINGTALK, recipients=("default",))
    with smtp_server(mailbox, certificate=certificate) as port, serving(robot) as endpoint:
        settings = SmtpSettings(
            host="127.0.0.1",
            port=port,
            sender=USERNAME,
            username=USERNAME,
            password=PASSWORD,
            ca_file=certificate[0],
        )
        credentials = DingTalkRobot(access_token=TOKEN, secret=SECRET)
        senders: dict[Channel, Sender] = {
            Channel.EMAIL: SmtpSender(settings),
            Channel.DINGTALK: DingTalkSender({"default": credentials}, now=time.now, endpoint=endpoint),
        }
        async with engine(tmp_path, store, senders, time) as dispatch:
            asked = [await dispatch.send(DIGEST, target) for target in (OPS, group)]
            assert [await ended(delivery.id) for delivery in asked] == ["sent", "sent"]
    assert mailbox.logins == 1
    assert mailbox.messages[0]["Subject"] == DIGEST.title
    assert robot.shown[0]["markdown"]["title"] == DIGEST.title


async def test_asked_for_ten_times_at_once_it_is_sent_once(tmp_path: Path, store: SqlDeliveryStore) -> None:
    mailbox, time = Mailbox(), VirtualTime()
    with smtp_server(mailbox) as port:
        async with running(tmp_path, store, port, time) as dispatch:
            asked = await asyncio.gather(*(dispatch.send(DIGEST, OPS, key="k") for _ in range(10)))
            assert len({delivery.id for delivery in asked}) == 1
            await ended(asked[0].id)
            await dispatch.send(DIGEST, OPS, key="k")
            await dispatch.resume()
    assert len(mailbox.messages) == 1


async def test_an_hour_without_a_mail_server_delays_the_mail_and_nothing_else(
    tmp_path: Path, store: SqlDeliveryStore
) -> None:
    mailbox, time = Mailbox(), VirtualTime()
    with smtp_server(mailbox) as port:
        pass
    with ExitStack() as servers:

        async def down_for_an_hour() -> None:
            await time.sleep(3600)
            servers.enter_context(smtp_server(mailbox, port=port))

        async with running(tmp_path, store, port, time) as dispatch:

            async def delivered() -> str:
                return await ended((await dispatch.send(DIGEST, OPS)).id)

            # Time only moves when both the workflow and the server wait.
            workflow = asyncio.create_task(delivered())
            await time.run(down_for_an_hour(), _as_walk(time, workflow))
            delivery = await dispatch.find(delivery_id(DIGEST, OPS))
    assert len(mailbox.messages) == 1
    assert delivery.status is DeliveryStatus.SENT
    assert delivery.attempts >= 5
    assert timedelta(hours=1) <= delivery.updated_at - START <= timedelta(hours=2, minutes=30)


async def _as_walk(time: VirtualTime, workflow: asyncio.Task[str]) -> None:
    assert await workflow == "sent"


async def test_dead_letters_keep_their_reason(tmp_path: Path, store: SqlDeliveryStore) -> None:
    mailbox, time = Mailbox(refuse={"ops@example.com": "550 no such user"}), VirtualTime()
    with smtp_server(mailbox) as port:
        async with running(tmp_path, store, port, time) as dispatch:
            delivery = await dispatch.send(SHORT, OPS)
            assert await ended(delivery.id) == "dead"
            assert "550 no such user" in str((await dispatch.find(delivery.id)).reason)


async def test_a_walk_that_hits_a_bug_of_ours_ends_as_a_dead_letter(
    tmp_path: Path, store: SqlDeliveryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def buggy(self: SmtpSender, parcel: Parcel) -> Receipt:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(SmtpSender, "send", buggy)
    async with running(tmp_path, store, 1, VirtualTime()) as dispatch:
        delivery = await dispatch.send(SHORT, OPS)
        with pytest.raises(ZeroDivisionError):
            await ended(delivery.id)
        assert (await dispatch.find(delivery.id)).status is DeliveryStatus.SENDING
        await dispatch.resume()
        closed = await dispatch.find(delivery.id)
    assert closed.status is DeliveryStatus.DEAD
    assert closed.reason == "发送时出现内部错误，没有完成。"


async def test_the_engines_database_holds_no_report_no_address_and_no_password(
    tmp_path: Path, store: SqlDeliveryStore
) -> None:
    time = VirtualTime()
    mailbox = Mailbox(refuse={"gone@example.com": "550 <gone@example.com>: no such user"})
    two = Target(channel=Channel.EMAIL, recipients=("gone@example.com", "ops@example.com"))
    with smtp_server(mailbox) as port:
        async with running(tmp_path, store, port, time) as dispatch:
            delivery = await dispatch.send(DIGEST, two)
            await ended(delivery.id)
            assert "gone@example.com" in str((await dispatch.find(delivery.id)).reason)
    with closing(sqlite3.connect(tmp_path / "engine.db")) as database:
        dump = "\n".join(database.iterdump())
    # values are pickled and then base64-encoded
    pickles = [base64.b64decode(word) for word in re.findall(r"'(gA[A-Za-z0-9+/=]{8,})'", dump)]
    values = b"\n".join(pickles)
    assert delivery_id(DIGEST, two) in dump
    assert b"Verdict" in values, "the engine's values are really looked at"
    for private in (DIGEST.title, "ops@example.com", "gone@example.com", PASSWORD):
        assert private not in dump
        assert private.encode() not in values


async def run_process(folder: Path, port: int, stop_after: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(PROCESS),
        str(folder),
        str(port),
        stop_after,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )


async def killed_after(folder: Path, port: int, step: str) -> None:
    """Run the process until `step` is done (or being done), then kill it without warning."""
    process = await run_process(folder, port, step)
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 30)
    assert line.decode().strip() == f"reached {step}"
    process.send_signal(signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL


async def finished(folder: Path, port: int) -> None:
    process = await run_process(folder, port, "never")
    assert process.stdout is not None
    assert (await asyncio.wait_for(process.stdout.readline(), 60)).decode().strip() == "ended sent"
    assert await asyncio.wait_for(process.wait(), 30) == 0


@pytest.mark.parametrize("step", ["plan", "turn", "send", "record"])
async def test_killed_behind_a_step_it_goes_on_behind_that_step_and_sends_once(
    tmp_path: Path, store: SqlDeliveryStore, step: str
) -> None:
    mailbox = Mailbox()
    with smtp_server(mailbox) as port:
        await killed_after(tmp_path, port, step)
        taken_before = len(mailbox.messages)
        await finished(tmp_path, port)
    assert taken_before == (1 if step in {"send", "record"} else 0)
    assert len(mailbox.messages) == 1
    delivery = store.find(delivery_id(DIGEST, OPS))
    assert delivery is not None
    assert delivery.status is DeliveryStatus.SENT
    assert delivery.attempts == 1


async def test_killed_before_the_acceptance_is_recorded_it_is_the_same_mail_twice_and_one_delivery(
    tmp_path: Path, store: SqlDeliveryStore
) -> None:
    mailbox = Mailbox()
    with smtp_server(mailbox) as port:
        await killed_after(tmp_path, port, "accepted")
        assert len(mailbox.messages) == 1
        await finished(tmp_path, port)
    first, second = mailbox.messages
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Date"] == second["Date"]
    delivery = store.find(delivery_id(DIGEST, OPS))
    assert delivery is not None
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.SENT, 1)


async def test_killed_between_record_and_queue_it_is_found_again_at_start_up(
    tmp_path: Path, store: SqlDeliveryStore
) -> None:
    mailbox = Mailbox()
    with smtp_server(mailbox) as port:
        await killed_after(tmp_path, port, "added")
        delivery = store.find(delivery_id(DIGEST, OPS))
        assert delivery is not None
        assert delivery.status is DeliveryStatus.QUEUED
        await finished(tmp_path, port)
    assert len(mailbox.messages) == 1
    delivery = store.find(delivery.id)
    assert delivery is not None
    assert delivery.status is DeliveryStatus.SENT


async def test_a_step_of_another_workflow_may_hand_in_a_delivery(
    tmp_path: Path, store: SqlDeliveryStore
) -> None:
    mailbox, time = Mailbox(), VirtualTime()
    with smtp_server(mailbox) as port:
        async with running(tmp_path, store, port, time) as dispatch:

            @DBOS.step()
            async def tell() -> str:
                return (await dispatch.send(DIGEST, OPS)).id

            @DBOS.workflow()
            async def night() -> str:
                return await tell()

            assert await ended(await night()) == "sent"
    assert len(mailbox.messages) == 1
