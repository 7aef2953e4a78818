r"""Log templates by drain3: lines that differ only in their values become one pattern.

drain3 parts lines at spaces and compares them word by word. A Chinese line has few spaces, and its numbers
stand right between its characters, where `\b` sees no border; so values are masked first, with borders of
ASCII letters and digits only. Status codes stay: 200 and 503 are not the same message.

drain3 is imported when the first miner is made: it costs 50 ms that start-up does not need.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drain3 import TemplateMiner

MOST_PATTERNS = 500
LONGEST_LINE = 1000
"""Characters of a line that are looked at."""

_LEFT, _RIGHT = r"(?<![A-Za-z0-9_])", r"(?![A-Za-z0-9_])"
_CODES = (
    r"(?<!status=)(?<!status:)(?<!status )(?<!code=)(?<!code:)(?<!code )(?<!状态码)(?<!状态码 )(?<!HTTP/)"
)
_AFTER_REQUEST = r'(?<!HTTP/1\.1" )(?<!HTTP/1\.0" )(?<!HTTP/2\.0" )'
_MASKS: tuple[tuple[str, str], ...] = (
    ("TIME", _LEFT + r"\d{1,2}/[A-Z][a-z]{2}/\d{4}(?::\d{2}){3}(?: [+-]\d{4})?"),
    (
        "TIME",
        r"(?<!\d)\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?"
        r"(?:[T ]?\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?(?!\d)",
    ),
    ("TIME", r"(?<!\d)\d{1,2}月\d{1,2}[日号]|(?<!\d)\d{1,2}[点时]\d{1,2}分(?:\d{1,2}秒)?"),
    ("TIME", r"(?<![\d:])\d{1,2}:\d{2}:\d{2}(?:[.,]\d{1,9})?(?![\d:])"),
    ("UUID", _LEFT + r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}" + _RIGHT),
    ("IP", r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2}|:\d{1,5})?(?![\d.]\d)"),
    ("IP", r"(?<![0-9A-Za-z:])(?:[0-9a-fA-F]{1,4}:){4,7}[0-9a-fA-F]{1,4}(?![0-9A-Za-z:])"),
    ("POD", r"(?<=[a-z0-9])-[a-f0-9]{8,10}-[a-z0-9]{5}(?![a-z0-9-])"),
    ("HEX", _LEFT + r"0[xX][0-9a-fA-F]+" + _RIGHT),
    ("HEX", _LEFT + r"(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,64}" + _RIGHT),
    ("STR", r"“[^”\n]{0,200}”|「[^」\n]{0,200}」|『[^』\n]{0,200}』|《[^》\n]{0,200}》"),
    ("STR", r"(?<![A-Za-z0-9_'])'[^'\n]{1,200}'(?![A-Za-z0-9_'])"),
    (
        "DUR",
        r"(?<![A-Za-z0-9_.])\d+(?:\.\d+)? ?"
        r"(?:(?:ns|us|µs|ms|s|sec|secs|seconds?|mins?|minutes?|h|hours?|days?)(?![A-Za-z0-9_])"
        r"|纳秒|微秒|毫秒|秒钟?|分钟|个?小时|天)",
    ),
    ("SIZE", r"(?<![A-Za-z0-9_.])\d+(?:\.\d+)? ?(?:[KMGTkmgt]i?[Bb]?|[Bb]ytes?|B|字节)(?![A-Za-z0-9_])"),
    ("ID", _LEFT + r"[A-Za-z]{1,12}[-_]?\d{4,}" + _RIGHT),
    ("NUM", _CODES + _AFTER_REQUEST + r"(?<![A-Za-z0-9_.])[+-]?\d+(?:[.,]\d+)*%?" + _RIGHT),
)
_COMPILED = tuple((f"<{name}>", re.compile(pattern)) for name, pattern in _MASKS)
_CODE = re.compile(r'(?:status[=: ]|code[=: ]|状态码 ?|HTTP/\d\.\d" )([1-5]\d{2})(?!\d)')
_PLACE = re.compile(r"<(?:[A-Z]+|\*)>")
_PREFIX = re.compile(r"^(?:<TIME>|\[?(?:DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL)\]?|\s)+")
_EXCEPTION = re.compile(
    r"^\s*(?:Caused by: )?((?:[A-Za-z_$][\w$]*\.)*[A-Z]\w*(?:Exception|Error))\b", re.MULTILINE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Lines that are alike."""

    template: str
    """With <NUM>, <IP>, <*> and so on where the lines differ."""
    count: float
    """Lines, or their weights summed up."""
    example: str
    """The first such line, shortened."""


