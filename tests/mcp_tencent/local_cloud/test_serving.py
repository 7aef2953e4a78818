import json
import signal
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest
import yaml

from mcp_tencent import local_cloud
from mcp_tencent.local_cloud.__main__ import main
from mcp_tencent.local_cloud.errors import ServerNotStartedError
from mcp_tencent.local_cloud.scenario.model import Scenario
from mcp_tencent.local_cloud.server import LocalCloud, merged_kubeconfig
from tests.mcp_tencent.local_cloud.story import play

COMMAND = [sys.executable, "-m", "mcp_tencent.local_cloud"]


def started(*arguments):
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    return process, watchdog


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_says_where_it_is_serves_and_ends_with_zero(number):
    process, watchdog = started("--json", "--scenario", "quiet")
    try:
        told = json.loads(process.stdout.readline())
        assert set(told) == {"url", "region", "secret_id", "secret_key", "kubeconfig", "clusters"}
        kubeconfig = Path(told["kubeconfig"])
        assert stat.S_IMODE(kubeconfig.stat().st_mode) == 0o600
        config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
        token = config["users"][0]["user"]["token"]
        server = config["clusters"][0]["cluster"]["server"]
        answer = httpx.get(f"{server}/api/v1/namespaces", headers={"Authorization": f"Bearer {token}"})
        assert "shop" in {item["metadata"]["name"] for item in answer.json()["items"]}
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out, err) == (0, "", "")
        assert not kubeconfig.exists()
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()


def test_an_open_watch_does_not_keep_the_process_from_ending():
    process, watchdog = started("--json", "--scenario", "quiet")
    try:
        told = json.loads(process.stdout.readline())
        config = yaml.safe_load(Path(told["kubeconfig"]).read_text(encoding="utf-8"))
        server = config["clusters"][0]["cluster"]["server"]
        headers = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
        with httpx.stream("GET", f"{server}/api/v1/pods?watch=1", headers=headers, timeout=20) as stream:
            assert stream.status_code == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()


def test_a_bad_scenario_ends_with_two_and_its_findings(tmp_path, capsys):
    path = tmp_path / "bad.yaml"
    path.write_text("name: x\nclusters: []\nfoo: 1\n", encoding="utf-8")
    assert main(["--scenario", str(path)]) == 2
    assert f"{path}:3: foo" in capsys.readouterr().err


def test_an_unknown_scenario_ends_with_two(capsys):
    assert main(["--scenario", "tomorrow"]) == 2
    assert "shipped" in capsys.readouterr().err


def test_a_taken_port_ends_with_one(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["--scenario", "quiet", "--port", str(taken.getsockname()[1])]) == 1
    assert "choose another --port" in capsys.readouterr().err


def test_the_schema_is_printed_and_the_shipped_one_is_up_to_date(capsys):
    assert main(["--schema"]) == 0
    assert json.loads(capsys.readouterr().out) == Scenario.model_json_schema()
    shipped = Path(local_cloud.__file__).parent / "scenarios" / "scenario.schema.json"
    assert json.loads(shipped.read_text(encoding="utf-8")) == Scenario.model_json_schema()


def test_the_list_names_every_scenario(capsys):
    assert main(["--list"]) == 0
    assert "yesterday" in capsys.readouterr().out.split()


def test_two_clouds_run_side_by_side_and_their_ports_are_free_afterwards():
    first, _ = play("quiet")
    second, _ = play("overload")
    with first, second:
        assert first.url != second.url
        assert httpx.get(f"{first.url}/healthz").text == httpx.get(f"{second.url}/healthz").text == "ok\n"
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{first.url}/healthz")


def test_a_taken_port_is_said_when_embedded():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        cloud = LocalCloud("quiet", port=taken.getsockname()[1])
        with pytest.raises(ServerNotStartedError), cloud:
            pass


def test_the_merged_kubeconfig_has_a_context_for_each_cluster():
    cloud, _ = play("yesterday")
    with cloud:
        config = yaml.safe_load(merged_kubeconfig(cloud))
    assert [context["name"] for context in config["contexts"]] == cloud.cluster_ids
    assert config["current-context"] == "cls-gzprod01"
    assert len({user["user"]["token"] for user in config["users"]}) == 3
