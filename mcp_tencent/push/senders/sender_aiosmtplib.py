"""E-mail over SMTP, with aiosmtplib: STARTTLS or implicit TLS, certificates checked."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.headerregistry import Address
from enum import StrEnum
from pathlib import Path

import aiosmtplib

from mcp_tencent.push.errors import ChannelNotConfigured, SendRefused, SendUnavailable
from mcp_tencent.push.message import Report
from mcp_tencent.push.pacing import RateLimit
from mcp_tencent.push.senders.message_email import compose_email
from mcp_tencent.push.senders.sender import Parcel, Receipt, Refusal

_REASON_LENGTH = 200
_EXCHANGES = 4
"""Times `timeout_s` is the most that a mail may take: a server that trickles its answers holds nobody up."""


class Security(StrEnum):
    """How the connection is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    PLAIN = "none"
    """Not at all: for a server on this very machine only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """Where mail is handed over, and as whom."""

    host: str
    port: int
    sender: str
    """The From address."""
    sender_name: str = "小智"
    security: Security = Security.STARTTLS
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout_s: float = 30.0
    """For each exchange with the server."""
    ca_file: Path | None = None
    """Certificates to trust besides the system's, for a server inside the company."""

    def __post_init__(self) -> None:
        if self.security is Security.PLAIN and not _is_loopback(self.host):
            raise ChannelNotConfigured(
                f"plain SMTP to {self.host} would show password and reports to anyone: use starttls or tls",
                spoken="邮件服务器必须用加密连接，请改成 STARTTLS 或 TLS。",
            )
        if (self.username is None) != (self.password is None):
            raise ChannelNotConfigured(
                "SMTP needs both username and password, or neither", spoken="邮箱的用户名和密码要一起设置。"
            )


class SmtpSender:
    """Hands reports to one SMTP server; a connection per mail, since mails are rare."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._from = Address(display_name=settings.sender_name, addr_spec=settings.sender)

    def limit(self) -> RateLimit | None:
        """Return None: mail servers that want less say 4xx, which is retried."""
        return None

    def part_count(self, report: Report) -> int:
        """Return 1: a mail holds it all."""
        return 1

    async def send(self, parcel: Parcel) -> Receipt:
        """Send one mail to all recipients of the parcel.

        Answers of class 4 (RFC 5321 4.2.1), lost connections and timeouts are temporary; class 5, a refused
        password and a certificate that cannot be trusted are for good. When only some recipients are refused
        the mail goes to the others and the receipt names the rest.
        """
        context = self._tls_context()
        message = compose_email(
            parcel.report, sender=self._from, recipients=parcel.recipients, key=parcel.key, at=parcel.at
        )
        try:
            async with asyncio.timeout(self._settings.timeout_s * _EXCHANGES):
                refused, _ = await aiosmtplib.send(
                    message.as_bytes(),
                    sender=self._settings.sender,
                    recipients=list(parcel.recipients),
                    hostname=self._settings.host,
                    port=self._settings.port,
                    username=self._settings.username,
                    password=self._settings.password,
                    timeout=self._settings.timeout_s,
                    use_tls=self._settings.security is Security.TLS,
                    start_tls=self._settings.security is Security.STARTTLS,
                    tls_context=context,
                )
        except aiosmtplib.SMTPRecipientsRefused as exc:
            return self._all_refused(exc)
        except aiosmtplib.SMTPResponseException as exc:
            raise self._answered(exc) from exc
        except OSError as exc:  # aiosmtplib's lost connections and timeouts are such, too
            if (untrusted := _certificate_fault(exc)) is not None:
                raise SendRefused(
                    f"certificate of {self._settings.host} cannot be trusted: {untrusted.verify_message}",
                    spoken="邮件服务器的证书不可信。",
                ) from exc
            raise SendUnavailable(
                f"no connection to the mail server: {self._clean(str(exc))}", spoken="暂时连不上邮件服务器。"
            ) from exc
        except aiosmtplib.SMTPException as exc:
            raise SendRefused(
                f"the mail server lacks what is configured: {self._clean(exc.message)}",
                spoken="邮件服务器不支持当前的加密或登录方式。",
            ) from exc
        except ValueError as exc:  # aiosmtplib checks addresses for characters that would break the dialogue
            raise SendRefused("an address cannot be sent to", spoken="收件人地址不对。") from exc
        return Receipt(
            refused=self._refusals((to, answer.code, answer.message) for to, answer in refused.items())
        )

    def _tls_context(self) -> ssl.SSLContext | None:
        if self._settings.security is Security.PLAIN:
            return None
        context = ssl.create_default_context()
        if self._settings.ca_file is not None:
            try:
                context.load_verify_locations(cafile=self._settings.ca_file)
            except OSError as exc:
                raise ChannelNotConfigured(
                    f"cannot read the certificates in {self._settings.ca_file}: {exc.strerror}",
                    spoken="读不到邮件服务器的证书文件。",
                ) from exc
        return context

    def _all_refused(self, exc: aiosmtplib.SMTPRecipientsRefused) -> Receipt:
        refused = self._refusals((one.recipient, one.code, one.message) for one in exc.recipients)
        reasons = "; ".join(refusal.reason for refusal in refused)
        if all(refusal.permanent for refusal in refused):
            raise SendRefused(f"all recipients refused: {reasons}", spoken="收件人被拒收。") from exc
        if not any(refusal.permanent for refusal in refused):
            raise SendUnavailable(
                f"recipients refused for now: {reasons}", spoken="收件人的邮箱暂时收不了信。"
            ) from exc
        return Receipt(refused=refused)

    def _refusals(self, answers: Iterable[tuple[str, int, str]]) -> tuple[Refusal, ...]:
        return tuple(
            Refusal(
                recipient=recipient, reason=self._clean(f"{code} {message}"), permanent=500 <= code <= 599
            )
            for recipient, code, message in answers
        )

    def _answered(self, exc: aiosmtplib.SMTPResponseException) -> SendRefused | SendUnavailable:
        reason = self._clean(f"{exc.code} {exc.message}")
        if not 500 <= exc.code <= 599:
            return SendUnavailable(f"the mail server said: {reason}", spoken="邮件服务器暂时不收信。")
        if isinstance(exc, aiosmtplib.SMTPAuthenticationError):
            return SendRefused(
                f"the mail server refused the login: {reason}", spoken="邮箱的用户名或密码不对。"
            )
        return SendRefused(f"the mail server refused: {reason}", spoken="邮件服务器拒收了这封邮件。")

    def _clean(self, text: str) -> str:
        """Return a server's words without our password, on one line, shortened."""
        if self._settings.password:
            text = text.replace(self._settings.password, "***")
        return " ".join(text.split())[:_REASON_LENGTH]


def _certificate_fault(exc: BaseException) -> ssl.SSLCertVerificationError | None:
    """Return the certificate error behind a connection error, if that is what it was."""
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
