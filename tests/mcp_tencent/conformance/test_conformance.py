"""The official conformance suite against our transport, tokens and gateway.

`npm ci --ignore-scripts` in this folder installs the suite. Without it, or without node, the tests are
skipped with a reason; in CI they fail. No scenario fails. `server-sse-polling` only warns: the suite speaks
2025-03-26 there, while the SDK primes streams from 2025-11-25 on.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SUITE = HERE / "node_modules/@modelcontextprotocol/conformance/dist/index.js"


@pytest.fixture(scope="module")
def suite() -> list[str]:
    """The command line of the suite."""
    own = sorted(HERE.glob("node_modules/node-linux-*/bin/node"))
    node = str(own[0]) if own else shutil.which("node")
    if node is not None and SUITE.exists():
        return [node, "--import", str(HERE / "node20.mjs"), str(SUITE), "server"]
    reason = f"needs node and the suite: npm ci --ignore-scripts --prefix {HERE.relative_to(ROOT)}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def running(module: str, database: Path) -> Iterator[str]:
    """Run a server in a process of its own; yields its URL."""
    command = [sys.executable, "-m", f"tests.mcp_tencent.conformance.{module}", f"sqlite:///{database}"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
            assert url, f"{module} did not start"
            yield url
        finally:
            process.terminate()
            process.wait(30)


def run(suite: list[str], url: str, results: Path, *options: str) -> dict[str, list[dict[str, object]]]:
    """Run scenarios; return the checks of each, by its folder's name."""
    subprocess.run([*suite, "--url", url, "-o", str(results), *options], cwd=HERE, check=False, timeout=300)
    return {
        folder.name.removeprefix("server-").rsplit("-", 6)[0]: json.loads(
            (folder / "checks.json").read_text()
        )
        for folder in results.iterdir()
    }


def failures(checks: dict[str, list[dict[str, object]]]) -> list[str]:
    return [
        f"{scenario}: {check['name']}: {check.get('errorMessage')}"
        for scenario, found in checks.items()
        for check in found
        if check["status"] == "FAILURE"
    ]


def test_the_gateway_breaks_nothing_of_the_protocol(suite, tmp_path):
    with running("fixture_server", tmp_path / "conformance.db") as url:
        checks = run(suite, url, tmp_path / "results", "--suite", "all")
    assert failures(checks) == []
    assert len(checks) >= 32
    passed = [check for found in checks.values() for check in found if check["status"] == "SUCCESS"]
    assert len(passed) >= 44


@pytest.mark.parametrize("scenario", ["server-initialize", "ping", "tools-list", "dns-rebinding-protection"])
def test_a_server_of_our_own_kind_speaks_the_protocol(suite, tmp_path, scenario):
    with running("shop_server", tmp_path / "shop.db") as url:
        checks = run(suite, url, tmp_path / "results", "--scenario", scenario)
    assert failures(checks) == []
    assert any(check["status"] == "SUCCESS" for found in checks.values() for check in found)
