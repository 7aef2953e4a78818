"""The connection to one cluster: kubeconfig fetched when first needed, and anew when a token is refused."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import httpx2
from lightkube import AsyncClient, KubeConfig
from lightkube.config.models import Cluster as KubeCluster
from lightkube.config.models import User
from lightkube.core.exceptions import ApiError
from lightkube.generic_resource import GenericNamespacedResource, create_api_info

from mcp_tencent.cloud.calling import Calling
from mcp_tencent.cloud.lightkube.errors import LIBRARY_ERRORS, from_lightkube
from mcp_tencent.cloud.lightkube.kubeconfig import ClusterAccess, read_kubeconfig
from mcp_tencent.errors import CredentialsRefused, InvalidRequest, Unsupported

# At INFO the client logs every URL, which for a server without TLS may carry the token.
logging.getLogger("httpx2").setLevel(logging.WARNING)

T = TypeVar("T")

FIELD_MANAGER = "xiaozhi"
"""Our name in a cluster's bookkeeping of who wrote which field."""

_VERSION = re.compile(r"v\d{1,3}((alpha|beta)\d{1,3})?")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


def checked_name(name: str) -> str:
    """Return a name that is safe to stand in a path of the API.

    Raises:
        InvalidRequest: When it is no RFC 1123 subdomain, as all names that we use are.
    """
    if not _NAME.fullmatch(name) or ".." in name:
        raise InvalidRequest(f"{name[:80]!r} is no name of a Kubernetes object")
    return name


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection under one kubeconfig."""

    kube: AsyncClient
    http: httpx2.AsyncClient
    """The same connection for what lightkube lacks: previous logs, delete preconditions, discovery."""

    async def close(self) -> None:
        """Close both clients."""
        await self.kube.close()
        await self.http.aclose()


class ClusterConnection:
    """Calls one cluster's API and raises errors of ours only.

    Args:
        cluster_id: Names the cluster in errors.
        fetch_kubeconfig: Asks the cluster service for the kubeconfig, a secret that stays in memory.
        calling: Deadlines and retries.
    """

    def __init__(
        self, cluster_id: str, fetch_kubeconfig: Callable[[], Awaitable[str]], calling: Calling
    ) -> None:
        self.cluster_id = cluster_id
        self.calling = calling
        self._fetch = fetch_kubeconfig
        self._opened: Opened | None = None
        self._retired: list[Opened] = []
        self._opening = asyncio.Lock()
        self._kinds: dict[tuple[str, str], tuple[str, bool]] = {}

    async def read(self, what: str, use: Callable[[Opened], Awaitable[T]]) -> T:
        """Look something up, with retries."""
        return await self.calling.read(f"{what} in {self.cluster_id}", lambda: self.once(use))

    async def write(
        self,
        what: str,
        act: Callable[[Opened], Awaitable[T]],
        done: Callable[[Opened], Awaitable[T | None]],
        *,
        dry_run: bool,
        key: str | None,
    ) -> T:
        """Act at most once, see `Calling.write`; a dry run only asks, and is retried like any question."""
        if dry_run:
            return await self.read(what, act)
        return await self.calling.write(
            f"{what} in {self.cluster_id}",
            lambda: self.once(act),
            key=key,
            done=lambda: self.once(done),
        )

    async def once(self, use: Callable[[Opened], Awaitable[T]]) -> T:
        """Use the connection a single time, or twice when the token was refused the first time.

        Repeating is safe for writes as well: what is refused for its token was not looked at.
        """
        opened = await self._connected()
        try:
            return await _translated(use, opened)
        except CredentialsRefused:
            self._forget(opened)
        return await _translated(use, await self._connected())

    async def _connected(self) -> Opened:
        async with self._opening:
            if self._opened is None:
                self._opened = _open(read_kubeconfig(await self._fetch()), self.calling.policy.total_seconds)
            return self._opened

    def _forget(self, opened: Opened) -> None:
        if self._opened is opened:
            # Others may be in the middle of a call over it, so it is closed with the rest.
            self._retired.append(opened)
            self._opened = None

    async def close(self) -> None:
        """Close the connection and forget the kubeconfig."""
        if self._opened is not None:
            self._forget(self._opened)
        while self._retired:
            await self._retired.pop().close()

    async def resource(self, api_version: str, kind: str) -> tuple[type[GenericNamespacedResource], bool]:
        """Return the untyped resource class of a kind, and whether its objects live in namespaces.

        Raises:
            Unsupported: When the cluster knows no such kind.
        """
        if (api_version, kind) not in self._kinds:
            await self._discover(api_version)
        known = self._kinds.get((api_version, kind))
        if known is None:
            raise Unsupported(f"{self.cluster_id} knows no kind {kind} of {api_version}")
        return raw_resource(api_version, kind, known[0]), known[1]

    async def _discover(self, api_version: str) -> None:
        group, slash, version = api_version.rpartition("/")
        if (slash and not _NAME.fullmatch(group)) or ".." in group or not _VERSION.fullmatch(version):
            raise InvalidRequest(f"{api_version[:80]!r} is no API version")
        root = "apis" if slash else "api"

        async def ask(opened: Opened) -> list[tuple[str, str, bool]]:
            response = await opened.http.get(f"/{root}/{api_version}")
            if response.status_code == httpx2.codes.NOT_FOUND:
                return []
            entries = checked(response).json()["resources"]
            return [(e["kind"], e["name"], bool(e["namespaced"])) for e in entries if "/" not in e["name"]]

        for kind, plural, namespaced in await self.read(f"discovery of {api_version}", ask):
            self._kinds[api_version, kind] = (plural, namespaced)


def raw_resource(api_version: str, kind: str, plural: str) -> type[GenericNamespacedResource]:
    """Return a resource class whose objects are plain JSON, so that no field is lost."""
    group, _, version = api_version.rpartition("/")
    info = create_api_info(group, version, kind, plural)
    return type(kind, (GenericNamespacedResource,), {"_api_info": info})


def checked(response: httpx2.Response) -> httpx2.Response:
    """Return an answer that is no error; raise the error that lightkube would raise for it."""
    if response.is_error and "json" in response.headers.get("Content-Type", ""):
        raise ApiError(request=response.request, response=response)
    return response.raise_for_status()


async def _translated(use: Callable[[Opened], Awaitable[T]], opened: Opened) -> T:
    try:
        return await use(opened)
    except LIBRARY_ERRORS as exc:
        raise from_lightkube(exc) from exc


def _open(access: ClusterAccess, timeout_seconds: float) -> Opened:
    # Certificates are the transport's: lightkube would write client keys to disk.
    transport = httpx2.AsyncHTTPTransport(verify=access.tls())
    timeout = httpx2.Timeout(timeout_seconds)
    user = User(
        token=access.token or None, username=access.username or None, password=access.password or None
    )
    config = KubeConfig.from_one(cluster=KubeCluster(server=access.server), user=user)
    kube = AsyncClient(
        config, timeout=timeout, transport=transport, field_manager=FIELD_MANAGER, trust_env=False
    )
    http = httpx2.AsyncClient(
        base_url=access.server,
        transport=transport,
        timeout=timeout,
        headers={"Authorization": f"Bearer {access.token}"} if access.token else None,
        auth=(access.username, access.password) if access.username and not access.token else None,
        trust_env=False,
    )
    return Opened(kube, http)
