"""Clauses that ask for nothing: why an act is wanted, asides, what is not to be done (pure)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from assistant.planner.reading import ACTS, BREAKS, Piece, Reading
from assistant.planner.taking import fits
from assistant.planner.telling import DONE, tells_as_done, tells_of_before

COMPLAINTS = frozenset(
    {"symptom", "unhealthy", "not_ready", "failed", "restarting", "pending", "error", "anomaly", "log_word"}
)
_ASKS = frozenset(
    {"show", "which", "then", "forbidding", "conditional", "asking_act", "correction", "hands_off"}
)
_PRONOUN = frozenset({"pronoun"})
_FORBIDDEN, _ISOLATED = frozenset({"forbidding"}), frozenset({"isolate"})
_OBJECTS = frozenset({"@workload", "@pod", "@node_pool", "@person", "@alarm", "night_job"})
_NAMES = frozenset({*_OBJECTS, "@cluster", "@namespace", "pronoun"})
_QUESTIONS = ("有没有", "是不是", "吗", "么", "有无", "是否")
_ASKING = (*_QUESTIONS, "几", "多少", "哪", "谁", "什么", "啥", "看", "查", "怎", "咋")
_A_WORD_TO_YOU = re.compile(
    r"(?:跟|和|给|向)(?:你|您|大家|各位)?(?:说|讲|报备|通报|打个招呼|汇报|知会)(?:一?声|一下)?[哈啊哦]?"
    r"|(?:知会|通知)你?一声[哈啊]?|你知道(?:一下|就行|就好)"
)
_STATE = re.compile(
    r"(?:大|高|多|慢|卡|忙|满|猛|低|少|差|糟|凶|紧|不够|不行|不足|不稳|厉害)[啊呀的]?$|一直|老是|总是|突然|好像|感觉|似乎"
)
"""How a clause that describes a state sounds: 今天单量大, 一直报错."""
_REPORTED = re.compile(
    r"(?:有|好多|很多|好几个|那边)?(?:[\u4e00-\u9fff]{1,4}?(?:一直|都|又|老|总|纷纷|刚)*(?:在)?(?:投诉|反馈|反映|抱怨|吐槽)"
    r"|(?:客户|用户|玩家|领导|老板|业务|大家|同事|测试|运营|产品|前端|群里|他们|客服|人)"
    r"(?:们|那边|一直|都|又|刚|老|在|刚才|总)*(?:催|说|嚷|喊|骂|报))"
)
"""Somebody else's complaint is why one asks."""
_JUST_DONE = re.compile("刚才?|刚刚|方才|已经?")
_DONE_BY_SOMEBODY = re.compile(
    r"(?:我|我们|咱们?|他们?|她|有人|同事)(?:今天|昨天|早上|自己|手动)*"
    r"(?:已经?|刚才?|刚刚|方才|早就|早|不小心|手滑|手动)(?:自己|手动)?(?:把|给|将).+了"
)
"""我已经把某条告警关了, 他刚把某服务重启了: nothing is left to do."""
_TELLERS = (
    "我", "咱", "人家", "大家", "用户", "客户", "老板", "领导", "同事", "业务", "没人", "他们", "有人",
    "反正", "不然", "省得", "免得", "毕竟", "好让", "辛苦", "谢",
)  # fmt: skip
_WISHES = ("我要看", "我想", "我要查", "给我", "帮我", "我要把", "我需要", "我看看", "我是谁")
_TOLD = ("了", "着呢", "呢", "的")
_ASIDE = COMPLAINTS | {
    "@text", "@mark", "@number", "person", "foreign", "error", "node", "workload", "service",
    "send", "or", "volume", "perm_read", "yourself", "voiceprint", "pronoun", "then",
}  # fmt: skip
"""What may be spoken of in a clause that asks for nothing."""
_LOOKED_AT = frozenset(
    {"log", "event", "pod", "usage", "cpu", "memory", "disk", "network", "rollout_history"}
)
_NOT_NOW = frozenset({"hands_off"})
_LOOKS = frozenset({"show", "which"})
_FIRST_OF_ALL = (
    "动",
    "动手",
    "改",
    "执行",
    "操作",
    "做",
    "弄",
    "处理",
    "慌",
    "急",
    "关",
    "停",
    "删",
    "开",
    "应用",
    "生效",
    "落地",
    "提交",
)
"""What is not to be done yet: 先别动."""
_HASTILY = re.compile(r"^(?:着|直接|马上|立刻|立马|现在|急着|着急|就|真的?|擅自|随便|自己|自作主张|给我|去)+")
"""How it is not to be done: 别直接改, 先别急着动手."""


def without_reasons(reading: Reading) -> Reading:
    """Return a sentence without its clauses that only say why; their names serve an act that names nothing.

    A clause is a reason when it complains or tells a state, asks nothing, and another clause asks for an act.
    """
    clauses = _clauses(reading)
    everything = frozenset(key for piece in reading.pieces for key in piece.keys)
    wished = ACTS | {"run"} if reading.has("night_job") else ACTS
    acting = [clause for clause in clauses if _has(clause, wished) and not _is_reason(clause, everything)]
    if len(clauses) < 2 or not acting:
        return reading
    acts = frozenset(key for clause in acting for piece in clause for key in piece.keys & wished)
    named = any(_has(clause, _OBJECTS) for clause in acting)
    kept: list[Piece] = []
    for clause in clauses:
        if clause not in acting and _is_reason(clause, acts):
            kept += [] if named else [piece for piece in clause if piece.keys & _NAMES]
        else:
            kept += clause
    return reading.part(kept)


