"""The body of `xiaozhi local-cloud`: the local cloud alone, until it is asked to stop."""

from __future__ import annotations

import json
import signal
import threading
from types import FrameType
from typing import TextIO

from mcp_tencent.local_cloud.scenario.model import Scenario
from mcp_tencent.local_cloud.server import LocalCloud, kubeconfig_file


def serve(scenario: Scenario | str, *, port: int, as_json: bool, out: TextIO) -> None:
    """Serve `scenario` on a loopback port until SIGTERM or SIGINT; when ready, say how to reach it on `out`.

    Must be called in the main thread, for the signals' sake.

    Raises:
        ScenarioError: the scenario cannot be played.
        ScenarioNotFoundError: there is no such scenario.
        ServerNotStartedError: the port is taken.
    """
    stop = threading.Event()

    def asked_to_stop(number: int, frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, asked_to_stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with LocalCloud(scenario, port=port) as cloud, kubeconfig_file(cloud) as path:
            told = _as_json(cloud, str(path)) if as_json else _as_text(cloud, str(path))
            print(told, file=out, flush=True)
            stop.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _as_json(cloud: LocalCloud, kubeconfig: str) -> str:
    return json.dumps(
        {
            "url": cloud.url,
            "region": cloud.region,
            "secret_id": cloud.credentials.secret_id,
            "secret_key": cloud.credentials.secret_key,
            "kubeconfig": kubeconfig,
            "clusters": cloud.cluster_ids,
        }
    )


def _as_text(cloud: LocalCloud, kubeconfig: str) -> str:
    title = f" ({cloud.scenario.title})" if cloud.scenario.title else ""
    clusters = "\n".join(f"  {item.id}  {item.name}  {item.region}" for item in cloud.scenario.clusters)
    return (
        f"Local cloud, scenario {cloud.scenario.name}{title}\n"
        f"Tencent Cloud API  {cloud.url}  region {cloud.region}\n"
        f"  secret id        {cloud.credentials.secret_id}\n"
        f"  secret key       {cloud.credentials.secret_key}\n"
        f"Kubernetes         export KUBECONFIG={kubeconfig}; kubectl get pods -A\n"
        f"{clusters}\n"
        "Stop with Ctrl-C."
    )
