"""What kind of trouble a log line speaks of, by the words that programs commonly use for it (pure).

The words are those of widespread runtimes, frameworks, proxies and kernels, in English and Chinese. They
support a cause that other evidence shows; alone they settle only what nothing else can show.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum

from mcp_tencent.devops.diagnosis.evidence import SampleLine


class LogSign(StrEnum):
    """A kind of trouble."""

    DEPENDENCY = "dependency"
    OVERLOAD = "overload"
    STUCK = "stuck"
    MEMORY = "memory"
    CONFIGURATION = "configuration"
    CODE = "code"
    COLD_CACHE = "cold_cache"
    CPU_STARVED = "cpu_starved"
    PROBE = "probe"
    STORAGE = "storage"


def _any(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words), re.IGNORECASE)


_WORDS: Mapping[LogSign, re.Pattern[str]] = {
    LogSign.STORAGE: _any(
        r"no space left",
        r"disk (is )?full",
        r"read-only file system",
        r"磁盘(空间)?(已满|不足)",
        r"disk quota",
    ),
    LogSign.MEMORY: _any(
        r"outofmemory",
        r"out of memory",
        r"\bgc overhead\b",
        r"full gc",
        r"heap (space|nearly|exhausted|limit)",
        r"cannot allocate memory",
        r"\boom\b",
        r"堆内存",
        r"内存(不足|溢出|使用率过高)",
        r"memoryerror",
    ),
    LogSign.CPU_STARVED: _any(
        r"cpu (is )?throttl",
        r"cpu starv",
        r"steal time",
        r"thread starvation",
        r"cpu\s*资源不足",
        r"cpu\s*被?限流",
        r"scheduling delay",
    ),
    LogSign.COLD_CACHE: _any(
        r"cache miss",
        r"cache stampede",
        r"hit ratio",
        r"cold (start|cache)",
        r"warm(ing)?[- ]?up",
        r"缓存(未命中|击穿|雪崩|穿透|失效)",
        r"回源",
        r"预热",
    ),
    LogSign.OVERLOAD: _any(
        r"too many requests",
        r"rate limit",
        r"queue (is )?full",
        r"load shed",
        r"overload",
        r"backpressure",
        r"requests? in queue",
        r"server (is )?busy",
        r"listen queue",
        r"\b429\b",
        r"限流",
        r"过载",
        r"排队",
        r"队列已满",
        r"线程池已满",
    ),
    LogSign.STUCK: _any(
        r"dead-?lock",
        r"waiting (for|to acquire) .{0,20}\block",
        r"lock (held|wait)",
        r"blocked for",
        r"rejectedexecution",
        r"task rejected",
        r"not responding",
        r"hung\b",
        r"livelock",
        r"goroutine leak",
        r"死锁",
        r"锁等待",
        r"等待锁",
        r"线程池耗尽",
        r"任务被拒绝",
        r"卡死",
        r"卡住",
    ),
    LogSign.DEPENDENCY: _any(
        r"connection refused",
        r"connect(ion)? timed? ?out",
        r"unknownhost",
        r"no such host",
        r"no route to host",
        r"econnrefused",
        r"host (is )?unreachable",
        r"circuit ?breaker",
        r"\bunavailable\b",
        r"bad gateway",
        r"upstream (connect error|prematurely)",
        r"no healthy upstream",
        r"connection reset by peer",
        r"调用.{0,30}(失败|超时)",
        r"依赖.{0,30}(失败|不可用|超时)",
        r"熔断",
        r"连接.{0,10}被拒绝",
        r"渠道.{0,10}(失败|不可用)",
    ),
    LogSign.CONFIGURATION: _any(
        r"invalid (value|config|setting|property|argument for)",
        r"config(uration)? ?(error|invalid|missing|key)",
        r"missing (required )?(property|config|environment|setting)",
        r"could not resolve placeholder",
        r"unrecognized (option|property|setting)",
        r"out of range",
        r"access denied for user",
        r"unknown database",
        r"connection pool",
        r"hikaripool",
        r"connection is not available",
        r"illegal (value|argument|setting)",
        r"配置(项|错误|无效|缺失|不正确|有误)?",
        r"连接池(已满|耗尽)",
        r"(阈值|参数|取值|格式)非法",
        r"参数(错误|无效)",
    ),
    LogSign.PROBE: _any(
        r"health ?check",
        r"readiness",
        r"liveness",
        r"probe failed",
        r"lost lease",
        r"stepping down",
        r"健康检查",
        r"就绪",
        r"失去.{0,6}(租约|主节点)",
        r"探针",
    ),
    LogSign.CODE: _any(
        r"nullpointer",
        r"indexoutofbounds",
        r"classcast",
        r"classnotfound",
        r"nosuchmethod",
        r"noclassdef",
        r"unsupportedclassversion",
        r"illegalstate",
        r"\bpanic:",
        r"traceback",
        r"segmentation fault",
        r"segfault",
        r"keyerror",
        r"attributeerror",
        r"typeerror",
        r"undefined is not",
        r"assertion failed",
        r"nil pointer",
        r"syntaxerror",
        r"unhandled (exception|rejection)",
        r"空指针",
        r"数组越界",
        r"未捕获",
    ),
}
"""In the order in which they are tried: the more telling word decides."""

_NAME = r"(?P<name>[a-z][a-z0-9]*(?:[-.][a-z0-9]+)+)"
_CALLED = re.compile(
    rf"(?:dependency|upstream|依赖|调用|host|refused:|timed out:)\s*[:=]?\s*{_NAME}", re.IGNORECASE
)


def sign_of(text: str) -> LogSign | None:
    """Return what kind of trouble a line speaks of, or None."""
    return next((sign for sign, words in _WORDS.items() if words.search(text)), None)


def shares(lines: Sequence[SampleLine]) -> Mapping[LogSign, float]:
    """Return which share of the lines speaks of each kind of trouble."""
    counts = Counter(sign_of(line.text) for line in lines)
    return {sign: counts[sign] / len(lines) for sign in LogSign if counts[sign]}


def called_by(line: SampleLine) -> str:
    """Return what a line of a failed call says was called; empty when it does not say."""
    if line.dependency:
        return line.dependency
    if sign_of(line.text) is not LogSign.DEPENDENCY:
        return ""
    found = _CALLED.search(line.text)
    return found["name"].lower() if found else ""
