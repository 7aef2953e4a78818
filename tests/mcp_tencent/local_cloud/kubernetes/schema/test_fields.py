"""The shapes that the imitation knows are those of the real API, as lightkube's models have them."""

from __future__ import annotations

import importlib

import msgspec
import pytest

from mcp_tencent.local_cloud.kubernetes.errors import BadRequestError
from mcp_tencent.local_cloud.kubernetes.kinds import KINDS
from mcp_tencent.local_cloud.kubernetes.schema.shapes import MERGE_KEYS, Decoding, all_types

OWN = {"autoscaling.v1.HorizontalPodAutoscaler"}


@pytest.mark.parametrize("name", sorted({item.shape for item in KINDS} - OWN))
def test_every_field_of_the_real_type_is_known(name: str):
    group, version, kind = name.split(".")
    model = getattr(importlib.import_module(f"lightkube.models.{group}_{version}"), kind)
    real = {field.encode_name for field in msgspec.structs.fields(model)}
    assert set(all_types()[name].fields) == real


def test_every_merge_key_is_a_field_of_the_items_that_it_tells_apart():
    for (name, field), key in MERGE_KEYS.items():
        shape = all_types()[name].fields[field]
        assert isinstance(shape, list)
        if key:
            assert key in all_types()[shape[0][1:]].fields


def test_a_body_is_decoded_like_the_real_decoder_does():
    decoding = Decoding("Deployment", "v1")
    body = {"spec": {"replicas": 2.0, "paused": None, "replicaz": 3, "template": {"spec": {"x": 1}}}}
    assert decoding.decode(body, "apps.v1.Deployment") == {"spec": {"replicas": 2, "template": {"spec": {}}}}
    assert decoding.unknown == ["spec.replicaz", "spec.template.spec.x"]
    with pytest.raises(BadRequestError, match=r"cannot unmarshal string into .*spec.replicas of type int32"):
        decoding.decode({"spec": {"replicas": "3"}}, "apps.v1.Deployment")
    with pytest.raises(BadRequestError, match="quantities must match"):
        decoding.decode({"spec": {"hard": {"cpu": "lots"}}}, "core.v1.ResourceQuota")
