"""What keeps a plan from being carried out: prohibitions, conditions, doubts (pure)."""

from __future__ import annotations

import itertools
import re

from assistant.planner.asking import names_trouble
from assistant.planner.choosing import Candidate
from assistant.planner.plan import Clarification, NoPlan
from assistant.planner.reading import ACTS, BREAKS, Piece, Reading
from assistant.planner.reasons import COMPLAINTS, only_told, told_as_done

_FORBIDDEN = NoPlan(spoken="好的，我不动它。", reason="forbidden")
_CONDITIONAL = NoPlan(spoken="这种要看情况的操作，请到时候再告诉我。", reason="conditional")
_ASKED = NoPlan(spoken="我没把握您是不是要我动手，请直接说要做什么。", reason="asked_about_an_act")
_LATER = NoPlan(spoken="我只会马上做，不能约到别的时间。", reason="later")
UNSURE = NoPlan(spoken="这句话我没全听懂，不敢乱动，请再说一遍。", reason="not_understood")
_FOREIGN = NoPlan(spoken="这个我还不会。", reason="not_understood")
_EXPLAINS_NOTHING = NoPlan(spoken="名词解释我不擅长，我只会查和管集群。", reason="small_talk")
_KNOWN_NOW = NoPlan(spoken="好的，我知道了。", reason="small_talk")
_MEANING = re.compile(
    r"^(?:请问|那|小智)?，?(?:什么|啥)(?:是|叫)|(?:是|叫)(?:个|一种)?(?:什么|啥|干嘛|干什么|干啥|做什么)(?:的|用的|意思|东西|概念|玩意儿?)?[啊呀呢？。]*$"
    r"|有(?:什么|啥|何)区别|的区别|怎么(?:学|理解|读|念)|(?:是|有)(?:什么|啥)(?:意思|含义|用处?)[啊呀呢？。]*$"
)
_NOUNS = frozenset(
    [
        "cluster",
        "node",
        "node_pool",
        "namespace",
        "workload",
        "deployment",
        "statefulset",
        "daemonset",
        "pod",
        "service",
        "log",
        "logset",
        "topic",
        "index",
        "configmap",
        "secret",
        "alarm",
        "alarm_policy",
        "dashboard",
        "scheduled_sql",
        "checkpoint",
        "replica",
        "restart",
        "scale",
        "roll_back",
        "isolate",
        "healing",
        "alert_efficiency",
        "event",
    ]
)
"""What one may ask the meaning of."""
_LATER_ON = re.compile(r"(?:小时|分钟|刻钟|钟头|天|会儿?)(?:之|以)?后")
_CAME_AFTER = re.compile(
    r"(?:之后|以后|后|完|自从)[^看查帮请把给将]*?"
    r"(?:降|升|涨|少|多|好|慢|快|高|低|正常|恢复|挂|崩|卡|稳|没|变)[^，。看查帮请把给将]{0,3}了[。！]?$"
)
"""What came after an act is told: 扩到六个之后 CPU 降了."""
_MAY_I = re.compile("能不能|可不可以|可否|能否|(?:能|可以)(?=.*[吗么]$)")
_SOFTENED = re.compile("帮|麻烦|请|劳|给|把|将|一下|下[吗么]?$|吧|再")
"""They make a request of the question whether an act is possible: 能不能把某某重启一下."""
_JUST = ("刚才", "刚刚", "刚", "方才", "早就")
_IF = ("如果", "要是", "假如", "万一", "一旦", "倘若", "若", "除非", "假设")


def not_a_request(reading: Reading) -> NoPlan | None:
    """Return why a whole sentence asks for nothing, if it does not."""
    if _asks_for_meaning(reading):
        return _EXPLAINS_NOTHING
    if only_told(reading) or (reading.has(*ACTS) and _CAME_AFTER.search(reading.text)):
        return _KNOWN_NOW
    content = [piece for piece in reading.pieces if not reading.is_light(piece)]
    if not content:
        return NoPlan(spoken="您想让我做什么？", reason="small_talk")
    return None


