"""Reads CQL and Lucene searches into trees.

What both languages mean follows Tencent Cloud's "Syntax and Rules" of CLS search.
"""

from __future__ import annotations

import enum
import functools
import re
from dataclasses import dataclass, replace
from pathlib import Path

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken, VisitError

from mcp_tencent.local_cloud.logs.errors import QuerySyntaxError
from mcp_tencent.local_cloud.logs.query.nodes import (
    And,
    Comparator,
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
    all_of,
    any_of,
    depth,
    leaves,
    negate,
)

_MAX_BYTES = 12 * 1024
_MAX_TERMS = 200
_MAX_DEPTH = 50
_MAX_WILDCARDS = 100
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,3})?")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def parse(text: str, syntax: QuerySyntax) -> Node:
    """Read the search half of a statement; empty and `*` mean every log.

    Raises:
        QuerySyntaxError: with the offset of the first character that does not fit.
    """
    _check_characters(text)
    try:
        return _parser(syntax).parse(text)  # type: ignore[return-value]  # the transformer makes nodes
    except UnexpectedInput as error:
        raise _as_syntax_error(error, text) from error
    except VisitError as error:
        if isinstance(error.orig_exc, QuerySyntaxError):
            raise error.orig_exc from None
        raise


def is_number(text: str) -> bool:
    """Tell whether `text` is a number as both languages write it."""
    return _NUMBER.fullmatch(text) is not None


def _check_characters(text: str) -> None:
    for position, char in enumerate(text):
        if char == "\0" or "\ud800" <= char <= "\udfff":
            raise QuerySyntaxError(f"character {char!r} cannot be searched", position)
    if len(text.encode()) > _MAX_BYTES:
        raise QuerySyntaxError(f"the query is longer than {_MAX_BYTES} bytes", _MAX_BYTES)


def _as_syntax_error(error: UnexpectedInput, text: str) -> QuerySyntaxError:
    if isinstance(error, UnexpectedEOF) or (
        isinstance(error, UnexpectedToken) and error.token.type == "$END"
    ):
        return QuerySyntaxError("the query ends too early", len(text))
    position: int = error.pos_in_stream or 0  # type: ignore[redundant-expr]  # lark declares it wrongly
    if isinstance(error, UnexpectedToken):
        shown = str(error.token)
        return QuerySyntaxError(f"unexpected '{shown}'", position)
    if isinstance(error, UnexpectedCharacters) and text[position : position + 1] in "\"'":
        return QuerySyntaxError("a quotation mark is not closed or stands within a word", position)
    shown = text[position : position + 1]
    return QuerySyntaxError(
        f"unexpected '{shown}': put it in quotation marks or a backslash before it", position
    )


def _canonical(raw: str, *, wildcards: bool) -> str:
    """Resolve the backslashes of `raw`; without `wildcards`, `*` and `?` are taken as they stand."""

    def unescaped(match: re.Match[str]) -> str:
        char: str = match[1]
        return "\\" + char if char in "*?\\" else char

    if wildcards:
        return _ESCAPE.sub(unescaped, raw)
    return re.sub(r"\\(.)|([*?])", lambda m: unescaped(m) if m[1] else "\\" + m[2], raw, flags=re.DOTALL)


def _position(token: Token) -> int:
    return token.start_pos or 0


def _key_name(token: Token) -> str:
    return _ESCAPE.sub(r"\1", str(token)[:-1])


def _leaf_of(token: Token, *, any_token: bool) -> Node:
    pattern = _canonical(str(token), wildcards=True)
    position = _position(token)
    if pattern.strip("*") == "":
        return MatchAll()
    if pattern[0] in "*?":
        raise QuerySyntaxError("a term cannot begin with a wildcard", position)
    if pattern.count("*") + pattern.count("?") > _MAX_WILDCARDS:
        raise QuerySyntaxError(f"a term has at most {_MAX_WILDCARDS} wildcards", position)
    return Words(key=None, pattern=pattern, any_token=any_token, position=position)


def _phrase_of(token: Token, *, wildcards: bool) -> Node:
    pattern = _canonical(str(token)[1:-1], wildcards=wildcards)
    return Phrase(key=None, pattern=pattern, position=_position(token))


def _number_of(token: Token) -> str:
    text = str(token).strip("\"'")
    if not is_number(text):
        raise QuerySyntaxError(f"'{text}' is no number: only numeric keys can be compared", _position(token))
    return text


def _with_key(node: Node, key: str, position: int) -> Node:
    match node:
        case Compare(key="") | Words(key=None):
            return replace(node, key=key, position=position)
        case MatchAll():
            return Exists(key=key, position=position)
        case Phrase(key=None):
            if not node.pattern:
                return IsEmpty(key=key, position=position)
            return replace(node, key=key, position=position)
        case And():
            return all_of(_with_key(each, key, position) for each in node.nodes)
        case Or():
            return any_of(_with_key(each, key, position) for each in node.nodes)
        case Not():
            return negate(_with_key(node.node, key, position))
    raise QuerySyntaxError(f"within the brackets after '{key}:' there can be no other key", position)


