"""Arguments in free words: names that are given, filters, settings (pure)."""

from __future__ import annotations

import itertools
import re

from assistant.planner.reading import Piece, Reading
from assistant.planner.taking import PARTICLES, TO_SOUNDS, Source, Taken, after_marker, is_key
from assistant.planner.times import Duration
from mcp_tencent.naming.sound import folded


def read_word(source: Source) -> Taken | None:
    """Read a bare word or quotation."""
    piece = source.reading.first("@word") or source.reading.first("@quoted")
    return Taken(str(piece.value), (piece,)) if piece else None


def read_filter(source: Source) -> Taken | None:
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


def read_alarm_filter(source: Source) -> Taken | None:
    """Read which alarms are meant."""
    piece = source.reading.first("@alarm")
    return Taken(piece.things[0].id, (piece,)) if piece else read_filter(source)


def read_changes(source: Source) -> Taken | None:
    """Read 把 app-config 里的 LOG_LEVEL 改成 debug: the words on both sides of the verb."""
    reading = source.reading
    verb = next(
        (
            piece
            for piece in reading.all("change")
            if folded(piece.text[-1:]) in TO_SOUNDS
            or piece.text in ("设置", "设", "换", "set", "=", "改", "调")
        ),
        None,
    )
    if verb is None:
        return None
    words = [piece for piece in reading.pieces if piece.end <= verb.start and is_key(piece)]
    after = [
        piece
        for piece in reading.pieces
        if piece.start >= verb.end and "@mark" not in piece.keys and piece.text not in PARTICLES
    ]
    if not words or not after:
        return None
    value = after[0]
    said = str(value.value) if isinstance(value.value, int | float | str) else value.text
    if isinstance(value.value, Duration):
        said = value.value.text
    was = [piece for piece in reading.pieces if _is_old_value(piece, verb, reading)]
    words = [piece for piece in words if piece not in was]
    return Taken({words[-1].text: said}, (verb, words[-1], value, *was)) if words else None


def _is_old_value(piece: Piece, verb: Piece, reading: Reading) -> bool:
    """Return whether a piece is what a setting was: 从 30 改成 60."""
    before = reading.before(piece)
    return piece.end <= verb.start and before is not None and before.text in ("从", "由")


def read_config_name(source: Source) -> Taken | None:
    """Read the name of a configuration."""
    changes = read_changes(source)
    for piece in filter(is_key, source.reading.pieces):
        if not changes or piece not in changes.pieces:
            return Taken(piece.text, (piece,))
    return None


def read_config_kind(source: Source) -> Taken | None:
    """Read the kind of a configuration."""
    piece = source.reading.first("secret")
    return Taken("secret", (piece,)) if piece else Taken("configmap", tuple(source.reading.all("configmap")))


_HARD_STOPS = (
    "retention",
    "over",
    "under",
    "instance_type",
    "minimum",
    "maximum",
    "every",
    "every_length",
    "target_topic",
    "window",
    "critical",
    "notice",
    "@topic",
    "@logset",
    "sql",
    "@quoted_sql",
    "@compared",
    "status_code",
    "condition",
)


_SOFT_STOPS = ("@number", "@plain", "@past", "level", "and", "polite", "error", "create")


_KINDS = re.compile(r"的(?:新?日志集|日志主题|主题|告警策略|告警|节点池|任务|定时分析).*$")


_LONGEST_NAME = 12


def read_new_name(source: Source) -> Taken | None:
    """Read a name that is given: the clause after 叫, up to where something else of the request begins."""
    whole = after_marker(source, ("named",), _HARD_STOPS)
    if whole is not None:
        text = _KINDS.sub("", str(whole.value))
        if "@word" in whole.pieces[1].keys and not re.search(r"[\u4e00-\u9fff]", whole.pieces[1].text):
            return Taken(str(whole.pieces[1].value), whole.pieces[:2])
        if 1 < len(text) <= _LONGEST_NAME:
            ends = whole.pieces[1].start + len(text)
            return Taken(text, tuple(p for p in whole.pieces if p is whole.pieces[0] or p.start < ends))
    if found := after_marker(source, ("named",), _HARD_STOPS + _SOFT_STOPS):
        return found
    piece = source.reading.first("@word") or source.reading.first("@quoted")
    return Taken(str(piece.value), (piece,)) if piece else None


