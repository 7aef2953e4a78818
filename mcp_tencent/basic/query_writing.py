"""From words to a search: rules for what people ask of logs, in Chinese and English. Pure.

What is recognised is taken out of the sentence piece by piece, the surest kind first; the words between two
pieces say whether both must hold (AND) or one (OR), the words before a piece whether it must not (NOT). What
nobody understood is reported, so that a person sees what the search does not say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from mcp_tencent.models.logs import FieldType, IndexField


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenQuery:
    """A search, and an analysis if numbers were asked for."""

    query: str
    """In CQL; `*` for everything."""
    sql: str
    """A select; empty when lines are wanted."""
    understood: tuple[str, ...]
    """What was made of the sentence, in Chinese."""
    not_understood: str
    """The rest of the sentence that says something; empty when nothing is left."""


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int
    end: int
    condition: str
    said: str
    field: str = ""
    """Values of one field, one after the other, are alternatives: a line has only one."""


_Found = tuple[str, str, str]
"""Condition, what it means in Chinese, field."""
_Rule = tuple[re.Pattern[str], Callable[["_Fields", re.Match[str]], _Found | None]]

_LEVELS = (
    ("ERROR", r"(?:错误|报错|出错|异常|失败)(?:级别)?|\b(?:errors?|failures?|failed)\b"),
    ("WARN", r"警告|告警级别|\bwarn(?:ing)?s?\b"),
    ("FATAL", r"致命(?:错误)?|\bfatal\b"),
    ("INFO", r"\binfo\b"),
    ("DEBUG", r"调试|\bdebug\b"),
)
_SYNONYMS = (
    (r"连接(?:被)?拒绝|拒绝连接|connection refused", ("connection refused", "连接被拒绝")),
    (r"内存溢出|\boom\b|out ?of ?memory", ("OutOfMemoryError", "OOM", "内存溢出")),
    (r"超时|\btime(?:d )?out\b", ("timeout", "超时")),
    (r"慢查询|\bslow (?:query|sql)\b", ("慢查询", "slow query")),
    (r"死锁|\bdeadlock\b", ("deadlock", "死锁")),
    (r"空指针|null ?pointer", ("NullPointerException", "空指针")),
)
_NAMES = {
    "level": ("level", "loglevel", "log_level", "severity", "__LEVEL__"),
    "status": ("status", "status_code", "http_status", "code"),
    "workload": (
        "workload",
        "service",
        "service_name",
        "app",
        "__TAG__.pod_label_app",
        "__TAG__.container_name",
    ),
    "namespace": ("namespace", "__TAG__.namespace"),
    "pod": ("pod", "pod_name", "__TAG__.pod_name"),
    "path": ("path", "uri", "url", "request_uri"),
}
"""What a topic may call a thing, the usual name first."""
_SPOKEN_FIELDS = {
    "级别": "level", "等级": "level", "状态码": "status", "服务": "workload", "工作负载": "workload",
    "应用": "workload", "命名空间": "namespace", "实例": "pod", "路径": "path", "接口": "path",
}  # fmt: skip

_NEGATION = re.compile(
    r"(?:不含|不包含|不包括|没有|除了|除去|排除|去掉|过滤掉|不是|不等于|非|不|\bnot|\bwithout|\bexcept|\bexcluding)"
    r"\s*(?:的|关键字|关键词|含有|包含)?\s*$",
    re.IGNORECASE,
)
_NEGATION_WORD = re.compile(
    r"不含|不包含|不包括|没有|除了|除去|排除|去掉|过滤掉|不是|不等于|但|\b(?:not|without|except|excluding)\b",
    re.IGNORECASE,
)
_ALTERNATIVE = re.compile(r"或|要么|\bor\b|/|、", re.IGNORECASE)
_COUNT = re.compile(r"多少|几条|条数|数量|次数|总数|统计|计数|\bcount\b|\bhow many\b", re.IGNORECASE)
_HOURLY = re.compile(r"每小时|按小时|\bper hour\b|\bhourly\b", re.IGNORECASE)
_OVER_TIME = re.compile(
    r"趋势|走势|随时间|每分钟|按分钟|\btrend\b|\bover time\b|\bper minute\b", re.IGNORECASE
)
_TOP = re.compile(r"前\s*(\d{1,3})|\btop\s*(\d{1,3})|最多|最频繁|\bmost\b", re.IGNORECASE)
_GROUP = re.compile(
    r"(?:按|根据|每个|各个?|哪个|哪些|最多的|前\s*\d{1,3}\s*个|\bby|\bper|\beach|\bwhich|\btop\s*\d{1,3})\s*"
    r"([A-Za-z_][\w.]{0,60}|[\u4e00-\u9fff]{2,4})",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"请求|请|帮我|帮忙|给我|我想|我要|看看|看一下|查一下|查查|查询|查找|查看|查|找出|找一下|找|搜索|搜一下|搜|列出|显示|统计"
    r"|一下|所有|全部|的|日志|记录|里面|里|中|在|有|是|为|和|与|且|并且|而且|同时|以及|或者|或|要么|包含|含有|出现|关键字|关键词"
    r"|最近|过去|今天|昨天|小时|分钟|天|什么|哪些|哪个|多少|几条|条数|条|数量|次数|总数|个|吗|呢|了|\d+"
    r"|按|分组|每|各|趋势|走势|变化|随时间|最多|最频繁|前|级别|状态码|返回"
    r"|\b(?:find|show|search|list|get|all|the|logs?|lines?|with|containing|contains?|of|in|for|and|or|me|from"
    r"|where|that|have|has|by|per|is|are|a|an|status|code|level|count|how|many|group|over|time|trend|top|most)\b"
    r"|[\s，。、,.:：;；!?？！()（）/]+",
    re.IGNORECASE,
)
_FENCED = re.compile(r"```(?:sql|cql)?\s*\n?(.*?)```", re.DOTALL)


class _Fields:
    """The fields of a topic's index, found by what people call them."""

    def __init__(self, fields: Sequence[IndexField]) -> None:
        self._fields = {field.name.lower(): field for field in fields}

    def named(self, said: str) -> IndexField | None:
        """Return the field of that name, or the topic's field for a thing such as `level` or 服务."""
        thing = _SPOKEN_FIELDS.get(said, said.lower())
        names = (said.lower(), *_NAMES.get(thing, ()))
        return next((self._fields[name.lower()] for name in names if name.lower() in self._fields), None)

    def equals(self, said: str, value: str) -> str:
        """Return the condition that the field has this value; without such a field, that a line holds it."""
        field = self.named(said)
        return _term(value) if field is None else f"{field.name}:{_term(value)}"


