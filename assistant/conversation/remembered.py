"""What one turn leaves behind for the next: “它”, “第二个”, “昨天的呢” mean something. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pydantic import JsonValue

from assistant.planner.plan import LogLine, PlannedCall, TurnContext

_FROM_ARGUMENTS = {
    "workload": "last_workload",
    "cluster": "last_cluster",
    "topic": "last_topic",
    "pod": "last_pod",
    "alert": "last_alert",
    "incident": "last_incident",
    "link": "last_link",
    "manifest": "last_manifest",
}


def remembered(
    before: TurnContext, say: str, call: PlannedCall, content: Mapping[str, JsonValue]
) -> TurnContext:
    """Return what is remembered after a call.

    Args:
        before: What was remembered until then.
        say: The sentence that led to the call.
        call: What was called.
        content: Its structured answer; empty when it failed.
    """
    named = {
        field: str(call.arguments[argument])
        for argument, field in _FROM_ARGUMENTS.items()
        if call.arguments.get(argument)
    }
    listed: dict[str, str] = {}
    alerts = _column(content, "alerts", "id")
    if len(alerts) == 1:
        listed["last_alert"] = alerts[0]
    for rows, key, field in (
        ("incidents", "id", "last_incident"),
        ("pods", "name", "last_pod"),
        ("workloads", "name", "last_workload"),
    ):
        found = _column(content, rows, key)
        if len(found) == 1:
            listed[field] = found[0]
    link = content.get("link")
    return replace(
        before,
        previous_say=say,
        last_call=call,
        last_alerts=alerts or before.last_alerts,
        last_log=_log_line(content) or before.last_log,
        **({"last_link": link} if isinstance(link, str) else {}),
        **{**listed, **named},
    )


def _rows(content: Mapping[str, JsonValue], name: str) -> tuple[Mapping[str, JsonValue], ...]:
    rows = content.get(name)
    return tuple(row for row in rows if isinstance(row, Mapping)) if isinstance(rows, list) else ()


def _column(content: Mapping[str, JsonValue], rows: str, key: str) -> tuple[str, ...]:
    return tuple(str(row[key]) for row in _rows(content, rows) if key in row)


def _log_line(content: Mapping[str, JsonValue]) -> LogLine | None:
    for row in _rows(content, "lines"):
        if all(isinstance(row.get(key), str) for key in LogLine.__slots__):
            return LogLine(**{key: str(row[key]) for key in LogLine.__slots__})
    return None
