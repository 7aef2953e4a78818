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
    async with night_at("two-incidents", tmp_path) as night:
        first = await night.house.nights.run(night.today)
        tried, given_up = first.endings
        (attempt,) = night.house.incidents.attempts(tried.incident_id)
        assert (attempt.rung, attempt.outcome) == (Rung.ROLL_BACK, AttemptOutcome.NOT_BETTER_RESTORED)
        done = night.acts()
        assert isinstance(night.cloud.clock, ManualClock)
        night.cloud.clock.advance(timedelta(days=1))
        second = await night.house.nights.run(night.today)
        assert {one.status for one in second.endings} <= {IncidentStatus.HUMAN}
        assert night.house.incidents.get(tried.incident_id).status is IncidentStatus.HUMAN
        assert night.acts() == done
        stored = night.house.digests.get(night.today)
        assert stored is not None
        assert "前不久试过，没有用" in stored.spoken
        assert "前一晚已经转给负责人" in stored.spoken
        asked = [one.incident_id for one in digest_from_json(stored.content_json).decisions]
        assert given_up.incident_id in asked
        assert len(asked) == 2