def write_query(text: str, fields: Sequence[IndexField]) -> WrittenQuery:
    """Write the search that a sentence asks for.

    Args:
        text: What somebody wants to see, e.g. 订单服务里状态码503或者包含“库存不足”的错误.
        fields: The index of the topic: only these can be searched by name.
    """
    known = _Fields(fields)
    left = text
    pieces: list[_Piece] = []
    for pattern, make in _RULES:
        for match in pattern.finditer(left):
            found = make(known, match)
            if found is not None:
                condition, said, field = found
                pieces.append(_Piece(match.start(), match.end(), condition, said, field))
        left = _blanked(left, pieces)
    pieces.sort(key=lambda piece: piece.start)
    query, understood = _joined(text, pieces)
    sql, asked = _analysis(left, known)
    rest = _rest(left, grouped="group by" in sql)
    if not pieces and not sql and rest:
        # Nothing but the words themselves: then they are what is looked for.
        query = " AND ".join(_phrase(word) for word in rest.split())
        understood, rest = (f"包含“{rest}”",), ""
    return WrittenQuery(query=query, sql=sql, understood=(*understood, *asked), not_understood=rest)


def _rest(text: str, *, grouped: bool) -> str:
    """Return what is left of a sentence when all that is understood, and all filling, is taken out."""
    if grouped:
        text = _GROUP.sub(" ", text)
    for pattern in (_NEGATION_WORD, _FILLER):
        text = pattern.sub(" ", text.replace("\0", " "))
    return " ".join(text.split())


def statement_in(answer: str) -> tuple[str, str] | None:
    """Return search and analysis of the statement in a text2sql answer, which stands in a fenced block.

    None when there is no statement in it. The analysis is empty when there is none.
    """
    fenced = _FENCED.search(answer)
    statement = (fenced[1] if fenced else answer).strip()
    if not statement or (fenced is None and ("\n" in statement or len(statement) > 1000)):
        return None
    query, sql = split_statement(statement)
    return (query or "*", sql) if query or sql else None


def split_statement(statement: str) -> tuple[str, str]:
    """Part `search | select …` at the first bar outside quotation marks; either half may be empty."""
    quote = ""
    escaped = False
    for position, character in enumerate(statement):
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == "|":
            return statement[:position].strip(), statement[position + 1 :].strip()
    return statement.strip(), ""


