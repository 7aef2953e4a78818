import json
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mcp_tencent.local_cloud.errors import ScenarioError, ScenarioNotFoundError
from mcp_tencent.local_cloud.scenario.model import Scenario
from mcp_tencent.local_cloud.scenario.reading import load_scenario, parse_scenario, shipped_scenarios

GOOD = dedent(
    """\
    name: small
    clusters:
      - id: cls-small001
        name: 小集群
        region: ap-guangzhou
        node_pools: [{id: np-small01, name: 节点池}]
        workloads:
          - name: web
            namespace: shop
            revisions: [{image: "web:v1"}]
    """
)


def findings_of(text):
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, file="bad.yaml")
    return caught.value.findings


def only_finding(text):
    findings = findings_of(text)
    assert len(findings) == 1, [str(finding) for finding in findings]
    return findings[0]


def test_a_good_scenario_is_read():
    scenario = parse_scenario(GOOD)
    assert [str(ref) for ref in scenario.workloads()] == ["cls-small001/shop/web"]


def test_a_misspelt_key_names_its_line_and_the_likely_word():
    finding = only_finding(GOOD.replace("    region:", "    regoin: x\n    region:"))
    assert (finding.line, finding.path) == (5, "clusters[0].regoin")
    assert "region" in finding.remedy


def test_a_missing_key_names_where_it_belongs():
    finding = only_finding(GOOD.replace("    region: ap-guangzhou\n", ""))
    assert (finding.line, finding.path) == (3, "clusters[0].region")
    assert "Add `region:`" in finding.remedy


def test_a_wrong_type_shows_the_value():
    finding = only_finding(GOOD.replace("name: web\n", "name: web\n        replicas: three\n"))
    assert (finding.line, finding.path, finding.value) == (9, "clusters[0].workloads[0].replicas", '"three"')


def test_a_string_is_not_silently_made_a_number():
    only_finding(GOOD.replace("name: web\n", 'name: web\n        replicas: "3"\n'))


def test_all_findings_are_told_at_once():
    text = GOOD.replace("region: ap-guangzhou", "region: 广州").replace("name: small", "name: Small One")
    assert [finding.line for finding in findings_of(text)] == [1, 5]


def test_a_bad_time_says_which_forms_there_are():
    text = GOOD + dedent(
        """\
        faults:
          - kind: deadlock
            workload: cls-small001/shop/web
            start: half past ten
        """
    )
    finding = only_finding(text)
    assert (finding.line, finding.path) == (14, "faults[0].start")
    assert "-5h20m" in finding.problem


def test_an_unknown_kind_of_fault_lists_the_kinds():
    text = GOOD + "faults:\n  - {kind: gremlins, workload: cls-small001/shop/web, start: -1h}\n"
    finding = only_finding(text)
    assert finding.line == 12
    assert "memory_leak" in finding.remedy


@pytest.mark.parametrize(
    ("addition", "path", "near"),
    [
        (
            "faults:\n  - {kind: deadlock, workload: cls-small001/shop/wep, start: -1h}\n",
            "faults[0].workload",
            "cls-small001/shop/web",
        ),
        (
            "faults:\n  - {kind: bad_image, workload: cls-small001/shop/web, image: 'web:v2', start: -1h}\n",
            "faults[0].image",
            "web:v1",
        ),
        ("alarms:\n  - {name: a, topic: 无, query: '*'}\n", "alarms[0].topic", "Known: none"),
        ("timezone: Mars/Olympus\n", "timezone", "Asia/Shanghai"),
        ("clock: {mode: fixed, start: -1h}\n", "clock.start", "absolute"),
        (
            "truth:\n  - {id: t, workload: cls-small001/shop/x, cause: noise, open: true}\n",
            "truth[0].workload",
            "",
        ),
        ("replicate:\n  - {workload: cls-small001/shop/x, copies: 3}\n", "replicate[0].workload", ""),
    ],
)
def test_a_name_that_leads_nowhere_is_found_with_its_neighbour(addition, path, near):
    finding = only_finding(GOOD + addition)
    assert finding.path == path
    assert finding.line is not None
    assert near in finding.remedy


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a: [", "not YAML"),
        ("- 1", "not a mapping"),
        ("", "not a mapping"),
        ("name: x\nname: y\n", "twice"),
        ("a: &a {b: *a}\n", "too large"),
        ("x: !!python/object/apply:os.system ['true']\n", "not YAML"),
    ],
)
def test_what_is_no_scenario_document_is_refused(text, word):
    assert any(word in finding.problem for finding in findings_of(text))


def test_a_bomb_of_aliases_is_refused_quickly():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "too large" in only_finding("\n".join(lines)).problem


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader_otherwise(text):
    with pytest.raises(ScenarioError):
        parse_scenario(text)


def test_an_unknown_name_offers_the_shipped_ones():
    with pytest.raises(ScenarioNotFoundError, match="did you mean yesterday"):
        load_scenario("yesterdy")


def test_a_file_is_loaded_by_its_path(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD, encoding="utf-8")
    assert load_scenario(str(path)).name == "small"


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ScenarioNotFoundError):
        load_scenario(str(path))


def test_there_are_at_least_twelve_scenarios_and_the_demos_day():
    assert len(shipped_scenarios()) >= 12
    assert {"yesterday", "quiet", "large"} <= set(shipped_scenarios())


@pytest.mark.parametrize("name", shipped_scenarios())
def test_every_shipped_scenario_meets_the_published_schema(name):
    scenario = load_scenario(name)
    schema = Scenario.model_json_schema()
    Draft202012Validator.check_schema(schema)
    document = json.loads(scenario.model_dump_json(exclude_none=True, exclude_defaults=True))
    Draft202012Validator(schema).validate(document)
    assert scenario.name == name
    assert scenario.description
