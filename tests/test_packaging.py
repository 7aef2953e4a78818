"""What is handed to others holds: policies grant what the program calls, units and scripts are sound."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from mcp.client import Client

from assistant.home import find_home
from assistant.server_name import ServerName
from assistant.servers import Installation, on_local_cloud, open_server
from assistant.settings import Settings
from mcp_tencent.gateway.call import Caller, CallerKind, Permission
from mcp_tencent.local_cloud.scenario.reading import shipped_scenarios
from mcp_tencent.local_cloud.server import LocalCloud
from mcp_tencent.local_cloud.simulation import ScaledClock, WallClock
from mcp_tencent.serving.envelope import confirmed, question_in

ROOT = Path(__file__).parents[1]
PACKAGING = ROOT / "packaging"
ADAPTERS = ROOT / "mcp_tencent" / "cloud" / "tencentcloud"
CALLED = re.compile(r"\.(cls|tke|tke2022|monitor)\.([A-Z]\w+)")
READS = ("Describe", "Get", "List", "Search", "Query", "Check")
WRITES_QUERIES_ONLY = {"cls:ChatCompletions"}
"""Turns a question into a log query; it changes nothing."""
SCRIPTS = ["install.sh", "setup", "lock"]
UNITS = ["xiaozhi.service", "xiaozhi-worker.service"]
OWNER = Caller(name="负责人", kind=CallerKind.PERSON, permissions=frozenset(Permission))


def granted(policy: str) -> set[str]:
    told = json.loads((PACKAGING / "tencent-cloud" / policy).read_text(encoding="utf-8"))
    assert told["version"] == "2.0"
    assert {one["effect"] for one in told["statement"]} == {"allow"}
    return {action for one in told["statement"] for action in one["action"]}


def called_actions() -> set[str]:
    """The actions that the adapters call, as CAM names them: product and action, whatever the version."""
    code = "".join(file.read_text(encoding="utf-8") for file in sorted(ADAPTERS.glob("*.py")))
    return {f"{product.removesuffix('2022')}:{action}" for product, action in CALLED.findall(code)}


def is_read(action: str) -> bool:
    return action.partition(":")[2].startswith(READS) or action in WRITES_QUERIES_ONLY


def test_the_acting_cam_policy_grants_exactly_what_the_adapters_call():
    assert granted("cam-act.json") == called_actions()


def test_the_observing_cam_policy_grants_exactly_the_reads_among_them():
    assert granted("cam-observe.json") == {action for action in called_actions() if is_read(action)}


# --- Kubernetes: the roles are tried on the imitated cluster, which refuses what they do not grant ---


def rules(*manifests: str) -> list[dict[str, object]]:
    """The rules of roles, in the words of a scenario."""
    told: list[dict[str, object]] = []
    for manifest in manifests:
        for item in yaml.safe_load_all((PACKAGING / "kubernetes" / manifest).read_text(encoding="utf-8")):
            everywhere = item["kind"] == "ClusterRole"
            told += [
                {
                    "verbs": rule["verbs"],
                    "resources": rule["resources"],
                    "namespaces": ["*"] if everywhere else ["shop"],
                }
                for rule in item.get("rules", ())
            ]
    return told


def scenario_with(folder: Path, access: list[dict[str, object]]) -> Path:
    shipped = next(path for path in scenario_files() if path.stem == "bad-revision")
    scenario = yaml.safe_load(shipped.read_text(encoding="utf-8"))
    scenario["kubernetes_access"] = access
    file = folder / "scenario.yaml"
    file.write_text(yaml.safe_dump(scenario, allow_unicode=True), encoding="utf-8")
    return file


def hurried_cloud(folder: Path, *manifests: str) -> LocalCloud:
    """A cloud that grants what the roles grant, and in which a minute of a rollout takes a second."""
    wall = WallClock()
    clock = ScaledClock(wall.now(), speed=60.0, reference=wall)
    return LocalCloud(str(scenario_with(folder, rules(*manifests))), clock=clock)


def scenario_files() -> list[Path]:
    assert "bad-revision" in shipped_scenarios()
    return sorted((ROOT / "mcp_tencent" / "local_cloud" / "scenarios").glob("*.yaml"))


async def outcome(client: Client, tool: str, **arguments: object) -> dict[str, object]:
    """Call a tool, saying yes when it asks; return what it answered."""
    answer = await client.call_tool(tool, arguments)
    question = question_in(answer)
    if question is not None:
        answer = await client.call_tool(tool, arguments, meta=confirmed(question))
    told = dict(answer.structured_content or {})
    return {"failed": told.get("error")} if answer.is_error else told


async def tried(installation: Installation, server: ServerName, *calls: dict[str, object]) -> list[object]:
    async with open_server(server, installation, otherwise=OWNER) as opened, Client(opened) as client:
        answers = [await outcome(client, **call) for call in calls]  # type: ignore[arg-type]
    return [answer.get("failed") for answer in answers]


LOOKS: list[dict[str, object]] = [
    {"tool": "list_namespaces"},
    {"tool": "list_nodes"},
    {"tool": "list_workloads"},
    {"tool": "rollout_history", "workload": "订单服务"},
    {"tool": "list_pods", "workload": "订单服务"},
    {"tool": "pod_logs", "workload": "订单服务"},
    {"tool": "list_events", "workload": "订单服务"},
    {"tool": "list_services"},
]
ACTS: list[dict[str, object]] = [
    {"tool": "restart_workload", "workload": "订单服务"},
    {"tool": "scale_workload", "workload": "商品服务", "replicas": 4},
]
HEALING: list[dict[str, object]] = [
    {"tool": "roll_back", "workload": "订单服务"},
    {"tool": "isolate_workload", "workload": "商品服务"},
    {"tool": "release_workload", "workload": "商品服务"},
]


async def test_the_observing_role_lets_see_everything_and_change_nothing(tmp_path):
    with hurried_cloud(tmp_path, "observe.yaml") as cloud:
        installation = on_local_cloud(find_home(tmp_path, {}), Settings(), {}, cloud)
        assert await tried(installation, ServerName.BASIC, *LOOKS) == [None] * len(LOOKS)
        assert await tried(installation, ServerName.DEVOPS, {"tool": "diagnose", "workload": "订单服务"}) == [
            None
        ]
        refused = await tried(installation, ServerName.BASIC, *ACTS)
        refused += await tried(installation, ServerName.DEVOPS, *HEALING[:2])
    assert all(isinstance(one, dict) and one["code"] == "permission_missing" for one in refused), refused


async def test_the_acting_role_lets_heal_in_its_namespace(tmp_path):
    with hurried_cloud(tmp_path, "observe.yaml", "act.yaml") as cloud:
        installation = on_local_cloud(find_home(tmp_path, {}), Settings(), {}, cloud)
        assert await tried(installation, ServerName.BASIC, *ACTS) == [None] * len(ACTS)
        assert await tried(installation, ServerName.DEVOPS, *HEALING) == [None] * len(HEALING)


# --- scripts and units ---


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_sound_to_the_shell_and_to_shellcheck(script):
    path = PACKAGING / script
    subprocess.run(["sh", "-n", path], check=True)
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    found = subprocess.run(["shellcheck", path], check=False, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout


def test_the_installer_tells_how_it_is_used_when_asked_wrongly():
    told = subprocess.run(
        [PACKAGING / "install.sh", "--help-me"], check=False, capture_output=True, text=True
    )
    assert told.returncode == 2
    assert told.stderr.startswith("usage: ")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_is_understood_by_systemd_and_exposes_little(unit, tmp_path):
    text = (PACKAGING / "systemd" / unit).read_text(encoding="utf-8")
    # Neither the program nor its user exist where this is tested.
    there = re.sub(r"^(User|Group)=.*", r"\1=root", text, flags=re.MULTILINE)
    (tmp_path / unit).write_text(there.replace("/opt/xiaozhi/current/bin/xiaozhi", "/bin/true"))
    found = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / unit],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (found.returncode, found.stderr) == (0, "")
    exposed = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", PACKAGING / "systemd" / unit],
        check=False,
        capture_output=True,
        text=True,
    )
    assert exposed.returncode == 0, exposed.stdout[-200:]
