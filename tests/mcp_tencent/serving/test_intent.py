"""The key under which acts go out."""

from __future__ import annotations

import asyncio

from mcp_tencent.serving.intent import has_key, key_of_act, under_key


def test_the_same_intent_goes_out_under_the_same_key() -> None:
    with under_key("inc-1-attempt-1-act"):
        first = key_of_act()
    with under_key("inc-1-attempt-1-act"):
        assert has_key()
        assert key_of_act() == first
    with under_key("inc-1-attempt-2-act"):
        assert key_of_act() != first


def test_without_a_key_every_act_is_another_one() -> None:
    assert not has_key()
    assert key_of_act() != key_of_act()
    with under_key("outer-call-1"), under_key(None):
        assert not has_key()


def test_a_key_is_no_secret_to_guess_and_fits_an_annotation() -> None:
    with under_key("x" * 200):
        assert len(key_of_act()) == 32
        assert int(key_of_act(), 16) >= 0


async def test_calls_side_by_side_keep_their_own_keys() -> None:
    async def call(key: str) -> str:
        with under_key(key):
            await asyncio.sleep(0)
            return key_of_act()

    one, two, again = await asyncio.gather(call("morning-1"), call("morning-2"), call("morning-1"))
    assert one == again != two
    assert not has_key()
