"""What a night has tried in vain, the next does not try again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from mcp_tencent.devops.incidents import AttemptOutcome, IncidentStatus, Rung
from mcp_tencent.local_cloud.simulation import ManualClock
from tests.scheduler.nights import night_at


async def test_an_incident_that_the_previous_night_failed_on_goes_straight_to_a_person(
    tmp_path: Path,
) -> None:
    async with night_at("database-down", tmp_path) as night:
        first = await night.house.nights.run(night.today)
        (ending,) = first.endings
        (attempt,) = night.house.incidents.attempts(ending.incident_id)
        assert (attempt.rung, attempt.outcome) == (Rung.RESTART, AttemptOutcome.NOT_BETTER_RESTORED)
        done = night.acts()
        assert isinstance(night.cloud.clock, ManualClock)
        night.cloud.clock.advance(timedelta(days=1))
        second = await night.house.nights.run(night.today)
        (again,) = second.endings
        assert again.incident_id != ending.incident_id
        assert again.status is IncidentStatus.HUMAN
        assert again.reason == "能用的办法前不久试过，没有用"
        assert not night.house.incidents.attempts(again.incident_id)
        assert night.acts() == done
        stored = night.house.digests.get(night.today)
        assert stored is not None
        assert "能用的办法前不久试过，没有用" in stored.spoken
