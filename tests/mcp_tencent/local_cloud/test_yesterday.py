"""The demo's day, seen by the real SDK, lightkube and kubectl."""

import json
import os
import shutil
import subprocess
from collections import Counter
from datetime import timedelta

import pytest
from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.tke.v20180525 import models as tke_models
from tencentcloud.tke.v20180525.tke_client import TkeClient

from mcp_tencent.local_cloud.server import kubeconfig_file
from mcp_tencent.local_cloud.tencent.ports import AlertRecord
from tests.mcp_tencent.local_cloud.story import Story, play

needs_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")


@pytest.fixture(scope="module")
def day():
    cloud, clock = play("yesterday")
    with cloud:
        story = Story(cloud, clock, namespace="trade")
        yield story
        story.kubernetes.close()


def tke(day, region):
    profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=day.cloud.endpoint))
    account = day.cloud.credentials
    return TkeClient(Credential(account.secret_id, account.secret_key), region, profile)


def kubectl(day, *arguments):
    with kubeconfig_file(day.cloud) as path:
        done = subprocess.run(
            ["kubectl", *arguments],
            env={"KUBECONFIG": str(path), "PATH": os.environ["PATH"], "HOME": str(path.parent)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_are_three_clusters_in_three_regions(day):
    found: dict[str, int] = {}
    for region in ("ap-guangzhou", "ap-shanghai", "ap-beijing"):
        answer = tke(day, region).DescribeClusters(tke_models.DescribeClustersRequest())
        found |= {cluster.ClusterName: cluster.ClusterNodeNum for cluster in answer.Clusters}
    assert found == {"生产集群": 7, "预发集群": 3, "灾备集群": 3}


def test_yesterday_has_some_forty_alert_records_of_ten_incidents_and_noise(day):
    start, end = day.clock.now() - timedelta(hours=29), day.clock.now() - timedelta(hours=5)
    records = day.cloud.world.alarms.records(start, end)
    assert 35 <= len(records) <= 50, Counter(record.alarm_name for record in records)
    incidents = [truth for truth in day.cloud.scenario.truth if truth.cause not in ("noise", "log_anomaly")]
    assert len(incidents) == 10
    fired = {record.alarm_name for record in records}
    assert all({alerts.alarm for alerts in truth.alerts} <= fired for truth in day.cloud.scenario.truth)


def test_open_incidents_have_an_open_alert_and_the_others_none(day):
    open_now = {
        record.alarm_name
        for record in day.cloud.world.alarms.records(day.cloud.world.beginning, day.clock.now())
        if record.ended_at is None
    }
    # Flapping is up most of the time.
    expected = {
        alerts.alarm
        for truth in day.cloud.scenario.truth
        if truth.open and truth.cause != "flapping"
        for alerts in truth.alerts
    }
    assert open_now == expected


def test_each_alarm_that_fired_finds_lines_with_its_own_query(day):
    """History comes from timelines, logs from generators: both must tell the same."""
    world = day.cloud.world
    queries = {
        alarm.name: alarm.query.split("|")[0].strip() for alarm in day.cloud.scenario.alarms if alarm.watches
    }
    first: dict[str, AlertRecord] = {}
    for record in world.alarms.records(world.beginning, day.clock.now()):
        first.setdefault(record.alarm_name, record)
    found = {}
    for name, query in queries.items():
        record = first[name]
        ago = (day.clock.now() - record.started_at).total_seconds() / 60 - 5
        found[name] = day.count(
            query, topic=record.topic_name, minutes=20, ago_minutes=ago, region=record.region
        )
    assert all(found.values()), found


@needs_kubectl
def test_the_bad_release_is_there_with_its_history(day):
    revisions = kubectl(day, "rollout", "history", "deployment/order-service", "-n", "trade")
    assert "v2.8.1 新增优惠叠加，晚间发布" in revisions


@needs_kubectl
def test_kubectl_sees_workloads_aliases_events_and_logs(day):
    deployments = json.loads(kubectl(day, "get", "deployments", "-n", "trade", "-o", "json"))["items"]
    aliases = {
        item["metadata"]["name"]: item["metadata"]["annotations"]["xiaozhi/alias"] for item in deployments
    }
    assert aliases["order-service"] == "订单服务,订单"
    assert "order-service" in kubectl(day, "describe", "deployment", "order-service", "-n", "trade")
    lines = kubectl(day, "logs", "deployment/order-service", "-n", "trade", "--tail=50").splitlines()
    assert len(lines) >= 50
    assert "Running" in kubectl(day, "get", "pods", "-A")
    nodes = kubectl(day, "get", "nodes", "--context", "cls-bjdr0001", "--no-headers").splitlines()
    assert len(nodes) == 3


@needs_kubectl
def test_pod_logs_are_the_same_lines_as_the_topic_has(day):
    pod = day.pods("cart-service")[0]["metadata"]["name"]
    shown = kubectl(day, "logs", pod, "-n", "trade", "--since=20m").splitlines()
    found = day.count(f'__TAG__.pod_name:"{pod}"', minutes=20, topic="生产交易日志")
    assert found > 0
    assert abs(len([line for line in shown if not line.startswith(("\t", "java."))]) - found) <= 2


@needs_kubectl
def test_the_staging_rollout_hangs_on_its_image(day):
    pods = kubectl(day, "get", "pods", "-n", "trade", "--context", "cls-shpre001")
    assert "ImagePullBackOff" in pods or "ErrImagePull" in pods
