"""A rig that runs nights in processes of their own and kills them with SIGKILL, again and again.

Usage: crash_rig.py FOLDER, then a JSON object (see `Order`) a line on stdin, and an answer a line on stdout.

Processes are forked from this one, which has imported everything and has no threads, so that a new one costs
no import. Each order gets a cloud in a process of its own, which outlives the nights, and one night after the
other: each is killed at the next moment at which none was killed before, until one comes to the end. All of
them share one clock, which stands still but for waits. The moments of a step are

    - for a step of the ladder, inside each of its requests, told apart by method and path, or action of the
      API: for one that writes when it has arrived at the cloud, and for every one when the cloud has done
      what it asks for and the answer is lost;
    - when it has been done, and the engine has not recorded it;
    - when the engine has recorded it.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import itertools
import json
import logging
import mmap
import os
import shutil
import signal
import struct
import sys
import threading
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from dbos import DBOS
from sqlmodel import select
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.app import open_records
from assistant.home import find_home
from assistant.night_house import NightHouse, Tempo, let_heal, open_night
from assistant.servers import Installation
from assistant.settings import Settings
from mcp_tencent.cloud.calling import Calling, CallPolicy
from mcp_tencent.cloud.tencentcloud.caller import Account
from mcp_tencent.devops.healing.plan_records import HealingPlanRow, HeldWorkloadRow
from mcp_tencent.durable_dbos import DbosSteps
from mcp_tencent.gateway.records import KeyRow
from mcp_tencent.local_cloud import server as cloud_server
from mcp_tencent.local_cloud.kubernetes.store import Change
from mcp_tencent.local_cloud.scenario.reading import load_scenario
from mcp_tencent.local_cloud.server import LocalCloud
from mcp_tencent.local_cloud.tencent.limits import RequestLimits
from mcp_tencent.tables import reading
from tests.mcp_tencent.basic.office import MORNING, ZONE

Result = TypeVar("Result")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LADDER = 4
"""The first step of the ladder: behind begin, alerts, logs and open."""
_CLOCK, _NIGHT, _RECORDED, _REDONE = range(0, 32, 8)


class Shared:
    """What the processes of one order have in common: eight-byte numbers in shared memory."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 4096)

    def get(self, place: int) -> int:
        return int(struct.unpack_from("q", self._memory, place)[0])

    def set(self, place: int, value: int) -> None:
        struct.pack_into("q", self._memory, place, value)

    def kill_night(self) -> None:
        """Kill the night's process, which may be the caller's own."""
        night = self.get(_NIGHT)
        if night > 0:
            os.kill(night, signal.SIGKILL)


class SharedClock:
    """The same time in all processes; it stands still but for waits."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def now(self) -> datetime:
        return _EPOCH + timedelta(microseconds=self._shared.get(_CLOCK))

    def reach(self, instant: datetime) -> None:
        self._shared.set(
            _CLOCK, max(self._shared.get(_CLOCK), (instant - _EPOCH) // timedelta(microseconds=1))
        )

    def advance(self, seconds: float) -> None:
        self.reach(self.now() + timedelta(seconds=seconds))


class WaitsOnSharedClock:
    """Waiting for the cloud moves the clock."""

    def __init__(self, clock: SharedClock) -> None:
        self._clock = clock

    def monotonic(self) -> float:
        return self._clock.now().timestamp()

    async def sleep(self, seconds: float) -> None:
        self._clock.advance(seconds)


class WallOfLife:
    """The device's own time: it goes on a little with each look, and 20 s pass before a second life."""

    def __init__(self, life: int) -> None:
        self._now = MORNING + timedelta(seconds=600 * life)

    def now(self) -> datetime:
        self._now += timedelta(milliseconds=200)
        return self._now


