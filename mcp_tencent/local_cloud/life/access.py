"""Who may use an imitated cloud: API keys, and the tokens of its clusters. Pure."""

from __future__ import annotations

import hashlib

from mcp_tencent.local_cloud.kubernetes.access import AccessRule, KubernetesUser
from mcp_tencent.local_cloud.scenario.model import Account, Scenario

# Keys to a toy, the same for everybody.
_DEFAULT_ACCOUNT = Account(
    name="default",
    secret_id="AKIDlocalcloud000000000001",  # noqa: S106
    secret_key="local-cloud-secret-key-0001",  # noqa: S106
)


def accounts_of(scenario: Scenario) -> tuple[Account, ...]:
    """Return the scenario's accounts, or the usual one when it names none."""
    return scenario.accounts or (_DEFAULT_ACCOUNT,)


def bearer_token(scenario: Scenario, cluster_id: str) -> str:
    """Return the token of a cluster's kubeconfig: made of the scenario's seed, the same every time."""
    name = f"{scenario.name}/{scenario.seed}/{cluster_id}"
    return hashlib.sha256(name.encode()).hexdigest()[:40]


def cluster_user(scenario: Scenario) -> KubernetesUser:
    """Return whom that token stands for, with the access that the scenario grants."""
    rules = tuple(
        AccessRule(namespaces=rule.namespaces, verbs=rule.verbs, resources=rule.resources)
        for rule in scenario.kubernetes_access
    )
    return KubernetesUser(name="100000000001", rules=rules)
