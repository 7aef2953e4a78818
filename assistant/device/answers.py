"""What the tools about the appliance answer."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Said(BaseModel):
    """A sentence fit to be spoken."""

    summary: str


class Changed(Said):
    """What was changed, or would be."""

    dry_run: bool = False
    warnings: list[str] = Field(default_factory=list, description="Chinese.")


class Identity(Said):
    """Who speaks."""

    name: str
    permissions: list[str]
    namespaces: list[str] | None = Field(description="Where `rollback` holds; null: everywhere.")


class Capabilities(Said):
    """What one can say."""

    examples: list[str]


class HealthLine(BaseModel):
    """One thing about the device."""

    what: str
    value: str
    well: bool


class Health(Said):
    """How the device fares."""

    well: bool
    lines: list[HealthLine]


class PersonChanged(Changed):
    """What became of a person."""

    person: str
    permissions: list[str] = Field(default_factory=list)
