"""The `Context` of a search: where the next page begins, for whom, and how long that holds."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from datetime import UTC, datetime, timedelta

from mcp_tencent.local_cloud.logs.answers import Order, Window
from mcp_tencent.local_cloud.logs.query.nodes import QuerySyntax
from mcp_tencent.local_cloud.simulation import Clock
from mcp_tencent.local_cloud.tencent.errors import ActionError

LIFETIME = timedelta(hours=1)
MAX_LOGS = 10_000
"""What can be read by passing contexts on; beyond, the window has to be split."""


class SearchContexts:
    """Issues contexts and takes them back. Stateless: everything stands in the context itself."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def key(self, topic_id: str, statement: str, syntax: QuerySyntax, window: Window, order: Order) -> str:
        """Return what a context belongs to: it does not serve another search."""
        asked = f"{topic_id}\n{statement}\n{syntax.name}\n{window.from_ms}\n{window.to_ms}\n{order.value}"
        return hashlib.sha256(asked.encode()).hexdigest()[:16]

    def issue(self, key: str, cursor: str, delivered: int) -> str:
        """Return the context for the page after `cursor`, when `delivered` logs have been read so far."""
        content = [key, cursor, delivered, self._clock.now().timestamp()]
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()

    def resume(self, context: str, key: str, limit: int) -> tuple[str, int]:
        """Return the cursor and how many logs have been read so far.

        Raises:
            ActionError: InvalidContext when it is not ours, of another search or too old; GetlogReachLimit
                when the next page would go beyond 10,000 logs.
        """
        try:
            content = json.loads(base64.urlsafe_b64decode(context.encode()))
            owner, cursor, delivered, issued = content
            age = self._clock.now() - datetime.fromtimestamp(issued, UTC)
            known = owner == key and isinstance(cursor, str) and isinstance(delivered, int)
        except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise _invalid() from error
        if not known or age > LIFETIME:
            raise _invalid()
        if delivered + limit > MAX_LOGS:
            message = f"At most {MAX_LOGS} logs can be read by Context; narrow the time range."
            raise ActionError("FailedOperation.GetlogReachLimit", message)
        return cursor, delivered


def _invalid() -> ActionError:
    return ActionError("FailedOperation.InvalidContext", "The context has expired or does not exist.")
