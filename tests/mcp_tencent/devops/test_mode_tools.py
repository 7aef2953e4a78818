"""How far the device may go by itself is chosen by a person, for a namespace, and outlives a restart."""

from __future__ import annotations

import pytest

from mcp_tencent.devops.policy.model import HealingMode
from tests.mcp_tencent.basic.office import TRADER
from tests.mcp_tencent.devops.house import OPERATOR, house_at

CLUSTER = "cls-quiet001"


async def test_a_mode_is_chosen_after_a_spoken_yes_and_outlives_a_restart(tmp_path):
    async with house_at("quiet", tmp_path) as house:
        answer = await house.act("set_healing_mode", mode="act", namespace="shop")
        assert answer["before"] == "observe"
        assert answer["summary"] == "好的，所有集群的shop命名空间自动处理。"
    async with house_at("quiet", tmp_path) as house:
        book = house.desk_of_alerts.modes.book()
        assert book.mode_of(CLUSTER, "shop") is HealingMode.ACT
        assert book.mode_of(CLUSTER, "other") is HealingMode.OBSERVE


async def test_it_is_read_back_before(tmp_path):
    async with house_at("quiet", tmp_path) as house:
        asked = await house.refused("set_healing_mode", mode="propose", namespace="shop")
        assert asked["code"] == "confirmation_required"
        assert asked["read_back"] == "把shop命名空间的自愈模式改成先提议再处理，确认吗？"
        assert house.desk_of_alerts.modes.book().choices == ()


async def test_an_alias_is_understood(tmp_path):
    async with house_at("quiet", tmp_path) as house:
        answer = await house.act("set_healing_mode", mode="propose", namespace="商城", cluster="测试")
        assert (answer["cluster"], answer["namespace"]) == (CLUSTER, "shop")


@pytest.mark.parametrize("namespace", ["kube-system"])
async def test_a_protected_namespace_refuses_to_be_acted_in(tmp_path, namespace):
    async with house_at("protected-namespace", tmp_path) as house:
        result = await house.refused("set_healing_mode", mode="act", namespace=namespace, dry_run=True)
        assert result["code"] == "protected_namespace"
        assert house.desk_of_alerts.modes.book().choices == ()


async def test_act_is_never_chosen_for_everything_at_once(tmp_path):
    async with house_at("quiet", tmp_path) as house:
        error = await house.refused("set_healing_mode", mode="act", dry_run=True)
        assert error["code"] == "namespace_needed"
        assert "命名空间" in error["message"]


async def test_observing_everywhere_takes_back_every_choice(tmp_path):
    async with house_at("quiet", tmp_path) as house:
        await house.act("set_healing_mode", mode="act", namespace="shop")
        await house.act("set_healing_mode", mode="observe")
        assert house.desk_of_alerts.modes.book().mode_of(CLUSTER, "shop") is HealingMode.OBSERVE


async def test_a_dry_run_changes_nothing(tmp_path):
    async with house_at("quiet", tmp_path) as house:
        told = await house.call("set_healing_mode", mode="act", namespace="shop", dry_run=True)
        assert told["dry_run"] is True
        assert house.desk_of_alerts.modes.book().choices == ()


@pytest.mark.parametrize("caller", [OPERATOR, TRADER])
async def test_without_the_permission_nobody_chooses(tmp_path, caller):
    async with house_at("quiet", tmp_path) as house:
        error = await house.as_caller(caller).refused("set_healing_mode", mode="act", namespace="shop")
        assert error["code"] == "not_permitted"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"mode": "everything", "namespace": "shop"}, "invalid_arguments"),
        ({"mode": "observe", "namespace": "nowhere-at-all"}, "not_found"),
        ({"mode": "observe", "cluster": "生产"}, "invalid_request"),
    ],
)
async def test_what_makes_no_sense_is_refused(tmp_path, arguments, code):
    async with house_at("quiet", tmp_path) as house:
        error = await house.refused("set_healing_mode", dry_run=True, **arguments)
        assert error["code"] == code
