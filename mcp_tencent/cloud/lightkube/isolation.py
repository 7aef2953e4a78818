"""Cutting a workload off from the network, and letting it back.

Safe to repeat with or without a key: the NetworkPolicy of a workload has one name, and what is gone is gone.
"""

from __future__ import annotations

from mcp_tencent.cloud.lightkube.connection import (
    FIELD_MANAGER,
    ClusterConnection,
    Opened,
    checked_name,
    raw_resource,
)
from mcp_tencent.cloud.lightkube.views import LightkubeViews
from mcp_tencent.cloud.lightkube.writes import change_between, create, present, ref_of_json
from mcp_tencent.errors import Unsupported
from mcp_tencent.models.changes import Change, ChangeKind, ObjectRef
from mcp_tencent.models.workloads import WorkloadRef

RAW_NETWORK_POLICY = raw_resource("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies")


def isolation_name(ref: WorkloadRef) -> str:
    """Return the name of the NetworkPolicy that isolates a workload."""
    return f"xiaozhi-isolate-{ref.kind.lower()}-{ref.name}"[:253].rstrip("-.")


class LightkubeIsolation:
    """Implements isolating and releasing of `WorkloadActions`."""

    def __init__(self, connection: ClusterConnection, views: LightkubeViews) -> None:
        self._connection = connection
        self._views = views

    async def isolate(
        self, ref: WorkloadRef, *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> Change:
        """See `WorkloadActions.isolate`."""
        selector = (await self._views.workload(ref)).selector
        if not selector:
            raise Unsupported(f"{ref} selects its pods by expressions, which is not supported here")
        name, place = isolation_name(ref), ref.namespace
        policy = {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {
                "name": name,
                "namespace": place,
                "labels": {"app.kubernetes.io/managed-by": FIELD_MANAGER},
            },
            # No rule at all: nothing comes in and nothing goes out.
            "spec": {"podSelector": {"matchLabels": dict(selector)}, "policyTypes": ["Ingress", "Egress"]},
        }

        async def found(opened: Opened) -> Change | None:
            now = await present(opened, RAW_NETWORK_POLICY, place, name)
            return None if now is None else change_between(ref_of_json(now), now, now, dry_run=dry_run)

        async def cut(opened: Opened) -> Change:
            there = await found(opened)
            if there is not None:
                return there
            after = await create(opened, RAW_NETWORK_POLICY, policy, dry_run=dry_run)
            return change_between(ref_of_json(after), None, after, dry_run=dry_run)

        return await self._connection.write(
            f"isolate {ref}", cut, found, dry_run=dry_run, key=idempotency_key
        )

    async def release(
        self, ref: WorkloadRef, *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> Change:
        """See `WorkloadActions.release`."""
        name, place = checked_name(isolation_name(ref)), checked_name(ref.namespace)
        policy = ObjectRef(
            api_version="networking.k8s.io/v1", kind="NetworkPolicy", namespace=place, name=name
        )
        free = Change(ref=policy, kind=ChangeKind.UNCHANGED, dry_run=dry_run, fields=())

        async def absent(opened: Opened) -> Change | None:
            return free if await present(opened, RAW_NETWORK_POLICY, place, name) is None else None

        async def delete(opened: Opened) -> Change:
            before = await present(opened, RAW_NETWORK_POLICY, place, name)
            if before is None:
                return free
            await opened.kube.delete(RAW_NETWORK_POLICY, name, namespace=place, dry_run=dry_run)
            return change_between(policy, before, None, dry_run=dry_run)

        return await self._connection.write(
            f"release {ref}", delete, absent, dry_run=dry_run, key=idempotency_key
        )