def trouble_with(best: Candidate, reading: Reading, whole: Reading) -> NoPlan | Clarification | None:
    """Return what keeps a candidate from being carried out, if anything does."""
    if _forbidden(best, reading):
        return _FORBIDDEN
    if _conditional(best, whole):
        return _CONDITIONAL
    if reading.has("foreign") and any("foreign" in piece.keys for piece in best.unexplained):
        return _FOREIGN
    if best.tool.risk != "read" and (_asks_which(best, reading) or _asks_for_advice(reading)):
        return _ASKED
    if best.tool.risk == "write" and _asked_about(best, reading):
        return _ASKED
    if best.tool.risk != "read" and told_as_done(reading, whole):
        return _ASKED
    if best.tool.risk != "read" and _LATER_ON.search(reading.text) and not _all_used(best, reading, "@plain"):
        return _LATER
    if best.tool.risk == "danger" and (doubt := _doubt(best, whole if whole.has("correction") else reading)):
        return doubt
    return names_trouble(best.tool, reading, best.call, strict=best.tool.risk == "danger")


def _asks_for_meaning(reading: Reading) -> bool:
    """Return whether the meaning of a word is asked for, not a thing of the house: 什么是 pod."""
    named = any(piece.things or piece.keys & {"@pod", "@period", "pronoun"} for piece in reading.pieces)
    return not named and reading.has(*_NOUNS) and _MEANING.search(reading.text) is not None


def _forbidden(best: Candidate, reading: Reading) -> bool:
    used = {id(piece) for one in best.taken.values() for piece in one.pieces}
    for piece in reading.all("forbidding"):
        explained = id(piece) in used or not piece.keys.isdisjoint(best.tool.also) or piece.keys & {"mute"}
        if (
            best.tool.name in ("search_logs", "pod_logs", "log_trend", "log_histogram", "text_to_query")
            and "not" in piece.keys
        ):
            explained = True
        if any(concept in piece.keys for line in best.tool.when for concept in line):
            explained = True
        after = reading.after(piece)
        if (
            best.tool.name == "release_workload"
            and after
            and "isolate" in after.keys
            and any("isolate" not in one.keys for one in reading.all("release_isolation"))
        ):
            explained = True
        if not explained:
            return True
    return False


def _conditional(best: Candidate, whole: Reading) -> bool:
    """Return whether a request hangs on a condition; all but acts may well be about later."""
    if best.tool.name == "forecast_capacity" or _all_used(best, whole, "conditional"):
        return False
    pieces = whole.all("conditional")
    acts = best.tool.risk == "danger" or (bool(pieces) and whole.has(*ACTS))
    return acts or any(piece.text.startswith(_IF) for piece in pieces)


def _all_used(best: Candidate, reading: Reading, concept: str) -> bool:
    used = {id(piece) for one in best.taken.values() for piece in one.pieces}
    return all(id(piece) in used for piece in reading.all(concept))


def _doubt(best: Candidate, reading: Reading) -> NoPlan | None:
    if len(reading.all("correction")) and any(
        piece.start < reading.all("correction")[0].start and not reading.is_light(piece)
        for piece in reading.pieces
    ):
        return UNSURE
    if _only_one_of_several(reading):
        return UNSURE
    if best.call.arguments.get("mode") == "act" and reading.has("disabled", "stopped"):
        return UNSURE  # switched to what it does by itself, or off?
    if any(
        (after := reading.after(piece)) is not None and "@mark" not in after.keys
        for piece in reading.all("correction")
    ):
        return UNSURE  # 不是重启: what is it then?
    if _asked_about(best, reading):
        return _ASKED
    if any(piece.keys & {"@period", "future", "@past", "@duration"} for piece in best.unexplained):
        return _LATER
    if any(
        (len(piece.text) > 1 or "@text" not in piece.keys or _beside_the_act(piece, best, reading))
        and not _is_complaint_before(piece, reading)
        for piece in best.unexplained
    ):
        return UNSURE
    if _told_as_past(best, reading) or _came_of_it(reading):
        return _ASKED
    return None


def _asked_about(best: Candidate, reading: Reading) -> bool:
    """Return whether an act is spoken of, not wished for: 是不是停用了, 谁停用的, 停用了吗."""
    if "asking_act" in best.tool.also:
        return False  # 飞书能不能收到: it takes a try to tell
    used = {id(piece) for one in best.taken.values() for piece in one.pieces}
    asked = [piece for piece in reading.all("asking_act", "who") if id(piece) not in used]
    if best.tool.risk == "danger":
        return bool(asked) or _only_asked(reading)
    # 谁在开会，静音一小时; 可以把音量调到五十吗: what changes little may be wished for like that.
    breaks = [piece.end for piece in reading.pieces[:-1] if piece.text in BREAKS]
    last_clause = breaks[-1] if breaks else 0
    offered = _MAY_I.search(reading.text.rstrip("？。！ "))
    return any(piece.start >= last_clause for piece in asked) or (not offered and _only_asked(reading))