@dataclass(frozen=True)
class Order:
    """What is to be run.

    Attributes:
        scenario: name or file.
        policy: YAML; empty for the defaults.
        hours: of history.
        first: the first step in which it is killed, from 0; a step counts once, however often it is begun.
        last: the last one.
        outage_s: what passes between two lives, so that an act done twice carries two times.
    """

    scenario: str
    policy: str
    hours: int
    first: int
    last: int
    outage_s: int

    def kills_in(self, step: int) -> bool:
        return self.first <= step <= self.last

    def kills_inside(self, step: int) -> bool:
        return step >= LADDER and self.kills_in(step)


def fork(task: Callable[[], None]) -> int:
    """Run a task in a process of its own, and return its id."""
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setpgid(0, 0)
        task()
    except BaseException:  # noqa: BLE001 - nothing of the rig's own may run on in the child
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def ended(pid: int) -> int:
    """Wait for a process; return its status as Popen would."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


# The cloud's process.


class Effects:
    """What clients have changed in the clusters: not what controllers make of it."""

    _KINDS = frozenset(
        {"Deployment", "StatefulSet", "DaemonSet", "ConfigMap", "NetworkPolicy", "Service", "Node"}
    )

    def __init__(self) -> None:
        self.seen: list[str] = []

    def observe(self, change: Change) -> None:
        kind = change.kind
        if kind not in self._KINDS:
            return
        if change.type != "MODIFIED" or change.previous is None:
            self.seen.append(f"{change.type} {kind} {change.name}")
            return
        before, after = change.previous, change.object
        parts = sorted(
            f"spec.{key}"
            for key in {*(before.get("spec") or {}), *(after.get("spec") or {})}
            if (before.get("spec") or {}).get(key) != (after.get("spec") or {}).get(key)
        )
        if before.get("data") != after.get("data"):
            parts.append("data")
        if parts:
            self.seen.append(f"{change.type} {kind} {change.name}: {', '.join(parts)}")


def killing(app: ASGIApp, order: Order, shared: Shared) -> ASGIApp:
    """Kill the night inside each request of a step, one after the other."""
    asked: set[tuple[int, str, str, str]] = set()
    answered: set[tuple[int, str, str, str]] = set()

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not order.kills_inside(shared.get(_RECORDED)):
            await app(scope, receive, send)
            return
        action = dict(scope["headers"]).get(b"x-tc-action", b"").decode()
        request = (shared.get(_RECORDED), scope["method"], scope["path"], action)
        if not action and scope["method"] != "GET" and request not in asked:
            asked.add(request)
            shared.kill_night()
            return

        dies = request not in answered

        async def sending(message: Message) -> None:
            if not dies:
                await send(message)
            elif request not in answered:
                answered.add(request)
                shared.kill_night()

        await app(scope, receive, sending)

    return served


def run_cloud(order: Order, shared: Shared, pipe: int, until: int, result: Path) -> None:
    """Serve until the other end of `until` is closed, then tell what was changed."""
    scenario = load_scenario(order.scenario).model_copy(update={"history": timedelta(hours=order.hours)})
    plain = cloud_server._uvicorn_config
    cloud_server._uvicorn_config = lambda app: plain(killing(app, order, shared))  # type: ignore[arg-type]
    logging.disable(logging.ERROR)  # requests that are left without an answer
    effects = Effects()
    cloud = LocalCloud(scenario, clock=SharedClock(shared), limits=RequestLimits(default_per_second=1000))
    for cluster in cloud.world.clusters.values():
        cluster.kubernetes.store.observe(effects.observe)
    with cloud:
        told = {
            "url": cloud.url,
            "secret_id": cloud.credentials.secret_id,
            "secret_key": cloud.credentials.secret_key,
            "regions": sorted({one.region for one in scenario.clusters}),
        }
        os.write(pipe, json.dumps(told).encode() + b"\n")
        os.close(pipe)
        os.read(until, 1)
        standing = {
            f"{workload.get('kind', kind)} {workload['metadata']['name']}": _standing(workload)
            for cluster in cloud.world.clusters.values()
            for kind in ("Deployment", "NetworkPolicy")
            for workload in cluster.kubernetes.store.each(kind)
        }
    result.write_text(
        json.dumps({"effects": effects.seen, "standing": standing, "cpu_s": time.process_time()}),
        encoding="utf-8",
    )


def _standing(workload: dict[str, Any]) -> dict[str, Any]:
    template = json.loads(json.dumps(workload.get("spec", {}).get("template", {})))
    annotations = template.get("metadata", {}).get("annotations", {})
    restarted = annotations.pop("kubectl.kubernetes.io/restartedAt", None) is not None
    text = json.dumps(template, sort_keys=True)
    return {
        "replicas": workload.get("spec", {}).get("replicas"),
        "generation": workload["metadata"].get("generation"),
        "revision": workload["metadata"].get("annotations", {}).get("deployment.kubernetes.io/revision"),
        "restarted": restarted,
        "template": hashlib.sha256(text.encode()).hexdigest(),
    }


# The night's process.


def dying(order: Order, shared: Shared) -> None:
    """Die once when a step has been done, and once when it has been recorded."""
    plain = DbosSteps.step

    async def step(self: DbosSteps, name: str, action: Callable[[], Awaitable[Result]]) -> Result:
        done = False

        async def watched() -> Result:
            nonlocal done  # stays as it is for a step on record, which is not done again
            result = await action()
            done = True
            number = shared.get(_RECORDED)
            if order.kills_in(number) and shared.get(_REDONE) <= number:
                shared.set(_REDONE, number + 1)
                shared.kill_night()
            return result

        result = await plain(self, name, watched)
        if done:
            number = shared.get(_RECORDED)
            shared.set(_RECORDED, number + 1)
            if order.kills_in(number):
                shared.kill_night()
        return result

    DbosSteps.step = step  # type: ignore[method-assign]


def run_night(order: Order, cloud: dict[str, Any], folder: Path, shared: Shared, life: int) -> None:
    """Run the night to its end, or until it is killed; tell how things stand."""
    shared.set(_NIGHT, os.getpid())
    dying(order, shared)
    asyncio.run(_night(cloud, folder, SharedClock(shared), life))


def installation_in(folder: Path, cloud: dict[str, Any], clock: SharedClock, life: int) -> Installation:
    account = Account(
        name="local",
        secret_id=cloud["secret_id"],
        secret_key=cloud["secret_key"],
        regions=tuple(cloud["regions"]),
        endpoint=cloud["url"],
    )
    return Installation(
        home=find_home(folder, {}),
        settings=Settings(),
        environ={},
        clock=clock,
        accounts=[account],
        calling=Calling(CallPolicy(total_seconds=60), WaitsOnSharedClock(clock)),
        wall=WallOfLife(life),
    )


def tempo_of(clock: SharedClock) -> Tempo:
    async def until(seconds: float) -> str:
        return (clock.now() + timedelta(seconds=seconds)).isoformat()

    async def sleep(seconds: float) -> None:
        # As DBOS sleeps: the end is on record, so that nobody waits for it twice.
        end = await DBOS.run_step_async({"name": "until"}, until, seconds)
        clock.reach(datetime.fromisoformat(end))

    async def pause(seconds: float) -> None:
        clock.advance(seconds)
        await asyncio.sleep(0.01)

    return Tempo(sleep=sleep, pause=pause, polling_s=0.03, beat_s=0.1, patience_s=0.3)


async def _night(cloud: dict[str, Any], folder: Path, clock: SharedClock, life: int) -> None:
    installation = installation_in(folder, cloud, clock, life)
    async with open_night(installation, tempo_of(clock), executor_id=f"life-{life}") as house:
        on = MORNING.astimezone(ZONE).date()
        end = await house.nights.run(on)
        stored = house.digests.get(on)
        state = {
            "outcome": end.outcome,
            "detail": end.detail,
            "endings": [[one.status, one.end, one.reason, one.cause] for one in end.endings],
            "attempts": [
                [a.number, a.rung.name, a.action, a.outcome, a.reason, a.checkpoint_id is not None]
                for one in end.endings
                for a in house.incidents.attempts(one.incident_id)
            ],
            "timeline": [
                [event.kind, event.text]
                for one in end.endings
                for event in house.incidents.timeline(one.incident_id)
            ],
            "digest": None if stored is None else json.loads(stored.content_json),
            "audit": [[line.tool, line.risk, line.outcome, line.origin] for line in house.trail.lines()],
            "faults": [fault.sentence for fault in house.trail.verify()],
            "budget": _budget(house),
            "runs": len(house.runs.latest("night")),
            "cpu_s": time.process_time(),
        }
        (folder / "state.json").write_text(
            json.dumps(state, ensure_ascii=False, default=str), encoding="utf-8"
        )
    os._exit(0)


def _budget(house: NightHouse) -> dict[str, object]:
    with reading(house.engine) as session:
        plans = session.exec(select(HealingPlanRow)).all()
        held = session.exec(select(HeldWorkloadRow)).all()
        keys = session.exec(select(KeyRow)).all()
    return {
        "claimed": sorted(f"{one.workload}" for one in plans if one.claimed_at is not None),
        "taken_back": sum(one.taken_back_at is not None for one in plans),
        "held": len(held),
        "keys": sorted([one.tool, str(one.state)] for one in keys),
    }


# The rig.


def prepare(folder: Path) -> None:
    """Make a home whose tables stand, and in which everything may be healed."""
    shared = Shared()
    clock = SharedClock(shared)
    clock.reach(MORNING)
    cloud = {"url": "http://127.0.0.1:9", "secret_id": "x", "secret_key": "x", "regions": ["ap-guangzhou"]}
    installation = installation_in(folder, cloud, clock, 0)
    let_heal(installation, "act", ["shop", "report"])

    async def launch() -> None:
        async with open_night(installation, tempo_of(clock), executor_id="before"):
            pass

    asyncio.run(launch())
    with open_records(installation.home, installation.settings):
        pass


def carry_out(order: Order, template: Path, folder: Path) -> dict[str, Any]:
    """Run a night, killed once if the order says so, to its end."""
    shutil.copytree(template, folder)
    if order.policy:
        (folder / "policy.yaml").write_text(order.policy, encoding="utf-8")
    shared = Shared()
    SharedClock(shared).reach(MORNING)
    here, there = os.pipe()
    stop_read, stop_write = os.pipe()

    def cloud_task() -> None:
        os.close(stop_write)
        run_cloud(order, shared, there, stop_read, folder / "cloud.json")

    cloud_pid = fork(cloud_task)
    os.close(there)
    os.close(stop_read)
    try:
        with os.fdopen(here, encoding="utf-8") as told:
            cloud = json.loads(told.readline())
        for life in itertools.count():
            status = ended(fork(partial(run_night, order, cloud, folder, shared, life)))
            shared.set(_NIGHT, 0)
            if status != -signal.SIGKILL:
                break
            SharedClock(shared).advance(order.outage_s)
    finally:
        os.close(stop_write)
        ended(cloud_pid)
    state = json.loads((folder / "state.json").read_text(encoding="utf-8")) if status == 0 else {}
    seen = json.loads((folder / "cloud.json").read_text(encoding="utf-8"))
    shutil.rmtree(folder)
    return {"kills": life, "status": status, "steps": shared.get(_RECORDED), **seen, **state}


def main(folder: Path) -> NoReturn:
    logging.disable(logging.WARNING)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what anybody prints must not get between the answers
    template = folder / "template"
    if ended(fork(lambda: prepare(template))) != 0:
        raise SystemExit("the home could not be prepared")
    if threading.active_count() != 1:
        raise SystemExit("a process with threads must not be forked")
    gc.freeze()  # or collecting would copy all memory in each child
    for number, line in enumerate(sys.stdin):
        order = Order(**json.loads(line))
        answer = carry_out(order, template, folder / f"order-{number}")
        print(json.dumps(answer, ensure_ascii=False), file=answers, flush=True)
    raise SystemExit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
