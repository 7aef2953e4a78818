"""Which name is meant: pure decisions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.errors import Ambiguous, NetworkFault, NotFound
from mcp_tencent.naming.matching import CLEAR, Directory, Match, Named, Scope, choose, clear_best, likeness
from mcp_tencent.naming.sound import folded, syllables


def workload(name: str, *aliases: str, place: str = "shop，生产集群") -> Named[str]:
    return Named(thing=f"{place}/{name}", ids=(f"shop/{name}",), name=name, aliases=aliases, place=place)


SHOP = Directory(
    [
        workload("order-service", "订单服务", "订单"),
        workload("order-worker", "订单任务"),
        workload("cart-service", "购物车服务", "购物车"),
        workload("web-gateway", "网关", "入口网关"),
        workload("replica-keeper", "副本管家"),
    ]
)


def find(said: str, *directories: Directory[str], certain: bool = False) -> Match[str]:
    scopes = [Scope([directory]) for directory in directories or (SHOP,)]
    return choose(said, scopes, kind="工作负载", certain=certain)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("order-service", "order-service"),
        ("shop/order-service", "order-service"),
        ("订单", "order-service"),
        ("订单任务", "order-worker"),
        ("订 单 服 务", "order-service"),
        ("Order Service", "order-service"),
        ("ｏｒｄｅｒ－ｓｅｒｖｉｃｅ", "order-service"),
        ("订单服务（shop，生产集群）", "order-service"),
    ],
)
def test_id_name_alias_and_spelling_are_certain(said: str, name: str) -> None:
    match = find(said, certain=True)
    assert match.thing.endswith(name)
    assert not match.by_sound


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("定单服务", "order-service"),
        ("订单副务", "order-service"),
        ("钉当服务", "order-service"),
        ("购物车", "cart-service"),
        ("网管", "web-gateway"),
        ("入口网光", "web-gateway"),
        ("付本管家", "replica-keeper"),
        ("副本管甲", "replica-keeper"),
    ],
)
def test_a_clear_sound_alike_is_taken_for_a_look_and_never_for_an_act(said: str, name: str) -> None:
    exact = Scope([SHOP]).exact(said)
    match = find(said)
    assert match.thing.endswith(name)
    assert match.by_sound == (not exact)
    if not exact:
        with pytest.raises(Ambiguous) as caught:
            find(said, certain=True)
        assert any(match.alias == candidate for candidate in caught.value.candidates)


@pytest.mark.parametrize("said", ["订餐服务", "天气", "服务", "，。", "x" * 5000])
def test_what_sounds_like_nothing_or_half_is_not_taken(said: str) -> None:
    with pytest.raises((Ambiguous, NotFound)):
        find(said)


def test_not_found_says_what_was_looked_for() -> None:
    with pytest.raises(NotFound) as caught:
        find("天气预报")
    assert caught.value.spoken == "没有找到叫“天气预报”的工作负载"


def test_two_of_one_name_are_told_apart_by_place_and_the_answer_can_be_said_back() -> None:
    two = Directory(
        [
            workload("order-service", "订单服务", place="shop，生产集群"),
            workload("order-service", "订单服务", place="shop，预发集群"),
        ]
    )
    with pytest.raises(Ambiguous) as caught:
        find("订单服务", two)
    assert set(caught.value.candidates) == {"订单服务（shop，生产集群）", "订单服务（shop，预发集群）"}
    assert [find(candidate, two, certain=True).thing for candidate in sorted(caught.value.candidates)] == [
        "shop，生产集群/order-service",
        "shop，预发集群/order-service",
    ]


def test_an_exact_name_elsewhere_wins_over_a_sound_alike_here() -> None:
    here = Directory([workload("a", "钉单服务")])
    there = Directory([workload("b", "订单服务", place="预发集群")])
    assert find("订单服务", here, there).thing == "预发集群/b"
    assert find("丁单服务", here, there).thing.endswith("a")


def test_a_name_wins_over_another_ones_alias() -> None:
    both = Directory([workload("cache", "缓存"), workload("redis", "cache")])
    assert find("cache", both, certain=True).thing.endswith("/cache")


def test_the_noun_of_its_kind_may_be_added_or_left_away() -> None:
    clusters = Directory(
        [Named(thing="cls-1", ids=("cls-1",), name="生产", aliases=("广州",), nouns=("集群",))]
    )
    assert find("广州集群", clusters, certain=True).thing == "cls-1"
    pools = Directory([Named(thing="np-1", ids=("np-1",), name="通用节点池", nouns=("节点池",))])
    assert find("通用", pools, certain=True).thing == "np-1"


def test_nothing_is_called_missing_while_a_part_of_the_cloud_is_silent() -> None:
    silent = Directory([workload("order-service", "订单服务")], NetworkFault("no route"))
    assert find("订单服务", silent, certain=True).alias == "订单服务"
    with pytest.raises(NetworkFault):
        find("支付服务", silent)


def test_a_tie_is_asked_about() -> None:
    assert clear_best(SHOP.alike("订单")) is not None  # an alias of one
    twins = Directory([workload("a", "订单服务"), workload("b", "订单平台")])
    assert clear_best(twins.alike("订单")) is None


@pytest.mark.parametrize(("one", "other"), [("女", "吕"), ("张", "脏"), ("因为", "应为"), ("四十", "是十")])
def test_sounds_that_are_mixed_up_are_folded(one: str, other: str) -> None:
    assert folded(one) == folded(other)


def test_digits_and_letters_are_heard() -> None:
    assert syllables("订单服务v2") == ("ding", "dan", "fu", "wu", "v", "er")
    assert likeness("节点一二", "节点12") == 1.0


NAMES = st.text(alphabet="订单服务购物车网关支付风控abcxyz-0123 ", min_size=1, max_size=12)


@given(NAMES, NAMES)
def test_likeness_is_symmetric_and_within_bounds(one: str, other: str) -> None:
    assert 0.0 <= likeness(one, other) <= 1.0
    assert likeness(one, other) == likeness(other, one)
    assert likeness(one, one) == 1.0


@given(st.lists(NAMES, min_size=1, max_size=8, unique=True), NAMES)
def test_an_act_never_gets_what_was_not_said(names: list[str], said: str) -> None:
    directory = Directory([workload(name) for name in names])
    try:
        match = find(said, directory, certain=True)
    except (Ambiguous, NotFound):
        return
    assert not match.by_sound
    assert "".join(match.alias.split()).replace("-", "") == "".join(said.split()).replace("-", "")


@given(st.text(max_size=300))
def test_whatever_is_said_ends_in_a_name_or_a_question(said: str) -> None:
    try:
        match = find(said)
    except (Ambiguous, NotFound) as error:
        assert error.spoken  # noqa: PT017 - both are answers
    else:
        assert likeness(said, match.alias) >= CLEAR or match.thing
