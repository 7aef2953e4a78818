"""ChatCompletions, `text2sql`: a question in words to a CLS statement.

The real service asks a language model. Here a few rules know what people ask most: levels, status codes,
quoted phrases, counts, groups, rankings and trends; whatever they do not know, they leave out and say so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mcp_tencent.local_cloud.tencent.calls import Action, Call, EventStream, object_of, objects_of, text_of
from mcp_tencent.local_cloud.tencent.cls.state import ClsState, Topic
from mcp_tencent.local_cloud.tencent.errors import invalid_parameter, invalid_value
from mcp_tencent.local_cloud.tencent.json_types import Json, JsonObject

_MODELS = ("text2sql", "text2sql-reasoning")
_MAX_MESSAGES = 11
_CHUNK_CHARACTERS = 24

_LEVELS = (
    (re.compile(r"错误|报错|异常|\berrors?\b", re.IGNORECASE), "ERROR"),
    (re.compile(r"警告|告警|\bwarn(?:ing)?s?\b", re.IGNORECASE), "WARN"),
)
_STATUS = re.compile(r"(?<!\d)([1-5]\d{2})(?!\d)")
_STATUS_CLASS = re.compile(r"([1-5])xx", re.IGNORECASE)
_QUOTED = re.compile(r"[“\"「]([^”\"」]{1,80})[”\"」]")
_COUNT = re.compile(r"多少|几条|条数|数量|统计|次数|\bcount\b|how many", re.IGNORECASE)
_TREND = re.compile(r"趋势|每分钟|每小时|随时间|\btrend\b|over time", re.IGNORECASE)
_GROUP = re.compile(r"(?:按|每个|各个?|\bby\s+|\bper\s+)\s*([A-Za-z_][\w.]{0,60})", re.IGNORECASE)
_TOP = re.compile(r"(?:前|top)\s*(\d{1,3})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What the rules made of a question."""

    statement: str
    understood: tuple[str, ...]


class ChatActions:
    """Answers questions about one topic, whose index it reads for field names."""

    def __init__(self, state: ClsState) -> None:
        self._state = state

    def table(self) -> dict[str, Action]:
        """Return the actions by name."""
        return {"ChatCompletions": self.chat_completions}

    def chat_completions(self, call: Call) -> JsonObject | EventStream:
        """Answer the last question, at once or in pieces."""
        model = call.text("Model")
        if model not in _MODELS:
            raise invalid_value("Model", model, " or ".join(_MODELS))
        messages = call.objects("Messages")[-_MAX_MESSAGES:]
        _check_turns(messages)
        topic = self._topic(call)
        question = text_of(messages[-1], "Content")
        answer = _worded(_read(question, _field_names(topic)))
        created = int(self._state.clock.now().timestamp())
        frame: dict[str, Json] = {"Id": call.request_id, "Created": created, "Model": model}
        if call.flag("Stream"):
            return EventStream(events=_pieces(call.request_id, frame, answer))
        asked = sum(len(text_of(message, "Content")) for message in messages)
        usage = {"PromptTokens": asked, "CompletionTokens": len(answer), "TotalTokens": asked + len(answer)}
        message: JsonObject = {"Role": "assistant", "Content": answer, "ReasoningContent": ""}
        return {
            **frame,
            "Usage": usage,
            "Choices": [{"FinishReason": "stop", "Index": 0, "Message": message}],
        }

    def _topic(self, call: Call) -> Topic | None:
        metadata = {text_of(e, "Key"): text_of(e, "Value") for e in call.objects("Metadata")}
        topic_id = metadata.get("topic_id")
        return None if topic_id is None else self._state.region(call.region).topic(topic_id)


def _check_turns(messages: Sequence[JsonObject]) -> None:
    roles = [text_of(message, "Role") for message in messages]
    expected = ["user" if index % 2 == 0 else "assistant" for index in range(len(messages))]
    if not messages or roles != expected or len(messages) % 2 == 0:
        raise invalid_parameter("`Messages` must alternate user and assistant, begin and end with user.")
    if not all(text_of(message, "Content") for message in messages):
        raise invalid_parameter("`Messages.N.Content` must not be empty.")


def _field_names(topic: Topic | None) -> tuple[str, ...]:
    if topic is None or topic.index is None:
        return ()
    keys = objects_of(object_of(topic.index.rule, "KeyValue") or {}, "KeyValues")
    return tuple(text_of(entry, "Key") for entry in keys)


def _read(question: str, fields: Sequence[str]) -> _Reading:
    conditions, understood = _conditions(question, fields)
    condition = " AND ".join(conditions) or "*"
    group = _GROUP.search(question)
    top = _TOP.search(question)
    limit = int(top[1]) if top else 100
    if _TREND.search(question):
        bucket = "1h" if "小时" in question else "1m"
        analysis = (
            f"select histogram(cast(__TIMESTAMP__ as timestamp), interval {bucket[0]} "
            f"{'hour' if bucket == '1h' else 'minute'}) as time, count(*) as log_count "
            "group by time order by time limit 1000"
        )
        return _Reading(statement=f"{condition} | {analysis}", understood=(*understood, "按时间统计"))
    if group is not None and (not fields or group[1] in fields):
        field = group[1]
        analysis = (
            f'select "{field}", count(*) as log_count group by "{field}" '
            f"order by log_count desc limit {limit}"
        )
        return _Reading(statement=f"{condition} | {analysis}", understood=(*understood, f"按 {field} 分组"))
    if _COUNT.search(question):
        statement = f"{condition} | select count(*) as log_count"
        return _Reading(statement=statement, understood=(*understood, "统计条数"))
    return _Reading(statement=condition, understood=understood)


def _conditions(question: str, fields: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    conditions: list[str] = []
    understood: list[str] = []
    level_field = "level" if not fields or "level" in fields else None
    for pattern, level in _LEVELS:
        if pattern.search(question):
            conditions.append(level if level_field is None else f"{level_field}:{level}")
            understood.append(f"级别 {level}")
    if status_class := _STATUS_CLASS.search(question):
        first = int(status_class[1])
        conditions.append(f"status:>={first}00 AND status:<{first + 1}00")
        understood.append(f"状态码 {first}xx")
    elif status := _STATUS.search(question):
        conditions.append(f"status:{status[1]}")
        understood.append(f"状态码 {status[1]}")
    for quoted in _QUOTED.finditer(question):
        phrase = quoted[1].replace("\\", "\\\\")
        conditions.append(f'"{phrase}"')
        understood.append(f"包含“{quoted[1]}”")
    return conditions, tuple(understood)


def _worded(reading: _Reading) -> str:
    parts = "、".join(reading.understood) or "没有识别出具体条件，返回全部日志"
    return f"检索分析语句如下：\n\n```sql\n{reading.statement}\n```\n\n识别到：{parts}。"


def _pieces(request_id: str, frame: JsonObject, answer: str) -> list[JsonObject]:
    chunks = [answer[start : start + _CHUNK_CHARACTERS] for start in range(0, len(answer), _CHUNK_CHARACTERS)]
    events: list[JsonObject] = []
    for index, chunk in enumerate(chunks):
        last = index == len(chunks) - 1
        delta: JsonObject = {
            "Role": "assistant" if index == 0 else None,
            "Content": chunk,
            "ReasoningContent": None,
        }
        choice: JsonObject = {"Delta": delta, "Index": 0, "FinishReason": "stop" if last else None}
        events.append({"RequestId": request_id, **frame, "Choices": [choice]})
    return events
