"""Roll back, isolate, release, checkpoints: through protocol and gateway, onto a live local cloud."""

from __future__ import annotations

import pytest

from mcp_tencent.models.changes import Snapshot
from mcp_tencent.models.workloads import WorkloadKind, WorkloadRef
from tests.mcp_tencent.basic.office import TRADER, WATCH
from tests.mcp_tencent.devops.healing.conftest import WardAt
from tests.mcp_tencent.devops.ward import Ward

ORDER = WorkloadRef(namespace="shop", kind=WorkloadKind.DEPLOYMENT, name="order-service")
ITEM = WorkloadRef(namespace="shop", kind=WorkloadKind.DEPLOYMENT, name="item-service")


async def as_it_is(ward: Ward, ref: WorkloadRef = ORDER) -> Snapshot:
    """Everything that shapes the workload, as the cluster has it."""
    (cluster,) = (await ward.clouds.inventory()).clusters
    inside = ward.clouds.workloads(cluster.place, cluster.cluster_id)
    return await inside.snapshot_workload(ref, ward.desk.now())


async def differs(ward: Ward, before: Snapshot) -> bool:
    """Whether anything that a restore brings back is not as it was."""
    (cluster,) = (await ward.clouds.inventory()).clusters
    inside = ward.clouds.workloads(cluster.place, cluster.cluster_id)
    return any(change.kind.value != "unchanged" for change in await inside.restore(before, dry_run=True))


async def test_a_roll_back_returns_to_the_last_good_release_and_reports_the_real_outcome(
    ward: WardAt,
) -> None:
    async with ward("bad-revision") as here:
        done = await here.act("roll_back", workload="订单服务")

        assert done["to_version"] == "v2.7.1"
        assert done["rollout"]["state"] == "complete"
        assert done["rollout"]["ready"] == 4
        assert done["checkpoint"].startswith("cp-")
        assert "已经回滚到v2.7.1" in done["summary"]
        here.later(minutes=8)
        verified = await here.call(
            "verify_workload", workload="订单服务", acted_at="2026-11-21T05:00:10+08:00"
        )
        assert verified["verdict"] == "healed", verified


async def test_restoring_the_checkpoint_of_a_roll_back_undoes_it_to_the_byte(ward: WardAt) -> None:
    async with ward("bad-revision") as here:
        before = await as_it_is(here)
        done = await here.act("roll_back", workload="order-service")
        assert await differs(here, before)

        restored = await here.act("restore_checkpoint", checkpoint=done["checkpoint"])

        assert not await differs(here, before)
        assert restored["rollout"]["state"] == "complete"
        again = await here.act("restore_checkpoint", checkpoint=restored["checkpoint_before"])
        assert again["rollout"]["state"] == "complete"
        assert await differs(here, before)


async def test_rolling_back_a_release_whose_image_is_missing_frees_the_stuck_rollout(ward: WardAt) -> None:
    async with ward("bad-image") as here:
        done = await here.act("roll_back", workload="订单服务")

        assert done["to_version"] == "v2.7.1"
        assert done["rollout"]["state"] == "complete"


async def test_a_roll_back_to_a_bad_release_says_that_it_did_not_work(ward: WardAt) -> None:
    async with ward("crash-loop") as here:
        back = await here.act("roll_back", workload="订单服务")

        forth = await here.act("roll_back", workload="订单服务", revision=back["from_revision"])

        assert forth["rollout"]["state"] != "complete"
        assert "就绪" in forth["summary"]
        assert "但" in forth["summary"]


async def test_two_roll_backs_do_not_return_to_what_was_rolled_back_from(ward: WardAt) -> None:
    async with ward("bad-revision") as here:
        await here.act("roll_back", workload="订单服务")

        second = await here.act("roll_back", workload="订单服务")

        assert second["to_version"] == "v2.7.0"


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("roll_back", {"workload": "order-service"}),
        ("isolate_workload", {"workload": "order-service"}),
        ("create_checkpoint", {"workload": "order-service"}),
    ],
)
async def test_a_dry_run_changes_nothing_and_needs_no_yes(
    ward: WardAt, tool: str, arguments: dict[str, str]
) -> None:
    async with ward("bad-revision") as here:
        before = await as_it_is(here)

        answer = await here.call(tool, **arguments, dry_run=True)

        assert answer["dry_run"]
        assert answer["checkpoint"] is None
        assert "试运行" in answer["summary"]
        assert await as_it_is(here) == before
        assert (await here.call("list_checkpoints"))["checkpoints"] == []


