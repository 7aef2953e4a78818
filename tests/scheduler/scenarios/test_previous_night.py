"""What a night has tried in vain, the next does not try again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from mcp_tencent.devops.incidents import AttemptOutcome, IncidentStatus, Rung
from mcp_tencent.local_cloud.simulation import ManualClock
from scheduler.digest_json import digest_from_json
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
        assert second.endings == ()
        assert night.house.incidents.get(ending.incident_id).status is IncidentStatus.HUMAN
        assert night.acts() == done
        stored = night.house.digests.get(night.today)
        assert stored is not None
        assert "试过重启，没有修好，前一晚已经转给负责人" in stored.spoken
        assert [one.incident_id for one in digest_from_json(stored.content_json).decisions] == [
            ending.incident_id
        ]
