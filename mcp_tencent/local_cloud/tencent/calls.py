"""One call of one action: who asks for what, where; and what actions answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from mcp_tencent.local_cloud.tencent.json_types import Json, JsonObject
from mcp_tencent.local_cloud.tencent.specification import Product


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A validated request. The getters trust the validation: what they return has the specified type."""

    product: Product
    action: str
    region: str
    """Empty for the few actions that have no region."""
    secret_id: str
    request_id: str
    base_url: str
    """How the client reached the cloud, e.g. http://127.0.0.1:8000; no trailing slash."""
    parameters: JsonObject = field(default_factory=dict)
    body: bytes = b""
    """The raw body, for the one action (UploadLog) that takes no JSON."""

    def has(self, name: str) -> bool:
        """Tell whether the parameter was sent."""
        return name in self.parameters

    def text(self, name: str, default: str = "") -> str:
        """Return a string parameter."""
        value = self.parameters.get(name, default)
        return value if isinstance(value, str) else default

    def integer(self, name: str, default: int = 0) -> int:
        """Return an integer parameter."""
        value = self.parameters.get(name, default)
        return value if isinstance(value, int) else default

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a boolean parameter."""
        value = self.parameters.get(name, default)
        return value if isinstance(value, bool) else default

    def texts(self, name: str) -> list[str]:
        """Return a list of strings, empty when it was not sent."""
        return texts_of(self.parameters, name)

    def objects(self, name: str) -> list[JsonObject]:
        """Return a list of objects, empty when it was not sent."""
        return objects_of(self.parameters, name)

    def object(self, name: str) -> JsonObject | None:
        """Return an object, or None when it was not sent."""
        return object_of(self.parameters, name)

    def subset(self, names: Sequence[str]) -> dict[str, Json]:
        """Return those of the named parameters that were sent: what a Create or Modify changes."""
        return {name: self.parameters[name] for name in names if name in self.parameters}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStream:
    """An answer in pieces, as server-sent events."""

    events: Sequence[JsonObject]


Action = Callable[[Call], "JsonObject | EventStream"]
ActionTable = Mapping[str, Action]


def texts_of(source: JsonObject, name: str) -> list[str]:
    """Return a list of strings out of a validated object."""
    value = source.get(name)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def objects_of(source: JsonObject, name: str) -> list[JsonObject]:
    """Return a list of objects out of a validated object."""
    value = source.get(name)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def object_of(source: JsonObject, name: str) -> JsonObject | None:
    """Return an object out of a validated object, or None."""
    value = source.get(name)
    return value if isinstance(value, Mapping) else None


def text_of(source: JsonObject, name: str, default: str = "") -> str:
    """Return a string out of a validated object."""
    value = source.get(name)
    return value if isinstance(value, str) else default


def integer_of(source: JsonObject, name: str, default: int = 0) -> int:
    """Return an integer out of a validated object."""
    value = source.get(name)
    return value if isinstance(value, int) else default
