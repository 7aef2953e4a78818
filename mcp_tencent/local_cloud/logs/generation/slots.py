"""Templates of log lines: text with {slots}, each filled with something likely.

A slot that stands several times in one line, or in the line and in a field, has one value throughout. Braces
around anything but a slot's name stay as they are, so JSON can be written plainly.
"""

from __future__ import annotations

import difflib
import hashlib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from zoneinfo import ZoneInfo

from mcp_tencent.local_cloud.conditions import LogPattern
from mcp_tencent.local_cloud.logs.errors import TemplateError
from mcp_tencent.local_cloud.logs.generation.traces import go_trace, java_trace, python_trace

_SLOT = re.compile(r"\{([a-z][a-z0-9_]*(?::[^{}\n]*)?)\}")
_TYPICAL_LATENCY_MS = 45.0


@dataclass(slots=True)
class Scene:
    """What slots may know of the line they stand in. One object per workload, changed line by line."""

    namespace: str
    workload: str
    container: str
    timezone: str
    timestamp_ms: int = 0
    level: str = ""
    pod: str = ""
    latency: float = 1.0
    """Factor on the typical latency."""
    _minute: int = -1
    _minute_text: str = ""

    def time_text(self) -> str:
        """Return the local time with milliseconds; the part down to the minute is kept while it lasts."""
        minute, milliseconds = divmod(self.timestamp_ms, 60_000)
        if minute != self._minute:
            self._minute = minute
            local = datetime.fromtimestamp(minute * 60, UTC).astimezone(ZoneInfo(self.timezone))
            self._minute_text = local.strftime("%Y-%m-%d %H:%M:")
        return f"{self._minute_text}{milliseconds // 1000:02d}.{milliseconds % 1000:03d}"


Filler = Callable[[Random, Scene], str]


def _one_of(*choices: str) -> Filler:
    count = len(choices)
    return lambda rng, scene: choices[int(rng.random() * count)]


def _number(low: int, high: int) -> Filler:
    width = high - low + 1
    return lambda rng, scene: str(low + int(rng.random() * width))


def _hexadecimal(digits: int) -> Filler:
    form, bits = f"%0{digits}x", 4 * digits
    return lambda rng, scene: form % rng.getrandbits(bits)


def _uuid(rng: Random, scene: Scene) -> str:
    text = f"{rng.getrandbits(120):030x}"
    return f"{text[:8]}-{text[8:12]}-4{text[12:15]}-a{text[15:18]}-{text[18:]}"


def _ip(rng: Random, scene: Scene) -> str:
    number = rng.getrandbits(24)
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


def _latency(rng: Random, scene: Scene) -> str:
    """Exponential above a floor: most requests are quick, a few are slow."""
    return str(int(_TYPICAL_LATENCY_MS * scene.latency * (0.35 - 0.65 * math.log(1.0 - rng.random()))) + 1)


def _order_id(rng: Random, scene: Scene) -> str:
    return f"SO{int(rng.random() * 10**10):010d}"


def _amount(rng: Random, scene: Scene) -> str:
    return f"{9.9 + rng.random() * 2990:.2f}"


