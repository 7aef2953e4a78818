"""The devops tools in front of a local cloud whose time stands still, and is moved by whoever waits."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography.fernet import Fernet
from sqlalchemy import Engine, create_engine
from sqlmodel import SQLModel

from mcp_tencent.basic.desk import BasicDesk, Patience
from mcp_tencent.cloud.accounts import TencentClouds
from mcp_tencent.cloud.calling import Calling, CallPolicy
from mcp_tencent.cloud.tencentcloud.caller import Account
from mcp_tencent.devops.checkpoint_records import SqlCheckpointStore
from mcp_tencent.devops.checkpoint_tools import checkpoint_tools
from mcp_tencent.devops.diagnosis_tools import diagnosis_tools
from mcp_tencent.devops.healing.desk import HealingDesk
from mcp_tencent.devops.healing_tools import healing_tools
from mcp_tencent.devops.records import SqlIncidentStore
from mcp_tencent.devops.server import NAME
from mcp_tencent.gateway.confirm import PlanApproval
from mcp_tencent.gateway.gateway import Gateway
from mcp_tencent.local_cloud.scenario.model import Scenario
from mcp_tencent.local_cloud.server import LocalCloud
from mcp_tencent.local_cloud.simulation import ManualClock
from mcp_tencent.local_cloud.tencent.limits import RequestLimits
from mcp_tencent.naming.inventory import Inventory
from mcp_tencent.naming.naming import Naming
from mcp_tencent.serving.declare import DeclaredTool
from mcp_tencent.serving.server import GatewayServer
from tests.mcp_tencent.basic.office import MORNING, ZONE, Office, SteppingClock

CLUSTER = "cls-shop0001"


class FernetCipher:
    """Seals with a fresh key."""

    def __init__(self) -> None:
        self._fernet = Fernet(Fernet.generate_key())

    def seal(self, plain: bytes) -> bytes:
        return self._fernet.encrypt(plain)

    def unseal(self, sealed: bytes) -> bytes:
        return self._fernet.decrypt(sealed)


class WorldTiming:
    """Waiting moves the world's clock, so that nobody waits in earnest."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    def monotonic(self) -> float:
        return self._clock.now().timestamp()

    async def sleep(self, seconds: float) -> None:
        self._clock.advance(timedelta(seconds=seconds))


@dataclass
class Ward(Office):
    """Somebody at the devops tools."""

    healing: HealingDesk | None = None

    def later(self, **duration: float) -> None:
        clock = self.cloud.clock
        assert isinstance(clock, ManualClock)
        clock.advance(timedelta(**duration))


def standing_cloud(scenario: Scenario | str) -> LocalCloud:
    """A cloud at five in the morning, Beijing time.

    Its request limits count real seconds, in which our waits take none; so it has none that we could reach.
    """
    return LocalCloud(scenario, clock=ManualClock(MORNING), limits=RequestLimits(default_per_second=1000))


def calling(cloud: LocalCloud) -> Calling:
    """Deadlines long enough for a busy machine; waits in the world's time."""
    assert isinstance(cloud.clock, ManualClock)
    return Calling(CallPolicy(total_seconds=60), WorldTiming(cloud.clock))


def account_of(cloud: LocalCloud) -> Account:
    key = cloud.credentials
    return Account(
        name=key.name,
        secret_id=key.secret_id,
        secret_key=key.secret_key,
        regions=tuple(dict.fromkeys(cluster.region for cluster in cloud.scenario.clusters)),
        endpoint=cloud.url,
    )


def healing_side(desk: HealingDesk) -> list[DeclaredTool]:
    """The tools that find causes and heal."""
    return [*diagnosis_tools(desk), *healing_tools(desk), *checkpoint_tools(desk)]


@contextlib.asynccontextmanager
async def ward_at(
    cloud: LocalCloud,
    folder: Path,
    declare: Callable[[HealingDesk], Sequence[DeclaredTool]] = healing_side,
    *,
    approve: Callable[[BasicDesk, Engine], PlanApproval] | None = None,
) -> AsyncIterator[Ward]:
    """Open the tools onto `cloud`; records lie in `folder`; `approve` makes the guards of service jobs."""
    engine = create_engine(f"sqlite:///{folder / 'records.db'}")
    SQLModel.metadata.create_all(engine)
    async with TencentClouds([account_of(cloud)], calling(cloud)) as clouds:
        basic = BasicDesk(
            clouds=clouds,
            naming=Naming(clouds, Inventory(clouds, cloud.clock)),
            clock=cloud.clock,
            zone=ZONE,
            patience=Patience(rollout=timedelta(minutes=4), stay_ready=timedelta(seconds=5)),
        )
        healing = HealingDesk(
            basic=basic,
            checkpoints=SqlCheckpointStore(engine, FernetCipher()),
            incidents=SqlIncidentStore(engine),
        )
        plans = approve(basic, engine) if approve is not None else None
        server = GatewayServer(NAME, declare(healing), Gateway(engine, SteppingClock(), plans=plans))
        yield Ward(cloud, clouds, basic, server, healing=healing)
    engine.dispose()
