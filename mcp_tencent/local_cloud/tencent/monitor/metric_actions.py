"""Metrics: what there is, and their values over time (Monitor 2018-07-24)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import fmean

from mcp_tencent.local_cloud.simulation import Clock
from mcp_tencent.local_cloud.tencent.calls import Action, Call, objects_of, text_of, texts_of
from mcp_tencent.local_cloud.tencent.cls.state import CHINA, local_time
from mcp_tencent.local_cloud.tencent.errors import RequestError, invalid_parameter, invalid_value
from mcp_tencent.local_cloud.tencent.json_types import Json, JsonObject
from mcp_tencent.local_cloud.tencent.ports import Dimensions, MetricDescription, MetricSource

_PERIODS = (60, 300, 3600, 86400)
_STATISTIC_SPANS = {
    60: (timedelta(hours=12), timedelta(days=15)),
    300: (timedelta(days=3), timedelta(days=31)),
    3600: (timedelta(days=30), timedelta(days=93)),
    86400: (timedelta(days=186), timedelta(days=186)),
}
"""Longest window and oldest start of DescribeStatisticData, by period in seconds."""
MAX_POINTS = 7200
"""Of GetMonitorData, per request."""
MAX_INSTANCES = 50
MAX_METRICS = 20
_AVERAGE, _MAXIMUM, _MINIMUM = 1, 2, 4

Points = Sequence[tuple[datetime, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """A window cut to whole periods."""

    start: datetime
    end: datetime
    period: int


class MetricActions:
    """Answers for metrics from the world's metric source."""

    def __init__(self, clock: Clock, source: MetricSource) -> None:
        self._clock = clock
        self._source = source

    def table(self) -> dict[str, Action]:
        """Return the actions by name."""
        return {
            "DescribeStatisticData": self.describe_statistic_data,
            "GetMonitorData": self.get_monitor_data,
            "DescribeBaseMetrics": self.describe_base_metrics,
        }

    def describe_statistic_data(self, call: Call) -> JsonObject:
        """Return metrics of everything that meets the conditions, one series for each of its dimensions."""
        _require_module(call)
        namespace, names = call.text("Namespace"), call.texts("MetricNames")
        if not 1 <= len(names) <= MAX_METRICS:
            raise invalid_parameter(f"`MetricNames` must have 1 to {MAX_METRICS} entries, got {len(names)}.")
        for name in names:
            self._metric(namespace, name)
        conditions = _conditions(call)
        if namespace == "QCE/TKE2" and not conditions:
            raise invalid_parameter("`Conditions` must be given for QCE/TKE2.")
        span = self._span(call)
        longest, oldest = _STATISTIC_SPANS[span.period]
        if span.end - span.start > longest or self._clock.now() - span.start > oldest:
            message = f"With Period {span.period} the window may be {longest} long and begin {oldest} ago."
            raise invalid_parameter(message)
        groups = call.texts("GroupBys")
        data = [self._metric_data(namespace, name, conditions, groups, span) for name in names]
        return {
            "Period": span.period,
            "StartTime": local_time(span.start),
            "EndTime": local_time(span.end),
            "Data": data,
        }

    def get_monitor_data(self, call: Call) -> JsonObject:
        """Return one metric of the named instances."""
        namespace, name = call.text("Namespace"), call.text("MetricName")
        self._metric(namespace, name)
        instances = [_dimensions(instance) for instance in call.objects("Instances")]
        if not 1 <= len(instances) <= MAX_INSTANCES:
            raise invalid_parameter(f"`Instances` must have 1 to {MAX_INSTANCES} entries.")
        span = self._span(call)
        points = (span.end - span.start).total_seconds() / span.period * len(instances)
        if points > MAX_POINTS:
            raise invalid_parameter(f"A request may return {MAX_POINTS} points, this one has {int(points)}.")
        statistics = call.integer("SpecifyStatistics", 0)
        if statistics not in range(8):
            raise invalid_value("SpecifyStatistics", statistics, "a sum of 1 (avg), 2 (max) and 4 (min)")
        return {
            "Period": span.period,
            "MetricName": name,
            "DataPoints": [self._data_point(namespace, name, item, span, statistics) for item in instances],
            "StartTime": _iso(span.start),
            "EndTime": _iso(span.end),
            "Msg": "",
        }

    def describe_base_metrics(self, call: Call) -> JsonObject:
        """List the metrics of a namespace."""
        namespace, name = call.text("Namespace"), call.text("MetricName")
        wanted = set(call.texts("Dimensions"))
        metrics = [
            metric
            for metric in self._source.metrics(namespace)
            if (not name or metric.name == name) and wanted <= set(metric.dimensions)
        ]
        return {"MetricSet": [_shown_metric(namespace, metric) for metric in metrics]}

    def _metric(self, namespace: str, name: str) -> MetricDescription:
        for metric in self._source.metrics(namespace):
            if metric.name == name:
                return metric
        message = f"The metric {name[:60]} is not found in the namespace {namespace[:60]}."
        raise RequestError("InvalidParameterValue", message)

    def _metric_data(
        self,
        namespace: str,
        name: str,
        conditions: Mapping[str, Sequence[str]],
        groups: Sequence[str],
        span: _Span,
    ) -> JsonObject:
        instances = self._source.instances(namespace, name, conditions)
        series = [(instance, self._series(namespace, name, instance, span)) for instance in instances]
        if groups:
            series = _grouped(series, groups)
        return {
            "MetricName": name,
            "Points": [
                {
                    "Dimensions": _shown_dimensions(instance),
                    "Values": [{"Timestamp": int(at.timestamp()), "Value": value} for at, value in points],
                }
                for instance, points in series
            ],
        }

    def _data_point(
        self, namespace: str, name: str, instance: Dimensions, span: _Span, statistics: int
    ) -> JsonObject:
        points = self._series(namespace, name, instance, span)
        values = [value for _, value in points]
        return {
            "Dimensions": _shown_dimensions(instance),
            "Timestamps": [at.timestamp() for at, _ in points],
            "Values": values,
            "AvgValues": values if statistics & _AVERAGE else [],
            "MaxValues": values if statistics & _MAXIMUM else [],
            "MinValues": values if statistics & _MINIMUM else [],
        }

    def _series(self, namespace: str, name: str, instance: Dimensions, span: _Span) -> Points:
        return self._source.series(namespace, name, instance, span.start, span.end, span.period)

    def _span(self, call: Call) -> _Span:
        period = call.integer("Period", 300)
        if period not in _PERIODS:
            raise invalid_value("Period", period, "60, 300, 3600 or 86400 seconds")
        now = self._clock.now()
        end = _instant(call, "EndTime", now)
        start = _instant(call, "StartTime", end)
        if start > end:
            raise invalid_parameter("`StartTime` must not be after `EndTime`.")
        return _Span(start=_floor(start, period), end=_floor(end, period), period=period)


