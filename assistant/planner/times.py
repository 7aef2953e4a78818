"""Spoken times to periods of the tools: 三刻钟, 近两天, 昨天下午三点到五点, 上周 (pure; now is handed in)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal, TypeAlias

from assistant.planner.numbers import NUMBER, number_of

Lead: TypeAlias = Literal["past", "future", "every", "plain"]

_UNIT_MINUTES = {
    "秒": 1 / 60, "秒钟": 1 / 60, "s": 1 / 60, "分钟": 1, "分": 1, "min": 1, "mins": 1, "m": 1,
    "小时": 60, "钟头": 60, "h": 60, "hour": 60, "hours": 60,
    "天": 1440, "日": 1440, "d": 1440, "周": 10080, "星期": 10080, "礼拜": 10080, "w": 10080,
    "钟": 60, "月": 43200, "年": 525600, "刻钟": 15, "季度": 129600,
}  # fmt: skip
_WEEKDAY = "[一二三四五六日天]"
_UNIT = (
    r"(?:秒钟|秒|分钟|小时|钟头|刻钟|天|周(?![一二三四五六日天年])"
    rf"|(?:星期|礼拜)(?!{_WEEKDAY})"
    r"|钟(?!头)|月(?!\d|[一二三四五六七八九十])|季度|年|mins?(?![A-Za-z])|hours?(?![A-Za-z])|[smhdw](?![A-Za-z0-9_]))"
)
_LEAD = (
    r"(?P<lead>最近的?|这近|近|过去的?|这|前面?|上|之前的?|往前|last"
    r"|未来|接下来|今后|往后|后面|之后|下|每隔|每|间隔|粒度|按)?"
)
_DURATION = re.compile(
    rf"{_LEAD}(?:(?P<half>大?半)个?(?P<half_unit>小时|钟头|钟|天|月|年)|半刻钟"
    rf"|(?P<count>{NUMBER}) ?个?(?P<and_half>半)?(?P<unit>{_UNIT})(?P<half_after>半)?"
    rf"(?:零?(?P<minutes>{NUMBER})分钟?)?(?:[一二两三四五六七]夜)?)"
    r"(?:以?内(?![存部网])|之内|以来|的时间)?",
    re.IGNORECASE,
)
_TWO_OR_THREE = re.compile("一两|两三|三四|四五|五六|六七|七八|八九")
_BARE_UNIT = re.compile(r"(?P<lead>每|按)个?(?P<unit>分钟|刻钟|小时|天|周)")
_NEXT = re.compile(r"下一?个?(?P<unit>周(?![一二三四五六日天])|星期(?![一二三四五六日天])|月|季度)")
_LEADS: dict[str, Lead] = {
    **dict.fromkeys(("未来", "接下来", "今后", "往后", "后面", "之后", "下"), "future"),
    **dict.fromkeys(("每隔", "每", "间隔", "粒度", "按"), "every"),
}

_WEEK = "(?:周|星期|礼拜)"
_WEEKDAYS = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6}
_CN = r"[零〇一二两三四五六七八九十\d]"
_DAY = (
    r"(?P<day>大前天|前天|前儿个?|昨天|昨日|昨儿个?|昨|今天|今儿个?|今日|当天|今(?=早|晚|晨|夜|儿)|前(?=晚)"
    r"|(?P<weekprefix>上上|上个?|这个?|本)?(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天])(?!天)"
    rf"|(?:(?P<year>\d{{4}})年)?(?P<month>{_CN}{{1,3}})月(?:份)?(?P<date>{_CN}{{1,3}})[号日]?"
    r"|(?P<iso>\d{4}-\d{1,2}-\d{1,2})"
    rf"|(?P<dateonly>{_CN}{{1,3}})号)"
)
_PART = (
    r"(?:凌晨|后半夜|下半夜|白天|清晨|清早|一早|早上|早晨|大早|早|晨|上午|中午|下午|午后"
    r"|傍晚|晚上|晚间|夜里|夜间|深夜|半夜|晚|夜)(?![报餐])"
)
_PARTS: dict[str, tuple[int, int]] = {
    "凌晨": (0, 6), "后半夜": (0, 6), "下半夜": (0, 6), "白天": (6, 18), "清早": (6, 9), "一早": (6, 9),
    "清晨": (5, 8), "早上": (6, 9), "早晨": (6, 9), "大早": (6, 9), "早": (6, 9),
    "晨": (6, 9),    "上午": (6, 12), "中午": (11, 13), "下午": (12, 18), "午后": (12, 18), "傍晚": (17, 19),
    "晚上": (18, 24), "晚间": (18, 24), "夜里": (18, 24), "夜间": (18, 24), "深夜": (22, 24),
    "半夜": (0, 6), "晚": (18, 24), "夜": (18, 24),
}  # fmt: skip
_CLOCK = (
    rf"(?:\d{{1,2}}[:：]\d{{2}}"
    rf"|{_CN}{{1,3}}(?:点钟?|时)(?!\s*(?:com|cn|net|org|io))(?:半|[一三]刻|{_CN}{{1,3}}分?)?)"
)
_TO = r"(?:一直)?(?:到|至|-|~|—|–)"
_CLOCKED = re.compile(
    rf"(?:从|自)?(?:{_DAY}的?)?(?P<part>{_PART})?的?(?P<from>{_CLOCK})"
    rf"(?:(?P<since>(?:以后|之后|以来|开始|起|过后)?(?:{_TO}(?:现在|目前|如今|此刻|这会儿?)|以来|以后|之后|至今))"
    rf"|{_TO}(?P<nextday>第二天|次日|今天|今日|今|昨天)?(?P<topart>{_PART})?的?(?P<to>{_CLOCK}))?"
    r"(?:左右|前后|之间|这段时间?|那段时间?|期间|那会儿?|的时候)?"
)
_DAYED = re.compile(
    rf"(?:从|自)?{_DAY}(?:的?(?P<part>{_PART}))?(?P<since>以来|{_TO}(?:现在|今天|目前)|至今)?(?:一天|一整天|全天|整天|当天|这天|那天)?"
)
_AGO = re.compile(
    rf"(?:从|自)?(?P<count>{NUMBER})个?(?P<unit>天|周|星期|礼拜)(?:之|以)?前(?![后台端面几者])"
    rf"(?P<since>(?:开始|起)?(?:{_TO}(?:现在|目前|今天)|以来|至今))?(?:的?那天|的?当天)?"
)
_PART_ONLY = re.compile(
    r"(?P<part>凌晨|后半夜|下半夜|白天|清早|早上|早晨|上午|中午|下午|傍晚|晚上|半夜|夜里|夜间)"
)
_RANGE = re.compile(r"(?:一直|直)?(?:到|至|~|—|–)了?")
_SPANS = re.compile(
    r"(?P<which>上上|上个?|这个?|本|当)(?P<what>周(?![一二三四五六日末])|星期(?![一二三四五六日末])|礼拜(?![一二三四五六日末])|月(?![\d一二三四五六七八九十])|季度)(?:以来|里|内)?"
    r"|(?P<weekend>上上个?|上个?|这个?|本)?(?:周|星期|礼拜)末"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """A length of time in minutes, written as the tools write it, and which way it points."""

    minutes: float
    text: str
    lead: Lead


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A period as the tools write it; `clocks` are its two clock times (HH:MM) where both were said."""

    text: str
    clocks: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Timed:
    """A time and where it stands in the sentence."""

    start: int
    end: int
    value: Duration | Stretch


