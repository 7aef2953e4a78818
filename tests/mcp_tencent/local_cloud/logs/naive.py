"""Decides whether a line matches a tree, token by token: slow, plain, and the measure of the SQL."""

from __future__ import annotations

from mcp_tencent.local_cloud.logs.indexing import TAG_PREFIX, KeyIndex, TextIndex, TopicIndex, ValueType
from mcp_tencent.local_cloud.logs.lines import LogLine
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


def cut(text: str, index: TextIndex) -> list[str]:
    tokens, word = [], ""
    for char in text:
        han = index.contain_zh and "\u4e00" <= char <= "\u9fff"
        if char in index.tokenizer or han:
            tokens += [word] if word else []
            tokens += [char] if han else []
            word = ""
        else:
            word += char
    return tokens + ([word] if word else [])


def pattern_groups(pattern: str, index: TextIndex) -> list[list[str]]:
    """Groups of side-by-side tokens; `\\x` within a token is the character x."""
    groups: list[list[str]] = [[]]
    word = ""

    def end() -> None:
        nonlocal word
        if word.replace("*", "").replace("?", ""):
            groups[-1].append(word)
        word = ""

    position = 0
    while position < len(pattern):
        char = pattern[position]
        plain = pattern[position + 1] if char == "\\" else char
        if plain in index.tokenizer and (char == "\\" or char not in "*?"):
            end()
            groups.append([])
        elif index.contain_zh and "\u4e00" <= plain <= "\u9fff":
            end()
            groups[-1].append(plain)
        else:
            word += "\\" + plain if char == "\\" else char
        position += 2 if char == "\\" else 1
    end()
    return [group for group in groups if group]


def like(token: str, pattern: str) -> bool:
    if not pattern:
        return not token
    if pattern[0] == "*":
        return any(like(token[skip:], pattern[1:]) for skip in range(len(token) + 1))
    if pattern[0] == "?":
        return bool(token) and like(token[1:], pattern[1:])
    literal, rest = (pattern[1], pattern[2:]) if pattern[0] == "\\" else (pattern[0], pattern[1:])
    return token[:1] == literal and like(token[1:], rest)


def has_sequence(text: str, sequence: list[str], index: TextIndex) -> bool:
    if not index.case_sensitive:
        text, sequence = text.lower(), [token.lower() for token in sequence]
    tokens = cut(text, index)
    starts = range(len(tokens) - len(sequence) + 1)
    return any(all(like(tokens[at + n], each) for n, each in enumerate(sequence)) for at in starts)


def value_of(line: LogLine, key: str) -> str | None:
    if key.startswith(TAG_PREFIX):
        return dict(line.origin.tags).get(key.removeprefix(TAG_PREFIX))
    built_in = {
        "__SOURCE__": line.origin.source,
        "__FILENAME__": line.origin.filename,
        "__HOSTNAME__": line.origin.hostname,
        "__CONTENT__": line.text,
    }
    return built_in.get(key, dict(line.fields).get(key))


def number_of(value: str | None, index: KeyIndex) -> float | None:
    try:
        return None if value is None else int(value) if index.type is ValueType.LONG else float(value)
    except ValueError:
        return None


def matches(line: LogLine, node: Node, index: TopicIndex) -> bool:
    match node:
        case MatchAll():
            return True
        case And():
            return all(matches(line, each, index) for each in node.nodes)
        case Or():
            return any(matches(line, each, index) for each in node.nodes)
        case Not():
            return not matches(line, node.node, index)
        case Exists():
            key = index.key(node.key)
            assert key is not None
            value = value_of(line, node.key)
            return value is not None if key.type is ValueType.TEXT else number_of(value, key) is not None
        case IsEmpty():
            return value_of(line, node.key) == ""
        case Compare():
            key = index.key(node.key)
            assert key is not None
            number, limit = number_of(value_of(line, node.key), key), float(node.number)
            if number is None:
                return False
            return {
                ">": number > limit,
                ">=": number >= limit,
                "<": number < limit,
                "<=": number <= limit,
                "=": number == limit,
            }[node.comparator.value]
        case Words() | Phrase():
            return _text_matches(line, node, index)


def _text_matches(line: LogLine, node: Words | Phrase, index: TopicIndex) -> bool:
    if node.key is None:
        assert index.full_text is not None
        how = index.full_text
        tags = [value for name, value in line.origin.tags if TAG_PREFIX + name in index.keys]
        texts = [line.text, *(value for _, value in line.fields), *tags]
    else:
        key = index.key(node.key)
        assert key is not None
        how = key.text
        texts = [value] if (value := value_of(line, node.key)) is not None else []
    groups = pattern_groups(node.pattern, how)
    if not groups:
        return False
    if isinstance(node, Phrase):
        groups = [[token for group in groups for token in group]]
    found = [any(has_sequence(text, group, how) for text in texts) for group in groups]
    return any(found) if isinstance(node, Words) and node.any_token else all(found)
