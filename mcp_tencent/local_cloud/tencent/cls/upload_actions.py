"""UploadLog: logs that clients write themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from mcp_tencent.local_cloud.logs.lines import LogLine
from mcp_tencent.local_cloud.logs.store import LogStore
from mcp_tencent.local_cloud.tencent.calls import Action, Call
from mcp_tencent.local_cloud.tencent.cls.log_errors import service_errors
from mcp_tencent.local_cloud.tencent.cls.log_upload import (
    MalformedUploadError,
    UploadTooLargeError,
    decode_log_groups,
    decompress_lz4_block,
)
from mcp_tencent.local_cloud.tencent.cls.state import ClsState
from mcp_tencent.local_cloud.tencent.errors import ActionError, RequestError, invalid_value
from mcp_tencent.local_cloud.tencent.json_types import JsonObject

_OLDEST = timedelta(days=30)
_NEWEST = timedelta(minutes=15)


class UploadActions:
    """Appends uploaded logs to their topic."""

    def __init__(self, state: ClsState, logs: LogStore) -> None:
        self._state = state
        self._logs = logs

    def table(self) -> dict[str, Action]:
        """Return the actions by name."""
        return {"UploadLog": self.upload_log}

    def upload_log(self, call: Call) -> JsonObject:
        """Store the logs of a LogGroupList."""
        topic = self._state.region(call.region).topic(call.text("TopicId"))
        if not topic.collecting:
            raise ActionError("FailedOperation.TopicClosed", "The topic does not collect logs.")
        compression = call.text("CompressType").lower()
        if compression not in {"", "lz4"}:
            raise invalid_value("CompressType", compression, "lz4 or empty")
        try:
            body = decompress_lz4_block(call.body) if compression else call.body
            lines = decode_log_groups(body)
        except MalformedUploadError as error:
            raise RequestError("InvalidParameter.Content", f"Invalid content: {error}.") from error
        except UploadTooLargeError as error:
            raise ActionError("LimitExceeded.LogSize", f"Too much content: {error}.") from error
        if not lines:
            raise ActionError("FailedOperation.MissingContent", "The upload has no logs.")
        with service_errors():
            self._logs.append(topic.topic_id, self._dated(lines))
        return {}

    def _dated(self, lines: Sequence[LogLine]) -> list[LogLine]:
        """Give lines from beyond what is kept, or from the future, the time at which they arrived."""
        now = self._state.clock.now()
        oldest, newest = _milliseconds(now - _OLDEST), _milliseconds(now + _NEWEST)
        return [
            line if oldest <= line.timestamp_ms <= newest else replace(line, timestamp_ms=_milliseconds(now))
            for line in lines
        ]


def _milliseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)
