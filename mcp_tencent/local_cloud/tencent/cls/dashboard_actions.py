"""Dashboards: stored as they are sent, listed as they were stored."""

from __future__ import annotations

import json

from mcp_tencent.local_cloud.tencent.calls import Action, Call
from mcp_tencent.local_cloud.tencent.cls.state import ClsRegion, ClsState, Resource, local_time, tags_of
from mcp_tencent.local_cloud.tencent.errors import ActionError, RequestError, invalid_parameter
from mcp_tencent.local_cloud.tencent.json_types import JsonObject
from mcp_tencent.local_cloud.tencent.paging import containing, equal, matching, page

_SETTINGS = ("Data", "Tags")


class DashboardActions:
    """Answers for dashboards from the state."""

    def __init__(self, state: ClsState) -> None:
        self._state = state

    def table(self) -> dict[str, Action]:
        """Return the actions by name."""
        return {
            "DescribeDashboards": self.describe_dashboards,
            "CreateDashboard": self.create_dashboard,
            "ModifyDashboard": self.modify_dashboard,
            "DeleteDashboard": self.delete_dashboard,
        }

    def describe_dashboards(self, call: Call) -> JsonObject:
        """List dashboards."""
        wanted = [str(entry.get("TopicId")) for entry in call.objects("TopicIdRegionFilter")]
        boards = [
            board
            for board in self._place(call).dashboards.values()
            if not wanted or any(topic in str(board.settings.get("Data", "")) for topic in wanted)
        ]
        found = matching(
            call,
            boards,
            {
                "dashboardId": equal(lambda board: board.resource_id),
                "dashboardName": containing(lambda board: board.name),
                "dashboardRegion": equal(lambda _: ""),
            },
            tags=lambda board: tags_of(board.settings),
        )
        return {"TotalCount": len(found), "DashboardInfos": [_shown(board) for board in page(call, found)]}

    def create_dashboard(self, call: Call) -> JsonObject:
        """Create a dashboard."""
        place, name = self._place(call), _checked_name(call)
        _refuse_taken(place, name, None)
        board = self._state.new_resource("dashboard-", name, _checked_settings(call))
        place.dashboards[board.resource_id] = board
        return {"DashboardId": board.resource_id}

    def modify_dashboard(self, call: Call) -> JsonObject:
        """Change a dashboard."""
        place = self._place(call)
        board = _dashboard(place, call)
        name = _checked_name(call) if call.has("DashboardName") else board.name
        _refuse_taken(place, name, board)
        place.dashboards[board.resource_id] = self._state.changed(board, name, _checked_settings(call))
        return {}

    def delete_dashboard(self, call: Call) -> JsonObject:
        """Delete a dashboard."""
        place = self._place(call)
        del place.dashboards[_dashboard(place, call).resource_id]
        return {}

    def _place(self, call: Call) -> ClsRegion:
        return self._state.region(call.region)


def _dashboard(place: ClsRegion, call: Call) -> Resource:
    board_id = call.text("DashboardId")
    if board_id not in place.dashboards:
        message = f"The dashboard {board_id[:60]} does not exist."
        raise ActionError("ResourceNotFound.DashboardRecordNotExist", message)
    return place.dashboards[board_id]


def _refuse_taken(place: ClsRegion, name: str, itself: Resource | None) -> None:
    if any(board.name == name for board in place.dashboards.values() if board is not itself):
        message = f"The dashboard {name[:60]} exists already."
        raise RequestError("InvalidParameter.DashboardNameConflict", message)


def _checked_name(call: Call) -> str:
    name = call.text("DashboardName")
    if not name or len(name.encode()) > 255:
        raise invalid_parameter("`DashboardName` must have 1 to 255 bytes.")
    return name


def _checked_settings(call: Call) -> JsonObject:
    data = call.text("Data")
    if data:
        try:
            json.loads(data)
        except (ValueError, RecursionError) as error:
            raise invalid_parameter("`Data` must be JSON.") from error
    return call.subset(_SETTINGS)


def _shown(board: Resource) -> JsonObject:
    return {
        "DashboardId": board.resource_id,
        "DashboardName": board.name,
        "Data": board.settings.get("Data", ""),
        "CreateTime": local_time(board.created_at),
        "UpdateTime": local_time(board.updated_at),
        "AssumerUin": 0,
        "RoleName": "",
        "AssumerName": "",
        "Tags": board.settings.get("Tags", []),
        "DashboardRegion": "",
        "DashboardTopicInfos": [],
    }
