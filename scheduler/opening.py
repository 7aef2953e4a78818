"""The opening sentences of a digest, worded by somebody else, and the check that they are true."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

import cn2an

from mcp_tencent.period_words import spoken_count
from scheduler.digest_facts import NightFacts
from scheduler.digest_tally import score_in_words, tally, troubles_of
from scheduler.digest_wording import STANDING_WORDS, logs_spoken, title_of

_LONGEST = 90
_MOST_SENTENCES = 3
_TROUBLES_GIVEN = 3
_NUMERAL = re.compile(r"(?<![\d.])[零〇一二两三四五六七八九十百千万亿]+")
_QUANTITY = re.compile(r"％?\d+(?:\.\d+)?[万亿]?\w?")
_HARMLESS = re.compile("第一|一共|一切|一直|一些|一样|一般|一起来|一下|统一|万一|十分|进一步|唯一|一旦|一早")
"""Words with a numeral in them that counts nothing."""
_UNCHECKABLE = re.compile("半|成倍|翻番|翻倍|数十|数百|数千|上百|上千|几[十百千万]|[％%]")
"""Quantities that cannot be held against a figure; percentages are written 百分之."""
_FOREIGN = re.compile(r"[A-Za-z]{2,}|[<>{}\[\]`|/\\@#]|https?:")
_ALL_WELL = re.compile("一切正常|都已经?(恢复|修好|解决)|全部(恢复|修好|解决)|没有(问题|告警|异常)")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningQuestion:
    """What a writer gets to see: finished sentences only, with every figure that may be used."""

    facts: tuple[str, ...]
    """Counts, the worst troubles, the logs; titles in them come from outside."""
    must_mention: str
    """How many are not solved, as 2个; empty when all are."""


class OpeningWriter(Protocol):
    """Somebody who words an opening, such as a language model."""

    async def write(self, question: OpeningQuestion) -> str | None:
        """Return one to three Chinese sentences, or None, also because the writer failed. Raises nothing."""
        ...


async def opening_by(writer: OpeningWriter, facts: NightFacts) -> str | None:
    """Ask for an opening and check it; None when the rules' own is to be used."""
    question = opening_question(facts)
    text = await writer.write(question)
    return text.strip() if text is not None and is_true_opening(text, question) else None


def opening_question(facts: NightFacts) -> OpeningQuestion:
    """Return what an opening may be made of."""
    counts = tally(facts)
    given = [
        f"昨天告警记录{spoken_count(counts.records)}条",
        f"合并成问题{counts.troubles}个",
        f"自动修好{counts.healed}个",
        f"自己恢复{counts.recovered}个",
        f"没有解决{counts.unsolved}个",
        f"等用户决定{counts.proposals}件",
        f"读不到的地方{counts.gaps}处",
    ]
    given += [
        f"{title_of(one)}，{score_in_words(one.score)}，{STANDING_WORDS[one.standing]}"
        for one in troubles_of(facts)[:_TROUBLES_GIVEN]
    ]
    if facts.logs is not None:
        given.append(logs_spoken(facts.logs))
    return OpeningQuestion(facts=tuple(given), must_mention=f"{counts.unsolved}个" if counts.unsolved else "")


def is_true_opening(text: str, question: OpeningQuestion) -> bool:
    """Tell whether an opening may be spoken: short, Chinese, every figure given, nothing unsolved hidden."""
    plain = text.strip().replace(",", "，")
    if not plain.endswith("。") or len(plain) > _LONGEST or not plain.isprintable():
        return False
    if plain.count("。") > _MOST_SENTENCES or _UNCHECKABLE.search(plain):
        return False
    given = "\n".join(question.facts)
    if any(found[0] not in given for found in _FOREIGN.finditer(plain)):
        return False
    said = _quantities(plain)
    if question.must_mention and (_ALL_WELL.search(plain) or not _quantities(question.must_mention) <= said):
        return False
    return said <= _quantities(given)


def _quantities(text: str) -> set[str]:
    """Return each figure with the word that it counts, numerals as figures: 46条, 百分之12，, 2个."""
    plain = _NUMERAL.sub(_figure, _HARMLESS.sub(" ", text.replace("百分之", "％")))
    return set(_QUANTITY.findall(plain))


def _figure(numeral: re.Match[str]) -> str:
    try:
        return f"{cn2an.cn2an(numeral[0], 'smart'):g}"
    except ValueError:
        return numeral[0]