_FILLERS: Mapping[str, Filler] = {
    "time": lambda rng, scene: scene.time_text(),
    "level": lambda rng, scene: scene.level,
    "namespace": lambda rng, scene: scene.namespace,
    "workload": lambda rng, scene: scene.workload,
    "container": lambda rng, scene: scene.container,
    "pod": lambda rng, scene: scene.pod,
    "order_id": _order_id,
    "user_id": _number(100_000, 9_999_999),
    "sku": _number(10_000, 99_999),
    "quantity": _number(1, 9),
    "amount": _amount,
    "ip": _ip,
    "port": _number(30_000, 60_999),
    "latency_ms": _latency,
    "uuid": _uuid,
    "trace_id": _hexadecimal(32),
    "span_id": _hexadecimal(16),
    "request_id": _hexadecimal(16),
    "path": _one_of(
        "/api/v1/orders",
        "/api/v1/orders/search",
        "/api/v1/cart",
        "/api/v1/pay",
        "/api/v1/users/me",
        "/healthz",
    ),
    "method": _one_of("GET", "GET", "GET", "POST", "PUT"),
    "status": _one_of("200", "200", "200", "200", "200", "201", "204", "302", "404"),
    "error_status": _one_of("500", "502", "503", "504"),
    "thread": _number(1, 200),
    "bytes": _number(120, 48_000),
    "percent": _number(1, 99),
    "city": _one_of("北京", "上海", "广州", "深圳", "成都", "杭州", "武汉", "西安"),
    "product": _one_of("蓝牙耳机", "机械键盘", "咖啡豆", "登山背包", "保温杯", "护眼台灯"),
    "reason": _one_of("库存不足", "支付超时", "优惠券已过期", "风控拦截", "账户余额不足"),
    "table": _one_of("t_order", "t_order_item", "t_user", "t_stock", "t_coupon"),
    "java_trace": lambda rng, scene: java_trace(rng),
    "python_trace": lambda rng, scene: python_trace(rng),
    "go_trace": lambda rng, scene: go_trace(rng),
}
SLOTS = tuple(sorted(_FILLERS))
"""Names of all slots, besides {int:LOW:HIGH} and {choice:A|B|C}."""


class Template:
    """A pattern's text and fields, ready to be filled many times."""

    def __init__(self, pattern: LogPattern) -> None:
        """Compile the pattern.

        Raises:
            TemplateError: a slot is unknown or wrongly parametrised.
        """
        self.level = pattern.level
        identity = f"{pattern.level}\0{pattern.template}\0{pattern.fields}"
        self.fingerprint = int.from_bytes(hashlib.blake2b(identity.encode(), digest_size=8).digest(), "big")
        self._slots: dict[str, int] = {}
        self._fillers: list[Filler] = []
        self._form, self._used = self._compiled(pattern.template)
        self._fields = tuple(
            (name, *self._compiled(form)) for name, form in pattern.fields if name != "level"
        )
        self._level = (("level", pattern.level),)

    def fill(self, rng: Random, scene: Scene) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Return a line's text and its fields, `level` first."""
        values = [filler(rng, scene) for filler in self._fillers]
        text = self._form % tuple([values[slot] for slot in self._used])
        if not self._fields:
            return text, self._level
        fields = [
            # Most fields are one slot and nothing else: those need no formatting.
            (name, values[used[0]] if form == "%s" else form % tuple([values[slot] for slot in used]))
            for name, form, used in self._fields
        ]
        return text, (*self._level, *fields)

    def _slot(self, name: str) -> int:
        if name not in self._slots:
            self._slots[name] = len(self._fillers)
            self._fillers.append(_filler(name))
        return self._slots[name]

    def _compiled(self, text: str) -> tuple[str, tuple[int, ...]]:
        parts = _SLOT.split(text)
        used = tuple(self._slot(name) for name in parts[1::2])
        return "%s".join(part.replace("%", "%%") for part in parts[0::2]), used


def _filler(slot: str) -> Filler:
    name, _, parameters = slot.partition(":")
    if name == "choice" and parameters:
        return _one_of(*parameters.split("|"))
    if name == "int":
        match = re.fullmatch(r"(-?\d{1,15}):(-?\d{1,15})", parameters)
        if match is None or int(match[1]) > int(match[2]):
            raise TemplateError(f"slot {{{slot}}} should be {{int:LOW:HIGH}}")
        return _number(int(match[1]), int(match[2]))
    if name not in _FILLERS or parameters:
        near = difflib.get_close_matches(name, [*SLOTS, "int", "choice"], n=1)
        hint = f"did you mean {{{near[0]}}}?" if near else f"known are {', '.join(SLOTS)}, int, choice"
        raise TemplateError(f"no slot is named {{{slot}}}: {hint}")
    return _FILLERS[name]


def check_pattern(pattern: LogPattern) -> None:
    """Raise TemplateError when a slot of the pattern is unknown."""
    Template(pattern)
