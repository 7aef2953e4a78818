"""Contract of `Workloads`, through real lightkube against a whole local cloud."""

import json
from datetime import timedelta
from typing import Any

import pytest

from mcp_tencent import errors
from mcp_tencent.cloud.accounts import TencentClouds
from mcp_tencent.cloud.lightkube.differences import restorable
from mcp_tencent.local_cloud.server import LocalCloud
from mcp_tencent.models.changes import ChangeKind, RolloutState, Snapshot
from mcp_tencent.models.workloads import ConfigKind, EventKind, PodPhase, WorkloadKind, WorkloadRef
from mcp_tencent.ports import Workloads
from tests.mcp_tencent.cloud.lightkube.conftest import NOW

ORDER = WorkloadRef(namespace="shop", kind=WorkloadKind.DEPLOYMENT, name="order-service")
ITEM = WorkloadRef(namespace="shop", kind=WorkloadKind.DEPLOYMENT, name="item-service")
NOBODY = WorkloadRef(namespace="shop", kind=WorkloadKind.DEPLOYMENT, name="nobody")
GOOD_IMAGE = "ccr.ccs.tencentyun.com/shop/order-service:v2.7.1"
BAD_IMAGE = "ccr.ccs.tencentyun.com/shop/order-service:v2.7.2-hotfix"
PATIENCE: dict[str, Any] = {"within": timedelta(minutes=30), "stay_ready": timedelta(seconds=20)}
CONFIG = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "flags", "namespace": "shop"},
    "data": {"timeout": "3s", "retries": "2"},
}
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "database", "namespace": "shop"},
    "data": {"password": "aHVudGVyMg=="},
}


async def saved(inside: Workloads, ref: WorkloadRef) -> Snapshot:
    return await inside.snapshot_workload(ref, NOW)


def contents(snapshot: Snapshot) -> dict[str, object]:
    return {
        str(saved.ref): None if saved.content_json is None else restorable(json.loads(saved.content_json))
        for saved in snapshot.objects
    }


async def test_workloads_pods_nodes_and_namespaces_are_seen(inside: Workloads):
    assert "shop" in {namespace.name for namespace in await inside.namespaces()}
    nodes = await inside.nodes()
    assert len(nodes) == 3
    assert all(node.ready and node.cpu_millicores > 0 and node.memory_bytes > 0 for node in nodes)
    workloads = {workload.ref: workload for workload in await inside.workloads(namespace="shop")}
    assert workloads[ITEM].healthy
    assert not workloads[ORDER].healthy
    assert workloads[ORDER].replicas_wanted == 4
    pods = await inside.pods(workload=ITEM)
    assert len(pods) == 3
    assert all(pod.ready and pod.owner == "item-service" and pod.phase is PodPhase.RUNNING for pod in pods)


async def test_a_bad_image_shows_in_pods_events_and_rollout(inside: Workloads):
    reasons = {pod.reason for pod in await inside.pods(workload=ORDER)}
    assert reasons & {"ImagePullBackOff", "ErrImagePull"}
    warnings = [e for e in await inside.events(namespace="shop") if e.kind is EventKind.WARNING]
    assert any("order-service" in event.object_name for event in warnings)
    status = await inside.rollout_status(ORDER)
    assert status.state in (RolloutState.FAILED, RolloutState.PROGRESSING)
    assert status.replicas_available < status.replicas_wanted + 1


async def test_the_history_names_causes_and_images_latest_first(inside: Workloads):
    history = await inside.history(ORDER)
    assert [revision.images[0].image for revision in history[:2]] == [BAD_IMAGE, GOOD_IMAGE]
    assert history[0].current
    assert not history[1].current
    assert "v2.7.1" in history[1].change_cause
    assert [r.number for r in history] == sorted((r.number for r in history), reverse=True)
    assert "pod-template-hash" not in history[0].template_json


async def test_rolling_back_cures_a_bad_image(inside: Workloads):
    change = await inside.roll_back(ORDER)
    assert change.kind is ChangeKind.UPDATED
    changed = {field.path: (field.before, field.after) for field in change.fields}
    assert changed["spec.template.spec.containers[order-service].image"] == (
        f'"{BAD_IMAGE}"',
        f'"{GOOD_IMAGE}"',
    )
    status = await inside.wait_for_rollout(ORDER, **PATIENCE)
    assert status.state is RolloutState.COMPLETE
    assert status.replicas_available == 4
    workload = await inside.workload(ORDER)
    assert workload.healthy
    assert (await inside.history(ORDER))[0].images[0].image == GOOD_IMAGE


