"""The port to a durable engine: what a walk of steps needs to survive a crash."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

Result = TypeVar("Result")


class Durable(Protocol):
    """What a walk needs of the engine it runs on."""

    async def step(self, name: str, action: Callable[[], Awaitable[Result]]) -> Result:
        """Do the action and record its result; after a crash return the recorded result instead."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait until `seconds` from the first time this point was reached, crashes included."""
        ...
