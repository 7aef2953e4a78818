"""What `xiaozhi digest` and `xiaozhi incidents` show of a night that is on record."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from assistant.app import open_records
from assistant.cli import app
from assistant.clock import SystemClock
from assistant.home import find_home
from assistant.settings import Settings
from mcp_tencent.devops.incidents import (
    Attempt,
    AttemptOutcome,
    Incident,
    IncidentStatus,
    Rung,
    TimelineEvent,
)
from mcp_tencent.devops.records import SqlIncidentStore
from scheduler.digest import build_digest
from scheduler.digest_facts import AlertFacts, NightFacts, Standing
from scheduler.digest_rendering import rendered
from scheduler.records import SqlDigestStore

NOW = datetime(2026, 11, 19, 21, 0, tzinfo=UTC)
TODAY = date(2026, 11, 20)
ALERT = AlertFacts(
    id="alert-1",
    title="订单服务[bold]错误率过高",
    name="订单服务",
    score=87.0,
    priority="P1",
    standing=Standing.OPEN,
    cluster_id="cls-1",
    namespace="shop",
    workload="orders",
    alerts=40,
    because=("级别为严重\x1b[2J",),
)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home on whose record one night stands."""
    folder = tmp_path_factory.mktemp("home")
    opened_at = SystemClock().now() - timedelta(hours=2)
    with open_records(find_home(folder, {}), Settings()) as database:
        for on in (TODAY - timedelta(days=1), TODAY):
            told = build_digest(NightFacts(date=on, alert_records=40, alerts=(ALERT,)))
            SqlDigestStore(database.engine).write(rendered(told, written_at=NOW))
        store = SqlIncidentStore(database.engine)
        store.open(
            Incident(
                id="inc-1",
                idempotency_key="night-1",
                fingerprint="f",
                cluster_id="cls-1",
                namespace="shop",
                workload_kind="Deployment",
                workload="orders",
                title="订单服务错误率过高",
                score=87.0,
                alert_count=40,
                status=IncidentStatus.HEALED,
                opened_at=opened_at,
                last_seen_at=opened_at,
                policy_version="p1",
            )
        )
        store.add_event(
            "inc-1",
            TimelineEvent(
                at=opened_at, kind="verification", text="错误率降回平时", evidence_json='{"error_rate": 0.01}'
            ),
            key="v",
        )
        store.start_attempt(
            Attempt(
                id="a-1",
                incident_id="inc-1",
                number=1,
                rung=Rung.ROLL_BACK,
                action="把订单服务回滚到版本3",
                idempotency_key="a-1",
                checkpoint_id=None,
                started_at=opened_at,
            )
        )
        store.finish_attempt("a-1", AttemptOutcome.HEALED, at=opened_at, reason="已验证", evidence_json="{}")
    return folder


@pytest.fixture
def xiaozhi(night: Path) -> Callable[..., Result]:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments, "--home", str(night)], env={"COLUMNS": "160"})

    return run


@pytest.fixture
def refused(night: Path) -> Callable[..., dict[str, str]]:
    """Run a command that must fail with status 1, and return what it says as JSON."""

    def run(*arguments: str) -> dict[str, str]:
        command = [sys.executable, "-m", "assistant", *arguments, "--home", str(night), "--json"]
        told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert told.returncode == 1
        error: dict[str, str] = json.loads(told.stderr)
        return error

    return run


def test_the_latest_digest_is_shown_and_obeys_nothing_from_outside(xiaozhi):
    told = xiaozhi("digest")
    assert "昨天40条告警，是同一个问题" in told.stdout
    assert "订单服务[bold]错误率过高" in told.stdout
    assert "\x1b" not in told.stdout


def test_the_digest_as_json_page_and_speech(xiaozhi):
    assert json.loads(xiaozhi("digest", "--json").stdout)["digest"]["date"] == "2026-11-20"
    assert xiaozhi("digest", "--html").stdout.startswith("<!doctype html>")
    spoken = xiaozhi("digest", "--speak")
    assert spoken.stdout.splitlines()[-1] == "没有需要您决定的事。"


def test_an_earlier_digest_is_found_by_its_date(xiaozhi):
    told = xiaozhi("digest", "--date", "2026-11-19", "--json")
    assert json.loads(told.stdout)["digest"]["date"] == "2026-11-19"


def test_a_missing_digest_is_said_in_one_sentence(refused):
    assert refused("digest", "--date", "2020-01-01")["spoken"] == "还没有这一天的日报。"


def test_two_forms_at_once_are_a_usage_error(xiaozhi):
    assert xiaozhi("digest", "--json", "--html").exit_code == 2


def test_incidents_are_listed(xiaozhi):
    assert "inc-1" in xiaozhi("incidents").stdout
    (one,) = json.loads(xiaozhi("incidents", "--json").stdout)
    assert (one["id"], one["status"], one["facts"]) == ("inc-1", "healed", {})


def test_an_incident_is_shown_step_by_step_with_its_evidence(xiaozhi):
    told = xiaozhi("incidents", "show", "inc-1").stdout
    for shown in (
        "verification",
        "错误率降回平时",
        "error_rate",
        "把订单服务回滚到版本3",
        "healed",
        "已验证",
    ):
        assert shown in told
    kept = json.loads(xiaozhi("incidents", "show", "inc-1", "--json").stdout)
    assert kept["timeline"][0]["evidence"] == {"error_rate": 0.01}


def test_an_unknown_incident_is_said_in_one_sentence(refused):
    assert refused("incidents", "show", "inc-none")["spoken"].endswith("。")
