"""Numbers and addresses of persons: mainland mobiles, ID cards, bank cards, e-mail (pure, linear time).

Each number has to pass its own check (checksum, prefix, length), so that order numbers, timestamps and hashes
keep their digits. A number that passes by chance is masked: that is the safe side.
"""

from __future__ import annotations

import re

from mcp_tencent.gateway.call import PersonalData

MOBILE_MASK = "[已隐藏:手机号]"
ID_CARD_MASK = "[已隐藏:身份证号]"
BANK_CARD_MASK = "[已隐藏:银行卡号]"

_QUANTITY = r"(?!\s?(?:bytes?|[KMGT]i?B|B|ns|us|µs|ms|millis|nanos)\b)"
_MOBILE = re.compile(
    r"(?<![0-9A-Za-z.])(?:(?:\+|00)?86[- ]?)?"
    r"1[3-9]\d(?:\d{8}|(?P<gap>[- ])\d{4}(?P=gap)\d{4}(?![-:/ ]\d))(?![0-9A-Za-z])(?!\.\d)" + _QUANTITY
)
_ID_CARD = re.compile(
    r"(?<![0-9A-Za-z])[1-9]\d{5}(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[0-9Xx](?![0-9A-Za-z])"
)
_BANK_CARD = re.compile(
    r"(?<![0-9A-Za-z.-])(?:62|4\d|5[1-5])\d\d(?:[ -]?\d{4}){2,3}(?:[ -]?\d{1,3})?(?![0-9A-Za-z])(?!\.\d)"
)
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])([A-Za-z0-9._%+-]{1,64}+)@((?:[A-Za-z0-9-]{1,63}+\.){1,8}[A-Za-z]{2,24})\b"
)

# GB 11643-1999: weights of the first 17 digits; the sum modulo 11 picks the check character.
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"


def mask_personal(text: str, shows: frozenset[PersonalData]) -> str:
    """Return `text` with personal numbers masked; e-mail keeps its first letter and its domain."""
    if "@" in text and PersonalData.EMAIL not in shows:
        text = _EMAIL.sub(lambda found: f"{found[1][0]}***@{found[2]}", text)
    text = _ID_CARD.sub(lambda found: ID_CARD_MASK if is_id_card(found[0]) else found[0], text)
    text = _BANK_CARD.sub(lambda found: BANK_CARD_MASK if is_bank_card(found[0]) else found[0], text)
    if PersonalData.MOBILE not in shows:
        text = _MOBILE.sub(MOBILE_MASK, text)
    return text


def is_id_card(number: str) -> bool:
    """Check the check character of an 18-character resident identity number (GB 11643-1999)."""
    total = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, number, strict=False))
    return _ID_CHECKS[total % 11] == number[17].upper()


def is_bank_card(number: str) -> bool:
    """Check length (16 to 19 digits) and the Luhn sum (ISO/IEC 7812-1)."""
    digits = [int(character) for character in number if character.isdigit()]
    if not 16 <= len(digits) <= 19:
        return False
    doubled = (digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
