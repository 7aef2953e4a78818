"""What can be wrong with the local cloud itself (what its APIs answer are answers, not errors of ours).

LocalCloudError
├── ScenarioError          a scenario file that cannot be played; carries every finding
├── ScenarioNotFoundError  no shipped scenario and no file of that name
└── ServerNotStartedError  the port is taken, or the server did not come up in time
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from mcp_tencent.checked_yaml import Finding


class LocalCloudError(Exception):
    """Any failure of the local cloud.

    Attributes:
        spoken: one short sentence in Chinese.
        hint: what to do about it, for the console.
    """

    spoken: ClassVar[str] = "本地云出了问题。"
    hint: ClassVar[str] = "See the message."


class ScenarioError(LocalCloudError):
    """A scenario cannot be played; every finding is told at once."""

    spoken = "这个场景文件有写错的地方。"
    hint = "Mend what is listed; mcp_tencent/local_cloud/scenarios/README.md describes the format."

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in findings))


class ScenarioNotFoundError(LocalCloudError):
    """Neither a shipped scenario nor a readable file."""

    spoken = "没有这个场景。"
    hint = "Run 'xiaozhi local-cloud --list' to see the shipped ones, or give a file."


class ServerNotStartedError(LocalCloudError):
    """The local cloud could not listen."""

    spoken = "本地云启动不了，端口可能被占用。"
    hint = "Choose another --port; 0 takes any free one."
