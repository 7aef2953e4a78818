"""The real kubectl through a bad rollout and its undo."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from mcp_tencent.local_cloud.simulation import ScaledClock, WallClock
from tests.mcp_tencent.local_cloud.kubernetes.laboratory import Laboratory, deployment, serve

KUBECTL = shutil.which("kubectl")

Kubectl = Callable[..., str]

pytestmark = pytest.mark.skipif(
    KUBECTL is None and "CI" not in os.environ, reason="kubectl is not installed (Debian: kubernetes-client)"
)


@pytest.fixture
def kubectl(lab: Laboratory, tmp_path: Path) -> Iterator[Kubectl]:
    """Runs kubectl against a cluster whose time runs sixty times as fast as ours."""
    lab.run(1)
    clock = ScaledClock(lab.simulation.now, speed=60, reference=WallClock())
    with serve(lab, clock) as running:
        config = tmp_path / "kubeconfig"
        config.write_text(yaml.safe_dump(running.kubeconfig()))

        def run(*arguments: str, fails: bool = False, stdin: str = "") -> str:
            assert KUBECTL is not None, "kubectl must be installed where CI runs"
            finished = subprocess.run(
                [KUBECTL, f"--kubeconfig={config}", f"--cache-dir={tmp_path / 'cache'}", *arguments],
                input=stdin,
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
            told = finished.stdout + finished.stderr
            assert (finished.returncode != 0) == fails, told
            return told

        yield run


def test_a_bad_rollout_is_seen_and_undone(kubectl: Kubectl, lab: Laboratory):
    manifest = yaml.safe_dump(deployment("web", replicas=4, progressDeadlineSeconds=60))
    assert "created" in kubectl("apply", "-f", "-", stdin=manifest)
    assert "unchanged" in kubectl("apply", "-f", "-", stdin=manifest)
    assert "successfully rolled out" in kubectl("rollout", "status", "deploy/web", "--timeout=20s")

    kubectl("set", "image", "deploy/web", "web=web:missing")
    late = kubectl("rollout", "status", "deploy/web", "--timeout=20s", fails=True)
    assert "exceeded its progress deadline" in late
    listed = kubectl("get", "pods", "-l", "app=web")
    assert listed.count("Running") >= 3
    assert "ImagePullBackOff" in listed or "ErrImagePull" in listed
    assert "ProgressDeadlineExceeded" in kubectl("describe", "deploy", "web")
    broken = next(line.split()[0] for line in listed.splitlines() if "0/1" in line)
    assert 'Failed to pull image "web:missing"' in kubectl("describe", "pod", broken)
    assert "Failed to pull image" in kubectl("get", "events", "--field-selector", "type=Warning")
    assert "image can't be pulled" in (why := kubectl("logs", broken, fails=True)) or "pull image" in why

    assert "rolled back" in kubectl("rollout", "undo", "deploy/web")
    assert "successfully rolled out" in kubectl("rollout", "status", "deploy/web", "--timeout=20s")
    history = kubectl("rollout", "history", "deploy/web")
    assert [line.split()[0] for line in history.splitlines()[2:] if line] == ["2", "3"]
    assert "4/4" in kubectl("get", "deploy", "web")
    assert "心跳" in kubectl("logs", "deploy/web", "--tail=1")


def test_the_everyday_commands_work(kubectl: Kubectl, lab: Laboratory):
    kubectl("create", "deployment", "web", "--image=web:1", "--replicas=2")
    kubectl("rollout", "status", "deploy/web", "--timeout=20s")
    kubectl("scale", "deploy/web", "--replicas=3")
    kubectl("rollout", "restart", "deploy/web")
    kubectl("rollout", "status", "deploy/web", "--timeout=20s")
    assert "3/3" in kubectl("get", "deploy", "web", "-o", "wide")
    kubectl("create", "configmap", "conf", "--from-literal=a=1")
    assert "yes" in kubectl("auth", "can-i", "delete", "pods")
    assert "node-0" in kubectl("top", "nodes")
    kubectl("label", "deploy", "web", "tier=front")
    assert "web" in kubectl("get", "all", "-l", "tier=front", "-A")
    kubectl(
        "patch", "deploy", "web", "--type=json", "-p", '[{"op":"replace","path":"/spec/replicas","value":1}]'
    )
    dry = kubectl("scale", "deploy/web", "--replicas=9", "--dry-run=server", "-o", "name")
    assert "web" in dry
    assert lab.get("Deployment", "web")["spec"]["replicas"] == 1
    kubectl("expose", "deploy", "web", "--port=80")
    assert "Endpoints:" in kubectl("describe", "svc", "web")
    kubectl("cordon", "node-1")
    assert "SchedulingDisabled" in kubectl("get", "nodes")
    kubectl("drain", "node-1", "--ignore-daemonsets", "--timeout=20s")
    assert "replicas" in kubectl("explain", "deployment.spec")
    kubectl("delete", "deploy", "web")
    assert "NotFound" in kubectl("get", "deploy", "web", fails=True)
