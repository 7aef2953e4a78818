from datetime import timedelta

import pytest

from mcp_tencent.push.channels import Channel, Target
from mcp_tencent.push.delivery import DeliveryStatus
from mcp_tencent.push.dispatch import Dispatch, delivery_id
from mcp_tencent.push.errors import DeliveryBroken, DeliveryUnknown
from tests.mcp_tencent.push.in_memory_store import InMemoryDeliveryStore
from tests.mcp_tencent.push.sample_reports import DIGEST, SHORT
from tests.mcp_tencent.push.virtual_time import VirtualTime

OPS = Target(channel=Channel.EMAIL, recipients=("ops@example.com",))


class FakeQueue:
    """Remembers what was put; what is named broken has ended in an error."""

    def __init__(self) -> None:
        self.put_ids: list[str] = []
        self.broken: set[str] = set()

    async def put(self, delivery_id: str) -> None:
        if delivery_id in self.broken:
            raise DeliveryBroken("workflow ended as ERROR", spoken="发送时出现内部错误，没有完成。")
        self.put_ids.append(delivery_id)


@pytest.fixture
def queue() -> FakeQueue:
    return FakeQueue()


@pytest.fixture
def dispatch(queue: FakeQueue) -> Dispatch:
    return Dispatch(store=InMemoryDeliveryStore(), queue=queue, now=VirtualTime().now)


async def test_the_same_report_to_the_same_target_is_one_delivery(
    dispatch: Dispatch, queue: FakeQueue
) -> None:
    first = await dispatch.send(DIGEST, OPS, person="负责人")
    second = await dispatch.send(DIGEST, OPS, person="负责人")
    assert first == second
    assert set(queue.put_ids) == {first.id}


async def test_another_key_target_channel_or_report_is_another_delivery(dispatch: Dispatch) -> None:
    group = Target(channel=Channel.DINGTALK, recipients=("default",))
    boss = Target(channel=Channel.EMAIL, recipients=("boss@example.com",))
    ids = {
        delivery_id(DIGEST, OPS),
        delivery_id(DIGEST, OPS, key="again"),
        delivery_id(DIGEST, boss),
        delivery_id(DIGEST, group),
        delivery_id(SHORT, OPS),
    }
    assert len(ids) == 5


def test_an_id_names_report_and_channel_and_hides_the_address() -> None:
    wanted = delivery_id(DIGEST, OPS, key="secret words")
    assert wanted.startswith("delivery-digest-2026-11-20-email-")
    assert "example.com" not in wanted
    assert "secret" not in wanted
    assert len(wanted) <= 200


async def test_what_is_finished_is_told_and_not_queued_again(dispatch: Dispatch, queue: FakeQueue) -> None:
    delivery = await dispatch.send(DIGEST, OPS)
    queue.broken.add(delivery.id)
    await dispatch.resume()
    queue.broken.clear()
    queue.put_ids.clear()
    again = await dispatch.send(DIGEST, OPS)
    assert again.status is DeliveryStatus.DEAD
    assert queue.put_ids == []


async def test_start_up_puts_what_is_unfinished_and_closes_what_broke(
    dispatch: Dispatch, queue: FakeQueue
) -> None:
    waiting = await dispatch.send(DIGEST, OPS)
    broken = await dispatch.send(SHORT, OPS)
    queue.put_ids.clear()
    queue.broken.add(broken.id)
    assert await dispatch.resume() == 2
    assert queue.put_ids == [waiting.id]
    assert (await dispatch.find(waiting.id)).status is DeliveryStatus.QUEUED
    closed = await dispatch.find(broken.id)
    assert closed.status is DeliveryStatus.DEAD
    assert closed.reason == "发送时出现内部错误，没有完成。"
    assert closed.updated_at - closed.created_at == timedelta()


async def test_an_unknown_delivery_is_an_error(dispatch: Dispatch) -> None:
    with pytest.raises(DeliveryUnknown):
        await dispatch.find("delivery-nobody")
