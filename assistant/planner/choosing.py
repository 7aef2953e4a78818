"""Which tool explains most of a sentence, and with which arguments (pure).

Every tool is a hypothesis. What it needs to hear counts for it, what it cannot explain counts against it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from assistant.planner.arguments import call_of, take
from assistant.planner.inventory import Inventory
from assistant.planner.lexicon import Lexicon, Tool
from assistant.planner.plan import PlannedCall, TurnContext
from assistant.planner.reading import Piece, Reading
from assistant.planner.taking import Source, Taken, is_key

_CONCEPT, _VALUE, _MORE, _ARGUMENT = 2.0, 1.5, 0.4, 0.5
_UNEXPLAINED, _UNEXPLAINED_NAME, _UNEXPLAINED_TEXT, _UNEXPLAINED_ACT, _MISSING = 1.6, 1.5, 0.8, 4.0, 1.5
_ACTS = frozenset(
    {
        "restart",
        "scale",
        "roll_back",
        "isolate",
        "release_isolation",
        "delete",
        "delete_all",
        "apply",
        "resize",
        "relative",
    }
)
"""Whoever says one of these wants no mere look."""
_MANNER = frozenset({"then", "pronoun", "repeated", "correction", "and", "asking_act", "conditional"})
"""What says how something is asked, not what."""
ENOUGH = 1.0
"""Score from which a tool is taken for what is meant."""
_HELD = {
    "@workload": "last_workload", "@cluster": "last_cluster", "@topic": "last_topic", "@pod": "last_pod",
    "@alert": "last_alert", "@incident": "last_incident",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidate:
    """One tool as what a sentence may mean.

    Args:
        tool: The tool.
        taken: Its arguments.
        missing: What it needs and does not have.
        unexplained: Pieces with content that it cannot explain.
        score: How well it explains the sentence.
        concepts: How many concepts of its `when` were said; 0 when only names and values were.
    """

    tool: Tool
    taken: dict[str, Taken]
    missing: tuple[str, ...]
    unexplained: tuple[Piece, ...]
    score: float
    concepts: int

    @property
    def call(self) -> PlannedCall:
        """The call that it comes to."""
        return call_of(self.tool, self.taken)


def candidates(
    reading: Reading, *, lexicon: Lexicon, inventory: Inventory, context: TurnContext, goes_on: bool
) -> list[Candidate]:
    """Return every tool that may be meant, best first.

    Args:
        reading: The sentence, or a part of it.
        lexicon: The tools.
        inventory: For the default cluster.
        context: What the request before left behind.
        goes_on: The sentence goes on with the request before.
    """
    keys = frozenset(reading.keys) | _derived(reading, context)
    found = []
    for tool in lexicon.tools.values():
        matched = _matched(tool, keys)
        if matched is not None:
            found.append(
                _candidate(
                    tool, matched, Source(reading, tool, inventory, context, inherit=True, goes_on=goes_on)
                )
            )
    found.sort(key=lambda one: -one.score)
    return found


def fill(source: Source) -> dict[str, Taken]:
    """Return every argument that the sentence has for a tool."""
    return {
        parameter: taken for parameter in source.tool.take if (taken := take(source, parameter)) is not None
    }


def unexplained(
    reading: Reading, tool: Tool, taken: Iterable[Taken], said: frozenset[str] = frozenset()
) -> tuple[Piece, ...]:
    """Return the pieces with content that a tool with these arguments says nothing about."""
    used = {id(piece) for one in taken for piece in one.pieces}
    asked_by = {
        concept
        for line in tool.when
        for token in line
        if token[0] not in "@!"
        for concept in token.split("|")
    }
    known = tool.also | said | asked_by | {concept for choice in tool.choices.values() for concept in choice}
    return tuple(
        piece
        for piece in reading.pieces
        if id(piece) not in used
        and not reading.is_light(piece)
        and piece.keys.isdisjoint(known)
        and not piece.keys & _MANNER
        and not _side_by_side(piece, reading, used)
        and not _named_again(piece, reading, used)
    )


def _named_again(piece: Piece, reading: Reading, used: set[int]) -> bool:
    """Return whether a name is that of a thing that is used: 重启某某，对，就是某某服务."""
    return bool(piece.things) and any(
        set(piece.things) == set(one.things) for one in reading.pieces if id(one) in used
    )


def _side_by_side(piece: Piece, reading: Reading, used: set[int]) -> bool:
    """Return whether a name stands beside another of its kind that is used: 甲服务和乙服务."""
    kinds = {thing.kind for thing in piece.things}
    same = [one for one in reading.pieces if id(one) in used and kinds & {thing.kind for thing in one.things}]
    told = piece.keys & {"@incident", "@ordinal"}
    same += [one for one in reading.pieces if id(one) in used and told & one.keys]
    return bool(same) and reading.has("and")


def _derived(reading: Reading, context: TurnContext) -> frozenset[str]:
    """Return what can be said to be there though no piece says it: what a pronoun stands for, a condition."""
    keys: set[str] = set()
    if reading.has("pronoun"):
        keys |= {key for key, held in _HELD.items() if getattr(context, held)}
        if context.last_call is not None and "alarm" in context.last_call.arguments:
            keys.add("@alarm")
    if context.last_topic:
        keys.add("@last_topic")
    if context.last_workload:
        keys.add("@recent_workload")
    if context.last_alerts:
        keys.add("@told_alerts")
    for key in ("last_pod", "last_link", "last_manifest", "last_incident"):
        if getattr(context, key):
            keys.add(f"@{key}")
    if reading.has("@word", "@quoted", "status_code", "error", "warn_log", "fatal_log") or any(
        isinstance(piece.value, int) and 400 <= piece.value <= 599 and not piece.unit
        for piece in reading.all("@number")
    ):
        keys.add("@condition")
    if sum(map(is_key, reading.pieces)) >= 2 and reading.has("change"):
        keys.add("@change")
    if reading.has("email", "dingtalk", "wecom", "feishu", "group_chat", "all_channels", "@email"):
        keys.add("@channel")
    return frozenset(keys)


def _matched(tool: Tool, keys: frozenset[str]) -> tuple[str, ...] | None:
    best: tuple[str, ...] | None = None
    for line in tool.when:
        wanted = tuple(token for token in line if not token.startswith("!"))
        if (
            all(not keys.isdisjoint(token.split("|")) for token in wanted)
            and not any(token[1:] in keys for token in line if token.startswith("!"))
            and (best is None or _worth(wanted) > _worth(best))
        ):
            best = wanted
    return best


def _worth(tokens: tuple[str, ...]) -> float:
    return sum(_VALUE if token.startswith("@") else _CONCEPT for token in tokens)


def _candidate(tool: Tool, matched: tuple[str, ...], source: Source) -> Candidate:
    reading = source.reading
    taken = fill(source)
    said = frozenset(
        concept for token in matched for concept in token.split("|") if not concept.startswith("@")
    )
    left = unexplained(reading, tool, taken.values(), said)
    missing = tuple(need for need in tool.need if not any(one in taken for one in need.split("|")))
    # One word that means two concepts is said once.
    said_by = {id(piece) for concept in said for piece in reading.keys.get(concept, ())}
    concepts = min(len(said), len(said_by))
    score = _worth(matched) - _CONCEPT * max(0, len(said) - len(said_by))
    more = [
        piece
        for piece in reading.pieces
        if piece.keys & tool.also and id(piece) not in said_by and not reading.is_light(piece)
    ]
    score += _MORE * len(more) + _ARGUMENT * sum(
        bool(one.pieces) and one.value != "" for one in taken.values()
    )
    score -= sum(_against(piece, tool) for piece in left) + _MISSING * len(missing)
    return Candidate(tool, taken, missing, left, score, concepts)


def _against(piece: Piece, tool: Tool) -> float:
    makes = piece.keys & {"create", "change"} and len(piece.text) > 1
    if tool.risk == "read" and (piece.keys & _ACTS or makes):
        return _UNEXPLAINED_ACT
    if "@text" in piece.keys:
        return _UNEXPLAINED_TEXT * min(2.0, len(piece.text) / 2)
    if piece.things:
        return _UNEXPLAINED_NAME
    return _UNEXPLAINED * (1.0 if len(piece.text) > 1 else 0.6)
