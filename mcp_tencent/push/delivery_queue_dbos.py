"""Deliveries as DBOS workflows: one workflow per delivery, whose id is the delivery's id.

DBOS is one per process. Whoever composes the process creates this queue between configuring and launching
DBOS, because a workflow that is to be recovered has to be known by then, and calls `listen` after the launch:

    DBOS(config=engine_config(...))
    queue = DbosDeliveryQueue(steps)
    DBOS.launch()
    await queue.listen()

`running_engine` does it for processes that have nothing else durable to run.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from dbos import DBOS, DBOSConfig, SetWorkflowID
from sqlalchemy.exc import OperationalError

from mcp_tencent.push.delivery import deliver
from mcp_tencent.push.delivery_steps import DeliverySteps
from mcp_tencent.push.errors import DeliveryBroken

APPLICATION_VERSION = "1"
"""Workflows are only recovered by a process of the same version. It is raised when the order of steps of a
workflow changes, and never derived from the source, which would strand deliveries at every update."""
QUEUE = "xiaozhi-deliveries"
WORKFLOW = "push.deliver"

_ENDED_IN_ERROR = frozenset({"ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"})

Result = TypeVar("Result")


def engine_config(*, database_url: str, executor_id: str = "appliance") -> DBOSConfig:
    """Return the settings of DBOS for one process.

    Args:
        database_url: of the database that holds the engine's tables, `sqlite:///…` or `postgresql://…`.
        executor_id: which process this is. At its start a process takes up what the process of the same name
            left unfinished: two that run at the same time must never share a name.
    """
    return {
        "name": "xiaozhi",
        "system_database_url": database_url,
        "application_version": APPLICATION_VERSION,
        "executor_id": executor_id,
        "log_level": "WARNING",
    }


class DbosDeliveryQueue:
    """The durable queue of deliveries.

    Args:
        steps: what a delivery consists of.
        sleep: the durable wait; another one in tests whose time is not the wall's.
        polling_s: how often the queue is looked at: the delay before a delivery starts.
    """

    def __init__(
        self,
        steps: DeliverySteps,
        *,
        sleep: Callable[[float], Awaitable[None]] = DBOS.sleep_async,
        polling_s: float = 1.0,
    ) -> None:
        self._polling_s = polling_s
        engine = DbosSteps(sleep)

        @DBOS.workflow(name=WORKFLOW)
        async def walk(delivery_id: str) -> str:
            return (await deliver(delivery_id, steps, engine)).value

        self._walk = walk

    async def listen(self) -> None:
        """Start taking deliveries; DBOS must have been launched."""
        await DBOS.register_queue_async(QUEUE, polling_interval_sec=self._polling_s)

    async def put(self, delivery_id: str) -> None:
        """Enqueue the delivery's workflow; one that exists is left as it is.

        Raises:
            DeliveryBroken: it ended in an error of ours.
        """
        with SetWorkflowID(delivery_id):
            handle = await DBOS.enqueue_workflow_async(QUEUE, self._walk, delivery_id)
        status = await handle.get_status()
        if status.status in _ENDED_IN_ERROR:
            raise DeliveryBroken(
                f"workflow {delivery_id} ended as {status.status}", spoken="发送时出现内部错误，没有完成。"
            )


class DbosSteps:
    """`Durable` on DBOS, inside a workflow."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._sleep = sleep

    async def step(self, name: str, action: Callable[[], Awaitable[Result]]) -> Result:
        """Run a step. A database that is busy or away is waited for; nothing else is retried here."""

        async def run() -> Result:
            return await action()

        return await DBOS.run_step_async(
            {
                "name": name,
                "retries_allowed": True,
                "max_attempts": 8,
                "interval_seconds": 1.0,
                "backoff_rate": 2.0,
                "should_retry": lambda exc: isinstance(exc, OperationalError),
            },
            run,
        )

    async def sleep(self, seconds: float) -> None:
        """Wait durably."""
        await self._sleep(seconds)


@asynccontextmanager
async def running_engine(
    config: DBOSConfig, steps: DeliverySteps, *, polling_s: float = 1.0
) -> AsyncIterator[DbosDeliveryQueue]:
    """Run DBOS with the deliveries only, on this event loop, and stop it at the end."""
    DBOS(config=config)
    try:
        queue = DbosDeliveryQueue(steps, polling_s=polling_s)
        DBOS.launch()
        await queue.listen()
        yield queue
    finally:
        await asyncio.to_thread(DBOS.destroy)
