"""Facts of a night to a digest: what is told, in which order, in which words (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from scheduler.digest_facts import NightFacts, Standing


class ItemKind(StrEnum):
    """What an item of a digest is about."""

    INCIDENT = "incident"
    ALERT = "alert"
    """A group of alerts that was not taken up."""
    LOGS = "logs"
    ANOMALY = "anomaly"
    CAPACITY = "capacity"
    NOTICE = "notice"
    GAP = "gap"
    """Something that could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestItem:
    """One thing that is told: “下一条” goes to the next number, “详细说说第二条” asks for `detail`."""

    number: int
    """From 1, worst first."""
    kind: ItemKind
    reference: str
    """Id of the incident or group of alerts; empty for other kinds."""
    title: str
    standing: Standing | None = None
    score: float | None = None
    """0 to 100."""
    spoken: str
    """Short: one to three Chinese sentences."""
    detail: str
    """The longer answer to “详细说说”, Chinese, fit to be spoken."""
    lines: tuple[str, ...] = ()
    """What the page shows besides: reasons, attempts, patterns. Partly text from outside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Something that waits for a person."""

    question: str
    """A Chinese sentence."""
    proposal_id: str = ""
    """The act that a yes would start; empty when only a look is needed."""
    incident_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """The digest of one morning; every rendering is made from this alone."""

    date: date
    """The morning on which it is spoken; it tells of the day before."""
    quiet: bool
    """Nothing happened, and nothing is missing."""
    opening: str
    """One or two Chinese sentences."""
    items: tuple[DigestItem, ...] = ()
    decisions: tuple[Decision, ...] = ()
    facts: NightFacts


def build_digest(facts: NightFacts, *, opening: str | None = None) -> Digest:
    """Return the digest of these facts.

    Args:
        facts: What the night found out.
        opening: Checked opening sentences; the rules' own when None.
    """
    raise NotImplementedError
