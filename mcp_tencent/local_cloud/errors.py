"""What can be wrong with the local cloud itself (what its APIs answer are answers, not errors of ours).

LocalCloudError
├── ScenarioError          a scenario file that cannot be played; carries every finding
├── ScenarioNotFoundError  no shipped scenario and no file of that name
└── ServerNotStartedError  the port is taken, or the server did not come up in time
"""

from __future__ import annotations

from collections.abc import Sequence

from mcp_tencent.checked_yaml import Finding


class LocalCloudError(Exception):
    """Any failure of the local cloud."""


class ScenarioError(LocalCloudError):
    """A scenario cannot be played; every finding is told at once."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in findings))


class ScenarioNotFoundError(LocalCloudError):
    """Neither a shipped scenario nor a readable file."""


class ServerNotStartedError(LocalCloudError):
    """The local cloud could not listen."""
