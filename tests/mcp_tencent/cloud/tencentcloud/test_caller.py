"""The SDK under failure: real sockets, and errors of ours only."""

import asyncio
import logging
import socket
from typing import Any

import pytest
from tencentcloud.cls.v20201016 import models

from mcp_tencent import errors
from mcp_tencent.cloud.calling import Calling, CallPolicy
from mcp_tencent.cloud.tencentcloud.caller import Account, TencentCaller, request_of
from tests.mcp_tencent.cloud.scripted_server import (
    Drip,
    InstantTiming,
    Reply,
    Reset,
    failed,
    in_turn,
    ok,
    scripted,
)

KEY = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"
LOGSETS = ok(Logsets=[], TotalCount=0)


def account(url: str, **others: Any) -> Account:
    return Account(
        name="prod",
        secret_id="AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
        secret_key=KEY,
        regions=("ap-guangzhou",),
        endpoint=url,
        **others,
    )


def caller(url: str, timing: InstantTiming | None = None, **policy: Any) -> TencentCaller:
    return TencentCaller(
        account(url), "ap-guangzhou", Calling(CallPolicy(**policy), timing or InstantTiming())
    )


async def logsets(tencent: TencentCaller) -> object:
    try:
        return await tencent.read(tencent.cls.DescribeLogsets, request_of(models.DescribeLogsetsRequest))
    finally:
        await tencent.close()


async def test_a_call_is_signed_for_its_service_and_region():
    async with scripted(in_turn(LOGSETS)) as server:
        await logsets(caller(server.url))
    (asked,) = server.asked
    assert asked.headers["x-tc-region"] == "ap-guangzhou"
    assert asked.headers["x-tc-version"] == "2020-10-16"
    assert "/cls/tc3_request, SignedHeaders=content-type;host, Signature=" in asked.headers["authorization"]


@pytest.mark.parametrize(
    "trouble",
    [
        failed("RequestLimitExceeded", "your rate is 20/s"),
        failed("InternalError"),
        failed("LimitExceeded.LogSearch"),
        Reply(b"slow down", status=429, content_type="text/plain"),
        Reply(b"<html>bad gateway</html>", status=502, content_type="text/html"),
        Reset(),
        Reset(after_bytes=20),
    ],
    ids=repr,
)
async def test_a_burst_of_trouble_is_ridden_out(trouble):
    timing = InstantTiming()
    async with scripted(in_turn(trouble, trouble, LOGSETS)) as server:
        await logsets(caller(server.url, timing))
    assert len(server.asked) == 3
    assert len(timing.slept) == 2


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (failed("AuthFailure.SignatureExpire", "signature expired"), errors.SignatureExpired),
        (failed("AuthFailure.SecretIdNotFound"), errors.CredentialsRefused),
        (failed("UnauthorizedOperation.CamNoAuth"), errors.PermissionMissing),
        (failed("BrandNew.Code"), errors.CloudError),
        (Reply(b"<html>log in first</html>", content_type="text/html"), errors.UnexpectedAnswer),
        (Reply(b"", content_type=""), errors.UnexpectedAnswer),
        (Reply(b"not json"), errors.UnexpectedAnswer),
        (Reply(b"[]"), errors.UnexpectedAnswer),
        (Reply(b"{}"), errors.UnexpectedAnswer),
        (Reply(b'{"Response": null}'), errors.UnexpectedAnswer),
        (Reply(b'{"Response": {"Error": {}}}'), errors.UnexpectedAnswer),
        (Reply(b'{"Response": {}}'), errors.UnexpectedAnswer),
        (ok(), errors.UnexpectedAnswer),
        (ok(Logsets=None, TotalCount=None), errors.UnexpectedAnswer),
        (ok(Logsets=["text"], TotalCount=1), errors.UnexpectedAnswer),
        (ok(Logsets=7, TotalCount=1), errors.UnexpectedAnswer),
        (Reply(b"\xff\xfe\x00"), errors.UnexpectedAnswer),
        (Reply(b"moved", status=302, content_type="text/plain"), errors.UnexpectedAnswer),
    ],
    ids=repr,
)
async def test_what_will_not_pass_is_our_error_at_once(answer, kind):
    async with scripted(in_turn(answer)) as server:
        with pytest.raises(kind) as caught:
            await logsets(caller(server.url))
    assert type(caught.value) is kind
    assert len(server.asked) == 1


