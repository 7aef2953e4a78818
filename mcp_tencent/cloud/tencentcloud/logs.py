"""CLS, the whole log service, on the SDK."""

from __future__ import annotations

from mcp_tencent.cloud.tencentcloud.alarms import TencentAlarms
from mcp_tencent.cloud.tencentcloud.caller import TencentCaller
from mcp_tencent.cloud.tencentcloud.log_catalog import TencentLogCatalog
from mcp_tencent.cloud.tencentcloud.log_search import TencentLogSearch


class TencentLogService(TencentLogSearch, TencentLogCatalog, TencentAlarms):
    """Implements `LogService`: looking into lines, where they lie, and what alarms say of them."""

    def __init__(self, caller: TencentCaller) -> None:
        TencentLogSearch.__init__(self, caller)
        self._caller = caller
