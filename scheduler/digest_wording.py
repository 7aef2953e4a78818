"""What is said of one fact of a night, short and long (pure)."""

from __future__ import annotations

from collections.abc import Sequence

from mcp_tencent.period_words import spoken_count
from scheduler.digest_facts import (
    AlertFacts,
    AnomalyFacts,
    AttemptFacts,
    CapacityFacts,
    IncidentFacts,
    LogFacts,
    NightFacts,
    Standing,
)
from scheduler.digest_tally import Tally, change_in_words, percent_in_words, score_in_words, tally

STANDING_WORDS = {
    Standing.NEEDS_HUMAN: "需要人工处理",
    Standing.OPEN: "还没有恢复",
    Standing.HEALED: "已经修好",
    Standing.RECOVERED: "已经自己恢复",
}
RUNG_WORDS = {
    "restart": "重启",
    "scale": "扩容",
    "roll_back": "回滚",
    "isolate": "隔离",
    "restore": "还原",
    "hand_over": "转人工",
}
OUTCOME_WORDS = {
    "healed": "修好了",
    "better_kept": "好转了，改动留着",
    "not_better_restored": "没有好转，已还原",
    "worse_restored": "变差了，已还原",
    "restore_failed": "还原失败",
    "blocked_by_policy": "策略不允许",
    "out_of_budget": "次数用完",
    "abandoned": "中途放弃",
    "already_recovered": "已自己恢复",
}
LEVEL_WORDS = {"ERROR": "错误", "FATAL": "致命错误", "WARN": "警告", "INFO": "普通"}
_ACTED = frozenset({"healed", "better_kept", "not_better_restored", "worse_restored", "restore_failed"})
_NAME = 24
_REASON = 40
_REASONS_TOLD = 3


def one_line(text: str, most: int) -> str:
    """Return text from outside as one short line without control characters, fit to stand in a sentence."""
    plain = " ".join("".join(one if one.isprintable() else " " for one in text).split()).rstrip("。，；,;. ")
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"


def title_of(one: IncidentFacts | AlertFacts) -> str:
    """Return what a trouble is called."""
    return one_line(one.title or one.name, _NAME)


def opening_of(facts: NightFacts) -> str:
    """Return the opening sentences by the rules."""
    counts = tally(facts)
    if not counts.troubles:
        if counts.gaps and not any(one.readable for one in facts.clusters):
            return "昨天的情况我没有读到。"
        return "昨天没有看到告警，不过有些地方读不到。" if counts.gaps else "昨天没有告警。"
    if counts.troubles == 1:
        told = _records(facts, counts.records, "是同一个问题")
        return f"{told if counts.records else f'{told}有1个问题'}，{_one_left(counts)}。"
    words = _records(facts, counts.records, f"合并成{counts.troubles}个问题")
    words = words if counts.records else f"{words}有{counts.troubles}个问题"
    parts = [
        f"修好了{counts.healed}个" if counts.healed else "",
        f"自己恢复了{counts.recovered}个" if counts.recovered else "",
        f"还有{counts.unsolved}个没有解决" if counts.unsolved else "",
    ]
    if counts.recovered == counts.troubles:
        return f"{words}，都已经自己恢复。"
    if counts.healed == counts.troubles:
        return f"{words}，都已经修好。"
    if counts.unsolved == counts.troubles:
        return f"{words}，{'都' if counts.troubles > 1 else ''}还没有解决。"
    return f"{words}，{'，'.join(part for part in parts if part)}。"


def _records(facts: NightFacts, records: int, grouped: str) -> str:
    """Say how many alerts there were, and when: those of this morning are counted as well."""
    last = [one.last_at or one.began_at for one in facts.alerts]
    when = "昨天到今早" if any(at is not None and at.date() == facts.date for at in last) else "昨天"
    if not records:
        return when
    return f"{when}{spoken_count(records)}条告警{f'，{grouped}' if records > 1 else ''}"


def _one_left(counts: Tally) -> str:
    if counts.unsolved:
        return "还没有解决"
    return "已经修好" if counts.healed else "已经自己恢复"


def incident_spoken(one: IncidentFacts) -> str:
    """Say an incident shortly."""
    begin = f"{title_of(one)}，{score_in_words(one.score)}。"
    acted = [each for each in one.attempts if each.outcome in _ACTED]
    tried = _tried(acted)
    if one.standing is Standing.HEALED:
        healer = next((each for each in reversed(acted) if each.outcome == "healed"), None)
        by = f"{RUNG_WORDS.get(healer.rung, '处理')}后" if healer else ""
        return f"{begin}{by}已经恢复。"
    if one.standing is Standing.RECOVERED:
        return f"{begin}已经自己恢复。"
    why = one_line(one.unsolved_because, _REASON)
    begin += f"可能是{one_line(one.cause, _REASON)}。" if one.cause else ""
    if any(each.outcome == "restore_failed" for each in acted):
        return f"{begin}{tried}没有修好，还原也失败了，请尽快处理。"
    if acted:
        rest = f"，{why}" if why and not one.exhausted else ""
        if any(each.outcome == "better_kept" for each in acted):
            return f"{begin}{tried}好转了，但没有完全恢复，见效的改动留着{rest}。"
        # A restart leaves nothing to take back.
        taken_back = "，改动已还原" if any(each.rung != "restart" for each in acted) else ""
        return f"{begin}{tried}没有修好{taken_back}{rest}。"
    undone = next((each for each in reversed(one.attempts) if each.outcome == "abandoned"), None)
    if undone is not None:
        because = one_line(undone.reason, _REASON)
        return (
            f"{begin}想{RUNG_WORDS.get(undone.rung, '处理')}，没有做成{f'，{because}' if because else ''}。"
        )
    if one.exhausted and why:
        return f"{begin}{why}。"
    why = why.removesuffix("，不自动处理")  # said already
    return f"{begin}没有自动处理{f'，因为{why}' if why else ''}。"


