from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from mcp_tencent.local_cloud.conditions import Timeline
from mcp_tencent.local_cloud.logs.answers import Window
from mcp_tencent.local_cloud.logs.store import LogStore
from mcp_tencent.local_cloud.logs.topics import to_milliseconds
from mcp_tencent.local_cloud.simulation import ManualClock
from tests.mcp_tencent.local_cloud.logs.order_day import INDEX, START, made_source, made_timeline


@pytest.fixture
def timeline() -> Timeline:
    return made_timeline()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START + timedelta(hours=6, minutes=20, seconds=31, milliseconds=250))


@pytest.fixture
def store(clock: ManualClock, timeline: Timeline) -> LogStore:
    store = LogStore(clock=clock)
    store.add_topic("shop", INDEX)
    store.add_source("shop", made_source(timeline), since=START)
    return store


@pytest.fixture
def window() -> Callable[[float, float], Window]:
    """Hours after the start to a window."""

    def of(first: float, last: float) -> Window:
        return Window(
            from_ms=to_milliseconds(START + timedelta(hours=first)),
            to_ms=to_milliseconds(START + timedelta(hours=last)),
        )

    return of
