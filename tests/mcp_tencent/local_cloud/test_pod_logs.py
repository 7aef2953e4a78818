"""What `kubectl logs` shows of the living world: the container's file, line by line."""

from __future__ import annotations

import httpx
import pytest
import yaml

from mcp_tencent.local_cloud.server import LocalCloud


@pytest.fixture
def order_service_log():
    """Return a function that reads the log of a pod whose errors are stack traces."""
    with LocalCloud("bad-revision") as cloud:
        config = yaml.safe_load(cloud.kubeconfig())
        token = config["users"][0]["user"]["token"]
        address = f"{cloud.url}/clusters/{cloud.cluster_ids[0]}/api/v1/namespaces/shop/pods"
        with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
            pods = client.get(address, params={"labelSelector": "app=order-service"}).json()["items"]
            name = pods[0]["metadata"]["name"]
            yield lambda **query: client.get(f"{address}/{name}/log", params=query).text


@pytest.mark.parametrize("tail", [1, 7, 100])
def test_a_tail_counts_lines_of_the_file_and_not_stack_traces(order_service_log, tail):
    assert len(order_service_log(tailLines=tail).splitlines()) == tail


def test_every_line_of_a_stack_trace_has_its_time(order_service_log):
    lines = order_service_log(tailLines=200, timestamps="true").splitlines()
    assert any("at com.shop" in line for line in lines)
    assert all(line[:2] == "20" and line[10] == "T" for line in lines)
