r"""Cuts texts and patterns into tokens, and turns patterns into regular expressions that find those tokens.

A text is cut at each character of the tokenizer; where the index contains Chinese, each Chinese character is
a token of its own. A pattern is cut in the same way, so `api/v1` looks for the tokens `api` and `v1`. Chinese
characters that stand side by side in a pattern must stand side by side in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mcp_tencent.local_cloud.logs.indexing import TextIndex

FIELD_BREAK = "\x1d"
"""Stands between values that are searched as one text: it cuts always, and no phrase reaches across it."""
_BREAK = r"\x{1D}"
_HAN = r"\x{3400}-\x{4DBF}\x{4E00}-\x{9FFF}\x{F900}-\x{FAFF}"


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character of a pattern."""

    char: str
    wild: bool = False
    """True when `char` is a wildcard, `*` or `?`, rather than itself."""


Token = tuple[Glyph, ...]


def is_han(char: str) -> bool:
    """Tell whether `char` is a Chinese character (the CJK ideographs of the basic plane)."""
    return "\u4e00" <= char <= "\u9fff" or "\u3400" <= char <= "\u4dbf" or "\uf900" <= char <= "\ufaff"


def glyphs(pattern: str) -> list[Glyph]:
    """Resolve the canonical escaping of a pattern."""
    found: list[Glyph] = []
    escaped = False
    for char in pattern:
        if escaped:
            found.append(Glyph(char))
            escaped = False
        elif char == "\\":
            escaped = True
        else:
            found.append(Glyph(char, wild=char in "*?"))
    return found


def tokens(pattern: str, index: TextIndex) -> list[tuple[Token, ...]]:
    """Cut a pattern into groups of tokens; within a group, tokens stand side by side without a cut.

    Tokens that consist of wildcards only say nothing and are left out.
    """
    groups: list[tuple[Token, ...]] = []
    group: list[Token] = []
    word: list[Glyph] = []

    def end_word() -> None:
        if any(not glyph.wild for glyph in word):
            group.append(tuple(word))
        word.clear()

    def end_group() -> None:
        end_word()
        if group:
            groups.append(tuple(group))
        group.clear()

    for glyph in glyphs(pattern):
        if not glyph.wild and glyph.char in index.tokenizer:
            end_group()
        elif index.contain_zh and not glyph.wild and is_han(glyph.char):
            end_word()
            group.append((glyph,))
        else:
            word.append(glyph)
    end_group()
    return groups


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """RE2 patterns that find a sequence of tokens."""

    needle: str
    """A quick one: whatever matches `exact` matches this, too."""
    exact: str


def expression(sequence: tuple[Token, ...], index: TextIndex) -> Expression:
    """Return what finds `sequence` as neighbouring tokens of a text."""
    flags = "(?s)" if index.case_sensitive else "(?is)"
    runs = [run for token in sequence for run in _literal_runs(token)]
    return Expression(needle=flags + re.escape(max(runs, key=len)), exact=flags + _exact(sequence, index))


def _literal_runs(token: Token) -> list[str]:
    """Return the texts between the wildcards of a token."""
    return "".join("\0" if glyph.wild else glyph.char for glyph in token).split("\0")


def _exact(sequence: tuple[Token, ...], index: TextIndex) -> str:
    inner = "".join(f"\\x{{{ord(char):X}}}" for char in index.tokenizer)
    cuts = _BREAK + inner + (_HAN if index.contain_zh else "")
    parts: list[str] = []
    for position, token in enumerate(sequence):
        han = _is_han_token(token, index)
        if position:
            between = "*" if han or _is_han_token(sequence[position - 1], index) else "+"
            parts.append(f"[{inner}]{between}" if inner else "")
        elif not han:
            parts.append(f"(?:^|[{cuts}])")
        parts.append(_word(token, f"[^{cuts}]"))
    if not _is_han_token(sequence[-1], index):
        parts.append(f"(?:$|[{cuts}])")
    return "".join(parts)


def _is_han_token(token: Token, index: TextIndex) -> bool:
    return index.contain_zh and len(token) == 1 and not token[0].wild and is_han(token[0].char)


def _word(token: Token, any_char: str) -> str:
    repeat = {"*": any_char + "*", "?": any_char}
    return "".join(repeat[glyph.char] if glyph.wild else re.escape(glyph.char) for glyph in token)
