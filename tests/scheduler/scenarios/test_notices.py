"""Notices by mail: one when it begins, one when it is over or cannot be healed, one digest; never a storm."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from assistant.settings import Settings
from tests.mcp_tencent.push.smtp_server import Mailbox, smtp_server
from tests.scheduler.nights import night_at

URGENT_FROM_65 = "notices: {p0: 65, p1: 50}\n"


async def subjects(mailbox: Mailbox, wanted: int) -> list[str]:
    """What has arrived, once so many mails have."""
    async with asyncio.timeout(60):
        while len(mailbox.messages) < wanted:  # noqa: ASYNC110 - mails come in a thread of their own
            await asyncio.sleep(0.05)
    return [str(one["Subject"]) for one in mailbox.messages]


@pytest.mark.parametrize(
    ("scenario", "standings"),
    [
        ("deadlock", ["还没有解决", "已经恢复"]),
        ("dependency-down", ["还没有解决", "需要人工处理"]),
    ],
    ids=["healed", "unsolved"],
)
async def test_people_hear_of_the_beginning_and_the_end_once_each(
    scenario: str, standings: list[str], tmp_path: Path
) -> None:
    tmp_path.joinpath("policy.yaml").write_text(URGENT_FROM_65, encoding="utf-8")
    mailbox = Mailbox()
    with smtp_server(mailbox) as port:
        email = {
            "host": "127.0.0.1",
            "port": port,
            "security": "none",
            "sender": "xiaozhi@example.com",
            "house_recipients": ["ops@example.com"],
        }
        settings = Settings.model_validate({"email": email})
        async with night_at(scenario, tmp_path, settings=settings) as night:
            await night.house.nights.run(night.today)
            told = await subjects(mailbox, 3)
            assert "订单服务错误率过高" in told[0]
            assert "订单服务错误率过高" in told[1]
            assert "日报" in told[2]
            bodies = [one.get_body(("plain",)) for one in mailbox.messages[:2]]
            for body, standing in zip(bodies, standings, strict=True):
                assert body is not None
                assert standing in body.get_content()
            await night.house.nights.run(night.today)
            assert len(mailbox.messages) == 3
            assert mailbox.recipients == [["ops@example.com"]] * 3
