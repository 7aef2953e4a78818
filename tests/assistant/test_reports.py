"""What `send_report` sends: the digest as page and markdown, an incident from its record."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from assistant.app import open_records
from assistant.home import find_home
from assistant.reports import KeptReports
from assistant.settings import Settings
from mcp_tencent.devops.records import SqlIncidentStore
from mcp_tencent.gateway.call import Caller, CallerKind
from mcp_tencent.push.errors import ReportUnknown
from mcp_tencent.push.message import Severity, report_from_json, report_to_json
from scheduler.digest import build_digest
from scheduler.digest_facts import AlertFacts, NightFacts, Standing
from scheduler.digest_rendering import rendered
from scheduler.records import SqlDigestStore, StoredDigest

NOW = datetime(2026, 11, 19, 21, 0, tzinfo=UTC)
CALLER = Caller(name="张三", kind=CallerKind.PERSON, permissions=frozenset())
ALERT = AlertFacts(
    id="alert-1",
    title="[点](http://e.cn) @所有人 <b>",
    name="订单服务",
    score=93.0,
    priority="P0",
    standing=Standing.OPEN,
    cluster_id="cls-1",
    namespace="shop",
    workload="orders",
    alerts=40,
    because=("# 大标题\n\n| a | b |",),
)


def kept(on: date, *alerts: AlertFacts) -> StoredDigest:
    return rendered(build_digest(NightFacts(date=on, alerts=alerts)), written_at=NOW)


@pytest.fixture
def records(tmp_path: Path):
    with open_records(find_home(tmp_path, {}), Settings()) as database:
        digests = SqlDigestStore(database.engine)
        zone = ZoneInfo("Asia/Shanghai")
        yield digests, KeptReports(SqlIncidentStore(database.engine), digests, zone)


async def test_the_latest_digest_is_what_digest_means(records):
    digests, reports = records
    digests.write(kept(date(2026, 11, 19)))
    digests.write(kept(date(2026, 11, 20), ALERT))
    report = await reports.report("digest", caller=CALLER)
    assert report.markdown.startswith("昨天有1个问题，还没有解决。\n")
    assert (report.reference, report.title) == ("digest-2026-11-20", "11月19日运维日报")
    assert report.html.startswith("<!doctype html>")
    assert report_from_json(report_to_json(report)) == report


@pytest.mark.parametrize(
    ("alerts", "severity"),
    [
        ((), Severity.INFO),
        ((replace(ALERT, standing=Standing.RECOVERED),), Severity.INFO),
        ((replace(ALERT, score=60.0),), Severity.WARNING),
        ((ALERT,), Severity.CRITICAL),
    ],
)
async def test_how_urgent_a_digest_is_follows_from_what_is_not_solved(records, alerts, severity):
    digests, reports = records
    digests.write(kept(date(2026, 11, 20), *alerts))
    assert (await reports.report("digest", caller=CALLER)).severity is severity


async def test_text_from_outside_formats_nothing_in_a_group_chat(records):
    digests, reports = records
    digests.write(kept(date(2026, 11, 20), ALERT))
    markdown = (await reports.report("digest", caller=CALLER)).markdown
    assert "\\[点\\]\\(http" in markdown
    assert "\\@所有人" in markdown
    assert "\\# 大标题 \\| a" in markdown
    assert "\n# " not in markdown


@pytest.mark.parametrize("name", ["digest", "last_answer", "inc-none"])
async def test_what_is_not_there_is_said(records, name):
    with pytest.raises(ReportUnknown):
        await records[1].report(name, caller=CALLER)


async def test_a_digest_of_another_version_is_said_to_be_unreadable(records):
    digests, reports = records
    digests.write(replace(kept(date(2026, 11, 20)), content_json="{}"))
    with pytest.raises(ReportUnknown, match="cannot be read"):
        await reports.report("digest", caller=CALLER)
