"""Several at once, and nobody left behind."""

from __future__ import annotations

import asyncio

import pytest

from mcp_tencent.side_by_side import side_by_side


async def test_results_come_in_the_order_asked_for() -> None:
    gate = asyncio.Event()

    async def waits() -> str:
        await gate.wait()
        return "first"

    async def opens() -> str:
        gate.set()
        return "second"

    assert await side_by_side([waits(), opens()]) == ["first", "second"]


async def test_when_one_fails_the_others_have_ended_before_the_error_arrives() -> None:
    ended: list[str] = []

    async def fails() -> None:
        raise ValueError("no")

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    with pytest.raises(ValueError, match="no"):
        await side_by_side([waits(), fails(), waits()])
    assert ended == ["cancelled", "cancelled"]


async def test_who_cancels_the_whole_cancels_each() -> None:
    ended: list[str] = []
    started = asyncio.Event()

    async def waits() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    whole = asyncio.ensure_future(side_by_side([waits(), waits()]))
    await started.wait()
    whole.cancel()
    with pytest.raises(asyncio.CancelledError):
        await whole
    assert ended == ["cancelled", "cancelled"]
