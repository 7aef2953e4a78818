"""Certificates: whom we believe, and who we are, on a real TLS connection."""

import base64
import json
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mcp_tencent import errors
from mcp_tencent.cloud.calling import Calling
from mcp_tencent.cloud.lightkube.connection import ClusterConnection
from mcp_tencent.cloud.lightkube.workloads import LightkubeWorkloads
from tests.mcp_tencent.cloud.lightkube.test_connection import NOTHING
from tests.mcp_tencent.cloud.scripted_server import InstantTiming, in_turn, scripted


@dataclass(frozen=True)
class Identity:
    """A certificate that vouches for itself, and its key, as PEM."""

    certificate: bytes
    key: bytes

    @staticmethod
    def made(name: str, *, valid: timedelta = timedelta(days=1)) -> "Identity":
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=2))
            .not_valid_after(now + valid)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
            )
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        return Identity(
            certificate.public_bytes(serialization.Encoding.PEM),
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )

    def server_side(self, folder: Path, *, clients: "Identity | None" = None) -> ssl.SSLContext:
        file = folder / "server.pem"
        file.write_bytes(self.certificate + self.key)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file)
        if clients is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=clients.certificate.decode())
        return context


def text(pem: bytes) -> str:
    return base64.b64encode(pem).decode()


async def namespaces(url: str, authority: Identity, client: Identity | None = None) -> object:
    user = {"token": "t"}
    if client is not None:
        user = {"client-certificate-data": text(client.certificate), "client-key-data": text(client.key)}
    cluster = {"server": url, "certificate-authority-data": text(authority.certificate)}
    config = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
    }

    async def fetch() -> str:
        return json.dumps(config)

    workloads = LightkubeWorkloads(ClusterConnection("cls-1", fetch, Calling(timing=InstantTiming())))
    try:
        return await workloads.namespaces()
    finally:
        await workloads.close()


async def test_the_authority_of_the_kubeconfig_is_believed(tmp_path):
    server = Identity.made("cluster")
    async with scripted(in_turn(NOTHING), server.server_side(tmp_path)) as listening:
        assert await namespaces(listening.url, server) == []


async def test_a_server_of_another_authority_is_refused_before_anything_is_said(tmp_path):
    server, other = Identity.made("cluster"), Identity.made("other")
    async with scripted(in_turn(NOTHING), server.server_side(tmp_path)) as listening:
        with pytest.raises(errors.CertificateRefused) as caught:
            await namespaces(listening.url, other)
    assert not caught.value.sent
    assert listening.asked == []


async def test_a_certificate_that_has_run_out_is_refused(tmp_path):
    server = Identity.made("cluster", valid=timedelta(days=-1))
    async with scripted(in_turn(NOTHING), server.server_side(tmp_path)) as listening:
        with pytest.raises(errors.CertificateRefused):
            await namespaces(listening.url, server)


async def test_a_client_certificate_is_shown_without_touching_the_disk(tmp_path, monkeypatch):
    server, client = Identity.made("cluster"), Identity.made("client")
    tls = server.server_side(tmp_path, clients=client)
    monkeypatch.setattr("tempfile.NamedTemporaryFile", lambda *_, **__: pytest.fail("wrote to disk"))
    async with scripted(in_turn(NOTHING), tls) as listening:
        assert await namespaces(listening.url, server, client) == []


async def test_without_its_client_certificate_it_is_not_let_in(tmp_path):
    server, client = Identity.made("cluster"), Identity.made("client")
    tls = server.server_side(tmp_path, clients=client)
    async with scripted(in_turn(NOTHING), tls) as listening:
        with pytest.raises(errors.NetworkFault):
            await namespaces(listening.url, server)
    assert listening.asked == []
