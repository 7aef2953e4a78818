"""TC3-HMAC-SHA256: who signed a request, and whether the signature holds.

Source: Tencent Cloud API documentation, "Signature v3". The signature covers the method, path, query string,
the signed headers, the SHA-256 of the body, the timestamp and the credential scope.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mcp_tencent.local_cloud.tencent.errors import (
    AuthError,
    invalid_parameter,
    missing_parameter,
)

ALGORITHM = "TC3-HMAC-SHA256"
MAX_CLOCK_SKEW = timedelta(minutes=5)
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"

_AUTHORIZATION = re.compile(
    r"TC3-HMAC-SHA256 Credential=(?P<secret_id>[^/,\s]+)/(?P<date>\d{4}-\d{2}-\d{2})/(?P<service>[a-z0-9]+)"
    r"/tc3_request, ?SignedHeaders=(?P<headers>[a-z0-9-]+(?:;[a-z0-9-]+)*)"
    r", ?Signature=(?P<signature>[0-9a-f]{64})",
    re.ASCII,
)
_TIMESTAMP = re.compile(r"\d{1,11}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """What of an HTTP request the signature covers."""

    method: str
    path: str
    query: str
    """The raw query string, without the question mark."""
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """The parsed Authorization header: a claim, until `verify` has returned it."""

    secret_id: str
    date: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str

    @property
    def scope(self) -> str:
        """Return the credential scope as it is signed."""
        return f"{self.date}/{self.service}/tc3_request"


def parse_authorization(header: str | None) -> Authorization:
    """Read an Authorization header.

    Raises:
        AuthError: InvalidAuthorization when it is absent or not in the documented form, or when it does not
            cover the content type and the host.
    """
    match = _AUTHORIZATION.fullmatch(header or "")
    if match is None:
        raise AuthError(
            "InvalidAuthorization", f"The header `Authorization` is not a valid {ALGORITHM} credential."
        )
    signed = tuple(match["headers"].split(";"))
    if "content-type" not in signed or "host" not in signed:
        raise AuthError("InvalidAuthorization", "`SignedHeaders` must contain `content-type` and `host`.")
    return Authorization(
        secret_id=match["secret_id"],
        date=match["date"],
        service=match["service"],
        signed_headers=signed,
        signature=match["signature"],
    )


def sign(secret_key: str, request: HttpRequest, authorization: Authorization, timestamp: str) -> str:
    """Return the hexadecimal signature that the holder of `secret_key` would put on the request."""
    headers = "".join(
        f"{name}:{request.headers.get(name, '').strip().lower()}\n" for name in authorization.signed_headers
    )
    unsigned = request.headers.get("x-tc-content-sha256") == UNSIGNED_PAYLOAD
    payload = UNSIGNED_PAYLOAD.encode() if unsigned else request.body
    canonical = "\n".join(
        (
            request.method,
            request.path,
            request.query,
            headers,
            ";".join(authorization.signed_headers),
            hashlib.sha256(payload).hexdigest(),
        )
    )
    to_sign = (
        f"{ALGORITHM}\n{timestamp}\n{authorization.scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    )
    key = _hmac(f"TC3{secret_key}".encode(), authorization.date)
    key = _hmac(key, authorization.service)
    key = _hmac(key, "tc3_request")
    return _hmac(key, to_sign).hex()


def verify(request: HttpRequest, credentials: Mapping[str, str], now: datetime) -> Authorization:
    """Return who signed the request.

    Args:
        request: the request as it arrived, byte for byte.
        credentials: secret key by secret id.
        now: the machine's time; the timestamp may be five minutes off it.

    Raises:
        AuthError: InvalidAuthorization, SignatureExpire, SecretIdNotFound, TokenFailure
            or SignatureFailure.
        RequestError: the timestamp is missing or not a number.
    """
    authorization = parse_authorization(request.headers.get("authorization"))
    timestamp = request.headers.get("x-tc-timestamp", "")
    signed_at = _instant(timestamp)
    if abs(now - signed_at) > MAX_CLOCK_SKEW:
        raise AuthError(
            "SignatureExpire",
            f"The provided credentials could not be validated because your request is expired: the timestamp "
            f"{timestamp} is more than {int(MAX_CLOCK_SKEW.total_seconds())} seconds off the server's time.",
        )
    secret_key = credentials.get(authorization.secret_id)
    if secret_key is None:
        raise AuthError(
            "SecretIdNotFound", "The SecretId is not found, please ensure that your SecretId is correct."
        )
    if "x-tc-token" in request.headers:
        raise AuthError("TokenFailure", "The token does not belong to this SecretId.")
    date_holds = authorization.date == signed_at.strftime("%Y-%m-%d")
    expected = sign(secret_key, request, authorization, timestamp)
    if not hmac.compare_digest(expected, authorization.signature) or not date_holds:
        raise AuthError(
            "SignatureFailure",
            "The provided credentials could not be validated. Please check your signature is correct.",
        )
    return authorization


def _instant(timestamp: str) -> datetime:
    if not timestamp:
        raise missing_parameter("Timestamp")
    if _TIMESTAMP.fullmatch(timestamp) is None:
        raise invalid_parameter("The header `X-TC-Timestamp` must be a UNIX timestamp in seconds.")
    return datetime.fromtimestamp(int(timestamp), UTC)


def _hmac(key: bytes, message: str) -> bytes:
    return hmac.new(key, message.encode(), hashlib.sha256).digest()
