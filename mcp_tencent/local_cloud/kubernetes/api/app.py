"""The ASGI application of one cluster's API: authentication, authorisation, and who answers what."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.access import KubernetesUser, refusal_sentence
from mcp_tencent.local_cloud.kubernetes.api import (
    changing,
    discovery,
    metrics,
    pod_log,
    reading,
    reviews,
    scale,
)
from mcp_tencent.local_cloud.kubernetes.api.bodies import read_body
from mcp_tencent.local_cloud.kubernetes.api.request import ApiRequest, Target, parse_target
from mcp_tencent.local_cloud.kubernetes.api.streams import Stream, send_stream
from mcp_tencent.local_cloud.kubernetes.api.watching import watch
from mcp_tencent.local_cloud.kubernetes.cluster import KubernetesCluster
from mcp_tencent.local_cloud.kubernetes.errors import (
    ApiError,
    BodyTooLargeError,
    ForbiddenError,
    MethodNotAllowedError,
    NoSuchPathError,
    RefusedError,
    UnauthorizedError,
)
from mcp_tencent.local_cloud.kubernetes.kinds import GROUPS
from mcp_tencent.local_cloud.kubernetes.ports import ApiCall, NoFaults, RequestFaults
from mcp_tencent.local_cloud.kubernetes.schema import openapi_v2, openapi_v3
from mcp_tencent.local_cloud.simulation import Clock

_BODY_LIMIT_BYTES = 3 * 2**20
_JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole response."""

    body: bytes
    status: int = 200
    content_type: str = _JSON
    headers: tuple[tuple[str, str], ...] = field(default=())


