"""The memory of jobs and digests keeps its promises on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from assistant.database import Database
from scheduler.errors import JobFinished, JobUnknown
from scheduler.records import (
    DigestStore,
    JobOutcome,
    JobRun,
    JobRunStore,
    SqlDigestStore,
    SqlJobRunStore,
    StoredDigest,
)
from tests.races import race

NOW = datetime(2026, 11, 19, 21, 0, tzinfo=UTC)
TODAY = date(2026, 11, 20)
RUN = JobRun(id="night-2026-11-20", job="night", for_date=TODAY, started_at=NOW)
DIGEST = StoredDigest(
    date=TODAY, written_at=NOW, content_json='{"a": 1}', spoken="早上好", html="<p>早上好</p>"
)


@pytest.fixture
def runs(database: Database) -> JobRunStore:
    return SqlJobRunStore(database.engine)


@pytest.fixture
def digests(database: Database) -> DigestStore:
    return SqlDigestStore(database.engine)


def test_a_job_begins_once_under_its_id(runs: JobRunStore):
    assert runs.start(RUN)
    assert not runs.start(replace(RUN, started_at=NOW + timedelta(hours=1)))
    assert runs.get(RUN.id) == RUN


def test_of_twenty_devices_one_begins(runs: JobRunStore):
    assert race([lambda: runs.start(RUN)] * 20).count(True) == 1


@pytest.mark.parametrize("outcome", list(JobOutcome))
def test_a_job_ends_once(runs: JobRunStore, outcome: JobOutcome):
    runs.start(RUN)
    ended = runs.finish(RUN.id, outcome, at=NOW + timedelta(minutes=5), detail="说明")
    assert ended == replace(RUN, outcome=outcome, finished_at=NOW + timedelta(minutes=5), detail="说明")
    assert runs.finish(RUN.id, outcome, at=NOW + timedelta(minutes=9)) == ended
    other = next(one for one in JobOutcome if one is not outcome)
    with pytest.raises(JobFinished, match=outcome):
        runs.finish(RUN.id, other, at=NOW)


def test_a_job_that_never_began_cannot_end(runs: JobRunStore):
    with pytest.raises(JobUnknown):
        runs.finish("night-1999-01-01", JobOutcome.SUCCEEDED, at=NOW)
    with pytest.raises(JobUnknown):
        runs.get("night-1999-01-01")


def test_unfinished_jobs_are_found(runs: JobRunStore):
    later = replace(
        RUN, id="night-2026-11-21", for_date=date(2026, 11, 21), started_at=NOW + timedelta(days=1)
    )
    for run in (later, RUN):
        runs.start(run)
    assert runs.unfinished() == [RUN, later]
    runs.finish(RUN.id, JobOutcome.MISSED, at=NOW)
    assert runs.unfinished() == [later]
    assert [run.id for run in runs.latest("night")] == [later.id, RUN.id]
    assert runs.latest("event") == []


def test_there_is_one_digest_a_date(digests: DigestStore):
    assert digests.write(DIGEST)
    assert not digests.write(replace(DIGEST, spoken="第二份"))
    assert digests.get(TODAY) == DIGEST
    assert digests.get(date(2026, 11, 21)) is None


def test_of_twenty_writers_one_writes_the_digest(digests: DigestStore):
    assert race([lambda: digests.write(DIGEST)] * 20).count(True) == 1


def test_the_latest_digest_comes_first(digests: DigestStore):
    older = replace(DIGEST, date=date(2026, 11, 18))
    for digest in (DIGEST, older):
        digests.write(digest)
    assert digests.latest() == [DIGEST]
    assert digests.latest(limit=5) == [DIGEST, older]
