"""Why somebody wants an act is no request of its own: 卡住了，重启吧 (pure)."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.planner.reading import Piece, Reading

ACTS = frozenset({"restart", "scale", "roll_back", "isolate", "release_isolation", "delete", "resize"})
"""Whoever says one of these wants something done."""
COMPLAINTS = frozenset(
    {"symptom", "unhealthy", "not_ready", "failed", "restarting", "pending", "error", "anomaly", "log_word"}
)
_ASKS = frozenset(
    {"show", "which", "then", "forbidding", "conditional", "asking_act", "correction", "hands_off"}
)
_FORBIDDEN, _ISOLATED = frozenset({"forbidding"}), frozenset({"isolate"})
_OBJECTS = frozenset({"@workload", "@pod", "@node_pool", "@person", "@alarm"})
_NAMES = frozenset({*_OBJECTS, "@cluster", "@namespace", "pronoun"})
_QUESTIONS = ("有没有", "是不是", "吗", "么", "有无", "是否")
_BREAKS = "，。；！？"


def without_reasons(reading: Reading) -> Reading:
    """Return a sentence without its clauses that only say why; their names serve an act that names nothing.

    A clause is a reason when it complains or tells a state, asks nothing, and another clause asks for an act.
    """
    clauses = _clauses(reading)
    everything = frozenset(key for piece in reading.pieces for key in piece.keys)
    acting = [clause for clause in clauses if _has(clause, ACTS) and not _is_reason(clause, everything)]
    if len(clauses) < 2 or not acting:
        return reading
    acts = frozenset(key for clause in acting for piece in clause for key in piece.keys & ACTS)
    named = any(_has(clause, _OBJECTS) for clause in acting)
    kept: list[Piece] = []
    for clause in clauses:
        if clause not in acting and _is_reason(clause, acts):
            kept += [] if named else [piece for piece in clause if piece.keys & _NAMES]
        else:
            kept += clause
    return reading.part(kept)


def _clauses(reading: Reading) -> list[list[Piece]]:
    clauses: list[list[Piece]] = [[]]
    for piece in reading.pieces:
        clauses[-1].append(piece)
        if piece.text in _BREAKS and "@mark" in piece.keys:
            clauses.append([])
    return [clause for clause in clauses if any("@mark" not in piece.keys for piece in clause)]


def _is_reason(clause: Sequence[Piece], acts: frozenset[str]) -> bool:
    text = "".join(piece.text for piece in clause).rstrip("，。；！？ ")
    if _has(clause, _FORBIDDEN) and _has(clause, _ISOLATED) and "release_isolation" in acts:
        return True  # 放出来吧，别隔离了
    if _has(clause, _ASKS) or any(word in text for word in _QUESTIONS):
        return False
    told = text.endswith(("了", "着呢", "呢"))
    if _has(clause, ACTS):
        # 可以放出来了，取消隔离: the same act, first as what has become possible.
        said = frozenset(key for piece in clause for key in piece.keys & ACTS)
        return told and _has(clause, frozenset({"allow"})) and said <= acts
    return told or _has(clause, COMPLAINTS)


def _has(clause: Sequence[Piece], keys: frozenset[str]) -> bool:
    return any(piece.keys & keys for piece in clause)