async def test_isolating_cuts_the_network_and_releasing_gives_it_back_to_the_byte(ward: WardAt) -> None:
    async with ward("noisy-neighbour") as here:
        report = WorkloadRef(namespace="shop", kind=WorkloadKind.DEPLOYMENT, name="report-job")
        before = await as_it_is(here, report)

        cut = await here.act("isolate_workload", workload="报表任务")
        assert cut["change"] == "created"
        assert await differs(here, before)
        again = await here.act("isolate_workload", workload="报表任务")
        assert again["change"] == "unchanged"
        assert again["checkpoint"] is None
        free = await here.act("release_workload", workload="报表任务")

        assert free["change"] == "deleted"
        assert not await differs(here, before)
        assert "没有被隔离" in (await here.act("release_workload", workload="报表任务"))["summary"]


async def test_isolating_the_neighbour_heals_its_victim(ward: WardAt) -> None:
    async with ward("noisy-neighbour") as here:
        plan = await here.call("plan_remediation", workload="商品服务")
        step = next(step for step in plan["steps"] if step["rung"] == "isolate")
        assert step["tool"] == "isolate_workload"

        await here.act(step["tool"], **step["arguments"])
        here.later(minutes=8)

        verified = await here.call(
            "verify_workload", workload="商品服务", acted_at="2026-11-21T05:00:00+08:00"
        )
        assert verified["verdict"] == "healed", verified


async def test_a_restart_does_not_heal_a_bad_release(ward: WardAt) -> None:
    async with ward("bad-revision") as here:
        await here.act("restart_workload", workload="订单服务")
        here.later(minutes=8)

        verified = await here.call(
            "verify_workload", workload="订单服务", acted_at="2026-11-21T05:00:05+08:00"
        )

        assert verified["verdict"] == "not_better", verified


async def test_a_restart_makes_an_overload_no_better(ward: WardAt) -> None:
    async with ward("overload") as here:
        await here.act("restart_workload", workload="订单服务")
        here.later(minutes=7)

        verified = await here.call(
            "verify_workload", workload="订单服务", acted_at="2026-11-21T05:00:05+08:00"
        )

        assert verified["verdict"] in {"not_better", "worse"}, verified


async def test_the_planned_scaling_heals_an_overload(ward: WardAt) -> None:
    async with ward("overload") as here:
        plan = await here.call("plan_remediation", workload="订单服务")
        step = next(step for step in plan["steps"] if step["tool"] is not None)
        assert step["rung"] == "scale"

        await here.act(step["tool"], **step["arguments"])
        here.later(minutes=9)

        verified = await here.call(
            "verify_workload", workload="订单服务", acted_at="2026-11-21T05:00:05+08:00"
        )
        assert verified["verdict"] == "healed", verified


async def test_verification_is_inconclusive_while_logs_cannot_be_read(ward: WardAt) -> None:
    async with ward("verification-inconclusive") as here:
        done = await here.act("roll_back", workload="订单服务")
        assert done["rollout"]["state"] == "complete"
        here.later(minutes=8)

        verified = await here.call(
            "verify_workload", workload="订单服务", acted_at="2026-11-21T05:00:10+08:00"
        )

        assert verified["verdict"] == "inconclusive"
        assert verified["looks_unknown"] == 3


async def test_a_checkpoint_brings_back_spec_config_and_isolation_at_once(ward: WardAt) -> None:
    async with ward("bad-config") as here:
        made = await here.call("create_checkpoint", workload="订单服务", reason="动手之前")
        before = await as_it_is(here)
        await here.act("scale_workload", workload="订单服务", replicas=2)
        await here.act(
            "update_config",
            kind="configmap",
            name="order-config",
            changes={"log.level": "debug"},
            namespace="shop",
        )
        await here.act("isolate_workload", workload="订单服务")
        assert await differs(here, before)

        rehearsed = await here.call("restore_checkpoint", checkpoint=made["checkpoint"], dry_run=True)
        assert sum(line["change"] != "unchanged" for line in rehearsed["objects"]) == 3
        assert await differs(here, before)
        restored = await here.act("restore_checkpoint", checkpoint=made["checkpoint"])

        assert not await differs(here, before)
        assert restored["needs_restart"]
        listed = await here.call("list_checkpoints", workload="订单服务")
        assert listed["checkpoints"][-1]["reason"] == "动手之前"
        assert listed["checkpoints"][-1]["restored_at"] is not None
        unchanged = await here.act("restore_checkpoint", checkpoint=made["checkpoint"])
        assert unchanged["checkpoint_before"] is None
        assert "完全一样" in unchanged["summary"]


