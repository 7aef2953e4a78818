r"""A search as a tree. Both languages are read into it; what differs between them is decided while reading.

Patterns keep one canonical escaping: `*` and `?` are wildcards, and `\*`, `\?`, `\\` are those characters.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field


class QuerySyntax(enum.IntEnum):
    """The language of a search, numbered as the parameter `QuerySyntax` of SearchLog."""

    LUCENE = 0
    CQL = 1


class Comparator(enum.Enum):
    """How a numeric key is compared."""

    GREATER = ">"
    GREATER_EQUAL = ">="
    LESS = "<"
    LESS_EQUAL = "<="
    EQUAL = "="


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchAll:
    """Every log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """An unquoted term: the tokens of `pattern`, wherever they stand."""

    key: str | None
    """None searches the full text."""
    pattern: str
    any_token: bool
    """False: all tokens must be there (CQL); True: one is enough (Lucene)."""
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """A quoted term: the tokens of `pattern`, next to each other in this order."""

    key: str | None
    pattern: str
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """A numeric key against a number."""

    key: str
    comparator: Comparator
    number: str
    """As written."""
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exists:
    """The log has the key."""

    key: str
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class IsEmpty:
    """The log has the key, and its value is the empty text."""

    key: str
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class And:
    """All of two or more."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Or:
    """At least one of two or more."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """Everything else."""

    node: Node


Leaf = MatchAll | Words | Phrase | Compare | Exists | IsEmpty
Node = Leaf | And | Or | Not


def all_of(nodes: Iterable[Node]) -> Node:
    """Return the conjunction, flat: no And directly within an And, none of a single node."""
    flat: list[Node] = []
    for node in nodes:
        flat.extend(node.nodes if isinstance(node, And) else (node,))
    return flat[0] if len(flat) == 1 else And(nodes=tuple(flat))


def any_of(nodes: Iterable[Node]) -> Node:
    """Return the disjunction, flat likewise."""
    flat: list[Node] = []
    for node in nodes:
        flat.extend(node.nodes if isinstance(node, Or) else (node,))
    return flat[0] if len(flat) == 1 else Or(nodes=tuple(flat))


def negate(node: Node) -> Node:
    """Return the complement; two negations cancel out."""
    return node.node if isinstance(node, Not) else Not(node=node)


def leaves(node: Node) -> Iterator[Leaf]:
    """Yield the leaves from left to right."""
    match node:
        case And() | Or():
            for each in node.nodes:
                yield from leaves(each)
        case Not():
            yield from leaves(node.node)
        case _:
            yield node


def depth(node: Node) -> int:
    """Return how many operators stand above the deepest leaf."""
    match node:
        case And() | Or():
            return 1 + max(depth(each) for each in node.nodes)
        case Not():
            return 1 + depth(node.node)
        case _:
            return 0
