"""A CLS statement is `search | analysis`: the cut between both halves."""

from __future__ import annotations

from dataclasses import dataclass

_QUOTES = "\"'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Both halves of a statement."""

    query: str
    sql: str | None
    """None when there is no analysis."""
    sql_offset: int
    """Where `sql` begins in the statement, in characters."""


def split_statement(text: str) -> Statement:
    """Cut `text` at its first `|` outside of quotes that is not escaped; `||` is Lucene's OR."""
    quote = ""
    index = 0
    while index < len(text):
        char = text[index]
        if char == "\\":
            index += 1
        elif quote:
            quote = "" if char == quote else quote
        elif char in _QUOTES:
            quote = char
        elif text.startswith("||", index):
            index += 1
        elif char == "|":
            return Statement(query=text[:index], sql=text[index + 1 :], sql_offset=index + 1)
        index += 1
    return Statement(query=text, sql=None, sql_offset=len(text))
