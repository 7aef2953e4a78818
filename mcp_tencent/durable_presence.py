"""Which processes of the durable engine are alive, and who takes up what a dead one has left.

Every process counts up its own row. One whose count has stood still for `PATIENCE_S`, by the watch of whoever
looks, is dead: no clock of one machine is compared with that of another. What the dead process had begun goes
back into its queue, from which exactly one process takes it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from sqlalchemy import Engine, delete, update
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Field, SQLModel, col, select

from mcp_tencent.tables import changed_rows, insert_once, reading, writing

BEAT_S = 2.0
PATIENCE_S = 20.0

_log = logging.getLogger(__name__)


class EngineProcessRow(SQLModel, table=True):
    """One process that takes part in the durable work."""

    __tablename__ = "engine_processes"

    executor_id: str = Field(primary_key=True, max_length=100)
    beats: int


class Presence:
    """Shows that this process is alive, and takes up what dead ones have left; a part of the engine.

    Args:
        engine: Of the database that all processes share.
        executor_id: Of this process; no other one ever had it.
        beat_s: How often it is shown, in seconds.
        patience_s: After how long of standing still a process counts as dead.
        monotonic: The own watch.
    """

    def __init__(
        self,
        engine: Engine,
        executor_id: str,
        *,
        beat_s: float = BEAT_S,
        patience_s: float = PATIENCE_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._own = executor_id
        self._beat_s = beat_s
        self._patience_s = patience_s
        self._monotonic = monotonic
        self._seen: dict[str, tuple[int, float]] = {}
        self._beating: asyncio.Task[None] | None = None

    async def listen(self) -> None:
        """Begin to show that this process is alive."""
        await asyncio.to_thread(self._show)
        self._beating = asyncio.create_task(self._beat())

    async def leave(self) -> None:
        """Stop; what this process has begun is free to be taken up."""
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._beat_s)
            try:
                await asyncio.to_thread(self._show)
                await self.take_up()
            except SQLAlchemyError:  # it may be back before the others' patience ends
                _log.exception("presence could not be shown")

    async def take_up(self) -> tuple[str, ...]:
        """Put what dead processes had begun back into its queue; return who is dead."""
        from dbos import DBOS  # commands that only open the records never pay for it

        pending = await DBOS.list_workflows_async(status="PENDING", load_input=False, load_output=False)
        others = {one.executor_id for one in pending if one.executor_id} - {self._own}
        dead = tuple(sorted(others & await asyncio.to_thread(self._standing_still, others)))
        if dead:
            _log.warning("taking up what %s left unfinished", ", ".join(dead))
            # DBOS calls it internal; it is what its own admin endpoint /dbos-workflow-recovery offers.
            await asyncio.to_thread(DBOS._recover_pending_workflows, list(dead))  # noqa: SLF001
            await asyncio.to_thread(self._forget, dead)
        return dead

    def _standing_still(self, others: set[str]) -> set[str]:
        now = self._monotonic()
        with reading(self._engine) as session:
            beats = {row.executor_id: row.beats for row in session.exec(select(EngineProcessRow))}
        for one in others:
            count = beats.get(one, -1)
            known = self._seen.get(one)
            if known is None or known[0] != count:
                self._seen[one] = (count, now)
        return {one for one in others if now - self._seen[one][1] >= self._patience_s}

    def _show(self) -> None:
        own = col(EngineProcessRow.executor_id) == self._own
        with writing(self._engine) as session:
            beaten = changed_rows(
                session, update(EngineProcessRow).where(own).values(beats=col(EngineProcessRow.beats) + 1)
            )
            if not beaten:
                insert_once(session, EngineProcessRow(executor_id=self._own, beats=0), unique=["executor_id"])

    def _forget(self, dead: tuple[str, ...]) -> None:
        with writing(self._engine) as session:
            session.execute(delete(EngineProcessRow).where(col(EngineProcessRow.executor_id).in_(dead)))
