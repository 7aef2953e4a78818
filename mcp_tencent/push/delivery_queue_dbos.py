"""Deliveries as DBOS workflows: one workflow per delivery, whose id is the delivery's id.

It is a part of the process's engine (`durable_dbos`), created before the launch.
"""

from __future__ import annotations

import asyncio
from contextvars import Context

from dbos import DBOS, SetWorkflowID, WorkflowStatus

from mcp_tencent.durable_dbos import DbosSteps, Sleep
from mcp_tencent.push.delivery import deliver
from mcp_tencent.push.delivery_steps import DeliverySteps
from mcp_tencent.push.errors import DeliveryBroken

QUEUE = "xiaozhi-deliveries"
WORKFLOW = "push.deliver"

_ENDED_IN_ERROR = frozenset({"ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"})


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
        sleep: Sleep = DBOS.sleep_async,
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
        # Apart from whatever workflow asks: a step, such as one of the night's, may not start workflows.
        status = await asyncio.create_task(self._enqueued(delivery_id), context=Context())
        if status.status in _ENDED_IN_ERROR:
            raise DeliveryBroken(
                f"workflow {delivery_id} ended as {status.status}", spoken="发送时出现内部错误，没有完成。"
            )

    async def _enqueued(self, delivery_id: str) -> WorkflowStatus:
        with SetWorkflowID(delivery_id):
            handle = await DBOS.enqueue_workflow_async(QUEUE, self._walk, delivery_id)
        return await handle.get_status()
