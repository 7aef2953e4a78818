"""One account in one region, called through the SDK's asynchronous clients.

The SDK swallows errors that do not come as exactly `application/json`, and makes models full of None out of
answers whose body it does not know. Both are caught here, at the HTTP client under the SDK. Its own retryer
and region breaker stay off: the first retries writes, the second leads to another endpoint.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import httpx
from tencentcloud.cls.v20201016.cls_client_async import ClsClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.monitor.v20180724.monitor_client_async import MonitorClient
from tencentcloud.tke.v20180525.tke_client_async import TkeClient
from tencentcloud.tke.v20220501.tke_client_async import TkeClient as Tke2022Client

from mcp_tencent.cloud.answers import reading
from mcp_tencent.cloud.calling import Calling
from mcp_tencent.cloud.tencentcloud.errors import from_sdk, from_status, without_secrets
from mcp_tencent.cloud.transport import from_transport
from mcp_tencent.errors import CredentialsRefused, UnexpectedAnswer
from mcp_tencent.models.clusters import Place

# At DEBUG the SDK logs whole requests and answers: signatures, kubeconfigs.
logging.getLogger("tencentcloud_sdk_common").setLevel(logging.INFO)

Item = TypeVar("Item")
Request = TypeVar("Request")

PAGE = 100
"""The most that the Describe… actions give at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A cloud account and where it is used."""

    name: str
    secret_id: str = field(repr=False)
    secret_key: str = field(repr=False)
    token: str = field(default="", repr=False)
    """Of temporary credentials; empty for a permanent key."""
    regions: tuple[str, ...]
    endpoint: str = ""
    """URL of another place than the public API, e.g. http://127.0.0.1:8470; empty for the public API."""
    public_clusters: bool = True
    """Whether clusters are reached by their public endpoint rather than from inside their network."""


class SdkAnswer(Protocol):
    """What all answers of the SDK have in common."""

    RequestId: str | None


class TencentCaller:
    """Calls actions of the API and raises errors of ours only."""

    def __init__(self, account: Account, region: str, calling: Calling) -> None:
        self.place = Place(account=account.name, region=region)
        self.calling = calling
        self.public_clusters = account.public_clusters
        self._secrets = (account.secret_key, account.token, account.secret_id)
        try:
            credential = Credential(account.secret_id, account.secret_key, account.token or None)
        except TencentCloudSDKException as exc:
            raise CredentialsRefused(f"account {account.name!r}: {exc.message}") from exc
        url = urlsplit(account.endpoint)
        profile = ClientProfile(
            httpProfile=HttpProfile(
                protocol=url.scheme or None,
                endpoint=url.netloc or None,
                keepAlive=True,
                # Per socket operation; the total is kept by Calling, which cancels the call.
                reqTimeout=calling.policy.total_seconds,
            ),
            disable_region_breaker=True,
        )
        self._clients: dict[type, Any] = {}
        self._make: Callable[[type], Any] = lambda kind: kind(credential, region, profile)

    @property
    def cls(self) -> ClsClient:
        """The log service's client."""
        return self._client(ClsClient)

    @property
    def tke(self) -> TkeClient:
        """The cluster service's client, version 2018-05-25."""
        return self._client(TkeClient)

    @property
    def tke2022(self) -> Tke2022Client:
        """The cluster service's client, version 2022-05-01, which knows native node pools."""
        return self._client(Tke2022Client)

    @property
    def monitor(self) -> MonitorClient:
        """The metric service's client."""
        return self._client(MonitorClient)

    def _client(self, kind: type[Any]) -> Any:  # noqa: ANN401 - the SDK is untyped
        if kind not in self._clients:
            client = self._make(kind)
            client.http_client.event_hooks = {"response": [_check_transport]}
            self._clients[kind] = client
        return self._clients[kind]

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.close()
        self._clients.clear()

    async def read(self, method: Callable[[Any], Awaitable[Any]], request: object) -> Any:  # noqa: ANN401
        """Call a reading action, with retries, and return the SDK's (untyped) answer."""
        return await self.calling.read(_name(method), lambda: self.once(method, request))

    async def once(self, method: Callable[[Any], Awaitable[Any]], request: object) -> Any:  # noqa: ANN401
        """Call an action a single time.

        Raises:
            CloudError: Of the class that fits the code or fault.
        """
        with reading(_name(method)):
            try:
                answer = await method(request)
            except TencentCloudSDKException as exc:
                raise from_sdk(exc, secrets=self._secrets) from self._cause(exc)
            except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as exc:
                raise from_transport(exc) from exc
        _check_filled(_name(method), answer)
        return answer

    async def every_page(
        self,
        method: Callable[[Any], Awaitable[Any]],
        make_request: Callable[[int, int], object],
        items: Callable[[Any], Iterable[Any] | None],
        item: Callable[[Any], Item],
    ) -> list[Item]:
        """Call a listing action page by page, `PAGE` at a time, until it has no more.

        Args:
            method: The action.
            make_request: Offset and limit to a request.
            items: The answer's list.
            item: An entry of that list to a model of ours.
        """
        found: list[Item] = []
        async with self.calling.operation(_name(method)):
            while True:
                answer = await self.read(method, make_request(len(found), PAGE))
                with reading(_name(method)):
                    page = [item(entry) for entry in items(answer) or ()]
                found.extend(page)
                if len(page) < PAGE:
                    return found

    def _cause(self, exc: TencentCloudSDKException) -> TencentCloudSDKException | None:
        # A cause is printed with its message: one that repeats a secret is left out.
        text = str(exc)
        return exc if without_secrets(text, self._secrets) == text else None


def request_of(kind: type[Request], **fields: object) -> Request:
    """Make a request, or a part of one, of the SDK; a field that it does not have is a mistake of ours.

    Args:
        kind: The SDK's class.
        fields: By the API's names; those that are None are not sent.
    """
    request = kind()
    for name, value in fields.items():
        if not isinstance(getattr(kind, name, None), property):
            raise TypeError(f"{kind.__name__} has no field {name}")
        if value is not None:
            setattr(request, name, value)
    return request


def _name(method: Callable[..., object]) -> str:
    return getattr(method, "__name__", "the call")


async def _check_transport(response: httpx.Response) -> None:
    """Refuse what is no API answer, and make the SDK see errors in what is one."""
    # Read whole, here: the SDK leaves connections open when it gives up on an answer.
    body = await response.aread()
    media_type = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
    if response.status_code != httpx.codes.OK:
        start = body[:200].decode("utf-8", "replace") if media_type.startswith("text/") else ""
        raise from_status(response.status_code, start)
    if media_type != "application/json":
        raise UnexpectedAnswer(
            f"the answer's content type is {media_type or 'missing'!r}, not application/json"
        )
    response.headers["Content-Type"] = "application/json"


def _check_filled(action: str, answer: SdkAnswer) -> None:
    fields = {name: value for name, value in vars(answer).items() if name not in ("_RequestId", "_headers")}
    if not answer.RequestId or (fields and all(value is None for value in fields.values())):
        raise UnexpectedAnswer(f"{action} answered nothing that it should", request_id=answer.RequestId or "")
