"""Turns a tree into a condition in DuckDB's SQL over the tables of `tables_duckdb`."""

# ruff: noqa: S608 - SQL is written here; what people write reaches it as literals or checked trees only
from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mcp_tencent.local_cloud.logs.errors import FieldNotIndexed, QuerySyntaxError
from mcp_tencent.local_cloud.logs.indexing import (
    CONTENT,
    FILENAME,
    HOSTNAME,
    SOURCE,
    TIMESTAMP,
    KeyIndex,
    TextIndex,
    TopicIndex,
    ValueType,
)
from mcp_tencent.local_cloud.logs.query.nodes import (
    And,
    Compare,
    Exists,
    IsEmpty,
    MatchAll,
    Node,
    Not,
    Or,
    Phrase,
    Words,
)
from mcp_tencent.local_cloud.logs.query.parsing import is_number
from mcp_tencent.local_cloud.logs.query.segments import Expression, Token, expression, glyphs, tokens

_TRUE, _FALSE = "true", "false"
_NUMBER_TYPES = {ValueType.LONG: "BIGINT", ValueType.DOUBLE: "DOUBLE"}
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where the keys of a topic stand."""

    fields: Mapping[str, str]
    """Key to column of the line tables."""
    tags: Mapping[str, str]
    """`__TAG__.<name>` to column of the table of origins."""


def literal(text: str) -> str:
    """Return `text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


class PredicateWriter:
    """Writes conditions for the lines of one topic."""

    def __init__(self, index: TopicIndex, columns: Columns) -> None:
        self._index = index
        self._columns = columns

    def write(self, node: Node) -> str:
        """Return the condition; it is never NULL.

        Raises:
            FieldNotIndexed: a key without index is asked for.
            QuerySyntaxError: a key is asked in a way that its type forbids, or the full-text index is off.
        """
        match node:
            case MatchAll():
                return _TRUE
            case And():
                return "(" + " AND ".join(self.write(each) for each in node.nodes) + ")"
            case Or():
                return "(" + " OR ".join(self.write(each) for each in node.nodes) + ")"
            case Not():
                return f"(NOT {self.write(node.node)})"
            case Words(key=None) | Phrase(key=None):
                return self._full_text(node)
            case Words() | Phrase():
                return self._key_text(node)
            case Compare():
                return self._compare(node.key, node.comparator.value, node.number, node.position)
            case Exists():
                return self._exists(node)
            case IsEmpty():
                self._key_index(node.key, node.position)
                return self._on_key(node.key, lambda column: f"{column} = ''")

    def _full_text(self, node: Words | Phrase) -> str:
        index = self._index.full_text
        if index is None:
            raise QuerySyntaxError(
                "the full-text index is off: ask for a key, as in key:value", node.position
            )
        tags = [
            column
            for key, column in self._columns.tags.items()
            if (found := self._index.keys.get(key)) is not None and found.type is ValueType.TEXT
        ]

        def anywhere(wanted: Expression) -> str:
            within = [f"({_matches(column, wanted)})" for column in ("text", "extra")]
            if tags:
                within.append(_on_origin(" OR ".join(f"({_matches(tag, wanted)})" for tag in tags)))
            return "(" + " OR ".join(within) + ")"

        return _join(node, [anywhere(expression(each, index)) for each in _sequences(node, index)])

    def _key_text(self, node: Words | Phrase) -> str:
        key = node.key or ""
        index = self._key_index(key, node.position)
        if index.type is not ValueType.TEXT:
            number = "".join(glyph.char for glyph in glyphs(node.pattern))
            if not is_number(number):
                raise QuerySyntaxError(f"'{key}' is a number, '{number}' is none", node.position)
            return self._compare(key, "=", number, node.position)
        wanted = [expression(each, index.text) for each in _sequences(node, index.text)]
        return _join(node, [self._on_key(key, functools.partial(_matches, wanted=each)) for each in wanted])

    def _compare(self, key: str, comparator: str, number: str, position: int) -> str:
        index = self._key_index(key, position)
        if index.type is ValueType.TEXT:
            raise QuerySyntaxError(
                f"'{key}' is indexed as text and cannot be compared with a number", position
            )
        exact = number.lstrip("+-").isdigit() and int(number) in _INT64
        value = str(int(number)) if exact else f"{float(number)!r}::DOUBLE".replace("inf", "'inf'")
        kind = _NUMBER_TYPES[index.type]
        return self._on_key(key, lambda column: f"TRY_CAST({column} AS {kind}) {comparator} {value}")

    def _exists(self, node: Exists) -> str:
        index = self._key_index(node.key, node.position)
        kind = _NUMBER_TYPES.get(index.type, "VARCHAR")
        return self._on_key(node.key, lambda column: f"TRY_CAST({column} AS {kind}) IS NOT NULL")

    def _key_index(self, key: str, position: int) -> KeyIndex:
        index = self._index.key(key)
        if index is None:
            raise FieldNotIndexed(f"key '{key}' has no index", position)
        return index

    def _on_key(self, key: str, condition: Callable[[str], str]) -> str:
        """Apply `condition` to the column of `key`, wherever that stands."""
        of_origin = _quoted(key) if key in (SOURCE, FILENAME, HOSTNAME) else self._columns.tags.get(key)
        if of_origin is not None:
            return _on_origin(condition(of_origin))
        column = {TIMESTAMP: "ts", CONTENT: "text"}.get(key) or self._columns.fields.get(key)
        return _FALSE if column is None else f"coalesce({condition(column)}, false)"


def _quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _sequences(node: Words | Phrase, index: TextIndex) -> list[tuple[Token, ...]]:
    groups = tokens(node.pattern, index)
    if isinstance(node, Words):
        return groups
    whole = tuple(token for group in groups for token in group)
    return [whole] if whole else []


def _join(node: Words | Phrase, conditions: list[str]) -> str:
    """Join the conditions of a term's tokens; a term of separators only finds nothing."""
    if not conditions:
        return _FALSE
    operator = " OR " if isinstance(node, Words) and node.any_token else " AND "
    return "(" + operator.join(conditions) + ")"


def _matches(column: str, wanted: Expression) -> str:
    """The needle goes first: it is found four times as fast, and mostly it is not there."""
    needle, exact = literal(wanted.needle), literal(wanted.exact)
    return f"regexp_matches({column}, {needle}) AND regexp_matches({column}, {exact})"


def _on_origin(condition: str) -> str:
    return f"origin IN (SELECT origin FROM origins WHERE {condition})"
