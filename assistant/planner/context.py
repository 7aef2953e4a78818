"""What is meant when less is said: 成都的呢, 昨天的呢, 第二个, 不是，是另一个 (pure)."""

from __future__ import annotations

from dataclasses import replace

from assistant.planner.choosing import fill, unexplained
from assistant.planner.inventory import Inventory
from assistant.planner.lexicon import Lexicon
from assistant.planner.plan import PlannedCall, TurnContext, Value
from assistant.planner.reading import Reading
from assistant.planner.taking import Source

_INSTEAD = (
    "换成",
    "换",
    "改成",
    "改看",
    "改为",
    "换到",
    "改",
    "换一下",
    "改查",
    "换个",
    "切到",
    "切成",
    "切换到",
    "调到",
    "调成",
)
_NO = ("不", "没", "没有", "不是")
_INDEED = ("是", "应该是", "而是", "我说的是")
"""After a no they begin what is meant: 不是是乙."""
_ONLY = ("只看", "只要", "仅看", "单看", "就看", "光看", "再多", "多", "再来", "多来")
"""Said of what was looked at: the same, of something else."""


def after_call(context: TurnContext, call: PlannedCall) -> TurnContext:
    """Return what a call leaves behind for the next request."""
    changes: dict[str, str] = {}
    for parameter in ("workload", "cluster", "topic", "pod", "alert", "incident"):
        value = call.arguments.get(parameter)
        if isinstance(value, str):
            changes[f"last_{parameter}"] = value
    target = call.arguments.get("target")
    if call.tool == "resource_usage" and isinstance(target, str) and not target.startswith("cls-"):
        changes["last_workload"] = target
    return replace(context, last_call=call, **changes)  # type: ignore[arg-type]


def corrected(
    reading: Reading, *, lexicon: Lexicon, inventory: Inventory, context: TurnContext
) -> PlannedCall | None:
    """Return the last call with what was said put in its place, when the sentence corrects it."""
    last = context.last_call
    if last is None or last.tool not in lexicon.tools or not reading.has("correction") or _denies(reading):
        return None
    if not _looks(lexicon, last) and reading.has("show", "which", "state"):
        return None  # 我说的是看看乙: it was a look that was meant
    return _replaced(reading, last, lexicon, inventory, context.last_alerts)


def _denies(reading: Reading) -> bool:
    """Return whether a sentence says what is not meant, asks, or names several: 不是乙, 我说的是乙吗."""
    if reading.has("forbidding", "asking_act", "conditional", "who"):
        return True
    if reading.text.rstrip("。？！ ").endswith(("吗", "么", "没", "没有")):
        return True
    names = [kind for piece in reading.pieces for kind in {thing.kind for thing in piece.things}]
    if len(names) != len(set(names)):
        return True
    return any(
        (piece.text in _NO or piece.text.endswith("不是"))
        and (after := reading.after(piece)) is not None
        and "@mark" not in after.keys
        and after.text not in _INDEED
        for piece in reading.pieces
    )


def followed_up(
    reading: Reading, *, lexicon: Lexicon, inventory: Inventory, context: TurnContext
) -> PlannedCall | None:
    """Return the last call with other arguments, when the sentence has nothing but arguments for it."""
    last = context.last_call
    if last is None or last.tool not in lexicon.tools:
        return None
    asks_on = reading.text.rstrip("？。").endswith("呢") or reading.has("repeated")
    if lexicon.tools[last.tool].risk == "danger" and not reading.has("repeated"):
        return None
    pieces = [
        piece for piece in reading.pieces if not (piece.text in _INSTEAD + _ONLY and _looks(lexicon, last))
    ]
    instead = len(pieces) < len(reading.pieces)
    if (
        not asks_on
        and not instead
        and not (_looks(lexicon, last) and _all_arguments(reading, last, lexicon, inventory))
        and any(
            not reading.is_light(piece) and not any(key.startswith("@") for key in piece.keys)
            for piece in reading.pieces
        )
    ):
        return None
    return _replaced(reading.part(pieces), last, lexicon, inventory, context.last_alerts)


def _all_arguments(reading: Reading, last: PlannedCall, lexicon: Lexicon, inventory: Inventory) -> bool:
    """Return whether nothing but arguments of the call before is said: 从最早的开始, 五十条."""
    source = Source(reading, lexicon.tools[last.tool], inventory, TurnContext(), inherit=False)
    used = {id(piece) for one in fill(source).values() for piece in one.pieces}
    return all(id(piece) in used for piece in reading.pieces if not reading.is_light(piece))


def _looks(lexicon: Lexicon, last: PlannedCall) -> bool:
    """Return whether the call before was a mere look, so that 换成 changes what is looked at."""
    return lexicon.tools[last.tool].risk == "read"


def _replaced(
    reading: Reading,
    last: PlannedCall,
    lexicon: Lexicon,
    inventory: Inventory,
    alerts: tuple[str, ...] = (),
) -> PlannedCall | None:
    tool = lexicon.tools.get(last.tool)
    if tool is None:
        return None
    source = Source(reading, tool, inventory, TurnContext(last_alerts=alerts), inherit=False)
    said = {name: one for name, one in fill(source).items() if one.pieces}
    if not said or unexplained(reading, tool, said.values()):
        return None
    arguments: dict[str, Value] = dict(last.arguments)
    if "workload" in said and "namespace" not in said:
        # The namespace was that of the other workload.
        arguments.pop("namespace", None)
    for name, one in said.items():
        if one.value == "":
            arguments.pop(name, None)
        else:
            arguments[name] = one.value
    return PlannedCall(tool=last.tool, arguments=arguments)
