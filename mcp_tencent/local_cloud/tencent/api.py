"""The front door of API 3.0: from an HTTP request to an action and back to an envelope.

Order of the checks, as far as the real gateway shows it: size and format, signature, product, version,
action, region, rate limit, parameters. Every answer is HTTP 200 with `application/json`, errors too:
the SDK takes anything else for a broken line.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mcp_tencent.local_cloud.simulation import Clock
from mcp_tencent.local_cloud.tencent.api_faults import ApiFaults, FaultKind, FaultRule
from mcp_tencent.local_cloud.tencent.calls import ActionTable, Call, EventStream
from mcp_tencent.local_cloud.tencent.errors import (
    ApiError,
    AuthError,
    RequestError,
    invalid_parameter,
    missing_parameter,
)
from mcp_tencent.local_cloud.tencent.identifiers import Identifiers
from mcp_tencent.local_cloud.tencent.json_types import JsonObject
from mcp_tencent.local_cloud.tencent.limits import RequestLimiter, RequestLimits
from mcp_tencent.local_cloud.tencent.regions import REGIONS
from mcp_tencent.local_cloud.tencent.signature import HttpRequest, verify
from mcp_tencent.local_cloud.tencent.specification import Product, ProductSpecification, load_specification
from mcp_tencent.local_cloud.tencent.validation import complete_response, validate_request

MAX_BODY_BYTES = 10 * 2**20
"""The gateway's limit for TC3-HMAC-SHA256 requests."""
_DRAINED_BYTES = 64 * 2**20
"""An oversized body is read up to here, so that the client gets to read why it was refused."""

_REGIONLESS = frozenset({"DescribeRegions", "DescribeAlarmHistories"})
_BINARY_ACTIONS = frozenset({"UploadLog"})
_BINARY_PARAMETER_PREFIX = "x-cls-"

Sleep = Callable[[float], Awaitable[None]]


