"""`xiaozhi ask` and `xiaozhi eval`: what is understood of a sentence, and of a set of sentences."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.command_options import HomeOption, JsonOption, ScenarioOption

if TYPE_CHECKING:
    from assistant.planner.evaluate import Judged
    from assistant.planner.inventory import InventoryFile
    from assistant.planner.plan import Outcome

InventoryOption = Annotated[
    Path | None,
    typer.Option("--inventory", metavar="FILE", help="Names as a live cloud would tell them (JSON)."),
]
NowOption = Annotated[
    str | None,
    typer.Option("--now", metavar="ISO", help="Replaces the clock; default: the inventory's, else now."),
]


def ask(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="A question, as one would say it.")],
    person: Annotated[
        str | None, typer.Option("--as", metavar="PERSON", help="Who asks; default: the only administrator.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Plan only.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Confirm what is read back, unless it wants digits read aloud.")
    ] = False,
    inventory: InventoryOption = None,
    now: NowOption = None,
    scenario: ScenarioOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a typed question, and have it carried out; with --dry-run only say what would be done.

    Ends with 3 when it is refused by policy, and with 5 when an outside system does not answer.
    """
    import asyncio
    import logging

    from mcp_tencent.serving.masking import log_to_stderr

    log_to_stderr(logging.ERROR)
    if not dry_run:
        if inventory is not None or now is not None:
            raise typer.BadParameter("--inventory and --now go with --dry-run: nothing real has them")
        from assistant.asking import asked

        raise typer.Exit(
            asyncio.run(asked(text, person=person, home=home, scenario=scenario, yes=yes, as_json=as_json))
        )
    if inventory is None and now is None:
        from assistant.asking import planned

        _print_outcome(asyncio.run(planned(text, home, scenario)), as_json=as_json)
        return
    from assistant.planner.planner import Planner

    known = _inventory(inventory)
    outcome = Planner().plan(text, inventory=known.inventory(), now=_now(now, known))
    _print_outcome(outcome, as_json=as_json)


def evaluate(
    cases: Annotated[Path, typer.Argument(metavar="CASES.jsonl", help="One {id, say, expect} a line.")],
    inventory: InventoryOption = None,
    now: NowOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="RESULTS.jsonl", help="Writes each plan.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure how many sentences are understood exactly, overall and by intent."""
    from assistant.planner.evaluate import judge, read_cases, result_lines
    from assistant.planner.planner import Planner

    known = _inventory(inventory)
    judged = judge(read_cases(cases), Planner(), inventory=known.inventory(), now=_now(now, known))
    if out is not None:
        out.write_text("".join(f"{line}\n" for line in result_lines(judged)), encoding="utf-8")
    _print_accuracy(judged, as_json=as_json)


def _inventory(path: Path | None) -> InventoryFile:
    from pydantic import ValidationError

    from assistant.planner.errors import CasesUnusable
    from assistant.planner.inventory import InventoryFile, read_inventory

    if path is None:
        return InventoryFile()
    try:
        return read_inventory(path)
    except (OSError, ValidationError) as exc:
        raise CasesUnusable(f"cannot use the inventory {path}: {exc}") from exc


def _now(said: str | None, known: InventoryFile) -> datetime:
    from assistant.planner.errors import CasesUnusable

    text = said or known.now
    if not text:
        from assistant.clock import SystemClock

        return SystemClock().now()
    try:
        now = datetime.fromisoformat(text)
    except ValueError as exc:
        raise CasesUnusable(f"--now {text!r} is not ISO 8601") from exc
    if now.tzinfo is None:
        raise CasesUnusable(f"--now {text!r} has no offset, such as +08:00")
    return now


def _print_outcome(outcome: Outcome, *, as_json: bool) -> None:
    from assistant.planner.evaluate import written
    from assistant.planner.plan import Plan

    plan = written(outcome)
    spoken = "" if isinstance(outcome, Plan) else outcome.spoken
    understood = [{"text": one.text, "meaning": one.meaning} for one in outcome.explanations]
    if as_json:
        detail = {"confidence": getattr(outcome, "confidence", 0.0), "understood": understood}
        typer.echo(json.dumps({"plan": plan, "spoken": spoken, "detail": detail}, ensure_ascii=False))
        return
    for call in plan:
        typer.echo(f"{call['tool']} {json.dumps(call['arguments'], ensure_ascii=False)}")
    if spoken:
        typer.echo(spoken)


def _print_accuracy(judged: list[Judged], *, as_json: bool) -> None:
    from assistant.planner.evaluate import by_intent

    exact, total = sum(one.exact for one in judged), len(judged)
    intents = by_intent(judged)
    if as_json:
        table = {intent: {"exact": right, "total": all_} for intent, (right, all_) in intents.items()}
        accuracy = exact / total if total else 0.0
        typer.echo(
            json.dumps(
                {"exact": exact, "total": total, "accuracy": accuracy, "by_intent": table}, ensure_ascii=False
            )
        )
        return
    for intent, (right, all_) in intents.items():
        typer.echo(f"{right:4}/{all_:<4} {intent}")
    typer.echo(f"exact calls: {exact}/{total} = {100 * exact / total if total else 0:.1f} %")