async def test_a_revision_can_be_named_and_one_that_is_not_kept_is_not_found(inside: Workloads):
    oldest = (await inside.history(ORDER))[-1]
    await inside.roll_back(ORDER, oldest.number)
    assert (await inside.workload(ORDER)).images == oldest.images
    with pytest.raises(errors.NotFound, match="999"):
        await inside.roll_back(ORDER, 999)


async def test_rolling_back_to_the_present_revision_changes_nothing(inside: Workloads):
    current = (await inside.history(ORDER))[0]
    assert (await inside.roll_back(ORDER, current.number)).kind is ChangeKind.UNCHANGED


async def test_a_dry_run_tells_what_would_happen_and_does_nothing(inside: Workloads):
    before = await saved(inside, ORDER)
    for change in (
        await inside.roll_back(ORDER, dry_run=True),
        await inside.scale(ORDER, 9, dry_run=True),
        await inside.restart(ORDER, NOW, dry_run=True),
        await inside.apply(json.dumps(CONFIG), dry_run=True),
        await inside.isolate(ORDER, dry_run=True),
    ):
        assert change.dry_run
        assert change.kind in (ChangeKind.UPDATED, ChangeKind.CREATED)
        assert change.fields
    assert contents(await saved(inside, ORDER)) == contents(before)
    with pytest.raises(errors.NotFound):
        await inside.config(ConfigKind.CONFIG_MAP, "shop", "flags")


async def test_scaling_is_done_and_waited_for(inside: Workloads):
    change = await inside.scale(ITEM, 5)
    assert [(f.path, f.before, f.after) for f in change.fields] == [("spec.replicas", "3", "5")]
    status = await inside.wait_for_rollout(ITEM, **PATIENCE)
    assert (status.state, status.replicas_ready) == (RolloutState.COMPLETE, 5)
    assert len([p for p in await inside.pods(workload=ITEM) if not p.deleting]) == 5
    await inside.scale(ITEM, 0)
    assert (await inside.wait_for_rollout(ITEM, **PATIENCE)).state is RolloutState.COMPLETE


async def test_a_restart_replaces_every_pod(inside: Workloads):
    before = {pod.name for pod in await inside.pods(workload=ITEM)}
    await inside.restart(ITEM, NOW)
    assert (await inside.wait_for_rollout(ITEM, **PATIENCE)).state is RolloutState.COMPLETE
    after = {pod.name for pod in await inside.pods(workload=ITEM) if not pod.deleting}
    assert len(after) == 3
    assert not before & after
    assert (await inside.workload(ITEM)).restarted_at == NOW


async def test_the_same_key_acts_once(inside: Workloads):
    first = await inside.restart(ITEM, NOW, idempotency_key="k-1")
    generation = await inside.rollout_status(ITEM)
    again = await inside.restart(ITEM, NOW + timedelta(minutes=1), idempotency_key="k-1")
    assert (first.repeated, again.repeated) == (False, True)
    assert (await inside.workload(ITEM)).restarted_at == NOW
    assert generation.replicas_wanted == 3


async def test_a_bad_rollout_is_reported_as_failed_or_timed_out_and_never_as_complete(inside: Workloads):
    status = await inside.wait_for_rollout(ORDER, **PATIENCE)
    assert status.state in (RolloutState.FAILED, RolloutState.TIMED_OUT)
    assert status.reason


async def test_waiting_for_what_does_not_exist_ends_at_once(inside: Workloads):
    assert (await inside.wait_for_rollout(NOBODY, **PATIENCE)).state is RolloutState.GONE


async def test_isolation_is_set_once_and_undone(inside: Workloads):
    before = await saved(inside, ITEM)
    assert (await inside.isolate(ITEM)).kind is ChangeKind.CREATED
    assert (await inside.isolate(ITEM)).kind is ChangeKind.UNCHANGED
    assert contents(await saved(inside, ITEM)) != contents(before)
    assert (await inside.release(ITEM)).kind is ChangeKind.DELETED
    assert (await inside.release(ITEM)).kind is ChangeKind.UNCHANGED
    assert contents(await saved(inside, ITEM)) == contents(before)


