"""Pages and filters as the Describe actions take them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from mcp_tencent.local_cloud.tencent.calls import Call, text_of, texts_of
from mcp_tencent.local_cloud.tencent.errors import RequestError, invalid_parameter, invalid_value

T = TypeVar("T")
Matcher = Callable[[T, Sequence[str]], bool]
"""Tells whether a resource has one of the values that a filter names."""

MAX_FILTERS = 10


def page(call: Call, found: Sequence[T], *, default: int = 20, maximum: int = 100) -> Sequence[T]:
    """Return the part of `found` that Offset and Limit ask for.

    Raises:
        RequestError: Offset is negative or Limit is not within 0 to `maximum`.
    """
    offset = call.integer("Offset")
    limit = call.integer("Limit", default)
    if offset < 0:
        raise invalid_value("Offset", offset, "0 or more")
    if not 0 <= limit <= maximum:
        raise invalid_value("Limit", limit, f"0 to {maximum}")
    return found[offset : offset + limit]


def matching(
    call: Call,
    resources: Sequence[T],
    matchers: Mapping[str, Matcher[T]],
    *,
    key: str = "Key",
    max_values: int = 100,
    tags: Callable[[T], Mapping[str, str]] | None = None,
) -> list[T]:
    """Return the resources that pass every filter of the call; within a filter, any value will do.

    Args:
        call: the call, whose `Filters` are read.
        resources: all there are.
        matchers: by filter name.
        key: how a filter calls its name: `Key` in CLS, `Name` in TKE.
        max_values: how many values a filter may have.
        tags: reads a resource's tags; with it, the filters `tagKey` and `tag:…` work as well.

    Raises:
        RequestError: too many filters or values, or a filter that the action does not know.
    """
    filters = call.objects("Filters")
    if len(filters) > MAX_FILTERS:
        raise invalid_parameter(f"`Filters` may have at most {MAX_FILTERS} entries, got {len(filters)}.")
    found = list(resources)
    for index, entry in enumerate(filters):
        name, values = text_of(entry, key), texts_of(entry, "Values")
        if len(values) > max_values:
            raise invalid_parameter(f"`Filters.{index}.Values` may have at most {max_values} entries.")
        matcher = matchers.get(name) or (_tag_matcher(name, tags) if tags is not None else None)
        if matcher is None:
            known = ", ".join(sorted(matchers))
            code = "InvalidFilter" if key == "Key" else "InvalidParameter"
            raise RequestError(code, f"The filter `{name[:60]}` is not supported; known are {known}.")
        found = [resource for resource in found if matcher(resource, values)]
    return found


def _tag_matcher(name: str, tags: Callable[[T], Mapping[str, str]]) -> Matcher[T] | None:
    if name == "tagKey":
        return lambda resource, values: any(value in tags(resource) for value in values)
    if name.startswith("tag:"):
        wanted = name.removeprefix("tag:")
        return lambda resource, values: tags(resource).get(wanted) in values
    return None


def equal(read: Callable[[T], str]) -> Matcher[T]:
    """Return a matcher for exact values."""
    return lambda resource, values: read(resource) in values


def containing(read: Callable[[T], str]) -> Matcher[T]:
    """Return a matcher for parts of values, as the consoles search names."""
    return lambda resource, values: any(value in read(resource) for value in values)
