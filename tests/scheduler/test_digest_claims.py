"""Each person hears a digest once a date, on both databases and whatever fails in between."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.database import Database, open_database
from scheduler.digest_claims import (
    ENOUGH_SECONDS,
    STALE_AFTER,
    ClaimState,
    DigestClaim,
    DigestClaimStore,
    Ending,
    SqlDigestClaimStore,
    state_after,
)
from scheduler.errors import DigestClaimLost
from tests.races import race, race_of_processes

NOW = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)
TODAY = date(2026, 11, 21)


@pytest.fixture
def claims(database: Database) -> DigestClaimStore:
    return SqlDigestClaimStore(database.engine)


def claim(claims: DigestClaimStore, *, device: str = "kitchen", now: datetime = NOW) -> DigestClaim | None:
    return claims.claim("person-1", TODAY, device=device, now=now)


def claimed(claims: DigestClaimStore, *, device: str = "kitchen", now: datetime = NOW) -> DigestClaim:
    made = claim(claims, device=device, now=now)
    assert made is not None
    return made


def test_the_first_greeting_gets_the_digest_and_the_second_does_not(claims: DigestClaimStore):
    first = claimed(claims)
    assert (first.turn, first.state, first.spoken_seconds) == (1, ClaimState.SPEAKING, 0.0)
    assert claim(claims) is None
    assert claims.get("person-1", TODAY) == first


def test_another_person_and_another_date_have_their_own(claims: DigestClaimStore):
    claimed(claims)
    assert claims.claim("person-2", TODAY, device="kitchen", now=NOW)
    assert claims.claim("person-1", TODAY + timedelta(days=1), device="kitchen", now=NOW)


def test_of_twenty_greetings_at_once_one_is_answered_with_the_digest(claims: DigestClaimStore):
    outcomes = race([lambda: claim(claims)] * 20)
    assert sum(outcome is not None for outcome in outcomes) == 1


def test_of_two_devices_at_once_one_speaks(database_url: str):
    assert race_of_processes(_claim_five_times, database_url) == [0, 1]


def _claim_five_times(url: str) -> int:
    with open_database(url) as database:
        claims = SqlDigestClaimStore(database.engine)
        return sum(claim(claims) is not None for _ in range(5))


@pytest.mark.parametrize("ending", [Ending.FINISHED, Ending.STOPPED_BY_LISTENER])
def test_what_was_finished_or_stopped_by_the_listener_is_delivered(claims: DigestClaimStore, ending: Ending):
    made = claimed(claims)
    assert claims.end(made, ending, spoken_seconds=3.0, now=NOW) is ClaimState.DELIVERED
    assert claim(claims, now=NOW + timedelta(hours=1)) is None


def test_what_was_cut_off_early_is_told_again(claims: DigestClaimStore):
    made = claimed(claims)
    assert claims.end(made, Ending.CUT_OFF, spoken_seconds=59.9, now=NOW) is ClaimState.CUT_OFF
    again = claimed(claims, now=NOW + timedelta(minutes=5))
    assert (again.turn, again.spoken_seconds) == (2, 0.0)


def test_what_was_cut_off_after_a_minute_is_delivered(claims: DigestClaimStore):
    made = claimed(claims)
    assert claims.end(made, Ending.CUT_OFF, spoken_seconds=60.0, now=NOW) is ClaimState.DELIVERED
    assert claim(claims) is None


def test_after_a_power_loss_the_device_settles_what_it_was_speaking(claims: DigestClaimStore):
    claims.report(claimed(claims), spoken_seconds=20.0, now=NOW)
    assert claims.settle("kitchen", now=NOW) == 1
    assert claims.settle("kitchen", now=NOW) == 0
    assert claimed(claims).turn == 2


def test_after_a_power_loss_in_the_second_minute_it_counts_as_delivered(claims: DigestClaimStore):
    claims.report(claimed(claims), spoken_seconds=61.0, now=NOW)
    claims.settle("kitchen", now=NOW)
    assert claim(claims) is None


def test_one_device_does_not_settle_for_another(claims: DigestClaimStore):
    claimed(claims, device="kitchen")
    assert claims.settle("office", now=NOW) == 0
    assert claim(claims, device="office") is None


def test_a_device_that_fell_silent_is_taken_over(claims: DigestClaimStore):
    lost = claimed(claims, device="kitchen")
    almost = NOW + STALE_AFTER - timedelta(microseconds=1)
    assert claim(claims, device="office", now=almost) is None
    taken = claimed(claims, device="office", now=NOW + STALE_AFTER)
    assert (taken.turn, taken.device) == (2, "office")
    with pytest.raises(DigestClaimLost):
        claims.report(lost, spoken_seconds=5.0, now=NOW)
    with pytest.raises(DigestClaimLost):
        claims.end(lost, Ending.FINISHED, spoken_seconds=90.0, now=NOW)


def test_a_device_that_fell_silent_after_a_minute_has_delivered(claims: DigestClaimStore):
    claims.report(claimed(claims), spoken_seconds=ENOUGH_SECONDS, now=NOW)
    assert claim(claims, now=NOW + STALE_AFTER) is None
    stands = claims.get("person-1", TODAY)
    assert stands is not None
    assert stands.state is ClaimState.DELIVERED


def test_reporting_keeps_the_claim(claims: DigestClaimStore):
    made = claimed(claims)
    later = NOW + STALE_AFTER - timedelta(seconds=1)
    claims.report(made, spoken_seconds=25.0, now=later)
    assert claim(claims, now=NOW + STALE_AFTER) is None


@given(st.floats(min_value=0, max_value=600))
def test_only_a_failure_before_the_first_minute_is_no_delivery(spoken_seconds: float):
    assert state_after(Ending.FINISHED, spoken_seconds=spoken_seconds) is ClaimState.DELIVERED
    assert state_after(Ending.STOPPED_BY_LISTENER, spoken_seconds=spoken_seconds) is ClaimState.DELIVERED
    cut = state_after(Ending.CUT_OFF, spoken_seconds=spoken_seconds)
    assert (cut is ClaimState.CUT_OFF) == (spoken_seconds < 60)
