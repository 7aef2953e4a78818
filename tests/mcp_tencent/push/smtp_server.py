"""A real SMTP server on loopback, with TLS, logins, and refusals on demand."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USERNAME = "xiaozhi@example.com"
PASSWORD = "correct horse battery staple"


@dataclass
class Mailbox:
    """What the server took and what it is told to refuse."""

    messages: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    """Recipient → the answer to RCPT."""
    answer_to_data: str | None = None
    """The answer to a whole mail, which is then not taken."""
    logins: int = 0

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it by this name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answer_to_data is not None:
            return self.answer_to_data
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        right = LoginPassword(USERNAME.encode(), PASSWORD.encode())
        success = isinstance(data, LoginPassword) and data == right
        self.logins += success
        return AuthResult(success=success, handled=success)


class _AnyPortController(Controller):
    """A controller that may be asked for port 0 and then knows which one it got."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        super()._trigger_server()


@contextmanager
def smtp_server(
    mailbox: Mailbox,
    *,
    certificate: tuple[Path, Path] | None = None,
    implicit_tls: bool = False,
    port: int = 0,
) -> Iterator[int]:
    """Run a server and yield its port. With a certificate it demands TLS and a login."""
    if certificate is None:
        controller = _AnyPortController(mailbox, hostname="127.0.0.1", port=port)
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        if implicit_tls:
            controller = _AnyPortController(
                mailbox,
                hostname="127.0.0.1",
                port=port,
                ssl_context=context,
                authenticator=mailbox.authenticate,
                auth_required=True,
                auth_require_tls=False,
            )
        else:
            controller = _AnyPortController(
                mailbox,
                hostname="127.0.0.1",
                port=port,
                tls_context=context,
                require_starttls=True,
                authenticator=mailbox.authenticate,
                auth_required=True,
            )
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def make_certificate(folder: Path, *, host: str = "127.0.0.1") -> tuple[Path, Path]:
    """Write a self-made certificate for `host` and its key; return their paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    paths = (folder / "certificate.pem", folder / "key.pem")
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths
