"""One call for each of several things that are said side by side: 甲服务和乙服务, 钉钉和飞书 (pure)."""

from __future__ import annotations

from assistant.planner.arguments import call_of
from assistant.planner.choosing import Candidate
from assistant.planner.held_readers import CHANNELS
from assistant.planner.plan import PlannedCall
from assistant.planner.reading import Piece, Reading
from assistant.planner.taking import Taken


def for_each_name(best: Candidate, reading: Reading, alerts: tuple[str, ...] = ()) -> list[PlannedCall]:
    """Return one call for each of several things that are named side by side: 甲服务和乙服务."""
    for parameter, spec in best.tool.take.items():
        kind = (
            spec.removeprefix("name ") if spec.startswith("name ") else "workload" if spec == "target" else ""
        )
        taken = best.taken.get(parameter)
        pieces: list[Piece] = reading.all(f"@{kind}") if kind else []
        persons = spec == "name person" and best.tool.name not in ("grant", "remove_person")
        if taken is None or len(pieces) < 2 or persons:
            continue
        ids = list(
            dict.fromkeys(thing.id for piece in pieces for thing in piece.things if thing.kind == kind)
        )
        return [call_of(best.tool, {**best.taken, parameter: Taken(one)}) for one in ids]
    for parameter in ("incident", "alert"):
        ids = _ids_said(reading, parameter, alerts)
        if parameter in best.taken and len(ids) > 1 and reading.has("and"):
            return [call_of(best.tool, {**best.taken, parameter: Taken(one)}) for one in ids]
    people = list(dict.fromkeys(piece.things[0].id for piece in reading.all("@person")))
    if best.call.arguments.get("to") in people[:1] and len(people) > 1 and reading.has("and"):
        return [call_of(best.tool, {**best.taken, "to": Taken(one)}) for one in people]
    channels = list(dict.fromkeys(key for piece in reading.pieces for key in CHANNELS if key in piece.keys))
    if "channel" in best.taken and len(channels) > 1 and reading.has("and"):
        return [call_of(best.tool, {**best.taken, "channel": Taken(one)}) for one in channels]
    return [best.call]


def _ids_said(reading: Reading, kind: str, alerts: tuple[str, ...]) -> list[str]:
    """Return the incidents or alerts that are said by their ids, alerts also by their places."""
    ids = []
    for piece in reading.pieces:
        if f"@{kind}" in piece.keys and "@ordinal" not in piece.keys:
            ids.append(piece.text)
        elif kind == "alert" and "@ordinal" in piece.keys and isinstance(piece.value, int):
            ids += alerts[piece.value - 1 : piece.value] if piece.value > 0 else []
    return ids
