"""What the push tools work with, and the ports to what they need from others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Protocol

from mcp_tencent.gateway.call import Caller, CallerKind, Permission
from mcp_tencent.gateway.errors import NotPermitted
from mcp_tencent.push.delivery import Delivery, DeliveryStatus
from mcp_tencent.push.dispatch import Dispatch
from mcp_tencent.push.errors import PersonUnknown
from mcp_tencent.push.message import Report
from mcp_tencent.push.recipients import Audience, Choice, House, Recipient, audience, recipients
from mcp_tencent.push.records import DeliveryPreference, PreferenceStore
from mcp_tencent.push.trial import ChannelTrial

DIGEST = "digest"
"""The report that a job sends once a day."""


class ReportSource(Protocol):
    """Where reports come from."""

    async def report(self, name: str, *, caller: Caller) -> Report:
        """Return `digest` (the latest), `last_answer` (the caller's) or an incident by its id.

        Raises:
            ReportUnknown: there is no such report.
        """
        ...


class People(Protocol):
    """Who is known."""

    async def identify(self, name: str) -> str:
        """Return the key under which a person's deliveries and wishes are kept.

        Raises:
            PersonUnknown: nobody, or more than one, is called that.
        """
        ...


class DeliveryLog(Protocol):
    """Deliveries by time. Calls block; they are made off the event loop."""

    def between(
        self,
        since: datetime,
        until: datetime,
        *,
        statuses: Sequence[DeliveryStatus],
        person: str | None,
        offset: int,
        limit: int,
    ) -> Sequence[Delivery]:
        """Return a page of the deliveries asked for in [since, until), newest first."""
        ...

    def count(
        self, since: datetime, until: datetime, *, statuses: Sequence[DeliveryStatus], person: str | None
    ) -> int:
        """Return how many there are."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PushDesk:
    """What the tools work with.

    Args:
        dispatch: Takes reports in.
        trial: Tries a channel out.
        reports: Where reports come from.
        people: Who is known.
        preferences: Who wants reports where.
        log: Past deliveries.
        house: What the settings say.
        now: The wall clock.
        zone: Where days begin at midnight.
        new_key: Gives an id that was never given before.
    """

    dispatch: Dispatch
    trial: ChannelTrial
    reports: ReportSource
    people: People
    preferences: PreferenceStore
    log: DeliveryLog
    house: House
    now: Callable[[], datetime]
    zone: tzinfo
    new_key: Callable[[], str]

    async def audience(self, choice: Choice, to: str | None, caller: Caller) -> Audience:
        """Return who gets what a caller sends: of a person their own targets, of a job everybody's."""
        if caller.kind is CallerKind.SERVICE_JOB:
            return audience(choice, to, await asyncio.to_thread(self.preferences.everybody), self.house)
        targets = recipients(choice, to, await self.preferences_of(caller), self.house)
        own = await self.key_of(caller)
        return Audience(recipients=tuple(Recipient(target=one, person=own) for one in targets))

    def sending_key(self, report: str, caller: Caller) -> str | None:
        """Return what tells a wanted repetition apart.

        A day's digest goes by itself to each target once, whichever job sends it; a notice once a key.
        """
        if caller.kind is CallerKind.SERVICE_JOB and report == DIGEST:
            return None
        return self.new_key()

    async def preferences_of(self, caller: Caller) -> Sequence[DeliveryPreference]:
        """Return where the caller wants reports; a job has no wishes of its own."""
        if caller.kind is CallerKind.SERVICE_JOB:
            return ()
        return await asyncio.to_thread(self.preferences.of, await self.key_of(caller))

    async def key_of(self, caller: Caller) -> str:
        """Return the key under which the caller's own deliveries and wishes are kept."""
        if caller.kind is CallerKind.SERVICE_JOB:
            return caller.name
        try:
            return await self.people.identify(caller.name)
        except PersonUnknown:  # the console, or somebody who holds a token only
            return caller.name

    async def whose(self, person: str | None, caller: Caller) -> str:
        """Return the key of the person whose settings are meant, if the caller may look at them.

        Raises:
            NotPermitted: they are somebody else's, and the caller may not configure.
            PersonUnknown: there is no such person.
        """
        if person is None or person == caller.name:
            return await self.key_of(caller)
        if not caller.may(Permission.CONFIGURE):
            raise NotPermitted("the delivery of others needs the permission configure")
        return await self.people.identify(person)
