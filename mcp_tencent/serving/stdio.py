"""Standard input and output: for a host that starts the server itself, such as an IDE."""

from __future__ import annotations

import io
import sys

from mcp_tencent.serving.masking import log_to_stderr
from mcp_tencent.serving.server import GatewayServer


async def serve_stdio(server: GatewayServer) -> None:
    """Speak the protocol on standard input and output until the input ends.

    Nothing else reaches standard output: logs go to standard error, and so does whatever a tool or a library
    prints, because the SDK keeps the real output to itself and points descriptor 1 at standard error.
    """
    log_to_stderr()
    # A line that waits in Python's own buffer would come out when the descriptor is ours again, at the end.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    await server.run_stdio_async()