async def test_restoring_a_checkpoint_from_before_a_wrong_configuration_heals(ward: WardAt) -> None:
    wrong, right = "jdbc:mysql://order-db-old:3306/orders", "jdbc:mysql://order-db:3306/orders"
    config = {"kind": "configmap", "name": "order-config", "namespace": "shop"}
    async with ward("bad-config") as here:
        await here.act("update_config", **config, changes={"db.url": right})
        await here.act("restart_workload", workload="订单服务")
        made = await here.call("create_checkpoint", workload="订单服务")
        here.later(hours=2)
        await here.act("update_config", **config, changes={"db.url": wrong})
        await here.act("restart_workload", workload="订单服务")
        here.later(minutes=20)

        found = await here.call("plan_remediation", workload="订单服务")
        assert found["cause"] == "bad_configuration"
        step = next(step for step in found["steps"] if step["tool"] is not None)
        assert (step["tool"], step["arguments"]) == ("restore_checkpoint", {"checkpoint": made["checkpoint"]})
        acted_at = here.desk.now()
        restored = await here.act(step["tool"], **step["arguments"])
        assert restored["rollout"]["state"] == "complete"
        here.later(minutes=8)

        verified = await here.call("verify_workload", workload="订单服务", acted_at=acted_at.isoformat())
        assert verified["verdict"] == "healed", verified


async def test_whoever_may_only_look_cannot_heal(ward: WardAt) -> None:
    async with ward("bad-revision") as here:
        watch = here.as_caller(WATCH)

        for tool in ("roll_back", "isolate_workload", "release_workload"):
            assert (await watch.refused(tool, workload="订单服务"))["code"] == "not_permitted"
        assert (await watch.refused("create_checkpoint", workload="订单服务"))["code"] == "not_permitted"
        assert (await watch.call("list_checkpoints"))["checkpoints"] == []


async def test_a_limited_caller_heals_within_the_namespace_only(ward: WardAt) -> None:
    async with ward("protected-namespace") as here:
        trader = here.as_caller(TRADER)

        refused = await trader.refused("roll_back", workload="coredns", namespace="kube-system")

        assert refused["code"] == "namespace_not_permitted"


async def test_protected_namespaces_are_left_alone(ward: WardAt) -> None:
    async with ward("protected-namespace") as here:
        refused = await here.refused("roll_back", workload="coredns", namespace="kube-system", dry_run=True)

        assert refused["code"] == "protected_namespace"


async def test_a_cluster_that_refuses_writes_is_reported_and_leaves_no_checkpoint(ward: WardAt) -> None:
    async with ward("no-permission") as here:
        result = await here.confirmed("roll_back", workload="订单服务")

        assert result.is_error
        error = result.structured_content["error"]
        assert error["code"] == "permission_missing", error


async def test_an_error_after_the_checkpoint_names_the_checkpoint(ward: WardAt) -> None:
    async with ward("restore-fails") as here:
        first = await here.act("roll_back", workload="订单服务")
        assert first["checkpoint"]

        result = await here.confirmed("restore_checkpoint", checkpoint=first["checkpoint"])

        assert result.is_error
        (_, latest) = reversed((await here.call("list_checkpoints"))["checkpoints"])
        assert latest["id"] in result.structured_content["error"]["detail"]


@pytest.mark.parametrize(
    ("tool", "arguments", "code"),
    [
        ("roll_back", {"workload": "没有这个服务"}, "not_found"),
        ("roll_back", {"workload": "订单服务", "revision": 99}, "not_found"),
        ("roll_back", {"workload": "订单服务", "revision": 0}, "invalid_arguments"),
        ("roll_back", {"workload": "订单服务", "revision": "上一版"}, "invalid_arguments"),
        ("isolate_workload", {"workload": ""}, "invalid_arguments"),
        ("restore_checkpoint", {"checkpoint": "cp-000000000000"}, "checkpoint_unknown"),
        ("list_checkpoints", {"period": "很久"}, "invalid_period"),
        ("create_checkpoint", {"workload": "订单服务", "incident": "inc-000000000000"}, "incident_unknown"),
        ("plan_remediation", {}, "invalid_request"),
        ("plan_remediation", {"incident": "inc-000000000000"}, "incident_unknown"),
        ("plan_remediation", {"workload": "订单服务", "incident": "inc-1"}, "invalid_request"),
        (
            "verify_workload",
            {"workload": "订单服务", "acted_at": "2020-01-01T00:00:00+08:00"},
            "invalid_request",
        ),
        ("verify_workload", {"workload": "订单服务", "acted_at": "刚才"}, "invalid_arguments"),
        ("diagnose", {"workload": "没有这个服务"}, "not_found"),
    ],
)
async def test_bad_input_is_a_precise_error_and_nothing_is_done(
    ward: WardAt, tool: str, arguments: dict[str, object], code: str
) -> None:
    async with ward("bad-revision") as here:
        before = await as_it_is(here)
        acts = tool in {"roll_back", "isolate_workload", "restore_checkpoint", "create_checkpoint"}

        refused = await here.refused(tool, **arguments, **({"dry_run": True} if acts else {}))

        assert refused["code"] == code, refused
        assert await as_it_is(here) == before
