"""What becomes of a sentence: calls of tools, one question back, or an honest no. Frozen values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

Value: TypeAlias = "str | int | float | bool | Mapping[str, str]"
"""An argument as it goes to a tool; a mapping only for the changes of a configuration."""
Arguments: TypeAlias = Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCall:
    """One call of a tool of the contract: canonical ids, defaults left out."""

    tool: str
    arguments: Arguments = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a piece of the sentence was taken for.

    Args:
        text: The piece as it was heard.
        meaning: What it was taken for, e.g. `pod`, `workload=shop-web`, `period=45m`; `?` for nothing.
    """

    text: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do, in order. Whether the speaker may is for the gateway to say.

    Args:
        calls: At least one.
        confidence: How sure the planner is, 0 to 1; 1 when every word is explained and every name exact.
        explanations: What the words were taken for.
    """

    calls: tuple[PlannedCall, ...]
    confidence: float
    explanations: tuple[Explanation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One answer to a question back.

    Args:
        label: How it is said, and recognised when said back.
        calls: What is done when it is chosen.
    """

    label: str
    calls: tuple[PlannedCall, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clarification:
    """One short question back.

    Args:
        spoken: The question in Chinese, choices included.
        choices: At most three; empty when the answer is open (“扩到几个副本？”).
        missing: The parameter that is asked for.
        tool: The tool that waits for it.
    """

    spoken: str
    choices: tuple[Choice, ...] = ()
    missing: str = ""
    tool: str = ""
    explanations: tuple[Explanation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPlan:
    """Nothing is to be done, or nothing that a tool can do.

    Args:
        spoken: Why, as a short Chinese sentence.
        reason: For the journal: not_understood, forbidden, conditional, small_talk.
    """

    spoken: str
    reason: str
    explanations: tuple[Explanation, ...] = ()


Outcome: TypeAlias = Plan | Clarification | NoPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A log line that was shown, by which its neighbours are found."""

    topic: str
    pkg_id: str
    pkg_log_id: str
    time: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnContext:
    """What the turn before left behind; empty strings for what it did not."""

    previous_say: str = ""
    last_call: PlannedCall | None = None
    last_workload: str = ""
    last_cluster: str = ""
    last_topic: str = ""
    last_pod: str = ""
    last_alert: str = ""
    last_alerts: tuple[str, ...] = ()
    last_incident: str = ""
    last_log: LogLine | None = None
    last_link: str = ""
    last_manifest: str = ""
