"""The night and its healing as DBOS workflows: a part of the process's durable engine.

`night-<date>` is the id of a night and `heal-<incident>` that of the healing of an incident, so that
whoever starts one again only gets hold of the one that is there. Both start through queues: on one database
any number of processes takes them, and what a dead process has left goes back into its queue.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date
from functools import partial

from dbos import DBOS, SetEnqueueOptions, SetWorkflowID, WorkflowHandleAsync

from mcp_tencent.durable_dbos import DbosSteps, Sleep
from scheduler.healing import Ending, HealingSteps, heal
from scheduler.night import NightEnd, NightSteps, Opened, night, night_id

NIGHTS = "xiaozhi-nights"
HEALS = "xiaozhi-heals"
HEALED_AT_ONCE = 32
"""Incidents healed side by side, over all processes; of one workload always one after the other. More than a
night usually has: the queue gives out workloads in no order, and the lesser wait for the worse."""
_POLLING_S = 0.2

_log = logging.getLogger(__name__)


def heal_id(incident_id: str) -> str:
    """Return the id of the healing of an incident."""
    return f"heal-{incident_id}"


class DbosNights:
    """The nights of this device or of several.

    Args:
        steps: What a night consists of.
        healing: What healing an incident consists of.
        sleep: The durable wait; another one where the cloud's time is not the wall's.
        polling_s: How often the queues are looked at.
    """

    def __init__(
        self,
        steps: NightSteps,
        healing: HealingSteps,
        *,
        sleep: Sleep = DBOS.sleep_async,
        polling_s: float = _POLLING_S,
    ) -> None:
        self._polling_s = polling_s
        engine = DbosSteps(sleep)

        @DBOS.workflow(name="scheduler.heal")
        async def heal_one(incident_id: str, after: tuple[str, ...]) -> Ending:
            return await heal(incident_id, healing, engine, after=after)

        @DBOS.workflow(name="scheduler.night")
        async def night_of(on: date) -> NightEnd:
            return await night(on, steps, engine, self)

        self._heal, self._night = heal_one, night_of
        self._healing, self._engine = healing, engine

    async def listen(self) -> None:
        """Open the queues; DBOS has been launched."""
        await DBOS.register_queue_async(NIGHTS, global_concurrency=1, polling_interval_sec=self._polling_s)
        await DBOS.register_queue_async(
            HEALS,
            global_concurrency=HEALED_AT_ONCE,
            partition_concurrency=1,
            polling_interval_sec=self._polling_s,
        )

    async def start(self, on: date) -> WorkflowHandleAsync[NightEnd]:
        """Start the night that ends on the morning of `on`, or get hold of the one that was started."""
        with SetWorkflowID(night_id(on)):
            return await DBOS.enqueue_workflow_async(NIGHTS, self._night, on)

    async def run(self, on: date) -> NightEnd:
        """Start a night, or join it, and return how it ended."""
        handle = await self.start(on)
        return await handle.get_result(polling_interval_sec=self._polling_s)

    async def heal(self, opened: Sequence[Opened]) -> tuple[Ending, ...]:
        """Have all healed, worst first, and return how each ended; called inside a night."""
        handles = []
        for place, one in enumerate(opened):
            # Of one workload they are healed one after the other: they would wait for each other in vain.
            after = tuple(worse.incident_id for worse in opened[:place] if worse.place != one.place)
            with SetWorkflowID(heal_id(one.incident_id)), SetEnqueueOptions(queue_partition_key=one.place):
                handles.append(await DBOS.enqueue_workflow_async(HEALS, self._heal, one.incident_id, after))
        endings = []
        for one, handle in zip(opened, handles, strict=True):
            try:
                endings.append(await handle.get_result(polling_interval_sec=self._polling_s))
            except Exception:  # noqa: BLE001 - a healing that crashed must not take the digest with it
                _log.exception("healing %s crashed", one.incident_id)
                crashed = partial(self._healing.crashed, one.incident_id)
                endings.append(await self._engine.step("crashed", crashed))
        return tuple(endings)
