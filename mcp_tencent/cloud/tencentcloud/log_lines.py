"""What CLS answers about log lines and analyses, as models of ours (pure)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mcp_tencent.cloud.tencentcloud.instants import from_milliseconds
from mcp_tencent.errors import InvalidRequest, UnexpectedAnswer
from mcp_tencent.models.logs import AnalysisColumn, AnalysisTable, Cell, LogLine

_MESSAGE_FIELDS = ("__CONTENT__", "message", "msg", "log", "content")
"""Where the text of a line stands, most usual first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """A search that can be continued: the service wants every parameter repeated as it was."""

    topic_id: str
    query: str
    start_ms: int
    end_ms: int
    order: str
    limit: int
    read: int
    """Lines read so far; the service stops at 10,000."""
    context: str

    def written(self) -> str:
        """Return it as one opaque word."""
        return base64.urlsafe_b64encode(json.dumps(asdict(self), ensure_ascii=False).encode()).decode()


def read_cursor(word: str) -> Cursor:
    """Return the cursor that was written as `word`.

    Raises:
        InvalidRequest: When it is none.
    """
    try:
        cursor = Cursor(**json.loads(base64.urlsafe_b64decode(word.encode())))
    except (binascii.Error, ValueError, TypeError) as exc:
        raise InvalidRequest("the cursor is not one that an earlier page gave") from exc
    texts = (cursor.topic_id, cursor.query, cursor.order, cursor.context)
    numbers = (cursor.start_ms, cursor.end_ms, cursor.limit, cursor.read)
    if not (all(isinstance(t, str) for t in texts) and all(type(n) is int for n in numbers)):
        raise InvalidRequest("the cursor is not one that an earlier page gave")
    return cursor


def line_of(info: Any) -> LogLine:  # noqa: ANN401 - LogInfo of the untyped SDK
    """Return a line as SearchLog gives it."""
    fields = _fields(info.LogJson)
    return LogLine(
        at=from_milliseconds(info.Time),
        topic_id=info.TopicId or "",
        text=_text(fields, info.RawLog),
        fields=fields,
        source=info.Source or "",
        filename=info.FileName or "",
        hostname=info.HostName or "",
        pkg_id=info.PkgId or "",
        pkg_log_id=_number_as_text(info.PkgLogId),
    )


def context_line_of(info: Any, topic_id: str) -> LogLine:  # noqa: ANN401 - LogContextInfo of the untyped SDK
    """Return a line as DescribeLogContext gives it, under other names than SearchLog."""
    fields = _fields(info.Content)
    return LogLine(
        at=from_milliseconds(info.BTime),
        topic_id=topic_id,
        text=_text(fields, info.RawLog),
        fields=fields,
        source=info.Source or "",
        filename=info.Filename or "",
        hostname=info.HostName or "",
        pkg_id=info.PkgId or "",
        pkg_log_id=_number_as_text(info.PkgLogId),
    )


def _number_as_text(number: object) -> str:
    # 0 is the first line of a package, and a valid number.
    return "" if number is None else str(number)


def _fields(text: str | None) -> Mapping[str, str]:
    if not text:
        return {}
    try:
        content = json.loads(text)
    except ValueError:
        return {"__CONTENT__": text}
    if not isinstance(content, dict):
        return {"__CONTENT__": text}
    return {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in content.items()
    }


def _text(fields: Mapping[str, str], raw: str | None) -> str:
    for name in _MESSAGE_FIELDS:
        if name in fields:
            return fields[name]
    return raw or json.dumps(dict(fields), ensure_ascii=False)


def table_of(answer: Any) -> AnalysisTable:  # noqa: ANN401 - SearchLogResponse of the untyped SDK
    """Return an analysis as a table whose cells are typed by their columns.

    Raises:
        UnexpectedAnswer: When a record is no JSON object.
    """
    columns = tuple(AnalysisColumn(name=c.Name, type=c.Type or "") for c in answer.Columns or ())
    try:
        records = [json.loads(record) for record in answer.AnalysisRecords or ()]
    except ValueError as exc:
        raise UnexpectedAnswer("an analysis record is not JSON", request_id=answer.RequestId) from exc
    if not all(isinstance(record, dict) for record in records):
        raise UnexpectedAnswer("an analysis record is not an object", request_id=answer.RequestId)
    return AnalysisTable(columns=columns, rows=tuple(_row(record, columns) for record in records))


def _row(record: Mapping[str, Any], columns: Sequence[AnalysisColumn]) -> tuple[Cell, ...]:
    return tuple(_cell(record.get(column.name), column.type) for column in columns)


_NUMBERS: Mapping[str, Callable[[str], Cell]] = {
    "bigint": int,
    "integer": int,
    "long": int,
    "double": float,
    "real": float,
    "boolean": lambda text: text.lower() == "true",
}


def _cell(value: object, column_type: str) -> Cell:
    if isinstance(value, str):
        reader = _NUMBERS.get(column_type.split("(")[0].lower())
        if reader is None:
            return value
        try:
            return reader(value)
        except ValueError:
            return None if value in ("", "null", "NULL") else value
    if value is None or isinstance(value, int | float | bool):
        return value
    return json.dumps(value, ensure_ascii=False)
