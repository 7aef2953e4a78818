"""What a greeting is answered with: the day's digest once to each person in the morning, else “我在”."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from typing import Protocol

from assistant.people import Person
from mcp_tencent.gateway.call import Clock
from mcp_tencent.gateway.errors import StoreUnavailable
from mcp_tencent.gateway.stores import in_store
from scheduler.digest_claims import DigestClaim, DigestClaimStore

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenDigest:
    """A digest as it is spoken: an opening, numbered items, what needs a decision.

    Args:
        parts: Each a paragraph of one or more sentences, in the order in which they are spoken.
        details: The long form of each numbered item, from 1.
    """

    parts: tuple[str, ...]
    details: tuple[str, ...] = ()


class Digests(Protocol):
    """Where digests come from."""

    async def of(self, now: datetime, *, max_seconds: int | None = None) -> SpokenDigest | None:
        """Return the digest of this day, or None when none was written.

        Args:
            now: The present.
            max_seconds: How long it may be; None for the device's own length.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MorningWindow:
    """When the digest is spoken unasked, on the clocks of a zone."""

    start: time
    end: time
    zone: tzinfo

    def holds(self, now: datetime, person: Person) -> bool:
        """Tell whether the window is open for somebody; their own preference counts first."""
        local = now.astimezone(self.zone).time()
        start = person.preferences.window_start or self.start
        end = person.preferences.window_end or self.end
        return start <= local < end


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """The answer to a greeting.

    Args:
        digest: What is spoken; None when there is no digest to be heard now.
        claim: The right to speak it to this person; whoever speaks reports to it.
        held_back: There is a digest, but it cannot be put on record that somebody heard it.
    """

    digest: SpokenDigest | None = None
    claim: DigestClaim | None = None
    held_back: bool = False


class Greeting:
    """Answers greetings.

    Args:
        digests: Where digests come from.
        claims: Who has heard which; of any number of greetings at once, one gets the digest.
        window: When it is spoken unasked; asked for at every greeting.
        device: This appliance, as claims name it.
        wall: In whose time a speaker counts as dead; the days of a cloud may go faster.
        told: Called when somebody begins to be told the digest of a day.
    """

    def __init__(
        self,
        *,
        digests: Digests,
        claims: DigestClaimStore,
        window: Callable[[], MorningWindow],
        device: str,
        wall: Clock,
        told: Callable[[Person, date], None] = lambda _person, _on: None,
    ) -> None:
        self._digests = digests
        self._claims = claims
        self._window = window
        self._device = device
        self._wall = wall
        self._told = told

    async def welcome(self, person: Person, *, now: datetime) -> Welcome:
        """Return what to say to somebody who greets."""
        window = self._window()
        if not window.holds(now, person):
            return Welcome()
        digest = await self._digests.of(now, max_seconds=person.preferences.max_seconds)
        if digest is None:
            return Welcome()
        today = now.astimezone(window.zone).date()
        now = self._wall.now()
        try:
            claim = await in_store(lambda: self._claims.claim(person.id, today, device=self._device, now=now))
        except StoreUnavailable as error:
            _log.error("the digest is held back, for nobody could know that it was told: %s", error)
            return Welcome(held_back=True)
        if claim is None:
            return Welcome()
        self._told(person, today)
        return Welcome(digest=digest, claim=claim)

    async def again(self, *, now: datetime, person: Person) -> SpokenDigest | None:
        """Return the digest of today for somebody who asks for it, at any time of the day."""
        return await self._digests.of(now, max_seconds=person.preferences.max_seconds)
