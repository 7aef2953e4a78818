"""The real lightkube, sync and async, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lightkube import AsyncClient, Client, KubeConfig
from lightkube.core.exceptions import ApiError
from lightkube.models.apps_v1 import DeploymentSpec
from lightkube.models.core_v1 import Container, PodSpec, PodTemplateSpec
from lightkube.models.meta_v1 import LabelSelector, ObjectMeta
from lightkube.resources.apps_v1 import Deployment, ReplicaSet
from lightkube.resources.core_v1 import ConfigMap, Event, Namespace, Node, Pod
from lightkube.types import CascadeType, PatchType

from tests.mcp_tencent.local_cloud.kubernetes.laboratory import READER, Served


def _client(served: Served, token: str | None = None) -> Client:
    config = served.kubeconfig(token) if token else served.kubeconfig()
    return Client(config=KubeConfig.from_dict(config), namespace="shop", field_manager="test")


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    with_client = _client(served)
    yield with_client
    with_client.close()


def _web(replicas: int = 2) -> Deployment:
    template = PodTemplateSpec(
        metadata=ObjectMeta(labels={"app": "web"}),
        spec=PodSpec(containers=[Container(name="web", image="web:1")]),
    )
    spec = DeploymentSpec(
        replicas=replicas, selector=LabelSelector(matchLabels={"app": "web"}), template=template
    )
    return Deployment(metadata=ObjectMeta(name="web", namespace="shop"), spec=spec)


def test_a_created_deployment_gets_its_pods(client: Client, served: Served):
    created = client.create(_web())
    assert created.metadata is not None
    assert created.metadata.uid
    served.advance(30)
    status = client.get(Deployment, "web").status
    assert status is not None
    assert (status.readyReplicas, status.updatedReplicas) == (2, 2)
    pods = list(client.list(Pod, labels={"app": "web"}))
    assert [pod.status.phase for pod in pods if pod.status] == ["Running", "Running"]


def test_scaling_patching_and_rolling_back_by_template(client: Client, served: Served):
    client.create(_web())
    served.advance(30)
    client.patch(Deployment.Scale, "web", {"spec": {"replicas": 4}}, patch_type=PatchType.MERGE)
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "web:2"}]}}}}
    client.patch(Deployment, "web", patch)
    served.advance(60)
    sets = {
        item.metadata.annotations["deployment.kubernetes.io/revision"]: item  # type: ignore[index, union-attr]
        for item in client.list(ReplicaSet)
    }
    assert sets["2"].spec.replicas == 4
    template = sets["1"].spec.template.to_dict()  # type: ignore[union-attr]
    del template["metadata"]["labels"]["pod-template-hash"]
    rollback = [{"op": "replace", "path": "/spec/template", "value": template}]
    client.patch(Deployment, "web", rollback, patch_type=PatchType.JSON)
    served.advance(60)
    after = client.get(Deployment, "web")
    assert after.metadata.annotations["deployment.kubernetes.io/revision"] == "3"  # type: ignore[index, union-attr]
    assert {pod.spec.containers[0].image for pod in client.list(Pod)} == {"web:1"}  # type: ignore[union-attr]
    assert len(list(client.list(ReplicaSet))) == 2


def test_a_stale_replace_is_a_conflict(client: Client):
    client.create(ConfigMap(metadata=ObjectMeta(name="conf", namespace="shop"), data={"a": "1"}))
    first = client.get(ConfigMap, "conf")
    second = client.get(ConfigMap, "conf")
    first.data = {"a": "2"}
    client.replace(first)
    second.data = {"a": "3"}
    with pytest.raises(ApiError) as refused:
        client.replace(second)
    assert (refused.value.status.code, refused.value.status.reason) == (409, "Conflict")


def test_what_exists_cannot_be_created_and_what_does_not_cannot_be_read(client: Client):
    client.create(Namespace(metadata=ObjectMeta(name="other")))
    with pytest.raises(ApiError) as twice:
        client.create(Namespace(metadata=ObjectMeta(name="other")))
    assert twice.value.status.reason == "AlreadyExists"
    with pytest.raises(ApiError) as absent:
        client.get(Pod, "nobody")
    assert absent.value.status.message == 'pods "nobody" not found'
    assert absent.value.status.details.kind == "pods"  # type: ignore[union-attr]


def test_an_invalid_deployment_names_every_cause(client: Client):
    wrong = _web(replicas=-1)
    wrong.spec.template.metadata.labels = {"app": "other"}  # type: ignore[union-attr]
    wrong.spec.template.spec.containers[0].image = None  # type: ignore[union-attr]
    with pytest.raises(ApiError) as refused:
        client.create(wrong)
    status = refused.value.status
    assert (status.code, status.reason) == (422, "Invalid")
    assert {cause.field for cause in status.details.causes} == {  # type: ignore[union-attr]
        "spec.replicas",
        "spec.template.metadata.labels",
        "spec.template.spec.containers[0].image",
    }


def test_a_dry_run_changes_nothing(client: Client, served: Served):
    client.create(_web())
    served.advance(30)
    before = client.get(Deployment, "web").metadata.resourceVersion  # type: ignore[union-attr]
    answer = client.patch(Deployment, "web", {"spec": {"replicas": 7}}, dry_run=True)
    assert answer.spec.replicas == 7
    client.delete(Deployment, "web", dry_run=True)
    after = client.get(Deployment, "web")
    assert (after.metadata.resourceVersion, after.spec.replicas) == (before, 2)  # type: ignore[union-attr]


def test_a_reader_may_not_write_and_is_told_so(served: Served):
    reader = _client(served, READER)
    assert list(reader.list(Pod)) == []
    with pytest.raises(ApiError) as refused:
        reader.delete(Deployment, "web")
    assert refused.value.status.code == 403
    assert refused.value.status.message == (
        'deployments.apps "web" is forbidden: User "reader" cannot delete resource "deployments" '
        'in API group "apps" in the namespace "shop"'
    )
    with pytest.raises(ApiError) as outside:
        list(reader.list(Node))
    assert "at the cluster scope" in (outside.value.status.message or "")
    reader.close()


def test_an_unknown_token_is_unauthorized(served: Served):
    stranger = _client(served, "guessed")
    with pytest.raises(ApiError) as refused:
        list(stranger.list(Pod))
    assert refused.value.status.code == 401
    stranger.close()


def test_server_side_apply_creates_changes_and_removes_its_own_fields(client: Client):
    conf = ConfigMap(metadata=ObjectMeta(name="conf", namespace="shop"), data={"a": "1", "b": "2"})
    client.apply(conf)
    client.patch(ConfigMap, "conf", {"data": {"foreign": "x"}}, patch_type=PatchType.MERGE)
    conf.data = {"a": "9"}
    assert client.apply(conf).data == {"a": "9", "foreign": "x"}
    conf.data = {"a": "10"}
    with pytest.raises(ApiError) as refused:
        client.apply(conf, field_manager="other")
    assert refused.value.status.code == 409
    assert client.apply(conf, field_manager="other", force=True).data == {"a": "10", "foreign": "x"}


def test_lists_come_in_pages(client: Client):
    for number in range(7):
        client.create(ConfigMap(metadata=ObjectMeta(name=f"conf-{number}", namespace="shop")))
    names = [item.metadata.name for item in client.list(ConfigMap, chunk_size=3)]  # type: ignore[union-attr]
    assert names == [f"conf-{number}" for number in range(7)]


def test_logs_are_cut_by_run_tail_and_time(client: Client, served: Served):
    client.create(_web(replicas=1))
    served.advance(120)
    pod = str(next(iter(client.list(Pod))).metadata.name)  # type: ignore[union-attr]
    assert len(list(client.log(pod, tail_lines=3))) == 3
    assert len(list(client.log(pod, since=35))) in {3, 4}
    assert 10 <= len(list(client.log(pod))) <= 12


def test_a_deleted_deployment_takes_its_pods_with_it(client: Client, served: Served):
    client.create(_web())
    served.advance(30)
    client.delete(Deployment, "web", cascade=CascadeType.FOREGROUND)
    served.advance(30)
    assert list(client.list(Pod)) == []
    assert list(client.list(ReplicaSet)) == []
    assert any(event.reason == "Killing" for event in client.list(Event))


async def test_the_async_client_sees_changes_as_they_happen(served: Served):
    client = AsyncClient(config=KubeConfig.from_dict(served.kubeconfig()), namespace="shop")
    await client.create(_web(replicas=1))
    seen = []
    async for change, pod in client.watch(Pod):
        seen.append(change)
        states = pod.status.containerStatuses if pod.status else None
        if states and states[0].state and states[0].state.running:
            break
        served.advance(10)
    assert seen[0] == "ADDED"
    assert set(seen[1:]) == {"MODIFIED"}
    await client.close()


async def test_a_watch_from_a_forgotten_version_is_gone(served: Served):
    cluster = served.laboratory.cluster
    conf = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "conf", "namespace": "shop"}}
    for number in range(20_100):
        cluster.apply({**conf, "data": {"n": str(number)}})
    client = AsyncClient(config=KubeConfig.from_dict(served.kubeconfig()), namespace="shop")
    with pytest.raises(ApiError) as gone:
        await aiter(client.watch(Pod, resource_version="5")).__anext__()
    assert gone.value.status.code == 410
    await client.close()
