"""The imitated services behind a real server, and our adapters before the real SDK."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest

from mcp_tencent.cloud.calling import Calling
from mcp_tencent.cloud.tencentcloud.caller import Account, TencentCaller
from mcp_tencent.cloud.tencentcloud.clusters import TencentClusterService
from mcp_tencent.cloud.tencentcloud.logs import TencentLogService
from mcp_tencent.cloud.tencentcloud.metrics import TencentMetrics
from tests.mcp_tencent.cloud.scripted_server import InstantTiming
from tests.mcp_tencent.local_cloud.tencent.simulated_cloud import (
    REGION,
    SECRET_ID,
    SECRET_KEY,
    SimulatedCloud,
)


@dataclass(frozen=True)
class Services:
    """The adapters of one place."""

    logs: TencentLogService
    clusters: TencentClusterService
    metrics: TencentMetrics


@pytest.fixture
def cloud() -> Iterator[SimulatedCloud]:
    """A cloud of its own for every test."""
    simulated = SimulatedCloud()
    simulated.start()
    yield simulated
    simulated.stop()
    assert simulated.failures == []


@pytest.fixture
async def services(cloud: SimulatedCloud) -> AsyncIterator[Services]:
    """Our adapters, pointed at that cloud."""
    account = Account(
        name="prod",
        secret_id=SECRET_ID,
        secret_key=SECRET_KEY,
        regions=(REGION,),
        endpoint=f"http://{cloud.endpoint}",
    )
    caller = TencentCaller(account, REGION, Calling(timing=InstantTiming()))
    yield Services(TencentLogService(caller), TencentClusterService(caller), TencentMetrics(caller))
    await caller.close()
