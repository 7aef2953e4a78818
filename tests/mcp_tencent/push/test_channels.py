import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.push.channels import Channel, Target, parse_target
from mcp_tencent.push.errors import ChannelNotConfigured, PushError, TargetInvalid
from tests.mcp_tencent.push.dingtalk_robot import SECRET, TOKEN

ROBOTS = frozenset({"default", "运维群"})


def email(text: str, **options: frozenset[str]) -> Target:
    return parse_target(Channel.EMAIL, text, robots=ROBOTS, **options)


def dingtalk(text: str) -> Target:
    return parse_target(Channel.DINGTALK, text, robots=ROBOTS)


def test_addresses_come_out_sorted_distinct_and_with_a_lower_case_domain() -> None:
    target = email("ops@Example.com；boss@example.com, ops@example.com")
    assert target.recipients == ("boss@example.com", "ops@example.com")


@pytest.mark.parametrize(
    "word",
    [
        *["ops", "ops@", "@example.com", "a b@example.com", "a@b", "a..b@example.com", "a@-x.com"],
        *["运维@example.com", "a@example.com\nBcc:x@y.com", "a" * 65 + "@example.com", "<a@example.com>"],
    ],
)
def test_what_is_no_address_is_refused_with_a_sentence(word: str) -> None:
    with pytest.raises(TargetInvalid) as refused:
        email(word)
    assert refused.value.spoken.endswith("。")


def test_mail_goes_to_allowed_domains_only() -> None:
    allowed = frozenset({"example.com"})
    assert email("a@ops.example.com", allowed_domains=allowed).recipients == ("a@ops.example.com",)
    with pytest.raises(TargetInvalid, match=r"evilexample\.com is not allowed"):
        email("a@evilexample.com", allowed_domains=allowed)


def test_a_mobile_number_alone_means_the_default_robot() -> None:
    assert dingtalk("+86-13800138000").mentions == ("13800138000",)
    assert dingtalk("@13800138000").recipients == ("default",)


def test_a_robot_may_be_named_with_people_to_call() -> None:
    target = dingtalk("运维群 @13900139000 13800138000")
    assert target.recipients == ("运维群",)
    assert target.mentions == ("13800138000", "13900139000")


def test_an_unknown_robot_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(ChannelNotConfigured) as refused:
        dingtalk("财务群")
    assert "运维群" in refused.value.spoken


@pytest.mark.parametrize("number", ["1380013800", "12345678901", "138001380000"])
def test_a_number_that_is_no_mobile_number_is_refused(number: str) -> None:
    with pytest.raises(TargetInvalid):
        dingtalk(number)


@pytest.mark.parametrize(
    "secret", [TOKEN, SECRET, f"https://oapi.dingtalk.com/robot/send?access_token={TOKEN}"]
)
@pytest.mark.parametrize("channel", list(Channel))
def test_a_credential_given_as_a_target_is_refused_and_not_repeated(channel: Channel, secret: str) -> None:
    with pytest.raises(TargetInvalid) as refused:
        parse_target(channel, secret, robots=ROBOTS)
    for text in (str(refused.value), refused.value.spoken, repr(refused.value)):
        assert TOKEN not in text
        assert SECRET not in text


@given(st.sampled_from(list(Channel)), st.text(max_size=40))
def test_any_text_is_a_target_or_a_precise_refusal(channel: Channel, text: str) -> None:
    try:
        target = parse_target(channel, text, robots=ROBOTS)
    except PushError:
        return
    assert parse_target(channel, target.text, robots=ROBOTS) == target
