"""Reads the bodies of requests: JSON, or YAML where clients may send it."""

from __future__ import annotations

import json
from typing import Any

import yaml

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.errors import BadRequestError, UnsupportedMediaTypeError
from mcp_tencent.local_cloud.kubernetes.kinds import ResourceKind
from mcp_tencent.local_cloud.kubernetes.schema.protobuf import MEDIA_TYPE, decode_protobuf
from mcp_tencent.local_cloud.kubernetes.schema.shapes import Decoding

_YAML_LIMIT_BYTES = 512 * 1024
_DEEPEST = 200
_BODY_TYPES = f"application/json, application/yaml, {MEDIA_TYPE}"


class _JsonLikeLoader(yaml.SafeLoader):
    """YAML without what JSON does not have: dates are text, keys are checked afterwards."""


_JsonLikeLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_json(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value of a JSON body.

    Raises:
        BadRequestError: it is no JSON, or nested too deeply.
    """
    try:
        value = json.loads(
            body.decode("utf-8", "replace"), parse_constant=_refuse_constant, parse_float=_finite
        )
    except RecursionError:
        raise BadRequestError("exceeded max depth") from None
    except ValueError as error:
        raise BadRequestError(f"couldn't get version/kind; json parse error: {str(error)[:200]}") from None
    return _sound(value, 0)


def read_json_or_yaml(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value of a body that may be YAML, of which JSON is a part.

    Raises:
        BadRequestError: it is neither.
    """
    if body.lstrip()[:1] in {b"{", b"["}:
        return read_json(body)
    if len(body) > _YAML_LIMIT_BYTES:
        raise BadRequestError(f"a YAML body may have at most {_YAML_LIMIT_BYTES} bytes")
    try:
        text = body.decode("utf-8", "replace")
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=_JsonLikeLoader)):
            raise BadRequestError("error decoding YAML: aliases are not accepted")
        value = yaml.load(text, Loader=_JsonLikeLoader)  # noqa: S506 - derived from SafeLoader
    except RecursionError:
        raise BadRequestError("exceeded max depth") from None
    except (yaml.YAMLError, ValueError) as error:
        raise BadRequestError(f"error decoding YAML: {str(error)[:200]}") from None
    return _sound(value, 0)


def read_body(body: bytes, content_type: str) -> KubernetesObject:
    """Return the object in a body.

    Raises:
        BadRequestError: it is malformed.
        UnsupportedMediaTypeError: its type is not spoken.
    """
    media = content_type.partition(";")[0].strip()
    if media in {"", "application/json", "*/*"}:
        value = read_json(body)
    elif media == "application/yaml":
        value = read_json_or_yaml(body)
    elif media == MEDIA_TYPE:
        value = _sound(decode_protobuf(body), 0)
    else:
        raise UnsupportedMediaTypeError(
            f"the body of the request was in an unknown format - accepted media types include: {_BODY_TYPES}"
        )
    if not isinstance(value, dict):
        raise BadRequestError(
            "json: cannot unmarshal a value that is no object into Go value of type map[string]interface {}"
        )
    return value


def decode_object(
    body: KubernetesObject, resource: ResourceKind, validation: str
) -> tuple[KubernetesObject, list[str]]:
    """Return a body decoded as an object of `resource`, and warnings about it.

    Args:
        body: as the client sent it.
        resource: what it must be.
        validation: the parameter fieldValidation: Ignore, Warn or Strict.

    Raises:
        BadRequestError: another kind or version, a wrong type, or (Strict) an unknown field.
    """
    kind, version = body.get("kind", resource.kind), body.get("apiVersion", resource.api_version)
    if kind != resource.kind:
        raise BadRequestError(
            f'{kind!s:.60} in version "{version!s:.60}" cannot be handled as a '
            f"{resource.kind}: converting ({kind!s:.60}) to ({resource.kind}): unknown "
            f"conversion"
        )
    if version != resource.api_version:
        raise BadRequestError(
            f"the API version in the data ({version!s:.60}) does not match the expected API "
            f"version ({resource.api_version})"
        )
    decoding = Decoding(resource.kind, resource.version)
    decoded = decoding.decode(body, resource.shape)
    decoded["kind"], decoded["apiVersion"] = resource.kind, resource.api_version
    unknown = [f'unknown field "{path[:200]}"' for path in decoding.unknown]
    if unknown and validation == "Strict":
        raise BadRequestError(
            f'{resource.kind} in version "{resource.version}" cannot be handled as a '
            f"{resource.kind}: strict decoding error: {', '.join(unknown[:20])}"
        )
    return decoded, [] if validation == "Ignore" else unknown[:20]


def _refuse_constant(name: str) -> Any:  # noqa: ANN401
    raise ValueError(f"invalid character in {name}")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"number out of range: {text[:40]}")
    return number


def _sound(value: Any, depth: int) -> Any:  # noqa: ANN401
    """Return `value` with text that can be written as UTF-8 again, or refuse it when nested too deeply."""
    if depth > _DEEPEST:
        raise BadRequestError("exceeded max depth")
    if isinstance(value, str):
        return (
            value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        )
    if isinstance(value, list):
        return [_sound(item, depth + 1) for item in value]
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise BadRequestError("keys must be strings")
        return {_sound(key, depth): _sound(item, depth + 1) for key, item in value.items()}
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        raise BadRequestError("numbers must be finite")
    if value is None or isinstance(value, bool | int | float):
        return value
    raise BadRequestError("only JSON values are accepted")