class TencentApi:
    """Answers signed requests from the state of the imitated services."""

    def __init__(
        self,
        *,
        credentials: Mapping[str, str],
        services: Mapping[Product, ActionTable],
        wall_clock: Clock,
        world_clock: Clock,
        faults: ApiFaults | None = None,
        limits: RequestLimits | None = None,
        regions: Iterable[str] = REGIONS,
        seed: int = 0,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """Wire the services together.

        Args:
            credentials: secret key by secret id.
            services: the actions of each product and version.
            wall_clock: tells the age of signatures and the frequency of requests.
            world_clock: tells when scripted faults hold.
            faults: what goes wrong with the API itself; nothing by default.
            limits: requests a second.
            regions: where requests may go.
            seed: of the request ids.
            sleep: waits out an injected delay.
        """
        self._credentials = credentials
        self._services = services
        self._wall_clock = wall_clock
        self._world_clock = world_clock
        self._faults = faults or ApiFaults()
        self._limiter = RequestLimiter(limits or RequestLimits())
        self._regions = frozenset(regions)
        self._identifiers = Identifiers(seed)
        self._sleep = sleep

    async def handle(self, request: Request) -> Response:
        """Answer one HTTP request to `/`."""
        request_id = self._identifiers.uuid()
        try:
            body = await _read_body(request)
            call, specification = self._admit(request, body, request_id)
            fault = self._faults.strike(call.product.service, call.action, self._world_clock.now())
            if fault is not None:
                lost = await self._suffer(fault)
                if lost is not None:
                    return lost
            return self._answer(call, specification)
        except ApiError as error:
            return _envelope(
                {"Error": {"Code": error.code, "Message": error.message}, "RequestId": request_id}
            )

    def _admit(self, request: Request, body: bytes, request_id: str) -> tuple[Call, ProductSpecification]:
        """Return the call, its parameters not yet read, once caller, action, region and rate are in order."""
        signed = _signed_part(request, body)
        authorization = verify(signed, self._credentials, self._wall_clock.now())
        action = _required_header(request, "Action")
        product, specification = _product(authorization.service, _required_header(request, "Version"))
        if action not in specification.actions or action not in self._services.get(product, {}):
            raise RequestError(
                "InvalidAction", f"The action `{_echo(action)}` is not found in {product.service}."
            )
        region = self._region(request, action)
        self._limiter.admit(authorization.secret_id, product, action, self._wall_clock.now())
        call = Call(
            product=product,
            action=action,
            region=region,
            secret_id=authorization.secret_id,
            request_id=request_id,
            base_url=f"{request.url.scheme}://{request.headers.get('host', '')}",
            parameters=_raw_parameters(request, action, body),
            body=body if action in _BINARY_ACTIONS else b"",
        )
        return call, specification

    def _region(self, request: Request, action: str) -> str:
        if action in _REGIONLESS:
            return ""
        region = request.headers.get("x-tc-region", "")
        if not region:
            raise missing_parameter("Region")
        if region not in self._regions:
            raise RequestError("UnsupportedRegion", f"The region `{_echo(region)}` is not supported.")
        return region

    def _answer(self, call: Call, specification: ProductSpecification) -> Response:
        shape = specification.actions[call.action]
        parameters = validate_request(shape.request, specification.types, call.parameters)
        action = self._services[call.product][call.action]
        result = action(replace(call, parameters=parameters))
        if isinstance(result, EventStream):
            return _event_stream(result)
        answered = {**result, "RequestId": call.request_id}
        return _envelope(complete_response(shape.response, specification.types, answered))

    async def _suffer(self, fault: FaultRule) -> Response | None:
        """Let a fault have its way; None when the call is answered all the same."""
        match fault.kind:
            case FaultKind.THROTTLE:
                raise RequestError("RequestLimitExceeded", "The request frequency has exceeded the limit.")
            case FaultKind.ERROR:
                raise RequestError(fault.code, fault.message)
            case FaultKind.BAD_CREDENTIALS:
                raise AuthError("SecretIdNotFound", "The SecretId is not found or has been disabled.")
            case FaultKind.RESET:
                return _LostConnection()
            case FaultKind.BAD_GATEWAY:
                return Response(
                    "<html><h1>502 Bad Gateway</h1></html>", status_code=502, media_type="text/html"
                )
            case FaultKind.DELAY:
                await self._sleep(fault.delay_seconds)
                return None


class _LostConnection(Response):
    """Promises an answer, sends half of it and stops; the server then closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"4096")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"Response": {', "more_body": True})


async def _read_body(request: Request) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= MAX_BODY_BYTES:
            chunks.append(chunk)
        elif size > _DRAINED_BYTES:
            break
    if size > MAX_BODY_BYTES:
        raise RequestError("RequestSizeLimitExceeded", f"The request body exceeds {MAX_BODY_BYTES} bytes.")
    return b"".join(chunks)


def _signed_part(request: Request, body: bytes) -> HttpRequest:
    if request.method != "POST":
        raise RequestError(
            "UnsupportedProtocol", f"Only POST is supported here, got {_echo(request.method)}."
        )
    return HttpRequest(
        method=request.method,
        path=request.url.path,
        query=request.url.query,
        headers=dict(request.headers),
        body=body,
    )


def _required_header(request: Request, name: str) -> str:
    value = request.headers.get(f"x-tc-{name.lower()}", "")
    if not value:
        raise missing_parameter(name)
    return value


def _product(service: str, version: str) -> tuple[Product, ProductSpecification]:
    specification = load_specification()
    product = Product(service, version)
    if product in specification:
        return product, specification[product]
    if any(known.service == service for known in specification):
        raise RequestError("NoSuchVersion", f"The version `{_echo(version)}` of {service} is not found.")
    raise RequestError("NoSuchProduct", f"The product `{_echo(service)}` is not found.")


def _raw_parameters(request: Request, action: str, body: bytes) -> JsonObject:
    content_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if action in _BINARY_ACTIONS:
        if content_type != "application/octet-stream":
            raise invalid_parameter(f"`{action}` takes a body of type application/octet-stream.")
        return _header_parameters(request)
    if content_type != "application/json":
        raise RequestError("UnsupportedProtocol", "Only bodies of type application/json are supported here.")
    return _parsed(body)


def _header_parameters(request: Request) -> JsonObject:
    """Return the parameters that the SDK puts into headers when the body is binary: X-CLS-TopicId."""
    names = {"topicid": "TopicId", "hashkey": "HashKey", "compresstype": "CompressType"}
    sent = {
        name.removeprefix(_BINARY_PARAMETER_PREFIX): value
        for name, value in request.headers.items()
        if name.startswith(_BINARY_PARAMETER_PREFIX)
    }
    return {names.get(name, name): value for name, value in sent.items()}


def _parsed(body: bytes) -> JsonObject:
    try:
        parsed = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise invalid_parameter("The request body is not valid JSON.") from error
    if not isinstance(parsed, dict):
        raise invalid_parameter("The request body must be a JSON object.")
    return parsed


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _envelope(content: JsonObject) -> Response:
    return Response(json.dumps({"Response": content}), media_type="application/json")


def _event_stream(stream: EventStream) -> Response:
    lines = [f"id: {number}\ndata: {json.dumps(event)}\n\n" for number, event in enumerate(stream.events, 1)]
    return Response("".join(lines), headers={"content-type": "text/event-stream"})


def _echo(text: str) -> str:
    return text[:60]
