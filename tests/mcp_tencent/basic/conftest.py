from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from mcp_tencent.local_cloud.server import LocalCloud
from tests.mcp_tencent.basic.office import Office, fast, office_at, standing


@pytest.fixture(scope="module")
def yesterday() -> Iterator[LocalCloud]:
    """Three clusters at five in the morning; time stands still."""
    with standing("yesterday") as cloud:
        yield cloud


@pytest.fixture
async def office(yesterday: LocalCloud, tmp_path: Path) -> AsyncIterator[Office]:
    """Somebody who looks at them."""
    async with office_at(yesterday, tmp_path, default_cluster="生产") as opened:
        yield opened


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Office]:
    """Somebody who acts on a shop in which a release hangs and all else is well; a minute takes a second."""
    with fast("bad-image") as cloud:
        async with office_at(cloud, tmp_path) as opened:
            yield opened
