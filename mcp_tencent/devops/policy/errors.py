"""What can be wrong with the healing policy.

PolicyError
├── PolicyInvalid      the file is no policy; carries every finding
└── PolicyUnreadable   there is a file, but it cannot be read
"""

# ruff: noqa: N818 - an error is named for what happened; the base class says that it is one

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from mcp_tencent.checked_yaml import Finding


class PolicyError(Exception):
    """The text is English for the console.

    Attributes:
        spoken: one short sentence in Chinese for the person who asked.
        hint: what to do about it, for the console.
    """

    spoken: ClassVar[str] = "自愈策略有问题，请看控制台。"
    hint: ClassVar[str] = "Run 'xiaozhi policy check FILE' to see every finding with its remedy."


class PolicyInvalid(PolicyError):
    """The file is no policy; every finding is told at once."""

    spoken = "自愈策略写错了，请检查策略文件。"

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in findings))


class PolicyUnreadable(PolicyError):
    """There is a file, but it cannot be read."""

    spoken = "自愈策略文件读不了。"
    hint = "Check that the file belongs to the user that runs xiaozhi, and that it is UTF-8."
