"""Writes a tree as CQL or Lucene; reading it again gives the same tree."""

from __future__ import annotations

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
    QuerySyntax,
    Words,
)

_OPERATORS = {"and", "or", "not", "to"}


def format_query(node: Node, syntax: QuerySyntax) -> str:
    """Return `node` as a search in `syntax`, with every operator explicit."""
    match node:
        case MatchAll():
            return "*"
        case Words():
            return _key(node.key) + _word(node.pattern)
        case Phrase():
            return _key(node.key) + _phrase(node.pattern)
        case Compare():
            return _comparison(node, syntax)
        case Exists():
            return f"{_key(node.key)}*"
        case IsEmpty():
            return f'{_key(node.key)}""'
        case And():
            return " AND ".join(_operand(each, syntax) for each in node.nodes)
        case Or():
            return " OR ".join(_operand(each, syntax) for each in node.nodes)
        case Not():
            return f"NOT {_operand(node.node, syntax)}"


def _operand(node: Node, syntax: QuerySyntax) -> str:
    text = format_query(node, syntax)
    return f"({text})" if isinstance(node, And | Or | Not) else text


def _comparison(node: Compare, syntax: QuerySyntax) -> str:
    if syntax is QuerySyntax.LUCENE and node.comparator.value == "=":
        return f"{_key(node.key)}[{node.number} TO {node.number}]"
    return f"{_key(node.key)}{node.comparator.value}{node.number}"


def _key(key: str | None) -> str:
    if key is None:
        return ""
    return "".join(char if _plain(char) else "\\" + char for char in key) + ":"


def _plain(char: str) -> bool:
    return char.isalnum() or char in "_."


def _word(pattern: str) -> str:
    """Escape all but letters, digits and wildcards; an operator's name loses its meaning by a backslash."""
    text = []
    escaped = False
    for char in pattern:
        if escaped:
            text.append("\\" + char)
            escaped = False
        elif char == "\\":
            escaped = True
        else:
            text.append(char if _plain(char) or char in "*?" else "\\" + char)
    word = "".join(text)
    return "\\" + word if word.lower() in _OPERATORS else word


def _phrase(pattern: str) -> str:
    return '"' + pattern.replace('"', '\\"') + '"'
