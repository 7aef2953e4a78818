"""What the tools about the appliance need of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from assistant.people import Grant, Person
from mcp_tencent.gateway.call import Caller, Permission


class Controls(Protocol):
    """What can be turned on the appliance. Changes hold at once, and after a restart.

    A value that cannot be used raises an error with a spoken sentence, and nothing is changed.
    """

    async def set_wake_phrase(self, phrase: str) -> Sequence[str]:
        """Answer to another phrase; returns warnings in Chinese, such as that it is a very common word."""
        ...

    async def set_name(self, name: str) -> None:
        """Call itself something else."""
        ...

    async def set_volume(self, percent: int) -> None:
        """Speak louder or softer, 0 to 100."""
        ...

    async def set_digest_window(self, start: str, end: str) -> None:
        """Speak the digest between other times, each HH:MM."""
        ...

    async def mute(self, minutes: int | None) -> None:
        """Hear nothing for some minutes, or until the button is pressed."""
        ...

    async def begin_enrolment(self, person: Person) -> None:
        """Take what this person says next as samples of their voice.

        Raises:
            NotOnThisDevice: nobody is listening.
        """
        ...

    async def start_night_job(self) -> str:
        """Start the night job of today, if it has not run; return what became of it, in Chinese."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthNote:
    """One thing about the device's own health.

    Args:
        what: What was looked at, Chinese, e.g. 温度.
        value: What was found, Chinese, e.g. 62度.
        well: Whether nothing need be done.
    """

    what: str
    value: str
    well: bool = True


class People(Protocol):
    """Whom the device knows. Calls block; they are made off the event loop."""

    def add(self, name: str, *, now: datetime) -> Person:
        """Add somebody; raises PersonExists."""
        ...

    def get(self, person: str) -> Person:
        """Return somebody by id or name; raises UnknownPerson."""
        ...

    def everybody(self) -> Sequence[Person]:
        """Return all."""
        ...

    def grant(self, person: str, grant: Grant) -> Person:
        """Give somebody a permission."""
        ...

    def remove(self, person: str) -> None:
        """Delete somebody with everything that is kept about them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDesk:
    """What the tools about the appliance work with.

    Args:
        controls: What can be turned.
        people: Whom the device knows.
        digest: The text of today's digest, or None when there is none.
        health: How the device itself fares.
        robot_name: What it calls itself now.
        now: The device's time.
        otherwise: Who calls when nobody is named.
    """

    controls: Controls
    people: People
    digest: Callable[[], Awaitable[str | None]]
    health: Callable[[], Sequence[HealthNote]]
    robot_name: Callable[[], str]
    now: Callable[[], datetime]
    otherwise: Caller | None = None


PERMISSION_WORDS = {
    Permission.READ: "查询",
    Permission.OPERATE: "日常操作",
    Permission.ROLLBACK: "改动工作负载",
    Permission.CONFIGURE: "配置",
    Permission.ADMIN: "管理员",
}
"""What the permissions are called."""
