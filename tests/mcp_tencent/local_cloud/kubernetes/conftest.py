"""A cluster of one's own for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.mcp_tencent.local_cloud.kubernetes.laboratory import Laboratory, Served, serve


@pytest.fixture
def lab() -> Laboratory:
    return Laboratory()


@pytest.fixture
def served(lab: Laboratory) -> Iterator[Served]:
    with serve(lab) as running:
        yield running
