from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from assistant.database import Database
from mcp_tencent.gateway.call import CallerKind, Permission
from mcp_tencent.serving.identity import StoredTokens
from mcp_tencent.serving.tokens import TokenStore
from tests.mcp_tencent.gateway.calls import HandClock

DAY = timedelta(days=1)
SOME = frozenset({Permission.READ, Permission.ROLLBACK})


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def tokens(database: Database, clock):
    return TokenStore(database.engine, clock)


def test_a_token_stands_for_a_person_and_what_they_may(tokens):
    issued = tokens.issue("值班员", SOME, life=DAY, namespaces=["shop", "pay"])
    caller = tokens.check(issued.token).caller
    assert (caller.name, caller.permissions, caller.kind) == ("值班员", SOME, CallerKind.THIRD_PARTY)
    assert caller.namespaces == {"shop", "pay"}


def test_a_token_itself_is_kept_nowhere(tokens, database):
    issued = tokens.issue("值班员", SOME, life=DAY)
    with database.engine.connect() as connection:
        rows = str(connection.execute(text("SELECT * FROM gateway_tokens")).all())
    assert issued.token not in rows
    assert issued.token.removeprefix("xz_") not in rows


def test_a_token_ends(tokens, clock):
    issued = tokens.issue("值班员", SOME, life=DAY)
    clock.advance(DAY.total_seconds() - 1)
    assert tokens.check(issued.token) is not None
    clock.advance(1)
    assert tokens.check(issued.token) is None


def test_a_revoked_token_is_over_at_once(tokens):
    issued = tokens.issue("值班员", SOME, life=DAY)
    assert tokens.revoke(issued.id)
    assert tokens.check(issued.token) is None
    assert not tokens.revoke(issued.id)


@pytest.mark.parametrize(
    "token", ["", "xz_", "xz_" + "a" * 43, "Bearer x", "xz_" + "a" * 100_000, "xz_\ud800"]
)
def test_an_invented_token_is_nobodys(tokens, token):
    tokens.issue("值班员", SOME, life=DAY)
    assert tokens.check(token) is None


def test_a_token_gives_no_more_than_the_person_has_today(database, clock):
    today = TokenStore(database.engine, clock, grants=lambda person: frozenset({Permission.READ}))
    issued = today.issue("值班员", SOME, life=DAY)
    found = today.check(issued.token)
    assert found is not None
    assert found.caller.permissions == {Permission.READ}


@pytest.mark.parametrize("life", [timedelta(0), -DAY, timedelta(days=400)])
def test_a_life_that_is_none_or_too_long_is_refused(tokens, life):
    with pytest.raises(ValueError, match="lives"):
        tokens.issue("值班员", SOME, life=life)


def test_a_job_gets_no_token(tokens):
    with pytest.raises(ValueError, match="service jobs"):
        tokens.issue("night", SOME, life=DAY, kind=CallerKind.SERVICE_JOB)


def test_a_persons_tokens_are_listed_newest_first(tokens, clock):
    tokens.issue("值班员", SOME, life=DAY, label="IDE")
    clock.advance(1)
    tokens.issue("值班员", SOME, life=DAY, label="laptop")
    tokens.issue("负责人", SOME, life=DAY)
    assert [row.label for row in tokens.of("值班员")] == ["laptop", "IDE"]


async def test_without_a_store_nobody_gets_in(tokens, database):
    issued = tokens.issue("值班员", SOME, life=DAY)
    with database.engine.begin() as connection:
        connection.execute(text("DROP TABLE gateway_tokens"))
    assert await StoredTokens(tokens).verify_token(issued.token) is None