def _only_one_of_several(reading: Reading) -> bool:
    """Return whether several things are named, and the act is wished for some of them: 甲和乙只重启甲."""
    only = next((piece for piece in reading.pieces if piece.text in ("只", "仅", "光", "单独", "就只")), None)
    named = reading.all("@workload", "@pod", "@node_pool", "@alarm")
    return only is not None and any(piece.end <= only.start for piece in named[:-1])


def _came_of_it(reading: Reading) -> bool:
    """Return whether a complaint follows the act in one breath: 扩到三个还是慢."""
    act = reading.first(*ACTS)
    rest = [piece for piece in reading.pieces if act is not None and piece.start >= act.end]
    clause = itertools.takewhile(lambda piece: piece.text not in BREAKS, rest)
    return any("symptom" in piece.keys and not reading.is_light(piece) for piece in clause)


def _asks_for_advice(reading: Reading) -> bool:
    """Return whether somebody asks if an act is wise, and does not offer it: 要不要关掉, not 关掉好不好."""
    asked = reading.first("asking_advice")
    return asked is not None and any(
        piece.start > asked.start and not reading.is_light(piece) for piece in reading.pieces
    )


def _asks_which(best: Candidate, reading: Reading) -> bool:
    """Return whether somebody asks which things there are, though an act is named: 能回滚的版本有哪些."""
    used = {id(piece) for one in best.taken.values() for piece in one.pieces}
    return any(
        ("哪" in piece.text or piece.text.startswith(("有什么", "有啥", "都有"))) and id(piece) not in used
        for piece in reading.all("which")
    )


def _beside_the_act(piece: Piece, best: Candidate, reading: Reading) -> bool:
    """Return whether an unknown word stands beside the act or its amount, and may turn it round: 隔离解了."""
    asked_by = {token for line in best.tool.when for token in line if token[0] not in "@!"}
    before, after = reading.before(piece), reading.after(piece)
    beside = [one for one in (before, after) if one is not None and not one.things]
    return any(one.keys & asked_by for one in beside) or (after is not None and "@number" in after.keys)


def _is_complaint_before(piece: Piece, reading: Reading) -> bool:
    """Return whether a piece tells why (老报错重启一下), not what came of an act (重启后报错)."""
    first = reading.first(*ACTS)
    return first is not None and piece.end <= first.start and bool(piece.keys & COMPLAINTS)


def _only_asked(reading: Reading) -> bool:
    """Return whether the sentence ends as a question without being a polite request: 可以重启吗."""
    text = reading.text.rstrip("？。！ ")
    if _MAY_I.search(text) and not _SOFTENED.search(text):
        return True  # 现在能不能重启某某: may one?
    if not (text.endswith(("吗", "么", "没", "没有", "不")) or reading.text.rstrip().endswith("？")):
        return False
    return not any(
        word in text
        for word in (
            "帮",
            "麻烦",
            "请",
            "能不能",
            "可不可以",
            "可否",
            "能否",
            "给我",
            "好吗",
            "行吗",
            "可以吗",
        )
    )


def _told_as_past(best: Candidate, reading: Reading) -> bool:
    """Return whether an act is told rather than wished: 某服务重启过了."""
    acts = [
        piece
        for piece in reading.pieces
        if any(piece.keys & {token} for line in best.tool.when for token in line) and not piece.things
    ]
    for piece in acts:
        after = reading.after(piece)
        if any("allow" in one.keys and one.start < piece.start for one in reading.pieces):
            continue  # 可以放出来了
        if after and after.text == "过":
            return True
        last = reading.pieces[-1] is after or (
            after is not None
            and reading.after(after) is not None
            and "@mark" in getattr(reading.after(after), "keys", ())
        )
        just = any(one.text in _JUST for one in reading.pieces)
        if just and reading.pieces[-1].text == "了":
            return True
        if (
            after
            and after.text == "了"
            and last
            and not any(word in reading.text for word in ("把", "给我", "帮", "请", "将"))
        ):
            return True
    return False
