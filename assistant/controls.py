"""What can be turned on the appliance: kept in the settings, and in force at once where it is running."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import time
from typing import Protocol

from assistant.conversation.greeting import MorningWindow
from assistant.errors import NotOnThisDevice
from assistant.home import Home
from assistant.people import Person
from assistant.settings_editing import set_settings


class AtWork(Protocol):
    """The running appliance; every call comes from its event loop."""

    async def call_it(self, phrase: str) -> Sequence[str]:
        """Listen for another wake phrase from now on; return warnings in Chinese.

        Raises:
            WakePhraseError: it cannot be called by that, and goes on as it was.
        """
        ...

    def set_volume(self, percent: int) -> None:
        """Speak louder or softer from the next sentence on."""
        ...

    def mute(self, minutes: int | None) -> None:
        """Hear nothing for some minutes, or until the button is pressed."""
        ...

    def learn_voice(self, person: Person) -> None:
        """Take the next sentences as samples of somebody's voice."""
        ...


class HouseControls:
    """Satisfies the device tools' `Controls`.

    Args:
        home: Where the settings lie.
        environ: What outranks them.
        name: What it calls itself now.
        window: When the digest is spoken unasked now.
        start_night: Starts the night job of today; returns what became of it.
    """

    def __init__(
        self,
        *,
        home: Home,
        environ: Mapping[str, str],
        name: str,
        window: MorningWindow,
        start_night: Callable[[], Awaitable[str]],
    ) -> None:
        self._home = home
        self._environ = environ
        self._start_night = start_night
        self._at_work: AtWork | None = None
        self.name = name
        self.window = window

    def attach(self, appliance: AtWork | None) -> None:
        """Have changes take effect on this appliance; None when it has gone."""
        self._at_work = appliance

    async def set_wake_phrase(self, phrase: str) -> Sequence[str]:
        """Answer to another phrase; a phrase that cannot be listened for is not written down."""
        warnings = await self._at_work.call_it(phrase) if self._at_work is not None else ()
        await self._write({"robot.wake_phrase": phrase})
        return warnings

    async def set_name(self, name: str) -> None:
        """Call itself something else."""
        await self._write({"robot.name": name})
        self.name = name

    async def set_volume(self, percent: int) -> None:
        """Speak louder or softer."""
        await self._write({"audio.volume_percent": str(percent)})
        if self._at_work is not None:
            self._at_work.set_volume(percent)

    async def set_digest_window(self, start: str, end: str) -> None:
        """Speak the digest between other times, each HH:MM."""
        await self._write({"digest.window_start": start, "digest.window_end": end})
        self.window = replace(self.window, start=time.fromisoformat(start), end=time.fromisoformat(end))

    async def mute(self, minutes: int | None) -> None:
        """Hear nothing for some minutes, or until the button is pressed."""
        self._running().mute(minutes)

    async def begin_enrolment(self, person: Person) -> None:
        """Take what this person says next as samples of their voice."""
        self._running().learn_voice(person)

    async def start_night_job(self) -> str:
        """Start the night job of today, if it has not run; return what became of it, in Chinese."""
        return await self._start_night()

    def _running(self) -> AtWork:
        if self._at_work is None:
            raise NotOnThisDevice("nobody is listening in this process")
        return self._at_work

    async def _write(self, values: Mapping[str, str]) -> None:
        await asyncio.to_thread(set_settings, self._home, self._environ, values)
