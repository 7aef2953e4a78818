"""A flapping ready pod is not progress."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.cloud.lightkube.rollout import Steadiness


def looks(stay: float, seen: list[bool]) -> tuple[list[bool], int]:
    steadiness = Steadiness(stay)
    return [steadiness.look(complete, float(at)) for at, complete in enumerate(seen)], steadiness.relapses


def test_ready_once_is_not_enough():
    assert looks(3, [True, True, True]) == ([False, False, False], 0)


def test_ready_for_long_enough_is():
    assert looks(3, [False, True, True, True, True]) == ([False, False, False, False, True], 0)


def test_a_relapse_starts_the_count_anew():
    assert looks(2, [True, True, False, True, True, True]) == ([False, False, False, False, False, True], 1)


def test_nothing_to_wait_for_is_steady_at_once():
    assert looks(0, [True]) == ([True], 0)


@given(st.integers(1, 5), st.lists(st.booleans(), max_size=30))
def test_it_is_steady_exactly_when_the_last_looks_were_all_complete(stay, seen):
    results, relapses = looks(stay, seen)
    for at, result in enumerate(results):
        assert result == (at >= stay and all(seen[at - stay : at + 1]))
    assert relapses == sum(a and not b for a, b in itertools.pairwise(seen))
