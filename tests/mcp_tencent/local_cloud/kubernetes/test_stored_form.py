"""What the API stores is not always what was sent: a rollback must find its old template again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.local_cloud.kubernetes.admission.defaults import default_pod_spec
from mcp_tencent.local_cloud.kubernetes.quantities import canonical_quantity, parse_quantity


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("1000m", "1"),
        ("0.5", "500m"),
        ("240m", "240m"),
        ("2000", "2k"),
        ("1024Mi", "1Gi"),
        ("1536Mi", "1536Mi"),
        ("0.5Gi", "512Mi"),
        ("0", "0"),
        ("1e3", "1e3"),
        ("no quantity", "no quantity"),
    ],
)
def test_quantities_are_stored_in_their_largest_whole_unit(sent, stored):
    assert canonical_quantity(sent) == stored


@given(
    st.integers(min_value=0, max_value=10**9),
    st.sampled_from(["", "m", "k", "M", "G", "Ki", "Mi", "Gi"]),
)
def test_the_stored_form_is_the_same_amount_and_final(number, suffix):
    stored = canonical_quantity(f"{number}{suffix}")
    assert parse_quantity(stored) == pytest.approx(parse_quantity(f"{number}{suffix}"), rel=1e-9)
    assert canonical_quantity(stored) == stored


def test_empty_lists_of_a_container_are_not_kept():
    spec = default_pod_spec(
        {"containers": [{"name": "app", "image": "shop/app:v1", "env": [], "envFrom": []}]}
    )
    assert not {"env", "envFrom"} & spec["containers"][0].keys()


def test_two_spellings_of_one_container_are_stored_alike():
    def stored(cpu: str, memory: str):
        limits = {"cpu": cpu, "memory": memory}
        container = {"name": "app", "image": "shop/app:v1", "resources": {"limits": limits}}
        return default_pod_spec({"containers": [container]})

    assert stored("1000m", "1024Mi") == stored("1", "1Gi")
