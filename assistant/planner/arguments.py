"""What fills each parameter: one reader a kind of argument, named in tools.yaml.

A reader returns the value and the pieces that say it; None when nothing does. Readers know no tool.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from assistant.planner.conditions import conditions_in, query_of
from assistant.planner.inventory import Inventory
from assistant.planner.lexicon import Tool
from assistant.planner.plan import PlannedCall, TurnContext, Value
from assistant.planner.reading import Piece, Reading
from assistant.planner.times import Duration, Stretch, same_length

_PARTICLES = "吧了啊呀哦呢啦哈嘛，。！？；、 的"
_CHANNELS = ("email", "dingtalk", "wecom", "feishu")
_LAST_NIGHT = ("昨晚", "昨夜", "昨天夜里", "昨天晚上", "夜里", "半夜", "夜间", "昨晚上", "凌晨")
"""What the night job covers: the tools that tell of it mean it by default."""
_TO = ("到", "成", "为", "至")


@dataclass(frozen=True, slots=True)
class Taken:
    """An argument and the pieces that say it; nothing was said for one that the turn before left behind."""

    value: Value
    pieces: tuple[Piece, ...] = ()
    remembered: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """All that readers may look at."""

    reading: Reading
    tool: Tool
    inventory: Inventory
    context: TurnContext
    inherit: bool
    """An argument that is needed and not said may come from the request before."""
    goes_on: bool = False
    """The sentence goes on with the request before: so may what is not needed."""


Reader = Callable[[Source], Taken | None]


def take(source: Source, parameter: str) -> Taken | None:
    """Return the argument for a parameter, if the sentence or the turn before has it."""
    spec = source.tool.take[parameter]
    kind, _, detail = spec.partition(" ")
    if kind == "name":
        return _name(source, detail)
    if kind == "period":
        return _period(source, detail)
    if kind == "choice":
        return _choice(source, source.tool.choices[parameter])
    return READERS[kind](source)


def _name(source: Source, kind: str) -> Taken | None:
    piece = source.reading.first(f"@{kind}")
    if piece is not None:
        thing = next(thing for thing in piece.things if thing.kind == kind)
        return Taken(thing.id, (piece,))
    if kind == "workload" and "pod" in source.tool.take and _pod(source) is not None:
        return None  # the pod says it all
    return _remembered(source, kind)


def _remembered(source: Source, kind: str) -> Taken | None:
    context = source.context
    held = {
        "workload": context.last_workload, "cluster": context.last_cluster, "topic": context.last_topic,
        "pod": context.last_pod, "alert": context.last_alert, "incident": context.last_incident,
    }.get(kind, "")  # fmt: skip
    if not held and context.last_call is not None:
        last = context.last_call.arguments.get(kind)
        held = last if isinstance(last, str) else ""
    pronoun = source.reading.first("pronoun")
    needed = any(kind in alternative.split("|") for alternative in source.tool.need)
    said_so = pronoun is not None and _fits(pronoun.text, kind)
    if held and kind in ("cluster",) and not needed and not ("集群" in pronoun.text if pronoun else False):
        return None
    goes_on = (
        source.goes_on
        and kind in ("workload", "topic")
        and not source.reading.has("@cluster", "@namespace", "@workload", "@topic")
    )
    if held and (said_so or (needed and source.inherit) or goes_on) and kind != "namespace":
        return Taken(held, (pronoun,) if pronoun and said_so else (), remembered=True)
    return None


def _fits(pronoun: str, kind: str) -> bool:
    nouns = {
        "服务": ("workload",), "应用": ("workload",), "负载": ("workload",), "pod": ("pod",), "容器": ("pod",), "实例": ("pod",),
        "集群": ("cluster",), "主题": ("topic",), "告警": ("alert", "alarm"), "故障": ("incident",), "事故": ("incident",),
        "起": ("incident",), "链接": ("link",), "清单": ("manifest",), "条": ("alert", "alarm", "log", "link"), "行": ("log",), "日志": ("log",), "次": ("incident",),
    }  # fmt: skip
    for noun, kinds in nouns.items():
        if noun in pronoun:
            return kind in kinds
    return True


def _period(source: Source, default: str) -> Taken | None:
    reading = source.reading
    piece = reading.first("@period") or reading.first("@past")
    if piece is None and not any(
        spec in ("interval", "window", "expires_in") for spec in source.tool.take.values()
    ):
        piece = reading.first("@plain")
    if piece is None and "interval" in source.tool.take.values():
        piece = reading.first("@plain")
    if piece is None or not isinstance(piece.value, Duration | Stretch):
        return None
    text = "" if default == "24h" and piece.text in _LAST_NIGHT else piece.value.text
    return Taken(text, (piece,)) if text and not same_length(text, default) else Taken("", (piece,))


def _choice(source: Source, choices: Mapping[str, str]) -> Taken | None:
    for concept, value in choices.items():
        if piece := source.reading.first(concept):
            return Taken(value, (piece,))
    return None


def _region(source: Source) -> Taken | None:
    piece = source.reading.first("@word")
    if piece and re.fullmatch(r"[a-z]{2}-[a-z]+(?:-\d)?", piece.text):
        return Taken(piece.text, (piece,))
    return None


def _pod(source: Source) -> Taken | None:
    if piece := source.reading.first("@pod"):
        return Taken(piece.text, (piece,))
    pronoun = source.reading.first("pronoun")
    if (
        pronoun
        and source.context.last_pod
        and _fits(pronoun.text, "pod")
        and not source.reading.has("@workload")
        and "服务" not in pronoun.text
    ):
        return Taken(source.context.last_pod, (pronoun,), remembered=True)
    return None


def _tail(source: Source) -> Taken | None:
    for piece in source.reading.all("@number"):
        after = source.reading.after(piece)
        if piece.unit in ("条", "行") or (after and "lines" in after.keys):
            if isinstance(piece.value, int):
                return Taken(piece.value if piece.value != 100 else "", (piece,))
    return None


def _word_before(reading: Reading, piece: Piece) -> Piece | None:
    before = reading.before(piece)
    return reading.before(before) if before is not None and before.text == " " else before


def _limit(source: Source) -> Taken | None:
    default = 10 if source.tool.name == "top_patterns" else 20
    for piece in source.reading.all("@number"):
        before, after = _word_before(source.reading, piece), source.reading.after(piece)
        counted = (
            piece.unit in ("条", "行", "个", "名", "种", "类", "强")
            or (after and after.keys & {"lines"})
            or (before and "top" in before.keys)
        )
        if (
            counted
            and isinstance(piece.value, int)
            and not (before and before.keys & {"over", "status_code"})
        ):
            return Taken(piece.value if piece.value != default else "", (piece,))
    return None


def _previous(source: Source) -> Taken | None:
    piece = source.reading.first("previous_container")
    return Taken(True, (piece,)) if piece else None


def _contains(source: Source) -> Taken | None:
    conditions = [
        one for one in conditions_in(source.reading) if not any("@pod" in piece.keys for piece in one.pieces)
    ]
    if not conditions:
        return None
    text = conditions[0].text.strip('"').removeprefix("status:")
    return Taken(text, tuple(piece for one in conditions[:1] for piece in one.pieces))


def _query(source: Source) -> Taken | None:
    conditions = conditions_in(source.reading, source.tool.also)
    if not conditions:
        return None
    return Taken(
        query_of(conditions, source.reading), tuple(piece for one in conditions for piece in one.pieces)
    )


def _query_text(source: Source) -> Taken | None:
    reading = source.reading
    if quoted := reading.first("@quoted"):
        return Taken(str(quoted.value), (quoted,))
    marker = reading.first("text_to_query")
    topics = reading.all("@topic")
    text = re.split(r"[:：，]", reading.text, maxsplit=1)
    if marker and len(text) > 1 and text[1].strip():
        return Taken(text[1].strip(_PARTICLES), reading.pieces)
    conditions = conditions_in(reading)
    if conditions:
        first, last = conditions[0].pieces[0], conditions[-1].pieces[-1]
        return Taken(
            reading.sentence.text[first.start : last.end].strip(),
            (*reading.pieces[:0], *(p for p in reading.pieces if p not in topics)),
        )
    return None


def _alarm_query(source: Source) -> Taken | None:
    named = _new_name(source)
    skipped = named.pieces if named else ()
    reading = source.reading.part(piece for piece in source.reading.pieces if piece not in skipped)
    over = reading.first("over", "under")
    pieces = reading.pieces[: reading.pieces.index(over)] if over else reading.pieces
    conditions = conditions_in(reading.part(pieces))
    if not conditions:
        return None
    return Taken(query_of(conditions, reading), tuple(piece for one in conditions for piece in one.pieces))


def _condition(source: Source) -> Taken | None:
    for piece in source.reading.all("over", "under"):
        after = source.reading.after(piece)
        before = source.reading.before(piece)
        number = next(
            (
                one
                for one in (after, before)
                if one and "@number" in one.keys and isinstance(one.value, int | float)
            ),
            None,
        )
        if number:
            sign = ">" if "over" in piece.keys else "<"
            if piece.text in ("不少于", "至少", "不低于", ">="):
                sign = ">="
            elif piece.text in ("不到", "不足", "以下") and piece.text == "<=":
                sign = "<="
            return Taken(f"$1.count {sign} {number.value}", (piece, number))
    if piece := source.reading.first("condition"):  # type: ignore[assignment]
        number = next(
            (
                one
                for one in source.reading.all("@number")
                if one.start > piece.start and isinstance(one.value, int)
            ),
            None,
        )
        if number:
            return Taken(f"$1.count > {number.value}", (piece, number))
    return None


def _window(source: Source) -> Taken | None:
    piece = source.reading.first("@plain", "@past", "every_length")
    if piece and isinstance(piece.value, Duration):
        return Taken("" if same_length(piece.value.text, "15m") else piece.value.text, (piece,))
    return None


def _interval(source: Source) -> Taken | None:
    reading = source.reading
    piece = reading.first("every_length")
    if piece is None:
        for candidate in reading.all("@plain"):
            near = [reading.before(candidate), reading.after(candidate)]
            if any(one and one.keys & {"interval", "every"} for one in near):
                piece = candidate
    if piece is None and source.tool.name == "create_scheduled_sql":
        piece = reading.first("@plain", "@past")
    if piece and isinstance(piece.value, Duration):
        return Taken(piece.value.text, (piece,))
    return None


def _expires(source: Source) -> Taken | None:
    piece = source.reading.first("@plain", "@past", "future")
    if piece and isinstance(piece.value, Duration):
        return Taken("" if same_length(piece.value.text, "24h") else piece.value.text, (piece,))
    return None


def _horizon(source: Source) -> Taken | None:
    piece = source.reading.first("future", "@plain", "@past")
    if piece and isinstance(piece.value, Duration):
        return Taken("" if same_length(piece.value.text, "30d") else piece.value.text, (piece,))
    return None


def _retention(source: Source) -> Taken | None:
    piece = source.reading.first("@plain", "@past", "future")
    if piece and isinstance(piece.value, Duration):
        days = round(piece.value.minutes / 1440)
        return Taken(days if days != 30 else "", (piece,))
    return None


def _mute_minutes(source: Source) -> Taken | None:
    piece = source.reading.first("@plain", "@past", "future")
    if piece and isinstance(piece.value, Duration):
        return Taken(round(piece.value.minutes), (piece,))
    return None


def _replicas(source: Source) -> Taken | None:
    reading = source.reading
    numbers = [
        piece
        for piece in reading.all("@number")
        if piece.unit in ("", "个", "份", "台", "副本", "节点", "vague")
    ]
    if any(piece.unit == "vague" for piece in numbers) or not numbers:
        return None
    goal = [piece for piece in numbers if _leads_to(reading, piece)]
    if not goal and reading.has("relative"):
        return None
    if not goal:
        # 副本数 6, 六个副本: absolute only when no act of growing stands right before the number.
        goal = [
            piece
            for piece in numbers
            if not (before := reading.before(piece)) or not before.keys & {"scale", "resize"}
        ]
    if len(goal) != 1 or not isinstance(goal[0].value, int):
        return None
    return Taken(goal[0].value, (goal[0], *(piece for piece in numbers if piece is not goal[0])))


def _leads_to(reading: Reading, piece: Piece) -> bool:
    """Return whether a number is the goal: 扩到六个, 调整为 6."""
    before = reading.before(piece)
    while before is not None and (
        before.text == " " or before.text in ("：", ":", "数", "replica", "副本", "副本数")
    ):
        before = reading.before(before)
    return before is not None and before.text.endswith(_TO)


def _revision(source: Source) -> Taken | None:
    for piece in source.reading.all("@number"):
        if isinstance(piece.value, int) and piece.unit in ("", "版", "ordinal", "号", "个"):
            before, after = source.reading.before(piece), source.reading.after(piece)
            near = [one for one in (before, after) if one]
            if (
                piece.unit in ("版", "号")
                or any(one.keys & {"version"} for one in near)
                or (piece.unit == "" and before and before.keys & {"roll_back", "restore"})
            ):
                return Taken(piece.value, (piece,))
    for piece in source.reading.all("@word"):
        if match := re.fullmatch(r"v(\d+)|rev(?:ision)?[-_]?(\d+)", piece.text.lower()):
            return Taken(int(match[1] or match[2]), (piece,))
    return None


def _target(source: Source) -> Taken | None:
    reading = source.reading
    for key in ("@workload", "@node", "@cluster"):
        if piece := reading.first(key):
            return Taken(piece.things[0].id if piece.things else piece.text, (piece,))
    pronoun = reading.first("pronoun")
    context = source.context
    last = context.last_call.arguments if context.last_call else {}
    held = (
        next((str(last[key]) for key in ("target", "workload") if key in last), "") or context.last_workload
    )
    if pronoun and "集群" in pronoun.text and context.last_cluster:
        return Taken(context.last_cluster, (pronoun,), remembered=True)
    if held and (pronoun or source.inherit) and not reading.has("cluster"):
        return Taken(held, (pronoun,) if pronoun else (), remembered=True)
    if context.last_cluster and (pronoun or source.inherit) and not held:
        return Taken(context.last_cluster, (pronoun,) if pronoun else (), remembered=True)
    if source.inventory.default_cluster and not reading.has("@text", "node", "workload", "pod"):
        return Taken(source.inventory.default_cluster, (), remembered=True)
    return None


def _anomaly_target(source: Source) -> Taken | None:
    for key in ("@workload", "@topic", "@cluster", "@node", "@namespace"):
        if piece := source.reading.first(key):
            return Taken(piece.things[0].id if piece.things else piece.text, (piece,))
    pronoun = source.reading.first("pronoun")
    if source.context.last_workload and pronoun:
        return Taken(source.context.last_workload, (pronoun,), remembered=True)
    return None


def _metric(source: Source) -> Taken | None:
    pieces = source.reading.all("cpu", "memory", "disk", "network")
    metrics = {next(m for m in ("cpu", "memory", "disk", "network") if m in piece.keys) for piece in pieces}
    if len(metrics) != 1:
        return Taken("", tuple(pieces)) if pieces else None
    return Taken(metrics.pop(), tuple(pieces))


def _word(source: Source) -> Taken | None:
    piece = source.reading.first("@word") or source.reading.first("@quoted")
    return Taken(str(piece.value), (piece,)) if piece else None


def _filter(source: Source) -> Taken | None:
    """Read which of many are meant: 跟短信有关的, 名字带 mysql 的, 叫 order 的."""
    if said := _spoken_filter(source.reading):
        return said
    marker = source.reading.first("named", "contains")
    piece = (
        source.reading.first("@word")
        or source.reading.first("@quoted")
        or (source.reading.first("@text") if marker else None)
    )
    return Taken(str(piece.value), (piece,)) if piece else None


_ABOUT = re.compile(
    r"(?:跟|和|与|同)(?P<with>[^，。的跟和与]{2,12}?)(?:有关|相关|沾边|挂钩)|(?:关于|涉及|针对)(?P<about>[^，。的]{2,12}?)的"
    r"|(?:名字|名称|名|标题)(?:里面?|中|上)?(?:带有?|含有?|包含|有|是|叫)着?(?P<named>[^，。的]{2,16}?)(?:字样|两个字|这个词|的|$)"
    r"|(?:有没有|有无|哪些|带|含|包含)(?:叫|带|含|名叫)?(?P<called>[\u4e00-\u9fff]{2,8}?)(?:字样|两个字)"
    r"|(?<![名取改])叫(?P<plain>[^，。的]{2,16}?)的"
)


def _spoken_filter(reading: Reading) -> Taken | None:
    if not reading.pieces:
        return None
    first, last = reading.pieces[0].start, reading.pieces[-1].end
    match = _ABOUT.search(reading.sentence.text, first, last)
    if match is None:
        return None
    text = next(group for group in match.groups() if group).strip()
    pieces = tuple(p for p in reading.pieces if p.start < match.end() and p.end > match.start())
    return Taken(text, pieces)


def _alarm_filter(source: Source) -> Taken | None:
    piece = source.reading.first("@alarm")
    return Taken(piece.things[0].id, (piece,)) if piece else _filter(source)


def _receiving(source: Source) -> Taken | None:
    """Read whether somebody wants to receive: a standing wish without an address is one."""
    if found := _enabled(source):
        return found
    piece = source.reading.first("standing")
    return Taken(True, (piece,)) if piece and not source.reading.has("@email") else None


def _enabled(source: Source) -> Taken | None:
    if piece := source.reading.first("disabled", "stop_sending"):
        return Taken(False, (piece,))
    if piece := source.reading.first("enabled"):
        return Taken(True, (piece,))
    return None


def _sql(source: Source) -> Taken | None:
    piece = source.reading.first("@quoted_sql")
    if piece:
        return Taken(str(piece.value), (piece,))
    piece = source.reading.first("@quoted")
    return Taken(str(piece.value), (piece,)) if piece and "select" in str(piece.value).lower() else None


def _changes(source: Source) -> Taken | None:
    """Read 把 app-config 里的 LOG_LEVEL 改成 debug: the words on both sides of the verb."""
    reading = source.reading
    verb = next(
        (
            piece
            for piece in reading.all("change")
            if piece.text.endswith(_TO) or piece.text in ("设置", "设", "换", "set", "=")
        ),
        None,
    )
    if verb is None:
        return None
    words = [piece for piece in reading.pieces if piece.end <= verb.start and "@word" in piece.keys]
    after = [
        piece
        for piece in reading.pieces
        if piece.start >= verb.end and "@mark" not in piece.keys and piece.text not in _PARTICLES
    ]
    if not words or not after:
        return None
    value = after[0]
    said = str(value.value) if isinstance(value.value, int | float | str) else value.text
    if isinstance(value.value, Duration):
        said = value.value.text
    return Taken({words[-1].text: said}, (verb, words[-1], value))


def _config_name(source: Source) -> Taken | None:
    changes = _changes(source)
    for piece in source.reading.all("@word"):
        if not changes or piece not in changes.pieces:
            return Taken(piece.text, (piece,))
    return None


def _config_kind(source: Source) -> Taken | None:
    piece = source.reading.first("secret")
    return Taken("secret", (piece,)) if piece else Taken("configmap", tuple(source.reading.all("configmap")))


def _after_marker(source: Source, markers: tuple[str, ...], stop: tuple[str, ...] = ()) -> Taken | None:
    """Read the free text after a marker such as 叫, up to the next mark or stop word."""
    reading = source.reading
    last = None
    for piece in reading.all(*markers):
        last = piece if last is None or not stop else last
    if last is None:
        return None
    taken: list[Piece] = []
    for piece in reading.pieces[reading.pieces.index(last) + 1 :]:
        if "@mark" in piece.keys and piece.text != " ":
            if taken:
                break
            continue
        if taken and (piece.keys & set(stop)):
            break
        taken.append(piece)
    text = "".join(piece.text for piece in taken).strip(_PARTICLES)
    return Taken(text, (last, *taken)) if text else None


_HARD_STOPS = (
    "retention", "over", "under", "instance_type", "minimum", "maximum", "every", "every_length", "target_topic", "window",
    "critical", "notice", "@topic", "@logset", "sql", "@quoted_sql", "status_code", "condition",
)  # fmt: skip
_SOFT_STOPS = ("@number", "@plain", "@past", "level", "and", "polite", "error", "create")
_KINDS = re.compile(r"的(?:新?日志集|日志主题|主题|告警策略|告警|节点池|任务|定时分析).*$")
_LONGEST_NAME = 12


def _new_name(source: Source) -> Taken | None:
    """Read a name that is given: the whole clause after 叫, unless something else of the request begins in it."""
    whole = _after_marker(source, ("named",), _HARD_STOPS)
    if whole is not None:
        text = _KINDS.sub("", str(whole.value))
        if "@word" in whole.pieces[1].keys and not re.search(r"[\u4e00-\u9fff]", whole.pieces[1].text):
            return Taken(str(whole.pieces[1].value), whole.pieces[:2])
        if 1 < len(text) <= _LONGEST_NAME:
            ends = whole.pieces[1].start + len(text)
            return Taken(text, tuple(p for p in whole.pieces if p is whole.pieces[0] or p.start < ends))
    if found := _after_marker(source, ("named",), _HARD_STOPS + _SOFT_STOPS):
        return found
    piece = source.reading.first("@word") or source.reading.first("@quoted")
    return Taken(str(piece.value), (piece,)) if piece else None


def _phrase(source: Source) -> Taken | None:
    found = _after_marker(source, ("named", "change", "name"))
    if found is None or len(str(found.value)) > 20:
        quoted = source.reading.first("@quoted")
        return Taken(str(quoted.value), (quoted,)) if quoted else None
    text = re.sub(r"^(?:个|一个|叫|为|成|做)+", "", str(found.value))
    for piece in found.pieces:
        if "@quoted" in piece.keys:
            text = str(piece.value)
    return Taken(text, found.pieces) if text and text not in ("新的", "别的", "名字", "什么", "啥") else None


_SURNAMES = tuple("张高成向关从于时方何和段常单计安全路过钟")
"""Surnames that are ordinary words as well."""


def _person_name(source: Source) -> Taken | None:
    reading = source.reading
    if piece := reading.first("@quoted"):
        return Taken(str(piece.value), (piece,))
    if piece := reading.first("@person"):
        return Taken(piece.things[0].id, (piece,))
    if found := _after_marker(source, ("named",), ("polite",)):
        return found
    for piece in reading.all("@text", "@word"):
        run = [piece]
        while (
            (after := reading.after(run[-1]))
            and after.keys & {"@text", "@word", "@number"}
            and after.unit == ""
        ):
            run.append(after)
        before = reading.before(piece)
        if before is not None and before.text in _SURNAMES and before.end == piece.start:
            run.insert(0, before)
        name = "".join(one.text for one in run)
        if 2 <= len(name) <= 12:
            return Taken(name, tuple(run))
    return None


def _instance_type(source: Source) -> Taken | None:
    piece = next(
        (one for one in source.reading.all("@word") if re.fullmatch(r"[A-Za-z]+\d*[a-z]*\.[\w.]+", one.text)),
        None,
    )
    return Taken(piece.text.upper() if piece.text.islower() else piece.text, (piece,)) if piece else None


def _node_count(source: Source) -> Taken | None:
    reading = source.reading
    for piece in reading.all("@number"):
        before = reading.before(piece)
        if isinstance(piece.value, int) and not (before and before.keys & {"minimum", "maximum"}):
            return Taken(piece.value, (piece,))
    return None


def _bound(key: str) -> Reader:
    def read_bound(source: Source) -> Taken | None:
        for piece in source.reading.all(key):
            after = source.reading.after(piece)
            if after and "@number" in after.keys and isinstance(after.value, int):
                return Taken(after.value, (piece, after))
        return None

    return read_bound


def _source_topic(source: Source) -> Taken | None:
    topics = source.reading.all("@topic")
    into = source.reading.first("target_topic")
    for piece in topics:
        if into is None or piece.end <= into.start:
            return Taken(piece.things[0].id, (piece,))
    return None


def _target_topic(source: Source) -> Taken | None:
    into = source.reading.first("target_topic")
    for piece in source.reading.all("@topic"):
        if into is not None and piece.start >= into.end:
            return Taken(piece.things[0].id, (into, piece))
    return None


def _notice(source: Source) -> Taken | None:
    marker = source.reading.first("notice")
    after = source.reading.after(marker) if marker else None
    return Taken(str(after.value), (after,)) if after and after.keys & {"@word", "@quoted", "@text"} else None


def _alert(source: Source) -> Taken | None:
    reading, context = source.reading, source.context
    if (piece := reading.first("@ordinal")) and isinstance(piece.value, int) and context.last_alerts:
        if 1 <= piece.value <= len(context.last_alerts):
            return Taken(context.last_alerts[piece.value - 1], (piece,), remembered=True)
        return None
    if (piece := reading.first("@last_one")) and context.last_alerts:
        return Taken(context.last_alerts[-1], (piece,), remembered=True)
    if piece := reading.first("@alert"):
        return Taken(piece.text, (piece,))
    if (piece := reading.first("@word")) and re.search(r"\d", piece.text):
        return Taken(piece.text, (piece,))
    if context.last_alert and not reading.has("@ordinal"):
        pronoun = reading.first("pronoun")
        return Taken(context.last_alert, (pronoun,) if pronoun else (), remembered=True)
    if len(context.last_alerts) == 1 and not reading.has("@ordinal"):
        return Taken(context.last_alerts[0], (), remembered=True)
    return None


def _incident(source: Source) -> Taken | None:
    if piece := source.reading.first("@incident"):
        return Taken(piece.text, (piece,))
    if source.reading.has("@workload"):
        return None
    pronoun = source.reading.first("pronoun")
    if source.context.last_incident and (pronoun is None or _fits(pronoun.text, "incident")):
        if pronoun or source.inherit or source.reading.has("incident"):
            return Taken(source.context.last_incident, (pronoun,) if pronoun else (), remembered=True)
    return None


def _checkpoint(source: Source) -> Taken | None:
    if piece := source.reading.first("@checkpoint"):
        return Taken(piece.text, (piece,))
    piece = next(
        (one for one in source.reading.all("@word", "@alert", "@pod") if re.search(r"\d", one.text)), None
    )
    return Taken(piece.text, (piece,)) if piece else None


def _report(source: Source) -> Taken | None:
    reading = source.reading
    if piece := reading.first("@incident"):
        return Taken(piece.text, (piece,))
    if (piece := reading.first("report")) and not (
        piece.text == "报告" and reading.has("incident", "answer")
    ):
        return Taken("digest", (piece,))
    if (piece := reading.first("incident")) and source.context.last_incident:
        return Taken(source.context.last_incident, (piece,), remembered=True)
    piece = reading.first("pronoun")
    if piece and source.context.last_incident and (_fits(piece.text, "incident") and _is_event(piece.text)):
        return Taken(source.context.last_incident, (piece,), remembered=True)
    if piece := reading.first("answer", "pronoun"):
        return Taken("last_answer", (piece,))
    if source.context.last_call is not None or source.context.previous_say:
        return Taken("last_answer", (), remembered=True)
    return None


def _is_event(pronoun: str) -> bool:
    return any(noun in pronoun for noun in ("故障", "事故", "起", "次"))


def _channel(source: Source) -> Taken | None:
    reading = source.reading
    if piece := reading.first("@email"):
        return Taken("email", (piece,))
    if piece := reading.first("all_channels"):
        return Taken("all", (piece,))
    channels = [(name, piece) for piece in reading.pieces for name in _CHANNELS if name in piece.keys]
    if channels:
        return Taken(channels[0][0], tuple(piece for _, piece in channels))
    if piece := reading.first("group_chat"):
        return Taken("dingtalk", (piece,))
    return None


def _recipient(source: Source) -> Taken | None:
    piece = source.reading.first("@email")
    if piece:
        return Taken(str(piece.value), (piece,))
    piece = source.reading.first("@person")
    return Taken(piece.things[0].id, (piece,)) if piece else None


def _target_address(source: Source) -> Taken | None:
    piece = source.reading.first("@email") or next(
        (one for one in source.reading.all("@word") if one.text.startswith("http")), None
    )
    return Taken(str(piece.value), (piece,)) if piece else None


def _percent(source: Source) -> Taken | None:
    if piece := next(
        (
            one
            for one in source.reading.all("@number")
            if isinstance(one.value, int) and 0 <= one.value <= 100
        ),
        None,
    ):
        return Taken(piece.value if isinstance(piece.value, int) else 0, (piece,))
    if piece := source.reading.first("full_volume"):
        return Taken(100, (piece,))
    text = source.reading.text
    if "一半" in text:
        return Taken(50)
    return None


def _clock(which: int) -> Reader:
    def read_clock(source: Source) -> Taken | None:
        piece = source.reading.first("@clocks")
        if piece and isinstance(piece.value, Stretch) and piece.value.clocks:
            return Taken(piece.value.clocks[which], (piece,))
        return None

    return read_clock


def _min_score(source: Source) -> Taken | None:
    for piece in source.reading.all("@number"):
        if isinstance(piece.value, int) and (piece.unit in ("", "分") or source.reading.has("score")):
            return Taken(piece.value or "", (piece,))
    return None


def _alert_period(source: Source) -> Taken | None:
    taken = _period(source, "1h")
    if taken is None:
        return None
    piece = taken.pieces[0]
    text = piece.value.text if isinstance(piece.value, Duration | Stretch) else ""
    return Taken("" if text == "yesterday" or piece.text in _LAST_NIGHT else text, taken.pieces)


def _link(source: Source) -> Taken | None:
    piece = next(
        (
            one
            for one in source.reading.all("@word")
            if one.text.startswith("http") or re.search(r"\d", one.text)
        ),
        None,
    )
    if piece:
        return Taken(piece.text, (piece,))
    return (
        Taken(source.context.last_link, tuple(source.reading.all("pronoun")), remembered=True)
        if source.context.last_link
        else None
    )


def _manifest(source: Source) -> Taken | None:
    return (
        Taken(source.context.last_manifest, tuple(source.reading.all("pronoun")), remembered=True)
        if source.context.last_manifest
        else None
    )


def _of_log(part: str) -> Reader:
    def read_part(source: Source) -> Taken | None:
        log = source.context.last_log
        if log is None:
            return None
        value = str(getattr(log, part)) or (source.context.last_topic if part == "topic" else "")
        return Taken(value, tuple(source.reading.all("pronoun")), remembered=True) if value else None

    return read_part


def _around(which: str) -> Reader:
    def read_around(source: Source) -> Taken | None:
        reading = source.reading
        for piece in reading.all("@number"):
            before = reading.before(piece)
            while before is not None and (
                reading.is_light(before)
                and before.text not in "前后上下"
                and before.text in ("各", "的", "面", "看")
            ):
                before = reading.before(before)
            lead = before.text if before else ""
            said = reading.sentence.text[: piece.start]
            one_sided = re.search(r"(前面?|之前|往前|上面?|后面?|之后|往后|下面?)的?$", said)
            both = re.search(r"(前后|上下)(文|各|面)?(的|各)?$", said) or "context_lines" in (
                before.keys if before else ()
            )
            if not isinstance(piece.value, int) or piece.value == 10:
                continue
            if both or not one_sided:
                return Taken(piece.value, (piece,))
            if (one_sided[1][-1] in "前上" or one_sided[1][0] in "前上" or "前" in one_sided[1]) == (
                which == "before"
            ):
                return Taken(piece.value, (piece, before) if before and lead else (piece,))
        return None

    return read_around


READERS: Mapping[str, Reader] = {
    "region": _region, "pod": _pod, "tail": _tail, "limit": _limit, "previous": _previous, "contains": _contains,
    "query": _query, "query_beside_sql": lambda source: None, "query_text": _query_text, "alarm_query": _alarm_query,
    "condition": _condition, "window": _window, "interval": _interval, "expires_in": _expires, "horizon": _horizon,
    "retention_days": _retention, "mute_minutes": _mute_minutes, "replicas": _replicas, "revision": _revision,
    "target": _target, "anomaly_target": _anomaly_target, "metric": _metric, "word": _word, "topic_filter": _filter,
    "dashboard_filter": _filter, "alarm_filter": _alarm_filter, "enabled": _enabled, "receiving": _receiving, "sql": _sql, "changes": _changes,
    "config_name": _config_name, "config_kind": _config_kind, "new_name": _new_name, "phrase": _phrase,
    "person_name": _person_name, "instance_type": _instance_type, "node_count": _node_count, "minimum": _bound("minimum"),
    "maximum": _bound("maximum"), "source_topic": _source_topic, "target_topic": _target_topic, "notice": _notice,
    "alert": _alert, "incident": _incident, "checkpoint": _checkpoint, "report": _report, "channel": _channel,
    "setting_channel": _channel, "recipient": _recipient, "target_address": _target_address, "percent": _percent,
    "window_start": _clock(0), "window_end": _clock(1), "min_score": _min_score, "alert_period": _alert_period,
    "link": _link, "manifest": _manifest, "log_topic": _of_log("topic"), "log_pkg_id": _of_log("pkg_id"),
    "log_pkg_log_id": _of_log("pkg_log_id"), "log_time": _of_log("time"), "before": _around("before"), "after": _around("after"),
}  # fmt: skip


def call_of(tool: Tool, taken: Mapping[str, Taken]) -> PlannedCall:
    """Return the call that these arguments make; empty strings are defaults and stay out."""
    return PlannedCall(
        tool=tool.name, arguments={name: one.value for name, one in taken.items() if one.value != ""}
    )
