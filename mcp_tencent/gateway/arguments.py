"""Arguments that do not fit the tool are refused before anybody is asked to confirm them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mcp_tencent.gateway.call import Arguments, Proceed, Result, ToolCall
from mcp_tencent.gateway.errors import InvalidArguments

Check = Callable[[Arguments], Sequence[str]]
"""Returns one English sentence for each problem; none when the arguments fit."""


class CheckArguments:
    """Refuses calls whose arguments do not fit.

    Args:
        checks: One check for each tool, by the tool's name.
    """

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks

    async def __call__(self, call: ToolCall, proceed: Proceed) -> Result:
        """Apply the policy to `call`."""
        problems = self._checks[call.tool.name](call.arguments)
        if problems:
            raise InvalidArguments(problems)
        return await proceed(call)
