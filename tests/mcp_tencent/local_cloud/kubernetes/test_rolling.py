"""Rollouts keep their promises, whatever their numbers."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_tencent.local_cloud.kubernetes.controllers.control_plane import is_ready
from mcp_tencent.local_cloud.kubernetes.controllers.rolling import resolve_bounds
from tests.mcp_tencent.local_cloud.kubernetes.laboratory import Laboratory, deployment

amounts = st.integers(0, 4) | st.integers(0, 100).map("{}%".format)


@settings(max_examples=40, deadline=None)
@given(replicas=st.integers(1, 8), surge=amounts, unavailable=amounts, waits=st.sampled_from([0, 5]))
def test_never_too_many_pods_and_never_too_few_available(replicas, surge, unavailable, waits):
    if surge in (0, "0%") and unavailable in (0, "0%"):
        unavailable = 1
    lab = Laboratory()
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    spec = {"replicas": replicas, "strategy": rolling, "minReadySeconds": waits}
    lab.cluster.apply(deployment(**spec))
    lab.run(60)
    bounds = resolve_bounds(surge, unavailable, replicas)
    seen: list[tuple[int, int]] = []

    def look(kind: str, _namespace: str, _name: str) -> None:
        if kind == "Pod":
            alive = [pod for pod in lab.pods("web") if "deletionTimestamp" not in pod["metadata"]]
            seen.append((len(alive), sum(map(is_ready, alive))))

    lab.cluster.on_change(look)
    lab.cluster.apply(deployment(image="web:2", **spec))
    lab.run(900)
    assert {pod["spec"]["containers"][0]["image"] for pod in lab.pods("web")} == {"web:2"}
    assert max(pods for pods, _ in seen) <= replicas + bounds.surge
    assert min(ready for _, ready in seen) >= replicas - bounds.unavailable


def test_a_broken_revision_keeps_the_old_pods_serving_until_its_deadline_and_after():
    lab = Laboratory()
    lab.cluster.apply(deployment(replicas=4, progressDeadlineSeconds=60))
    lab.run(60)
    lab.cluster.apply(deployment(replicas=4, image="web:missing", progressDeadlineSeconds=60))
    lab.run(600)
    status = lab.get("Deployment", "web")["status"]
    progressing = next(item for item in status["conditions"] if item["type"] == "Progressing")
    assert (progressing["status"], progressing["reason"]) == ("False", "ProgressDeadlineExceeded")
    assert status["readyReplicas"] == 3


def test_an_undo_reuses_the_old_replica_set_under_a_new_revision():
    lab = Laboratory()
    for image in ("web:1", "web:2", "web:1"):
        lab.cluster.apply(deployment(image=image))
        lab.run(120)
    sets = lab.cluster.list("ReplicaSet", "shop")
    assert len(sets) == 2
    revisions = {item["spec"]["replicas"]: item["metadata"]["annotations"] for item in sets}
    assert revisions[3]["deployment.kubernetes.io/revision"] == "3"
    assert revisions[3]["deployment.kubernetes.io/revision-history"] == "1"


def test_recreate_waits_for_the_last_old_pod():
    lab = Laboratory()
    lab.cluster.apply(deployment(strategy={"type": "Recreate"}))
    lab.run(60)
    images: list[set[str]] = []
    lab.cluster.on_change(
        lambda *_: images.append({pod["spec"]["containers"][0]["image"] for pod in lab.pods()})
    )
    lab.cluster.apply(deployment(image="web:2", strategy={"type": "Recreate"}))
    lab.run(60)
    assert all(len(found) <= 1 for found in images)
    assert images[-1] == {"web:2"}
    assert lab.get("Deployment", "web")["status"]["readyReplicas"] == 3


def test_a_paused_deployment_does_not_roll_and_history_is_limited():
    lab = Laboratory()
    lab.cluster.apply(deployment(paused=True))
    lab.run(30)
    assert lab.pods() == []
    for number in range(6):
        lab.cluster.apply(deployment(image=f"web:{number}", paused=False, revisionHistoryLimit=2))
        lab.run(120)
    assert len(lab.cluster.list("ReplicaSet", "shop")) == 3


def test_scaling_in_the_middle_of_a_rollout_is_shared_out():
    lab = Laboratory()
    lab.cluster.apply(deployment(replicas=10))
    lab.run(60)
    lab.cluster.apply(deployment(replicas=10, image="web:missing"))
    lab.run(60)
    lab.cluster.apply(deployment(replicas=20, image="web:missing"))
    lab.run(60)
    sizes = sorted(item["spec"]["replicas"] for item in lab.cluster.list("ReplicaSet", "shop"))
    assert sum(sizes) == 25
    assert sizes[0] > 5
