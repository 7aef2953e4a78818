"""What can go wrong while models are made.

TrainingError
├── TrainingToolMissing   a program, library or voice is not installed
├── TrainingDataMissing   the recordings are not where they were said to be
└── GraphBuildFailed      OpenFST refused an input
"""

# ruff: noqa: N818 - an error is named for what happened; the base class says that it is one

from __future__ import annotations

from pathlib import Path


class TrainingError(Exception):
    """Base of all failures while models are made; only developers ever see them."""

    spoken = "模型训练没有完成。"
    hint = "See the message; voice/training/README.md says what the commands need."


class TrainingToolMissing(TrainingError):
    """A program, library or voice is not installed."""

    def __init__(self, tool: str, remedy: str) -> None:
        super().__init__(f"{tool} is missing: {remedy}")


class TrainingDataMissing(TrainingError):
    """The recordings are not where they were said to be."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"no training recordings at {path}: expected index.json and one folder for each corpus"
        )


class GraphBuildFailed(TrainingError):
    """OpenFST refused an input."""

    def __init__(self, command: str, complaint: str) -> None:
        super().__init__(f"{command} failed: {complaint.strip() or 'no message'}")
