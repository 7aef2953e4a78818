"""Written Chinese with figures, units and identifiers → what an engineer would say aloud. Pure.

`speakable` is idempotent: spoken text contains no digit and no symbol that it would change again. One list of
patterns, the first that fits at a place wins; everything else stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import cn2an

_DIGITS = dict(zip("0123456789", "零一二三四五六七八九", strict=True))
_SENTENCE_END = re.compile(r"(?<=[。！？!?；;\n])")
_LONGEST_NUMBER = 12
"""Digits that are still read as one number; longer ones are identifiers and read digit by digit."""
_COUNTED = (
    "个台条次页项份套组种位名只封张句遍层行列类批核倍"  # things
    "天周年分秒小点"  # 两天, 两小时, 两点; not 月: 2月 is February
    "万千亿"
)
_UNITS = {
    "ms": "毫秒",
    "µs": "微秒",
    "us": "微秒",
    "s": "秒",
    "min": "分钟",
    "m": "分钟",
    "h": "小时",
    "d": "天",
    "KiB": "K",
    "MiB": "兆",
    "GiB": "G",
    "TiB": "T",
    "Ki": "K",
    "Mi": "兆",
    "Gi": "G",
    "Ti": "T",
    "KB": "K",
    "kB": "K",
    "MB": "兆",
    "GB": "G",
    "TB": "T",
    "B": "字节",
    "QPS": "QPS",
    "qps": "QPS",
    "℃": "摄氏度",
    "°C": "摄氏度",
}
_RATES = {"s": "秒", "min": "分钟", "h": "小时", "d": "天"}
_SYMBOLS = {
    ">=": "不低于",
    "<=": "不超过",
    "≥": "不低于",
    "≤": "不超过",
    ">": "大于",
    "<": "小于",
    "=": "等于",
    "→": "到",
    "×": "乘",
    "%": "百分号",
    "％": "百分号",
    "±": "正负",
}

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_ASCII_WORD = r"[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?"
_UNIT = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))


def speakable(text: str) -> str:
    """Return `text` as it is said: figures as words, identifiers shortened, symbols as words, no markup."""
    words = _WORDED.sub(_said, _bare(text))
    return re.sub(r"(?<=[^\x00-\x7f]) | (?=[^\x00-\x7f])", "", words)


def said_number(number: str) -> str:
    """Return a decimal number, without sign, in words: 12.50 → 十二点五零, 1,024 → 一千零二十四."""
    plain = number.replace(",", "")
    whole, _, decimals = plain.partition(".")
    if len(whole) > _LONGEST_NUMBER or (len(whole) > 1 and whole.startswith("0")):
        words = said_digits(whole)
    else:
        # 十五, not 一十五; 两万, not 二万.
        words = re.sub(r"^二(?=[千万亿])", "两", cn2an.an2cn(whole, "low"))
    return f"{words}点{said_digits(decimals)}" if decimals else words


def said_digits(digits: str) -> str:
    """Return digits one by one: 503 → 五零三. Other characters stay."""
    return "".join(_DIGITS.get(character, character) for character in digits)


@dataclass(frozen=True, slots=True)
class _Way:
    """One kind of thing in a text, and how it is said."""

    name: str
    pattern: str
    say: Callable[[str], str]


def _bare(text: str) -> str:
    """Drop what is for the eye only: markdown; asides in brackets become pauses."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"[*_`#|~]+(?=\s|\w|$)|(?<=\w)[*`]+", "", text)
    text = re.sub(r"[（(\[【]", "，", text)
    text = re.sub(r"[）)\]】]+(?=[，。；：！？,;:!?]|$)", "", text)
    text = re.sub(r"[）)\]】]", "，", text)
    return re.sub(r"\s+", " ", text).strip()


def _said_moment(text: str) -> str:
    """05:00 → 五点, 14:05 → 十四点零五分, 14:30:15 → 十四点三十分十五秒."""
    hour, minute, *second = (int(part) for part in text.split(":"))
    words = f"{said_number(str(hour))}点" if hour != 2 else "两点"
    if minute or any(second):
        words += ("零" if 0 < minute < 10 else "") + f"{said_number(str(minute))}分"
    return words + (f"{said_number(str(second[0]))}秒" if any(second) else "")


def _said_date(text: str) -> str:
    year, month, day = text.replace("/", "-").split("-")
    return f"{said_digits(year)}年{said_number(str(int(month)))}月{said_number(str(int(day)))}日"


def _said_instant(text: str) -> str:
    day, moment = re.split(r"[T ]", text, maxsplit=1)
    return _said_date(day) + _said_moment(re.sub(r"(\.\d+)?(Z|[+-]\d\d:?\d\d)?$", "", moment))


def _said_percent(text: str) -> str:
    return f"百分之{said_number(text.rstrip('%％ '))}"


def _said_quantity(text: str) -> str:
    number, unit = _split(text)
    return _counted(number, _UNITS.get(unit, unit))


