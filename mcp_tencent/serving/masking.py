"""What leaves besides answers: progress and log messages of tools to the client, and our own log lines."""

from __future__ import annotations

import logging
import sys
from typing import Any

from mcp.server.session import ServerSession
from mcp_types import LoggingLevel, RequestId

from mcp_tencent.gateway.redact import STRICT


class MaskingSession:
    """A request's session whose messages to the client are masked; all else goes to the session itself."""

    def __init__(self, session: ServerSession) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the session has
        return getattr(self._session, name)

    async def report_progress(
        self, progress: float, total: float | None = None, message: str | None = None
    ) -> None:
        """Report progress with its message masked."""
        await self._session.report_progress(progress, total, STRICT.text(message) if message else message)

    async def send_log_message(
        self,
        level: LoggingLevel,
        data: Any,  # noqa: ANN401 - any JSON value, says the protocol
        logger: str | None = None,
        related_request_id: RequestId | None = None,
    ) -> None:
        """Send a log message to the client, masked."""
        await self._session.send_log_message(level, STRICT.value(data), logger, related_request_id)


class MaskingFormatter(logging.Formatter):
    """Formats log records as usual, tracebacks included, and masks the whole."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the masked text of `record`."""
        return STRICT.text(super().format(record))


def log_to_stderr(level: int = logging.INFO) -> None:
    """Send all logs of the process, masked, to standard error; standard output may belong to the protocol."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(MaskingFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
