"""The question back: which of several things is meant, or what is still missing (pure)."""

from __future__ import annotations

from assistant.planner.choosing import Candidate
from assistant.planner.inventory import Thing
from assistant.planner.lexicon import Tool
from assistant.planner.names import Certainty, NameIndex
from assistant.planner.plan import Choice, Clarification, NoPlan, PlannedCall
from assistant.planner.reading import Reading

_MOST_CHOICES = 3
_QUESTIONS = {
    "workload": "是哪个服务？",
    "cluster": "是哪个集群？",
    "replicas": "要多少个副本？",
    "nodes": "要几个节点？",
    "pod": "是哪个 pod？",
    "topic": "是哪个日志主题？",
    "channel": "发到哪个渠道？",
    "report": "要发哪份报告？",
    "alert": "是哪一条告警？",
    "alarm": "是哪条告警策略？",
    "name": "叫什么名字？",
    "person": "是哪一位？",
    "permission": "给什么权限？",
    "percent": "音量调到百分之多少？",
    "phrase": "新的唤醒词是什么？",
    "incident": "是哪个故障？",
    "checkpoint": "是哪个检查点？",
    "node_pool": "是哪个节点池？",
    "dashboard": "是哪个大盘？",
    "start": "从几点到几点？",
    "manifest": "是哪份清单？",
    "mode": "观察、建议还是自动？",
}


def names_trouble(
    tool: Tool, reading: Reading, call: PlannedCall, *, strict: bool
) -> NoPlan | Clarification | None:
    """Return the question which of several things is meant, or whether a misheard one is."""
    for parameter, spec in tool.take.items():
        kind = (
            spec.removeprefix("name ") if spec.startswith("name ") else "workload" if spec == "target" else ""
        )
        piece = reading.first(f"@{kind}") if kind else None
        if piece is None or parameter not in call.arguments:
            continue
        things = tuple(thing for thing in piece.things if thing.kind == kind)
        others = {thing.id for thing in things}
        if len(others) > 1:
            return _which(tool, call, parameter, things)
        doubtful = Certainty.SAME_SOUND if strict else Certainty.MISHEARD
        if piece.certainty < doubtful:
            return _which(tool, call, parameter, things)
    return None


def _which(tool: Tool, call: PlannedCall, parameter: str, things: tuple[Thing, ...]) -> Clarification:
    named = things[:_MOST_CHOICES]
    labels = [thing.spoken if not thing.place else f"{thing.spoken}（{thing.place}）" for thing in named]
    choices = tuple(
        Choice(
            label=label,
            calls=(PlannedCall(tool=call.tool, arguments={**call.arguments, parameter: thing.id}),),
        )
        for label, thing in zip(labels, named, strict=True)
    )
    spoken = (
        f"您说的是{labels[0]}吗？"
        if len(labels) == 1
        else f"您说的是{'、'.join(labels[:-1])}还是{labels[-1]}？"
    )
    return Clarification(spoken=spoken, choices=choices, missing=parameter, tool=tool.name)


def question_for(best: Candidate, reading: Reading, names: NameIndex) -> Clarification:
    """Return the question for the first thing that a call still needs, with the names that sound nearest."""
    if near := nearest_names(best, reading, names):
        return near
    missing = best.missing[0].split("|")[0]
    return Clarification(
        spoken=_QUESTIONS.get(missing, "能说得再具体一点吗？"), missing=missing, tool=best.tool.name
    )


def nearest_names(best: Candidate, reading: Reading, names: NameIndex) -> Clarification | None:
    """Return the question which of the names that sound like an unknown one is meant; None when none does."""
    unknown = _unknown_name(best, reading)
    if not best.missing or not best.concepts or not unknown:
        return None
    missing = best.missing[0].split("|")[0]
    near = names.nearest(unknown, (missing,), _MOST_CHOICES)
    return _which(best.tool, best.call, missing, tuple(near)) if near else None


def _unknown_name(best: Candidate, reading: Reading) -> str:
    """Return the longest run of words that nothing explains: a name that nobody here knows."""
    left = {id(piece) for piece in best.unexplained}
    runs = [""]
    for piece in reading.pieces:
        inside = id(piece) in left or (runs[-1] and piece.keys & {"workload", "service", "cluster", "topic"})
        runs[-1:] = [runs[-1] + piece.text] if inside else [runs[-1], ""]
    return max(runs, key=len)
