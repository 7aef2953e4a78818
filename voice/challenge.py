"""Digits to be read aloud: a recording made earlier cannot know them. Pure; chance and time are given."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random

from voice.heard import Hearing, SpeakerMatch

LENGTH = 4
LIFE = timedelta(seconds=30)

_DIGIT_OF = {"零": 0, "〇": 0, "洞": 0, "一": 1, "幺": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5} | {
    "六": 6, "七": 7, "八": 8, "九": 9
}  # fmt: skip
_SPOKEN = "零一二三四五六七八九"


class ChallengeOutcome(StrEnum):
    """How an answer was judged."""

    PASSED = "passed"
    WRONG_DIGITS = "wrong_digits"
    WRONG_VOICE = "wrong_voice"
    EXPIRED = "expired"
    USED = "used"
    """It was answered before, rightly or wrongly: each challenge is good for one answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """Four digits that one person is asked to read aloud.

    Attributes:
        digits: what to say, such as `4071`.
        person: who has to say it.
        expires_at: an answer after this moment does not count.
        used: it has been answered.
    """

    digits: str
    person: str
    expires_at: datetime
    used: bool = False

    @property
    def spoken(self) -> str:
        """The request, to be spoken: each digit by itself."""
        return f"请读出这几个数字：{'，'.join(_SPOKEN[int(digit)] for digit in self.digits)}"


def new_challenge(person: str, *, now: datetime, chance: Random) -> Challenge:
    """Ask for four random digits, no two neighbours alike, so that a recogniser does not swallow one.

    Args:
        person: who has to read them.
        now: the moment of asking.
        chance: where the digits come from; `random.SystemRandom()` outside tests.
    """
    digits: list[int] = []
    while len(digits) < LENGTH:
        digit = chance.randrange(10)
        if not digits or digits[-1] != digit:
            digits.append(digit)
    return Challenge(digits="".join(map(str, digits)), person=person, expires_at=now + LIFE)


def answer(
    challenge: Challenge, hearing: Hearing, match: SpeakerMatch, *, now: datetime
) -> tuple[ChallengeOutcome, Challenge]:
    """Judge an answer: the digits must be these, and the voice must be that person's.

    Only the best reading counts: among many alternatives some would hold any digits.

    Args:
        challenge: as it was asked.
        hearing: the answer in words.
        match: whose voice it was, of the same sound.
        now: when the answer began.

    Returns:
        The outcome, and the challenge as it is to be kept: used up, whatever came out.
    """
    spent = replace(challenge, used=True)
    if challenge.used:
        return ChallengeOutcome.USED, spent
    if now > challenge.expires_at:
        return ChallengeOutcome.EXPIRED, spent
    if digits_in(hearing.text) != challenge.digits:
        return ChallengeOutcome.WRONG_DIGITS, spent
    if not (match.accepted and match.person == challenge.person):
        return ChallengeOutcome.WRONG_VOICE, spent
    return ChallengeOutcome.PASSED, spent


def digits_in(text: str) -> str:
    """Return the digits of a sentence in order, spoken (幺 is 一, too) or written, without other words."""
    return "".join(
        str(_DIGIT_OF.get(sign, sign)) for sign in text if sign in _DIGIT_OF or re.fullmatch("[0-9]", sign)
    )
