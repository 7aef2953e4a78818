"""The night from end to end, on the real local cloud."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcp_tencent.devops.incidents import AttemptOutcome, IncidentStatus, Rung
from scheduler.digest_facts import Standing
from scheduler.digest_json import digest_from_json
from scheduler.healing_steps import WardHealing
from scheduler.records import JobOutcome
from tests.scheduler.nights import Night, night_at


async def digest(night: Night):
    stored = night.house.digests.get(night.today)
    assert stored is not None
    return digest_from_json(stored.content_json)


async def test_a_bad_release_is_rolled_back_verified_and_told_once_a_date(tmp_path: Path) -> None:
    async with night_at("bad-revision", tmp_path) as night:
        end = await night.house.nights.run(night.today)
        assert end.outcome is JobOutcome.SUCCEEDED
        (ending,) = end.endings
        assert (ending.status, ending.cause) == (IncidentStatus.HEALED, "bad_release")
        (attempt,) = night.house.incidents.attempts(ending.incident_id)
        assert (attempt.rung, attempt.outcome) == (Rung.ROLL_BACK, AttemptOutcome.HEALED)
        assert attempt.checkpoint_id is not None
        told = [event.kind for event in night.house.incidents.timeline(ending.incident_id)]
        wanted = ["alert", "diagnosis", "plan", "checkpoint", "action", "verification", "closed"]
        assert [kind for kind in told if kind in wanted] == wanted
        (trouble,) = (await digest(night)).facts.incidents
        assert trouble.standing is Standing.HEALED
        acts = night.acts()
        assert acts.count("roll_back") == 1
        assert await night.house.nights.run(night.today) == end, "once a date"
        assert night.acts() == acts
        assert not night.house.trail.verify()


async def test_observing_changes_nothing_and_says_what_it_would_do(tmp_path: Path) -> None:
    async with night_at("bad-revision", tmp_path, mode=None) as night:
        end = await night.house.nights.run(night.today)
        assert night.acts() == []
        (ending,) = end.endings
        assert ending.status is IncidentStatus.HUMAN
        assert "只观察" in ending.reason
        (attempt,) = night.house.incidents.attempts(ending.incident_id)
        assert (attempt.rung, attempt.outcome) == (Rung.ROLL_BACK, AttemptOutcome.BLOCKED_BY_POLICY)


async def test_proposing_asks_in_the_morning(tmp_path: Path) -> None:
    async with night_at("bad-revision", tmp_path, mode="propose") as night:
        end = await night.house.nights.run(night.today)
        assert night.acts() == []
        assert [one.end for one in end.endings] == ["proposed"]
        written = await digest(night)
        assert [one.incident_id for one in written.facts.proposals] == [end.endings[0].incident_id]
        assert written.decisions


async def test_what_cannot_be_read_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    async with night_at("bad-revision", tmp_path, second_account=True) as night:
        end = await night.house.nights.run(night.today)
        assert end.outcome is JobOutcome.PARTIAL
        assert "外包账号" in end.detail
        assert [one.status for one in end.endings] == [IncidentStatus.HEALED]
        assert (await digest(night)).facts.unread


async def test_an_incident_whose_healing_breaks_goes_to_a_person_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr(WardHealing, "checkpoint", broken)
    async with night_at("bad-revision", tmp_path) as night:
        end = await night.house.nights.run(night.today)
        (ending,) = end.endings
        assert (ending.status, ending.end) == (IncidentStatus.HUMAN, "crashed")
        assert night.house.incidents.get(ending.incident_id).status is IncidentStatus.HUMAN
        (attempt,) = night.house.incidents.attempts(ending.incident_id)
        assert attempt.outcome is AttemptOutcome.ABANDONED
        told = night.house.incidents.timeline(ending.incident_id)
        assert any(event.kind == "handover" and "程序出错" in event.text for event in told)
        (trouble,) = (await digest(night)).facts.incidents
        assert trouble.standing is Standing.NEEDS_HUMAN
        assert "程序出错" in trouble.unsolved_because
