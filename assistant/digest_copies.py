"""Copies of the morning's digest: to each person's channels, once a day, whether they heard it or not."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import date, datetime, tzinfo
from typing import Protocol

from assistant.conversation.toolbox import Toolbox
from assistant.people import Person
from assistant.planner.plan import PlannedCall
from mcp_tencent.gateway.call import Caller, CallerKind, Permission
from mcp_tencent.gateway.stores import in_store
from mcp_tencent.push.records import PreferenceStore
from scheduler.records import DigestStore

SEND = "send_report"
COPIES = Caller(
    name="digest-copies",
    kind=CallerKind.SERVICE_JOB,
    permissions=frozenset({Permission.READ, Permission.OPERATE}),
    standing_writes=frozenset({SEND}),
)
"""A job like the night: what the night has sent to somebody already is not sent again."""
_log = logging.getLogger(__name__)


class Window(Protocol):
    """When the digest is told."""

    def holds(self, now: datetime, person: Person) -> bool:
        """Tell whether the window is open for somebody."""
        ...


class DigestCopies:
    """Sends the copies that the night has not sent, e.g. to somebody who said only later where to.

    They go through the push tools, where each target gets a day's digest from jobs once, whichever sends it.

    Args:
        toolbox: The tools.
        preferences: Who wants reports where.
        digests: The memory of digests.
        zone: In which a day begins at midnight.
    """

    def __init__(
        self,
        *,
        toolbox: Toolbox,
        preferences: PreferenceStore,
        digests: DigestStore,
        zone: tzinfo,
    ) -> None:
        self._toolbox = toolbox
        self._preferences = preferences
        self._digests = digests
        self._zone = zone
        self._sent: set[str] = set()

    async def send(self, person: Person, on: date) -> int:
        """Send this day's digest to somebody's channels; return how many copies were handed in now."""
        if SEND not in self._toolbox.names or await in_store(lambda: self._digests.get(on)) is None:
            return 0
        handed_in = 0
        for wish in await in_store(lambda: self._preferences.of(person.id)):
            key = f"digest-copy-{on.isoformat()}-{person.id}-{wish.channel.value}"
            if not wish.enabled or key in self._sent:
                continue
            arguments = {"report": "digest", "channel": wish.channel.value, "to": wish.target}
            answer = await self._toolbox.call(
                PlannedCall(tool=SEND, arguments=arguments), caller=COPIES, key=key
            )
            if answer.done:
                self._sent.add(key)
                handed_in += 1
            else:
                _log.warning("no copy of the digest by %s: %s", wish.channel.value, answer.error)
        return handed_in

    async def send_due(self, now: datetime, window: Window, everybody: Callable[[], Sequence[Person]]) -> int:
        """Send copies to everybody whose window is open, and who has not had theirs; return how many."""
        today = now.astimezone(self._zone).date()
        people = await in_store(everybody)
        due = [one for one in people if window.holds(now, one)]
        return sum([await self.send(one, today) for one in due])
