"""A whole night on a large cloud: 5,000 alert records, 1,000,000 log lines of a day, 300 workloads.

    python benchmarks/night.py [LINES]

Budgets: 60 s, and at most 10 % more memory at its peak for 1,000,000 lines than for 100,000. The cloud
runs in a process of its own, and has made its lines before the night begins, for no real one makes them when
asked. The night runs in another, with everything it has: servers, gateway, durable engine, records. It only
observes, so that nothing is waited for. The reference, in the same run, is the bare SDK reading the same
records and lines page by page, which is what a night would do that asks for lines rather than for counts; of
the lines it reads a part, and the rest is taken to last as long.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from tencentcloud.cls.v20201016 import cls_client, models
from tencentcloud.common import credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 11, 21, 5, 0, tzinfo=ZONE)
ON = date(2026, 11, 21)
DAY = (datetime(2026, 11, 20, tzinfo=ZONE), datetime(2026, 11, 21, tzinfo=ZONE))
LINES, FEW_LINES = 1_000_000, 100_000
ALARMS, RECORDS_EACH = 50, 100
BUDGET_S = 60.0
MOST_GROWTH = 1.10
PAGE = 1000
SAMPLED_PAGES = 100
READABLE = 10_000
"""Lines of one window that CLS hands out at most."""


@dataclass(frozen=True)
class Measured:
    """What one night took, and what it found."""

    seconds: float
    cpu_s: float
    peak_mib: float
    lines: int
    records: int
    outcome: str


def scenario(lines: int, folder: Path) -> Path:
    """Write the large scenario with so many lines a day, and with all the alert records."""
    shipped = resources.files("mcp_tencent.local_cloud") / "scenarios" / "large.yaml"
    content = yaml.safe_load(shipped.read_text(encoding="utf-8"))
    content["clock"] = {"mode": "fixed", "start": START.isoformat()}
    content["history"] = "30h"
    share = max(0.0, lines - 50_000) / 950_000
    for replica in content["replicate"]:
        replica["log_lines"] = int(replica["log_lines"] * share)
    template = content["alarms"][0]
    names = [f"order-service-{number}" for number in range(1, ALARMS)]
    content["alarms"] = [
        {
            **template,
            "name": f"{name}错误率过高",
            "query": f'workload:"{name}" AND level:ERROR | select count(*) as errors',
            "watches": [],
            "records": [
                {"at": f"yesterday {minute // 60:02}:{minute % 60:02}"}
                for minute in range(number % 14, 1440, 14)
            ][:RECORDS_EACH],
        }
        for number, name in enumerate(["order-service", *names])
    ]
    file = folder / f"large-{lines}.yaml"
    file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return file


@contextmanager
def local_cloud(file: Path) -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "mcp_tencent.local_cloud", "--scenario", str(file), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


class BareSdk:
    """Tencent Cloud's SDK, and nothing around it."""

    def __init__(self, cloud: dict[str, Any]) -> None:
        profile = ClientProfile(
            httpProfile=HttpProfile(
                protocol="http", endpoint=cloud["url"].removeprefix("http://"), reqTimeout=120
            )
        )
        key = credential.Credential(cloud["secret_id"], cloud["secret_key"])
        self._client = cls_client.ClsClient(key, cloud["region"], profile)
        topics = self._client.DescribeTopics(models.DescribeTopicsRequest()).Topics
        self._topic = next(one.TopicId for one in topics if one.TopicName == "业务日志")

    def _search(
        self, query: str, begin: datetime, end: datetime, context: str = ""
    ) -> models.SearchLogResponse:
        request = models.SearchLogRequest()
        request.TopicId, request.Query, request.SyntaxRule = self._topic, query, 1
        request.From, request.To = int(begin.timestamp() * 1000), int(end.timestamp() * 1000)
        request.Limit, request.Context, request.UseNewAnalysis = PAGE, context, True
        while True:
            try:
                return self._client.SearchLog(request)
            except TencentCloudSDKException as error:
                if error.code != "RequestLimitExceeded":
                    raise
                time.sleep(0.5)  # 20 a second are allowed, of whoever asks

    def make_lines(self) -> int:
        """Have the cloud make all lines that the night may ask for; return how many there are of the day."""
        begin = START - timedelta(hours=30)
        of_day = 0
        while begin < START:
            end = min(begin + timedelta(hours=1), START)
            answer = self._search("* | select count(*) as n", begin, end)
            count = int(json.loads(answer.AnalysisRecords[0])["n"]) if answer.AnalysisRecords else 0
            of_day += count if DAY[0] <= begin < DAY[1] else 0
            begin = end
        return of_day

    def seconds_for_lines(self, lines: int) -> float:
        """Read lines page by page, of one hour after the other; return how long all of them take."""
        read, pages, hour = 0, 0, DAY[0]
        began = time.perf_counter()
        while pages < SAMPLED_PAGES and hour < DAY[1]:
            context = ""
            for _ in range(READABLE // PAGE):
                answer = self._search("*", hour, hour + timedelta(hours=1), context)
                read, pages = read + len(answer.Results), pages + 1
                context = answer.Context
                if answer.ListOver:
                    break
            hour += timedelta(hours=1)
        return (time.perf_counter() - began) * lines / max(1, read)

    def seconds_for_records(self) -> float:
        """Read all alert records page by page."""
        began, offset = time.perf_counter(), 0
        while True:
            request = models.DescribeAlertRecordHistoryRequest()
            request.From, request.To = (int(one.timestamp() * 1000) for one in DAY)
            request.Offset, request.Limit = offset, 100
            answer = self._client.DescribeAlertRecordHistory(request)
            offset += len(answer.Records)
            if not answer.Records or offset >= answer.TotalCount:
                return time.perf_counter() - began


def run_night(cloud: dict[str, Any], folder: Path) -> Measured:
    """Run a night in a process of its own; its peak of memory is what the kernel tells of that process."""
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, __file__, "--night", json.dumps(cloud), str(folder)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    told = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit("the night failed")
    return Measured(
        peak_mib=usage.ru_maxrss / 1024,
        cpu_s=usage.ru_utime + usage.ru_stime,
        **json.loads(told.splitlines()[-1]),
    )


async def night(cloud: dict[str, Any], folder: Path) -> None:
    """The process of the night."""
    logging.disable(logging.INFO)
    from assistant.home import find_home
    from assistant.night_house import open_night, real_time
    from assistant.servers import Installation
    from assistant.settings import Settings
    from mcp_tencent.cloud.tencentcloud.caller import Account
    from mcp_tencent.local_cloud.simulation import ScaledClock, WallClock

    account = Account(
        name="local",
        secret_id=cloud["secret_id"],
        secret_key=cloud["secret_key"],
        regions=(cloud["region"],),
        endpoint=cloud["url"],
    )
    installation = Installation(
        home=find_home(folder, {}),
        settings=Settings(),
        environ={},
        clock=ScaledClock(START + timedelta(minutes=5), speed=1.0, reference=WallClock()),
        accounts=[account],
    )
    async with open_night(installation, real_time(), executor_id="benchmark") as house:
        began = time.perf_counter()
        end = await house.nights.run(ON)
        seconds = time.perf_counter() - began
        stored = house.digests.get(ON)
        assert stored is not None
        facts = json.loads(stored.content_json)["digest"]["facts"]
    told = {
        "seconds": seconds,
        "lines": facts["logs"]["lines"],
        "records": facts["alert_records"],
        "outcome": f"{end.outcome} {end.detail}".strip(),
    }
    print(json.dumps(told, ensure_ascii=False))


def measured(lines: int, folder: Path) -> tuple[Measured, float, float]:
    """Return the night, and how long the bare SDK takes for the lines and for the records."""
    with local_cloud(scenario(lines, folder)) as cloud:
        sdk = BareSdk(cloud)
        began = time.perf_counter()
        made = sdk.make_lines()
        print(f"{made:,} lines of the day, made in {time.perf_counter() - began:.0f} s")
        found = run_night(cloud, folder / f"home-{lines}")
        print(
            f"  night: {found.seconds:.1f} s, CPU of its process {found.cpu_s:.1f} s, "
            f"{found.peak_mib:.0f} MiB at most; {found.outcome}; "
            f"{found.records:,} records, {found.lines:,} lines"
        )
        return found, sdk.seconds_for_lines(made), sdk.seconds_for_records()


def main() -> None:
    many = int(sys.argv[1]) if len(sys.argv) > 1 else LINES
    with tempfile.TemporaryDirectory() as scratch:
        few, _, _ = measured(FEW_LINES, Path(scratch))
        full, lines_s, records_s = measured(many, Path(scratch))
    reference_s = lines_s + records_s
    growth = full.peak_mib / few.peak_mib
    complete = full.records >= ALARMS * RECORDS_EACH and full.lines >= 0.9 * many
    print(f"bare SDK, page by page: {lines_s:.0f} s for the lines, {records_s:.1f} s for the records")
    print(f"night / bare SDK: {full.seconds / reference_s:.2f}")
    checks = {
        f"everything was read ({full.records:,} records, {full.lines:,} lines)": complete,
        f"{full.seconds:.1f} s of {BUDGET_S:.0f} s": full.seconds <= BUDGET_S,
        f"peak {growth:.2f} times that of {FEW_LINES:,} lines ({MOST_GROWTH} allowed)": growth <= MOST_GROWTH,
    }
    for what, passed in checks.items():
        print(f"{'pass' if passed else 'FAIL'}: {what}")
    if not all(checks.values()):
        sys.exit(1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--night"]:
        asyncio.run(night(json.loads(sys.argv[2]), Path(sys.argv[3])))
    else:
        main()
