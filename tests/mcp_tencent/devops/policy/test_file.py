"""A policy file is read with findings that can be acted on, and followed while the program runs."""

from pathlib import Path
from textwrap import dedent

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.devops.policy.errors import PolicyInvalid, PolicyUnreadable
from mcp_tencent.devops.policy.file import PolicyFile, parse_policy, read_policy
from mcp_tencent.devops.policy.model import DEFAULTS, Policy, version_of

GOOD = dedent(
    """\
    # what matters here
    importance:
      - {workload: trade/order-service, importance: 95}
    guards:
      protected_namespaces: [kube-*, vault]
    forbidden:
      - days: [mon, tue]
        start: 21:00
        end: 23:30
        reason: 结算时段
    """
)


def finding(text):
    with pytest.raises(PolicyInvalid) as caught:
        parse_policy(text, file="policy.yaml")
    assert len(caught.value.findings) == 1, str(caught.value)
    return caught.value.findings[0]


def test_a_good_file_is_read():
    policy = parse_policy(GOOD, file="policy.yaml")
    assert policy.importance_of("c", "trade", "order-service") == 95
    assert policy.is_protected("vault")
    assert policy.forbidden[0].start == "21:00"


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "\n\n"])
def test_an_empty_file_means_the_defaults(text):
    assert parse_policy(text, file="policy.yaml") == Policy()


def test_what_is_shown_can_be_read_again():
    shown = yaml.safe_dump(parse_policy(GOOD, file="a").model_dump(mode="json"), allow_unicode=True)
    assert version_of(parse_policy(shown, file="b")) == version_of(parse_policy(GOOD, file="a"))


def test_a_misspelt_key_names_its_line_and_the_likely_word():
    found = finding(GOOD + "waights:\n  impact: 1\n")
    assert (found.line, found.path, found.remedy) == (11, "waights", "Did you mean weights?")


def test_a_value_out_of_range_is_shown_with_its_line():
    found = finding(GOOD.replace("importance: 95", "importance: 950"))
    assert (found.line, found.path, found.value) == (3, "importance[0].importance", "950")
    assert "100" in found.problem


def test_weights_that_do_not_add_up_are_told():
    found = finding("weights:\n  impact: 0.5\n")
    assert "add up to 1.1" in found.problem
    assert found.line == 1


def test_all_findings_are_told_at_once():
    with pytest.raises(PolicyInvalid) as caught:
        parse_policy("default_importance: x\nnotices: {p0: 10, p1: 20}\n", file="policy.yaml")
    assert [one.line for one in caught.value.findings] == [1, 2]


def test_a_yaml_bomb_is_refused():
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    for before, after in zip("abcdefg", "bcdefgh", strict=True):
        bomb += f"{after}: &{after} [{', '.join([f'*{before}'] * 10)}]\n"
    assert "too large" in finding(bomb).problem


def test_python_objects_in_yaml_are_refused():
    assert "not YAML" in finding("weights: !!python/object/apply:os.getcwd []\n").problem


@given(st.text(max_size=200))
def test_any_text_is_a_policy_or_has_findings(text):
    findings: list[str] = []
    try:
        parse_policy(text, file="any")
    except PolicyInvalid as error:
        findings = [one.problem for one in error.findings]
    assert all(findings)


def test_without_a_file_the_defaults_are_in_force(tmp_path):
    assert PolicyFile(tmp_path / "policy.yaml").current() == DEFAULTS


def test_a_file_that_is_wrong_from_the_beginning_leaves_the_defaults_and_says_so(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text("tiers: []\n")
    followed = PolicyFile(path)
    assert followed.current() == DEFAULTS
    assert "tiers" in str(followed.trouble)
    path.write_text(GOOD)
    assert followed.current() != DEFAULTS
    assert followed.trouble is None


def test_a_file_that_could_not_be_read_is_tried_again(tmp_path):
    path = tmp_path / "policy.yaml"
    path.mkdir()
    followed = PolicyFile(path)
    assert isinstance(followed.trouble, PolicyUnreadable)
    path.rmdir()
    assert followed.current() == DEFAULTS
    assert followed.trouble is None


def test_a_change_is_in_force_at_the_next_look_and_has_another_version(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text(GOOD)
    followed = PolicyFile(path)
    before = followed.current()
    path.write_text(GOOD.replace("95", "60"))
    after = followed.current()
    assert after.policy.importance[0].importance == 60
    assert after.version != before.version


def test_a_file_that_becomes_wrong_leaves_the_last_good_policy_in_force_and_says_so(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text(GOOD)
    followed = PolicyFile(path)
    before = followed.current()
    path.write_text("guards: {actions_per_hour: -1}\n")
    assert followed.current() == before
    assert "actions_per_hour" in str(followed.trouble)
    path.write_text(GOOD + "default_importance: 20\n")
    assert followed.current().policy.default_importance == 20
    assert followed.trouble is None


def test_a_file_that_goes_away_means_the_defaults(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text(GOOD)
    followed = PolicyFile(path)
    path.unlink()
    assert followed.current() == DEFAULTS


def test_a_file_that_is_no_text_is_unreadable(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PolicyUnreadable):
        read_policy(path)


def test_the_documented_example_is_a_policy():
    page = (Path(__file__).parents[4] / "docs" / "policy.md").read_text(encoding="utf-8")
    example = page.split("```yaml\n")[1].split("```")[0]
    policy = parse_policy(example, file="docs/policy.md")
    assert policy.importance_of("cls-x", "pay", "risk-service") == 95
    assert policy.dependencies_of("cls-x", "trade", "order-service") == ("trade/stock-service", "order-db")
    assert policy.is_protected("vault")