def same_length(one: str, other: str) -> bool:
    """Return whether two periods are equal, 1d and 24h as well."""
    return one == other or (_minutes(one) is not None and _minutes(one) == _minutes(other))


def times_in(text: str, now: datetime) -> Iterator[Timed]:
    """Yield every reading of a time in a sentence; readings may overlap, the longest is the best."""
    stretches = list(_stretches(text, now))
    yield from stretches
    for first, second in itertools.permutations(stretches, 2):
        joined = first.end < second.start and _RANGE.fullmatch(text, first.end, second.start)
        if joined and (whole := _from_to(first, second, text, now)):
            yield whole
    for match in _DURATION.finditer(text):
        if duration := _duration(match):
            yield Timed(match.start(), match.end(), duration)
    for match in _NEXT.finditer(text):
        minutes = _UNIT_MINUTES[match["unit"]]
        value = Duration(minutes=minutes, text=_written(minutes, match["unit"]), lead="future")
        yield Timed(match.start(), match.end(), value)
    for match in _BARE_UNIT.finditer(text):
        minutes = _UNIT_MINUTES[match["unit"]]
        yield Timed(
            match.start(),
            match.end(),
            Duration(minutes=minutes, text=_written(minutes, match["unit"]), lead="every"),
        )


def _stretches(text: str, now: datetime) -> Iterator[Timed]:
    for match in _CLOCKED.finditer(text):
        if stretch := _clocked(match, now):
            yield Timed(match.start(), match.end(), stretch)
    for match in _DAYED.finditer(text):
        if found := _dayed(match, now):
            yield Timed(match.start(), match.end(), found)
    for match in _AGO.finditer(text):
        if found := _days_ago(match, now):
            yield Timed(match.start(), match.end(), found)
    for match in _SPANS.finditer(text):
        yield Timed(match.start(), match.end(), _spanned(match, now))
    for match in _PART_ONLY.finditer(text):
        start, end = _PARTS[match["part"]]
        # In the morning, 晚上 is last night's.
        day = now.date() - timedelta(days=start >= now.hour + 1)
        if found := _between(day, start * 60, end * 60, now):
            yield Timed(match.start(), match.end(), found)