def _quoted(known: _Fields, match: re.Match[str]) -> _Found | None:
    phrase = next(group for group in match.groups() if group is not None)
    return _phrase(phrase), f"包含“{phrase}”", ""


def _comparison(known: _Fields, match: re.Match[str]) -> _Found | None:
    field = known.named(match[1])
    if field is None or field.type is FieldType.TEXT:
        return None
    sign = _SIGNS[match[2].strip()]
    return f"{field.name}:{sign}{match[3]}", f"{match[1]}{sign}{match[3]}", ""


def _field_value(known: _Fields, match: re.Match[str]) -> _Found | None:
    field = known.named(match[1])
    if field is None:
        return None
    return f"{field.name}:{_term(match[2])}", f"{match[1]} 为 {match[2]}", field.name


def _status_class(known: _Fields, match: re.Match[str]) -> _Found | None:
    field = known.named("status")
    first = match[1]
    if field is None:
        return None
    if field.type is FieldType.TEXT:
        condition = f"{field.name}:{first}*"
    else:
        condition = f"({field.name}:>={first}00 AND {field.name}:<{int(first) + 1}00)"
    return condition, f"状态码 {first}xx", field.name


def _status(known: _Fields, match: re.Match[str]) -> _Found | None:
    field = known.named("status")
    return known.equals("status", match[1]), f"状态码 {match[1]}", field.name if field else "status"


def _workload(known: _Fields, match: re.Match[str]) -> _Found | None:
    field = known.named("workload")
    return known.equals("workload", match[0]), f"服务 {match[0]}", field.name if field else ""


def _identifier(known: _Fields, match: re.Match[str]) -> _Found | None:
    return _phrase(match[0]), f"包含 {match[0]}", ""


def _contained(known: _Fields, match: re.Match[str]) -> _Found | None:
    phrase = match[1].strip()
    return (_phrase(phrase), f"包含“{phrase}”", "") if phrase else None


def _level(level: str) -> Callable[[_Fields, re.Match[str]], _Found | None]:
    def make(known: _Fields, match: re.Match[str]) -> _Found | None:
        field = known.named("level")
        return known.equals("level", level), f"级别 {level}", field.name if field else "level"

    return make


def _synonym(phrases: Sequence[str]) -> Callable[[_Fields, re.Match[str]], _Found | None]:
    def make(known: _Fields, match: re.Match[str]) -> _Found | None:
        return f"({' OR '.join(_phrase(phrase) for phrase in phrases)})", f"提到{match[0]}", ""

    return make


_SIGNS = {
    ">": ">", "大于": ">", "超过": ">", "高于": ">", ">=": ">=", "至少": ">=", "不小于": ">=",
    "<": "<", "小于": "<", "低于": "<", "不到": "<", "<=": "<=", "不超过": "<=", "最多": "<=",
}  # fmt: skip
_SIGN = "|".join(sorted(map(re.escape, _SIGNS), key=len, reverse=True))
_FIELD = r"([A-Za-z_][\w.]{0,60}|[\u4e00-\u9fff]{2,4}?)"
_RULES: tuple[_Rule, ...] = (
    (
        re.compile(
            r"“([^”]{1,200})”|\"([^\"]{1,200})\"|「([^」]{1,200})」|‘([^’]{1,200})’"
            r"|(?<!\w)'([^']{1,200})'"
        ),
        _quoted,
    ),
    (re.compile(rf"{_FIELD}\s*({_SIGN})\s*(\d+(?:\.\d+)?)"), _comparison),
    (
        re.compile(r"([A-Za-z_][\w.]{0,60})\s*(?:==|=|:|：|是|为|等于)\s*([\w./@*-]{1,100})", re.ASCII),
        _field_value,
    ),
    (re.compile(r"([1-5])(?:xx|XX)(?![A-Za-z0-9])"), _status_class),
    (
        re.compile(
            r"(?<![\w.:-])(?:http\s*)?([1-5]\d{2})(?![\w.:%-])"
            r"(?!\s*(?:条|次|个|毫秒|秒|分钟|小时|天|ms|s\b|行))",
            re.IGNORECASE | re.ASCII,
        ),
        _status,
    ),
    (re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])", re.ASCII), _identifier),
    (
        re.compile(r"(?<![\w-])(?:[0-9a-fA-F]{8}-[0-9a-fA-F-]{20,30}|[0-9a-f]{16,64})(?![\w-])", re.ASCII),
        _identifier,
    ),
    (re.compile(r"(?<!\w)(?:[A-Za-z]\w*\.)*[A-Z]\w*(?:Exception|Error)(?!\w)", re.ASCII), _identifier),
    (re.compile(r"(?<![\w/.-])[a-z][a-z0-9]*(?:-[a-z0-9]+)+(?![\w/.-])", re.ASCII), _workload),
    (
        re.compile(r"(?:包含|含有|出现了?|提到|关键[字词]|\bcontaining\b|\bcontains?\b)\s*([^\s的，。,\0]{2,40}?)"
                   r"(?=的|日志|记录|，|。|,|\s|或|和|且|并|$)", re.IGNORECASE),
        _contained,
    ),
    *((re.compile(pattern, re.IGNORECASE), _synonym(phrases)) for pattern, phrases in _SYNONYMS),
    *((re.compile(pattern, re.IGNORECASE), _level(level)) for level, pattern in _LEVELS),
)  # fmt: skip
"""The surest first: what one has taken, the next does not see."""


