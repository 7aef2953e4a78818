"""What of a topic's lines is indexed and how: it decides what a search can find.

Defaults and meaning follow the CLS index configuration (RuleInfo of CreateIndex).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

DEFAULT_TOKENIZER = "@&?|#()='\",;:<>[]{}/ \n\t\r\\"
"""The characters at which CLS cuts a text into tokens unless told otherwise."""

TAG_PREFIX = "__TAG__."
CONTENT = "__CONTENT__"
SOURCE = "__SOURCE__"
FILENAME = "__FILENAME__"
HOSTNAME = "__HOSTNAME__"
TIMESTAMP = "__TIMESTAMP__"


class ValueType(enum.Enum):
    """Type of a key-value index."""

    TEXT = "text"
    LONG = "long"
    DOUBLE = "double"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextIndex:
    """How a text is cut into tokens and compared."""

    tokenizer: str = DEFAULT_TOKENIZER
    """Each character cuts; empty means that the whole value is one token."""
    case_sensitive: bool = False
    contain_zh: bool = True
    """Whether each Chinese character is a token of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyIndex:
    """Index of one key."""

    type: ValueType = ValueType.TEXT
    text: TextIndex = TextIndex()
    """Unused by numeric types."""
    analysis: bool = True
    """Whether the analysis half may use the key as a column (SqlFlag)."""


BUILT_IN_KEYS: Mapping[str, KeyIndex] = {
    SOURCE: KeyIndex(),
    FILENAME: KeyIndex(),
    HOSTNAME: KeyIndex(),
    TIMESTAMP: KeyIndex(type=ValueType.LONG),
    CONTENT: KeyIndex(),
}
"""Keys of every log, searchable and analysable without configuration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicIndex:
    """Index of one topic."""

    full_text: TextIndex | None = TextIndex()
    """None when words without a key cannot be searched."""
    keys: Mapping[str, KeyIndex] = field(default_factory=dict)
    """By key; metadata under its full name `__TAG__.<name>`."""

    def key(self, name: str) -> KeyIndex | None:
        """Return the index of `name`, or None when it has none."""
        return self.keys.get(name) or BUILT_IN_KEYS.get(name)
