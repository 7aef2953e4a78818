"""What can go wrong between a report and its reader.

PushError
├── TargetError                an address, mobile number or robot name that cannot be one
├── ChannelNotConfiguredError  nobody has set this channel up yet
├── ReportError                a report that cannot be put into a message
├── DeliveryUnknownError       no delivery has this id
├── DeliveryBrokenError        the workflow of a delivery ended in an error of ours
└── SendError                  the provider did not take the message
    ├── SendRefusedError       … and never will: wrong password, unknown recipient, bad token
    ├── SendUnavailableError   … now: it is down, busy, or the way to it is
    └── SendBlockedError       … for some minutes: too many messages

Every error carries `spoken`, one short Chinese sentence for the person who asked. No error carries a secret:
what a provider says is cleaned by the sender before it gets here.
"""

from __future__ import annotations


class PushError(Exception):
    """Anything that keeps a report from its reader."""

    def __init__(self, message: str, *, spoken: str) -> None:
        super().__init__(message)
        self.spoken = spoken


class TargetError(PushError):
    """The target cannot be one of this channel; `spoken` says what is expected."""


class ChannelNotConfiguredError(PushError):
    """The channel, or the robot named, has no settings; nothing was tried."""


class ReportError(PushError):
    """The report has a part that no message can carry."""


class DeliveryUnknownError(PushError):
    """No delivery is recorded under this id."""


class DeliveryBrokenError(PushError):
    """The delivery's workflow ended in an unexpected error and will not go on by itself."""


class SendError(PushError):
    """The provider did not take the message; the subclass says whether trying again makes sense."""


class SendRefusedError(SendError):
    """Refused for good: trying the same again cannot help."""


class SendUnavailableError(SendError):
    """Not now: worth trying again later."""


class SendBlockedError(SendError):
    """Too many messages: the provider takes none for `blocked_for_s` seconds."""

    def __init__(self, message: str, *, spoken: str, blocked_for_s: float) -> None:
        super().__init__(message, spoken=spoken)
        self.blocked_for_s = blocked_for_s