def _blanked(text: str, pieces: Iterable[_Piece]) -> str:
    for piece in pieces:
        text = text[: piece.start] + "\0" * (piece.end - piece.start) + text[piece.end :]
    return text


def _joined(text: str, pieces: Sequence[_Piece]) -> tuple[str, tuple[str, ...]]:
    """Join conditions; alternatives bind closer, as they are said of one thing: (a OR b) AND c."""
    groups: list[list[str]] = []
    understood: list[str] = []
    before: _Piece | None = None
    denied_before = False
    for piece in pieces:
        between = text[before.end if before else 0 : piece.start]
        same = before is not None and bool(piece.field) and piece.field == before.field
        alternative = before is not None and (bool(_ALTERNATIVE.search(between)) or same)
        denied = bool(_NEGATION.search(between)) or (denied_before and alternative)
        condition = f"NOT {piece.condition}" if denied else piece.condition
        said = f"不{piece.said}" if denied and piece.said.startswith("包含") else piece.said
        understood.append(f"排除{said}" if denied and said == piece.said else said)
        if alternative and not denied:
            if condition not in groups[-1]:
                groups[-1].append(condition)
        elif [condition] not in groups:
            groups.append([condition])
        before, denied_before = piece, denied
    parts = [f"({' OR '.join(group)})" if len(group) > 1 else group[0] for group in groups]
    if len(parts) == 1 and len(groups[0]) > 1:
        parts = [parts[0][1:-1]]
    # A search of exclusions alone needs something to exclude from.
    if parts and all(part.startswith("NOT ") for part in parts):
        parts.insert(0, "*")
    return " AND ".join(parts) or "*", tuple(dict.fromkeys(understood))


def _analysis(text: str, known: _Fields) -> tuple[str, tuple[str, ...]]:
    hourly = _HOURLY.search(text)
    if hourly or _OVER_TIME.search(text):
        step = "hour" if hourly else "minute"
        return (
            f"select histogram(cast(__TIMESTAMP__ as timestamp), interval 1 {step}) as time, "
            "count(*) as count group by time order by time limit 1000",
            ("按小时统计" if hourly else "按分钟统计",),
        )
    tops = list(_TOP.finditer(text))
    named = [int(group) for top in tops for group in top.groups() if group]
    limit = named[0] if named else 10 if tops else 100
    for match in _GROUP.finditer(text):
        field = _group_field(match[1], known)
        if field is not None and field.analysable:
            return (
                f'select "{field.name}", count(*) as count group by "{field.name}" '
                f"order by count desc limit {max(1, limit)}",
                (f"按 {field.name} 统计",),
            )
    return ("select count(*) as count", ("统计条数",)) if _COUNT.search(text) else ("", ())


def _group_field(said: str, known: _Fields) -> IndexField | None:
    """Return the field that is grouped by; Chinese runs on, so shorter beginnings are tried as well."""
    names = [said] if said.isascii() else [said[:length] for length in range(len(said), 1, -1)]
    return next((field for name in names if (field := known.named(name)) is not None), None)


def _term(value: str) -> str:
    """Return a value as a term: a plain word as it is, anything else as a phrase."""
    return value if re.fullmatch(r"[A-Za-z0-9_]+\*?", value) else _phrase(value)


def _phrase(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