async def test_a_manifest_creates_changes_and_then_changes_nothing(inside: Workloads):
    assert (await inside.apply(json.dumps(CONFIG))).kind is ChangeKind.CREATED
    changed = {**CONFIG, "data": {"timeout": "5s"}}
    change = await inside.apply(json.dumps(changed))
    assert change.kind is ChangeKind.UPDATED
    assert {(f.path, f.after) for f in change.fields} == {("data.timeout", '"5s"'), ("data.retries", None)}
    assert (await inside.apply(json.dumps(changed))).kind is ChangeKind.UNCHANGED
    config = await inside.config(ConfigKind.CONFIG_MAP, "shop", "flags")
    assert {entry.key: entry.value for entry in config.entries} == {"timeout": "5s"}


@pytest.mark.parametrize(
    ("manifest", "kind"),
    [
        ("not json", errors.InvalidRequest),
        ("[]", errors.InvalidRequest),
        ("[" * 100_000, errors.InvalidRequest),
        ('{"kind": "ConfigMap"}', errors.InvalidRequest),
        (json.dumps({**CONFIG, "apiVersion": ""}), errors.InvalidRequest),
        (json.dumps({**CONFIG, "apiVersion": "../v1"}), errors.InvalidRequest),
        (json.dumps({**CONFIG, "kind": "Dream"}), errors.Unsupported),
        (json.dumps({**CONFIG, "apiVersion": "dreams.example/v1"}), errors.Unsupported),
        (json.dumps({**CONFIG, "metadata": {"name": "../x"}}), errors.InvalidRequest),
        (json.dumps({**CONFIG, "data": 7}), errors.InvalidRequest),
        (json.dumps({**CONFIG, "metadata": {"name": "f", "namespace": "nowhere"}}), errors.NotFound),
        (
            json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}),
            errors.Unsupported,
        ),
        (json.dumps({"padding": "x" * (1 << 20)}), errors.InvalidRequest),
    ],
    ids=range(13),
)
async def test_a_manifest_that_makes_no_sense_is_refused(inside: Workloads, manifest, kind):
    with pytest.raises(kind):
        await inside.apply(manifest)


async def test_a_manifest_for_another_namespace_than_asked_is_refused(inside: Workloads):
    with pytest.raises(errors.InvalidRequest, match="shop"):
        await inside.apply(json.dumps(CONFIG), namespace="kube-system")


async def test_configuration_is_changed_key_by_key(inside: Workloads):
    await inside.apply(json.dumps(CONFIG))
    changes = {"timeout": "9s", "retries": None, "new": "中文"}
    change = await inside.update_config(ConfigKind.CONFIG_MAP, "shop", "flags", changes)
    assert {f.path for f in change.fields} == {"data.timeout", "data.retries", "data.new"}
    config = await inside.config(ConfigKind.CONFIG_MAP, "shop", "flags")
    assert {entry.key: entry.value for entry in config.entries} == {"timeout": "9s", "new": "中文"}


async def test_a_secret_is_changed_and_its_values_are_never_seen(inside: Workloads):
    await inside.apply(json.dumps(SECRET))
    change = await inside.update_config(ConfigKind.SECRET, "shop", "database", {"password": "new-word"})
    config = await inside.config(ConfigKind.SECRET, "shop", "database")
    assert [(entry.key, entry.size_bytes, entry.value) for entry in config.entries] == [("password", 8, None)]
    for value in ("hunter2", "aHVudGVyMg==", "new-word", "bmV3LXdvcmQ="):
        assert value not in repr((change, config))


async def test_a_deleted_pod_is_replaced(inside: Workloads):
    pod = (await inside.pods(workload=ITEM))[0]
    assert (await inside.delete_pod("shop", pod.name, dry_run=True)).kind is ChangeKind.DELETED
    assert pod.name in {p.name for p in await inside.pods(workload=ITEM)}
    assert (await inside.delete_pod("shop", pod.name)).kind is ChangeKind.DELETED
    assert (await inside.wait_for_rollout(ITEM, **PATIENCE)).state is RolloutState.COMPLETE
    names = {p.name for p in await inside.pods(workload=ITEM) if not p.deleting}
    assert len(names) == 3
    assert pod.name not in names
    with pytest.raises(errors.NotFound):
        await inside.delete_pod("shop", "no-such-pod")


