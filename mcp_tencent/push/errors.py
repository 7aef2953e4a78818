"""What can go wrong between a report and its reader.

    PushError
    ├── TargetInvalid         an address, mobile number or robot name that cannot be one
    ├── ChannelNotConfigured  nobody has set this channel up yet
    ├── ReportInvalid         a report that cannot be put into a message
    ├── ReportUnknown         no report is called that, or there is none yet
    ├── PersonUnknown         nobody we know has this name
    ├── DeliveryUnknown       no delivery has this id
    ├── DeliveryBroken        the workflow of a delivery ended in an error of ours
    └── SendFailed            the provider did not take the message
        ├── SendRefused       … and never will: wrong password, unknown recipient, bad token
        ├── SendUnavailable   … now: it is down, busy, or the way to it is
        └── SendBlocked       … for some minutes: too many messages

`str(error)` is English for logs; `spoken` is one short Chinese sentence for the person who asked. Neither
holds a secret: what a provider says is cleaned by the sender before it gets here.
"""

# ruff: noqa: N818 - an error is named for what happened; the base class says that it is one

from __future__ import annotations

from typing import ClassVar


class PushError(Exception):
    """Anything that keeps a report from its reader."""

    hint: ClassVar[str] = "See the log for the cause."
    retryable: ClassVar[bool] = False
    """Whether the same may succeed later."""

    def __init__(self, message: str, *, spoken: str) -> None:
        super().__init__(message)
        self.spoken = spoken


class TargetInvalid(PushError):
    """The target cannot be one of this channel; `spoken` says what is expected."""

    hint = "Give e-mail addresses, or a robot's name and mobile numbers."


class ChannelNotConfigured(PushError):
    """The channel, or the robot named, has no settings; nothing was tried."""

    hint = "Set the channel up in the settings; `xiaozhi doctor` checks it."


class ReportInvalid(PushError):
    """The report has a part that no message can carry."""

    hint = "Correct the report; the message says which part."


class ReportUnknown(PushError):
    """No report has this name, or none has been made yet."""

    hint = "Name digest, last_answer, or the id of an incident; list_incidents shows them."


class PersonUnknown(PushError):
    """Nobody we know has this name."""

    hint = "Use the name under which the person is enrolled."


class DeliveryUnknown(PushError):
    """No delivery is recorded under this id."""

    hint = "list_deliveries shows the deliveries that there are."


class DeliveryBroken(PushError):
    """The delivery's workflow ended in an unexpected error and will not go on by itself."""


class SendFailed(PushError):
    """The provider did not take the message; the subclass says whether trying again makes sense."""


class SendRefused(SendFailed):
    """Refused for good: trying the same again cannot help."""

    hint = "Correct the address or the channel's settings, then send again."


class SendUnavailable(SendFailed):
    """Not now: worth trying again later."""

    hint = "Wait; `xiaozhi doctor` checks the connection."
    retryable = True


class SendBlocked(SendFailed):
    """Too many messages: the provider takes none for `blocked_for_s` seconds."""

    hint = "Wait; nothing is lost."
    retryable = True

    def __init__(self, message: str, *, spoken: str, blocked_for_s: float) -> None:
        super().__init__(message, spoken=spoken)
        self.blocked_for_s = blocked_for_s
