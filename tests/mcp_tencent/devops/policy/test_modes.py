"""Healing modes in the database: the narrowest choice counts, and a fall-back outranks them all."""

from datetime import UTC, datetime, timedelta

import pytest

from mcp_tencent.devops.policy.model import HealingMode
from mcp_tencent.devops.policy.modes import ModeChoice, SqlModeStore

NOW = datetime(2026, 11, 20, 5, tzinfo=UTC)
OBSERVE, PROPOSE, ACT = HealingMode


def choice(mode, namespace="", cluster_id="", minutes=0):
    return ModeChoice(
        cluster_id=cluster_id,
        namespace=namespace,
        mode=mode,
        chosen_by="负责人",
        chosen_at=NOW + timedelta(minutes=minutes),
    )


@pytest.fixture
def modes(database):
    return SqlModeStore(database.engine)


def test_without_a_choice_the_device_observes(modes):
    assert modes.book().mode_of("cls-a", "trade") is OBSERVE


def test_the_narrowest_choice_counts(modes):
    modes.choose(choice(PROPOSE))
    modes.choose(choice(ACT, "trade"))
    modes.choose(choice(OBSERVE, "trade", "cls-b"))
    book = modes.book()
    assert book.mode_of("cls-a", "pay") is PROPOSE
    assert book.mode_of("cls-a", "trade") is ACT
    assert book.mode_of("cls-b", "trade") is OBSERVE


def test_a_choice_for_all_clusters_replaces_those_for_one(modes):
    modes.choose(choice(ACT, "trade", "cls-b"))
    modes.choose(choice(OBSERVE, "trade"))
    assert modes.book().mode_of("cls-b", "trade") is OBSERVE


def test_a_choice_for_everything_replaces_all_others(modes):
    modes.choose(choice(ACT, "trade"))
    modes.choose(choice(OBSERVE))
    assert modes.book().mode_of("cls-a", "trade") is OBSERVE
    assert len(modes.book().choices) == 1


def test_a_fall_back_holds_everywhere_until_a_person_chooses(modes):
    modes.choose(choice(ACT, "trade"))
    modes.fall_back(by="failure-breaker", reason="一天内两成以上的处理失败", at=NOW)
    fallen = modes.book()
    assert fallen.mode_of("cls-a", "trade") is OBSERVE
    assert fallen.fallen_back is not None
    assert fallen.fallen_back.reason == "一天内两成以上的处理失败"
    modes.choose(choice(PROPOSE, "pay"))
    book = modes.book()
    assert book.fallen_back is None
    assert book.mode_of("cls-a", "trade") is ACT
    assert book.mode_of("cls-a", "pay") is PROPOSE
