"""Trigger conditions of alarms: `$1.errors > 10 && $2.__QUERYCOUNT__ == 0`, over what the statements gave.

`$N` is the N-th statement; what follows is a column of its rows, or `__QUERYCOUNT__`, the number of its rows.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from lark import Lark, Token, Transformer
from lark.exceptions import LarkError

from mcp_tencent.local_cloud.logs.answers import Cell

QUERY_COUNT = "__QUERYCOUNT__"
MAX_LENGTH = 1024
_MAX_NESTING = 100
"""Evaluation recurses where a condition nests."""

Row = Mapping[str, Cell]
Rows = Mapping[int, Row]
"""One row of each statement, by the statement's number."""

_GRAMMAR = r"""
?start: disjunction
?disjunction: conjunction ("||" conjunction)*
?conjunction: negation ("&&" negation)*
?negation: "!" negation -> negate
    | comparison
?comparison: sum (COMPARATOR sum)?
?sum: product (ADDITION product)*
?product: atom (MULTIPLICATION atom)*
?atom: NUMBER -> number
    | STRING -> string
    | reference
    | "-" atom -> minus
    | "(" disjunction ")"
reference: "[" BRACKETED "]" | REFERENCE

COMPARATOR: ">=" | "<=" | "==" | "!=" | ">" | "<"
ADDITION: "+" | "-"
MULTIPLICATION: "*" | "/" | "%"
REFERENCE.2: /\$\d{1,2}\.[^\W\d][\w.]*/
BRACKETED.3: /\$\d{1,2}\.[^\]\n]+/
NUMBER: /\d+(\.\d+)?([eE][+-]?\d+)?/
STRING: /"[^"\n]*"|'[^'\n]*'/
%ignore /\s+/
"""

Evaluate = Callable[[Rows], Cell]

_COMPARATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


class ConditionSyntaxError(ValueError):
    """The text is no trigger condition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A parsed trigger condition."""

    text: str
    references: frozenset[tuple[int, str]]
    """The statements and columns that it reads."""
    evaluate: Evaluate

    def holds(self, rows: Rows) -> bool:
        """Tell whether these rows trigger; a column that is missing or null never does."""
        return self.evaluate(rows) is True


def parse_condition(text: str) -> Condition:
    """Read a trigger condition.

    Raises:
        ConditionSyntaxError: it cannot be read.
    """
    if len(text) > MAX_LENGTH:
        raise ConditionSyntaxError(f"a condition has at most {MAX_LENGTH} characters")
    if sum(map(text.count, "-!(")) > _MAX_NESTING:
        raise ConditionSyntaxError(f"a condition has at most {_MAX_NESTING} of `-`, `!` and `(`")
    references: set[tuple[int, str]] = set()
    try:
        evaluate = _Evaluation(references).transform(_PARSER.parse(text))
    except (LarkError, RecursionError) as error:
        raise ConditionSyntaxError(f"cannot read the condition {text[:80]!r}") from error
    return Condition(text=text, references=frozenset(references), evaluate=evaluate)


class _Evaluation(Transformer[Token, Evaluate]):
    """Turns the parse tree into closures, noting which columns they read."""

    def __init__(self, references: set[tuple[int, str]]) -> None:
        super().__init__()
        self._references = references

    def number(self, children: Sequence[Token]) -> Evaluate:
        value = float(children[0])
        return lambda _: value

    def string(self, children: Sequence[Token]) -> Evaluate:
        value = str(children[0])[1:-1]
        return lambda _: value

    def reference(self, children: Sequence[Token]) -> Evaluate:
        number, _, column = str(children[0]).removeprefix("$").partition(".")
        statement = int(number)
        self._references.add((statement, column))
        return lambda rows: rows.get(statement, {}).get(column)

    def minus(self, children: Sequence[Evaluate]) -> Evaluate:
        zero: Evaluate = lambda _: 0.0  # noqa: E731 - a constant of the same kind as its neighbours
        return _arithmetic("-", zero, children[0])

    def negate(self, children: Sequence[Evaluate]) -> Evaluate:
        inner = children[0]
        return lambda rows: inner(rows) is False

    def disjunction(self, children: Sequence[Evaluate]) -> Evaluate:
        return lambda rows: any(child(rows) is True for child in children)

    def conjunction(self, children: Sequence[Evaluate]) -> Evaluate:
        return lambda rows: all(child(rows) is True for child in children)

    def comparison(self, children: tuple[Evaluate, Token, Evaluate]) -> Evaluate:
        left, comparator, right = children
        compare = _COMPARATORS[str(comparator)]
        return lambda rows: _compared(compare, left(rows), right(rows))

    def sum(self, children: Sequence[Evaluate | Token]) -> Evaluate:
        return _chain(children)

    def product(self, children: Sequence[Evaluate | Token]) -> Evaluate:
        return _chain(children)


def _chain(children: Sequence[Evaluate | Token]) -> Evaluate:
    """Fold `a + b - c` from the left."""
    operands = [child for child in children if not isinstance(child, Token)]
    signs = [str(child) for child in children if isinstance(child, Token)]
    pairs = zip(signs, operands[1:], strict=True)
    return reduce(lambda left, pair: _arithmetic(pair[0], left, pair[1]), pairs, operands[0])


def _arithmetic(sign: str, left: Evaluate, right: Evaluate) -> Evaluate:
    def evaluate(rows: Rows) -> Cell:
        a, b = _number(left(rows)), _number(right(rows))
        if a is None or b is None or (sign in "/%" and b == 0):
            return None
        match sign:
            case "+":
                return a + b
            case "-":
                return a - b
            case "*":
                return a * b
            case "/":
                return a / b
            case _:
                return a % b

    return evaluate


def _compared(compare: Callable[[Any, Any], bool], left: Cell, right: Cell) -> Cell:
    if left is None or right is None:
        return None
    a, b = _number(left), _number(right)
    if a is not None and b is not None:
        return compare(a, b)
    return compare(str(left), str(right))


def _number(value: Cell) -> float | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        return float(value)
    except ValueError:
        return None


_PARSER = Lark(_GRAMMAR, parser="lalr")