def _from_to(first: Timed, second: Timed, text: str, now: datetime) -> Timed | None:
    """Return the stretch from one time to another: 周一到周三, 昨天中午到下午三点."""
    until = text[second.start : second.end]
    day = re.match(rf"(?:从|自)?({_DAY})", text[first.start : first.end])
    if day and re.match(rf"{_WEEK}{_WEEKDAY}", until):
        week = re.match(r"(上上|上个?|这个?|本)?", day[1])
        until = (week[0] if week else "") + until
    if day and (not re.match(_DAY, until) or until != text[second.start : second.end]):
        day_said = "" if re.match(_DAY, until) else day[1]
        # The second time is of the day of the first.
        anchored = max(_stretches(day_said + until, now), key=lambda one: one.end - one.start, default=None)
        second = second if anchored is None else Timed(second.start, second.end, anchored.value)
    start, end = _bounds(first, now), _bounds(second, now)
    if start is None or end is None:
        return None
    begins = start[0].replace(hour=12) if text[first.start : first.end].endswith("中午") else start[0]
    ends = end[0] if re.search(rf"{_CLOCK}$", until) else end[1]
    if ends <= begins:
        ends += timedelta(days=1)
    if ends <= begins:
        return None
    return Timed(first.start, second.end, Stretch(text=f"{_iso(begins)}/{_iso(ends)}"))


def _bounds(timed: Timed, now: datetime) -> tuple[datetime, datetime] | None:
    """Return when a stretch begins and ends."""
    said = timed.value.text
    if "/" in said:
        begins, ends = (datetime.fromisoformat(one) for one in said.split("/"))
        return begins, ends
    days = {"today": now.date(), "yesterday": now.date() - timedelta(days=1)}
    try:
        day = days.get(said) or date.fromisoformat(said)
    except ValueError:
        return None
    midnight = datetime.combine(day, time(0), tzinfo=now.tzinfo)
    return midnight, midnight + timedelta(days=1)


def _duration(match: re.Match[str]) -> Duration | None:
    lead = _LEADS.get(match["lead"] or "", "past" if match["lead"] else "plain")
    if match["half"]:
        unit = match["half_unit"]
        minutes = 259_200 if unit == "年" else _UNIT_MINUTES[unit] / 2  # half a year is six months
    elif match["count"]:
        unit = match["unit"].lower()
        # 两三天: the longer stretch holds the shorter one.
        count = number_of(match["count"][-1:] if _TWO_OR_THREE.fullmatch(match["count"]) else match["count"])
        if not count:
            return None
        minutes = count * _UNIT_MINUTES[unit]
        if match["and_half"] or match["half_after"]:
            minutes += _UNIT_MINUTES[unit] / 2
        if match["minutes"]:
            minutes += number_of(match["minutes"]) or 0
    else:
        return None
    return Duration(minutes=minutes, text=_written(minutes, unit), lead=lead)


