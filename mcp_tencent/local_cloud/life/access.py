"""Who may use an imitated cloud: API keys, and the Kubernetes users that go with them. Pure."""

from __future__ import annotations

import hashlib

from mcp_tencent.local_cloud.scenario.model import Account, Scenario

_DEFAULT = Account(
    name="default", secret_id="AKIDlocalcloud000000000001", secret_key="local-cloud-secret-key-0001"
)


def accounts_of(scenario: Scenario) -> tuple[Account, ...]:
    """Return the scenario's accounts, or the one that may do everything when it names none."""
    return scenario.accounts or (_DEFAULT,)


def bearer_token(scenario: Scenario, account: Account, cluster_id: str) -> str:
    """Return the token of an account for a cluster: made of the scenario's seed, so the same every time."""
    name = f"{scenario.name}/{scenario.seed}/{account.secret_id}/{cluster_id}"
    return hashlib.sha256(name.encode()).hexdigest()[:40]