class KubernetesApp:
    """Serves the API under the path at which it is mounted (`root_path`)."""

    def __init__(
        self, cluster: KubernetesCluster, catch_up: Callable[[], None], clock: Clock, faults: RequestFaults
    ) -> None:
        self._cluster = cluster
        self._catch_up = catch_up
        self._clock = clock
        self._faults = faults
        self._closing = False

    def close(self) -> None:
        """End all watch and log streams, so that the server can stop at once."""
        self._closing = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            return
        try:
            body = await _read_body(receive)
            self._catch_up()
            answer = self._answer(scope, body)
        except ApiError as error:
            answer = _error_answer(error)
        if isinstance(answer, Stream):
            await send_stream(answer, receive, send, self._catch_up, lambda: self._closing)
        else:
            await _send(answer, scope["method"], send)

    def _answer(self, scope: Scope, body: bytes) -> Answer | Stream:
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        root, path = scope.get("root_path", ""), scope["path"]
        path = path[len(root) :] if root and path.startswith(root) else path
        query = dict(
            parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True, errors="replace")
        )
        request = ApiRequest(
            method="GET" if scope["method"] == "HEAD" else scope["method"],
            path=path,
            query={_printable(key): _printable(value) for key, value in query.items()},
            headers=headers,
            body=body,
            user=_authenticate(self._cluster.tokens, headers.get("authorization", "")),
        )
        parts = path.strip("/").split("/")
        described = self._described(request, parts, root)
        if described is not None:
            return described
        if reviews.is_review(parts):
            if request.method != "POST":
                raise MethodNotAllowedError
            asked = read_body(request.body, headers.get("content-type", ""))
            return _json(reviews.review(parts[3], asked, request.user), status=201)
        if parts[:3] == ["apis", "metrics.k8s.io", "v1beta1"]:
            return self._metrics(request, parts)
        target = parse_target(parts)
        if target is None:
            raise NoSuchPathError
        return self._about(request, target)

    def _described(self, request: ApiRequest, parts: list[str], root: str) -> Answer | None:
        """Answer what the API says of itself, or return None when the path means something else."""
        if parts[0] in {"healthz", "readyz", "livez"}:
            return Answer(body=b"ok", content_type="text/plain; charset=utf-8")
        if parts[0] not in {"version", "api", "apis", "openapi"} or (parts[0] == "api" and len(parts) > 2):
            return None
        if parts[0] == "apis" and len(parts) > 3:
            return None
        if request.method != "GET":
            raise MethodNotAllowedError
        if parts == ["openapi", "v2"]:
            return Answer(body=openapi_v2.binary_document(), content_type=openapi_v2.PROTOBUF)
        accept = request.headers.get("accept", "").replace(" ", "")
        if len(parts) == 1 and parts[0] != "version" and _asks_for_aggregated(accept):
            found: KubernetesObject | None = discovery.aggregated(core=parts == ["api"])
            return Answer(body=reading.encode(found or {}), content_type=discovery.AGGREGATED)
        found = _description(parts, root)
        if found is None:
            raise NoSuchPathError
        return Answer(body=reading.encode(found))

    def _metrics(self, request: ApiRequest, parts: list[str]) -> Answer:
        target = parse_target(["api", "v1", *parts[3:]])
        if target is None or target.subresource or target.resource.kind not in {"Node", "Pod"}:
            raise NoSuchPathError
        if request.method != "GET":
            raise MethodNotAllowedError
        self._authorize(request, target, "get" if target.name else "list", group="metrics.k8s.io")
        return Answer(body=metrics.usage(self._cluster, request, target))

    def _about(self, request: ApiRequest, target: Target) -> Answer | Stream:
        verb = _verb(request, target)
        self._authorize(request, target, verb, group=target.resource.group)
        if target.subresource:
            return self._subresource(request, target)
        if target.resource.namespaced and not target.namespace and request.method not in {"GET", "DELETE"}:
            raise MethodNotAllowedError
        if verb not in target.resource.verbs:
            raise MethodNotAllowedError
        cluster = self._cluster
        match verb:
            case "get":
                return Answer(body=reading.get(cluster, request, target))
            case "list":
                return Answer(body=reading.list_objects(cluster, request, target))
            case "watch":
                return watch(cluster, request, target)
            case "create":
                return _changed(changing.create(cluster, request, target))
            case "update":
                return _changed(changing.replace(cluster, request, target))
            case "patch":
                return _changed(changing.patch(cluster, request, target))
            case "delete":
                return _changed(changing.delete(cluster, request, target))
        if not target.namespace and target.resource.namespaced:
            raise MethodNotAllowedError
        return _changed(changing.delete_all(cluster, request, target))

    def _subresource(self, request: ApiRequest, target: Target) -> Answer | Stream:
        cluster, resource = self._cluster, target.resource
        match target.subresource, request.method:
            case ("status", "GET") if resource.status:
                return Answer(body=reading.get(cluster, request, target))
            case ("status", "PUT") if resource.status:
                return _changed(changing.replace(cluster, request, target))
            case ("status", "PATCH") if resource.status:
                return _changed(changing.patch(cluster, request, target))
            case ("scale", "GET") if resource.scale:
                return Answer(body=scale.read_scale(cluster, target))
            case ("scale", "PUT" | "PATCH") if resource.scale:
                return _changed(scale.write_scale(cluster, request, target))
            case ("log", "GET") if resource.kind == "Pod":
                return self._log(request, target)
            case ("eviction", "POST") if resource.kind == "Pod":
                how = changing.read_deletion(request)
                cluster.controllers.disruption.evict(
                    target.namespace, target.name, how, dry_run=request.dry_run
                )
                return _json(
                    {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}, status=201
                )
        known = {"status": resource.status, "scale": resource.scale}
        is_known = known.get(
            target.subresource, resource.kind == "Pod" and target.subresource in {"log", "eviction"}
        )
        raise MethodNotAllowedError if is_known else NoSuchPathError

    def _log(self, request: ApiRequest, target: Target) -> Answer | Stream:
        query = pod_log.log_query(self._cluster, request, reading.find(self._cluster, target))
        if query is None:
            return Answer(body=b"", content_type="text/plain")
        if request.flag("follow") and not query.previous:
            return pod_log.follow_log(self._cluster, query)
        return Answer(body=pod_log.read_log(self._cluster, query), content_type="text/plain")

    def _authorize(self, request: ApiRequest, target: Target, verb: str, *, group: str) -> None:
        plural = target.resource.plural
        resource = f"{plural}/{target.subresource}" if target.subresource else plural
        namespace = target.name if target.resource.kind == "Namespace" else target.namespace
        if not request.user.may(verb, resource, namespace):
            why = refusal_sentence(request.user, verb, resource, group, namespace, target.name)
            raise ForbiddenError(why, subject=target.subject)
        call = ApiCall(
            method=request.method,
            verb=verb,
            namespace=target.namespace,
            resource=resource,
            name=target.name,
            dry_run=request.method != "GET" and request.dry_run,
        )
        refusal = self._faults.refusal(call)
        if refusal is not None:
            raise RefusedError(refusal.status, refusal.reason, refusal.message)


