"""Index rules as the API words them, turned into what the log store understands."""

from __future__ import annotations

from collections.abc import Iterable

from mcp_tencent.local_cloud.logs.indexing import TAG_PREFIX, KeyIndex, TextIndex, TopicIndex, ValueType
from mcp_tencent.local_cloud.tencent.calls import object_of, objects_of, text_of
from mcp_tencent.local_cloud.tencent.errors import invalid_value
from mcp_tencent.local_cloud.tencent.json_types import JsonObject


def topic_index(rule: JsonObject) -> TopicIndex:
    """Return the index that a RuleInfo describes.

    Raises:
        RequestError: InvalidParameterValue when a key has a type other than text, long or double.
    """
    full_text = object_of(rule, "FullText")
    keys = dict(_keys(object_of(rule, "KeyValue"), "Rule.KeyValue", prefix=""))
    keys.update(_keys(object_of(rule, "Tag"), "Rule.Tag", prefix=TAG_PREFIX))
    return TopicIndex(
        full_text=None if full_text is None else _text_index(full_text, bool(full_text.get("CaseSensitive"))),
        keys=keys,
    )


def _keys(group: JsonObject | None, path: str, *, prefix: str) -> Iterable[tuple[str, KeyIndex]]:
    if group is None:
        return
    case_sensitive = bool(group.get("CaseSensitive"))
    for number, entry in enumerate(objects_of(group, "KeyValues")):
        value = object_of(entry, "Value") or {}
        kind = text_of(value, "Type")
        if kind not in {member.value for member in ValueType}:
            raise invalid_value(f"{path}.KeyValues.{number}.Value.Type", kind, "text, long or double")
        yield (
            prefix + text_of(entry, "Key"),
            KeyIndex(
                type=ValueType(kind),
                text=_text_index(value, case_sensitive),
                analysis=bool(value.get("SqlFlag")),
            ),
        )


def _text_index(settings: JsonObject, case_sensitive: bool) -> TextIndex:
    return TextIndex(
        tokenizer=text_of(settings, "Tokenizer"),
        case_sensitive=case_sensitive,
        contain_zh=bool(settings.get("ContainZH")),
    )
