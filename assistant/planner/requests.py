"""Where one sentence holds several requests: 看日志，然后重启它; pod 和事件 (pure)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from assistant.planner.choosing import ENOUGH, Candidate
from assistant.planner.context import after_call
from assistant.planner.held_readers import CHANNELS
from assistant.planner.lexicon import Tool
from assistant.planner.plan import TurnContext
from assistant.planner.reading import BREAKS, Piece, Reading
from assistant.planner.taking import Taken
from assistant.planner.times import same_length

_OBJECTS = frozenset(
    [
        "pod",
        "event",
        "log",
        "workload",
        "alarm",
        "incident",
        "service",
        "node",
        "node_pool",
        "namespace",
        "rollout_history",
        "checkpoint",
        "trend",
        "summarize",
        "keyword",
        "pattern",
        "alarm_policy",
        "dashboard",
        "topic",
        "logset",
        "usage",
        "cluster",
        "remediation",
        "bottleneck",
        "optimization",
        "remediation_stats",
        "alert_efficiency",
        "anomaly",
        "performance",
        "forecast",
        "notice",
        "delivery",
        "scheduled_sql",
    ]
)
_PLAIN_LOOKS = ("describe_cluster", "describe_workload", "list_workloads")
_KIND_NOUNS = frozenset({"cluster", "workload", "service", "namespace", "deployment"})
_MOST_REQUESTS = 6
"""Nobody asks for more in one breath; a text of many joints is no request."""


@dataclass(frozen=True, slots=True)
class Request:
    """A part of the sentence that asks for one thing.

    Args:
        reading: Its words.
        best: What it means; None for nothing.
        near: Everything that explains it as well as the best.
    """

    reading: Reading
    best: Candidate | None
    near: tuple[Candidate, ...] = ()


class Choose(Protocol):
    """Finds the tools that a part of a sentence may mean."""

    def __call__(self, part: Reading, remembered: TurnContext, *, goes_on: bool) -> Sequence[Candidate]:
        """Return them, best first."""
        ...


def requests_in(reading: Reading, context: TurnContext, choose: Choose) -> list[Request]:
    """Return the requests of a sentence in their order; names of an earlier one serve the later ones."""
    whole = _request(reading, context, choose, goes_on=_goes_on(reading, context))
    handed_on = _handed_on(reading)
    for splits, parts in (
        (_is_break, _parts(reading, _is_break)),
        (_is_joint, _parts(reading, _is_joint)),
        (_is_and, _parts(reading, _is_and)),
        (None, handed_on),
    ):
        if not 2 <= len(parts) <= _MOST_REQUESTS:
            continue
        requests = _in_turn(parts, reading, context, choose, splits)
        if len(requests) > 1 and _better(
            requests,
            whole,
            joined=any(_is_joint(piece) for piece in reading.pieces)
            or _objects_joined(reading)
            or _said_as_well(parts)
            or bool(handed_on),
        ):
            return requests
    return [whole]


def _of_the_same(request: Request, before: Request) -> Request:
    """Return a request with what was said once for two: 昨天的趋势和关键词, 南京的节点和命名空间."""
    one, other = request.best, before.best
    if one is None or other is None or one.tool.risk != "read":
        return request
    if any(piece.things for piece in request.reading.pieces):
        return request
    shared: dict[str, Taken] = {}
    for parameter in ("period", "cluster", "namespace"):
        said = other.taken.get(parameter)
        if said is None or not said.pieces or parameter in one.taken or parameter not in one.tool.take:
            continue
        value = said.value
        if parameter == "period":
            value = value or _default_period(other.tool)
            value = "" if same_length(str(value), _default_period(one.tool)) else value
        shared[parameter] = Taken(value, (), remembered=True)
    return replace(request, best=replace(one, taken={**one.taken, **shared}))


def _default_period(tool: Tool) -> str:
    spec = tool.take["period"]
    return spec.removeprefix("period ") if spec.startswith("period ") else "yesterday"


def _in_turn(
    parts: Sequence[Sequence[Piece]],
    reading: Reading,
    context: TurnContext,
    choose: Choose,
    splits: _Splits | None = None,
) -> list[Request]:
    requests: list[Request] = []
    leading: list[Piece] = []
    remembered = earlier = context
    for part in parts:
        pieces = [*leading, *part]
        request = _request(
            reading.part(pieces), remembered, choose, goes_on=bool(requests) or _goes_on(reading, context)
        )
        if not _stands(request):
            if requests:
                before = requests.pop()
                remembered = earlier
                request = _request(
                    reading.part([*before.reading.pieces, *part]),
                    remembered,
                    choose,
                    goes_on=bool(requests) or _goes_on(reading, context),
                )
            else:
                leading = pieces
                continue
        leading = []
        if requests and splits is _is_and:
            request = _of_the_same(request, requests[-1])
        requests.append(request)
        earlier = remembered
        if request.best is not None:
            remembered = after_call(remembered, request.best.call)
    if leading:
        requests.append(_request(reading.part(leading), remembered, choose, goes_on=bool(requests)))
    return [
        _completed(request, requests[position + 1 :], context, choose)
        for position, request in enumerate(requests)
    ]


def _completed(request: Request, later: Sequence[Request], context: TurnContext, choose: Choose) -> Request:
    """Return a request with the name that only a later one says: 先存个检查点，再回滚某某."""
    best = request.best
    if best is None or "workload" not in best.missing or best.tool.risk == "danger":
        return request
    said = next((one.best.call for one in later if one.best and "workload" in one.best.call.arguments), None)
    return _request(request.reading, after_call(context, said), choose, goes_on=False) if said else request


def _goes_on(reading: Reading, context: TurnContext) -> bool:
    """Return whether a sentence goes on with the turn before: 事件呢, 那趋势呢, 再看看日志."""
    if context.last_call is None:
        return False
    return reading.text.rstrip("？。 ").endswith("呢") or reading.text.startswith(
        ("那", "再", "顺便", "还有", "然后", "接着")
    )


def _better(requests: Sequence[Request], whole: Request, *, joined: bool) -> bool:
    """Return whether several requests explain a sentence better than one does."""
    if not all(_stands(request) for request in requests):
        return False
    if whole.best is None or whole.best.score < ENOUGH:
        return True
    parts = sum(request.best.score for request in requests if request.best)
    tools = {request.best.tool.name for request in requests if request.best}
    left = [piece for request in requests if request.best for piece in request.best.unexplained]
    own = {name for request in requests if request.best for name in request.best.call.arguments}
    apart = _side_by_side(requests) and (
        not own <= set(whole.best.call.arguments) or len(tools) > 1 or _contrary(requests)
    )
    more = parts > whole.best.score or (joined and parts == whole.best.score)
    fewer = len(left) <= len(whole.best.unexplained) and more
    return fewer and (bool(whole.best.unexplained) or (len(tools) > 1 and joined) or apart)


def _side_by_side(requests: Sequence[Request]) -> bool:
    """Return whether each request names its own thing: 主库 CPU 和缓存的内存, 钉钉关掉，飞书打开."""
    return all(
        any(piece.things or piece.keys & set(CHANNELS) for piece in request.reading.pieces)
        for request in requests
    )


def _contrary(requests: Sequence[Request]) -> bool:
    """Return whether the same is asked of two things in two ways: 钉钉关掉，飞书打开."""
    calls = [request.best.call for request in requests if request.best]
    return len({call.tool for call in calls}) == 1 and any(
        sum(one.arguments.get(name, value) != value for name, value in other.arguments.items()) > 1
        for one, other in itertools.pairwise(calls)
    )


def _said_as_well(parts: Sequence[Sequence[Piece]]) -> bool:
    """Return whether something further is asked for as well: pod 列一下，日志也看看; 怎么了，怎么修."""
    said = [frozenset(key for piece in part for key in piece.keys) for part in parts]
    further = all("repeated" in keys and keys & _OBJECTS for keys in said[1:])
    why_then_how = [keys & {"diagnose", "plan_fix"} for keys in said[:2]] == [{"diagnose"}, {"plan_fix"}]
    return further or why_then_how


def _objects_joined(reading: Reading) -> bool:
    """Return whether two things that are each asked for stand side by side: pod 和事件."""
    content = [piece for piece in reading.pieces if "and" in piece.keys or not reading.is_light(piece)]
    return any(
        "and" in piece.keys and before.keys & _OBJECTS and after.keys & _OBJECTS and before.keys != after.keys
        for before, piece, after in zip(content, content[1:], content[2:], strict=False)
    )


def _stands(request: Request) -> bool:
    best = request.best
    if best is None or best.score < ENOUGH or best.concepts == 0:
        return False
    # 带宽咋样，看某某集群: a thing with the noun of its kind asks for nothing yet.
    said = [piece for piece in request.reading.pieces if not request.reading.is_light(piece)]
    return (
        best.tool.name not in _PLAIN_LOOKS
        or request.reading.has("state")
        or any(not piece.things and piece.keys.isdisjoint(_KIND_NOUNS) for piece in said)
    )


def _request(reading: Reading, context: TurnContext, choose: Choose, *, goes_on: bool) -> Request:
    found = choose(reading, context, goes_on=goes_on)
    if not found:
        return Request(reading, None)
    near = tuple(one for one in found if found[0].score - one.score < 0.3)
    return Request(reading, found[0], near)


def _parts(reading: Reading, splits: _Splits) -> list[list[Piece]]:
    parts: list[list[Piece]] = [[]]
    for piece in reading.pieces:
        if splits(piece):
            parts.append([])
        else:
            parts[-1].append(piece)
    return [part for part in parts if any("@mark" not in piece.keys for piece in part)]


def _handed_on(reading: Reading) -> list[list[Piece]]:
    """Return a look and where its result is to go, said in one breath: 总结一下日志发到我邮箱."""
    pieces = list(reading.pieces)
    sends = [piece for piece in pieces if "send" in piece.keys and _goes_somewhere(piece, reading)]
    if len(sends) != 1 or reading.has("report", "@incident"):
        return []
    look, sending = pieces[: pieces.index(sends[0])], pieces[pieces.index(sends[0]) :]
    asked = any(piece.keys & {"show", "summarize", "diagnose", "analyze"} for piece in look)
    told = any(piece.keys & (_OBJECTS | {"error", "@topic"}) for piece in look)
    asked = asked or (told and any(piece.things for piece in look))
    return [look, sending] if asked else []


def _goes_somewhere(send: Piece, reading: Reading) -> bool:
    after = reading.after(send)
    return send.text.endswith(("到", "给", "我")) or (
        after is not None and bool(after.keys & {"email", "dingtalk", "wecom", "feishu", "group_chat"})
    )


class _Splits(Protocol):
    def __call__(self, piece: Piece) -> bool: ...


def _is_break(piece: Piece) -> bool:
    return (piece.text in BREAKS and "@mark" in piece.keys) or _is_joint(piece)


def _is_joint(piece: Piece) -> bool:
    return "then" in piece.keys


def _is_and(piece: Piece) -> bool:
    return _is_break(piece) or "and" in piece.keys
