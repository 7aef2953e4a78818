"""Spoken e-mail addresses: lisi 艾特 example 点 com (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mcp_tencent.naming.sound import syllables

_SIGNS = {
    "点": ".",
    "小数点": ".",
    "dot": ".",
    "中划线": "-",
    "短横线": "-",
    "短横": "-",
    "短杠": "-",
    "中杠": "-",
    "连字符": "-",
    "加号": "+",
    "下划": "_",
    "下划线": "_",
    "underscore": "_",
    "中横线": "-",
    "横杠": "-",
    "横线": "-",
    "减号": "-",
    "杠": "-",
}
_DIGITS = {
    character: str(value)
    for value, characters in enumerate(("零〇", "一幺", "二", "三", "四", "五", "六", "七", "八", "九"))
    for character in characters
}
_SIGN = "|".join(sorted(_SIGNS, key=len, reverse=True))
_WORD = rf"(?:[A-Za-z0-9_+-]++|[{''.join(_DIGITS)}]++|\.)"
_PIECES = rf"{_WORD}(?:\s*(?:{_SIGN}|{_WORD})){{0,24}}"
_ADDRESS = re.compile(
    rf"(?P<local>{_PIECES}|(?<=[到给为成是])[\u4e00-\u9fff]{{2,4}}|[\u4e00-\u9fff]{{2}})\s*"
    rf"(?:艾特|爱特|埃特|艾塔|哎特|小老鼠|圈[aA]|@|\bat\b|(?<![A-Za-z])at(?![A-Za-z]))\s*(?P<domain>{_PIECES})",
    re.IGNORECASE,
)
_COMPLETE = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}")


def addresses_in(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and address of every e-mail address that is spoken or written in a text."""
    at = 0
    while match := _ADDRESS.search(text, at):
        # What was no address after all may hold one: 发到 at0 艾特 … reads like 发到@0 at first.
        at = match.end("local")
        local = match["local"]
        local = _written(local) if local[0] in _DIGITS or local[0].isascii() else "".join(syllables(local))
        # In x@example.cn 一份 the number is no part of the address.
        domain = match["domain"].rstrip("".join(_DIGITS) + " ")
        address = f"{local}@{_written(domain)}".strip(".").lower()
        if _COMPLETE.fullmatch(address):
            at = match.start("domain") + len(domain)
            yield match.start(), at, address


def _written(said: str) -> str:
    for word in sorted(_SIGNS, key=len, reverse=True):
        sign = _SIGNS[word]
        said = re.sub(rf"\s*{word}\s*", sign, said, flags=re.IGNORECASE)
    return "".join(_DIGITS.get(character, character) for character in said if not character.isspace())
