"""The connection to a cluster under failure, against a scripted API server on a real socket."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mcp_tencent import errors
from mcp_tencent.cloud.calling import Calling, CallPolicy
from mcp_tencent.cloud.lightkube.connection import ClusterConnection, checked_name
from mcp_tencent.cloud.lightkube.workloads import LightkubeWorkloads
from mcp_tencent.models.changes import ObjectRef
from mcp_tencent.models.workloads import WorkloadKind, WorkloadRef
from tests.mcp_tencent.cloud.scripted_server import (
    Asked,
    Drip,
    InstantTiming,
    Reply,
    Reset,
    in_turn,
    scripted,
    status_object,
)

ORDER = WorkloadRef(namespace="shop", kind=WorkloadKind.DEPLOYMENT, name="order-service")
NOTHING = Reply(
    json.dumps({"kind": "NamespaceList", "apiVersion": "v1", "metadata": {}, "items": []}).encode()
)


def kubeconfig(url: str, token: str) -> str:
    return json.dumps(
        {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
            "clusters": [{"name": "k", "cluster": {"server": f"{url}/clusters/cls-1"}}],
            "users": [{"name": "u", "user": {"token": token}}],
        }
    )


class Inside:
    """A cluster's inside at an address; counts how often the kubeconfig was fetched."""

    def __init__(self, url: str, timing: InstantTiming | None = None, **policy: Any) -> None:
        self.fetched = 0
        self._url = url
        calling = Calling(CallPolicy(**policy), timing or InstantTiming())
        self.workloads = LightkubeWorkloads(ClusterConnection("cls-1", self._fetch, calling))

    async def _fetch(self) -> str:
        self.fetched += 1
        return kubeconfig(self._url, f"token-{self.fetched}")

    async def __aenter__(self) -> "Inside":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.workloads.close()


async def test_the_kubeconfig_is_fetched_once_and_its_path_and_token_are_used():
    async with scripted(in_turn(NOTHING)) as server, Inside(server.url) as inside:
        for _ in range(3):
            await inside.workloads.namespaces()
    assert inside.fetched == 1
    assert {asked.headers["authorization"] for asked in server.asked} == {"Bearer token-1"}
    assert server.asked[0].target.startswith("/clusters/cls-1/api/v1/namespaces")


def only_newer_than(refused: int, answer: Reply):
    def script(asked: Asked) -> Reply:
        number = int(asked.headers["authorization"].rsplit("-", 1)[1])
        return status_object(401, "Unauthorized") if number <= refused else answer

    return script


async def test_a_refused_token_is_replaced_once_without_the_caller_noticing():
    async with scripted(only_newer_than(1, NOTHING)) as server, Inside(server.url) as inside:
        assert await inside.workloads.namespaces() == []
    assert inside.fetched == 2


async def test_a_token_that_is_refused_again_is_an_error():
    async with scripted(in_turn(status_object(401, "Unauthorized"))) as server, Inside(server.url) as inside:
        with pytest.raises(errors.CredentialsRefused):
            await inside.workloads.namespaces()
    assert (inside.fetched, len(server.asked)) == (2, 2)


@pytest.mark.parametrize(
    "trouble",
    [
        status_object(429, "TooManyRequests"),
        status_object(503, "ServiceUnavailable"),
        Reply(b"<html>bad gateway</html>", status=502, content_type="text/html"),
        Reply(b"gone away", status=500, content_type=""),
        Reset(),
        Reset(after_bytes=10),
    ],
    ids=repr,
)
async def test_a_burst_of_trouble_is_ridden_out_by_reads(trouble):
    script = in_turn(trouble, trouble, NOTHING)
    async with scripted(script) as server, Inside(server.url) as inside:
        assert await inside.workloads.namespaces() == []
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (status_object(403, "Forbidden", 'User "x" cannot list'), errors.PermissionMissing),
        (status_object(404, "NotFound"), errors.NotFound),
        (Reply(b"not json"), errors.UnexpectedAnswer),
        (Reply(b"[]"), errors.UnexpectedAnswer),
        (Reply(b"{}"), errors.UnexpectedAnswer),
        (Reply(b'{"items": [7]}'), errors.UnexpectedAnswer),
        (Reply(b'{"items": [{"metadata": "x"}]}'), errors.UnexpectedAnswer),
        (Reply(b"not json", status=403), errors.PermissionMissing),
        (Reply(b"[]", status=404), errors.NotFound),
        (Reply(b"moved", status=301, content_type="text/plain"), errors.UnexpectedAnswer),
    ],
    ids=repr,
)
async def test_what_will_not_pass_is_our_error_at_once(answer, kind):
    async with scripted(in_turn(answer)) as server, Inside(server.url) as inside:
        with pytest.raises(kind):
            await inside.workloads.namespaces()
    assert len(server.asked) == 1


async def test_a_dripping_answer_ends_at_the_total_deadline():
    async with scripted(in_turn(Drip())) as server, Inside(server.url, total_seconds=0.3) as inside:
        with pytest.raises(errors.DeadlineExceeded):
            await inside.workloads.namespaces()