def incident_detail(one: IncidentFacts) -> str:
    """Say an incident in full."""
    sentences = [f"{title_of(one)}，{score_in_words(one.score)}，{STANDING_WORDS[one.standing]}。"]
    sentences += _because(one.reasons)
    if one.cause:
        sentences.append(f"最可能的原因是{one_line(one.cause, 60)}。")
    sentences += [f"第{each.number}次，{attempt_in_words(each)}。" for each in one.attempts]
    if one.unsolved_because:
        sentences.append(f"没有解决，因为{one_line(one.unsolved_because, 60)}。")
    return "".join(sentences)


def attempt_in_words(one: AttemptFacts) -> str:
    """Say an attempt and what came of it."""
    outcome = OUTCOME_WORDS.get(one.outcome or "", "还在进行")
    why = one_line(one.reason, _REASON)
    return f"{one_line(one.action, _REASON)}，{outcome}{f'，{why}' if why else ''}"


def alert_spoken(one: AlertFacts) -> str:
    """Say a group of alerts shortly."""
    begin = f"{title_of(one)}，{score_in_words(one.score)}，{STANDING_WORDS[one.standing]}。"
    return f"{begin}{one_line(one.because[0], _REASON)}。" if one.because else begin


def alert_detail(one: AlertFacts) -> str:
    """Say a group of alerts in full."""
    sentences = [
        f"{title_of(one)}，{score_in_words(one.score)}，{STANDING_WORDS[one.standing]}，共{one.alerts}条告警。"
    ]
    sentences += _because(one.because)
    if len(one.affected) > 1:
        sentences.append(f"涉及{'、'.join(one_line(each, _NAME) for each in one.affected[:3])}。")
    return "".join(sentences)


def logs_spoken(logs: LogFacts) -> str:
    """Say how a day's logs compare with the days before."""
    if not logs.lines:
        return "昨天没有日志。"
    volume, errors = (
        change_in_words(logs.lines, logs.lines_usual),
        change_in_words(logs.errors, logs.errors_usual),
    )
    words = f"日志{spoken_count(logs.lines)}条{f'，{volume}' if volume else ''}。"
    if not logs.errors:
        return f"{words}没有错误日志。"
    return f"{words}错误{spoken_count(logs.errors)}条{f'，{errors}' if errors else ''}。"


def logs_detail(logs: LogFacts) -> str:
    """Say more of a day's logs."""
    words = logs_spoken(logs)
    if logs.errors:
        words += f"错误占日志的{percent_in_words(logs.error_share)}"
        words += (
            f"，前{logs.days_before}天是{percent_in_words(logs.error_share_usual)}。"
            if logs.days_before
            else "。"
        )
    if logs.patterns:
        first = logs.patterns[0]
        who = f"{one_line(first.workload, _NAME)}的" if first.workload else ""
        words += f"最多的是{who}{one_line(first.template, 60)}，{spoken_count(first.count)}条。"
    return words


def anomaly_spoken(one: AnomalyFacts) -> str:
    """Say what was unusual."""
    level = LEVEL_WORDS.get(one.level.upper(), "")
    than = f"多到{spoken_count(one.observed)}条" if one.up else f"少到{spoken_count(one.observed)}条"
    new = "，内容以前没有出现过" if one.new else ""
    who = one_line(one.workload, _NAME) or "有个服务"
    return f"{who}的{level}日志{than}，平时{spoken_count(one.expected)}条{new}。"


def anomaly_detail(one: AnomalyFacts) -> str:
    """Say what was unusual, and what the lines say."""
    said = "；".join(one_line(pattern, 60) for pattern in one.patterns[:2])
    return f"{anomaly_spoken(one)}{f'内容是：{said}。' if said else ''}"


def capacity_spoken(one: CapacityFacts) -> str:
    """Say what runs full."""
    when = f"，照这样{one.days_left}天后会用满" if one.days_left is not None else ""
    return f"{one_line(one.target, _NAME)}的{one.resource}最高用到百分之{one.percent:.0f}{when}。"


def _tried(attempts: Sequence[AttemptFacts]) -> str:
    names = list(dict.fromkeys(RUNG_WORDS.get(one.rung, "处理") for one in attempts))
    if not names:
        return ""
    joined = names[0] if len(names) == 1 else f"{'、'.join(names[:-1])}和{names[-1]}"
    return f"试过{joined}，"


def _because(reasons: Sequence[str]) -> list[str]:
    told = "，".join(one_line(each, _REASON) for each in reasons[:_REASONS_TOLD])
    return [f"评分依据是{told}。"] if told else []
