"""The few words that steer a conversation."""

import pytest

from assistant.conversation.words import Reply, Steer, Steering, choice_of, reply_of, steering_of


@pytest.mark.parametrize("text", ["确认", "确 认", "确定。", "却认", "好的，确认", "我确认"])
def test_a_clear_yes_is_a_yes(text: str) -> None:
    assert reply_of(text) is Reply.YES


@pytest.mark.parametrize("text", ["取消", "不要", "算了吧", "不是", "停", "不，不要"])
def test_a_no_is_a_no(text: str) -> None:
    assert reply_of(text) in {Reply.NO, Reply.UNCLEAR}


@pytest.mark.parametrize("text", ["", "嗯", "好", "好像是", "确认什么", "不确认", "看看订单服务"])
def test_everything_else_is_no_yes(text: str) -> None:
    assert reply_of(text) is not Reply.YES


@pytest.mark.parametrize(
    ("text", "steer"),
    [
        ("", Steer.GREETING),
        ("早上好", Steer.GREETING),
        ("停！", Steer.STOP),
        ("别说了", Steer.STOP),
        ("继续吧", Steer.GO_ON),
        ("下一条", Steer.NEXT),
        ("再说一遍", Steer.AGAIN),
    ],
)
def test_whole_sentences_steer(text: str, steer: Steer) -> None:
    assert steering_of(text) == Steering(steer=steer)


@pytest.mark.parametrize(
    "text", ["停掉订单服务", "继续观察支付服务", "把第二条发到群里", "第二条", "再播一遍日报"]
)
def test_sentences_about_something_are_not_steering(text: str) -> None:
    assert steering_of(text) is None


@pytest.mark.parametrize(
    ("text", "item"), [("详细说说第二条", 2), ("第三条怎么回事", 3), ("展开讲讲第1条", 1), ("说说第十条", 10)]
)
def test_an_item_is_asked_for_by_its_number(text: str, item: int) -> None:
    assert steering_of(text) == Steering(steer=Steer.ITEM, item=item)


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("第二个", 1),
        ("二", 1),
        ("支付网关", 1),
        ("是支付网管", 1),
        ("第四个", None),
        ("都不是", None),
        ("网关", None),
    ],
)
def test_a_choice_is_named_by_number_or_by_sound(text: str, chosen: int | None) -> None:
    assert choice_of(text, ("订单服务", "支付网关", "会员网关")) == chosen
