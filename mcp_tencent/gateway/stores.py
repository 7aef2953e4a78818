"""Running what touches the database beside the event loop, with its failures in the gateway's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio.to_thread
from sqlalchemy.exc import SQLAlchemyError

from mcp_tencent.gateway.errors import StoreUnavailable

T = TypeVar("T")


async def in_store(work: Callable[[], T]) -> T:
    """Run `work` in a thread: a waiting database must never hold up the microphone.

    A cancelled caller still waits for it, so that nothing is written behind anybody's back.

    Raises:
        StoreUnavailable: The database is locked, full, gone or not migrated.
    """
    try:
        return await anyio.to_thread.run_sync(work)
    except SQLAlchemyError as error:
        raise StoreUnavailable(f"the gateway's store failed: {type(error).__name__}") from error