_AGREED = "行不行|行吗|好不好|好吗|怎么样|可以吗|成吗|吧|好了|就行|就好"
_CALL_YOU = re.compile(
    rf"(?:叫你|(?:唤醒词|名字)就?(?:是|用|定为)(?!什么|啥|哪|谁)个?)([^，。]{{2,8}}?)(?:{_AGREED}|$|[，。？])"
)


_WAKES = r"(?:唤醒|叫醒|激活|唤起)(?:你|您)"
_NO_PHRASE = re.compile(r"什么|啥|哪|谁|怎|咋|几|多少|没|不|了|过|声音|语音|(?:能|会|可以|才|都|是|一声)$")
_CALLED_TO_WAKE = re.compile(
    rf"(?<!不)(?:喊|叫|说|念|用)(?:一声|一句|声)?(?![着喊叫说念])(?P<first>[^，。]{{2,8}}?)"
    rf"(?:这(?:个词|句|几个字))?(?:来|去|就|就来|就能|就可以|把)?{_WAKES}(?:{_AGREED}|的?)[。！]?$"
    rf"|{_WAKES}(?:的时候|时)?，?(?:就|我就|改成|换成|改|我)*(?:喊|叫|说|念|用)(?P<last>[^，。]{{2,8}}?)"
    rf"(?:{_AGREED})?[。！]?$"
)
"""以后喊某某来唤醒你, 唤醒你的时候就说某某; what is asked or told gives no phrase."""


def read_phrase(source: Source) -> Taken | None:
    """Read a new wake phrase or name of the device."""
    text = source.reading.text
    if (
        source.tool.name == "set_wake_word"
        and re.search(rf"{_WAKES}(?!的(?!时候))", text)
        and not source.reading.has("@quoted")
    ):
        return _called_to_wake(source.reading)
    found = after_marker(source, ("named", "change", "name"))
    if found is None and (match := _CALL_YOU.search(source.reading.text)):
        return Taken(match[1], source.reading.pieces)
    if found is None or len(str(found.value)) > 20:
        quoted = source.reading.first("@quoted")
        return Taken(str(quoted.value), (quoted,)) if quoted else None
    if any(piece.keys & {"wake_word", "digest_window"} for piece in found.pieces[1:]):
        return None  # 换个唤醒词: which?
    text = re.sub(rf"^(?:个|一个|叫|为|成|做|就|是|定为|设为)+|(?:{_AGREED})$", "", str(found.value))
    text = re.split("(?:叫|喊|称呼)你", text)[-1]
    if found.pieces[0].text.endswith("你") and text.startswith("好"):
        text = f"你{text}"  # 叫“你好某某”, not 叫你“好某某”
    for piece in found.pieces:
        if "@quoted" in piece.keys:
            text = str(piece.value)
    return (
        Taken(text, found.pieces)
        if text and text not in ("新的", "别的", "名字", "什么", "啥", "谁")
        else None
    )


def _called_to_wake(reading: Reading) -> Taken | None:
    called = None if reading.has("not", "forbidding") else _CALLED_TO_WAKE.search(reading.text)
    phrase = (called["first"] or called["last"]) if called else ""
    person = _NAME.match(phrase)
    if called is None or _NO_PHRASE.search(phrase) or (person is not None and person[0] == phrase):
        return None  # 喊小李来唤醒你: somebody is to do it
    ends = itertools.accumulate(len(piece.text) for piece in reading.pieces)
    inside = [
        one for one, end in zip(reading.pieces, ends, strict=True) if called.start() < end <= called.end()
    ]
    return Taken(phrase, tuple(inside))