def _require_module(call: Call) -> None:
    if call.text("Module") != "monitor":
        raise invalid_value("Module", call.text("Module"), "monitor")


def _conditions(call: Call) -> dict[str, Sequence[str]]:
    conditions: dict[str, Sequence[str]] = {}
    for index, entry in enumerate(call.objects("Conditions")):
        sign, values = text_of(entry, "Operator"), texts_of(entry, "Value")
        if sign not in {"=", "in"} or not values or (sign == "=" and len(values) != 1):
            message = f"`Conditions.{index}` must be `=` with one value or `in` with several."
            raise invalid_parameter(message)
        conditions[text_of(entry, "Key")] = values
    return conditions


def _dimensions(instance: JsonObject) -> dict[str, str]:
    return {text_of(entry, "Name"): text_of(entry, "Value") for entry in objects_of(instance, "Dimensions")}


def _grouped(
    series: Sequence[tuple[Dimensions, Points]], groups: Sequence[str]
) -> list[tuple[Dimensions, Points]]:
    """Return the mean over all series that share the grouping dimensions."""
    values: dict[tuple[str, ...], dict[datetime, list[float]]] = {}
    for instance, points in series:
        key = tuple(instance.get(name, "") for name in groups)
        for at, value in points:
            values.setdefault(key, {}).setdefault(at, []).append(value)
    return [
        (
            dict(zip(groups, key, strict=True)),
            [(at, fmean(several)) for at, several in sorted(points.items())],
        )
        for key, points in values.items()
    ]


def _instant(call: Call, name: str, default: datetime) -> datetime:
    text = call.text(name)
    if not text:
        return default
    try:
        parsed = datetime.fromisoformat(text)
        instant = (parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=CHINA)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise invalid_value(name, text, "an ISO 8601 time such as 2026-11-20T08:00:00+08:00") from error
    if not 1970 <= instant.year <= 2200:
        raise invalid_value(name, text, "a time between 1970 and 2200")
    return instant


def _floor(instant: datetime, period: int) -> datetime:
    seconds = int(instant.timestamp())
    return datetime.fromtimestamp(seconds - seconds % period, UTC)


def _iso(instant: datetime) -> str:
    return instant.astimezone(CHINA).isoformat(timespec="seconds")


def _shown_dimensions(instance: Dimensions) -> list[Json]:
    return [{"Name": name, "Value": value} for name, value in instance.items()]


def _shown_metric(namespace: str, metric: MetricDescription) -> JsonObject:
    return {
        "Namespace": namespace,
        "MetricName": metric.name,
        "Unit": metric.unit,
        "UnitCname": metric.unit,
        "Period": list(_PERIODS),
        "Periods": [{"Period": str(period), "StatType": ["avg", "max", "min"]} for period in _PERIODS],
        "Meaning": {"En": metric.english_name, "Zh": metric.chinese_name},
        "Dimensions": [{"Dimensions": list(metric.dimensions)}],
        "MetricCName": metric.chinese_name,
        "MetricEName": metric.english_name,
    }
