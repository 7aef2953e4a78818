"""xiaozhi night and worker, as a user and a service manager run them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from assistant.cli import app
from mcp_tencent.errors import AccountMissing

ACCOUNT = """# No night is due while the test runs.
[night]
at = "00:00"

[digest]
window_start = "00:00"
window_end = "00:01"

[cloud.accounts.main]
secret_id = "AKIDlocalcloud000000000001"
secret_key = "local-cloud-secret-key-0001"
endpoint_url = "http://127.0.0.1:9"
"""


def test_a_night_that_could_read_nothing_ends_with_five_and_says_why(tmp_path: Path) -> None:
    ended = CliRunner().invoke(
        app, ["night", "--scenario", "wrong-credentials", "--home", str(tmp_path), "--json"]
    )
    assert ended.exit_code == 5, ended.output
    told = json.loads(ended.stdout)
    assert told["outcome"] == "failed"
    assert told["detail"]
    assert told["incidents"] == []
    assert told["digest"]["digest"]["items"], "the morning is told what could not be read"


def test_a_mode_is_only_chosen_for_an_embedded_cloud(tmp_path: Path) -> None:
    for options in (["--mode", "act"], ["--mode", "wild", "--scenario", "quiet"]):
        assert CliRunner().invoke(app, ["night", "--home", str(tmp_path), *options]).exit_code == 2


def test_without_an_account_neither_night_nor_worker_starts(tmp_path: Path) -> None:
    for command in ("night", "worker"):
        refused = CliRunner().invoke(app, [command, "--home", str(tmp_path)])
        assert isinstance(refused.exception, AccountMissing)
        assert "cloud.accounts" in refused.exception.hint


def test_a_worker_takes_part_until_it_is_told_to_stop(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(ACCOUNT, encoding="utf-8")
    worker = subprocess.Popen(
        [sys.executable, "-m", "assistant", "worker", "--home", str(tmp_path)],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert worker.stderr is not None
        assert any("Taking part" in line for line in iter(worker.stderr.readline, ""))
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
    finally:
        worker.kill()
        worker.wait()
        assert worker.stderr is not None
        worker.stderr.close()
