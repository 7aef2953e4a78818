"""What the alarm tools answer."""

from __future__ import annotations

from pydantic import Field

from mcp_tencent.basic.cluster_answers import Answer, Line, ListAnswer


class AlarmLine(Line):
    """An alarm policy."""

    id: str
    name: str
    enabled: bool
    level: str = Field(description="info, warn or critical.")
    condition: str
    topic: str
    query: str = Field(description="What it looks at, shortened.")
    window_minutes: int
    notices: list[str] = Field(description="Names of the groups that are told; empty: nobody.")
    region: str


class AlarmsAnswer(ListAnswer):
    """Alarm policies."""

    alarms: list[AlarmLine]


class AlarmRecordLine(Line):
    """An alarm that was raised."""

    id: str
    alarm: str
    alarm_id: str
    level: str
    status: str = Field(description="open, recovered, or invalid: its policy was changed meanwhile.")
    raised_at: str
    minutes: int = Field(description="How long it lasted; of an open one, until now.")
    trigger: str
    topic: str
    group: dict[str, str] = Field(description="What raised it, e.g. workload: order-service.")


class AlarmHistoryAnswer(ListAnswer):
    """Raised alarms: open ones first, then by level, then the latest."""

    total: int
    open: int
    critical: int
    records: list[AlarmRecordLine]


class AlarmRunLine(Line):
    """A run of a policy."""

    ran_at: str
    matched: bool
    outcome: str
    trigger: str
    notified: bool
    summary: str


class AlarmLogAnswer(ListAnswer):
    """Runs of a policy, latest first."""

    alarm: str
    total: int
    matched: int
    runs: list[AlarmRunLine]


class NoticeLine(Line):
    """A group of receivers."""

    id: str
    name: str
    receivers: int
    callbacks: int
    region: str


class NoticesAnswer(ListAnswer):
    """Groups of receivers."""

    notices: list[NoticeLine]


class AlarmChangeAnswer(Answer):
    """What became of a change of an alarm policy."""

    dry_run: bool
    id: str | None = Field(description="null when a creation was only checked.")
    name: str
    changed: bool = Field(description="False: it was so already, or was only checked.")
    enabled: bool
    level: str
    condition: str
    query: str
    notice: str | None = None
    before: dict[str, str] = Field(
        default_factory=dict, description="Of an update: what is different from before, with its old value."
    )
