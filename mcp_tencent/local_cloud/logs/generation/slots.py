"""Templates of log lines: text with {slots}, each filled with something likely.

A slot that stands several times in one line, or in the line and in a field, has one value throughout. Braces
around anything but a slot's name stay as they are, so JSON can be written plainly.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from mcp_tencent.local_cloud.conditions import LogPattern
from mcp_tencent.local_cloud.logs.errors import TemplateError
from mcp_tencent.local_cloud.logs.generation.traces import Random, go_trace, java_trace, python_trace

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
    _second: int = -1
    _second_text: str = ""

    def time_text(self) -> str:
        """Return the local time with milliseconds; the part down to the second is kept while it lasts."""
        second, milliseconds = divmod(self.timestamp_ms, 1000)
        if second != self._second:
            self._second = second
            local = datetime.fromtimestamp(second, UTC).astimezone(ZoneInfo(self.timezone))
            self._second_text = local.strftime("%Y-%m-%d %H:%M:%S")
        return f"{self._second_text}.{milliseconds:03d}"


Filler = Callable[[Random, Scene], str]


def _one_of(*choices: str) -> Filler:
    count = len(choices)
    return lambda random, scene: choices[int(random() * count)]


def _number(low: int, high: int) -> Filler:
    width = high - low + 1
    return lambda random, scene: str(low + int(random() * width))


def _hexadecimal(digits: int) -> Filler:
    half = 16 ** (digits // 2)
    form = f"%0{digits // 2}x%0{digits - digits // 2}x"
    rest = 16 ** (digits - digits // 2)
    return lambda random, scene: form % (int(random() * half), int(random() * rest))


def _uuid(random: Random, scene: Scene) -> str:
    high, low = int(random() * 2**48), int(random() * 2**48)
    return f"{high >> 16:08x}-{high & 0xFFFF:04x}-4{low >> 36:03x}-a{low >> 24 & 0xFFF:03x}-{low & 0xFFFFFF:06x}{high & 0xFFFFFF:06x}"


def _ip(random: Random, scene: Scene) -> str:
    number = int(random() * 2**24)
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


def _latency(random: Random, scene: Scene) -> str:
    """Exponential above a floor: most requests are quick, a few are slow."""
    return str(int(_TYPICAL_LATENCY_MS * scene.latency * (0.35 - 0.65 * math.log(1.0 - random()))) + 1)


def _order_id(random: Random, scene: Scene) -> str:
    return f"SO{int(random() * 10**10):010d}"


def _amount(random: Random, scene: Scene) -> str:
    return f"{9.9 + random() * 2990:.2f}"


_FILLERS: Mapping[str, Filler] = {
    "time": lambda random, scene: scene.time_text(),
    "level": lambda random, scene: scene.level,
    "namespace": lambda random, scene: scene.namespace,
    "workload": lambda random, scene: scene.workload,
    "container": lambda random, scene: scene.container,
    "pod": lambda random, scene: scene.pod,
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
        "/api/v1/orders", "/api/v1/orders/search", "/api/v1/cart", "/api/v1/pay", "/api/v1/users/me", "/healthz"
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
    "java_trace": lambda random, scene: java_trace(random),
    "python_trace": lambda random, scene: python_trace(random),
    "go_trace": lambda random, scene: go_trace(random),
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
        self._slots: dict[str, int] = {}
        self._fillers: list[Filler] = []
        self._text = self._compiled(pattern.template)
        self._fields = tuple((name, self._compiled(form)) for name, form in pattern.fields if name != "level")

    def fill(self, random: Random, scene: Scene) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Return a line's text and its fields, `level` first."""
        values = [filler(random, scene) for filler in self._fillers]
        form, used = self._text
        text = form % tuple([values[slot] for slot in used])
        if not self._fields:
            return text, (("level", self.level),)
        fields = [(name, form % tuple([values[slot] for slot in used])) for name, (form, used) in self._fields]
        return text, (("level", self.level), *fields)

    def _compiled(self, text: str) -> tuple[str, tuple[int, ...]]:
        parts = _SLOT.split(text)
        used = []
        for slot in parts[1::2]:
            if slot not in self._slots:
                self._slots[slot] = len(self._fillers)
                self._fillers.append(_filler(slot))
            used.append(self._slots[slot])
        return "%s".join(part.replace("%", "%%") for part in parts[0::2]), tuple(used)


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
