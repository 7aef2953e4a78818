"""A cloud of its own for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.mcp_tencent.local_cloud.tencent.simulated_cloud import SimulatedCloud


@pytest.fixture
def cloud() -> Iterator[SimulatedCloud]:
    """A cloud of its own for every test."""
    simulated = SimulatedCloud()
    simulated.start()
    yield simulated
    simulated.stop()
    assert simulated.failures == []
