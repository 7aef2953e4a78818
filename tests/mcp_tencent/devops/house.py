"""The alert, incident and mode tools in front of a local cloud whose time stands still."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

from assistant.database import open_database
from mcp_tencent.basic.desk import BasicDesk
from mcp_tencent.cloud.accounts import TencentClouds
from mcp_tencent.cloud.tencentcloud.caller import Account
from mcp_tencent.devops.alert_tools import alert_tools
from mcp_tencent.devops.alerts.desk import AlertDesk
from mcp_tencent.devops.alerts.feedback import SqlFeedbackStore
from mcp_tencent.devops.incident_tools import incident_tools
from mcp_tencent.devops.mode_tools import mode_tools
from mcp_tencent.devops.policy.file import FixedPolicy, PolicySource
from mcp_tencent.devops.policy.model import Policy
from mcp_tencent.devops.policy.modes import SqlModeStore
from mcp_tencent.devops.records import SqlIncidentStore
from mcp_tencent.devops.server import NAME
from mcp_tencent.gateway.call import Caller, CallerKind, Permission
from mcp_tencent.gateway.gateway import Gateway
from mcp_tencent.naming.inventory import Inventory
from mcp_tencent.naming.naming import Naming
from mcp_tencent.serving.server import GatewayServer
from tests.mcp_tencent.basic.office import ZONE, Office, SteppingClock
from tests.mcp_tencent.devops.ward import account_of, calling, standing_cloud

OPERATOR = Caller(
    name="值班员",
    kind=CallerKind.PERSON,
    permissions=frozenset({Permission.READ, Permission.OPERATE}),
)


@dataclass
class House(Office):
    """Somebody at the alert tools."""

    alerts: AlertDesk | None = None

    @property
    def desk_of_alerts(self) -> AlertDesk:
        assert self.alerts is not None
        return self.alerts


@contextlib.asynccontextmanager
async def house_at(
    scenario: str, folder: Path, *, policy: PolicySource | None = None, second_account: bool = False
) -> AsyncIterator[House]:
    """Open the tools onto a scenario; with `second_account` there is a place whose key is wrong."""
    with standing_cloud(scenario) as cloud, open_database(f"sqlite:///{folder / 'records.db'}") as database:
        accounts = [account_of(cloud)]
        if second_account:
            accounts.append(replace(accounts[0], name="外包账号", secret_key="not-the-key"))
        async with _clouds(accounts, cloud) as clouds:
            basic = BasicDesk(
                clouds=clouds,
                naming=Naming(clouds, Inventory(clouds, cloud.clock)),
                clock=cloud.clock,
                zone=ZONE,
            )
            desk = AlertDesk(
                basic=basic,
                policy=policy or FixedPolicy(Policy()),
                feedback=SqlFeedbackStore(database.engine),
                incidents=SqlIncidentStore(database.engine),
                modes=SqlModeStore(database.engine),
            )
            tools = [*alert_tools(desk), *incident_tools(desk), *mode_tools(desk)]
            server = GatewayServer(NAME, tools, Gateway(database.engine, SteppingClock()))
            yield House(cloud, clouds, basic, server, alerts=desk)


def _clouds(accounts: list[Account], cloud) -> TencentClouds:
    return TencentClouds(accounts, calling(cloud))
