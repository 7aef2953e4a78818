"""DBOS, the durable engine of a process: its settings, its steps, and how it is started with all its parts.

DBOS is one per process. Everything durable (deliveries, the night, healing) is a part: it declares its
workflows between configuring and launching, because a workflow that is to be recovered has to be known by
then, and opens its queues after the launch:

    async with running_engine(engine_config(...)) as engine:
        queue = engine.add(DbosDeliveryQueue(steps))
        await engine.launch()
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

from dbos import DBOS, DBOSConfig
from sqlalchemy.exc import OperationalError

APPLICATION_VERSION = "1"
"""Workflows are only recovered by a process of the same version. It is raised when the order of steps of a
workflow changes, and never derived from the source, which would strand deliveries at every update."""

Result = TypeVar("Result")
Sleep = Callable[[float], Awaitable[None]]


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


class DbosSteps:
    """`Durable` on DBOS, inside a workflow.

    Args:
        sleep: The durable wait; another one where time is not the wall's.
    """

    def __init__(self, sleep: Sleep = DBOS.sleep_async) -> None:
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


class DurablePart(Protocol):
    """Something that runs on the engine. Its constructor declares its workflows."""

    async def listen(self) -> None:
        """Open its queues; DBOS has been launched."""
        ...


Part = TypeVar("Part", bound=DurablePart)


class Engine:
    """The engine of this process, from configured to launched."""

    def __init__(self) -> None:
        self._parts: list[DurablePart] = []

    def add(self, part: Part) -> Part:
        """Take in a part, before the launch."""
        self._parts.append(part)
        return part

    async def launch(self) -> None:
        """Start the engine on this event loop: what this process left unfinished goes on."""
        DBOS.launch()
        for part in self._parts:
            await part.listen()


@asynccontextmanager
async def running_engine(config: DBOSConfig) -> AsyncIterator[Engine]:
    """Configure DBOS, and stop it at the end. Inside, parts are added and it is launched."""
    DBOS(config=config)
    try:
        yield Engine()
    finally:
        await asyncio.to_thread(DBOS.destroy)