def _written(minutes: float, unit: str) -> str:
    """Write a length in the unit that it was said in where it is whole, else in a smaller one.

    One day is 24h; weeks, months and years are days.
    """
    if unit in ("秒", "秒钟", "s"):
        return f"{round(minutes * 60)}s"
    if _UNIT_MINUTES[unit] >= 1440 and minutes % 1440 == 0 and minutes > 1440:
        return f"{round(minutes / 1440)}d"
    if _UNIT_MINUTES[unit] >= 60 and minutes % 60 == 0:
        return f"{round(minutes / 60)}h"
    return "1h" if minutes == 60 else f"{round(minutes)}m"


def _minutes(text: str) -> float | None:
    match = re.fullmatch(r"(\d+)([smhdw])", text)
    return int(match[1]) * _UNIT_MINUTES[match[2]] if match else None


def _day_of(match: re.Match[str], now: datetime) -> date | None:
    said, today = match["day"], now.date()
    if said is None:
        return today
    if match["weekday"]:
        monday = today - timedelta(days=today.weekday())
        weeks = {"上上": 2, "上": 1, "上个": 1}.get(match["weekprefix"] or "", 0)
        day = monday + timedelta(days=_WEEKDAYS[match["weekday"]] - 7 * weeks)
        return day - timedelta(days=7) if day > today and not match["weekprefix"] else day
    try:
        if match["iso"]:
            return date(*(int(part) for part in match["iso"].split("-")))
        if match["date"]:
            day = date(
                int(match["year"] or today.year),
                int(number_of(match["month"]) or 0),
                int(number_of(match["date"]) or 0),
            )
            return day.replace(year=day.year - 1) if day > today and not match["year"] else day
        if match["dateonly"]:
            day = today.replace(day=int(number_of(match["dateonly"]) or 0))
            return day if day <= today else (day.replace(day=1) - timedelta(days=1)).replace(day=day.day)
    except ValueError:
        return None
    back = {"大": 3, "前": 2, "昨": 1, "今": 0, "当": 0}[said[0]]
    return today - timedelta(days=back)


def _clock_minutes(text: str, part: str | None) -> int | None:
    if ":" in text or "：" in text:
        hour_text, minute_text = re.split("[:：]", text)
        hour, minute = int(hour_text), int(minute_text)
    else:
        hour_text, _, rest = re.sub("点钟|时", "点", text).partition("点")
        value = number_of(hour_text)
        if value is None:
            return None
        hour = int(value)
        rest = rest.removesuffix("分")
        minute = {"": 0, "半": 30, "一刻": 15, "三刻": 45}.get(rest, -1)
        if minute < 0:
            minute = int(number_of(rest) or 0)
    if (
        part
        and part in ("下午", "午后", "傍晚", "晚上", "晚间", "夜里", "夜间", "深夜", "晚", "夜")
        and hour < 12
    ):
        # 夜里两点 is after midnight; 晚上零点 and 晚上两点 are of the night that follows.
        hour += 0 if part in ("夜里", "夜间", "深夜") and hour < 5 else 24 if _small(part, hour) else 12
    elif part == "中午" and hour < 4:
        hour += 12
    elif part in ("半夜", "晚上", "晚间", "夜里", "夜间", "深夜", "晚", "夜") and hour == 12:
        hour = 24 if part != "半夜" else 0
    return hour * 60 + minute if hour <= 28 and minute < 60 else None


def _small(part: str, hour: int) -> bool:
    """Return whether an hour of the evening is one after midnight."""
    return part in ("晚上", "晚间", "晚", "夜") and hour < 5


def _clocked(match: re.Match[str], now: datetime) -> Stretch | None:
    day = _day_of(match, now)
    start = _clock_minutes(match["from"], match["part"])
    if day is None or start is None:
        return None
    if match["since"]:
        return Stretch(text=f"{_instant(day, start, now)}/{_iso(now)}")
    if not match["to"]:
        return _between(day, start, start + 60, now)
    to_part = match["topart"] or (match["part"] if _same_half(match) or match["part"] == "中午" else None)
    end = _clock_minutes(match["to"], to_part)
    if end is None:
        return None
    clocks = (_hhmm(start), _hhmm(end))
    if match["nextday"] in ("第二天", "次日", "今天", "今日", "今") and match["day"] and end <= start + 1440:
        end += 1440 if match["nextday"] in ("第二天", "次日") or day < now.date() else 0
    if end <= start:
        # 晚上十点到两点 crosses midnight, and so does 早上十点到两点 cross noon.
        end += 720 if start < 720 and end + 720 > start else 1440
    found = _between(day, start, end, now)
    return Stretch(text=found.text if found else "", clocks=clocks)


