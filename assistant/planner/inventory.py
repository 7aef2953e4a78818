"""Everything that can be named, as the planner sees it: from a file, or from the live servers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

Kind: TypeAlias = Literal[
    "cluster", "namespace", "workload", "node_pool", "logset", "topic", "alarm", "dashboard", "person"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """Something with a name.

    Args:
        kind: What it is.
        id: What goes into a call.
        names: Everything else that it answers to, the best spoken one first.
        place: Tells it from others of the same name, e.g. its namespace.
    """

    kind: Kind
    id: str
    names: tuple[str, ...] = ()
    place: str = ""

    @property
    def spoken(self) -> str:
        """How it is best called."""
        return self.names[0] if self.names else self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """All things, and the cluster that is meant when none is named."""

    things: tuple[Thing, ...] = ()
    default_cluster: str = ""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="ignore")
    id: str
    name: str = ""
    aliases: tuple[str, ...] = ()
    namespace: str = ""


class _Defaults(BaseModel):
    model_config = ConfigDict(extra="ignore")
    cluster: str = ""


class InventoryFile(BaseModel):
    """An inventory written down, in the form of the evaluation sets."""

    model_config = ConfigDict(extra="ignore")
    now: str = ""
    defaults: _Defaults = Field(default_factory=_Defaults)
    clusters: tuple[_Entry, ...] = ()
    namespaces: tuple[_Entry, ...] = ()
    workloads: tuple[_Entry, ...] = ()
    node_pools: tuple[_Entry, ...] = ()
    logsets: tuple[_Entry, ...] = ()
    topics: tuple[_Entry, ...] = ()
    alarms: tuple[_Entry, ...] = ()
    dashboards: tuple[_Entry, ...] = ()
    people: tuple[_Entry, ...] = ()

    def inventory(self) -> Inventory:
        """Return what the planner needs of it."""
        groups: tuple[tuple[Kind, tuple[_Entry, ...]], ...] = (
            ("cluster", self.clusters),
            ("namespace", self.namespaces),
            ("workload", self.workloads),
            ("node_pool", self.node_pools),
            ("logset", self.logsets),
            ("topic", self.topics),
            ("alarm", self.alarms),
            ("dashboard", self.dashboards),
            ("person", self.people),
        )
        things = tuple(_thing(kind, entry) for kind, entries in groups for entry in entries)
        return Inventory(things=things, default_cluster=self.defaults.cluster)


def read_inventory(path: Path) -> InventoryFile:
    """Read an inventory file.

    Raises:
        pydantic.ValidationError: It is not of that form.
        OSError: It cannot be read.
    """
    return InventoryFile.model_validate_json(path.read_bytes())


def inventory_of(things: Iterable[Thing], *, default_cluster: str = "") -> Inventory:
    """Return an inventory of things that were looked up; a thing that stands twice counts once."""
    return Inventory(things=tuple(dict.fromkeys(things)), default_cluster=default_cluster)


def _thing(kind: Kind, entry: _Entry) -> Thing:
    names = tuple(dict.fromkeys(name for name in (*entry.aliases, entry.name) if name and name != entry.id))
    return Thing(kind=kind, id=entry.id, names=names, place=entry.namespace)
