"""Trigger conditions of alarms, checked before they are sent: `$1.count > 10 && $1.errors >= 3`. Pure.

`$1` is the alarm's first query; what follows is a column of its result, or `__QUERYCOUNT__`, the number of
its rows. A column whose name is not plain ASCII stands in brackets: `[$1.错误数] > 10`. Conditions compare
with > >= < <= == !=, count with + - * / %, and join with && || ! and parentheses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mcp_tencent.errors import InvalidRequest

LONGEST = 512
_DEEPEST = 20
QUERY_COUNT = "__QUERYCOUNT__"

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<column>\$(?P<number>\d{1,2})\.(?P<name>[A-Za-z_][\w.]*)|\[\$(?P<number2>\d{1,2})\.(?P<name2>[^\]\n]+)\])
      | (?P<value>\d+(?:\.\d+)?|"[^"\n]*"|'[^'\n]*')
      | (?P<compare>>=|<=|==|!=|>|<)
      | (?P<join>&&|\|\|)
      | (?P<count>[+*/%-])
      | (?P<open>\()
      | (?P<close>\))
      | (?P<not>!)
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column that a condition reads."""

    query: int
    name: str


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


def columns_of(condition: str) -> frozenset[Column]:
    """Check a condition and return the columns that it reads.

    Raises:
        InvalidRequest: It is no condition; says at which character and what was expected there.
    """
    if len(condition) > LONGEST:
        raise InvalidRequest(f"a condition has at most {LONGEST} characters, not {len(condition)}")
    reader = _Reader(condition)
    reader.read_all()
    if not reader.columns:
        raise _wrong(condition, 0, "a column of the query, such as $1.count")
    if not reader.compares:
        raise _wrong(condition, len(condition), "a comparison, such as > 10")
    return frozenset(reader.columns)


class _Reader:
    """Reads a condition by recursive descent; keeps only what it mentions."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._at = 0
        self._depth = 0
        self.columns: list[Column] = []
        self.compares = False

    def read_all(self) -> None:
        self._joined()
        token = self._tokens[self._at]
        if token.kind != "end":
            raise _wrong(self._text, token.position, "&&, || or the end")

    def _joined(self) -> None:
        self._comparison()
        while self._taken("join"):
            self._comparison()

    def _comparison(self) -> None:
        while self._taken("not"):
            pass
        self._sum()
        if self._taken("compare"):
            self.compares = True
            self._sum()

    def _sum(self) -> None:
        self._operand()
        while self._taken("count"):
            self._operand()

    def _operand(self) -> None:
        token = self._tokens[self._at]
        if token.text == "-":
            self._at += 1
            token = self._tokens[self._at]
        if self._taken("open"):
            self._depth += 1
            if self._depth > _DEEPEST:
                raise _wrong(self._text, token.position, f"at most {_DEEPEST} nested parentheses")
            self._joined()
            if not self._taken("close"):
                raise _wrong(self._text, self._tokens[self._at].position, "a closing parenthesis")
            self._depth -= 1
            return
        if token.kind == "column":
            self.columns.append(_column(token.text))
        elif token.kind != "value":
            raise _wrong(self._text, token.position, "a column such as $1.count, or a number")
        self._at += 1

    def _taken(self, kind: str) -> bool:
        if self._tokens[self._at].kind != kind:
            return False
        self._at += 1
        return True


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            raise _wrong(text, at, "a column such as $1.count, a number or an operator")
        kind = next(name for name in _KINDS if match[name] is not None)
        tokens.append(_Token(kind, match[kind], match.start(kind)))
        at = match.end()
    tokens.append(_Token("end", "", end))
    return tokens


_KINDS = ("column", "value", "compare", "join", "count", "open", "close", "not")


def _column(text: str) -> Column:
    number, _, name = text.strip("[]").removeprefix("$").partition(".")
    return Column(query=int(number), name=name)


def _wrong(text: str, position: int, expected: str) -> InvalidRequest:
    shown = text[position : position + 12]
    found = f"{shown!r}" if shown else "the end"
    return InvalidRequest(
        f"the condition {text[:80]!r} is wrong at character {position}: expected {expected}, found {found}; "
        'its form is "$1.count > 10"'
    )
