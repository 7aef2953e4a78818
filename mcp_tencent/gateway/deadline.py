"""Every call ends."""

from __future__ import annotations

import asyncio

from mcp_tencent.gateway.call import Proceed, Result, ToolCall
from mcp_tencent.gateway.errors import DeadlineExceeded


async def deadline(call: ToolCall, proceed: Proceed) -> Result:
    """Cancel a call that takes longer, in all, than its tool is given."""
    try:
        async with asyncio.timeout(call.tool.deadline_s) as limit:
            return await proceed(call)
    except TimeoutError as error:
        if not limit.expired():
            raise  # the tool's own timeout, not ours
        raise DeadlineExceeded(
            f"{call.tool.name} took longer than {call.tool.deadline_s:g} s", retry_after_s=1.0
        ) from error