async def test_a_checkpoint_brings_everything_back_to_the_byte(inside: Workloads):
    await inside.apply(json.dumps(CONFIG))
    before = await saved(inside, ITEM)
    flags = await inside.snapshot([(await inside.apply(json.dumps(CONFIG), dry_run=True)).ref], NOW)
    whole = Snapshot(cluster_id=before.cluster_id, taken_at=NOW, objects=(*before.objects, *flags.objects))

    await inside.scale(ITEM, 7)
    await inside.restart(ITEM, NOW, idempotency_key="k")
    await inside.isolate(ITEM)
    await inside.update_config(ConfigKind.CONFIG_MAP, "shop", "flags", {"timeout": "1s"})
    assert contents(await saved(inside, ITEM)) != contents(before)

    changes = await inside.restore(whole)
    assert {change.kind for change in changes} <= {
        ChangeKind.UPDATED,
        ChangeKind.DELETED,
        ChangeKind.UNCHANGED,
    }
    assert ChangeKind.DELETED in {change.kind for change in changes}
    assert contents(await saved(inside, ITEM)) == contents(before)
    assert contents(await inside.snapshot([flags.objects[0].ref], NOW)) == contents(flags)
    assert {change.kind for change in await inside.restore(whole)} == {ChangeKind.UNCHANGED}
    assert (await inside.wait_for_rollout(ITEM, **PATIENCE)).state is RolloutState.COMPLETE


async def test_what_was_deleted_since_the_checkpoint_is_created_again(inside: Workloads):
    reference = (await inside.apply(json.dumps(CONFIG))).ref
    absent = await inside.snapshot([reference], NOW)
    assert (await inside.isolate(ITEM)).kind is ChangeKind.CREATED
    isolated = await saved(inside, ITEM)
    await inside.release(ITEM)
    kinds = [change.kind for change in await inside.restore(isolated)]
    assert kinds.count(ChangeKind.CREATED) == 1
    assert contents(await saved(inside, ITEM)) == contents(isolated)
    assert {c.kind for c in await inside.restore(absent)} == {ChangeKind.UNCHANGED}


async def test_a_dry_restore_tells_and_does_nothing(inside: Workloads):
    before = await saved(inside, ITEM)
    await inside.scale(ITEM, 7)
    changed = await saved(inside, ITEM)
    kinds = {change.kind for change in await inside.restore(before, dry_run=True)}
    assert ChangeKind.UPDATED in kinds
    assert contents(await saved(inside, ITEM)) == contents(changed)


async def test_a_checkpoint_of_another_cluster_is_refused(inside: Workloads):
    with pytest.raises(errors.InvalidRequest, match="cls-other"):
        await inside.restore(Snapshot(cluster_id="cls-other", taken_at=NOW, objects=()))


async def test_a_log_is_read_with_its_times(inside: Workloads):
    pod = (await inside.pods(workload=ITEM))[0]
    log = await inside.pod_log("shop", pod.name, tail=5)
    assert 1 <= len(log.lines) <= 5
    assert all(line.at is not None and line.at <= NOW for line in log.lines)


@pytest.mark.parametrize(
    "ask",
    [
        lambda inside: inside.workload(NOBODY),
        lambda inside: inside.history(NOBODY),
        lambda inside: inside.pods(workload=NOBODY),
        lambda inside: inside.scale(NOBODY, 1),
        lambda inside: inside.restart(NOBODY, NOW),
        lambda inside: inside.roll_back(NOBODY),
        lambda inside: inside.isolate(NOBODY),
        lambda inside: inside.rollout_status(NOBODY),
        lambda inside: inside.config(ConfigKind.CONFIG_MAP, "shop", "nothing"),
        lambda inside: inside.update_config(ConfigKind.SECRET, "shop", "nothing", {"a": "b"}),
        lambda inside: inside.pod_log("shop", "nobody"),
        lambda inside: inside.pod_log("shop", "nobody", container="app"),
    ],
)
async def test_what_does_not_exist_is_not_found(inside: Workloads, ask):
    with pytest.raises(errors.NotFound):
        await ask(inside)


