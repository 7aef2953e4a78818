import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from mcp_tencent.push.errors import ChannelNotConfigured, SendFailed, SendRefused, SendUnavailable
from mcp_tencent.push.senders.sender import Parcel
from mcp_tencent.push.senders.sender_aiosmtplib import Security, SmtpSender, SmtpSettings
from tests.mcp_tencent.push.sample_reports import DIGEST
from tests.mcp_tencent.push.smtp_server import PASSWORD, USERNAME, Mailbox, make_certificate, smtp_server
from tests.mcp_tencent.push.virtual_time import START


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture(autouse=True)
async def settled() -> AsyncIterator[None]:
    yield
    await asyncio.sleep(0)  # a connection that was closed last still has to let go of its socket


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def starttls_port(mailbox: Mailbox, certificate: tuple[Path, Path]) -> Iterator[int]:
    with smtp_server(mailbox, certificate=certificate) as port:
        yield port


@pytest.fixture
def plain_port(mailbox: Mailbox) -> Iterator[int]:
    with smtp_server(mailbox) as port:
        yield port


def parcel(*recipients: str) -> Parcel:
    return Parcel(report=DIGEST, recipients=recipients or ("ops@example.com",), part=0, key="k", at=START)


def secure(port: int, ca_file: Path | None, **changes: object) -> SmtpSettings:
    settings: dict[str, object] = {
        "host": "127.0.0.1",
        "port": port,
        "sender": USERNAME,
        "username": USERNAME,
        "password": PASSWORD,
        "ca_file": ca_file,
        "timeout_s": 60.0,
    }
    return SmtpSettings(**(settings | changes))  # type: ignore[arg-type]


def plain(port: int) -> SmtpSettings:
    return SmtpSettings(host="127.0.0.1", port=port, sender=USERNAME, security=Security.PLAIN, timeout_s=60.0)


async def test_mail_arrives_over_starttls_with_a_login(
    mailbox: Mailbox, starttls_port: int, certificate: tuple[Path, Path]
) -> None:
    receipt = await SmtpSender(secure(starttls_port, certificate[0])).send(parcel("a@example.com"))
    assert receipt.refused == ()
    assert mailbox.messages[0]["Subject"] == DIGEST.title
    assert mailbox.recipients == [["a@example.com"]]
    assert mailbox.logins == 1


# aiosmtpd does not count implicit TLS as TLS
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
async def test_mail_arrives_over_implicit_tls(mailbox: Mailbox, certificate: tuple[Path, Path]) -> None:
    with smtp_server(mailbox, certificate=certificate, implicit_tls=True) as port:
        await SmtpSender(secure(port, certificate[0], security=Security.TLS)).send(parcel())
    assert mailbox.logins == 1
    assert len(mailbox.messages) == 1


async def test_mail_arrives_at_a_plain_server_on_this_machine(mailbox: Mailbox, plain_port: int) -> None:
    await SmtpSender(plain(plain_port)).send(parcel())
    assert len(mailbox.messages) == 1


@pytest.mark.parametrize("host", ["smtp.example.com", "10.0.0.7", "127.0.0.1.example.com"])
def test_a_plain_server_elsewhere_is_refused_before_anything_is_sent(host: str) -> None:
    with pytest.raises(ChannelNotConfigured, match="starttls or tls"):
        SmtpSettings(host=host, port=25, sender=USERNAME, security=Security.PLAIN)


async def test_a_certificate_nobody_vouches_for_gets_no_password(
    mailbox: Mailbox, starttls_port: int
) -> None:
    with pytest.raises(SendRefused, match="cannot be trusted"):
        await SmtpSender(secure(starttls_port, None)).send(parcel())
    assert mailbox.logins == 0
    assert mailbox.messages == []


