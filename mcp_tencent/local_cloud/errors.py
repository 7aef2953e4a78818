"""What can be wrong with the local cloud itself (what its APIs answer are answers, not errors of ours).

LocalCloudError
├── ScenarioError          a scenario file that cannot be played; carries every finding
├── ScenarioNotFoundError  no shipped scenario and no file of that name
└── ServerNotStartedError  the port is taken, or the server did not come up in time
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class LocalCloudError(Exception):
    """Any failure of the local cloud."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing wrong in a scenario file."""

    file: str
    line: int | None
    """Counted from 1; None when the file has no such place (a whole section is missing)."""
    path: str
    """Where in the document: `clusters[0].workloads[2].image`."""
    value: str
    """What stands there, cut to a readable length; empty when nothing does."""
    problem: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line is not None else self.file
        shown = f" (is {self.value})" if self.value else ""
        return f"{place}: {self.path or 'the document'}: {self.problem}{shown}. {self.remedy}"


class ScenarioError(LocalCloudError):
    """A scenario cannot be played; every finding is told at once."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in findings))


class ScenarioNotFoundError(LocalCloudError):
    """Neither a shipped scenario nor a readable file."""


class ServerNotStartedError(LocalCloudError):
    """The local cloud could not listen."""