def _same_half(match: re.Match[str]) -> bool:
    """Return whether the second clock time stands in the part of day of the first: 下午三点到五点."""
    first, second = _clock_minutes(match["from"], None), _clock_minutes(match["to"], None)
    return (
        bool(match["part"])
        and first is not None
        and second is not None
        and (second > first or match["part"] == "凌晨")
    )


def _dayed(match: re.Match[str], now: datetime) -> Stretch | None:
    day = _day_of(match, now)
    if day is None:
        return None
    if (match["since"] and "以来" not in match["since"]) or (
        match["since"] and match["day"] not in ("今天", "今日")
    ):
        begins = _PARTS[match["part"]][0] * 60 if match["part"] else 0
        return Stretch(text=f"{_instant(day, begins, now)}/{_iso(now)}")
    if match["part"]:
        start, end = _PARTS[match["part"]]
        return _between(day, start * 60, end * 60, now)
    if match["day"] in ("今天", "今日", "当天", "今儿", "今儿个"):
        return Stretch(text="today")
    if match["day"] in ("昨天", "昨日", "昨儿", "昨儿个"):
        return Stretch(text="yesterday")
    if match["day"] in ("昨", "今", "前"):
        return None
    return Stretch(text=day.isoformat())


def _days_ago(match: re.Match[str], now: datetime) -> Stretch | None:
    """Return the day that 三天前 is, or all since then: 三天前到现在."""
    days = number_of(match["count"])
    if not isinstance(days, int) or _TWO_OR_THREE.fullmatch(match["count"]):
        return None
    day = now.date() - timedelta(days=days * (1 if match["unit"] == "天" else 7))
    if match["since"]:
        return Stretch(text=f"{_instant(day, 0, now)}/{_iso(now)}")
    return Stretch(text="yesterday" if days == 1 and match["unit"] == "天" else day.isoformat())


def _spanned(match: re.Match[str], now: datetime) -> Stretch:
    today = now.date()
    if match["what"] is None:
        return _weekend(match["weekend"] or "", now)
    back = {"上上": 2, "上": 1, "上个": 1}.get(match["which"], 0)
    if match["what"] == "季度":
        first = today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
        starts = [first]
        for _ in range(back):
            before = starts[-1] - timedelta(days=1)
            starts.append(before.replace(month=(before.month - 1) // 3 * 3 + 1, day=1))
    elif match["what"] == "月":
        starts = [today.replace(day=1)]
        for _ in range(back):
            starts.append((starts[-1] - timedelta(days=1)).replace(day=1))
    else:
        monday = today - timedelta(days=today.weekday())
        starts = [monday - timedelta(days=7 * weeks) for weeks in range(back + 1)]
    end = _iso(now) if back == 0 else _instant(starts[-2], 0, now)
    return Stretch(text=f"{_instant(starts[-1], 0, now)}/{end}")


def _weekend(which: str, now: datetime) -> Stretch:
    """Return Saturday and Sunday; without a week said, those that began last."""
    today = now.date()
    saturday = today - timedelta(days=today.weekday() - 5)
    if which in ("", "刚过去的") and saturday > today:
        saturday -= timedelta(days=7)
    saturday -= timedelta(days=7 * {"上上": 2, "上上个": 2, "上": 1, "上个": 1}.get(which, 0))
    ends = datetime.combine(saturday + timedelta(days=2), time(0), tzinfo=now.tzinfo)
    return Stretch(text=f"{_instant(saturday, 0, now)}/{_iso(min(ends, now) if which else ends)}")


def _between(day: date, start: int, end: int, now: datetime) -> Stretch | None:
    return Stretch(text=f"{_instant(day, start, now)}/{_instant(day, end, now)}")


def _instant(day: date, minutes: int, now: datetime) -> str:
    midnight = datetime.combine(day, time(0), tzinfo=now.tzinfo)
    return _iso(midnight + timedelta(minutes=minutes))


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _hhmm(minutes: int) -> str:
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"
