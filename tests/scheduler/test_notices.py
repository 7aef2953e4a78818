"""Notices and the digest arrive: at a real mail server, and at a group robot that checks signatures."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from assistant.home import find_home
from assistant.settings import Settings
from mcp_tencent.devops.incidents import IncidentStatus
from mcp_tencent.push.channels import Channel
from mcp_tencent.push.delivery import DeliveryStatus
from mcp_tencent.push.records import DeliveryPreference, SqlDeliveryStore, SqlPreferenceStore
from tests.mcp_tencent.basic.office import MORNING
from tests.mcp_tencent.push.dingtalk_robot import SECRET, TOKEN, GroupRobot, serving
from tests.mcp_tencent.push.smtp_server import Mailbox, smtp_server
from tests.scheduler.nights import Night, night_at

PERSON = "person-1"


@dataclass
class Post:
    """A night, and what came of it at the people's."""

    night: Night
    mailbox: Mailbox
    group: GroupRobot

    async def arrived(self) -> None:
        """Wait until no delivery is on its way."""
        store = SqlDeliveryStore(self.night.house.engine)
        async with asyncio.timeout(60):
            while await asyncio.to_thread(store.unfinished):  # noqa: ASYNC110 - another library's queue works
                await asyncio.sleep(0.05)


@asynccontextmanager
async def post(folder: Path, *, mode: str | None, policy: str = "") -> AsyncIterator[Post]:
    mailbox, group = Mailbox(), GroupRobot(now=lambda: MORNING)
    home = find_home(folder, {})
    home.policy_file.parent.mkdir(parents=True, exist_ok=True)
    home.policy_file.write_text(policy, encoding="utf-8")
    with smtp_server(mailbox) as port, serving(group) as endpoint:
        settings = Settings.model_validate(
            {
                "email": {
                    "host": "127.0.0.1",
                    "port": port,
                    "security": "none",
                    "sender": "xiaozhi@example.com",
                },
                "dingtalk": {
                    "endpoint_url": endpoint,
                    "robots": {"default": {"access_token": TOKEN, "secret": SECRET}},
                },
            }
        )
        async with night_at("bad-revision", folder, mode=mode, settings=settings) as night:
            wish = DeliveryPreference(person=PERSON, channel=Channel.EMAIL, target="duty@example.com")
            SqlPreferenceStore(night.house.engine).set(wish)
            yield Post(night, mailbox, group)


@pytest.mark.parametrize(
    ("mode", "policy", "last"),
    [
        ("act", "notices: {p0: 95, p1: 50}", "已经恢复"),
        (None, "notices: {p0: 60, p1: 50}", "需要人工处理"),
    ],
    ids=["first alert and recovery", "unsolved at once"],
)
async def test_an_incident_is_told_twice_and_the_digest_once_to_everybody(
    tmp_path: Path, mode: str | None, policy: str, last: str
) -> None:
    async with post(tmp_path, mode=mode, policy=policy) as found:
        night = found.night
        end = await night.house.nights.run(night.today)
        await night.house.nights.run(night.today)
        (ending,) = end.endings
        assert ending.status is (IncidentStatus.HEALED if mode else IncidentStatus.HUMAN)
        await found.arrived()
        mails = [str(one["Subject"]) for one in found.mailbox.messages]
        groups = [one["markdown"]["title"] for one in found.group.shown]
        assert len(mails) == len(groups) == 3, "first alert, how it ended, digest"
        assert {address for one in found.mailbox.recipients for address in one} == {"duty@example.com"}
        texts = [one["markdown"]["text"] for one in found.group.shown]
        assert sum("还没有解决" in text for text in texts if "评分" in text) == 1
        assert sum(last in text for text in texts if "评分" in text) == 1
        assert Counter("日报" in one for one in groups) == {True: 1, False: 2}
        assert found.group.refused == []
        deliveries = SqlDeliveryStore(night.house.engine).between(
            MORNING.replace(year=2025), night.cloud.clock.now().replace(year=2027)
        )
        assert {one.status for one in deliveries} == {DeliveryStatus.SENT}
        assert {one.person for one in deliveries} == {PERSON, None}
