"""Found logs and analysis results, shaped as SearchLog, DescribeLogContext and GetAlarmLog answer them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from mcp_tencent.local_cloud.logs.answers import Analysis, Cell, StoredLog
from mcp_tencent.local_cloud.logs.indexing import CONTENT, TAG_PREFIX
from mcp_tencent.local_cloud.logs.lines import LogLine
from mcp_tencent.local_cloud.tencent.json_types import Json, JsonObject


def log_json(line: LogLine) -> str:
    """Return a line's key-values as the JSON string that `LogJson` and `Content` carry.

    A line without key-values has its text under `__CONTENT__`; so does one whose text says more than they do.
    """
    content: dict[str, str] = dict(line.fields)
    if line.text:
        content[CONTENT] = line.text
    content.update({TAG_PREFIX + name: value for name, value in line.origin.tags})
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def log_info(log: StoredLog, topic_name: str) -> JsonObject:
    """Return a log as SearchLog lists it (LogInfo): `PkgLogId` is a string here."""
    return {
        "Time": log.line.timestamp_ms,
        "TimeNanos": log.line.timestamp_ms * 1_000_000,
        "TopicId": log.topic_id,
        "TopicName": topic_name,
        "Source": log.line.origin.source,
        "FileName": log.line.origin.filename,
        "HostName": log.line.origin.hostname,
        "PkgId": log.package_id,
        "PkgLogId": str(log.package_log_id),
        "HighLights": [],
        "LogJson": log_json(log.line),
        "RawLog": "",
        "IndexStatus": "",
    }


def log_context_info(log: StoredLog) -> JsonObject:
    """Return a log as DescribeLogContext lists it (LogContextInfo): `PkgLogId` is a number here."""
    return {
        "Source": log.line.origin.source,
        "Filename": log.line.origin.filename,
        "HostName": log.line.origin.hostname,
        "Content": log_json(log.line),
        "PkgId": log.package_id,
        "PkgLogId": log.package_log_id,
        "BTime": log.line.timestamp_ms,
        "RawLog": "",
        "IndexStatus": "",
        "HighLights": [],
    }


def logs_answer(results: Sequence[JsonObject], context: str, *, list_over: bool) -> dict[str, Json]:
    """Return what a search without analysis answers."""
    return {
        "Context": context,
        "ListOver": list_over,
        "Analysis": False,
        "Results": list(results),
        "ColNames": [],
        "AnalysisResults": [],
        "AnalysisRecords": None,
        "Columns": None,
    }


def analysis_answer(analysis: Analysis, *, new_form: bool) -> dict[str, Json]:
    """Return what a search with analysis answers.

    Args:
        analysis: the rows.
        new_form: UseNewAnalysis: rows as JSON strings with typed columns, instead of lists of key-values.
    """
    answer: dict[str, Json] = {
        "Context": "",
        "ListOver": True,
        "Analysis": True,
        "Results": [],
        "ColNames": None,
        "AnalysisResults": None,
        "AnalysisRecords": None,
        "Columns": None,
    }
    names = [column.name for column in analysis.columns]
    if new_form:
        answer["Columns"] = [{"Name": column.name, "Type": column.type} for column in analysis.columns]
        answer["AnalysisRecords"] = [
            json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) for row in analysis.rows
        ]
    else:
        answer["ColNames"] = names
        answer["AnalysisResults"] = [
            {"Data": [{"Key": name, "Value": _as_text(cell)} for name, cell in zip(names, row, strict=True)]}
            for row in analysis.rows
        ]
    return answer


def _as_text(cell: Cell) -> str:
    if cell is None:
        return "null"
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return str(cell)
