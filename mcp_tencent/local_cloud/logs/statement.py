"""A CLS statement is `search | analysis`: the cut between both halves."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_tencent.local_cloud.logs.query.nodes import QuerySyntax


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Both halves of a statement."""

    query: str
    sql: str | None
    """None when there is no analysis."""
    sql_offset: int
    """Where `sql` begins in the statement, in characters."""


def split_statement(text: str, syntax: QuerySyntax = QuerySyntax.CQL) -> Statement:
    """Cut `text` at its first `|` that is neither quoted nor escaped; `||` is Lucene's OR."""
    quotes = "\"'" if syntax is QuerySyntax.CQL else '"'
    quote = ""
    index = 0
    while index < len(text):
        char = text[index]
        if char == "\\":
            index += 1
        elif quote:
            quote = "" if char == quote else quote
        elif char in quotes:
            quote = char
        elif syntax is QuerySyntax.LUCENE and text.startswith("||", index):
            index += 1
        elif char == "|":
            return Statement(query=text[:index], sql=text[index + 1 :], sql_offset=index + 1)
        index += 1
    return Statement(query=text, sql=None, sql_offset=len(text))
