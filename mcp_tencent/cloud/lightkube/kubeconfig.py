"""A kubeconfig as the cluster service gives it: read, checked, and kept in memory only."""

from __future__ import annotations

import base64
import binascii
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml

from mcp_tencent.errors import InvalidRequest, UnexpectedAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterAccess:
    """How to reach a cluster's API and who to be there."""

    server: str
    authority: bytes = field(repr=False)
    """PEM of the certificate authority; empty for the system's own."""
    token: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    certificate: bytes = field(default=b"", repr=False)
    """PEM of a client certificate; empty for none."""
    key: bytes = field(default=b"", repr=False)

    def tls(self) -> ssl.SSLContext | bool:
        """Return what the connection is checked by; False for one without TLS (a cluster on this machine)."""
        if not self.server.startswith("https://"):
            return False
        context = ssl.create_default_context(cadata=self.authority.decode() if self.authority else None)
        if self.certificate:
            _load_from_memory(context, self.certificate, self.key)
        return context


def read_kubeconfig(text: str) -> ClusterAccess:
    """Return the access that a kubeconfig's current context gives.

    Only what the text itself holds is used: no files, no commands, whatever it names.

    Raises:
        UnexpectedAnswer: When it is no kubeconfig. The message never repeats any of it.
        InvalidRequest: When it asks for a command to be run or for TLS not to be verified.
    """
    try:
        config = yaml.safe_load(text)
        context = _named(config, "contexts", config["current-context"], "context")
        cluster = _named(config, "clusters", context["cluster"], "cluster")
        user = _named(config, "users", context["user"], "user")
        access = ClusterAccess(
            server=str(cluster["server"]),
            authority=_decoded(cluster.get("certificate-authority-data")),
            token=str(user.get("token") or ""),
            username=str(user.get("username") or ""),
            password=str(user.get("password") or ""),
            certificate=_decoded(user.get("client-certificate-data")),
            key=_decoded(user.get("client-key-data")),
        )
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, binascii.Error, ValueError):
        # Without the cause: a YAML error quotes the line, and the line may be a token.
        raise UnexpectedAnswer("the kubeconfig cannot be read") from None
    if user.get("exec") or user.get("auth-provider"):
        raise InvalidRequest("the kubeconfig wants a command to be run for a token, which is not done")
    if cluster.get("insecure-skip-tls-verify") and access.server.startswith("https://"):
        raise InvalidRequest("the kubeconfig wants TLS not to be verified, which is not done")
    return access


def _named(
    config: Mapping[str, list[dict[str, object]]], kind: str, name: object, inner: str
) -> dict[str, object]:
    found = next(entry for entry in [*config[kind], {}] if entry.get("name") == name or not entry)
    content = found[inner]
    if not isinstance(content, dict):
        raise TypeError(inner)
    return content


def _decoded(data: object) -> bytes:
    return base64.b64decode(str(data), validate=True) if data else b""


def _load_from_memory(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    # Python loads a key from a path only; this file exists in memory alone.
    if not hasattr(os, "memfd_create"):
        raise InvalidRequest("client certificates are supported on Linux only")
    descriptor = os.memfd_create("client-certificate")
    try:
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            file.write(certificate.rstrip() + b"\n" + key)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    except ssl.SSLError:
        raise UnexpectedAnswer("the kubeconfig's client certificate cannot be used") from None
    finally:
        os.close(descriptor)
