"""Faults between us and a server become errors of ours.

The SDK speaks through httpx and lightkube through httpx2, a fork of it whose errors have the same names in
the same order of descent; so they are told apart by name.
"""

from __future__ import annotations

import ssl

from mcp_tencent.errors import CertificateRefused, CloudError, InvalidRequest, NetworkFault, UnexpectedAnswer

_NEVER_SENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol"})
_BROKEN = frozenset({"TransportError", "StreamError"})


def from_transport(exc: Exception) -> CloudError:
    """Return our error for an error of httpx or httpx2 that came of no answer, or of half an answer."""
    detail = f"{type(exc).__name__}: {exc}"[:300]
    names = {kind.__name__ for kind in type(exc).__mro__}
    if _certificate_at_fault(exc):
        return CertificateRefused(detail, sent=False)
    if names & _NEVER_SENT:
        return NetworkFault(detail, sent=False)
    if names & _BROKEN:
        return NetworkFault(detail)
    if "InvalidURL" in names:
        return InvalidRequest(detail)
    return UnexpectedAnswer(detail)


def _certificate_at_fault(exc: BaseException) -> bool:
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return True
        cause = cause.__cause__ or cause.__context__
    return "CERTIFICATE_VERIFY_FAILED" in str(exc)
