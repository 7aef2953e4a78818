"""Tools for dashboards of the log service."""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import Field

from mcp_tencent.basic.cluster_answers import Line, ListAnswer
from mcp_tencent.basic.desk import BasicDesk
from mcp_tencent.basic.paging import Cursor, cut, page_of
from mcp_tencent.basic.wording import some
from mcp_tencent.models.clusters import Place
from mcp_tencent.models.logs import Dashboard
from mcp_tencent.serving.declare import ToolSet

_MOST_CHARTS = 12


class DashboardLine(Line):
    """A dashboard of charts over log topics."""

    id: str
    name: str
    region: str
    charts: list[str] = Field(description="Titles of its charts, at most twelve.")
    updated_at: str | None


class DashboardsAnswer(ListAnswer):
    """The dashboards."""

    dashboards: list[DashboardLine]


def dashboard_tools(desk: BasicDesk) -> ToolSet:
    """Declare the tools."""
    tools = ToolSet(outside="cls")

    @tools.read("列出仪表盘", cache_s=10.0)
    async def list_dashboards(
        name: Annotated[
            str | None,
            Field(description="Only dashboards whose name contains this.", min_length=1, max_length=200),
        ] = None,
        cursor: Cursor = None,
    ) -> DashboardsAnswer:
        """List the dashboards of the log service, with the titles of their charts.

        For “有哪些仪表盘”, “有没有看订单的大盘”. It lists them only: numbers come from analyze_logs.

        Example: list_dashboards(name="订单").
        """
        found = [
            (place, one)
            for place in desk.clouds.places
            for one in await desk.logs(place).dashboards()
            if (name or "").lower() in one.name.lower()
        ]
        page = page_of(found, lambda pair: _line(desk, *pair), cursor=cursor)
        names = some([one.name for _, one in found])
        return DashboardsAnswer(
            summary=f"共{len(found)}个仪表盘：{names}。" if found else "没有这样的仪表盘。",
            dashboards=page.items,
            left_out=page.left_out,
            cursor=page.cursor,
        )

    return tools


def _line(desk: BasicDesk, place: Place, dashboard: Dashboard) -> DashboardLine:
    return DashboardLine(
        id=dashboard.dashboard_id,
        name=dashboard.name,
        region=place.region,
        charts=[cut(title, 60) for title in _titles(dashboard.data_json)[:_MOST_CHARTS]],
        updated_at=desk.told(dashboard.updated_at),
    )


def _titles(data_json: str) -> list[str]:
    """Return the titles of a layout's panels; a layout that we do not know has none."""
    try:
        layout = json.loads(data_json or "{}")
    except ValueError:
        return []
    panels = layout.get("panels") if isinstance(layout, dict) else None
    if not isinstance(panels, list):
        return []
    titles = [panel.get("title") for panel in panels if isinstance(panel, dict)]
    return [title for title in titles if isinstance(title, str) and title]