def _shallow(node: Node) -> Node:
    """Return `node` unless it is nested too deep to be worked on recursively."""
    if depth(node) > _MAX_DEPTH:
        raise QuerySyntaxError(f"brackets are nested more than {_MAX_DEPTH} levels deep", 0)
    return node


@v_args(inline=True)
class _Reader(Transformer[Token, Node]):
    """What both languages share. Lark calls the method that is named like the rule."""

    any_token: bool
    """What an unquoted term of several tokens means; see Words."""
    operators: re.Pattern[str]
    """Words that are operators where they stand alone."""

    def word(self, token: Token) -> Node:
        if self.operators.fullmatch(str(token)):
            raise QuerySyntaxError(f"operator '{token}' without a term on each side", _position(token))
        return _leaf_of(token, any_token=self.any_token)

    def phrase(self, token: Token) -> Node:
        return _phrase_of(token, wildcards=True)

    def literal_phrase(self, token: Token) -> Node:
        return _phrase_of(token, wildcards=False)

    def comparison(self, comparator: Token, number: Token) -> Node:
        position = _position(number)
        return Compare(
            key="", comparator=Comparator(str(comparator)), number=_number_of(number), position=position
        )

    def keyed(self, key: Token, value: Node) -> Node:
        return _with_key(value, _key_name(key), _position(key))

    def start(self, node: Node | None) -> Node:
        if node is None:
            return MatchAll()
        terms = sum(1 for _ in leaves(node))
        if terms > _MAX_TERMS:
            raise QuerySyntaxError(f"the query has {terms} terms, at most {_MAX_TERMS} are allowed", 0)
        return node


@v_args(inline=True)
class _CqlReader(_Reader):
    any_token = False
    operators = re.compile("and|or|not", re.IGNORECASE)

    def word(self, token: Token) -> Node:
        if token[0] in "[{" and token[1:].strip():
            raise QuerySyntaxError(
                "CQL has no [a TO b]: write key:>=a AND key:<=b, or a backslash before the bracket",
                _position(token),
            )
        return super().word(token)

    def disjunction(self, *nodes: Node) -> Node:
        return _shallow(any_of(nodes))

    def conjunction(self, *nodes: Node) -> Node:
        return _shallow(all_of(nodes))

    def negated(self, node: Node) -> Node:
        return _shallow(negate(node))


class _Occur(enum.Enum):
    """Whether a Lucene clause may, must or must not match."""

    OPTIONAL = enum.auto()
    REQUIRED = enum.auto()
    EXCLUDED = enum.auto()


@dataclass(frozen=True, slots=True)
class _Clause:
    occur: _Occur
    node: Node


@v_args(inline=True)
class _LuceneReader(_Reader):
    any_token = True
    operators = re.compile("AND|OR|NOT")

    def optional(self, node: Node) -> _Clause:
        return _Clause(_Occur.OPTIONAL, node)

    def required(self, node: Node) -> _Clause:
        return _Clause(_Occur.REQUIRED, node)

    def excluded(self, node: Node) -> _Clause:
        return _Clause(_Occur.EXCLUDED, node)

    def conjunction(self, *clauses: _Clause) -> _Clause:
        if len(clauses) == 1:
            return clauses[0]
        nodes = [negate(each.node) if each.occur is _Occur.EXCLUDED else each.node for each in clauses]
        return _Clause(_Occur.OPTIONAL, _shallow(all_of(nodes)))

    def clauses(self, *clauses: _Clause) -> Node:
        """Join as Lucene does: a required clause makes optional ones irrelevant; excluded ones go."""
        required = [each.node for each in clauses if each.occur is _Occur.REQUIRED]
        optional = [each.node for each in clauses if each.occur is _Occur.OPTIONAL]
        excluded = [negate(each.node) for each in clauses if each.occur is _Occur.EXCLUDED]
        if not required and optional:
            required = [any_of(optional)]
        return _shallow(all_of([*required, *excluded]))

    def group(self, node: Node) -> Node:
        return node

    def range(self, opening: Token, low: Token, high: Token, closing: Token) -> Node:
        sides: list[Node] = []
        for token, exact, comparators in (
            (low, str(opening) == "[", (Comparator.GREATER, Comparator.GREATER_EQUAL)),
            (high, str(closing) == "]", (Comparator.LESS, Comparator.LESS_EQUAL)),
        ):
            if str(token) != "*":
                position = _position(token)
                number = _number_of(token)
                sides.append(Compare(key="", comparator=comparators[exact], number=number, position=position))
        return all_of(sides) if sides else MatchAll()


@functools.cache
def _parser(syntax: QuerySyntax) -> Lark:
    name, reader = (
        ("cql.lark", _CqlReader()) if syntax is QuerySyntax.CQL else ("lucene.lark", _LuceneReader())
    )
    grammar = Path(__file__).with_name(name).read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", transformer=reader, maybe_placeholders=True)