def without_asides(reading: Reading) -> Reading:
    """Return a sentence without the clauses that only tell something: 闭嘴二十分钟，我开会."""
    clauses = _clauses(reading)
    told = [clause for clause in clauses if _tells_of_the_past(clause)]
    told += [clause for clause in clauses[:-1] if _complains(clause, reading) and _looks(clauses[-1])]
    asides = [clause for clause in clauses if clause in told or _is_aside(clause, reading)]
    if not asides or len(asides) == len(clauses):
        return reading
    kept = [piece for clause in clauses if clause not in asides for piece in clause]
    if not any(piece.keys & _OBJECTS for piece in kept):
        spoken_of = told if not any("pronoun" in piece.keys for piece in kept) else asides
        names = [piece for clause in spoken_of for piece in clause if piece.keys & _OBJECTS - {"@person"}]
        kept = [*names, *(piece for piece in kept if not (names and "pronoun" in piece.keys))]
    return reading.part(kept) if any(not reading.is_light(piece) for piece in kept) else reading


def only_told(reading: Reading) -> bool:
    """Return whether a sentence only tells of acts that are over: 我手动重启过了，跟你说一声."""
    clauses = _clauses(reading)
    told = [clause for clause in clauses if _tells_of_the_past(clause)]
    return bool(told) and all(clause in told or _is_aside(clause, reading) for clause in clauses)


def told_as_done(reading: Reading, whole: Reading) -> bool:
    """Return whether every change that is spoken of is told as done: 检查点打好了, 推送停了.

    Args:
        reading: The part of the sentence that asks for something.
        whole: The sentence; 跑完了 is cut off where it may begin another part.
    """
    clauses = _clauses(whole)
    changes = [clause for clause in _clauses(reading) if _has(clause, DONE)]
    return bool(changes) and (
        all(map(tells_as_done, changes)) or (len(clauses) == 1 and tells_as_done(clauses[0]))
    )


def _complains(clause: Sequence[Piece], reading: Reading) -> bool:
    """Return whether a clause says of something named what is wrong with it, and no more: 主库连不上."""
    content = [piece for piece in clause if not reading.is_light(piece)]
    complaints = [piece for piece in content if piece.keys & (COMPLAINTS | {"@number"})]
    named = [piece for piece in content if piece.keys & _OBJECTS]
    return bool(complaints and named) and len(complaints) + len(named) == len(content)


def _looks(clause: Sequence[Piece]) -> bool:
    """Return whether a clause asks for a look at what was named before: 看下它的事件和日志."""
    return _has(clause, _LOOKED_AT) and not _has(clause, _OBJECTS | ACTS)


def _tells_of_the_past(clause: Sequence[Piece]) -> bool:
    text = "".join(piece.text for piece in clause).strip("，。；！？ ").rstrip("哈啊呀哦嘞的")
    asks = any(word in text for word in _ASKING)
    if not _has(clause, ACTS) and not asks and tells_of_before(clause):
        return True
    if not _has(clause, ACTS | {"restarting", "enabled", "disabled"}):
        return False
    if _DONE_BY_SOMEBODY.fullmatch(text):
        return True
    just_done = any(
        _JUST_DONE.fullmatch(before.text) and after.keys & ACTS
        for before, after in itertools.pairwise(clause)
    )
    if just_done or asks:
        return just_done
    return text.endswith(("过了", "完了", "好了", "掉了")) and not any(
        word in text
        for word in ("把", "给我", "帮", "请", "将", "再")
        if word != "把" or not text.startswith(_TELLERS)
    )


def _is_aside(clause: Sequence[Piece], reading: Reading) -> bool:
    text = "".join(piece.text for piece in clause).strip("，。；！？ ")
    if _A_WORD_TO_YOU.fullmatch(text):
        return True
    content = [piece for piece in clause if not reading.is_light(piece)]
    if any(word in text for word in (*_QUESTIONS, *_WISHES)) or _has(clause, _ASKS - {"show", "then"}):
        return False
    if _REPORTED.match(text) and not _has(clause, ACTS):
        return True
    if not content or any(piece.things or piece.keys.isdisjoint(_ASIDE) for piece in content):
        return False
    return text.startswith(_TELLERS) or (
        text.endswith(_TOLD) and _has(clause, frozenset({"person", "foreign"}))
    )


