"""How periods and instants are spoken of in Chinese. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo

from mcp_tencent.periods import Period

_BACK = re.compile(r"(\d+)\s*([smhdw])")
_UNITS = {"s": "秒", "m": "分钟", "h": "小时", "d": "天", "w": "周"}
_DAYS = {"today": "今天", "yesterday": "昨天"}


def spoken_period(text: str, period: Period, zone: tzinfo) -> str:
    """Return what to call a period: 最近1小时, 昨天, 11月20日, 11月20日05:00到06:30.

    Args:
        text: The period as it was asked for.
        period: What it came to.
        zone: Whose days and hours are spoken of.
    """
    wanted = text.strip().lower()
    if match := _BACK.fullmatch(wanted):
        return f"最近{int(match[1])}{_UNITS[match[2]]}"
    if wanted in _DAYS:
        return _DAYS[wanted]
    start, end = period.start.astimezone(zone), period.end.astimezone(zone)
    if "/" not in wanted:
        return f"{start.month}月{start.day}日"
    last = f"{end:%H:%M}" if start.date() == end.date() else _dated(end)
    return f"{_dated(start)}到{last}"


def spoken_instant(at: datetime, now: datetime, zone: tzinfo) -> str:
    """Return what to call an instant: 14:05, 昨天14:05, 11月18日14:05."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    if local.date() == today:
        return f"{local:%H:%M}"
    if local.date() == today - timedelta(days=1):
        return f"昨天{local:%H:%M}"
    return _dated(local)


def spoken_length(length: timedelta) -> str:
    """Return what to call a stretch of time, rounded to its largest unit: 3小时, 40分钟."""
    minutes = round(length.total_seconds() / 60)
    if minutes < 1:
        return f"{round(length.total_seconds())}秒"
    if minutes < 100:
        return f"{minutes}分钟"
    hours = minutes / 60
    return f"{hours:.0f}小时" if hours < 48 else f"{hours / 24:.0f}天"


def spoken_count(count: float) -> str:
    """Return a number as it is best heard: 8,214 is 8214, but 1,260,000 is 126万."""
    if count >= 100_000_000:
        return f"{count / 100_000_000:.1f}".rstrip("0").rstrip(".") + "亿"
    if count >= 10_000:
        return f"{count / 10_000:.1f}".rstrip("0").rstrip(".") + "万"
    return f"{count:.0f}"


def _dated(local: datetime) -> str:
    return f"{local.month}月{local.day}日{local:%H:%M}"
