"""What requests and responses look like: the fields of every imitated action, read from spec/spec.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, NamedTuple


class Product(NamedTuple):
    """A product and the version of its API; TKE has two."""

    service: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldType:
    """A scalar (int64, uint64, float, string, bool, datetime_iso), an object type's name, or a list."""

    name: str
    is_list: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a request, a response or an object."""

    type: FieldType
    required: bool


Fields = Mapping[str, Field]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSpecification:
    """The fields that an action takes and gives."""

    request: Fields
    response: Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductSpecification:
    """The actions of one API version and the object types that they use."""

    actions: Mapping[str, ActionSpecification]
    types: Mapping[str, Fields]


@cache
def load_specification() -> Mapping[Product, ProductSpecification]:
    """Return the specification of every imitated product, by service and version."""
    text = files(__package__).joinpath("spec", "spec.json").read_text("utf-8")
    products: dict[Product, ProductSpecification] = {}
    for name, content in json.loads(text).items():
        service, version = name.split("@")
        products[Product(service, version)] = ProductSpecification(
            actions={
                action: ActionSpecification(
                    request=_fields(shape["request"]), response=_fields(shape["response"])
                )
                for action, shape in content["actions"].items()
            },
            types={name: _fields(fields) for name, fields in content["types"].items()},
        )
    return MappingProxyType(products)


def _fields(raw: Mapping[str, Mapping[str, Any]]) -> Fields:
    return {
        name: Field(type=_field_type(field["type"]), required=bool(field.get("required")))
        for name, field in raw.items()
    }


def _field_type(text: str) -> FieldType:
    if text.startswith("list<"):
        return FieldType(name=text.removeprefix("list<").removesuffix(">"), is_list=True)
    return FieldType(name=text, is_list=False)
