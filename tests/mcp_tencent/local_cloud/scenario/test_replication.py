from mcp_tencent.local_cloud.scenario.reading import load_scenario
from mcp_tencent.local_cloud.scenario.replication import replicated, season_of


def test_the_large_scenario_has_what_the_benchmarks_ask_for():
    workloads = [workload for _, workload in replicated(load_scenario("large"))]
    assert len(workloads) == 300
    assert 1_900 <= sum(workload.replicas for workload in workloads) <= 2_100


def test_copies_have_names_and_aliases_of_their_own():
    refs = [ref for ref, _ in replicated(load_scenario("large"))]
    assert len(set(refs)) == len(refs)
    assert "order-service-007" in {ref.name for ref in refs}
    aliases = [alias for _, workload in replicated(load_scenario("large")) for alias in workload.aliases]
    assert len(set(aliases)) == len(aliases)


def test_seasons_differ_by_kind():
    workload = next(iter(load_scenario("quiet").workloads().values()))
    kinds = {
        kind: season_of(workload.model_copy(update={"season": kind}), "UTC")
        for kind in ("daily", "flat", "night")
    }
    assert len({season.peak_hours for season in kinds.values()}) == 3