async def test_a_certificate_for_another_host_is_refused(mailbox: Mailbox, tmp_path: Path) -> None:
    other = make_certificate(tmp_path, host="127.0.0.9")
    with (
        smtp_server(mailbox, certificate=other) as port,
        pytest.raises(SendRefused, match="cannot be trusted"),
    ):
        await SmtpSender(secure(port, other[0])).send(parcel())
    assert mailbox.logins == 0


async def test_a_server_without_starttls_is_refused_rather_than_trusted_in_the_clear(
    mailbox: Mailbox, plain_port: int, certificate: tuple[Path, Path]
) -> None:
    with pytest.raises(SendRefused):
        await SmtpSender(secure(plain_port, certificate[0])).send(parcel())
    assert mailbox.messages == []


async def test_a_wrong_password_is_for_good_and_appears_nowhere(
    starttls_port: int, certificate: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = secure(starttls_port, certificate[0], password="wr0ng-pa55word")
    with pytest.raises(SendRefused) as refused:
        await SmtpSender(settings).send(parcel())
    assert refused.value.spoken == "邮箱的用户名或密码不对。"
    for text in (str(refused.value), repr(settings), caplog.text):
        assert "wr0ng-pa55word" not in text


async def test_a_server_that_repeats_the_password_does_not_bring_it_out(
    mailbox: Mailbox, starttls_port: int, certificate: tuple[Path, Path]
) -> None:
    mailbox.answer_to_data = f"554 policy: {PASSWORD}"
    with pytest.raises(SendRefused) as refused:
        await SmtpSender(secure(starttls_port, certificate[0])).send(parcel())
    assert PASSWORD not in str(refused.value)
    assert "***" in str(refused.value)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("451 try later", SendUnavailable), ("452 full", SendUnavailable), ("554 spam", SendRefused)],
)
async def test_class_4_answers_are_temporary_and_class_5_final(
    mailbox: Mailbox, plain_port: int, answer: str, expected: type[SendFailed]
) -> None:
    mailbox.answer_to_data = answer
    with pytest.raises(expected, match=answer):
        await SmtpSender(plain(plain_port)).send(parcel())


async def test_nobody_listening_is_temporary(mailbox: Mailbox) -> None:
    with smtp_server(mailbox) as port:
        pass
    with pytest.raises(SendUnavailable, match="no connection"):
        await SmtpSender(plain(port)).send(parcel())


async def test_some_recipients_refused_is_no_failure_and_names_them(
    mailbox: Mailbox, plain_port: int
) -> None:
    mailbox.refuse = {"gone@example.com": "550 no such user", "full@example.com": "452 mailbox full"}
    receipt = await SmtpSender(plain(plain_port)).send(
        parcel("full@example.com", "gone@example.com", "ops@example.com")
    )
    assert mailbox.recipients == [["ops@example.com"]]
    assert {(one.recipient, one.permanent) for one in receipt.refused} == {
        ("full@example.com", False),
        ("gone@example.com", True),
    }


async def test_all_recipients_refused_is_final_only_if_all_are_refused_for_good(
    mailbox: Mailbox, plain_port: int
) -> None:
    sender = SmtpSender(plain(plain_port))
    mailbox.refuse = {"a@example.com": "550 no", "b@example.com": "550 no"}
    with pytest.raises(SendRefused):
        await sender.send(parcel("a@example.com", "b@example.com"))
    mailbox.refuse = {"a@example.com": "450 later", "b@example.com": "450 later"}
    with pytest.raises(SendUnavailable):
        await sender.send(parcel("a@example.com", "b@example.com"))
    mailbox.refuse = {"a@example.com": "450 later", "b@example.com": "550 no"}
    receipt = await sender.send(parcel("a@example.com", "b@example.com"))
    assert [(one.recipient, one.permanent) for one in receipt.refused] == [
        ("a@example.com", False),
        ("b@example.com", True),
    ]


async def test_certificates_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    with pytest.raises(ChannelNotConfigured, match=r"missing\.pem"):
        await SmtpSender(secure(465, missing)).send(parcel())
