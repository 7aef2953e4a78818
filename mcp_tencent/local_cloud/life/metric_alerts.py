"""Alerts of Monitor's own alarm policies: scenarios tell of none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mcp_tencent.local_cloud.tencent.ports import MetricAlert


class NoMetricAlerts:
    """A MetricAlertHistory of an account whose alarms all stand in CLS."""

    def alerts(self, start: datetime, end: datetime) -> Sequence[MetricAlert]:
        """Return nothing."""
        return ()
