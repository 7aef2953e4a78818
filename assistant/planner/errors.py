"""Failures of the planner: its language data, and sets of cases that cannot be used.

AssistantError
└── PlannerError
    ├── LanguageDataWrong   lexicon or tools contradict themselves
    └── CasesUnusable       a set of cases or an inventory cannot be read
"""

# ruff: noqa: N818 - an error is named for what happened; the base class says that it is one

from __future__ import annotations

from assistant.errors import AssistantError


class PlannerError(AssistantError):
    """The planner cannot work with what it was given."""

    spoken = "我理解问题的部分出错了。"


class LanguageDataWrong(PlannerError):
    """Lexicon or tools contradict themselves."""

    spoken = "我的词典有问题。"
    hint = "Restore lexicon.yaml and tools.yaml of assistant/planner from the package."


class CasesUnusable(PlannerError):
    """A set of cases or an inventory cannot be read."""

    spoken = "评测文件读不了。"
    hint = "Each line of a set is {id, say, expect}; an inventory is one JSON object with now and names."