async def test_a_kubeconfig_that_cannot_be_read_is_our_error():
    async def fetch() -> str:
        return "no kubeconfig"

    workloads = LightkubeWorkloads(ClusterConnection("cls-1", fetch, Calling()))
    with pytest.raises(errors.UnexpectedAnswer, match="kubeconfig"):
        await workloads.namespaces()


@pytest.mark.parametrize(
    "name",
    ["", "../secrets/x", "a/b", "a b", "A", "-a", "a-", "a..b", "a%2fb", "x" * 254, "订单", "a\n", "?x"],
)
async def test_a_name_that_could_lead_elsewhere_in_the_api_is_refused(name):
    with pytest.raises(errors.InvalidRequest):
        checked_name(name)
    async with Inside("http://127.0.0.1:1") as inside:
        with pytest.raises(errors.InvalidRequest):
            await inside.workloads.pod_log("shop", name or "/", container="app")
        with pytest.raises(errors.InvalidRequest):
            await inside.workloads.workload(
                WorkloadRef(namespace="shop", kind=WorkloadKind.DEPLOYMENT, name=name)
            )
        with pytest.raises(errors.InvalidRequest):
            await inside.workloads.snapshot(
                [ObjectRef(api_version="v1", kind="ConfigMap", namespace="shop", name=name)],
                datetime(2026, 11, 20, tzinfo=UTC),
            )


DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "order-service", "namespace": "shop", "uid": "u", "resourceVersion": "1"},
    "spec": {"replicas": 2, "selector": {}, "template": {}},
}


def json_reply(item: dict[str, Any]) -> Reply:
    return Reply(json.dumps(item).encode())


class Scaled:
    """A deployment whose first patches fail in a given way, before or after they took effect."""

    def __init__(self, *failures: Reply | Reset, takes_effect: bool) -> None:
        self.item = json.loads(json.dumps(DEPLOYMENT))
        self.patches = 0
        self._failures = list(failures)
        self._takes_effect = takes_effect

    def __call__(self, asked: Asked) -> Reply | Reset:
        if asked.method == "GET":
            return json_reply(self.item)
        self.patches += 1
        if self._takes_effect or not self._failures:
            self.item["spec"]["replicas"] = asked.fields["spec"]["replicas"]
            self.item["metadata"].setdefault("annotations", {}).update(
                asked.fields.get("metadata", {}).get("annotations", {})
            )
        return self._failures.pop(0) if self._failures else json_reply(self.item)


@pytest.mark.parametrize("failure", [Reset(), status_object(500, "InternalError")], ids=repr)
async def test_a_write_with_a_key_that_took_effect_is_recognised_by_its_mark(failure):
    script = Scaled(failure, takes_effect=True)
    async with scripted(script) as server, Inside(server.url) as inside:
        change = await inside.workloads.scale(ORDER, 5, idempotency_key="k-1")
    assert change.repeated
    assert (script.patches, script.item["spec"]["replicas"]) == (1, 5)


@pytest.mark.parametrize("failure", [Reset(), status_object(429, "TooManyRequests")], ids=repr)
async def test_a_write_with_a_key_that_had_no_effect_is_sent_again(failure):
    script = Scaled(failure, takes_effect=False)
    async with scripted(script) as server, Inside(server.url) as inside:
        change = await inside.workloads.scale(ORDER, 5, idempotency_key="k-1")
    assert [(field.path, field.before, field.after) for field in change.fields] == [
        ("spec.replicas", "2", "5")
    ]
    assert (script.patches, script.item["spec"]["replicas"]) == (2, 5)


async def test_a_write_without_a_key_is_sent_once_and_says_when_its_fate_is_unclear():
    script = Scaled(Reset(), takes_effect=True)
    async with scripted(script) as server, Inside(server.url) as inside:
        with pytest.raises(errors.OutcomeUnknown):
            await inside.workloads.scale(ORDER, 5)
    assert script.patches == 1


async def test_the_same_key_from_another_process_does_nothing():
    script = Scaled(takes_effect=True)
    async with scripted(script) as server:
        for _ in range(2):
            async with Inside(server.url) as inside:
                change = await inside.workloads.scale(ORDER, 5, idempotency_key="k-1")
    assert change.repeated
    assert script.patches == 1


async def test_a_flapping_rollout_is_waited_for_in_vain_and_relapses_are_counted():
    def status(ready: int) -> Reply:
        counts = {"replicas": 2, "updatedReplicas": 2, "readyReplicas": ready, "availableReplicas": ready}
        return json_reply({**DEPLOYMENT, "status": {**counts, "observedGeneration": 0}})

    script = in_turn(*([status(2), status(2), status(1)] * 40))
    async with scripted(script) as server, Inside(server.url) as inside:
        result = await inside.workloads.wait_for_rollout(
            ORDER, within=timedelta(seconds=30), stay_ready=timedelta(seconds=5)
        )
    assert result.state == "timed_out"
    assert result.relapses >= 8
    assert 29 <= result.waited_seconds <= 30