_SURNAME = (
    "(?:欧阳|司马|上官|诸葛|司徒|尉迟|皇甫|慕容|东方|夏侯|公孙|令狐|"
    "[赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕施张孔曹严华金魏陶姜戚谢邹喻苏潘葛范彭郎鲁韦马苗方俞任袁柳鲍史唐费"
    "薛雷贺倪汤罗毕郝邬安常乐于时傅齐康伍余元顾孟黄穆萧尹姚邵汪祁毛狄米戴宋庞熊纪舒屈项祝董梁杜阮蓝闵季贾路江童"
    "颜郭梅盛林钟徐邱骆高夏蔡田樊胡凌霍虞万柯管卢莫房丁宣邓洪包左石崔龚程邢裴陆翁荀惠曲段富侯宁仇甘武符刘景詹"
    "束龙叶幸黎薄白蒲邰鄂索赖卓屠乔向古易廖耿匡文欧聂晁辛阚饶曾沙丰关查游权付肖单成])"
)
_NAME = re.compile(
    rf"(?:[小老阿大]{_SURNAME}|{_SURNAME}(?:工|总监|总|经理|老师|师傅|哥|姐)|{_SURNAME}[\u4e00-\u9fff]{{1,2}}?)"
    r"(?=[的得，。！、和跟]|录|登|注册|采|声|进|加|记|存|说|这|要|也|做|一下|吧|$)"
)
"""A Chinese name, full or familiar, up to where the sentence goes on."""
_BEFORE_A_NAME = re.compile(
    r"(?:^|[，。：:叫给把为让是下的个位人员事册记入录集]|帮|一下|同事|新人|新来的|姓名|名字|实习生|声纹|声音|口令)$"
)


def read_person_name(source: Source) -> Taken | None:
    """Read the name of a person, known or new."""
    reading = source.reading
    if piece := reading.first("@quoted"):
        return Taken(str(piece.value), (piece,))
    if piece := reading.first("@person"):
        return Taken(piece.things[0].id, (piece,))
    if found := _chinese_name(reading):
        return found
    if found := after_marker(source, ("named",), ("polite",)):
        return found
    for piece in reading.all("@text", "@word"):
        run = [piece]
        while (
            (after := reading.after(run[-1]))
            and after.keys & {"@text", "@word", "@number"}
            and after.unit == ""
        ):
            run.append(after)
        name = "".join(one.text for one in run)
        if 2 <= len(name) <= 12:
            return Taken(name, tuple(run))
    return None


def _chinese_name(reading: Reading) -> Taken | None:
    if not reading.pieces:
        return None
    text, last = reading.sentence.text, reading.pieces[-1].end
    for match in _NAME.finditer(text[:last], reading.pieces[0].start):
        if not _BEFORE_A_NAME.search(text[: match.start()]):
            continue
        inside = tuple(one for one in reading.pieces if one.start < match.end() and one.end > match.start())
        if inside and not any(
            (len(one.text) > 2 and "@text" not in one.keys) or one.keys & {"enrol", "voiceprint"}
            for one in inside
        ):
            return Taken(match[0], inside)
    return None


def read_instance_type(source: Source) -> Taken | None:
    """Read the type of machine."""
    piece = next(
        (one for one in source.reading.all("@word") if re.fullmatch(r"[A-Za-z]+\d*[a-z]*\.[\w.]+", one.text)),
        None,
    )
    return Taken(piece.text.upper() if piece.text.islower() else piece.text, (piece,)) if piece else None


def read_source_topic(source: Source) -> Taken | None:
    """Read the topic that a task reads."""
    topics = source.reading.all("@topic")
    into = source.reading.first("target_topic")
    for piece in topics:
        if into is None or piece.end <= into.start:
            return Taken(piece.things[0].id, (piece,))
    return None


def read_target_topic(source: Source) -> Taken | None:
    """Read the topic that a task writes."""
    into = source.reading.first("target_topic")
    for piece in source.reading.all("@topic"):
        if into is not None and piece.start >= into.end:
            return Taken(piece.things[0].id, (into, piece))
    return None


def read_notice(source: Source) -> Taken | None:
    """Read the notice group of an alarm."""
    marker = source.reading.first("notice")
    after = source.reading.after(marker) if marker else None
    return Taken(str(after.value), (after,)) if after and after.keys & {"@word", "@quoted", "@text"} else None
