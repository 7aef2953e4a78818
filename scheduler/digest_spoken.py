"""A digest as it is spoken: worst first, within its time, ending with what needs a decision (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mcp_tencent.period_words import spoken_count
from scheduler.digest import Digest, DigestItem, ItemKind
from scheduler.digest_tally import is_over
from scheduler.speaking_time import estimated_seconds

MOST_IN_FULL = 5
"""Troubles beyond these are counted, not told."""
MAX_SECONDS = 90.0
_OTHERS_TOLD = {
    ItemKind.NOTICE: 2,
    ItemKind.LOGS: 1,
    ItemKind.ANOMALY: 2,
    ItemKind.CAPACITY: 2,
    ItemKind.GAP: 1,
}
"""How many of each kind besides troubles are told at most, in this order."""
_DECISIONS_ASKED = 2
_DIGITS = "零一二三四五六七八九"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenPart:
    """A stretch of the spoken digest that can be gone to, repeated or asked about."""

    number: int | None
    """The item that it tells; None for the opening, counts and the closing."""
    text: str
    """One or more Chinese sentences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenDigest:
    """What is spoken, in its order."""

    parts: tuple[SpokenPart, ...]

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(part.text for part in self.parts)

    @property
    def seconds(self) -> float:
        """How long it takes at most at the normal rate."""
        return sum(estimated_seconds(part.text) for part in self.parts)


def spoken_digest(digest: Digest, *, max_seconds: float = MAX_SECONDS) -> SpokenDigest:
    """Return what is spoken of a digest.

    What does not fit is left out from the end: first what is told besides troubles, then the lesser troubles,
    which are counted instead.

    Args:
        digest: What there is to tell.
        max_seconds: The longest that it may take at the normal rate, from 20.
    """
    if digest.quiet:
        return SpokenDigest(parts=(SpokenPart(number=None, text=digest.opening),))
    troubles = [one for one in digest.items if one.kind in (ItemKind.INCIDENT, ItemKind.ALERT)]
    others = _others(digest.items)
    full = min(MOST_IN_FULL, len(troubles))
    while True:
        spoken = _assembled(digest, troubles, full, others)
        if spoken.seconds <= max_seconds:
            return spoken
        if others:
            others = others[:-1]
        elif full:
            full -= 1
        else:
            return _shortest(digest)


def _assembled(
    digest: Digest, troubles: Sequence[DigestItem], full: int, others: Sequence[DigestItem]
) -> SpokenDigest:
    told = [*troubles[:full], *others]
    parts = [SpokenPart(number=None, text=digest.opening)]
    for place, one in enumerate(told, start=1):
        # Said by its own number: “详细说说第七条” must find what was called the seventh.
        ordinal = f"第{_ordinal(one.number)}条，" if len(told) > 1 and place <= full else ""
        parts.append(SpokenPart(number=one.number, text=f"{ordinal}{one.spoken}"))
        if place == full and (rest := _counted(troubles[full:])):
            parts.append(SpokenPart(number=None, text=rest))
    if not full and (rest := _counted(troubles)):
        parts.insert(1, SpokenPart(number=None, text=rest))
    parts.append(SpokenPart(number=None, text=_closing(digest)))
    return SpokenDigest(parts=tuple(parts))


def _shortest(digest: Digest) -> SpokenDigest:
    waiting = len(digest.decisions)
    closing = f"有{waiting}件事等您决定。" if waiting else "详细内容请看控制台。"
    return SpokenDigest(parts=(SpokenPart(number=None, text=closing),))


def _others(items: Sequence[DigestItem]) -> list[DigestItem]:
    told: list[DigestItem] = []
    for kind, most in _OTHERS_TOLD.items():
        told += [one for one in items if one.kind is kind][:most]
    return told


def _counted(rest: Sequence[DigestItem]) -> str:
    if not rest:
        return ""
    unsolved = sum(one.standing is not None and not is_over(one.standing) for one in rest)
    if not unsolved:
        return f"其余{spoken_count(len(rest))}个问题都已经恢复。"
    if unsolved == len(rest):
        return f"其余{spoken_count(len(rest))}个问题也没有解决。"
    return f"其余{spoken_count(len(rest))}个问题里，{spoken_count(unsolved)}个没有解决。"


def _closing(digest: Digest) -> str:
    waiting = digest.decisions
    if not waiting:
        return "没有需要您决定的事。"
    asked = "".join(one.question for one in waiting[:_DECISIONS_ASKED])
    more = len(waiting) - _DECISIONS_ASKED
    return f"请您决定：{asked}{f'另外还有{more}件事等您决定。' if more > 0 else ''}"


def _ordinal(number: int) -> str:
    """Return 1 to 99 in Chinese: counting words are no figures of the facts."""
    tens, ones = divmod(number, 10)
    if not tens:
        return _DIGITS[ones]
    return f"{_DIGITS[tens] if tens > 1 else ''}十{_DIGITS[ones] if ones else ''}"