@pytest.mark.parametrize("replicas", [-1, 10_001])
async def test_replicas_out_of_range_are_refused(inside: Workloads, replicas):
    with pytest.raises(errors.InvalidRequest):
        await inside.scale(ITEM, replicas)


async def test_services_budgets_and_autoscalers_can_be_listed(inside: Workloads):
    for listing in (inside.services, inside.disruption_budgets, inside.autoscalers):
        assert all(found.namespace for found in await listing())


@pytest.mark.parametrize("local_cloud", ["no-permission"], indirect=True)
async def test_a_missing_permission_is_told_apart(inside: Workloads, local_cloud: LocalCloud):
    refused = 0
    for workload in await inside.workloads():
        for act in (
            inside.scale(workload.ref, 1, dry_run=True),
            inside.restart(workload.ref, NOW, dry_run=True),
        ):
            try:
                await act
            except errors.PermissionMissing:
                refused += 1
            except errors.Unsupported:
                continue
    assert refused


def workload_manifest(kind: str, image: str) -> str:
    template = {
        "metadata": {"labels": {"app": "redis"}},
        "spec": {"containers": [{"name": "redis", "image": image}]},
    }
    spec: dict[str, Any] = {"selector": {"matchLabels": {"app": "redis"}}, "template": template}
    if kind == "StatefulSet":
        spec |= {"replicas": 2, "serviceName": "redis"}
    return json.dumps(
        {
            "apiVersion": "apps/v1",
            "kind": kind,
            "metadata": {"name": "redis", "namespace": "shop"},
            "spec": spec,
        }
    )


@pytest.mark.parametrize("kind", [WorkloadKind.STATEFUL_SET, WorkloadKind.DAEMON_SET])
async def test_stateful_sets_and_daemon_sets_roll_back_as_well(inside: Workloads, kind: WorkloadKind):
    ref = WorkloadRef(namespace="shop", kind=kind, name="redis")
    await inside.apply(workload_manifest(kind, "redis:7.2"))
    assert (await inside.wait_for_rollout(ref, **PATIENCE)).state is RolloutState.COMPLETE
    await inside.apply(workload_manifest(kind, "redis:7.4"))
    assert (await inside.wait_for_rollout(ref, **PATIENCE)).state is RolloutState.COMPLETE
    newest, oldest = await inside.history(ref)
    assert (newest.images[0].image, oldest.images[0].image) == ("redis:7.4", "redis:7.2")
    assert (newest.current, oldest.current) == (True, False)

    assert (await inside.roll_back(ref)).kind is ChangeKind.UPDATED
    assert (await inside.wait_for_rollout(ref, **PATIENCE)).state is RolloutState.COMPLETE
    assert (await inside.workload(ref)).images == oldest.images
    pods = await inside.pods(workload=ref)
    assert {pod.images for pod in pods if not pod.deleting} == {oldest.images}


async def test_a_daemon_set_cannot_be_scaled(inside: Workloads):
    with pytest.raises(errors.Unsupported):
        await inside.scale(WorkloadRef(namespace="shop", kind=WorkloadKind.DAEMON_SET, name="redis"), 2)


@pytest.mark.parametrize("local_cloud", ["wrong-credentials"], indirect=True)
async def test_wrong_credentials_are_told_apart_wherever_they_matter(
    clouds: TencentClouds, local_cloud: LocalCloud
):
    place = clouds.places[0]
    with pytest.raises(errors.CredentialsRefused):
        await clouds.cluster_service(place).clusters()
    with pytest.raises(errors.CredentialsRefused):
        await clouds.workloads(place, local_cloud.cluster_ids[0]).namespaces()


@pytest.mark.parametrize("local_cloud", ["api-throttling"], indirect=True)
async def test_a_throttling_cloud_is_still_read(clouds: TencentClouds, local_cloud: LocalCloud):
    place = clouds.places[0]
    for _ in range(5):
        assert await clouds.cluster_service(place).clusters()
        assert await clouds.workloads(place, local_cloud.cluster_ids[0]).pods()