def kubernetes_app(
    cluster: KubernetesCluster,
    catch_up: Callable[[], None],
    clock: Clock,
    faults: RequestFaults | None = None,
) -> KubernetesApp:
    """Return the application for `cluster`.

    Args:
        cluster: what is served.
        catch_up: brings the world up to now; called before every request and while streams are open.
        clock: the world clock.
        faults: faults of the API itself.
    """
    return KubernetesApp(cluster, catch_up, clock, faults or NoFaults())


def _authenticate(tokens: Mapping[str, KubernetesUser], authorization: str) -> KubernetesUser:
    """Return the user of a bearer token; over plain HTTP kubectl can only give it as a password."""
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            given = base64.b64decode(given, validate=True).decode().partition(":")[2]
        except ValueError:
            raise UnauthorizedError from None
    elif scheme.lower() != "bearer":
        raise UnauthorizedError
    for token, user in tokens.items():
        if hmac.compare_digest(token.encode(), given.strip().encode("utf-8", "replace")):
            return user
    raise UnauthorizedError


def _verb(request: ApiRequest, target: Target) -> str:
    """Return what a request does, as RBAC calls it."""
    match request.method:
        case "GET" if request.query.get("watch", "") and request.flag("watch"):
            return "watch"
        case "GET":
            return "get" if target.name else "list"
        case "POST" if not target.name or target.subresource:
            return "create"
        case "PUT" if target.name:
            return "update"
        case "PATCH" if target.name:
            return "patch"
        case "DELETE":
            return "delete" if target.name else "deletecollection"
    raise MethodNotAllowedError


def _asks_for_aggregated(accept: str) -> bool:
    return any("g=apidiscovery.k8s.io" in part and "v=v2" in part.split(";") for part in accept.split(","))


def _description(parts: list[str], root: str) -> KubernetesObject | None:
    """Return what one of the paths of discovery answers, or None when there is no such path."""
    match parts:
        case ["version"]:
            return discovery.version()
        case ["api"]:
            return discovery.core_versions()
        case ["apis"]:
            return discovery.groups()
        case ["apis", group]:
            return discovery.group(group)
        case ["api", version]:
            return discovery.resources("", version)
        case ["apis", group, version]:
            return discovery.resources(group, version)
        case ["openapi", "v3", *rest]:
            return _openapi_v3(rest, root)
    return None


def _openapi_v3(rest: list[str], root: str) -> KubernetesObject | None:
    groups: dict[tuple[str, ...], tuple[str, str]] = {("api", "v1"): ("", "v1")}
    groups |= {("apis", name, version): (name, version) for name, versions in GROUPS for version in versions}
    if not rest:
        return {
            "paths": {
                "/".join(key): {"serverRelativeURL": f"{root}/openapi/v3/{'/'.join(key)}"} for key in groups
            }
        }
    wanted = groups.get(tuple(rest))
    return openapi_v3.document(*wanted) if wanted is not None else None


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _changed(change: changing.Changed) -> Answer:
    warnings = tuple(("warning", f'299 - "{_header_text(text)}"') for text in change.warnings)
    return Answer(body=change.body, status=change.status, headers=warnings)


def _header_text(text: str) -> str:
    plain = "".join(letter if letter.isprintable() and letter.isascii() else "?" for letter in text)
    return plain.replace("\\", "\\\\").replace('"', '\\"')


def _json(value: KubernetesObject, *, status: int = 200) -> Answer:
    return Answer(body=reading.encode(value), status=status)


def _error_answer(error: ApiError) -> Answer:
    headers: tuple[tuple[str, str], ...] = ()
    if isinstance(error, UnauthorizedError):
        headers = (("www-authenticate", 'Basic realm="kubernetes-master"'),)
    return Answer(body=reading.encode(error.status()), status=error.http_status, headers=headers)


async def _read_body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > _BODY_LIMIT_BYTES:
            raise BodyTooLargeError(f"limit is {_BODY_LIMIT_BYTES} bytes")
        if not message.get("more_body", False):
            return b"".join(parts)


async def _send(answer: Answer, method: str, send: Send) -> None:
    headers = [
        ("content-type", answer.content_type),
        ("content-length", str(len(answer.body))),
        *answer.headers,
    ]
    headers.append(("cache-control", "no-cache, private"))
    start = {
        "type": "http.response.start",
        "status": answer.status,
        "headers": [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers],
    }
    await send(start)
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else answer.body})