def without_refusals(reading: Reading) -> Reading:
    """Return a sentence without what it says is not to be done, where it asks for something else besides.

    某某不用重启，看看日志就行 looks; 出个方案，先别动手 plans. The act that is refused is never what is
    left, and the names of the refusal serve the rest when that names nothing.
    """
    clauses = _clauses(reading, at_looks=True)
    refusals = [clause for clause in clauses if _is_refusal(clause, reading)]
    rest = [clause for clause in clauses if clause not in refusals]
    if not refusals or not any(_asks_for_something(clause, reading) for clause in rest):
        return reading
    refused = frozenset(key for clause in refusals for piece in clause for key in piece.keys & ACTS)
    left = frozenset(key for clause in rest for piece in clause for key in piece.keys & ACTS)
    if any(_has(clause, frozenset({"condition", "level"})) for clause in rest):
        left = frozenset()  # 阈值提到三十 changes an alarm, no amount
    if left and (not refused or refused & left):
        return reading
    named = any(_has(clause, _OBJECTS) for clause in rest)
    kept: list[Piece] = []
    meant: list[Piece] = []
    for clause in clauses:
        if clause in refusals:
            meant = [] if named else [piece for piece in clause if piece.keys & _OBJECTS]
            kept += [] if any(_has(one, _PRONOUN) for one in rest) else meant
        else:
            kept += [piece for one in clause for piece in _meant_by(one, meant)]
    return reading.part(kept)


def _meant_by(piece: Piece, named: Sequence[Piece]) -> Sequence[Piece]:
    """Return what a piece stands for: 它 for the one thing that was named just before."""
    if "pronoun" not in piece.keys or len(named) != 1:
        return [piece]
    kind = named[0].things[0].kind if named[0].things else "pod"
    return named if fits(piece.text, kind) else [piece]


def _is_refusal(clause: Sequence[Piece], reading: Reading) -> bool:
    """Return whether a clause refuses an act or a look, and no more: 先别动手, 不用重启, 别看甲了."""
    no = next((piece for piece in clause if piece.keys & (_FORBIDDEN | _NOT_NOW)), None)
    if no is None or no.keys & {"disabled", "stop_sending", "unimportant", "mute"}:
        return False
    after = [piece for piece in clause if piece.start >= no.end and "@mark" not in piece.keys]
    if no.keys & _NOT_NOW:
        if reading.has("healing", "observe", "propose", "mode"):
            return False  # that is how the healing is to be
        return all(reading.is_light(piece) for piece in after)
    said = [piece.text for piece in after if not piece.keys & _OBJECTS]
    text = _HASTILY.sub("", "".join(said)).rstrip("了啊吧哈呢的它")
    looked = any(piece.keys & {"show"} for piece in after) and _has(after, _NAMES)
    return text in _FIRST_OF_ALL or looked or any(piece.keys & ACTS for piece in after)


def _asks_for_something(clause: Sequence[Piece], reading: Reading) -> bool:
    if _has(clause, _FORBIDDEN | frozenset({"conditional"})):
        return False
    return any(not reading.is_light(piece) and "@text" not in piece.keys for piece in clause)


def _clauses(reading: Reading, *, at_looks: bool = False) -> list[list[Piece]]:
    """Return the clauses; recognizers write no commas, so a look after an act may begin one as well."""
    clauses: list[list[Piece]] = [[]]
    for piece in reading.pieces:
        look = at_looks and "show" in piece.keys and (len(piece.text) > 1 or _first(clauses[-1]))
        if look and _act_is_said(clauses[-1]):
            clauses.append([])
        clauses[-1].append(piece)
        if piece.text in BREAKS and "@mark" in piece.keys:
            clauses.append([])
    return [clause for clause in clauses if any("@mark" not in piece.keys for piece in clause)]


def _first(clause: Sequence[Piece]) -> bool:
    return bool(clause) and clause[-1].text in ("先", "只", "就")


def _act_is_said(clause: Sequence[Piece]) -> bool:
    """Return whether a clause has its act and what it is done to: 别重启 | 看看; 别重启甲 | 先看看."""
    said = [piece for piece in clause if piece.text not in ("先", "只", "就", "了", " ")]
    if len(said) > 1 and said[-1].keys & _OBJECTS and said[0].keys & _FORBIDDEN:
        said.pop()
    return bool(said) and bool(said[-1].keys & ACTS)


def _is_reason(clause: Sequence[Piece], acts: frozenset[str]) -> bool:
    text = "".join(piece.text for piece in clause).rstrip("，。；！？ ")
    if _has(clause, _FORBIDDEN) and _has(clause, _ISOLATED) and "release_isolation" in acts:
        return True  # 放出来吧，别隔离了
    if _has(clause, _ASKS) or any(word in text for word in _QUESTIONS):
        return False
    if _has(clause, frozenset({"volume"})):
        return False  # 声音太大了，降到两成: it says what is to be turned down
    if _has(clause, frozenset({"unwanted"})):
        return acts <= {"delete"}
    told = text.endswith(("了", "着呢", "呢")) or _STATE.search(text) is not None
    if _has(clause, ACTS):
        # 可以放出来了，取消隔离: the same act, first as what has become possible.
        said = frozenset(key for piece in clause for key in piece.keys & ACTS)
        return told and _has(clause, frozenset({"allow"})) and said <= acts
    return told or _has(clause, COMPLAINTS)


def _has(clause: Sequence[Piece], keys: frozenset[str]) -> bool:
    return any(piece.keys & keys for piece in clause)
