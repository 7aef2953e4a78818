"""A process that runs one night on a local cloud in another process, and dies where it is told to.

Usage: night_process.py ORDERS.json, with

    {"home": DIR, "cloud": {"url", "secret_id", "secret_key", "regions"}, "date": "2026-11-21",
     "start": ISO, "began": ISO, "speed": 240, "executor": "one", "database_url": null or "postgresql+…"}

`start` is the cloud's time at the wall's time `began`; the cloud must run on the same `SharedClock`. The
environment variable NIGHT_DIES says where the process kills itself with SIGKILL, at the Nth time:

- `before:STEP:N`, `after:STEP:N` (the engine has recorded the result); STEP is the name of a step of the
  walks in scheduler/, such as `act` or `restore`;
- `claimed:KEY:N` (the gateway has claimed the key and nothing has gone out), `acted:KEY:N` (the act has taken
  effect and the gateway has not recorded it); KEY is the end of an idempotency key, such as `attempt-1-act`;
- `answered:TOOL:N` (the gateway has recorded the result, and the answer is lost).

Of processes with the same file in NIGHT_DIES_ONCE only the first one dies. When the night has ended,
`ended OUTCOME` is printed. With `"works": true` in its orders a process starts no night, and takes part in
what others start until it is terminated.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

from dbos import DBOS
from mcp.client import Client
from mcp_types import CallToolResult

from assistant.home import find_home
from assistant.night_house import Tempo, open_night
from assistant.servers import Installation
from assistant.settings import Settings
from mcp_tencent.cloud.calling import Calling, CallPolicy
from mcp_tencent.cloud.tencentcloud.caller import Account
from mcp_tencent.durable_dbos import DbosSteps
from mcp_tencent.gateway.call import ToolCall
from mcp_tencent.gateway.idempotency import Claim, KeyStore
from tests.scheduler.nights import SharedClock

Result = TypeVar("Result")


def die() -> None:
    if once := os.environ.get("NIGHT_DIES_ONCE"):
        try:
            os.close(os.open(once, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return
    os.kill(os.getpid(), signal.SIGKILL)


def dies_at(where: str) -> None:
    """Arrange for the process to be killed at a place such as `after:act:1`."""
    when, name, number = where.split(":")
    seen: Counter[str] = Counter()

    def reached(place: str) -> bool:
        seen[place] += place.endswith(name)
        return place.endswith(name) and sum(seen.values()) == int(number)

    {
        "before": dies_around_steps,
        "after": dies_around_steps,
        "claimed": dies_around_keys,
        "acted": dies_around_keys,
        "answered": dies_after_answers,
    }[when](when, reached)


def dies_around_steps(when: str, reached: Callable[[str], bool]) -> None:
    recorded = DbosSteps.step

    async def step(self: DbosSteps, name: str, action: Callable[[], Awaitable[Result]]) -> Result:
        here = reached(name)
        if here and when == "before":
            die()
        result = await recorded(self, name, action)
        if here:
            die()
        return result

    setattr(DbosSteps, "step", step)  # noqa: B010


def dies_around_keys(when: str, reached: Callable[[str], bool]) -> None:
    claimed, finished = KeyStore.claim, KeyStore.finish

    def claim(self: KeyStore, call: ToolCall) -> Claim | None:
        won = claimed(self, call)
        if when == "claimed" and won is not None and reached(won.key):
            die()
        return won

    def finish(self: KeyStore, claim: Claim, content: CallToolResult) -> None:
        if when == "acted" and reached(claim.key):
            die()
        finished(self, claim, content)

    setattr(KeyStore, "claim", claim)  # noqa: B010
    setattr(KeyStore, "finish", finish)  # noqa: B010


def dies_after_answers(_when: str, reached: Callable[[str], bool]) -> None:
    called = Client.call_tool

    async def call_tool(self, tool, *rest, **options):
        answer = await called(self, tool, *rest, **options)
        if reached(tool):
            die()
        return answer

    setattr(Client, "call_tool", call_tool)  # noqa: B010


async def main(orders: dict[str, Any]) -> None:
    speed = float(orders["speed"])
    clock = SharedClock(
        datetime.fromisoformat(orders["start"]), datetime.fromisoformat(orders["began"]), speed
    )
    cloud = orders["cloud"]
    settings = Settings()
    if orders.get("database_url"):
        settings = Settings.model_validate({"database_url": orders["database_url"]})
    installation = replace(
        Installation(
            home=find_home(Path(orders["home"]), {}),
            settings=settings,
            environ={},
            clock=clock,
            # Several processes and the cloud may share two cores.
            calling=Calling(CallPolicy(total_seconds=60, operation_seconds=180)),
            accounts=[
                Account(
                    name="local",
                    secret_id=cloud["secret_id"],
                    secret_key=cloud["secret_key"],
                    regions=tuple(cloud["regions"]),
                    endpoint=cloud["url"],
                )
            ],
        )
    )

    async def sleep(seconds: float) -> None:
        await DBOS.sleep_async(seconds / speed)

    tempo = Tempo(sleep=sleep, pause=asyncio.sleep, polling_s=0.05, beat_s=0.2, patience_s=2.0)
    async with open_night(installation, tempo, executor_id=orders["executor"]) as house:
        if orders.get("works"):
            print("working", flush=True)
            await asyncio.Event().wait()
        end = await house.nights.run(date.fromisoformat(orders["date"]))
        print(f"ended {end.outcome}", flush=True)


if __name__ == "__main__":
    if os.environ.get("NIGHT_DIES"):
        dies_at(os.environ["NIGHT_DIES"])
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
