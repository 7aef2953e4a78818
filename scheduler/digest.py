"""Facts of a night to a digest: what is told, in which order, in which words (pure)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from mcp_tencent.devops.incidents import AttemptOutcome
from mcp_tencent.period_words import spoken_count
from scheduler.digest_facts import Gap, IncidentFacts, LogFacts, NightFacts, Standing
from scheduler.digest_tally import Trouble, troubles_of
from scheduler.digest_wording import (
    alert_detail,
    alert_spoken,
    anomaly_detail,
    anomaly_spoken,
    attempt_in_words,
    capacity_spoken,
    incident_detail,
    incident_spoken,
    logs_detail,
    logs_spoken,
    one_line,
    opening_of,
    title_of,
)

MOST_TROUBLES = 50
"""Further ones are counted only; the incidents and alerts themselves stay in the database."""
_TITLE = 80
"""On the page; what is spoken is shorter."""
_UNUSUAL = 1.5
"""From this many times the usual on, errors are something to tell."""
_QUIET = "昨天一切正常，没有告警。"


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

    date: dt.date
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
        opening: Checked opening sentences; the rules' own when None. A quiet day has always the rules'.
    """
    troubles = troubles_of(facts)
    told = [*_troubles(troubles), *_surroundings(facts)]
    quiet = not told and not facts.proposals
    items = told if quiet or facts.logs is None else _with_logs(told, facts.logs)
    return Digest(
        date=facts.date,
        quiet=quiet,
        opening=_QUIET if quiet else (opening or opening_of(facts)),
        items=tuple(replace(one, number=number) for number, one in enumerate(items, start=1)),
        decisions=tuple(_decisions(facts)),
        facts=facts,
    )


def _troubles(troubles: Sequence[Trouble]) -> list[DigestItem]:
    return [_trouble(one) for one in troubles[:MOST_TROUBLES]]


def _trouble(one: Trouble) -> DigestItem:
    if isinstance(one, IncidentFacts):
        tried = [f"第{each.number}次：{attempt_in_words(each)}" for each in one.attempts]
        cause = [f"可能的原因：{one.cause}"] if one.cause else []
        return DigestItem(
            number=0,
            kind=ItemKind.INCIDENT,
            reference=one.id,
            title=one_line(one.title or one.name, _TITLE),
            standing=one.standing,
            score=one.score,
            spoken=incident_spoken(one),
            detail=incident_detail(one),
            lines=(*one.reasons, *cause, *tried),
        )
    proposed = [
        f"模型建议把{each.factor}从{each.rule_value:.0f}改为{each.value:.0f}：{each.reason}"
        for each in one.proposals
    ]
    return DigestItem(
        number=0,
        kind=ItemKind.ALERT,
        reference=one.id,
        title=one_line(one.title or one.name, _TITLE),
        standing=one.standing,
        score=one.score,
        spoken=alert_spoken(one),
        detail=alert_detail(one),
        lines=(*one.because, *proposed),
    )


def _surroundings(facts: NightFacts) -> Iterator[DigestItem]:
    """Return what is told besides troubles, the weightiest kind first."""
    for notice in facts.notices:
        yield _plain(ItemKind.NOTICE, "设备状态", notice)
    logs = facts.logs
    for anomaly in logs.anomalies if logs else ():
        yield DigestItem(
            number=0,
            kind=ItemKind.ANOMALY,
            reference="",
            title=f"{one_line(anomaly.workload, 24) or '日志'}异常",
            spoken=anomaly_spoken(anomaly),
            detail=anomaly_detail(anomaly),
            lines=anomaly.patterns,
        )
    for full in logs.capacity if logs else ():
        yield _plain(ItemKind.CAPACITY, f"{one_line(full.target, 24)}容量", capacity_spoken(full))
    for gap in (*facts.unread, *(logs.unread if logs else ())):
        yield _plain(ItemKind.GAP, f"{one_line(gap.what, 24)}读不到", _gap_in_words(gap))
    if logs is not None and _errors_rose(logs):
        yield _logs_item(logs)


def _with_logs(items: list[DigestItem], logs: LogFacts) -> list[DigestItem]:
    if any(one.kind is ItemKind.LOGS for one in items) or not logs.lines:
        return items
    return [*items, _logs_item(logs)]


def _logs_item(logs: LogFacts) -> DigestItem:
    return DigestItem(
        number=0,
        kind=ItemKind.LOGS,
        reference="",
        title="日志对比",
        spoken=logs_spoken(logs),
        detail=logs_detail(logs),
        lines=tuple(f"{spoken_count(one.count)}条 {one.workload} {one.template}" for one in logs.patterns),
    )


def _errors_rose(logs: LogFacts) -> bool:
    return logs.days_before > 0 and logs.errors > _UNUSUAL * logs.errors_usual and logs.errors >= 10


def _plain(kind: ItemKind, title: str, sentence: str) -> DigestItem:
    spoken = f"{one_line(sentence, 80)}。"
    return DigestItem(number=0, kind=kind, reference="", title=title, spoken=spoken, detail=spoken)


def _gap_in_words(gap: Gap) -> str:
    why = one_line(gap.why, 40)
    return f"{one_line(gap.what, 24)}读不到{f'，{why}' if why else ''}"


def _decisions(facts: NightFacts) -> Iterator[Decision]:
    asked = set()
    for one in facts.proposals:
        asked.add(one.incident_id)
        yield Decision(
            question=f"要不要{one_line(one.act, 40)}？", proposal_id=one.id, incident_id=one.incident_id
        )
    for trouble in troubles_of(facts):
        if trouble.standing is Standing.NEEDS_HUMAN and trouble.id not in asked:
            yield Decision(question=f"{title_of(trouble)}，{_what_to_do(trouble)}？", incident_id=trouble.id)


def _what_to_do(trouble: Trouble) -> str:
    """Ask for the act that only the policy kept the night from; for anything where there was none."""
    attempts = trouble.attempts if isinstance(trouble, IncidentFacts) else ()
    if attempts and attempts[-1].outcome == AttemptOutcome.BLOCKED_BY_POLICY:
        return f"要不要{one_line(attempts[-1].action, 40)}"
    return "要怎么处理"