def _said_rate(text: str) -> str:
    number, unit = _split(text)
    of, _, per = unit.partition("/")
    return f"每{_RATES[per]}{_counted(number, _UNITS.get(of, of) or '次')}"


def _counted(number: str, unit: str) -> str:
    words = "两" if number == "2" and unit[:1] in "秒分小天毫微" else said_number(number)
    return words + unit


def _split(text: str) -> tuple[str, str]:
    match = re.match(rf"({_NUMBER})\s*(.*)$", text)
    assert match is not None  # noqa: S101 - the pattern that brought us here begins with a number
    return match[1], match[2]


def _said_identifier(text: str) -> str:
    """Say a name of a resource: the hash that Kubernetes appends to a pod's name is cut to its last four."""
    generated = re.fullmatch(r"(.+?)-(?:[0-9a-f]{7,10}-)?(?=[a-z0-9]*\d)[a-z0-9]{5}", text)
    if generated:
        return f"{_said_identifier(generated[1])}，尾号{_spelled(text[-4:])}"
    parts = re.split(r"[-_/]+", text)
    return " ".join(_said_part(part) for part in parts if part)


def _said_part(part: str) -> str:
    if len(part) >= 7 and re.fullmatch(
        r"(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]+", part
    ):  # random: nobody can follow it
        return f"尾号{_spelled(part[-4:])}"
    pieces = re.findall(r"\d+(?:\.\d+)+|\d+|\.|[^\d.]+", part)
    return "".join(_said_piece(piece) for piece in pieces)


def _said_piece(piece: str) -> str:
    if piece == ".":
        return "点"
    if not piece[0].isdigit():
        return piece
    parts = piece.split(".")
    return "点".join(said_number(each) if len(each) <= 2 else said_digits(each) for each in parts)


def _spelled(text: str) -> str:
    """Say characters one by one, with a pause between letters."""
    return said_digits(" ".join(text))


_WAYS = (
    _Way("instant", r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?", _said_instant),
    _Way("date", r"\b\d{4}[-/]\d{1,2}[-/]\d{1,2}\b", _said_date),
    _Way("year", r"\d{4}(?=年)", said_digits),
    _Way("address", r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", lambda text: _said_address(text)),
    _Way("version", r"\b[vV]?\d+(?:\.\d+){2,}(?:-[A-Za-z0-9.]+)?\b|\b[vV]\d+(?:\.\d+)*\b", _said_identifier),
    _Way("percent", rf"(?:{_NUMBER})\s*[%％]", _said_percent),
    _Way("rate", rf"(?:{_NUMBER})\s*(?:[个次条]|{_UNIT})?/(?:min|s|h|d)\b", _said_rate),
    _Way("moment", r"(?<![\d:])(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d)?(?![\d:])", _said_moment),
    _Way("quantity", rf"(?<![A-Za-z0-9-])(?:{_NUMBER})\s*(?:{_UNIT})(?![A-Za-z0-9-])", _said_quantity),
    _Way(
        "status",
        r"(?<=状态码)\s*[1-5]\d\d(?!\d)|\b[1-5]\d\d(?=\s*(?:错误|状态码))",
        said_digits,
    ),
    _Way("fraction", r"(?<![\w./-])\d+/\d+(?![\w./-])", lambda text: _said_fraction(text)),
    _Way("two", rf"(?<![\w.,第-])2(?=\s*[{_COUNTED}])", lambda _: "两"),
    _Way("identifier", rf"(?=[\w./-]*[A-Za-z]){_ASCII_WORD}", _said_identifier),
    _Way("minus", rf"(?<![\w-])-(?:{_NUMBER})", lambda text: f"负{said_number(text[1:])}"),
    _Way("number", _NUMBER, said_number),
    _Way("range", r"(?<=[\d个台])\s*[-~～]\s*(?=\d)", lambda _: "到"),
    _Way("symbol", "|".join(_SYMBOLS), lambda text: _SYMBOLS[text]),
)
_BY_NAME = {way.name: way for way in _WAYS}
_WORDED = re.compile("|".join(f"(?P<{way.name}>{way.pattern})" for way in _WAYS), re.ASCII)


def _said(match: re.Match[str]) -> str:
    assert match.lastgroup is not None  # noqa: S101 - every alternative is a named group
    return _BY_NAME[match.lastgroup].say(match[0].strip())


def _said_address(text: str) -> str:
    host, _, port = text.partition(":")
    words = "点".join(said_number(part) for part in host.split("."))
    return f"{words}，端口{said_digits(port)}" if port else words


def _said_fraction(text: str) -> str:
    """2/3, as Kubernetes writes how many of how many are ready."""
    part, _, whole = text.partition("/")
    return f"{said_number(whole)}分之{said_number(part)}"


def sentences_of(text: str) -> tuple[str, ...]:
    """Return the sentences of a text, each with its mark; what holds nothing to be said is left out."""
    return tuple(part.strip() for part in _SENTENCE_END.split(text) if re.search(r"\w", part))
