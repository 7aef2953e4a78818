import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from starlette.responses import JSONResponse, Response

from mcp_tencent.push.errors import (
    ChannelNotConfigured,
    SendBlocked,
    SendFailed,
    SendRefused,
    SendUnavailable,
)
from mcp_tencent.push.message import Report
from mcp_tencent.push.senders.sender import Parcel
from mcp_tencent.push.senders.sender_dingtalk import DingTalkRobot, DingTalkSender, sign
from tests.mcp_tencent.push.dingtalk_robot import SECRET, TOKEN, GroupRobot, serving
from tests.mcp_tencent.push.sample_reports import DIGEST, SHORT, WITH_BUTTON
from tests.mcp_tencent.push.virtual_time import VirtualTime

ROBOT = DingTalkRobot(access_token=TOKEN, secret=SECRET)


@pytest.fixture
def time() -> VirtualTime:
    return VirtualTime()


@pytest.fixture
def group(time: VirtualTime) -> GroupRobot:
    return GroupRobot(now=time.now)


@pytest.fixture
def endpoint(group: GroupRobot) -> Iterator[str]:
    with serving(group) as url:
        yield url


def sender(time: VirtualTime, endpoint: str, robot: DingTalkRobot = ROBOT) -> DingTalkSender:
    return DingTalkSender({"default": robot}, now=time.now, endpoint=endpoint)


def parcel(report: Report = SHORT, part: int = 0) -> Parcel:
    at = VirtualTime().now()
    return Parcel(report=report, recipients=("default",), part=part, key="k", at=at)


def test_the_signature_is_the_documented_one() -> None:
    # HMAC-SHA256 of "1700000000000\nSEC" under the key "SEC", computed with openssl
    assert sign("SEC", 1700000000000) == "r+2we0q01lkZqz38LA5IPNbHN81U1leRf3Au4PSQb6Q="


async def test_a_signed_message_reaches_the_group(
    time: VirtualTime, group: GroupRobot, endpoint: str
) -> None:
    await sender(time, endpoint).send(parcel())
    (message,) = group.shown
    assert message["markdown"]["title"] == "支付服务异常"
    assert message["at"]["atMobiles"] == ["13800138000"]


async def test_an_action_card_reaches_the_group(time: VirtualTime, group: GroupRobot, endpoint: str) -> None:
    await sender(time, endpoint).send(parcel(WITH_BUTTON))
    assert group.shown[0]["actionCard"]["singleURL"] == "https://console.example.com/incidents/43"


async def test_the_largest_parts_pass_the_robots_limit(
    time: VirtualTime, group: GroupRobot, endpoint: str
) -> None:
    long = replace(DIGEST, markdown="\n".join("日志" * 100 for _ in range(80)))
    way = sender(time, endpoint)
    for part in range(way.part_count(long)):
        await way.send(parcel(long, part))
    assert len(group.shown) == way.part_count(long) > 1


async def test_a_wrong_secret_is_refused_for_good(time: VirtualTime, endpoint: str) -> None:
    with pytest.raises(SendRefused, match="310000") as refused:
        await sender(time, endpoint, replace(ROBOT, secret="SECwrong")).send(parcel())
    assert "加签" in refused.value.spoken


async def test_a_missing_keyword_is_refused_and_a_known_one_is_added(
    time: VirtualTime, group: GroupRobot, endpoint: str
) -> None:
    group.keyword = "小智日报"
    with pytest.raises(SendRefused, match="keywords not in content"):
        await sender(time, endpoint).send(parcel())
    await sender(time, endpoint, replace(ROBOT, keyword="小智日报")).send(parcel())
    assert len(group.shown) == 1


async def test_a_wrong_clock_is_temporary_because_it_will_be_set(
    time: VirtualTime, group: GroupRobot, endpoint: str
) -> None:
    slow = VirtualTime(time.now() - timedelta(hours=3))
    with pytest.raises(SendUnavailable) as later:
        await sender(slow, endpoint).send(parcel())
    assert "时间" in later.value.spoken


async def test_the_21st_message_in_a_minute_blocks_for_ten(
    time: VirtualTime, group: GroupRobot, endpoint: str
) -> None:
    way = sender(time, endpoint)
    for _ in range(20):
        await way.send(parcel())
    with pytest.raises(SendBlocked) as blocked:
        await way.send(parcel())
    assert blocked.value.blocked_for_s == 600
    time.jump(timedelta(minutes=9))
    with pytest.raises(SendBlocked):
        await way.send(parcel())
    time.jump(timedelta(minutes=2))
    await way.send(parcel())
    assert len(group.shown) == 21


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (JSONResponse({"errcode": 300001, "errmsg": "token is not exist"}), SendRefused),
        (JSONResponse({"errcode": 410100, "errmsg": "too fast"}), SendBlocked),
        (JSONResponse({"errcode": -1, "errmsg": "system busy"}), SendUnavailable),
        (JSONResponse({"errcode": 987654, "errmsg": "never seen"}), SendUnavailable),
        (JSONResponse({"errcode": "x"}), SendUnavailable),
        (JSONResponse(["ok"]), SendUnavailable),
        (Response("<html>bad gateway</html>"), SendUnavailable),
        (Response("", status_code=502), SendUnavailable),
        (Response("", status_code=429), SendUnavailable),
        (Response("", status_code=404), SendRefused),
        (Response("", status_code=302, headers={"location": "http://127.0.0.1:1/"}), SendRefused),
    ],
)
async def test_every_answer_but_errcode_0_is_a_failure(
    time: VirtualTime, group: GroupRobot, endpoint: str, answer: Response, expected: type[SendFailed]
) -> None:
    group.answer = lambda: answer
    with pytest.raises(expected):
        await sender(time, endpoint).send(parcel())


async def test_an_unknown_robot_is_not_configured(time: VirtualTime, endpoint: str) -> None:
    with pytest.raises(ChannelNotConfigured):
        await sender(time, endpoint).send(replace(parcel(), recipients=("财务群",)))


async def test_token_secret_and_signature_appear_in_no_log_and_no_error(
    time: VirtualTime, group: GroupRobot, endpoint: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    way = sender(time, endpoint)
    await way.send(parcel())
    group.answer = lambda: JSONResponse({"errcode": 300001, "errmsg": f"token {TOKEN} {SECRET}"})
    with pytest.raises(SendRefused) as refused:
        await way.send(parcel())
    with pytest.raises(SendUnavailable) as unreachable:
        await sender(time, "http://127.0.0.1:1").send(parcel())
    assert "robot/send" in caplog.text, "the request is logged"
    signature = sign(SECRET, int(time.now().timestamp() * 1000))
    texts = [caplog.text, str(refused.value), repr(refused.value), str(unreachable.value), repr(ROBOT)]
    for text in texts:
        for secret in (TOKEN, SECRET, signature, signature[:16]):
            assert secret not in text
    assert json.dumps(group.shown).count(TOKEN) == 0
