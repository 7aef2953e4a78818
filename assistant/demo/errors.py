"""What can go wrong in the demo.

AssistantError
└── DemoStepFailed    a step of the story did not come out as it should
"""

# ruff: noqa: N818 - an error is named for what happened; the base class says that it is one

from __future__ import annotations

from assistant.errors import AssistantError


class DemoStepFailed(AssistantError):
    """A step of the story did not come out as it should; what was told before it did happen."""

    spoken = "演示没有走完。"
    hint = "Run it once more; if it stops at the same place, `xiaozhi doctor` may tell why."
