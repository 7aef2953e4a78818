"""What can go wrong with what is remembered of incidents.

DevopsRecordError
├── IncidentUnknown       no incident has this id
├── IncidentChanged       somebody saved it since it was read
├── AttemptUnknown        no attempt has this id
├── AttemptFinished       it has ended already, with another outcome
├── CheckpointUnknown     no checkpoint has this id
└── PlanUnsound           an attempt's calls are not of its rung, or not what was registered
"""

# ruff: noqa: N818 - an error is named for what happened; the base class says that it is one

from __future__ import annotations

from typing import ClassVar


class DevopsRecordError(Exception):
    """The text is one English sentence for the log.

    Attributes:
        spoken: one short sentence in Chinese for the person who asked.
        hint: what to do about it, for the console.
    """

    spoken: ClassVar[str] = "故障记录有问题。"
    hint: ClassVar[str] = "Run 'xiaozhi incidents' to see what is recorded."


class IncidentUnknown(DevopsRecordError):
    """No incident has this id."""

    spoken = "没有这个故障的记录。"


class IncidentChanged(DevopsRecordError):
    """Somebody saved the incident since it was read; read it again and decide again."""

    spoken = "这个故障的记录刚被改过，请再试一次。"


class AttemptUnknown(DevopsRecordError):
    """No attempt has this id."""

    spoken = "没有这次处理的记录。"


class AttemptFinished(DevopsRecordError):
    """The attempt has ended already, with another outcome."""

    spoken = "这次处理已经有结果了。"


class CheckpointUnknown(DevopsRecordError):
    """No checkpoint has this id."""

    spoken = "没有这个备份点。"
    hint = "Run the tool list_checkpoints to see which there are."


class PlanUnsound(DevopsRecordError):
    """A plan names a call that its rung does not have, another workload, or not what was registered."""

    spoken = "自动处理的计划有问题，没有执行。"
    hint = "A plan is registered once; its calls name cluster, namespace and workload in full."
