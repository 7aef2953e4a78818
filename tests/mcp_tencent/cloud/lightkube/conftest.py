"""A whole local cloud, and the inside of its cluster through real lightkube."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mcp_tencent.cloud.accounts import TencentClouds
from mcp_tencent.cloud.calling import Calling, CallPolicy
from mcp_tencent.cloud.tencentcloud.caller import Account
from mcp_tencent.local_cloud.server import LocalCloud
from mcp_tencent.local_cloud.simulation import ManualClock
from mcp_tencent.ports import Workloads
from tests.mcp_tencent.cloud.scripted_server import InstantTiming

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    """The world's time: stands still until somebody waits."""
    return ManualClock(NOW)


@pytest.fixture
def local_cloud(request: pytest.FixtureRequest, clock: ManualClock) -> Iterator[LocalCloud]:
    """A cloud that plays the scenario named by the marker's parameter, bad-image by default."""
    with LocalCloud(getattr(request, "param", "bad-image"), clock=clock) as cloud:
        yield cloud


@pytest.fixture
async def clouds(local_cloud: LocalCloud, clock: ManualClock) -> AsyncIterator[TencentClouds]:
    """Our adapters, pointed at that cloud; to wait is to let the world's time pass."""
    account = Account(
        name="prod",
        secret_id=local_cloud.credentials.secret_id,
        secret_key=local_cloud.credentials.secret_key,
        regions=(local_cloud.region,),
        endpoint=local_cloud.url,
    )

    def pass_time(seconds: float) -> Any:
        clock.advance(timedelta(seconds=seconds))

    calling = Calling(CallPolicy(total_seconds=30, attempts=12), InstantTiming(pass_time))
    async with TencentClouds([account], calling) as made:
        yield made


@pytest.fixture
def inside(clouds: TencentClouds, local_cloud: LocalCloud) -> Workloads:
    """The inside of the first cluster."""
    return clouds.workloads(clouds.places[0], local_cloud.cluster_ids[0])
