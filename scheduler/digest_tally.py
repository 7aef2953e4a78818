"""The counts of a night, and every figure that may be spoken of it (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime

from mcp_tencent.period_words import spoken_count
from scheduler.digest_facts import AlertFacts, IncidentFacts, LogFacts, NightFacts, Standing

_FIGURE = re.compile(r"\d+(?:\.\d+)?[万亿]?")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")

Trouble = IncidentFacts | AlertFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many there were of what."""

    records: int
    """Alert records before grouping."""
    troubles: int
    needs_human: int
    open: int
    healed: int
    recovered: int
    attempts: int
    proposals: int
    gaps: int
    clusters: int

    @property
    def unsolved(self) -> int:
        """Troubles that are not over."""
        return self.needs_human + self.open


def troubles_of(facts: NightFacts) -> list[Trouble]:
    """Return incidents, and groups of alerts without one: the unsolved first, then by score."""
    taken_up = {one.alert_id for one in facts.incidents}
    every: list[Trouble] = [*facts.incidents, *(one for one in facts.alerts if one.id not in taken_up)]
    return sorted(every, key=lambda one: (is_over(one.standing), -one.score, one.id))


def is_over(standing: Standing) -> bool:
    """Tell whether a trouble is over."""
    return standing in (Standing.HEALED, Standing.RECOVERED)


def gaps_of(facts: NightFacts) -> int:
    """Return how many things could not be read."""
    return len(facts.unread) + (len(facts.logs.unread) if facts.logs else 0)


def tally(facts: NightFacts) -> Tally:
    """Count a night."""
    standings = [one.standing for one in troubles_of(facts)]
    return Tally(
        records=facts.alert_records,
        troubles=len(standings),
        needs_human=standings.count(Standing.NEEDS_HUMAN),
        open=standings.count(Standing.OPEN),
        healed=standings.count(Standing.HEALED),
        recovered=standings.count(Standing.RECOVERED),
        attempts=sum(len(one.attempts) for one in facts.incidents),
        proposals=len(facts.proposals),
        gaps=gaps_of(facts),
        clusters=len(facts.clusters),
    )


def score_in_words(score: float) -> str:
    """Return a score of 0 to 100 as people say it, of ten: 7.9分."""
    return f"{round(score / 10, 1):g}分"


def change_in_words(now: float, usual: float) -> str:
    """Return how a day compares with the usual: 比平时多百分之12, 是平时的2.3倍; empty when unknown."""
    if usual <= 0:
        return ""
    ratio = now / usual
    if ratio >= 2:
        return f"是平时的{ratio:.0f}倍" if ratio >= 10 else f"是平时的{ratio:.1f}倍"
    percent = round(abs(ratio - 1) * 100)
    if percent < 10:
        return "和平时差不多"
    return f"比平时{'多' if ratio > 1 else '少'}百分之{percent}"


def figures_in(text: str) -> list[str]:
    """Return the figures of a text as they stand there: 126万, 7.9, 12; thousands without their commas."""
    return _FIGURE.findall(_THOUSANDS.sub("", text))


def figures_of(facts: NightFacts) -> frozenset[str]:
    """Return every figure that may be spoken of these facts, in every form that it may have."""
    counts = tally(facts)
    numbers: list[float] = [getattr(counts, one.name) for one in fields(counts)]
    numbers += [counts.unsolved, len(facts.incidents), len(facts.alerts), len(facts.notices)]
    # A list may be told only in part, and the rest counted.
    for length in (counts.troubles, counts.proposals + counts.needs_human, counts.gaps):
        numbers += range(length + 1)
    texts = [f"{facts.date.month}月{facts.date.day}日"]
    for leaf in _leaves(facts):
        if isinstance(leaf, str):
            texts.append(leaf)
        elif not isinstance(leaf, bool):
            numbers.append(leaf)
    texts += [score_in_words(one.score) for one in troubles_of(facts)]
    numbers += [len(one.attempts) for one in facts.incidents]
    texts += _log_texts(facts.logs) if facts.logs else []
    allowed = {figure for text in texts for figure in figures_in(text)}
    for number in numbers:
        allowed |= {f"{number:.0f}", f"{round(number, 1):g}", spoken_count(number)}
    return frozenset(allowed)


def _log_texts(logs: LogFacts) -> Iterator[str]:
    yield change_in_words(logs.lines, logs.lines_usual)
    yield change_in_words(logs.errors, logs.errors_usual)
    yield percent_in_words(logs.error_share)
    yield percent_in_words(logs.error_share_usual)
    yield str(len(logs.anomalies))
    yield str(len(logs.capacity))
    yield str(max(0, logs.anomalies_found - len(logs.anomalies)))
    for one in logs.anomalies:
        yield spoken_count(one.expected)
    for full in logs.capacity:
        yield f"{full.percent:.0f}"


def percent_in_words(share: float) -> str:
    """Return a share of 0 to 1 as it is spoken: 百分之1.2, 不到百分之0.1."""
    percent = share * 100
    if 0 < percent < 0.1:
        return "不到百分之0.1"
    return f"百分之{round(percent, 1 if percent < 10 else 0):g}"


def _leaves(value: object) -> Iterator[str | float]:
    if is_dataclass(value):
        for one in fields(value):
            yield from _leaves(getattr(value, one.name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, date | datetime):
        return
    elif isinstance(value, str | int | float):
        yield value