def masked(text: str) -> str:
    """Return the first line of `text` with its values masked, and the exception of a stack trace below it."""
    cut = text[: 4 * LONGEST_LINE]
    line, _, rest = cut.strip().partition("\n")
    line = line[:LONGEST_LINE]
    thrown = _EXCEPTION.search(rest)
    if thrown is not None and thrown[1] not in line:
        line = f"{line.rstrip()} {thrown[1]}"
    for mask, pattern in _COMPILED:
        line = pattern.sub(mask, line)
    return line.strip()


def readable(template: str) -> str:
    """Return a template as it is read out: without time and level before it, values as an ellipsis."""
    return _PLACE.sub("…", _PREFIX.sub("", template)).strip() or "…"


class PatternMiner:
    """Sorts lines into patterns, in bounded memory: the pattern unseen for longest makes room for a new one.

    Args:
        most_patterns: How many are kept.
    """

    def __init__(self, *, most_patterns: int = MOST_PATTERNS) -> None:
        self._most = most_patterns
        self._miner = _template_miner(most_patterns)
        self._counts: dict[int, float] = {}
        self._examples: dict[int, str] = {}
        self.forgotten = 0.0
        """Weight of the lines whose patterns made room."""

    def add(self, text: str, weight: float = 1.0) -> int:
        """Take in a line that stands for `weight` lines; return the number of its pattern."""
        line = _keyed(text)
        number = int(self._miner.add_log_message(line)["cluster_id"])
        self._counts[number] = self._counts.get(number, 0.0) + weight
        self._examples.setdefault(number, text.strip()[:LONGEST_LINE])
        if len(self._counts) > self._most:
            self._forget()
        return number

    def add_all(self, texts: Iterable[str]) -> None:
        """Take in lines that stand for themselves."""
        for text in texts:
            self.add(text)

    def knows(self, text: str) -> bool:
        """Tell whether a line fits one of the patterns, without taking it in."""
        return self._miner.match(_keyed(text), full_search_strategy="fallback") is not None

    def patterns(self) -> list[Pattern]:
        """Return the patterns, most frequent first."""
        clusters = {int(cluster.cluster_id): cluster for cluster in self._miner.drain.clusters}
        found = [
            Pattern(
                template=str(clusters[number].get_template()).partition(" ")[2],
                count=count,
                example=self._examples[number],
            )
            for number, count in self._counts.items()
            if number in clusters
        ]
        return sorted(found, key=lambda pattern: (-pattern.count, pattern.template))

    def _forget(self) -> None:
        """Drop what drain3 has dropped."""
        kept = {int(cluster.cluster_id) for cluster in self._miner.drain.clusters}
        for number in [number for number in self._counts if number not in kept]:
            self.forgotten += self._counts.pop(number)
            del self._examples[number]


def _keyed(text: str) -> str:
    """Return a line as drain3 gets it: its status code comes first, where no difference is overlooked."""
    line = masked(text) or "<*>"
    code = _CODE.search(line)
    return f"{code[1] if code else '-'} {line}"


def _template_miner(most_patterns: int) -> TemplateMiner:
    from drain3 import TemplateMiner
    from drain3.template_miner_config import TemplateMinerConfig

    config = TemplateMinerConfig()
    config.drain_sim_th = 0.75
    config.drain_depth = 5
    config.drain_max_clusters = most_patterns
    config.drain_max_children = 50
    config.parametrize_numeric_tokens = False  # masked already, and codes are kept on purpose
    config.masking_instructions = []
    return TemplateMiner(config=config)
