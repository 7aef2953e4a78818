"""Races for tests: many threads and processes that begin at the same moment."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from typing import TypeVar

Result = TypeVar("Result")


def race(contenders: Sequence[Callable[[], Result]]) -> list[Result]:
    """Run all contenders at once, each in a thread, and return what they returned, in their order."""
    barrier = threading.Barrier(len(contenders))

    def run(contender: Callable[[], Result]) -> Result:
        barrier.wait(timeout=30)
        return contender()

    with ThreadPoolExecutor(len(contenders)) as pool:
        return list(pool.map(run, contenders))


def race_of_processes(contender: Callable[[str], int], argument: str, *, count: int = 2) -> list[int]:
    """Run a module-level function at once in fresh processes; returns what they returned, sorted."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(count)
    results = context.SimpleQueue()
    processes = [
        context.Process(target=_contend, args=(contender, argument, barrier, results)) for _ in range(count)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=60)
    codes = [process.exitcode for process in processes]
    assert codes == [0] * count, f"exit codes {codes}"
    return sorted(results.get() for _ in processes)


def _contend(contender: Callable[[str], int], argument: str, barrier: Barrier, results: object) -> None:
    barrier.wait(timeout=60)
    results.put(contender(argument))  # type: ignore[attr-defined]
