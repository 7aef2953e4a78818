"""What can go wrong with jobs and what is remembered of them.

SchedulerError
├── JobUnknown         no run of a job has this id
├── JobFinished        it has ended already, with another outcome
├── DigestClaimLost    somebody else speaks this digest by now
└── DigestUnreadable   a kept digest is damaged, or of a schema that is not known
"""

# ruff: noqa: N818 - an error is named for what happened; the base class says that it is one

from __future__ import annotations

from typing import ClassVar


class SchedulerError(Exception):
    """The text is one English sentence for the log.

    Attributes:
        spoken: one short sentence in Chinese for the person who asked.
        hint: what to do about it, for the console.
    """

    spoken: ClassVar[str] = "定时任务出了问题。"
    hint: ClassVar[str] = "Run 'xiaozhi night --json' to see what is recorded of it."


class JobUnknown(SchedulerError):
    """No run of a job has this id."""

    spoken = "没有这次任务的记录。"


class JobFinished(SchedulerError):
    """The run has ended already, with another outcome."""

    spoken = "这次任务已经结束了。"


class DigestClaimLost(SchedulerError):
    """Somebody else speaks this digest by now; stop speaking."""

    spoken = "日报已经在别处播报了。"
    hint = "Two devices share the database; the one that claimed later speaks."


class DigestUnreadable(SchedulerError):
    """A kept digest is damaged, or of a schema that this version does not know."""

    spoken = "这份日报读不出来。"
    hint = "It was written by another version; 'xiaozhi night' writes the next one."
