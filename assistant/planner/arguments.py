"""What fills each parameter: one reader a kind of argument, named in tools.yaml.

A reader returns the value and the pieces that say it; None when nothing does. Readers know no tool.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from assistant.planner.held_readers import (
    read_alert,
    read_channel,
    read_checkpoint,
    read_incident,
    read_link,
    read_manifest,
    read_receiving,
    read_recipient,
    read_report,
    read_target_address,
)
from assistant.planner.lexicon import Tool
from assistant.planner.log_readers import (
    read_alarm_query,
    read_around,
    read_condition,
    read_contains,
    read_interval,
    read_limit,
    read_of_log,
    read_previous,
    read_query,
    read_query_text,
    read_sql,
    read_tail,
    read_window,
)
from assistant.planner.number_readers import (
    read_alert_period,
    read_bound,
    read_clock,
    read_expires,
    read_horizon,
    read_min_score,
    read_mute_minutes,
    read_node_count,
    read_percent,
    read_replicas,
    read_retention,
    read_revision,
)
from assistant.planner.plan import PlannedCall
from assistant.planner.taking import Reader, Source, Taken, fits, read_enabled, read_period
from assistant.planner.text_readers import (
    read_alarm_filter,
    read_changes,
    read_config_kind,
    read_config_name,
    read_filter,
    read_instance_type,
    read_new_name,
    read_notice,
    read_person_name,
    read_phrase,
    read_source_topic,
    read_target_topic,
    read_word,
)

_SHORT = 10
"""Characters of a remark that goes on with what was just looked at: 总结一下, 有哪些 pod."""
_CREATED = {
    "enrol_person": "person",
    "create_logset": "logset",
    "create_topic": "topic",
    "create_alarm": "alarm",
    "create_node_pool": "node_pool",
}
"""What comes into being with a name that the next request may mean: 建个日志集，再在里面建个主题."""
_REGION = re.compile(r"[a-z]{2}-[a-z]+(?:-\d)?")
"""Ids of regions: concepts of the lexicon, or written out."""


def take(source: Source, parameter: str) -> Taken | None:
    """Return the argument for a parameter, if the sentence or the turn before has it."""
    spec = source.tool.take[parameter]
    kind, _, detail = spec.partition(" ")
    if kind == "name":
        return _name(source, detail)
    if kind == "period":
        return read_period(source, detail)
    if kind == "choice":
        return _choice(source, source.tool.choices[parameter])
    return READERS[kind](source)


def _name(source: Source, kind: str) -> Taken | None:
    piece = source.reading.first(f"@{kind}")
    if piece is not None:
        thing = next(thing for thing in piece.things if thing.kind == kind)
        return Taken(thing.id, (piece,))
    if kind == "workload" and "pod" in source.tool.take and _pod(source) is not None:
        return None  # the pod says it all
    return _remembered(source, kind)


def _remembered(source: Source, kind: str) -> Taken | None:
    context = source.context
    held = {
        "workload": context.last_workload,
        "cluster": context.last_cluster,
        "topic": context.last_topic,
        "pod": context.last_pod,
        "alert": context.last_alert,
        "incident": context.last_incident,
    }.get(kind, "")
    if not held and context.last_call is not None:
        last = context.last_call.arguments.get(kind)
        held = last if isinstance(last, str) else ""
    if context.last_call is not None and _CREATED.get(context.last_call.tool) == kind:
        held = str(context.last_call.arguments.get("name", ""))
    pronoun = source.reading.first("pronoun")
    needed = any(kind in alternative.split("|") for alternative in source.tool.need)
    said_so = pronoun is not None and fits(pronoun.text, kind)
    if held and kind == "cluster" and not needed and not ("集群" in pronoun.text if pronoun else False):
        return None
    goes_on = (
        source.goes_on
        and kind in ("workload", "topic")
        and not source.reading.has("@cluster", "@namespace", "@workload", "@topic")
    )
    same = (
        kind in ("topic", "workload")
        and context.last_call is not None
        and kind in context.last_call.arguments
        and len(source.reading.text) <= _SHORT
        and not any(piece.things for piece in source.reading.pieces)
    )
    goes_on = goes_on or same
    if held and (said_so or (needed and source.inherit) or goes_on) and kind != "namespace":
        return Taken(held, (pronoun,) if pronoun and said_so else (), remembered=True)
    return None


def _choice(source: Source, choices: Mapping[str, str]) -> Taken | None:
    for concept, value in choices.items():
        if piece := source.reading.first(concept):
            return Taken(value, (piece,))
    return None


def _region(source: Source) -> Taken | None:
    for piece in source.reading.pieces:
        if region := next((key for key in sorted(piece.keys) if _REGION.fullmatch(key)), ""):
            return Taken(region, (piece,))
        if "@word" in piece.keys and _REGION.fullmatch(piece.text):
            return Taken(piece.text, (piece,))
    return None


def _pod(source: Source) -> Taken | None:
    if piece := source.reading.first("@pod"):
        return Taken(piece.text, (piece,))
    pronoun = source.reading.first("pronoun")
    if (
        pronoun
        and source.context.last_pod
        and fits(pronoun.text, "pod")
        and not source.reading.has("@workload")
        and "服务" not in pronoun.text
    ):
        return Taken(source.context.last_pod, (pronoun,), remembered=True)
    return None


def _target(source: Source) -> Taken | None:
    reading = source.reading
    for key in ("@workload", "@node", "@cluster"):
        if piece := reading.first(key):
            return Taken(piece.things[0].id if piece.things else piece.text, (piece,))
    pronoun = reading.first("pronoun")
    context = source.context
    last = context.last_call.arguments if context.last_call else {}
    held = (
        next((str(last[key]) for key in ("target", "workload") if key in last), "") or context.last_workload
    )
    if pronoun and "集群" in pronoun.text and context.last_cluster:
        return Taken(context.last_cluster, (pronoun,), remembered=True)
    if held and (pronoun or source.inherit) and not reading.has("cluster"):
        return Taken(held, (pronoun,) if pronoun else (), remembered=True)
    if context.last_cluster and (pronoun or source.inherit) and not held:
        return Taken(context.last_cluster, (pronoun,) if pronoun else (), remembered=True)
    if source.inventory.default_cluster and not reading.has("@text", "node", "workload", "pod"):
        return Taken(source.inventory.default_cluster, (), remembered=True)
    return None


def _anomaly_target(source: Source) -> Taken | None:
    for key in ("@workload", "@topic", "@cluster", "@node", "@namespace"):
        if piece := source.reading.first(key):
            return Taken(piece.things[0].id if piece.things else piece.text, (piece,))
    pronoun = source.reading.first("pronoun")
    if source.context.last_workload and pronoun:
        return Taken(source.context.last_workload, (pronoun,), remembered=True)
    return None


def _metric(source: Source) -> Taken | None:
    pieces = source.reading.all("cpu", "memory", "disk", "network")
    metrics = {next(m for m in ("cpu", "memory", "disk", "network") if m in piece.keys) for piece in pieces}
    if len(metrics) != 1:
        return Taken("", tuple(pieces)) if pieces else None
    return Taken(metrics.pop(), tuple(pieces))


READERS: Mapping[str, Reader] = {
    "region": _region,
    "pod": _pod,
    "tail": read_tail,
    "limit": read_limit,
    "previous": read_previous,
    "contains": read_contains,
    "query": read_query,
    "query_beside_sql": lambda source: None,
    "query_text": read_query_text,
    "alarm_query": read_alarm_query,
    "condition": read_condition,
    "window": read_window,
    "interval": read_interval,
    "expires_in": read_expires,
    "horizon": read_horizon,
    "retention_days": read_retention,
    "mute_minutes": read_mute_minutes,
    "replicas": read_replicas,
    "revision": read_revision,
    "target": _target,
    "anomaly_target": _anomaly_target,
    "metric": _metric,
    "word": read_word,
    "topic_filter": read_filter,
    "dashboard_filter": read_filter,
    "alarm_filter": read_alarm_filter,
    "enabled": read_enabled,
    "receiving": read_receiving,
    "sql": read_sql,
    "changes": read_changes,
    "config_name": read_config_name,
    "config_kind": read_config_kind,
    "new_name": read_new_name,
    "phrase": read_phrase,
    "person_name": read_person_name,
    "instance_type": read_instance_type,
    "node_count": read_node_count,
    "minimum": read_bound("minimum"),
    "maximum": read_bound("maximum"),
    "source_topic": read_source_topic,
    "target_topic": read_target_topic,
    "notice": read_notice,
    "alert": read_alert,
    "incident": read_incident,
    "checkpoint": read_checkpoint,
    "report": read_report,
    "channel": read_channel,
    "setting_channel": read_channel,
    "recipient": read_recipient,
    "target_address": read_target_address,
    "percent": read_percent,
    "window_start": read_clock(0),
    "window_end": read_clock(1),
    "min_score": read_min_score,
    "alert_period": read_alert_period,
    "link": read_link,
    "manifest": read_manifest,
    "log_topic": read_of_log("topic"),
    "log_pkg_id": read_of_log("pkg_id"),
    "log_pkg_log_id": read_of_log("pkg_log_id"),
    "log_time": read_of_log("time"),
    "before": read_around("before"),
    "after": read_around("after"),
}


def call_of(tool: Tool, taken: Mapping[str, Taken]) -> PlannedCall:
    """Return the call that these arguments make; empty strings are defaults and stay out."""
    return PlannedCall(
        tool=tool.name, arguments={name: one.value for name, one in taken.items() if one.value != ""}
    )
