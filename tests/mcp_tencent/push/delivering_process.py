"""A process that delivers the sample digest and stands still at a chosen moment, to be killed there.

Usage: delivering_process.py FOLDER SMTP_PORT MOMENT

MOMENT is a step's name (stands still when the step is recorded), `accepted` (the mail server has the mail and
the step is not recorded), `added` (recorded, not queued), or `never`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from dbos import DBOS, WorkflowHandleAsync

from mcp_tencent.durable_dbos import DbosSteps, engine_config, running_engine
from mcp_tencent.push.channels import Channel, Target
from mcp_tencent.push.delivery_queue_dbos import DbosDeliveryQueue
from mcp_tencent.push.delivery_steps import DeliverySteps
from mcp_tencent.push.dispatch import Dispatch
from mcp_tencent.push.retry import RetryPolicy
from mcp_tencent.push.senders.sender import Parcel, Receipt
from mcp_tencent.push.senders.sender_aiosmtplib import Security, SmtpSender, SmtpSettings
from tests.mcp_tencent.push.sample_reports import DIGEST
from tests.mcp_tencent.push.smtp_server import USERNAME
from tests.mcp_tencent.push.stores import sql_stores

Result = TypeVar("Result")

OPS = Target(channel=Channel.EMAIL, recipients=("ops@example.com",))


async def stand_still(moment: str) -> None:
    print(f"reached {moment}", flush=True)
    await asyncio.Event().wait()


class StandingSender(SmtpSender):
    """Stands still between the server's 'OK' and the record of it."""

    async def send(self, parcel: Parcel) -> Receipt:
        await super().send(parcel)
        await stand_still("accepted")
        return Receipt()


async def stand_still_instead(self: DbosDeliveryQueue, delivery_id: str) -> None:
    """Never put anything into the queue."""
    await stand_still("added")


def stand_still_behind(step: str) -> None:
    """Let the engine stand still once the result of `step` is recorded."""
    recorded = DbosSteps.step

    async def standing(self: DbosSteps, name: str, action: Callable[[], Awaitable[Result]]) -> Result:
        result = await recorded(self, name, action)
        if name == step:
            await stand_still(step)
        return result

    DbosSteps.step = standing  # type: ignore[method-assign]


async def main(folder: Path, port: int, moment: str) -> None:
    stand_still_behind(moment)
    if moment == "added":
        DbosDeliveryQueue.put = stand_still_instead  # type: ignore[method-assign]
    settings = SmtpSettings(host="127.0.0.1", port=port, sender=USERNAME, security=Security.PLAIN)
    sender = (StandingSender if moment == "accepted" else SmtpSender)(settings)
    with sql_stores(folder / "push.db") as (store, _):

        def now() -> datetime:
            return datetime.now(UTC)

        steps = DeliverySteps(store=store, senders={Channel.EMAIL: sender}, policy=RetryPolicy(), now=now)
        config = engine_config(database_url=f"sqlite:///{folder / 'engine.db'}")
        async with running_engine(config) as engine:
            queue = engine.add(DbosDeliveryQueue(steps, polling_s=0.05))
            await engine.launch()
            dispatch = Dispatch(store=store, queue=queue, now=now)
            if await dispatch.resume() == 0:
                await dispatch.send(DIGEST, OPS)
            delivery = await dispatch.send(DIGEST, OPS)
            handle: WorkflowHandleAsync[str] = await DBOS.retrieve_workflow_async(delivery.id)
            print(f"ended {await handle.get_result(polling_interval_sec=0.05)}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