async def test_an_error_with_a_charset_is_not_swallowed_by_the_sdk():
    body = failed("ResourceNotFound.LogsetNotExist").body
    async with scripted(in_turn(Reply(body, content_type="application/json; charset=utf-8"))) as server:
        with pytest.raises(errors.NotFound):
            await logsets(caller(server.url))


async def test_a_deprecation_notice_does_not_break_the_answer():
    with pytest.warns(DeprecationWarning, match="deprecated"):
        async with scripted(in_turn(ok(Logsets=[], TotalCount=0, DeprecatedWarning="use another"))) as server:
            await logsets(caller(server.url))


async def test_a_dripping_answer_ends_at_the_total_deadline_and_its_connection_is_cut():
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with scripted(in_turn(Drip())) as server:
        with pytest.raises(errors.DeadlineExceeded):
            await logsets(caller(server.url, total_seconds=0.3))
        await asyncio.wait_for(server.cut_by_client.wait(), 5)
    assert loop.time() - began < 3


async def test_a_cancelled_call_cuts_its_connection():
    async with scripted(in_turn(Drip())) as server:
        task = asyncio.create_task(logsets(caller(server.url)))
        await server.first_asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(server.cut_by_client.wait(), 5)


async def test_nobody_listening_is_a_network_fault_in_which_nothing_was_sent():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(errors.NetworkFault) as caught:
            await logsets(caller(f"http://127.0.0.1:{held.getsockname()[1]}"))
    assert not caught.value.sent


async def test_a_server_without_tls_is_a_network_fault():
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        with pytest.raises(errors.NetworkFault):
            await logsets(caller(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"))


async def test_no_secret_is_in_an_error_a_trace_or_a_log(caplog):
    caplog.set_level(logging.DEBUG)
    async with scripted(in_turn(failed("AuthFailure.SignatureFailure", f"{KEY} does not fit"))) as server:
        with pytest.raises(errors.CredentialsRefused) as caught:
            await logsets(caller(server.url))
    assert KEY not in str(caught.getrepr(chain=True, style="long", showlocals=False))
    assert KEY not in caplog.text
    assert "Signature=" not in caplog.text
    assert KEY not in repr(account(server.url))


@pytest.mark.parametrize(
    ("secret_id", "secret_key"), [("", "k"), ("AKID", ""), (" AKID", "k"), ("AKID", "k ")]
)
def test_a_key_that_cannot_be_one_is_refused_before_any_call(secret_id, secret_key):
    with pytest.raises(errors.CredentialsRefused, match="prod"):
        TencentCaller(
            Account(name="prod", secret_id=secret_id, secret_key=secret_key, regions=("r",)), "r", Calling()
        )


async def test_listings_are_read_page_by_page_100_at_a_time():
    def page(asked):
        offset, limit = asked.fields["Offset"], asked.fields["Limit"]
        names = [{"LogsetId": str(n), "LogsetName": str(n)} for n in range(250)]
        return ok(Logsets=names[offset : offset + limit], TotalCount=250)

    async with scripted(page) as server:
        tencent = caller(server.url)
        found = await tencent.every_page(
            tencent.cls.DescribeLogsets,
            lambda offset, limit: request_of(models.DescribeLogsetsRequest, Offset=offset, Limit=limit),
            lambda answer: answer.Logsets,
            lambda info: info.LogsetId,
        )
        await tencent.close()
    assert found == [str(n) for n in range(250)]
    assert [(a.fields["Offset"], a.fields["Limit"]) for a in server.asked] == [
        (0, 100),
        (100, 100),
        (200, 100),
    ]


def test_a_field_that_the_sdk_does_not_have_is_a_mistake_of_ours():
    with pytest.raises(TypeError, match="no field TopicID"):
        request_of(models.SearchLogRequest, TopicID="x")


async def test_a_connection_is_reused():
    async with scripted(in_turn(LOGSETS)) as server:
        tencent = caller(server.url)
        for _ in range(3):
            await tencent.read(tencent.cls.DescribeLogsets, request_of(models.DescribeLogsetsRequest))
        await tencent.close()
    assert (len(server.asked), server.connections) == (3, 1)
